//! Crates that are not of cargo's own registry but of git repositories and other registries. They travel as what
//! cargo calls a *directory source*, one for each origin, as `cargo vendor` makes it: the local
//! registry of a bundle stands in for one registry only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};

use super::crates::Locked;
use super::pack::Pieces;
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::layout::files_below;
use crate::process::{self, last_lines};
use crate::rust::Rust;

/// Below cargo's folder, and in a bundle: `<id>/<name>-<version>/…`.
pub const FOLDER: &str = "muslin/vendor";

/// Where each origin is described: `<id>.toml`.
pub const ORIGINS: &str = "muslin/sources";

/// The keys by which cargo's configuration names a repository or a registry.
const KEYS: [&str; 5] = ["branch", "git", "registry", "rev", "tag"];

/// How many digits tell origins apart.
const ID_DIGITS: usize = 16;

/// Where crates come from, as cargo's configuration has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Sixteen hexadecimal digits.
    pub id: String,
    /// Cargo's name for it: `git+https://a.test/b?branch=c`.
    pub name: String,
    /// What identifies it: `git`, `branch`.
    keys: BTreeMap<String, String>,
}

impl Origin {
    /// What an origin's file says; nothing if it is not one.
    pub fn parse(id: &str, text: &str) -> Option<Self> {
        let is_id = id.len() == ID_DIGITS && id.bytes().all(|it| it.is_ascii_hexdigit());
        let table: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>> =
            toml::from_str(text).ok()?;
        let [(what, origins)] = table.into_iter().collect::<Vec<_>>().try_into().ok()?;
        let [(name, keys)] = origins.into_iter().collect::<Vec<_>>().try_into().ok()?;
        let is_known = keys.keys().all(|key| KEYS.contains(&key.as_str()));
        let origin = Self { id: id.to_owned(), name, keys };
        (is_id && what == "source" && is_known && origin.text() == text).then_some(origin)
    }

    /// Its file.
    pub fn text(&self) -> String {
        toml::to_string(&BTreeMap::from([("source", BTreeMap::from([(&self.name, &self.keys)]))]))
            .unwrap_or_default()
    }

    /// The tables that make cargo take its crates from the folders below `base`.
    pub fn configuration(&self, base: &str) -> String {
        let here = format!("muslin-{}", self.id);
        let mut origin = self.keys.clone();
        origin.insert("replace-with".to_owned(), here.clone());
        let folder = BTreeMap::from([("directory".to_owned(), format!("{base}/{}", self.id))]);
        let tables = BTreeMap::from([(self.name.clone(), origin), (here, folder)]);
        toml::to_string(&BTreeMap::from([("source", tables)])).unwrap_or_default()
    }
}

/// Adds the crates of a workspace that are from elsewhere; returns their origins.
pub fn add(
    rust: &Rust,
    workspace: &Path,
    offline: bool,
    others: &[Locked],
    vendor: &Path,
    pieces: &mut Pieces<'_>,
) -> Result<Vec<Origin>> {
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let told = vendor_all(rust, workspace, offline, vendor)?;
    let mut origins = BTreeSet::new();
    for one in others {
        let source = one.source.as_deref().unwrap_or_default();
        let origin = origin_of(source, &told)
            .with_context(|| format!("cargo does not say how {source} is replaced"))?;
        let name = format!("{}-{}", one.name, one.version);
        let from = vendor.join(&name);
        for file in files_below(&from)? {
            let path = file.to_str().with_context(|| format!("{file:?} is no UTF-8"))?;
            let path = format!("{FOLDER}/{}/{name}/{path}", origin.id);
            pieces.add_file(&path, &from.join(&file))?;
        }
        origins.insert(origin);
    }
    for origin in &origins {
        pieces.add_text(&format!("{ORIGINS}/{}.toml", origin.id), &origin.text());
    }
    Ok(origins.into_iter().collect())
}

/// Has cargo put all crates of a workspace into a folder; returns what it says of their sources.
fn vendor_all(rust: &Rust, workspace: &Path, offline: bool, to: &Path) -> Result<toml::Table> {
    let mut command = rust.cargo_in(workspace);
    command.args(["vendor", "--locked", "--versioned-dirs", "--respect-source-config"]);
    command.args(["--color", "never", "--manifest-path"]).arg(workspace.join("Cargo.toml"));
    if offline {
        command.arg("--offline");
    }
    let captured = process::capture(command.arg(to))?;
    if !captured.status.success() {
        let said = last_lines(captured.stderr.trim(), 12);
        let exit = if offline { Exit::Offline } else { Exit::Failed };
        let message = format!("cannot collect the crates of {}:\n{said}", workspace.display());
        return Err(Failure::new(exit, message)
            .help("crates of git and of other registries are collected by `cargo vendor`: see whether it works")
            .into());
    }
    let told: toml::Table = captured.stdout.parse().map_err(|error| {
        anyhow!("cannot read what `cargo vendor` printed: {error}:\n{}", captured.stdout)
    })?;
    let sources = told.get("source").and_then(toml::Value::as_table);
    Ok(sources.cloned().unwrap_or_default())
}

