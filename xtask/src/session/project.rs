//! The package to build: which one the arguments mean, what cargo says of it, what it links.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::early::Early;
use super::lockfile::Lockfile;
use super::published::Published;
use super::{Access, SHELL, Session};
use crate::cli;
use crate::exit::{Exit, Failure};
use crate::links::{self, HostView, Metadata, Package, Wanted};
use crate::plan::Goal;
use crate::rust::Rust;
use crate::rust::runtime::remembered_files;

/// The package to build, and what it links.
pub struct Project {
    /// The Rust that builds it.
    pub rust: Rust,
    /// Its graph.
    pub metadata: Metadata,
    /// Itself.
    pub package: Package,
    /// Its Cargo.toml.
    pub manifest: PathBuf,
    /// What it was published as, if it is not on this disk.
    pub published: Option<Published>,
    /// Feature flags as cargo takes them.
    pub features: Vec<String>,
    /// What it links.
    pub wanted: Wanted,
    /// What that Rust needs of this machine.
    pub runtime: Early<Vec<PathBuf>>,
    /// Why its build sees this machine's programs, headers and libraries; nothing if it does not.
    pub sees_host: Option<String>,
    /// Tools, by recipe, that its build has if it sees nothing of this machine.
    tools: Vec<String>,
    /// Whether cargo was not asked, since nothing has changed.
    pub(super) is_remembered: bool,
    _lockfile: Option<Lockfile>,
}

impl Project {
    /// The toolchain that the command line names, else the one that the app's manifest names.
    pub fn toolchain<'a>(&'a self, platform: &'a cli::Platform) -> Option<&'a str> {
        platform.toolchain.as_deref().or(self.wanted.toolchain.as_deref())
    }

    /// What a plan for it is to bring.
    pub fn goal(&self) -> Goal<'_> {
        let Wanted { libraries, data, language, .. } = &self.wanted;
        Goal { libraries, tools: &self.tools, data, language: *language }
    }

    /// Whether its Cargo.lock must do as it is.
    pub fn is_locked(&self) -> bool {
        self.published.as_ref().is_some_and(|published| published.is_locked)
    }

    /// The folder in which cargo is started, whose `.cargo/config.toml` counts.
    pub fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new("/"))
    }
}

impl Session {
    /// Asks cargo about the package that the arguments mean; the sample app if they name none. Fails
    /// if it needs a library that nothing provides.
    pub fn project(&self, arguments: &cli::Package, triple: &str) -> Result<Project> {
        let published = self.published(arguments)?;
        let manifest = match &published {
            Some(published) => published.manifest(),
            None => self.manifest(arguments.manifest_path.as_deref())?,
        };
        let folder = manifest.parent().unwrap_or(Path::new("/"));
        // Which Rust a crate was developed with is not the business of those who install it.
        let chooses = if published.is_some() { self.workspace.as_path() } else { folder };
        let told = self.memory();
        let rust = Rust::of_package(chooses, &self.workspace, Some(&told))?;
        let of_rust = rust.clone();
        let runtime = Early::begin(move || remembered_files(&of_rust, &told));
        let is_ours = published.is_some() && self.access == Access::Write;
        let borrow = || Lockfile::borrow(&self.store, &rust, &manifest, self.access);
        let lockfile = (!is_ours).then(borrow).transpose()?;
        let locked = published.as_ref().is_some_and(|it| it.is_locked);
        let features = feature_flags(arguments);
        let offline = self.global.offline;
        let query =
            links::Query { manifest: &manifest, triple, features: &features, offline, locked };
        let name = arguments.package.as_deref();
        let question = name.unwrap_or_default();
        let memory = links::Memory::new(&self.store, folder, &query, question, &rust.version);
        let remembered = memory.recall();
        let is_remembered = remembered.is_some();
        let metadata = match remembered {
            Some(metadata) => metadata,
            None => {
                let cargo = || rust.cargo_in(folder);
                let mut metadata = links::load(&mut cargo(), &query)?;
                let package = metadata.select(&manifest, name)?;
                let linked = links::load_linked(&mut cargo(), &query, package)?;
                (metadata.callers, metadata.tools) = links::callers(&metadata, package);
                metadata.linked = linked;
                metadata.cxx = links::speakers_of_cxx(&metadata);
                if self.access == Access::Write {
                    memory.keep(&metadata);
                }
                metadata
            }
        };
        let package = metadata.select(&manifest, name)?.clone();
        if published.is_some() {
            require_rust(&package, &rust)?;
        }
        let wanted = links::discover(&metadata, &package, &self.recipes, arguments.prefer)?;
        wanted.require_all()?;
        let wish = arguments.host.unwrap_or(wanted.host);
        let sees_host = self.sees_host(wish, &metadata, &wanted, &rust);
        let mut tools = Vec::new();
        if sees_host.is_none() {
            tools.push(SHELL.to_owned());
            tools.extend(metadata.tools.iter().cloned());
        }
        Ok(Project {
            sees_host,
            runtime,
            tools,
            rust,
            metadata,
            package,
            manifest,
            published,
            features,
            wanted,
            is_remembered,
            _lockfile: lockfile,
        })
    }

