//! `cargo xtask run`: the program that `dist` would pack, started.

use std::process::ExitStatus;

use anyhow::{Context as _, Result};

use crate::cli::{self, Global};
use crate::emulator::{Emulator, Fit, HOW_TO_GET};
use crate::exit::{Exit, Failure};
use crate::links::{Package, unknown};
use crate::process;
use crate::report;
use crate::session::{Access, Session};

impl cli::Run {
    /// Builds, checks and runs; the program's end becomes ours.
    pub fn run(self, global: Global) -> Result<ExitStatus> {
        let session = Session::open(global, Access::Write)?;
        session.expect_sandbox();
        let target = session.one_target(&self.platform, "a program is for")?;
        let target = target.for_profile(&self.profile);
        // Before anything is built for a program that could not be run then.
        let emulator = match Fit::of(target.machine) {
            Fit::Yes | Fit::Perhaps => None,
            Fit::No => Some(Emulator::find(&target.emulator).map_err(|missing| {
                let message =
                    format!("programs for {} run here only in QEMU: {missing}", target.triple);
                Failure::new(Exit::Failed, message).help(HOW_TO_GET)
            })?),
        };
        let project = session.project(&self.package, &target.triple)?;
        let bin = chosen(&project.package, self.bin.as_deref())?;
        let order = cli::Dist {
            package: self.package,
            platform: self.platform,
            bin: vec![bin.clone()],
            profile: self.profile,
            out_dir: None,
            only: vec![cli::Product::Programs],
            sign: None,
        };
        let made = order.make(&session, &target)?;
        let (program, checked) =
            made.programs.iter().find(|(program, _)| program.name == bin).context("no program")?;
        let path = checked.path();
        let (mut command, by) = match &emulator {
            Some(emulator) => (emulator.command(path), format!(" ({emulator})")),
            None => (process::command(path), String::new()),
        };
        report::status("Running", format!("{}{by}", program.name));
        process::run_foreground(command.args(&self.args))
    }
}

/// The binary that is meant: as for `cargo run`, the named one, the package's own choice, or the only
/// one.
fn chosen(package: &Package, named: Option<&str>) -> Result<String> {
    let names: Vec<&String> = package.binaries().map(|target| &target.name).collect();
    let message = |name: &str| format!("package `{}` has no binary `{name}`", package.name);
    match (named.or(package.default_run.as_deref()), &names[..]) {
        (Some(name), _) if names.iter().any(|known| *known == name) => Ok(name.to_owned()),
        (Some(name), _) => Err(unknown(message(name), name, names.into_iter()).into()),
        (None, [only]) => Ok((*only).clone()),
        (None, []) => {
            Err(Failure::new(Exit::Usage, format!("package `{}` has no binary", package.name))
                .into())
        }
        (None, _) => {
            let list: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            let message = format!("package `{}` has several binaries: which one?", package.name);
            let help = format!("`--bin` with one of {}", list.join(", "));
            Err(Failure::new(Exit::Usage, message).help(help).into())
        }
    }
}
