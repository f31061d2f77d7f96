//! Runs steps as soon as those before them are done. Knows nothing of what a step does.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};

use crate::plan::{Plan, Step};
use crate::{process, report};

/// A step that is to be made.
pub struct Job<'a> {
    /// A plan that it is of.
    pub plan: &'a Plan,
    /// The step.
    pub step: &'a Step,
    /// Jobs that must be done before, by index.
    pub waits_for: Vec<usize>,
}

/// What became of a job.
#[derive(Debug)]
pub enum End {
    /// It was done, in this time.
    Done(Duration),
    /// It failed.
    Failed(Error),
    /// It was not begun, because another had failed.
    Dropped,
}

/// What is done after a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing new is begun.
    Stop,
    /// All that needs not what failed.
    GoOn,
}

struct State {
    ends: Vec<Option<End>>,
    running: BTreeSet<usize>,
    has_failed: bool,
}

impl State {
    /// Whether a job has to wait, and if not, whether it is to be begun.
    fn turn(&self, job: &Job<'_>, after: After) -> Option<bool> {
        if process::is_interrupted() || (self.has_failed && after == After::Stop) {
            return Some(false);
        }
        let mut is_ready = true;
        for index in &job.waits_for {
            match self.ends[*index] {
                Some(End::Done(_)) => {}
                Some(_) => return Some(false),
                None => is_ready = false,
            }
        }
        is_ready.then_some(true)
    }
}

/// Runs `work` for each job, those that it waits for first, as many at once as there are; `work`
/// itself waits for a job token. What runs when another fails is waited for: its result is kept.
pub fn run(
    jobs: &[Job<'_>],
    after: After,
    work: &(dyn Fn(&Job<'_>) -> Result<()> + Sync),
) -> Vec<End> {
    let ends = jobs.iter().map(|_| None).collect();
    let state = Mutex::new(State { ends, running: BTreeSet::new(), has_failed: false });
    let change = Condvar::new();
    let locked = || state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    std::thread::scope(|scope| {
        for (index, job) in jobs.iter().enumerate() {
            let (change, locked) = (&change, &locked);
            scope.spawn(move || {
                let mut now = locked();
                let is_begun = loop {
                    match now.turn(job, after) {
                        Some(is_begun) => break is_begun,
                        None => {
                            now = change.wait(now).unwrap_or_else(|poisoned| poisoned.into_inner());
                        }
                    }
                };
                if is_begun {
                    now.running.insert(index);
                    drop(now);
                    let begin = Instant::now();
                    let result = caught(work, job);
                    now = locked();
                    now.running.remove(&index);
                    now.ends[index] = Some(match result {
                        Ok(()) => End::Done(begin.elapsed()),
                        Err(error) => {
                            tell(&now, jobs, job.step, after);
                            now.has_failed = true;
                            End::Failed(error)
                        }
                    });
                } else {
                    now.ends[index] = Some(End::Dropped);
                }
                change.notify_all();
            });
        }
    });
    let state = state.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    state.ends.into_iter().map(|end| end.unwrap_or(End::Dropped)).collect()
}

fn caught(work: &(dyn Fn(&Job<'_>) -> Result<()> + Sync), job: &Job<'_>) -> Result<()> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(job)))
        .unwrap_or_else(|_| Err(anyhow!("the step {} panicked", job.step.name)))
}

/// Says what a failure waits for.
fn tell(now: &State, jobs: &[Job<'_>], step: &Step, after: After) {
    if after == After::GoOn || now.running.is_empty() || process::is_interrupted() {
        return;
    }
    let others: Vec<_> = now.running.iter().map(|it| jobs[*it].step.name.as_str()).collect();
    report::warning(format!("{} failed; waiting for {}", step.name, others.join(", ")));
}
