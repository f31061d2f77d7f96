//! A toolchain that is made, in a plan: its stages, what they are made with, and what is composed of
//! them.

use anyhow::{Context as _, Result, bail};

use super::{Done, Goal, Plan, Request, Step, Work, chosen, pre_image};
use crate::recipe::{Driver, Making, Part, Stage, Toolchain};
use crate::target::Target;

/// The toolchain that tools are made with: that of the request, or the one that makes it.
pub(super) fn tool_maker<'r>(request: &Request<'r>) -> Result<&'r Toolchain> {
    let Some(making) = &request.toolchain.making else { return Ok(request.toolchain) };
    let found = request.recipes.toolchains.get(&making.with);
    found.with_context(|| format!("recipes/toolchains has no `{}`", making.with))
}

/// The same request, of the toolchain that tools are made with.
pub(super) fn for_tools<'r>(request: &Request<'r>) -> Result<Request<'r>> {
    Ok(Request { toolchain: tool_maker(request)?, goal: Goal::default(), ..*request })
}

/// What the stages of a toolchain have in common.
struct Stages<'a> {
    name: &'a str,
    toolchain: &'a Toolchain,
    tools: Vec<usize>,
    choose: &'a dyn Fn(&[Step]) -> usize,
}

impl Plan {
    /// Adds the stages of a toolchain and what is composed of them; returns that one's index.
    ///
    /// Its programs run on the machine that builds, so they are linked with a C library for that
    /// machine. Stages are the same for all that need them: that library is also the target's, where
    /// the target is of the same kind.
    pub(super) fn add_made(
        &mut self,
        request: &Request<'_>,
        target: &Target,
        making: &Making,
    ) -> Result<usize> {
        let with = for_tools(request)?;
        let name = &request.toolchain.name;
        if !matches!(with.toolchain.driver, Driver::Zig { .. }) {
            // Its compiler runtime and kernel headers are what the stages are made with.
            bail!("`{name}` is made with `{}`, which is not zig", making.with);
        }
        let mut done = Done::new([0, 0]);
        let (host, machine) = self.add_host(name, &with, &mut done)?;
        done.head = host;
        self.for_host = Some(host[0]);
        let with = Request { target: machine, ..with };
        for library in &making.libraries {
            self.add_library(library, &with, &mut done)?;
        }
        self.add_runtime_cxx(&with, &mut done)?;
        let mut tools = Vec::new();
        for tool in &making.tools {
            tools.push(self.add_tool(tool, &with, &mut done)?);
        }
        let of_target = self.add_toolchain(&with, target)?;
        let stages = Stages { name, toolchain: with.toolchain, tools, choose: request.choose };
        let mut parts: Vec<usize> = Vec::new();
        let mut libc = None;
        for part in &making.parts {
            let before = match part.stage {
                Stage::Libc => {
                    libc = Some(self.add_part(&stages, part, machine, host.to_vec()));
                    of_target.to_vec()
                }
                Stage::Binutils | Stage::Compiler => {
                    let programs = host.into_iter().chain(libc);
                    let programs = programs.chain(done.libraries.values().copied());
                    let mut before: Vec<usize> = programs.collect();
                    before.extend(parts.iter().filter(|_| part.stage == Stage::Compiler));
                    before.sort_unstable();
                    before.dedup();
                    before
                }
            };
            parts.push(self.add_part(&stages, part, target, before));
        }
        let made: Vec<&Step> = parts.iter().map(|index| &self.steps[*index]).collect();
        let text = pre_image::made(request.toolchain, target, &made);
        let work = Work::Toolchain(Box::new(request.toolchain.clone()));
        let step = Step::new([name, &request.toolchain.version], work, target, text);
        Ok(self.add_once(step.with(None, parts)))
    }

    fn add_part(
        &mut self,
        stages: &Stages<'_>,
        part: &Part,
        target: &Target,
        before: Vec<usize>,
    ) -> usize {
        let inputs = pre_image::Inputs {
            steps: before.iter().map(|index| &self.steps[*index]).collect(),
            tools: stages.tools.iter().map(|index| &self.steps[*index]).collect(),
            toolchain: &stages.toolchain.name,
        };
        let name = format!("{}-{}", stages.name, part.stage.name());
        let dependencies: Vec<usize> = before.iter().chain(&stages.tools).copied().collect();
        let candidates = part.sources.iter().map(|source| {
            let text = pre_image::part(&name, part, source, target, &inputs);
            let work = Work::Part(stages.name.to_owned(), Box::new(part.clone()));
            Step::new([&name, &part.version], work, target, text)
                .with(Some(source), dependencies.clone())
        });
        self.add_once(chosen(candidates.collect(), stages.choose))
    }
}
