//! Steps → entries in the store.
//!
//! Independent steps run side by side, all of them within one number of jobs: each holds one token
//! of a GNU jobserver, and make and the compilers take the rest. What a step made is published by
//! rename, so an interrupted run leaves nothing but work done; the next one carries on.

mod bench;
mod cmake;
mod compile;
mod compilers;
mod configure;
mod gcc;
mod install;
mod outputs;
mod prebuilt;
mod room;
mod schedule;
mod steps;
mod tool;
mod tools;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jobserver::Client;

use crate::plan::{Plan, Step};
use crate::report;
use crate::session::Session;

pub use outputs::compose;
pub use room::Room;

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was there.
    Fresh,
    /// It was made, in this time.
    Built(Duration),
}

/// Makes every step of a plan that is not in the store. Returns what became of each, in the plan's
/// order; steps that nothing needed are fresh.
pub fn make(session: &Session, plan: &Plan) -> Result<Vec<Made>> {
    let stale = plan.stale(&|step| session.entry(step).exists());
    for (index, step) in plan.steps.iter().enumerate() {
        if !stale.contains(&index) {
            // A tool that no stale library calls may be missing.
            let is_there = session.entry(step).exists();
            if is_there {
                report::detail("Fresh", format!("{} {}", step.name, step.version));
            }
            report_step(step, if is_there { "fresh" } else { "unneeded" }, None);
        }
    }
    let mut made = vec![Made::Fresh; plan.steps.len()];
    if stale.is_empty() {
        return Ok(made);
    }
    // Said, or refused, before any work.
    session.sandbox()?;
    for (index, duration) in make_steps(session, plan, &stale)? {
        report_step(&plan.steps[index], "built", Some(duration));
        made[index] = Made::Built(duration);
    }
    Ok(made)
}

/// Makes the steps before this one that are not in the store.
pub fn make_before(session: &Session, plan: &Plan, step: &Step) -> Result<()> {
    let mut wanted = BTreeSet::new();
    let mut open: Vec<usize> = plan.before(step).collect();
    while let Some(index) = open.pop() {
        if !session.entry(&plan.steps[index]).exists() && wanted.insert(index) {
            open.extend(&plan.steps[index].dependencies);
        }
    }
    make_steps(session, plan, &wanted).map(drop)
}

fn make_steps(
    session: &Session,
    plan: &Plan,
    stale: &BTreeSet<usize>,
) -> Result<Vec<(usize, Duration)>> {
    let tokens = Client::new(session.jobs()).context("cannot make a jobserver")?;
    schedule::run(plan, stale, &|step| {
        let _token = tokens.acquire().context("cannot get a job token")?;
        steps::make(session, plan, step, &tokens)
    })
}

/// The room of a library's step, with the terminal, to be entered by hand in this folder.
pub fn enter_room<'a>(
    session: &'a Session,
    plan: &Plan,
    step: &Step,
    folder: &Path,
) -> Result<Room<'a>> {
    let mut room = Room::new(session, plan, step, folder)?;
    room.keep_terminal();
    plan.tools().for_each(|tool| room.lend(session, tool));
    room.folders.make()?;
    Ok(room)
}

/// Fills an empty folder with all that a library's step starts from.
pub fn fill_room(session: &Session, plan: &Plan, step: &Step, folder: &Path) -> Result<()> {
    let room = Room::new(session, plan, step, folder)?;
    room.folders.make()?;
    steps::fill(session, plan, step, &room)
}

fn report_step(step: &Step, state: &str, duration: Option<Duration>) {
    report::event(
        "step",
        serde_json::json!({
            "step": step.name,
            "version": step.version,
            "fingerprint": step.fingerprint,
            "state": state,
            "seconds": duration.map(|duration| duration.as_secs_f64()),
        }),
    );
}
