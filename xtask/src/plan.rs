//! Recipes + target + wanted libraries → the ordered steps, each with its fingerprint. Pure: no I/O.
//!
//! A fingerprint is the SHA-256 of a readable text, the pre-image, which names every input of the
//! step and the fingerprints of the steps before it. Comments, order of keys and places on disk are
//! no inputs, so they make nothing stale.

mod making;
mod pre_image;
mod runtime;
mod tools;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::digest::Digest;
use crate::links::unknown;
use crate::recipe::{Language, Library, Part, Recipes, Source, Tool, Toolchain};
use crate::target::{Std, Target};

use making::tool_maker;
pub use pre_image::{GCC_C_STANDARD, difference};

/// What a step makes.
#[derive(Clone, Debug)]
pub enum Work {
    /// A compiler and libc bundle: an unpacked archive, or what was made of its parts.
    Toolchain(Box<Toolchain>),
    /// A stage of a toolchain that is made, which is that of this name.
    Part(String, Box<Part>),
    /// The programs that call that toolchain for one target: `<triple>-cc` and its like.
    Driver(Box<Toolchain>),
    /// What builds of libraries call, for the machine that builds.
    Tool(Box<Tool>),
    /// A C library.
    Library(Box<Library>),
    /// The libraries composed into one folder.
    Sysroot,
}

/// One thing to make.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is called: `openssl`, `zig`, `sysroot`.
    pub name: String,
    /// Version of what it makes; for a sysroot, the target's triple.
    pub version: String,
    /// What it makes.
    pub work: Work,
    /// What that is for: the plan's target, or the machine that builds.
    pub target: Target,
    /// SHA-256 of the pre-image, 64 hexadecimal digits.
    pub fingerprint: String,
    /// Every input, readable.
    pub pre_image: String,
    /// Which of the recipe's sources is used, if it has any.
    pub source: Option<Source>,
    /// Steps (by index in the plan) whose outputs this one sees; always earlier ones.
    pub dependencies: Vec<usize>,
}

/// The steps in an order in which they can be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What they are for.
    pub target: Target,
    /// The steps: the toolchain with its parts before it, its driver, the libraries with their tools
    /// before them, the sysroot.
    pub steps: Vec<Step>,
    /// The toolchain and its driver.
    head: [usize; 2],
    /// The toolchain that compiles what runs here, if that is another one.
    for_host: Option<usize>,
    /// Steps (by index) of the tools that are wanted for themselves.
    wanted: Vec<usize>,
    /// Steps (by index) of what goes into images.
    data: Vec<usize>,
    /// Steps (by index) of the target's C runtime, if Rust does not bring it.
    runtime: Vec<usize>,
}

/// What a plan is to bring.
#[derive(Clone, Copy, Debug, Default)]
pub struct Goal<'a> {
    /// Libraries by name; their dependencies come along.
    pub libraries: &'a [String],
    /// Tools by name that are wanted for themselves.
    pub tools: &'a [String],
    /// Tools by name that are files which go into images: no program calls them.
    pub data: &'a [String],
    /// What is linked beside the libraries: with C++, its runtime comes along.
    pub language: Language,
}

impl<'a> Goal<'a> {
    /// These libraries, and nothing else.
    pub fn libraries(libraries: &'a [String]) -> Self {
        Self { libraries, ..Self::default() }
    }
}

/// What to plan.
pub struct Request<'a> {
    /// All recipes.
    pub recipes: &'a Recipes,
    /// What to build for.
    pub target: &'a Target,
    /// With what.
    pub toolchain: &'a Toolchain,
    /// What it is to bring.
    pub goal: Goal<'a>,
    /// Which source to use: given the candidates in the recipe's order, each with the step as it
    /// would be, says the index. What the store has is the caller's knowledge.
    pub choose: &'a dyn Fn(&[Step]) -> usize,
}

/// Steps that are in the plan already, by name, for what one toolchain makes for one target.
struct Done {
    /// That toolchain and its driver.
    head: [usize; 2],
    libraries: BTreeMap<String, usize>,
    tools: BTreeMap<String, usize>,
    /// The toolchain and its driver for the machine that builds.
    host: Option<[usize; 2]>,
}

impl Done {
    fn new(head: [usize; 2]) -> Self {
        Self { head, libraries: BTreeMap::new(), tools: BTreeMap::new(), host: None }
    }
}

