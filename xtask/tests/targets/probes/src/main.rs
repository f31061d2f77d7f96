//! Prints what a target's C library, compiler and standard library do; exit code 1 if some of it is
//! wrong.

mod probes;

fn main() -> std::process::ExitCode {
    probes::run()
}
