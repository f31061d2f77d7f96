//! The work bench of a library's or tool's step: what its builder works with.
//!
//! A builder runs programs through it and no other way, so that every one of them runs in the step's
//! room, and a failure can be shown and repeated.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use jobserver::Client;

use super::room::{Folders, Room};
use crate::exit::{Exit, Failure};
use crate::plan::Step;
use crate::process::{self, describe_status};
use crate::recipe::template::{Placeholder, Template};
use crate::target::Target;

/// How many lines of the log a failure shows.
const SHOWN_LINES: usize = 20;

/// A step's work bench.
pub struct Bench<'a> {
    /// Name of what is made.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// What it is built for.
    pub target: &'a Target,
    /// The step's folders, as the machine has them.
    pub folders: Folders,
    /// Tokens for more than one job at once; the step itself holds one.
    pub tokens: &'a Client,
    /// How many jobs there are.
    pub jobs: usize,
    /// What the command line says beside its name to mean it.
    options: String,
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
    pub fn new(step: &'a Step, room: Room<'a>, tokens: &'a Client, jobs: usize) -> Result<Self> {
        let folders = room.folders.clone();
        let log_path = folders.root.join("build.log");
        let log = File::options().create(true).append(true).open(&log_path)?;
        Ok(Self {
            name: &step.name,
            version: &step.version,
            target: &step.target,
            folders,
            tokens,
            jobs,
            options: step.options(),
            room,
            log,
            log_path,
        })
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
            Placeholder::Version => self.version.to_owned(),
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
        let mut entered = self.room.enter(command)?;
        if sharing == Sharing::Jobserver {
            self.tokens.configure_make(&mut entered);
        }
        let status = process::run_logged(&mut entered, &self.log)
            .with_context(|| format!("cannot build {}", self.name))?;
        if status.success() {
            return Ok(());
        }
        if process::is_interrupted() {
            anyhow::bail!("interrupted while building {}", self.name);
        }
        let log = end_of(&self.log_path).unwrap_or_default();
        // What the step's earlier commands said, a configure script's failed attempts, is no finding.
        let said = log.rsplit_once(&format!("$ {words}\n")).map_or(&*log, |(_, said)| said);
        let message = format!(
            "building {} {} failed: `{}` {}\n{}",
            self.name,
            self.version,
            shortened(&words),
            describe_status(status),
            what_failed(said)
        );
        let help = format!("that command again by hand: {}", self.by_hand(command, &words));
        Err(Failure::new(Exit::Failed, message).help(help).into())
    }

    /// How a user runs a command again, which may have run in another folder than the source tree.
    fn by_hand(&self, command: &Command, words: &str) -> String {
        let step = format!("cargo xtask shell {}{} --", self.name, self.options);
        let source = self.seen(&self.folders.source);
        match command.get_current_dir().filter(|folder| *folder != source) {
            None => format!("{step} {words}"),
            Some(folder) => {
                let folder = process::shell_word(&folder.to_string_lossy());
                format!("{step} sh -c {}", process::shell_word(&format!("cd {folder} && {words}")))
            }
        }
    }
}

/// The end of a log, which may be larger than the memory.
fn end_of(path: &Path) -> io::Result<String> {
    const READ_BYTES: u64 = 64 << 10;
    let mut log = File::open(path)?;
    let length = log.metadata()?.len();
    log.seek(SeekFrom::Start(length.saturating_sub(READ_BYTES)))?;
    let mut bytes = Vec::new();
    log.take(READ_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The lines of a log that tell why a command failed: its last ones, but where make or ninja waited for
/// what else was under way, those about what failed first.
fn what_failed(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    let of_make = |line: &str| line.starts_with("make") && line.contains(": *** [");
    let end = match lines.iter().position(|line| of_make(line)) {
        Some(made) => made + 1,
        None => match lines.iter().position(|line| line.starts_with("FAILED: ")) {
            // Ninja says what failed before it shows what that has written.
            Some(failed) => (failed + SHOWN_LINES).min(lines.len()),
            None => lines.len(),
        },
    };
    lines[end.saturating_sub(SHOWN_LINES)..end].join("\n")
}

/// A call of a compiler begins with folders of headers and ends with the file: its middle goes.
fn shortened(text: &str) -> String {
    const HEAD: usize = 100;
    const TAIL: usize = 200;
    let count = text.chars().count();
    if count <= HEAD + TAIL {
        return text.to_owned();
    }
    let head: String = text.chars().take(HEAD).collect();
    let tail: String = text.chars().skip(count - TAIL).collect();
    format!("{head} … {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(from: usize, to: usize) -> String {
        (from..to).map(|number| format!("line {number}\n")).collect()
    }

    #[test]
    fn a_failure_shows_the_lines_about_what_failed_and_not_what_came_to_its_end_later() {
        let plain = what_failed(&lines(0, 99));
        assert_eq!(plain, lines(79, 99).trim_end());

        let failed = "sh: ranlib: not found\nmake[1]: *** [Makefile:9: install] Error 127\n";
        let log = [&lines(0, 99), failed, &lines(100, 200), "make: *** [all] Error 2\n"].concat();
        assert_eq!(what_failed(&log), [&lines(81, 99), failed].concat().trim_end());

        let failed = "FAILED: x.o \ncc -c x.c\nx.c:1: error\n";
        let log = [&lines(0, 99), failed, &lines(100, 200)].concat();
        assert_eq!(what_failed(&log), [failed, &lines(100, 117)].concat().trim_end());

        // One that make was told to overlook.
        let log = ["make: [Makefile:3: doc] Error 127 (ignored)\n", &lines(0, 99)].concat();
        assert_eq!(what_failed(&log), lines(79, 99).trim_end());
    }
}
