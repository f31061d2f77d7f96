//! Another date for the programs of a build, which `verify` asks for and nobody else.
//!
//! Muslin's own tools are static and read [`CLOCK_OFFSET`]; cargo, rustc, build scripts and the
//! machine's tools are shown the date by a small library. Nothing of it is there in a build without.

use super::env_var;

/// The variable with the number of seconds by which the clock is ahead.
pub const CLOCK_OFFSET: &str = "MUSLIN_CLOCK_OFFSET";

/// The variable with the path of that library.
pub const CLOCK_LIBRARY: &str = "MUSLIN_CLOCK_LIBRARY";

/// What the programs of a build must be told for that: nothing, unless we are.
pub fn clock_variables() -> Vec<(&'static str, String)> {
    match (env_var(CLOCK_OFFSET), env_var(CLOCK_LIBRARY)) {
        (Some(seconds), Some(library)) => clock_of(&seconds, &library),
        (Some(seconds), None) => vec![(CLOCK_OFFSET, seconds)],
        (None, _) => Vec::new(),
    }
}

/// The variables for an offset and a library.
pub fn clock_of(seconds: &str, library: &str) -> Vec<(&'static str, String)> {
    vec![
        (CLOCK_OFFSET, seconds.to_owned()),
        (CLOCK_LIBRARY, library.to_owned()),
        ("LD_PRELOAD", library.to_owned()),
    ]
}
