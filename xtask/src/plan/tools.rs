//! Tools in a plan: made for the machine that builds, whatever the target, and only if a library that
//! is in the plan names them.

use anyhow::{Context as _, Result};

use super::{Done, Plan, Request, Step, Work, chosen, making, pre_image};
use crate::recipe::{Configure, Driver, Library, Product};
use crate::target::{HOST, Target};

impl Plan {
    /// Adds what a library's build calls; returns the indices in the order named.
    pub(super) fn add_tools(
        &mut self,
        library: &Library,
        request: &Request<'_>,
        done: &mut Done,
    ) -> Result<Vec<usize>> {
        library.tools.iter().map(|name| self.add_tool(name, request, done)).collect()
    }

    /// Adds one tool, unless it is there; returns its index.
    pub(super) fn add_tool(
        &mut self,
        name: &str,
        request: &Request<'_>,
        done: &mut Done,
    ) -> Result<usize> {
        if let Some(index) = done.tools.get(name) {
            return Ok(*index);
        }
        let request = &making::for_tools(request)?;
        let Some(tool) = request.recipes.tools.get(name) else {
            anyhow::bail!("recipes/tools has no `{name}`");
        };
        // What is only taken out of an archive needs no compiler, and is the same whoever compiles.
        let is_data = tool.product == Product::Prebuilt(None);
        let target = host_row(name, request)?;
        let mut dependencies = match is_data {
            true => vec![],
            false => self.add_host(name, request, done)?.0.to_vec(),
        };
        let driver = dependencies.get(1).copied();
        let mut tools = Vec::new();
        let other = match (&request.toolchain.driver, &tool.product) {
            (Driver::Zig { runtime, .. }, Product::Program { .. }) => runtime.as_ref(),
            (_, Product::Prebuilt(Some(program))) => program.loader.as_ref(),
            _ => None,
        };
        if let Some(other) = other {
            let index = self.add_tool(other, request, done)?;
            dependencies.push(index);
            tools.push(&self.steps[index]);
        }
        let inputs = pre_image::Inputs {
            steps: driver.iter().map(|index| &self.steps[*index]).collect(),
            tools,
            toolchain: &request.toolchain.name,
        };
        let candidates = tool.sources.iter().map(|source| {
            let text = pre_image::tool(tool, source, target, &inputs);
            let work = Work::Tool(Box::new(tool.clone()));
            Step::new([name, &tool.version], work, target, text)
                .with(Some(source), dependencies.clone())
        });
        let index = self.add_once(chosen(candidates.collect(), request.choose));
        done.tools.insert(name.to_owned(), index);
        Ok(index)
    }

    /// Adds the toolchain for the machine that builds and its driver, on which `name` insists.
    pub(super) fn add_host<'r>(
        &mut self,
        name: &str,
        request: &Request<'r>,
        done: &mut Done,
    ) -> Result<([usize; 2], &'r Target)> {
        let target = host_row(name, request)?;
        let host = match done.host {
            Some(host) => host,
            None => self
                .add_toolchain(request, target)
                .with_context(|| format!("`{name}` is made for the machine that builds"))?,
        };
        done.host = Some(host);
        Ok((host, target))
    }

    /// Adds what a library's build makes programs with that it runs itself: the steps of a compiler
    /// for this machine, and the tools that such programs are linked with.
    pub(super) fn add_host_compiler(
        &mut self,
        library: &Library,
        request: &Request<'_>,
        done: &mut Done,
    ) -> Result<(Vec<usize>, Vec<usize>)> {
        let Some(name) = library.configure().and_then(Configure::host_program) else {
            return Ok((vec![], vec![]));
        };
        let request = &making::for_tools(request)?;
        let (host, _) = self.add_host(name, request, done)?;
        let mut tools = Vec::new();
        if let Driver::Zig { runtime, runtime_more, .. } = &request.toolchain.driver {
            for name in runtime.iter().chain(runtime_more) {
                tools.push(self.add_tool(name, request, done)?);
            }
        }
        Ok((host.to_vec(), tools))
    }
}

/// The row of the machine that builds, for which `name` is made.
fn host_row<'r>(name: &str, request: &Request<'r>) -> Result<&'r Target> {
    let target = request.recipes.targets.get(HOST);
    target
        .with_context(|| format!("`{name}` is made for {HOST}, which recipes/targets.toml has not"))
}
