//! The documented exit codes, and the error that carries one.
//!
//! Everything else in the xtask returns `anyhow::Result`; whoever knows that a failure is of one of
//! these kinds says so with [`Failure`], and `main` finds it in the chain.

use std::fmt;

/// What the process tells its caller. The numbers are an interface: never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All done.
    Done = 0,
    /// Something went wrong that has no code of its own.
    Failed = 1,
    /// The command line, or a file of the app, makes no sense.
    Usage = 2,
    /// A recipe has mistakes.
    RecipeInvalid = 3,
    /// Bytes are not those that were pinned.
    VerificationFailed = 4,
    /// A finished program failed a check.
    CheckFailed = 5,
    /// `--offline`, and something is missing.
    Offline = 6,
}

/// An error with an [`Exit`] code and, where there is one, the next thing to do.
#[derive(Debug)]
pub struct Failure {
    /// The code that the process ends with.
    pub exit: Exit,
    /// What happened, to what, where: one sentence without a full stop, or several lines.
    pub message: String,
    /// What to do about it: each becomes a `help:` line.
    pub help: Vec<String>,
}

impl Failure {
    /// A failure without advice.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), help: Vec::new() }
    }

    /// The same with one more `help:` line.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// The first failure in an error's chain.
    pub fn find(error: &anyhow::Error) -> Option<&Self> {
        error.chain().find_map(|cause| cause.downcast_ref::<Self>())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
