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

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jobserver::Client;

use crate::plan::{Plan, Step};
use crate::report;
use crate::session::Session;

use schedule::{After, End, Job};

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
    make_all(session, &[plan])?.pop().context("no plan was followed")?
}

/// The same for several plans at once: a step that is in more of them is made once. What fails in one
/// of them keeps no other from being followed.
pub fn make_all(session: &Session, plans: &[&Plan]) -> Result<Vec<Result<Vec<Made>>>> {
    let stale: Vec<BTreeSet<usize>> =
        plans.iter().map(|plan| plan.stale(&|step| session.entry(step).exists())).collect();
    for (plan, stale) in plans.iter().zip(&stale) {
        for (_, step) in plan.steps.iter().enumerate().filter(|it| !stale.contains(&it.0)) {
            // A tool that no stale library calls may be missing.
            let is_there = session.entry(step).exists();
            if is_there {
                report::detail("Fresh", format!("{} {}", step.name, step.version));
            }
            report_step(plan, step, if is_there { "fresh" } else { "unneeded" }, None);
        }
    }
    if stale.iter().all(BTreeSet::is_empty) {
        return Ok(plans.iter().map(|plan| Ok(vec![Made::Fresh; plan.steps.len()])).collect());
    }
    // Said, or refused, before any work.
    session.sandbox()?;
    make_steps(session, plans, &stale)
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
    let made = make_steps(session, &[plan], &[wanted])?;
    made.into_iter().try_for_each(|made| made.map(drop))
}

/// Makes the stale steps of each plan; returns what became of all steps.
fn make_steps(
    session: &Session,
    plans: &[&Plan],
    stale: &[BTreeSet<usize>],
) -> Result<Vec<Result<Vec<Made>>>> {
    let tokens = Client::new(session.jobs()).context("cannot make a jobserver")?;
    let (jobs, places) = jobs(plans, stale);
    let after = if plans.len() > 1 { After::GoOn } else { After::Stop };
    let ends = schedule::run(&jobs, after, &|job| {
        let _token = tokens.acquire().context("cannot get a job token")?;
        steps::make(session, job.plan, job.step, &tokens)
    });
    for (job, end) in jobs.iter().zip(&ends) {
        if let End::Done(duration) = end {
            report_step(job.plan, job.step, "built", Some(*duration));
        }
    }
    let mut ends: Vec<Option<End>> = ends.into_iter().map(Some).collect();
    let result = |(plan, stale): (&&Plan, &BTreeSet<usize>)| {
        let mut made = vec![Made::Fresh; plan.steps.len()];
        let (mut failure, mut culprit) = (None, None);
        for index in stale {
            let step = &plan.steps[*index];
            let end = &mut ends[places[step.fingerprint.as_str()]];
            match end {
                Some(End::Done(duration)) => made[*index] = Made::Built(*duration),
                Some(End::Dropped) => culprit = culprit.or(Some(step)),
                // An error is told once, though other plans may have the step, too.
                Some(End::Failed(_)) => {
                    if let Some(End::Failed(error)) = end.take() {
                        failure = failure.or(Some(error));
                    }
                }
                None => culprit = Some(step),
            }
        }
        match (failure, culprit) {
            (Some(error), _) => Err(error),
            (None, Some(step)) => Err(anyhow::anyhow!("{} could not be built", step.name)),
            (None, None) => Ok(made),
        }
    };
    Ok(plans.iter().zip(stale).map(result).collect())
}

/// The stale steps of all plans, each once; and by fingerprint which job each is.
fn jobs<'p>(
    plans: &[&'p Plan],
    stale: &[BTreeSet<usize>],
) -> (Vec<Job<'p>>, BTreeMap<&'p str, usize>) {
    let (mut jobs, mut places) = (Vec::new(), BTreeMap::new());
    for (plan, stale) in plans.iter().zip(stale) {
        // Steps stand behind those that they wait for.
        for index in stale {
            let step = &plan.steps[*index];
            if places.contains_key(step.fingerprint.as_str()) {
                continue;
            }
            let waits_for = step.dependencies.iter().filter(|before| stale.contains(before));
            let place = |before: &usize| places[plan.steps[*before].fingerprint.as_str()];
            let waits_for = waits_for.map(place).collect();
            places.insert(step.fingerprint.as_str(), jobs.len());
            jobs.push(Job { plan, step, waits_for });
        }
    }
    (jobs, places)
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

fn report_step(plan: &Plan, step: &Step, state: &str, duration: Option<Duration>) {
    report::event(
        "step",
        serde_json::json!({
            "target": plan.target.triple,
            "step": step.name,
            "version": step.version,
            "fingerprint": step.fingerprint,
            "state": state,
            "seconds": duration.map(|duration| duration.as_secs_f64()),
        }),
    );
}
