//! What every command starts from: the options of all commands, the recipes, the store, the fetcher.
//!
//! And the one place where a plan meets the store: which toolchain, which origin's bytes.

mod choice;
mod early;
mod lockfile;
mod needs;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, Result};

use crate::cli::{self, Global};
use crate::exit::{Exit, Failure};
use crate::fetch::{Fetcher, Mirror, Missing, Network};
use crate::layout::{self, Entry, Store};
use crate::links::{self, HostView, Metadata, Package, Wanted};
use crate::plan::{Goal, Plan, Request, Step};
use crate::process;
use crate::recipe::{Driver, Recipes, Source, Toolchain};
use crate::rust::Rust;
use crate::rust::runtime::runtime_files;
use crate::sandbox::Sandbox;
use crate::target::Target;
use early::Early;
use lockfile::Lockfile;

/// What every command starts from.
pub struct Session {
    /// The options of all commands.
    pub global: Global,
    /// The checkout.
    pub workspace: PathBuf,
    /// All recipes.
    pub recipes: Recipes,
    /// The store.
    pub store: Store,
    /// The fetcher.
    pub fetcher: Fetcher,
    access: Access,
    sandbox: OnceLock<Early<Sandbox>>,
    /// While it is held, no other command takes anything out of the store.
    _in_use: Option<File>,
}

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
    is_remembered: bool,
    _lockfile: Lockfile,
}

impl Project {
    /// The toolchain that the command line names, else the one that the app's manifest names.
    pub fn toolchain<'a>(&'a self, platform: &'a cli::Platform) -> Option<&'a str> {
        platform.toolchain.as_deref().or(self.wanted.toolchain.as_deref())
    }

    /// What a plan for it is to bring.
    pub fn goal(&self) -> Goal<'_> {
        let Wanted { libraries, language, .. } = &self.wanted;
        Goal { libraries, tools: &self.tools, language: *language }
    }

    /// The folder in which cargo is started, whose `.cargo/config.toml` counts.
    pub fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new("/"))
    }
}

/// The tool with the shell for the scripts that call the compiler.
pub const SHELL: &str = "busybox";

/// Whether a session may change the store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Make its folders, sweep, write.
    Write,
    /// Touch nothing.
    Read,
}

impl Session {
    /// Reads the recipes and opens the store.
    pub fn open(global: Global, access: Access) -> Result<Self> {
        let workspace = layout::workspace_root()?;
        let recipes = Recipes::load(&workspace)?;
        let root = global.store.clone().map_or_else(Store::default_root, Ok)?;
        let (store, in_use) = match access {
            Access::Write => {
                let store = Store::open(&root)?;
                let in_use = store.hold_in_common()?;
                (store, Some(in_use))
            }
            Access::Read => (Store::peek(&root)?, None),
        };
        let network = if global.offline { Network::Offline } else { Network::Online };
        let mirrors = mirrors(&global)?;
        let fetcher = Fetcher::new(store.clone(), network, mirrors, &workspace);
        let sandbox = OnceLock::new();
        Ok(Self { global, workspace, recipes, store, fetcher, access, sandbox, _in_use: in_use })
    }

    /// Begins to find out how programs are kept apart here, for a command that will surely ask.
    pub fn expect_sandbox(&self) -> &Early<Sandbox> {
        let policy = self.global.sandbox;
        self.sandbox.get_or_init(|| Early::begin(move || Sandbox::find(policy)))
    }

    /// How programs are kept apart here.
    pub fn sandbox(&self) -> Result<&Sandbox> {
        self.expect_sandbox().get()
    }

    /// How many jobs may run at once.
    pub fn jobs(&self) -> usize {
        let cpus = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.global.jobs.map_or_else(cpus, usize::from)
    }

    /// The folder of the recipes.
    pub fn recipes_folder(&self) -> PathBuf {
        self.workspace.join("recipes")
    }

