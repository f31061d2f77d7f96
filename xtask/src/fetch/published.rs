//! A published crate as a program to build: which version a registry has, with what digest, and its
//! file. All through the user's own cargo, so that its mirrors and credentials apply.

use std::fs;

use anyhow::{Context as _, Result, bail};

use super::cargo::{complaint, scratch_manifest};
use super::{Fetcher, VerifiedArchive};
use crate::digest::{self, Digest};
use crate::exit::{Exit, Failure};
use crate::process;
use crate::recipe::{Origin, Source};
use crate::report::Progress;

/// How many versions an error lists.
const LISTED_VERSIONS: usize = 10;

/// One version of a crate, as the registry's index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The crate's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What its file hashes to.
    pub digest: Digest,
}

impl Fetcher {
    /// Asks the registry for a crate: the newest version that is not yanked, or the newest that
    /// `version` can mean (`14` is any `14.x.y`).
    pub fn release(&self, name: &str, version: Option<&str>) -> Result<Release> {
        let temp = self.store.temp("release")?;
        let manifest = temp.path().join("Cargo.toml");
        let requirement = version.map_or_else(|| "*".to_owned(), |version| format!("={version}"));
        fs::write(&manifest, scratch_manifest(name, &requirement))
            .and_then(|()| fs::write(temp.path().join("lib.rs"), ""))
            .with_context(|| format!("cannot write {}", manifest.display()))?;
        let mut command = process::command(&self.cargo);
        command.args(["generate-lockfile", "--color", "never", "--manifest-path"]).arg(&manifest);
        command.current_dir(&self.workspace_root);
        let captured = {
            let _progress = Progress::spinner("Asking", format!("the registry for {name}"));
            process::capture(&mut command)?
        };
        if process::is_interrupted() {
            bail!("interrupted");
        }
        if !captured.status.success() {
            return Err(unknown(name, version, &captured.stderr).into());
        }
        let lock = fs::read_to_string(temp.path().join("Cargo.lock"))?;
        in_lock(&lock, name).with_context(|| format!("cargo's lock file names no {name}"))
    }

    /// The file of a release: from the store, else from a mirror or through cargo.
    pub fn published(&self, release: &Release) -> Result<VerifiedArchive> {
        let Release { name, version, digest } = release;
        let origin = Origin::Crate { name: name.clone(), version: version.clone() };
        let source = Source {
            origin,
            digest: *digest,
            root: None,
            omit: Vec::new(),
            target: None,
            inner: None,
        };
        if self.network == super::Network::Online && self.stored(&source)?.is_none() {
            // Leaves the file in cargo's cache without those of all its dependencies. Where this cargo
            // does not know the command, `fetch` has it brought together with them.
            let mut command = process::command(&self.cargo);
            command.args(["info", "--quiet", &format!("{name}@{version}")]);
            let temp = self.store.temp("info")?;
            let _ = process::capture(command.current_dir(temp.path()));
        }
        let (_, archive) = self.fetch(&format!("{name} {version}"), &[&source])?;
        Ok(archive)
    }
}

/// The version and digest of a package in a Cargo.lock.
fn in_lock(lock: &str, name: &str) -> Option<Release> {
    let table: toml::Table = lock.parse().ok()?;
    let packages = table.get("package")?.as_array()?.iter();
    let text = |package: &toml::Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    let is_it =
        |package: &&toml::Value| same_name(&text(package, "name").unwrap_or_default(), name);
    packages.filter(is_it).find_map(|package| {
        Some(Release {
            name: text(package, "name")?,
            version: text(package, "version")?,
            digest: digest::parse_hex("sha256", &text(package, "checksum")?).ok()?,
        })
    })
}

/// Registries take `-` and `_` for the same.
pub fn same_name(a: &str, b: &str) -> bool {
    a.replace('_', "-") == b.replace('_', "-")
}

/// Why cargo resolves no such crate, in our words.
fn unknown(name: &str, version: Option<&str>, said: &str) -> Failure {
    let line = |start: &str| said.lines().find_map(|line| line.trim().strip_prefix(start));
    if said.contains(&format!("no matching package named `{name}` found")) {
        return Failure::new(Exit::Usage, format!("the registry has no crate `{name}`"))
            .help("look for its name with `cargo search`");
    }
    let is_this = said.contains(&format!("for the requirement `{name} = "));
    let others = line("candidate versions found which didn't match: ");
    if let (true, Some(others)) = (is_this, others) {
        let which = match version {
            Some(version) => format!("the crate {name} has no version {version}"),
            None => format!("the crate {name} has only versions before a release"),
        };
        let list: Vec<_> = others.split(", ").take(LISTED_VERSIONS).collect();
        return Failure::new(Exit::Usage, which)
            .help(format!("there are, among others: {}", list.join(", ")));
    }
    Failure::new(Exit::Failed, format!("cargo cannot find the crate {name}: {}", complaint(said)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_tells_version_and_digest() {
        let hex = "a30750b6d0743bfdd2656ebbaf4555aa278c43144b84bc389bcbfa399485ec71";
        let lock = format!(
            "version = 4\n[[package]]\nname = \"muslin-fetch\"\nversion = \"0.0.0\"\n\
             [[package]]\nname = \"rip_grep\"\nversion = \"15.2.0\"\nchecksum = \"{hex}\"\n"
        );
        let release = in_lock(&lock, "rip-grep").unwrap();
        assert_eq!((release.name.as_str(), release.version.as_str()), ("rip_grep", "15.2.0"));
        assert_eq!(release.digest.hex(), hex);
        assert_eq!(in_lock(&lock, "muslin-fetch"), None, "what is on disk has no digest");
    }

    #[test]
    fn what_the_registry_does_not_have_is_said_in_words() {
        let no_crate = unknown("rg", None, "error: no matching package named `rg` found\nlocation");
        assert_eq!(no_crate.exit, Exit::Usage);
        let said = "error: failed to select a version for the requirement `rg = \"=9\"`\n\
                    candidate versions found which didn't match: 2.0.0, 1.0.0\nlocation searched: x\n";
        let no_version = unknown("rg", Some("9"), said);
        assert_eq!(no_version.message, "the crate rg has no version 9");
        assert!(no_version.help[0].ends_with("2.0.0, 1.0.0"), "{no_version:?}");
        let other = unknown(
            "rg",
            Some("9"),
            "error: failed to select a version for the requirement `x = \"=1\"`\n",
        );
        assert_eq!(other.exit, Exit::Failed);
    }
}
