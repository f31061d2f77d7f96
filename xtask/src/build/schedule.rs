//! Runs steps as soon as those before them are done. Knows nothing of what a step does.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};

use crate::plan::{Plan, Step};
use crate::{process, report};

#[derive(Default)]
struct State {
    done: BTreeSet<usize>,
    running: BTreeSet<usize>,
    times: Vec<(usize, Duration)>,
    failure: Option<Error>,
}

/// Runs `work` for each of the `stale` steps, dependencies first, as many at once as there are;
/// `work` itself waits for a job token. After a failure nothing new is started, what runs is waited
/// for (its result is kept), and the first failure is the error.
pub fn run(
    plan: &Plan,
    stale: &BTreeSet<usize>,
    work: &(dyn Fn(&Step) -> Result<()> + Sync),
) -> Result<Vec<(usize, Duration)>> {
    let state = Mutex::new(State::default());
    let change = Condvar::new();
    let locked = || state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    std::thread::scope(|scope| {
        for &index in stale {
            let (change, locked) = (&change, &locked);
            scope.spawn(move || {
                let step = &plan.steps[index];
                let waits_for: Vec<usize> =
                    step.dependencies.iter().copied().filter(|d| stale.contains(d)).collect();
                let mut now = locked();
                while now.failure.is_none() && !waits_for.iter().all(|d| now.done.contains(d)) {
                    now = change.wait(now).unwrap_or_else(|poisoned| poisoned.into_inner());
                }
                if now.failure.is_some() {
                    return;
                }
                now.running.insert(index);
                drop(now);
                let begin = Instant::now();
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(step)))
                    .unwrap_or_else(|_| Err(anyhow!("the step {} panicked", step.name)));
                let mut now = locked();
                now.running.remove(&index);
                match result {
                    Ok(()) => {
                        now.done.insert(index);
                        now.times.push((index, begin.elapsed()));
                    }
                    Err(error) => fail(&mut now, plan, step, error),
                }
                change.notify_all();
            });
        }
    });
    let state = state.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    match state.failure {
        Some(error) => Err(error),
        None => Ok(state.times),
    }
}

fn fail(now: &mut State, plan: &Plan, step: &Step, error: Error) {
    if !now.running.is_empty() && !process::is_interrupted() {
        let others: Vec<_> =
            now.running.iter().map(|index| plan.steps[*index].name.as_str()).collect();
        report::warning(format!("{} failed; waiting for {}", step.name, others.join(", ")));
    }
    now.failure.get_or_insert(error);
}