    /// The target of this triple.
    pub fn target(&self, triple: &str) -> Result<Target> {
        let targets = &self.recipes.targets;
        targets.get(triple).cloned().ok_or_else(|| {
            let message = format!("recipes/targets.toml has no target `{triple}`");
            links::unknown(message, triple, targets.keys()).into()
        })
    }

    /// Asks cargo about the package that the arguments mean; the sample app if they name none. Fails
    /// if it needs a library that nothing provides.
    pub fn project(&self, arguments: &cli::Package, triple: &str) -> Result<Project> {
        let manifest = self.manifest(arguments.manifest_path.as_deref())?;
        let folder = manifest.parent().unwrap_or(Path::new("/"));
        let rust = Rust::of_package(folder, &self.workspace)?;
        let of_rust = rust.clone();
        let runtime = Early::begin(move || runtime_files(&of_rust));
        let lockfile = Lockfile::borrow(&rust, &manifest, self.access)?;
        let features = feature_flags(arguments);
        let offline = self.global.offline;
        let query = links::Query { manifest: &manifest, triple, features: &features, offline };
        let name = arguments.package.as_deref();
        let asked = name.unwrap_or_default();
        let memory = links::Memory::new(&self.store, folder, &query, asked, &rust.version);
        let remembered = memory.recall();
        let is_remembered = remembered.is_some();
        let metadata = match remembered {
            Some(metadata) => metadata,
            None => {
                let cargo = || rust.cargo_in(folder);
                let mut metadata = links::load(&mut cargo(), &query)?;
                let package = metadata.select(&manifest, name)?;
                metadata.linked = links::load_linked(&mut cargo(), &query, package)?;
                metadata.cxx = links::speakers_of_cxx(&metadata);
                if self.access == Access::Write {
                    memory.keep(&metadata);
                }
                metadata
            }
        };
        let package = metadata.select(&manifest, name)?.clone();
        let wanted = links::discover(&metadata, &package, &self.recipes)?;
        wanted.require_all()?;
        let sees_host = self.sees_host(arguments.host.unwrap_or(wanted.host), &metadata, &rust);
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
            features,
            wanted,
            is_remembered,
            _lockfile: lockfile,
        })
    }

    /// Why an app's build must see this machine's programs, headers and libraries.
    fn sees_host(&self, wish: HostView, metadata: &Metadata, rust: &Rust) -> Option<String> {
        if wish == HostView::Visible {
            return Some("as asked for".to_owned());
        }
        if let Some(caller) = metadata.callers.first() {
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

    fn plan_with(
        &self,
        toolchain: &Toolchain,
        target: &Target,
        mut goal: Goal<'_>,
    ) -> Result<Plan> {
        // Tools that are wanted for themselves are the app's, which no other compiles for the host.
        if !matches!(toolchain.driver, Driver::Zig { .. }) {
            goal.tools = &[];
        }
        Plan::new(&Request {
            recipes: &self.recipes,
            target,
            toolchain,
            goal,
            choose: &|candidates| self.choose(candidates),
        })
    }

    /// Which origin's bytes a step uses: those of a result that is there, else those that are there,
    /// else the first in the recipe's order.
    fn choose(&self, candidates: &[Step]) -> usize {
        let is_fresh = |step: &Step| self.entry(step).exists();
        let is_here = |step: &Step| step.source.as_ref().is_some_and(|s| self.fetcher.has(s));
        candidates
            .iter()
            .position(is_fresh)
            .or_else(|| candidates.iter().position(is_here))
            .unwrap_or(0)
    }

    /// The place of a step's result.
    pub fn entry(&self, step: &Step) -> Entry {
        self.store.entry(&step.name, &step.version, &step.fingerprint)
    }

    /// The plan as things are, fetching nothing: the first toolchain that the store has, else the
    /// first that serves the target.
    pub fn plan(&self, named: Option<&str>, target: &Target, goal: Goal<'_>) -> Result<Plan> {
        let mut plans = self.plans(named, target, goal)?;
        let here = plans.iter().position(|plan| self.is_here(plan.toolchain()));
        Ok(plans.swap_remove(here.unwrap_or(0)))
    }

    /// One plan for each toolchain that serves the target.
    fn plans(&self, named: Option<&str>, target: &Target, goal: Goal<'_>) -> Result<Vec<Plan>> {
        let (mut plans, mut refusal) = (Vec::new(), None);
        for toolchain in self.toolchains(named)? {
            match self.plan_with(toolchain, target, goal) {
                Ok(plan) => plans.push(plan),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        if plans.is_empty() {
            return Err(refusal.context("recipes/toolchains is empty")?);
        }
        Ok(plans)
    }

    /// Whether a step's result, or the bytes to make it from, are in the store.
    pub fn is_here(&self, step: &Step) -> bool {
        self.entry(step).exists() || step.source.as_ref().is_some_and(|s| self.fetcher.has(s))
    }

    /// The plan, with everything fetched that it takes. Which toolchain and which origins served is
    /// part of the plan, so it can be final only now.
    pub fn settle(&self, named: Option<&str>, target: &Target, goal: Goal<'_>) -> Result<Plan> {
        let toolchain = self.settle_toolchain(&self.plans(named, target, goal)?)?;
        loop {
            let plan = self.plan_with(toolchain, target, goal)?;
            let missing = self.missing(&plan);
            if missing.is_empty() {
                return Ok(plan);
            }
            self.fetch_all(&missing)?;
        }
    }

    /// The steps that must be made and whose bytes are not here.
    pub fn missing<'p>(&self, plan: &'p Plan) -> Vec<&'p Step> {
        let stale = plan.stale(&|step| self.entry(step).exists());
        let steps = stale.into_iter().map(|index| &plan.steps[index]);
        steps.filter(|step| step.source.as_ref().is_some_and(|s| !self.fetcher.has(s))).collect()
    }

    /// Fetches the bytes of some steps, several at a time. The first failure is the error; but all
    /// that is missing offline is listed.
    fn fetch_all(&self, steps: &[&Step]) -> Result<()> {
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                steps.iter().map(|step| scope.spawn(move || self.fetch_step(step))).collect();
            let results = threads.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a fetching thread panicked")))
            });
            let errors: Vec<_> = results.filter_map(Result::err).collect();
            let mut missing = Vec::new();
            for error in errors {
                match error.downcast::<Missing>() {
                    Ok(one) => missing.push(one),
                    Err(other) => return Err(other),
                }
            }
            if missing.is_empty() { Ok(()) } else { Err(needs::offline_misses(&missing)) }
        })
    }

    fn fetch_step(&self, step: &Step) -> Result<()> {
        let sources = self.sources(step);
        self.fetcher.fetch(&format!("{} {}", step.name, step.version), &sources)?;
        Ok(())
    }

    /// All sources that could serve a step, in the recipe's order.
    pub fn sources(&self, step: &Step) -> Vec<&Source> {
        let all = match &step.work {
            crate::plan::Work::Library(_) => {
                self.recipes.libraries.get(&step.name).map(|library| &library.sources)
            }
            crate::plan::Work::Tool(_) => {
                self.recipes.tools.get(&step.name).map(|tool| &tool.sources)
            }
            crate::plan::Work::Toolchain(_) => {
                self.recipes.toolchains.get(&step.name).map(|toolchain| &toolchain.sources)
            }
            _ => None,
        };
        let used = step.source.as_ref();
        let serves = |source: &&Source| used.is_some_and(|used| used.target == source.target);
        all.into_iter().flatten().filter(serves).collect()
    }
}

/// Those of the command line, else those of the environment.
pub fn mirrors(global: &Global) -> Result<Vec<Mirror>> {
    const VARIABLE: &str = "MUSLIN_MIRROR";
    match process::env_var(VARIABLE) {
        Some(text) if global.mirror.is_empty() => Mirror::list(&text)
            .map_err(|error| Failure::new(Exit::Usage, format!("{VARIABLE}: {error}")).into()),
        _ => Ok(global.mirror.clone()),
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