/// The origin that Cargo.lock means by `git+https://a.test/b?branch=c#0123…`.
fn origin_of(source: &str, told: &toml::Table) -> Option<Origin> {
    let plain = source.split('#').next().unwrap_or(source);
    // A Cargo.lock may write characters of a branch's name as `%2F`.
    let address = plain.split('?').next().unwrap_or(plain);
    let mut alike = told.keys().filter(|name| name.split('?').next() == Some(address));
    let name = match told.get_key_value(plain) {
        Some((name, _)) => name,
        None => alike.next().filter(|_| alike.next().is_none())?,
    };
    let table = told[name].as_table()?;
    let kept = table.iter().filter(|(key, _)| KEYS.contains(&key.as_str()));
    let keys = kept.map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    let id = Digest::sha256_of(source.as_bytes()).hex()[..ID_DIGITS].to_owned();
    Some(Origin { id, name: name.clone(), keys: keys.collect::<Option<_>>()? })
}

/// Cargo's configuration can send an origin to one place only.
pub fn refuse_two_of_a_name(origins: &[Origin]) -> Result<()> {
    for one in origins {
        if origins.iter().any(|other| other.name == one.name && other.id != one.id) {
            let message =
                format!("the app and the xtask have locked different commits of {}", one.name);
            return Err(Failure::new(Exit::Failed, message)
                .help("bring their Cargo.lock files to the same one with `cargo update --precise`")
                .into());
        }
    }
    Ok(())
}

/// The origins that are described in a folder.
pub fn origins_in(folder: &Path) -> Vec<Origin> {
    let items = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut origins: Vec<_> = items
        .filter_map(|item| {
            let path = item.path();
            Origin::parse(path.file_stem()?.to_str()?, &fs::read_to_string(&path).ok()?)
        })
        .collect();
    origins.sort();
    origins
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = r#"
[crates-io]
replace-with = "vendored-sources"
["git+https://a.test/b?branch=c/d"]
git = "https://a.test/b"
branch = "c/d"
replace-with = "vendored-sources"
["sparse+https://c.test/index/"]
registry = "sparse+https://c.test/index/"
replace-with = "vendored-sources"
[vendored-sources]
directory = "vendor"
"#;

    #[test]
    fn an_origin_is_what_cargo_says_of_it() {
        let told: toml::Table = TOLD.parse().unwrap();
        let source = "git+https://a.test/b?branch=c%2Fd#0123";
        let origin = origin_of(source, &told).unwrap();
        assert_eq!(origin.name, "git+https://a.test/b?branch=c/d");
        assert_ne!(
            origin.id,
            origin_of("git+https://a.test/b?branch=c%2Fd#4567", &told).unwrap().id
        );
        let text = origin.text();
        assert_eq!(
            text,
            "[source.\"git+https://a.test/b?branch=c/d\"]\nbranch = \"c/d\"\ngit = \"https://a.test/b\"\n"
        );
        assert_eq!(Origin::parse(&origin.id, &text), Some(origin.clone()));
        let here = origin.configuration("/x y");
        let tables: toml::Table = here.parse().unwrap();
        let folder = format!("muslin-{}", origin.id);
        assert_eq!(tables["source"][&origin.name]["replace-with"].as_str(), Some(&*folder));
        assert_eq!(
            tables["source"][&folder]["directory"].as_str(),
            Some(&*format!("/x y/{}", origin.id))
        );
        let registry = origin_of("sparse+https://c.test/index/", &told).unwrap();
        assert!(registry.text().contains("registry = "), "{}", registry.text());
        assert_eq!(origin_of("git+https://else.test/b#0", &told), None);
    }

    #[test]
    fn a_file_that_says_more_is_no_origin() {
        let id = "0123456789abcdef";
        let good = "[source.\"git+file:///b\"]\ngit = \"file:///b\"\n";
        assert!(Origin::parse(id, good).is_some());
        assert_eq!(Origin::parse("../x", good), None);
        for bad in [
            "",
            "[source.a]\ngit = \"b\"\nreplace-with = \"c\"\n",
            "[source.a]\ngit = \"b\"\n[source.c]\ngit = \"b\"\n",
            "[build]\nrustc = { wrapper = \"x\" }\n",
            "[source.a]\ngit = \"b\"\n[http]\n",
        ] {
            assert_eq!(Origin::parse(id, bad), None, "{bad}");
        }
    }
}
