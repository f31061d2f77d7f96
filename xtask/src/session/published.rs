//! A published crate, unpacked below the target folder: the same folder for the same bytes, so that
//! what cargo has built of it is found again.
//!
//! ```text
//! target/crates/<name>-<version>-<digest>[-unlocked]/  crate.json  source/
//! ```

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{Access, Session};
use crate::cli::{self, CrateSpec};
use crate::exit::{Exit, Failure};
use crate::fetch::{Missing, Release, same_name};
use crate::layout;
use crate::report;
use crate::unpack::{Part, unpack_archive};

/// How many digits of a digest tell two archives apart.
const DIGEST_DIGITS: usize = 16;

/// A published crate that is unpacked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file.
    pub digest: String,
    /// Who served it.
    pub origin: String,
    /// Whether its own Cargo.lock says the versions of its dependencies.
    pub is_locked: bool,
    /// Whether the Cargo.lock that it may have had was to be passed over.
    ignores_lock: bool,
    /// The folder with all this.
    #[serde(skip)]
    folder: PathBuf,
}

impl Published {
    /// Its Cargo.toml.
    pub fn manifest(&self) -> PathBuf {
        self.folder.join("source/Cargo.toml")
    }

    fn read(folder: &Path) -> Option<Self> {
        let bytes = fs::read(folder.join("crate.json")).ok()?;
        let found: Self = serde_json::from_slice(&bytes).ok()?;
        Some(Self { folder: folder.to_owned(), ..found })
    }

    /// Whether it is one that a specification can mean.
    fn serves(&self, spec: &CrateSpec, ignore_lock: bool) -> bool {
        let is_version = |asked: &String| {
            let rest = self.version.strip_prefix(asked.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '+']))
        };
        same_name(&self.name, &spec.name)
            && self.ignores_lock == ignore_lock
            && spec.version.as_ref().is_none_or(is_version)
    }
}

impl Session {
    /// The published crate that the arguments name, if they do; fetched and unpacked.
    pub(super) fn published(&self, arguments: &cli::Package) -> Result<Option<Published>> {
        let Some(spec) = &arguments.published else { return Ok(None) };
        let found = self.find_published(spec, arguments.ignore_lock)?;
        let lock = match (found.is_locked, found.ignores_lock) {
            (true, _) => "with its own Cargo.lock",
            (false, true) => "its Cargo.lock passed over",
            (false, false) => "it has no Cargo.lock: the newest versions that fit were chosen",
        };
        report::status("Crate", format!("{} {} ({lock})", found.name, found.version));
        Ok(Some(found))
    }

    fn find_published(&self, spec: &CrateSpec, ignore_lock: bool) -> Result<Published> {
        let place = layout::published_crates(&self.workspace);
        let folders = fs::read_dir(&place).into_iter().flatten().flatten();
        let mut here: Vec<_> = folders
            .filter_map(|folder| Published::read(&folder.path()))
            .filter(|found| found.serves(spec, ignore_lock))
            .collect();
        here.sort_by(|a, b| compare_versions(&a.version, &b.version));
        let is_exact = |found: &Published| spec.version.as_ref() == Some(&found.version);
        let may_ask = !self.global.offline && self.access == Access::Write;
        // What is published never changes; but which version is the newest does.
        if let Some(found) = here.pop_if(|found| is_exact(found) || !may_ask) {
            return Ok(found);
        }
        if self.access == Access::Read {
            let message =
                format!("the crate {} is not here, and `plan` touches nothing", spec.name);
            return Err(Failure::new(Exit::Failed, message)
                .help(format!("`cargo xtask fetch --crate {}` brings it", spec.name))
                .into());
        }
        if self.global.offline {
            let origins = vec![format!("crate {}", spec.name)];
            let missing = Missing { what: format!("the crate {}", spec.name), origins };
            return Err(super::needs::offline_misses(&[missing]));
        }
        let release = self.fetcher.release(&spec.name, spec.version.as_deref())?;
        let digest = release.digest.to_string();
        match here.into_iter().find(|it| it.version == release.version && it.digest == digest) {
            Some(found) => Ok(found),
            None => self.unpack_published(&place, &release, ignore_lock),
        }
    }

