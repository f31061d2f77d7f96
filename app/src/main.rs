//! The `certwatch` program; everything is in the library, where tests can reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    certwatch::cli::run()
}
