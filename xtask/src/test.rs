//! `cargo xtask test`: the one command that runs all of Muslin's own tests.
//!
//! It sets up what they need: the sample app's sysroot and programs, and, where apt and root are
//! there, the programs that some tests call.

use std::process::ExitStatus;

use anyhow::Result;

use crate::build;
use crate::cli::{self, DEFAULT_TARGET, Global};
use crate::environment::Environment;
use crate::process;
use crate::report;
use crate::session::{Access, Session};

impl cli::Test {
    /// Runs the tests of the xtask, then those of the sample app on the musl target.
    pub fn run(self, global: Global) -> Result<ExitStatus> {
        let session = Session::open(global, Access::Write)?;
        let target = session.target(DEFAULT_TARGET)?;
        let project = session.project(&cli::Package::default(), DEFAULT_TARGET)?;
        let plan = session.settle_project(&project, &cli::Platform::default(), &target)?;
        build::make(&session, &plan)?;
        let environment = Environment::new(&session, &plan, &project.rust)?;

        report::status("Testing", "the xtask");
        let mut command = project.rust.cargo();
        command.current_dir(&session.workspace).args(["test", "--package", "xtask"]);
        command.env("MUSLIN_TEST_ALL", "1").env("MUSLIN_STORE", session.store.root());
        command.arg("--").args(&self.args);
        let status = process::run_foreground(&mut command)?;
        if !status.success() {
            return Ok(status);
        }

        report::status("Testing", format!("{} on {DEFAULT_TARGET}", project.package.name));
        let mut command = project.rust.cargo();
        command
            .current_dir(&session.workspace)
            .envs(&environment.variables)
            .args(["test", "--package", &project.package.name, "--target", DEFAULT_TARGET])
            .args(environment.cargo_arguments())
            .arg("--")
            .args(&self.args);
        process::run_foreground(&mut command)
    }
}