    fn unpack_published(
        &self,
        place: &Path,
        release: &Release,
        ignore_lock: bool,
    ) -> Result<Published> {
        let archive = self.fetcher.published(release)?;
        let digits = &release.digest.hex()[..DIGEST_DIGITS];
        let ending = if ignore_lock { "-unlocked" } else { "" };
        let name = format!("{}-{}-{digits}{ending}", release.name, release.version);
        let folder = place.join(&name);
        let source = folder.join("source");
        // Without its `crate.json` it is what an interrupted run has left.
        layout::remove_tree(&folder)
            .and_then(|()| fs::create_dir_all(&folder))
            .with_context(|| format!("cannot make {}", folder.display()))?;
        unpack_archive(&archive, &Part::default(), &source)?;
        let is_locked = source.join("Cargo.lock").exists() && !ignore_lock;
        prepare(&source, is_locked)
            .with_context(|| format!("cannot prepare {}", source.display()))?;
        let found = Published {
            name: release.name.clone(),
            version: release.version.clone(),
            digest: release.digest.to_string(),
            origin: archive.served_by().to_owned(),
            is_locked,
            ignores_lock: ignore_lock,
            folder,
        };
        let text = serde_json::to_vec_pretty(&found)?;
        layout::write_atomically(&found.folder.join("crate.json"), &text)?;
        Ok(found)
    }
}

/// Makes of an unpacked crate what `cargo install` sees of it: a workspace of its own, whatever lies
/// above it, that no configuration in it speaks for.
fn prepare(source: &Path, is_locked: bool) -> Result<()> {
    let lock = source.join("Cargo.lock");
    if !is_locked && lock.exists() {
        fs::remove_file(&lock)?;
    }
    layout::remove_tree(&source.join(".cargo"))?;
    let manifest = source.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    let table: toml::Table = text.parse()?;
    if !table.contains_key("workspace") {
        fs::write(&manifest, format!("{text}\n[workspace]\n"))?;
    }
    Ok(())
}

/// The order of versions as semantic versioning has it, as far as a choice among a few needs it: one
/// with a hyphen comes before the same without.
fn compare_versions(a: &str, b: &str) -> Ordering {
    fn key(version: &str) -> (Vec<u64>, bool, &str) {
        let version = version.split('+').next().unwrap_or_default();
        let (release, before) = version.split_once('-').unwrap_or((version, ""));
        let numbers = release.split('.').map(|number| number.parse().unwrap_or_default()).collect();
        (numbers, before.is_empty(), before)
    }
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(name: &str, version: &str) -> Published {
        Published {
            name: name.to_owned(),
            version: version.to_owned(),
            digest: String::new(),
            origin: String::new(),
            is_locked: true,
            ignores_lock: false,
            folder: PathBuf::new(),
        }
    }

    #[test]
    fn a_specification_means_versions_that_begin_with_it() {
        let serves = |spec: &str, version: &str| {
            published("rip-grep", version).serves(&spec.parse().unwrap(), false)
        };
        assert!(serves("rip_grep", "1.2.3") && serves("rip-grep@1.2.3", "1.2.3"));
        assert!(serves("rip-grep@1", "1.2.3") && serves("rip-grep@1.2.3", "1.2.3+build"));
        assert!(!serves("rip-grep@1", "11.2.3") && !serves("rip", "1.2.3"));
        assert!(!published("a", "1.0.0").serves(&"a".parse().unwrap(), true), "another folder");
    }

    #[test]
    fn newer_versions_come_later() {
        let mut versions = ["1.10.0", "1.9.0", "2.0.0-rc.1", "2.0.0", "1.9.0-beta"];
        versions.sort_by(|a, b| compare_versions(a, b));
        assert_eq!(versions, ["1.9.0-beta", "1.9.0", "1.10.0", "2.0.0-rc.1", "2.0.0"]);
    }
}
