//! Which command runs: each stands in the file of its stage.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{Cli, Command};
use crate::process;

/// Runs the command; what it returns is the program's exit code.
pub fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Dist(command) => command.run(cli.global)?,
        Command::Sysroot(command) => command.run(cli.global)?,
        Command::Fetch(command) => command.run(cli.global)?,
        Command::Plan(command) => command.run(cli.global)?,
        Command::Env(command) => command.run(cli.global)?,
        Command::Exec(command) => return command.run(cli.global).map(process::exit_code),
        Command::Run(command) => return command.run(cli.global).map(process::exit_code),
        Command::Shell(command) => return command.run(cli.global).map(process::exit_code),
        Command::Image(command) => command.run(cli.global)?,
        Command::Check(command) => command.run(cli.global)?,
        Command::Sbom(command) => command.run(cli.global)?,
        Command::Size(command) => command.run(cli.global)?,
        Command::Bundle(command) => command.run(cli.global)?,
        Command::Unbundle(command) => command.run(cli.global)?,
        Command::Recipe(command) => command.run(cli.global)?,
        Command::Toolchain(command) => command.run(cli.global)?,
        Command::Store(command) => command.run(cli.global)?,
        Command::Verify(command) => command.run(cli.global)?,
        Command::Test(command) => return command.run(cli.global).map(process::exit_code),
    }
    Ok(ExitCode::SUCCESS)
}