    /// Why an app's build must see this machine's programs, headers and libraries.
    fn sees_host(
        &self,
        wish: HostView,
        metadata: &Metadata,
        wanted: &Wanted,
        rust: &Rust,
    ) -> Option<String> {
        if wish == HostView::Visible {
            return Some("as asked for".to_owned());
        }
        // What a crate calls to build its own copy of a library, it does not call for a recipe's; nor
        // does a crate that only builds for such crates, as openssl-src does for openssl-sys.
        let is_idle = |caller: &links::Caller| {
            let dependents = &caller.dependents;
            let is_served = |name: &String| wanted.is_served(name);
            is_served(&caller.name) || !dependents.is_empty() && dependents.iter().all(is_served)
        };
        if let Some(caller) = metadata.callers.iter().find(|caller| !is_idle(caller)) {
            return Some(format!("the crate {} calls {}", caller.name, caller.program));
        }
        let mut tools = std::iter::once(SHELL).chain(metadata.tools.iter().map(String::as_str));
        if let Some(tool) = tools.find(|tool| !self.recipes.tools.contains_key(*tool)) {
            return Some(format!("recipes/tools has no {tool}"));
        }
        rust.needs_host()
    }

    fn manifest(&self, named: Option<&Path>) -> Result<PathBuf> {
        let Some(path) = named else {
            // In a workspace that Muslin was copied into, the app is the workspace's own.
            let sample = self.workspace.join("app/Cargo.toml");
            return Ok(if sample.exists() { sample } else { self.workspace.join("Cargo.toml") });
        };
        let path = if path.is_dir() { path.join("Cargo.toml") } else { path.to_owned() };
        if !path.is_file() {
            let message = format!("there is no manifest {}", path.display());
            return Err(Failure::new(Exit::Usage, message)
                .help("`--manifest-path` takes the Cargo.toml of a package")
                .into());
        }
        path.canonicalize().with_context(|| format!("cannot find {}", path.display()))
    }
}

fn feature_flags(arguments: &cli::Package) -> Vec<String> {
    let mut flags = Vec::new();
    for features in &arguments.features {
        flags.extend(["--features".to_owned(), features.clone()]);
    }
    if arguments.no_default_features {
        flags.push("--no-default-features".to_owned());
    }
    if arguments.all_features {
        flags.push("--all-features".to_owned());
    }
    flags
}

/// Fails if a published crate needs a newer Rust.
fn require_rust(package: &Package, rust: &Rust) -> Result<()> {
    let numbers = |version: &str| -> Vec<u64> {
        let release = version.split('-').next().unwrap_or_default();
        release.split('.').map(|number| number.parse().unwrap_or_default()).collect()
    };
    let ours = rust.short_version().split(' ').nth(1).unwrap_or_default();
    match &package.rust_version {
        Some(needed) if numbers(needed) > numbers(ours) => {
            let Package { name, version, .. } = package;
            let message = format!("{name} {version} needs Rust {needed}, and this is {ours}");
            Err(Failure::new(Exit::Failed, message)
                .help("run `cargo xtask` with a newer Rust")
                .help(format!("or take an older version of it: `--crate {name}@VERSION`"))
                .into())
        }
        _ => Ok(()),
    }
}
