//! What every command starts from: the options of all commands, the recipes, the store, the fetcher.
//!
//! And the one place where a plan meets the store: which toolchain, which origin's bytes.

mod choice;
mod cpu;
mod early;
mod lockfile;
mod needs;
mod project;
mod published;
mod std_choice;

use std::fs::File;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context as _, Result};

use crate::cli::Global;
use crate::exit::{Exit, Failure};
use crate::fetch::{Fetcher, Mirror, Missing, Network};
use crate::layout::{self, Entry, Store};
use crate::links;
use crate::plan::{Goal, Plan, Request, Step};
use crate::process;
use crate::recipe::{Driver, Part, Recipes, Source, Toolchain};
use crate::sandbox::Sandbox;
use crate::target::Target;
pub use choice::PREFERENCE;
use early::Early;
pub use project::Project;
pub use published::Published;

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

    /// The targets asked for.
    pub fn targets(&self, platform: &crate::cli::Platform) -> Result<Vec<Target>> {
        let triples = platform.triples(self.recipes.targets.keys());
        triples.iter().map(|triple| self.target_of(platform, triple)).collect()
    }

    /// The one target asked for, for a command that has one; `what` it is that is one target's.
    pub fn one_target(&self, platform: &crate::cli::Platform, what: &str) -> Result<Target> {
        match &platform.triples(self.recipes.targets.keys())[..] {
            [triple] => self.target_of(platform, triple),
            _ => {
                let message = format!("{what} one target: name one");
                Err(Failure::new(Exit::Usage, message).into())
            }
        }
    }

    /// The target of this triple.
    pub fn target(&self, triple: &str) -> Result<Target> {
        let targets = &self.recipes.targets;
        targets.get(triple).cloned().ok_or_else(|| {
            let message = format!("recipes/targets.toml has no target `{triple}`");
            links::unknown(message, triple, targets.keys()).into()
        })
    }

    fn plan_with(
        &self,
        toolchain: &Toolchain,
        target: &Target,
        mut goal: Goal<'_>,
    ) -> Result<Plan> {
        // Tools that are wanted for themselves are the app's, which no other compiles for the host.
        let is_zig = matches!(toolchain.driver, Driver::Zig { .. });
        if !is_zig && toolchain.making.is_none() {
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
        let mut plans = self.plans(named, target, goal)?;
        let here = plans.iter().position(|plan| self.is_here(plan.toolchain()));
        let toolchain = self.settle_toolchain(&plans)?;
        // Nothing was fetched for that one, so it would be the same if it were made again.
        let plan = here.map(|index| plans.swap_remove(index));
        if let Some(plan) = plan.filter(|plan| self.missing(plan).is_empty()) {
            return Ok(plan);
        }
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
            crate::plan::Work::Part(toolchain, part) => {
                let made = self.recipes.toolchains.get(toolchain).and_then(|it| it.making.as_ref());
                let same = |it: &&Part| it.stage == part.stage;
                made.and_then(|making| making.parts.iter().find(same)).map(|it| &it.sources)
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
