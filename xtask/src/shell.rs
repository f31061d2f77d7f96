//! `cargo xtask shell STEP`: enters the sandbox of a library's step by hand, as the step has it.
//!
//! In the tree of its last failure, if there is one; else in a fresh one that goes when the shell
//! ends.

use std::path::PathBuf;
use std::process::ExitStatus;

use anyhow::{Context as _, Result};

use crate::build;
use crate::cli::{self, Global};
use crate::layout::TempFolder;
use crate::links::unknown;
use crate::plan::{Goal, Plan, Step};
use crate::session::{Access, SHELL, Session};
use crate::{process, report};

impl cli::Shell {
    /// Runs the shell or the command; its end becomes ours.
    pub fn run(self, global: Global) -> Result<ExitStatus> {
        let session = Session::open(global, Access::Write)?;
        let target = session.one_target(&self.platform, "a step is that of")?;
        let recipes = &session.recipes.libraries;
        if !recipes.contains_key(&self.step) {
            let message =
                format!("there is no library `{}`, whose step could be entered", self.step);
            return Err(unknown(message, &self.step, recipes.keys()).into());
        }
        let libraries = [self.step.clone()];
        // A step that only compiles has no shell of its own: one is lent.
        let tools = if self.command.is_empty() { vec![SHELL.to_owned()] } else { Vec::new() };
        let goal = Goal { libraries: &libraries, tools: &tools, ..Goal::default() };
        let plan = session.settle(self.platform.toolchain.as_deref(), &target, goal)?;
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

fn found<'p>(plan: &'p Plan, name: &str) -> Result<&'p Step> {
    let mut libraries = plan.libraries().map(|(step, _)| step);
    libraries.find(|step| step.name == name).context("a plan without the step that was asked for")
}
