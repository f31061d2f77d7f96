//! `cargo xtask test`: the one command that runs all of Muslin's own tests.
//!
//! It sets up what they need: the sample app's libraries and, where apt and root are there, the
//! programs that some tests call. Elsewhere those tests say what they skipped.

use std::process::ExitStatus;

use anyhow::Result;
use xshell::cmd;

use crate::build;
use crate::cli::{self, DEFAULT_TARGET, Global};
use crate::environment::Environment;
use crate::process;
use crate::report;
use crate::session::{Access, Session};

/// Programs that tests call, and the Debian packages that bring them.
const PROGRAMS: [(&str, &str); 11] = [
    ("make", "make"),
    ("pkg-config", "pkg-config"),
    ("xz", "xz-utils"),
    ("openssl", "openssl"),
    ("mount", "mount"),
    ("disorderfs", "disorderfs"),
    ("docker-registry", "docker-registry"),
    ("skopeo", "skopeo"),
    ("ssh-keygen", "openssh-client"),
    ("jsonschema", "python3-jsonschema"),
    ("qemu-x86_64-static", "qemu-user-static"),
];

/// The same for the slow tests.
const SLOW_PROGRAMS: [(&str, &str); 6] = [
    ("debootstrap", "debootstrap"),
    ("git", "git"),
    ("script", "bsdutils"),
    ("podman", "podman"),
    ("runc", "runc"),
    ("qemu-system-x86_64", "qemu-system-x86"),
];

impl cli::Test {
    /// Runs the tests of the xtask, then those of the sample app on the musl target.
    pub fn run(self, global: Global) -> Result<ExitStatus> {
        let session = Session::open(global, Access::Write)?;
        install_programs(self.all)?;
        let target = session.target(DEFAULT_TARGET)?;
        let project = session.project(&cli::Package::default(), DEFAULT_TARGET)?;
        let plan = session.settle_project(&project, &cli::Platform::default(), &target)?;
        build::make(&session, &plan)?;
        let environment = Environment::new(&session, &plan, &project)?;
        session.keep_root(&project, &plan, &environment.derived);

        report::status("Testing", "the xtask");
        let mut command = project.rust.cargo();
        command.current_dir(&session.workspace).args(["test", "--package", "xtask"]);
        command.env("MUSLIN_TEST_ALL", "1").env("MUSLIN_STORE", session.store.root());
        if self.all {
            // After an hour it is of use to know all that fails.
            command.arg("--no-fail-fast").env("MUSLIN_TEST_SLOW", "1");
        }
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

/// Installs what is missing of [`PROGRAMS`], where apt is there and we are root.
fn install_programs(all: bool) -> Result<()> {
    let is_missing = |(program, _): &&(&str, &str)| process::find_program(program).is_none();
    let slow = SLOW_PROGRAMS.iter().filter(|_| all);
    let missing = PROGRAMS.iter().chain(slow).filter(is_missing);
    let packages: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(", ");
    if !rustix::process::geteuid().is_root() || process::find_program("apt-get").is_none() {
        report::warning(format!("not here, so some tests are skipped: {list}"));
        return Ok(());
    }
    report::status("Installing", &list);
    let shell = process::shell()?;
    process::capture_ok(&mut cmd!(shell, "apt-get update -qq").into())?;
    let install = cmd!(shell, "apt-get install -qq --no-install-recommends {packages...}");
    process::capture_ok(&mut install.env("DEBIAN_FRONTEND", "noninteractive").into())?;
    Ok(())
}
