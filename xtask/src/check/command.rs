//! `cargo xtask check`: the checks of `dist` on files of any origin.

use anyhow::{Result, bail};

use super::baseline::Baseline;
use super::{
    Expectation, Linking, RunPolicy, TIME_LIMIT, examine, fixed_times, forbidden_of_this_machine,
    kernel, oldest_cpu, provenance, table,
};
use crate::cli::{self, Global};
use crate::exit::{Exit, Failure};
use crate::session::{Access, Session};
use crate::target::Machine;
use crate::{process, report};

impl cli::Check {
    /// Checks files of any origin; all are looked at before the first failure is the error.
    pub fn run(self, global: Global) -> Result<()> {
        if let Some(file) = &self.provenance {
            return provenance::run(&self, file);
        }
        if let Some(version) = &self.kernel {
            return self.run_on(version);
        }
        let session = Session::open(global, Access::Write)?;
        let scratch = session.store.temp("check")?;
        let run = RunPolicy::EmptyRoot { scratch: scratch.path().to_owned(), limit: TIME_LIMIT };
        let expectation = self.expectation(&session, run)?;
        let (mut failed, mut unread) = (Vec::new(), Vec::new());
        for (index, file) in self.files.iter().enumerate() {
            let checkup = match examine(file, &expectation) {
                Ok(checkup) => checkup,
                Err(error) if self.files.len() == 1 => return Err(error),
                Err(error) => {
                    report::warning(format!("{error:#}"));
                    unread.push(file.display().to_string());
                    continue;
                }
            };
            let gap = if index > 0 { "\n" } else { "" };
            report::data(format!("{gap}{}", table(&checkup).trim_end()));
            report::event("checkup", serde_json::to_value(&checkup)?);
            if checkup.into_checked().is_err() {
                failed.push(file.display().to_string());
            }
        }
        if failed.is_empty() && !unread.is_empty() {
            bail!("cannot be read: {}", unread.join(", "));
        }
        if failed.is_empty() {
            return Ok(());
        }
        let message = format!("not static and portable: {}", failed.join(", "));
        Err(Failure::new(Exit::CheckFailed, message).into())
    }

    /// Runs a program as an older Linux would let it run.
    fn run_on(&self, version: &str) -> Result<()> {
        let version: kernel::Version =
            version.parse().map_err(|error: String| Failure::new(Exit::Usage, error))?;
        let [file] = &self.files[..] else {
            return Err(Failure::new(Exit::Usage, "`--kernel` runs one program").into());
        };
        let status = kernel::run(version, file, &self.arguments)?;
        let refused = kernel::missing(version).count();
        let event = serde_json::json!({ "path": file, "kernel": version.to_string(),
            "exit_code": status.code(), "calls_refused": refused });
        report::event("kernel", event);
        let words =
            format!("{} without the calls that Linux {version} does not have", file.display());
        if !status.success() {
            let message = format!("{words} {}", process::describe_status(status));
            return Err(Failure::new(Exit::CheckFailed, message).into());
        }
        report::status("Ran", words);
        Ok(())
    }

    fn expectation(&self, session: &Session, run: RunPolicy) -> Result<Expectation> {
        let target = self.target.as_deref().map(|triple| session.target(triple)).transpose()?;
        let no_target = || "only `--target` says what that is".to_owned();
        let linking = match &target {
            Some(target) => Linking::of(target),
            None => Linking::Unknown { fixed: fixed(session) },
        };
        Ok(Expectation {
            oldest_cpu: target.as_ref().ok_or_else(no_target).and_then(oldest_cpu),
            machine: target.as_ref().map(|target| target.machine),
            float_abi: target.as_ref().map(|target| target.float_abi),
            baseline: target.as_ref().map(Baseline::of),
            linking,
            fixed_times: fixed_times(),
            forbidden: forbidden_of_this_machine(&[
                ("the store", session.store.root().to_owned()),
                ("the workspace", session.workspace.clone()),
            ]),
            run,
            memory: None,
        })
    }
}

/// The machines for which rustc makes no static program that is position-independent.
fn fixed(session: &Session) -> Vec<Machine> {
    let targets = || session.recipes.targets.values();
    let can = |machine| targets().any(|it| it.machine == machine && it.static_pie);
    targets().map(|it| it.machine).filter(|machine| !can(*machine)).collect()
}
