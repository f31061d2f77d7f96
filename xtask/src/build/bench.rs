//! The work bench of a library's step: what its builder works with.
//!
//! A builder runs programs through it and no other way, so that every one of them runs in the step's
//! room, and a failure can be shown and repeated.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use jobserver::Client;

use super::room::{Folders, Room};
use crate::exit::{Exit, Failure};
use crate::process::{self, describe_status, last_lines};
use crate::recipe::Library;
use crate::recipe::template::{Placeholder, Template};
use crate::target::Target;
use crate::toolchain::ToolNames;

/// How many lines of the log a failure shows.
const SHOWN_LINES: usize = 20;

/// A library's work bench.
pub struct Bench<'a> {
    /// The recipe.
    pub library: &'a Library,
    /// What it is built for.
    pub target: &'a Target,
    /// The step's folders, as the machine has them.
    pub folders: Folders,
    /// Names of the driver's programs.
    pub names: ToolNames,
    /// Tokens for more than one job at once; the step itself holds one.
    pub tokens: &'a Client,
    /// How many jobs there are.
    pub jobs: usize,
    room: Room<'a>,
    log: File,
    log_path: PathBuf,
}

/// Whether a program shares the jobs of Muslin with the other steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// It is one job, and knows of no others.
    Alone,
    /// It is make: it takes tokens for more jobs.
    Jobserver,
}

impl<'a> Bench<'a> {
    /// Prepares the folders of a step and opens its log.
    pub fn new(
        library: &'a Library,
        target: &'a Target,
        room: Room<'a>,
        tokens: &'a Client,
        jobs: usize,
    ) -> Result<Self> {
        let folders = room.folders.clone();
        let log_path = folders.root.join("build.log");
        let log = File::options().create(true).append(true).open(&log_path)?;
        let names = ToolNames::new(target);
        Ok(Self { library, target, folders, names, tokens, jobs, room, log, log_path })
    }

    /// A command with the environment of a step, in the source tree.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.room.command(program)
    }

    /// The path under which the step's programs find a folder or file.
    pub fn seen(&self, path: &Path) -> PathBuf {
        self.room.seen(path)
    }

    /// Fills in a template of this step.
    pub fn fill(&self, template: &Template) -> String {
        template.render(|placeholder| match placeholder {
            Placeholder::Version => self.library.version.clone(),
            Placeholder::Target => self.target.triple.clone(),
            Placeholder::TargetUpper => self.target.upper(),
            Placeholder::Gnu => self.target.gnu.clone(),
            Placeholder::Jobs => self.jobs.to_string(),
            Placeholder::Sysroot => {
                self.seen(&self.folders.dependencies).to_string_lossy().into_owned()
            }
            Placeholder::ZigLibc | Placeholder::ZigKernel => String::new(),
        })
    }

    /// Runs a program of the step; its output goes to the log. A failure shows all there is to know.
    pub fn run(&self, command: &Command, sharing: Sharing) -> Result<()> {
        let words = process::describe(command);
        writeln!(&self.log, "$ {words}").context("cannot write the log")?;
        let mut command = self.room.enter(command)?;
        if sharing == Sharing::Jobserver {
            self.tokens.configure_make(&mut command);
        }
        let status = process::run_logged(&mut command, &self.log)
            .with_context(|| format!("cannot build {}", self.library.name))?;
        if status.success() {
            return Ok(());
        }
        if process::is_interrupted() {
            anyhow::bail!("interrupted while building {}", self.library.name);
        }
        let log = fs::read_to_string(&self.log_path).unwrap_or_default();
        let library = self.library;
        let message = format!(
            "building {} {} failed: `{}` {}\n{}",
            library.name,
            library.version,
            shortened(&words),
            describe_status(status),
            last_lines(&log, SHOWN_LINES)
        );
        let help =
            format!("that command again by hand: cargo xtask shell {} -- {words}", library.name);
        Err(Failure::new(Exit::Failed, message).help(help).into())
    }
}

fn shortened(text: &str) -> String {
    const LIMIT: usize = 300;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
