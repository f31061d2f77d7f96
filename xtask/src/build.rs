//! Steps → entries in the store.
//!
//! Independent steps run side by side, all of them within one number of jobs: each holds one token
//! of a GNU jobserver, and make and the compilers take the rest. What a step made is published by
//! rename, so an interrupted run leaves nothing but work done; the next one carries on.

mod bench;
mod compile;
mod configure;
mod outputs;
mod schedule;
mod steps;
mod tool;
mod tools;

use std::time::Duration;

use anyhow::{Context as _, Result};
use jobserver::Client;

use crate::plan::{Plan, Step};
use crate::report;
use crate::session::Session;

pub use outputs::compose;

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
    let tokens = Client::new(session.jobs()).context("cannot make a jobserver")?;
    for (index, duration) in schedule::run(plan, &stale, &|step| {
        let _token = tokens.acquire().context("cannot get a job token")?;
        steps::make(session, plan, step, &tokens)
    })? {
        report_step(&plan.steps[index], "built", Some(duration));
        made[index] = Made::Built(duration);
    }
    Ok(made)
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
