//! A program that runs beside us until we are done with it.

use std::io;
use std::process::{Command, Stdio};

use anyhow::Result;

use super::Group;

/// A running program; its group ends when this is dropped, or with us.
pub struct Background(Group);

impl Background {
    /// Starts it, silent.
    pub fn start(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Group::spawn(command).map(Self)
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.0.0.try_wait()?.is_some())
    }
}