impl Plan {
    /// Plans. Fails if a library is unknown or the toolchain does not serve the target.
    pub fn new(request: &Request<'_>) -> Result<Self> {
        let mut plan = Self {
            target: request.target.clone(),
            steps: Vec::new(),
            head: [0, 1],
            for_host: None,
            wanted: Vec::new(),
            data: Vec::new(),
            runtime: Vec::new(),
        };
        plan.head = plan.add_toolchain(request, request.target)?;
        let mut done = Done::new(plan.head);
        if request.target.std != Std::Rustup {
            plan.add_runtime_rust(request, &mut done)?;
        }
        for name in request.goal.libraries {
            match request.recipes.is_runtime_cxx(name) {
                true => drop(plan.add_runtime_cxx(request, &mut done)?),
                false => drop(plan.add_library(name, request, &mut done)?),
            }
        }
        if request.goal.language == Language::Cxx {
            plan.add_runtime_cxx(request, &mut done)?;
        }
        for name in request.goal.tools {
            let index = plan.add_tool(name, request, &mut done)?;
            plan.wanted.push(index);
        }
        for name in request.goal.data {
            let index = plan.add_tool(name, request, &mut done)?;
            plan.data.push(index);
        }
        plan.add_sysroot(done.libraries.values().copied().collect());
        Ok(plan)
    }

    /// Adds the toolchain for a target and its driver, unless they are there; returns their indices.
    fn add_toolchain(&mut self, request: &Request<'_>, target: &Target) -> Result<[usize; 2]> {
        let toolchain = request.toolchain;
        let tree = match &toolchain.making {
            Some(making) => self.add_made(request, target, making)?,
            None => self.add_unpacked(request, target)?,
        };
        let text = pre_image::driver(toolchain, target, &self.steps[tree].fingerprint);
        let name = format!("{}-driver", toolchain.name);
        let work = Work::Driver(Box::new(toolchain.clone()));
        let step = Step::new([&name, &toolchain.version], work, target, text);
        Ok([tree, self.add_once(step.with(None, vec![tree]))])
    }

    /// Adds the toolchain that an archive brings.
    fn add_unpacked(&mut self, request: &Request<'_>, target: &Target) -> Result<usize> {
        let toolchain = request.toolchain;
        let serves =
            |source: &&Source| source.target.as_ref().is_none_or(|triple| *triple == target.triple);
        let candidates: Vec<Step> = toolchain
            .sources
            .iter()
            .filter(serves)
            .map(|source| {
                let text = pre_image::toolchain(toolchain, source);
                let work = Work::Toolchain(Box::new(toolchain.clone()));
                Step::new([&toolchain.name, &toolchain.version], work, target, text)
                    .with(Some(source), vec![])
            })
            .collect();
        if candidates.is_empty() {
            let mut targets: Vec<_> =
                toolchain.sources.iter().filter_map(|source| source.target.clone()).collect();
            targets.sort();
            let message = format!(
                "toolchain `{}` has no archive for {}: no digest of one is on record",
                toolchain.name, target.triple
            );
            return Err(unknown(message, &target.triple, targets.iter()).into());
        }
        Ok(self.add_once(chosen(candidates, request.choose)))
    }

    /// Adds a step, unless the very same is there; returns its index.
    fn add_once(&mut self, step: Step) -> usize {
        let same = |other: &Step| other.name == step.name && other.fingerprint == step.fingerprint;
        self.steps.iter().position(same).unwrap_or_else(|| {
            self.steps.push(step);
            self.steps.len() - 1
        })
    }

    fn add_library(&mut self, name: &str, request: &Request<'_>, done: &mut Done) -> Result<usize> {
        if let Some(index) = done.libraries.get(name) {
            return Ok(*index);
        }
        let Some(library) = request.recipes.libraries.get(name) else {
            let message = format!("there is no library `{name}`");
            return Err(unknown(message, name, request.recipes.libraries.keys()).into());
        };
        let mut dependencies = done.head.to_vec();
        for dependency in &library.dependencies {
            dependencies.push(self.add_library(dependency, request, done)?);
        }
        let is_runtime =
            request.recipes.is_runtime_cxx(name) || request.recipes.is_runtime_rust(name);
        if library.language == Language::Cxx && !is_runtime {
            dependencies.extend(self.add_runtime_cxx(request, done)?);
        }
        let mut tools = self.add_tools(library, request, done)?;
        let (host, runtimes) = self.add_host_compiler(library, request, done)?;
        tools.extend(runtimes);
        for index in host {
            if !dependencies.contains(&index) {
                dependencies.push(index);
            }
        }
        let inputs = pre_image::Inputs {
            steps: dependencies[1..].iter().map(|index| &self.steps[*index]).collect(),
            tools: tools.iter().map(|index| &self.steps[*index]).collect(),
            toolchain: &tool_maker(request)?.name,
        };
        dependencies.extend(tools);
        let candidates = library.sources.iter().map(|source| {
            let text = pre_image::library(library, source, request.target, &inputs);
            let work = Work::Library(Box::new(library.clone()));
            Step::new([name, &library.version], work, request.target, text)
                .with(Some(source), dependencies.clone())
        });
        // It may be part of the C runtime, too.
        let index = self.add_once(chosen(candidates.collect(), request.choose));
        done.libraries.insert(name.to_owned(), index);
        Ok(index)
    }

