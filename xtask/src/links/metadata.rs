//! What `cargo metadata` and `cargo tree` print, as far as Muslin reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::callers::{Caller, Resolve};
use super::tree::Linked;
use crate::exit::{Exit, Failure};
use crate::process;

/// The answer of `cargo metadata --format-version 1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Metadata {
    /// Every package of the graph.
    pub packages: Vec<Package>,
    /// Ids of the workspace's own packages.
    pub workspace_members: Vec<String>,
    /// Ids of those that cargo takes when none is named.
    #[serde(default)]
    pub workspace_default_members: Vec<String>,
    /// What the package to build links; not part of the answer, see [`super::load_linked`].
    #[serde(default)]
    pub linked: Vec<Linked>,
    /// Folders of the packages that are on this disk and not from elsewhere; not part of the answer.
    #[serde(default)]
    pub folders: Vec<PathBuf>,
    /// Which package needs which; not kept.
    #[serde(default, skip_serializing)]
    pub resolve: Option<Resolve>,
    /// Tools, by recipe, that packages call when they are built; not part of the answer.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Packages that call programs of the machine when they are built; not part of the answer.
    #[serde(default)]
    pub callers: Vec<Caller>,
    /// Packages, linked into the program, that compile or link C++; not part of the answer.
    #[serde(default)]
    pub cxx: Vec<String>,
    /// Cargo's target folder.
    pub target_directory: PathBuf,
    /// Where cargo builds, if that is another folder.
    #[serde(default)]
    pub build_directory: Option<PathBuf>,
    /// The workspace's folder.
    pub workspace_root: PathBuf,
}

/// A package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Package {
    /// Cargo's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SPDX expression.
    pub license: Option<String>,
    /// Its licence's text, if it names a file: from its folder on.
    #[serde(default)]
    pub license_file: Option<PathBuf>,
    /// Its README, likewise.
    #[serde(default)]
    pub readme: Option<PathBuf>,
    /// What it says it is.
    #[serde(default)]
    pub description: Option<String>,
    /// Its page.
    #[serde(default)]
    pub homepage: Option<String>,
    /// Where its sources are developed.
    #[serde(default)]
    pub repository: Option<String>,
    /// Where its documentation is.
    #[serde(default)]
    pub documentation: Option<String>,
    /// Who wrote it.
    #[serde(default)]
    pub authors: Vec<String>,
    /// The oldest Rust that it says it needs.
    #[serde(default)]
    pub rust_version: Option<String>,
    /// Where cargo has it from; nothing if it is on this disk.
    #[serde(default)]
    pub source: Option<String>,
    /// Its Cargo.toml.
    pub manifest_path: PathBuf,
    /// The binary that `cargo run` runs.
    #[serde(default)]
    pub default_run: Option<String>,
    /// Its `links` key.
    pub links: Option<String>,
    /// `[package.metadata]`.
    pub metadata: Option<serde_json::Value>,
    /// Its features and what each turns on.
    pub features: BTreeMap<String, Vec<String>>,
    /// Its dependencies as declared.
    pub dependencies: Vec<Dependency>,
    /// Its libraries, binaries, tests.
    pub targets: Vec<Target>,
}

/// A declared dependency.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dependency {
    /// The crate's name.
    pub name: String,
    /// `build`, `dev`, or nothing for a normal one.
    pub kind: Option<String>,
}

/// A library, binary or test of a package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// `bin`, `lib`, `proc-macro`…
    pub kind: Vec<String>,
    /// Its first file.
    #[serde(default)]
    pub src_path: PathBuf,
    /// Features without which cargo does not build it.
    #[serde(default, rename = "required-features")]
    pub required_features: Vec<String>,
}

/// A package that is linked into the program, with the features that are on.
pub struct Reached<'a> {
    /// The package.
    pub package: &'a Package,
    /// Its features.
    pub features: &'a [String],
}

impl Package {
    /// Names of its build dependencies.
    pub fn build_dependencies(&self) -> impl Iterator<Item = &str> {
        let build = self.dependencies.iter().filter(|d| d.kind.as_deref() == Some("build"));
        build.map(|dependency| dependency.name.as_str())
    }

    /// Its folder, if it is on this disk: also one that cargo was told to find in a folder of crates.
    fn folder_here(&self) -> Option<PathBuf> {
        let folder = self.manifest_path.parent()?;
        let is_crate = self.source.is_some();
        Some(if is_crate { folder.parent()? } else { folder }.to_owned())
    }

    /// Its build script, if it has one.
    pub fn build_script(&self) -> Option<&Path> {
        let is_script = |target: &&Target| target.kind.iter().any(|kind| kind == "custom-build");
        self.targets.iter().find(is_script).map(|target| target.src_path.as_path())
    }

    /// Its binaries.
    pub fn binaries(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| target.kind.iter().any(|kind| kind == "bin"))
    }
}

impl Metadata {
    /// The folders that cargo writes in.
    pub fn output_folders(&self) -> impl Iterator<Item = &Path> {
        let build =
            self.build_directory.as_deref().filter(|folder| *folder != self.target_directory);
        std::iter::once(self.target_directory.as_path()).chain(build)
    }

