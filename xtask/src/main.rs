//! Reads the command line, runs the command, and turns what came of it into an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use xtask::cli::Cli;
use xtask::{commands, layout, process, report, sandbox};

fn main() -> ExitCode {
    if let Some(end) = sandbox::requested() {
        return end;
    }
    process::set_umask();
    let cli = Cli::parse();
    cli.global.apply_to_report();
    let result = process::handle_signals(layout::clean_up).and_then(|()| commands::run(cli));
    match result {
        Ok(code) => code,
        Err(_) if process::is_interrupted() => process::await_signal(),
        Err(error) => ExitCode::from(report::error(&error) as u8),
    }
}