    fn add_sysroot(&mut self, mut libraries: Vec<usize>) {
        libraries.sort_unstable();
        let inputs: Vec<&Step> = libraries.iter().map(|index| &self.steps[*index]).collect();
        let text = pre_image::sysroot(&self.target, &inputs);
        let step = Step::new(["sysroot", &self.target.triple], Work::Sysroot, &self.target, text);
        self.steps.push(step.with(None, libraries));
    }

    /// The steps to make, by index: given which results exist, those that are missing and needed.
    /// The toolchain, its driver and the tools wanted for themselves are always needed, since programs
    /// call them in place; so are the C runtime and what goes into images.
    pub fn stale(&self, exists: &dyn Fn(&Step) -> bool) -> BTreeSet<usize> {
        let mut stale = BTreeSet::new();
        let mut open = vec![self.steps.len() - 1];
        let named = self.head.iter().chain(&self.for_host).chain(&self.wanted);
        open.extend(named.chain(&self.runtime).chain(&self.data));
        while let Some(index) = open.pop() {
            let step = &self.steps[index];
            if !stale.contains(&index) && !exists(step) {
                stale.insert(index);
                open.extend(&step.dependencies);
            }
        }
        stale
    }

    /// The steps (by index) that must be made before one can be worked on by hand.
    pub fn before<'p>(&'p self, step: &'p Step) -> impl Iterator<Item = usize> + 'p {
        step.dependencies.iter().chain(&self.wanted).copied()
    }

    /// The steps of the tools that are wanted for themselves.
    pub fn tools(&self) -> impl Iterator<Item = &Step> {
        self.wanted.iter().map(|index| &self.steps[*index])
    }

    /// The steps of what goes into images.
    pub fn data(&self) -> impl Iterator<Item = &Step> {
        self.data.iter().map(|index| &self.steps[*index])
    }

    /// The steps of the target's C runtime; none if Rust brings it.
    pub fn runtime_rust(&self) -> impl Iterator<Item = &Step> {
        self.runtime.iter().map(|index| &self.steps[*index])
    }

    /// The toolchain's step.
    pub fn toolchain(&self) -> &Step {
        &self.steps[self.head[0]]
    }

    /// The step of the toolchain that compiles what runs on the machine that builds.
    pub fn host_toolchain(&self) -> &Step {
        &self.steps[self.for_host.unwrap_or(self.head[0])]
    }

    /// The driver's step.
    pub fn driver(&self) -> &Step {
        &self.steps[self.head[1]]
    }

    /// The steps whose outputs a step sees.
    pub fn dependencies<'p>(&'p self, step: &'p Step) -> impl Iterator<Item = &'p Step> {
        step.dependencies.iter().map(|index| &self.steps[*index])
    }

    /// The sysroot's step.
    pub fn sysroot(&self) -> &Step {
        &self.steps[self.steps.len() - 1]
    }

    /// The library that C++ is linked with, if it is in the plan.
    pub fn runtime_cxx(&self) -> Option<&Library> {
        let Work::Toolchain(toolchain) = &self.toolchain().work else { return None };
        let name = toolchain.runtime_cxx()?;
        self.libraries().map(|(_, library)| library).find(|library| library.name == name)
    }

    /// The steps of the sysroot's libraries, dependencies first. A toolchain that is made is linked
    /// with others.
    pub fn libraries(&self) -> impl Iterator<Item = (&Step, &Library)> {
        self.dependencies(self.sysroot()).filter_map(|step| match &step.work {
            Work::Library(library) => Some((step, &**library)),
            _ => None,
        })
    }
}

impl Step {
    /// `openssl 3.6.3`, and for what it is made where that is not the target that everyone has.
    pub fn label(&self) -> String {
        let Self { name, version, target, .. } = self;
        match target.triple.as_str() {
            crate::target::HOST => format!("{name} {version}"),
            triple => format!("{name} {version} ({triple})"),
        }
    }

    /// What the command line has to say beside its name to mean this step and no other:
    /// ` --toolchain gcc --target TRIPLE`, or nothing.
    pub fn options(&self) -> String {
        let toolchain = match &self.work {
            Work::Part(toolchain, _) => format!(" --toolchain {toolchain}"),
            _ => String::new(),
        };
        match self.target.triple.as_str() {
            crate::target::HOST => toolchain,
            triple => format!("{toolchain} --target {triple}"),
        }
    }

    fn new([name, version]: [&str; 2], work: Work, target: &Target, pre_image: String) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            work,
            target: target.clone(),
            fingerprint: Digest::sha256_of(pre_image.as_bytes()).hex(),
            pre_image,
            source: None,
            dependencies: Vec::new(),
        }
    }

    fn with(self, source: Option<&Source>, dependencies: Vec<usize>) -> Self {
        Self { source: source.cloned(), dependencies, ..self }
    }
}

fn chosen(mut candidates: Vec<Step>, choose: &dyn Fn(&[Step]) -> usize) -> Step {
    let index = choose(&candidates).min(candidates.len() - 1);
    candidates.swap_remove(index)
}
