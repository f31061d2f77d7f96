//! Reads the command line, runs the command, and turns what came of it into an exit code.

use clap::Parser as _;
use std::process::ExitCode;
use xtask::cli::{Cli, Command};
use xtask::{layout, process, report, sandbox};

fn main() -> ExitCode {
    if let Some(end) = sandbox::requested() {
        return end;
    }
    process::set_umask();
    let cli = Cli::parse();
    cli.global.apply_to_report();
    let result = process::handle_signals(layout::clean_up).and_then(|()| run(cli));
    match result {
        Ok(code) => code,
        Err(_) if process::is_interrupted() => process::await_signal(),
        Err(error) => ExitCode::from(report::error(&error) as u8),
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Dist(command) => command.run(cli.global)?,
        Command::Sysroot(command) => command.run(cli.global)?,
        Command::Fetch(command) => command.run(cli.global)?,
        Command::Plan(command) => command.run(cli.global)?,
        Command::Env(command) => command.run(cli.global)?,
        Command::Exec(command) => return command.run(cli.global).map(process::exit_code),
        Command::Shell(command) => return command.run(cli.global).map(process::exit_code),
        Command::Check(command) => command.run(cli.global)?,
        Command::Verify(command) => command.run(cli.global)?,
        Command::Bundle(command) => command.run(cli.global)?,
        Command::Unbundle(command) => command.run(cli.global)?,
        Command::Store(command) => command.run(cli.global)?,
        Command::Test(command) => return command.run(cli.global).map(process::exit_code),
    }
    Ok(ExitCode::SUCCESS)
}
