//! What `cargo metadata` prints, as far as Muslin reads it, and the walk over its graph.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

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
    /// The resolved graph.
    pub resolve: Option<Resolve>,
    /// Cargo's target folder.
    pub target_directory: PathBuf,
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
    /// Where cargo has it from; nothing if it is on this disk.
    #[serde(default)]
    pub source: Option<String>,
    /// Its Cargo.toml.
    pub manifest_path: PathBuf,
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
    /// Features without which cargo does not build it.
    #[serde(default, rename = "required-features")]
    pub required_features: Vec<String>,
}

/// The resolved graph.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resolve {
    /// One for each package.
    pub nodes: Vec<Node>,
}

/// A package in the graph.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// Where its edges lead.
    pub deps: Vec<Edge>,
    /// The features that are on.
    pub features: Vec<String>,
}

/// An edge of the graph.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Edge {
    /// The package at its end.
    pub pkg: String,
    /// Why it is there: one entry for each way in which it is declared.
    pub dep_kinds: Vec<EdgeKind>,
}

/// One reason for an edge.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EdgeKind {
    /// `build`, `dev`, or nothing for a normal one.
    pub kind: Option<String>,
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

    fn is_proc_macro(&self) -> bool {
        self.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "proc-macro"))
    }

    /// Its binaries.
    pub fn binaries(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| target.kind.iter().any(|kind| kind == "bin"))
    }
}

impl Metadata {
    /// The packages that are linked into the program of `root`, itself included: everything reached
    /// by normal edges, but not through a proc-macro, which runs on the host.
    pub fn linked_packages(&self, root: &str) -> Vec<Reached<'_>> {
        let packages: BTreeMap<_, _> = self.packages.iter().map(|p| (p.id.as_str(), p)).collect();
        let nodes: BTreeMap<_, _> = self
            .resolve
            .iter()
            .flat_map(|resolve| &resolve.nodes)
            .map(|node| (node.id.as_str(), node))
            .collect();
        let mut seen = BTreeSet::new();
        let mut open = vec![root];
        let mut reached = Vec::new();
        while let Some(id) = open.pop() {
            let (Some(package), Some(node)) = (packages.get(id), nodes.get(id)) else { continue };
            if !seen.insert(id) || (package.is_proc_macro() && id != root) {
                continue;
            }
            reached.push(Reached { package, features: &node.features });
            let is_normal = |edge: &&Edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none());
            open.extend(node.deps.iter().filter(is_normal).map(|edge| edge.pkg.as_str()));
        }
        reached
    }

    /// The same without what is neither a member nor linked into the program of `root`.
    #[must_use]
    pub fn only_what(&self, root: &str) -> Self {
        let reached = self.linked_packages(root).into_iter().map(|reached| &reached.package.id);
        let kept: BTreeSet<&String> = reached.chain(&self.workspace_members).collect();
        let mut less = self.clone();
        less.packages.retain(|package| kept.contains(&package.id));
        if let Some(resolve) = &mut less.resolve {
            resolve.nodes.retain(|node| kept.contains(&node.id));
        }
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
        let defaults: Vec<_> = members
            .iter()
            .filter(|p| {
                self.workspace_default_members.contains(&p.id) && p.binaries().next().is_some()
            })
            .collect();
        match defaults[..] {
            [one] => Ok(one),
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
}

/// Asks cargo for the graph.
pub fn load(cargo: &mut std::process::Command, query: &Query<'_>) -> Result<Metadata> {
    cargo.args(["metadata", "--format-version", "1", "--color", "never", "--manifest-path"]);
    cargo.arg(query.manifest).args(["--filter-platform", query.triple]).args(query.features);
    if query.offline {
        cargo.arg("--offline");
    }
    let captured = process::capture(cargo)?;
    if captured.status.success() {
        return serde_json::from_str(&captured.stdout)
            .context("cannot read what `cargo metadata` printed");
    }
    let said = captured.stderr.trim();
    let wants_network = query.offline
        && ["--offline", "offline was specified", "offline mode"].iter().any(|w| said.contains(w));
    let failure = if wants_network {
        Failure::new(Exit::Offline, format!("crates of the app are missing:\n{said}"))
            .help("`cargo xtask fetch` brings them while there is a network")
    } else if said.contains("failed to parse manifest")
        || said.contains("does not contain this feature")
        || said.contains("manifest path")
    {
        Failure::new(Exit::Usage, format!("cargo cannot read the package:\n{said}"))
    } else {
        Failure::new(Exit::Failed, format!("cargo cannot resolve the package:\n{said}"))
    };
    Err(failure.into())
}
