//! `cargo xtask shell STEP`: enters the sandbox of a step by hand, as the step has it: that of a
//! library, a tool, or a stage of a toolchain that Muslin makes.
//!
//! In the tree of its last failure, if there is one; else in a fresh one that goes when the shell
//! ends.

use std::path::PathBuf;
use std::process::ExitStatus;

use anyhow::Result;

use crate::build;
use crate::cli::{self, Global};
use crate::exit::{Exit, Failure};
use crate::layout::TempFolder;
use crate::links::unknown;
use crate::plan::{Goal, Plan, Step, Work};
use crate::recipe::Toolchain;
use crate::session::{Access, SHELL, Session};
use crate::{process, report};

impl cli::Shell {
    /// Runs the shell or the command; its end becomes ours.
    pub fn run(self, global: Global) -> Result<ExitStatus> {
        let session = Session::open(global, Access::Write)?;
        let target = session.one_target(&self.platform, "a step is that of")?;
        let recipes = &session.recipes;
        let mut libraries = Vec::new();
        // A step that only compiles has no shell of its own: one is lent.
        let mut tools = if self.command.is_empty() { vec![SHELL.to_owned()] } else { Vec::new() };
        let stages = |it: &Toolchain| {
            let parts = it.making.iter().flat_map(|making| &making.parts);
            parts.map(|part| format!("{}-{}", it.name, part.stage.name())).collect::<Vec<_>>()
        };
        let mut toolchains = recipes.toolchains.values();
        let of_toolchain = toolchains.find(|it| stages(it).contains(&self.step));
        if recipes.libraries.contains_key(&self.step) {
            libraries.push(self.step.clone());
        } else if recipes.tools.contains_key(&self.step) {
            tools.push(self.step.clone());
        } else if of_toolchain.is_none() {
            let message = format!("there is no step `{}` that could be entered", self.step);
            let stages: Vec<_> = recipes.toolchains.values().flat_map(stages).collect();
            let names = recipes.libraries.keys().chain(recipes.tools.keys()).chain(&stages);
            return Err(unknown(message, &self.step, names).into());
        }
        let toolchain = of_toolchain.map(|it| it.name.as_str());
        let toolchain = self.platform.toolchain.as_deref().or(toolchain);
        let goal = Goal { libraries: &libraries, tools: &tools, ..Goal::default() };
        let plan = session.settle(toolchain, &target, goal)?;
        let step = found(&plan, &self.step)?;
        build::make_before(&session, &plan, step)?;
        let (folder, _temp) = tree(&session, &plan, step)?;
        let room = build::enter_room(&session, &plan, step, &folder)?;
        let mut command = match &self.command[..] {
            [] => room.command("sh"),
            [program, arguments @ ..] => {
                let mut command = room.command(program);
                command.args(arguments);
                command
            }
        };
        if self.command.is_empty() {
            command.env("PS1", format!("{}:\\w$ ", self.step));
        }
        process::run_foreground(&mut room.enter(&command)?)
    }
}

/// The folder to enter; the second value keeps a fresh one until it is dropped.
fn tree(session: &Session, plan: &Plan, step: &Step) -> Result<(PathBuf, Option<TempFolder>)> {
    let failed = session.store.failed(&session.entry(step));
    if failed.join("source").is_dir() {
        report::status("Entering", format!("{} as it failed: {}", step.name, failed.display()));
        return Ok((failed, None));
    }
    let temp = session.store.temp(&step.name)?;
    build::fill_room(session, plan, step, temp.path())?;
    let what = format!("{} {}, unpacked; it goes when you leave", step.name, step.version);
    report::status("Entering", what);
    Ok((temp.path().to_owned(), Some(temp)))
}

/// The step of this name; where there are two, that for the plan's target.
fn found<'p>(plan: &'p Plan, name: &str) -> Result<&'p Step> {
    let is_it = |step: &&Step| {
        step.name == name && matches!(step.work, Work::Library(_) | Work::Tool(_) | Work::Part(..))
    };
    let mut steps: Vec<&Step> = plan.steps.iter().filter(is_it).collect();
    steps.sort_by_key(|step| step.target.triple != plan.target.triple);
    let Some(step) = steps.first() else {
        let message = format!("there is no step `{name}` in this plan");
        let help = "`cargo xtask plan` with the same options shows its steps";
        return Err(Failure::new(Exit::Usage, message).help(help).into());
    };
    Ok(step)
}
