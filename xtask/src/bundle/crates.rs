//! The crates of a workspace: all that its Cargo.lock names. Those of cargo's own registry have the
//! line of a registry's index each, made from what `cargo metadata` says: so no format of cargo's own
//! cache is relied on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::registry;
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::process::{self, last_lines};
use crate::rust::Rust;

/// By this Cargo.lock's name for cargo's own registry is known.
const OWN_REGISTRY: [&str; 2] = ["registry+", "/rust-lang/"];

/// A crate of cargo's own registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its file.
    pub file: PathBuf,
    /// Its line in the index.
    pub line: String,
}

impl Crate {
    /// `name-version`.
    pub fn id(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

/// A package in a Cargo.lock.
#[derive(Clone, Debug, Deserialize)]
pub struct Locked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it comes from; nothing if from this disk.
    pub source: Option<String>,
    /// The SHA-256 of its file.
    pub checksum: Option<String>,
}

/// The packages that a Cargo.lock names; none if there is no such file.
pub fn locked(workspace: &Path) -> Result<Vec<Locked>> {
    let place = workspace.join("Cargo.lock");
    let cannot = || format!("cannot read {}", place.display());
    match fs::read_to_string(&place) {
        Ok(text) => Ok(toml::from_str::<Lock>(&text).with_context(cannot)?.package),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(cannot),
    }
}

#[derive(Deserialize)]
struct Answer {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    manifest_path: PathBuf,
    links: Option<String>,
    rust_version: Option<String>,
    features: BTreeMap<String, Vec<String>>,
    dependencies: Vec<Value>,
}

/// All crates of a workspace, for every platform: those of cargo's own registry, and those from
/// elsewhere; cargo fetches what is missing.
pub fn of_workspace(
    rust: &Rust,
    workspace: &Path,
    offline: bool,
) -> Result<(Vec<Crate>, Vec<Locked>)> {
    let mut command = rust.cargo();
    command.current_dir(workspace).args(["metadata", "--format-version", "1", "--all-features"]);
    command.args(["--color", "never", "--manifest-path"]).arg(workspace.join("Cargo.toml"));
    if offline {
        command.arg("--offline");
    }
    let captured = process::capture(&mut command)?;
    if !captured.status.success() {
        let said = last_lines(captured.stderr.trim(), 12);
        let exit = if offline { Exit::Offline } else { Exit::Failed };
        let message = format!("cannot get all crates of {}:\n{said}", workspace.display());
        return Err(Failure::new(exit, message)
            .help("a bundle has the crates of every platform that Cargo.lock names; `cargo fetch` brings them")
            .into());
    }
    let answer: Answer = serde_json::from_str(&captured.stdout)
        .context("cannot read what `cargo metadata` printed")?;
    let (mut crates, mut others) = (Vec::new(), Vec::new());
    for locked in locked(workspace)? {
        let Some(source) = &locked.source else { continue };
        let is_it = |p: &&Package| {
            p.name == locked.name && p.version == locked.version && p.source.is_some()
        };
        // What is in the file but not in the graph is not asked for either.
        let Some(package) = answer.packages.iter().find(is_it) else { continue };
        match &locked.checksum {
            Some(checksum) if OWN_REGISTRY.iter().all(|part| source.contains(part)) => {
                let file = file_of(package, checksum)?;
                let line = index_line(package, checksum);
                crates.push(Crate { name: locked.name, version: locked.version, file, line });
            }
            _ => others.push(locked),
        }
    }
    Ok((crates, others))
}

/// The file that a crate was unpacked from, in cargo's cache or in the registry of a bundle.
fn file_of(package: &Package, checksum: &str) -> Result<PathBuf> {
    let name = format!("{}-{}.crate", package.name, package.version);
    let unpacked = package.manifest_path.parent().and_then(Path::parent);
    let cached = unpacked.and_then(|sources| {
        let cache = sources.parent()?.with_file_name("cache");
        Some(cache.join(sources.file_name()?).join(&name))
    });
    let bundled = process::cargo_home().map(|home| home.join(registry::FOLDER).join(&name));
    let is_it = |file: &PathBuf| {
        fs::read(file).is_ok_and(|bytes| Digest::sha256_of(&bytes).hex() == checksum)
    };
    cached.into_iter().chain(bundled).find(is_it).ok_or_else(|| {
        let message = format!("cargo's cache has no {name} with the checksum of Cargo.lock");
        Failure::new(Exit::Failed, message)
            .help("a bundle is made where cargo has its crates from a registry, not from a folder of sources")
            .into()
    })
}

/// A package as a registry's index has it: the format is documented in cargo's book.
fn index_line(package: &Package, checksum: &str) -> String {
    let dependencies: Vec<Value> = package.dependencies.iter().map(index_dependency).collect();
    let line = json!({
        "name": package.name, "vers": package.version, "deps": dependencies, "cksum": checksum,
        "features": {}, "features2": package.features, "yanked": false, "links": package.links,
        "rust_version": package.rust_version, "v": 2,
    });
    format!("{line}\n")
}

fn index_dependency(dependency: &Value) -> Value {
    let is_renamed = !dependency["rename"].is_null();
    let (name, package) = if is_renamed {
        (&dependency["rename"], &dependency["name"])
    } else {
        (&dependency["name"], &Value::Null)
    };
    let kind = dependency["kind"].as_str().unwrap_or("normal");
    json!({
        "name": name, "package": package, "req": dependency["req"], "kind": kind,
        "features": dependency["features"], "optional": dependency["optional"],
        "default_features": dependency["uses_default_features"], "target": dependency["target"],
        "registry": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_index_says_what_cargo_said() {
        let dependency = json!({
            "name": "real", "rename": "alias", "req": "^1", "kind": null, "optional": true,
            "uses_default_features": false, "features": ["a"], "target": "cfg(unix)",
        });
        let package: Package = serde_json::from_value(json!({
            "name": "x", "version": "1.0.0", "source": "registry+y", "manifest_path": "/x/Cargo.toml",
            "links": null, "rust_version": null, "features": {"default": ["dep:alias"]},
            "dependencies": [dependency],
        }))
        .unwrap();
        let line: Value = serde_json::from_str(&index_line(&package, "00")).unwrap();
        assert_eq!(line["deps"][0]["name"], "alias");
        assert_eq!(line["deps"][0]["package"], "real");
        assert_eq!(line["deps"][0]["kind"], "normal");
        assert_eq!(line["deps"][0]["default_features"], false);
        assert_eq!(line["features2"]["default"][0], "dep:alias");
    }
}