    /// The packages that are linked into the program, itself included.
    pub fn linked_packages(&self) -> impl Iterator<Item = Reached<'_>> {
        self.linked.iter().filter_map(|linked| {
            let is_it = |p: &&Package| p.name == linked.name && p.version == linked.version;
            let package = self.packages.iter().find(is_it)?;
            Some(Reached { package, features: &linked.features })
        })
    }

    /// The features that are on in the program for a package.
    pub fn features_of(&self, package: &Package) -> &[String] {
        let mut linked = self.linked_packages();
        linked.find(|reached| reached.package.id == package.id).map_or(&[], |found| found.features)
    }

    /// The same without what is neither a member nor linked into the program.
    #[must_use]
    pub fn only_what_is_linked(&self) -> Self {
        let reached = self.linked_packages().map(|reached| &reached.package.id);
        let kept: BTreeSet<&String> = reached.chain(&self.workspace_members).collect();
        let mut less = self.clone();
        less.packages.retain(|package| kept.contains(&package.id));
        less
    }

    /// The one package to build: the named one, else the only one that `manifest` can mean.
    pub fn select(&self, manifest: &Path, name: Option<&str>) -> Result<&Package> {
        let members: Vec<&Package> =
            self.packages.iter().filter(|p| self.workspace_members.contains(&p.id)).collect();
        if let Some(name) = name {
            let known: Vec<String> = members.iter().map(|package| package.name.clone()).collect();
            return members.iter().copied().find(|package| package.name == name).ok_or_else(|| {
                let message = format!("there is no package `{name}` in {}", manifest.display());
                super::unknown(message, name, known.iter()).into()
            });
        }
        if let Some(package) = members.iter().find(|package| package.manifest_path == manifest) {
            return Ok(package);
        }
        // In a workspace that Muslin was copied into, its own package is not what is shipped.
        let members: Vec<_> =
            members.into_iter().filter(|package| package.name != OWN_PACKAGE).collect();
        let defaults: Vec<_> = members
            .iter()
            .filter(|p| {
                self.workspace_default_members.contains(&p.id) && p.binaries().next().is_some()
            })
            .collect();
        match (&defaults[..], &members[..]) {
            ([one], _) => Ok(one),
            ([], [one]) => Ok(one),
            _ => {
                let names: Vec<_> = members.iter().map(|package| package.name.as_str()).collect();
                let message = format!("{} is a workspace of several packages", manifest.display());
                Err(Failure::new(Exit::Usage, message)
                    .help(format!("name one with `-p`: {}", names.join(", ")))
                    .into())
            }
        }
    }
}

/// The package that this code is in.
const OWN_PACKAGE: &str = env!("CARGO_PKG_NAME");

/// What to ask cargo.
#[derive(Debug)]
pub struct Query<'a> {
    /// The Cargo.toml.
    pub manifest: &'a Path,
    /// The target triple to resolve for.
    pub triple: &'a str,
    /// Feature flags as cargo takes them.
    pub features: &'a [String],
    /// Whether cargo may use a network.
    pub offline: bool,
    /// Whether the Cargo.lock must do as it is.
    pub locked: bool,
}

/// Asks cargo for the packages of the graph.
pub fn load(cargo: &mut Command, query: &Query<'_>) -> Result<Metadata> {
    cargo.args(["metadata", "--format-version", "1", "--filter-platform", query.triple]);
    let text = ask(cargo, query)?;
    let mut metadata: Metadata =
        serde_json::from_str(&text).context("cannot read what `cargo metadata` printed")?;
    let folders: BTreeSet<_> = metadata.packages.iter().filter_map(Package::folder_here).collect();
    metadata.folders = folders.into_iter().collect();
    Ok(metadata)
}

/// Runs a question to its end and puts its failure in our words.
pub(super) fn ask(cargo: &mut Command, query: &Query<'_>) -> Result<String> {
    cargo.args(["--color", "never", "--manifest-path"]).arg(query.manifest).args(query.features);
    if query.offline {
        cargo.arg("--offline");
    }
    if query.locked {
        cargo.arg("--locked");
    }
    let captured = process::capture(cargo)?;
    if captured.status.success() {
        return Ok(captured.stdout);
    }
    Err(refusal(captured.stderr.trim(), query.offline).into())
}

/// What cargo said, as an error with the exit code that it deserves.
fn refusal(said: &str, offline: bool) -> Failure {
    let said = said.strip_prefix("error: ").unwrap_or(said);
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if offline && has(&["--offline", "offline was specified", "offline mode"]) {
        return Failure::new(Exit::Offline, format!("crates of the app are missing: {said}"))
            .help("`cargo xtask fetch` brings them while there is a network");
    }
    if has(&["--locked"]) {
        let message =
            "the Cargo.lock that the crate was published with does not fit its Cargo.toml";
        return Failure::new(Exit::Failed, format!("{message}: {said}"))
            .help("`--ignore-lock` passes over it and resolves the dependencies anew");
    }
    if has(&[
        "failed to parse manifest",
        "Cargo.toml:",
        "feature",
        "manifest path",
        "manifest-path",
    ]) {
        return Failure::new(Exit::Usage, format!("cargo cannot read the package: {said}"));
    }
    Failure::new(Exit::Failed, format!("cargo cannot resolve the package: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_refuses_is_the_users_mistake_or_a_missing_crate() {
        let exit = |said: &str, offline| refusal(said, offline).exit;
        assert_eq!(
            exit("error: none of the selected packages contains this feature: x", false),
            Exit::Usage
        );
        assert_eq!(exit("error: unclosed table\n --> Cargo.toml:1:9", false), Exit::Usage);
        assert_eq!(
            exit("error: failed to download x (you specified --offline)", true),
            Exit::Offline
        );
        assert_eq!(exit("error: spurious network error", false), Exit::Failed);
        let message = refusal("error: unclosed table\n --> Cargo.toml:1:9", false).message;
        assert!(!message.contains("error:"), "{message}");
    }
}
