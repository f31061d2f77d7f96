//! Program → [`Checked`], or all findings: static, portable, no leaked paths.
//!
//! [`CHECKS`] has their names and when each passes.
//!
//! The names are an interface: they stand in manifests. All checks run, whatever the first ones say.
//! It never changes the file, and never runs it with the user's rights or files in reach.

mod allow;
pub mod baseline;
mod command;
mod elf;
mod empty_root;
mod facts;
mod hardening;
pub mod inside;
pub mod kernel;
pub mod provenance;
mod leaks;
mod list;
mod outcomes;
mod structure;
mod table;
mod traces;

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize, Serializer};

use crate::digest::Digest;
use crate::emulator::{Emulator, HOW_TO_GET};
use crate::exit::{Exit, Failure};
use crate::process::env_var;
use crate::report::human_bytes;
use crate::rust::Memory;
use crate::target::{FloatAbi, Machine, Target};
use crate::unpack::MODIFIED;
use baseline::Baseline;
use outcomes::Subject;
use traces::Times;

pub use allow::Allowed;
pub use facts::Fact;
pub use leaks::{Forbidden, ForbiddenKind, forbidden_of_this_machine};
pub use list::{CHECKS, Check};
pub use structure::what_else;
pub use table::table;

/// A larger file is no program of ours, and would be read into memory.
const FILE_SIZE_MAX_BYTES: u64 = 2 << 30;

/// How long a program may run in the `empty-root` check.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);

/// What a program is held against.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The machine that it must be for; `None` for any.
    pub machine: Option<Machine>,
    /// How it must pass floating-point numbers, if its file says so; `None` for any way.
    pub float_abi: Option<FloatAbi>,
    /// How it must be linked.
    pub linking: Linking,
    /// Times, in seconds since 1970, that may be in it: those that compilers take for the present.
    pub fixed_times: Vec<i64>,
    /// What must not be in its bytes.
    pub forbidden: Vec<Forbidden>,
    /// What every CPU has that it is to run on; `None` for any.
    pub baseline: Option<Baseline>,
    /// Whether it is run.
    pub run: RunPolicy,
    /// The target's oldest CPU, or why there is none.
    pub oldest_cpu: Result<Emulator, String>,
    /// Where it is kept that a program with these bytes started in an emulator, which takes longer
    /// than all other checks.
    pub memory: Option<Memory>,
}

/// How a program must be linked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Linking {
    /// In any way that the checks of its bytes pass.
    #[default]
    Any,
    /// Nobody says for which target it is.
    Unknown {
        /// The machines whose programs may be at a fixed address.
        fixed: Vec<Machine>,
    },
    /// As those of a target.
    Of {
        /// Whether they are position-independent.
        is_static_pie: bool,
        /// The stack of threads that ask for none of one size.
        stack_size_bytes: u64,
    },
}

impl Linking {
    /// As the programs of a target.
    pub fn of(target: &Target) -> Self {
        let (is_static_pie, stack_size_bytes) = (target.static_pie, target.stack_size_bytes);
        Self::Of { is_static_pie, stack_size_bytes }
    }
}

/// The times that builds take for the present: Muslin's own, and what the user says in its place.
pub fn fixed_times() -> Vec<i64> {
    let said = env_var("SOURCE_DATE_EPOCH").and_then(|text| text.parse().ok());
    [MODIFIED].into_iter().chain(said).collect()
}

/// The oldest CPU of a target, if this machine has an emulator of it.
pub fn oldest_cpu(target: &Target) -> Result<Emulator, String> {
    Emulator::find(&target.emulator).map_err(|missing| format!("{missing}: {HOW_TO_GET}"))
}

/// Whether the `empty-root` check runs the program.
#[derive(Clone, Debug)]
pub enum RunPolicy {
    /// Run it where there is nothing but itself.
    EmptyRoot {
        /// The empty folder is made below this one, and removed.
        scratch: PathBuf,
        /// A program that still runs after this has started well: usually [`TIME_LIMIT`].
        limit: Duration,
    },
    /// Do not; the text says why.
    Never(String),
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "kebab-case")]
pub enum Outcome {
    /// The property holds: a short detail, such as `static-pie`.
    Passed(String),
    /// It does not: what is wrong, and where.
    Failed(String),
    /// It does not, and the app's author says why it may: what is wrong.
    Allowed(String),
    /// It could not be looked at: why.
    Skipped(String),
}

impl Outcome {
    /// `ok`, `FAILED`, `allowed` or `skipped`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "ok",
            Self::Failed(_) => "FAILED",
            Self::Allowed(_) => "allowed",
            Self::Skipped(_) => "skipped",
        }
    }

    /// The detail, finding or reason.
    pub fn detail(&self) -> &str {
        match self {
            Self::Passed(text) | Self::Failed(text) | Self::Allowed(text) | Self::Skipped(text) => {
                text
            }
        }
    }
}

/// One check and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Its stable name.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it may fail, if it is allowed to.
    pub reason: Option<String>,
}

impl CheckResult {
    /// What to do, if it failed.
    pub fn help(&self) -> Option<&'static str> {
        matches!(self.outcome, Outcome::Failed(_)).then(|| list::help(self.name))
    }
}

impl Serialize for CheckResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Whole<'a> {
            name: &'a str,
            #[serde(flatten)]
            outcome: &'a Outcome,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            help: Option<&'a str>,
        }
        let (reason, help) = (self.reason.as_deref(), self.help());
        Whole { name: self.name, outcome: &self.outcome, reason, help }.serialize(serializer)
    }
}

/// A program and what all checks said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checkup {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// The SHA-256 of the bytes that were checked.
    #[serde(serialize_with = "hex")]
    pub sha256: Digest,
    /// One for each check, always in the same order.
    #[serde(rename = "checks")]
    pub results: Vec<CheckResult>,
    /// What else is known of it.
    pub facts: Vec<Fact>,
}

fn hex<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&digest.hex())
}

/// A program of which no check failed. Only [`Checkup::into_checked`] makes one.
#[derive(Clone, Debug)]
pub struct Checked(Checkup);

impl Checked {
    /// The file. Whoever ships it compares with `sha256` what was read.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Its size.
    pub fn size_bytes(&self) -> u64 {
        self.0.size_bytes
    }

    /// The SHA-256 of the bytes that were checked.
    pub fn sha256(&self) -> Digest {
        self.0.sha256
    }

    /// Name of each check, `ok`, `allowed` or `skipped`, and why it is allowed. Nothing in it depends
    /// on the machine, except which checks were skipped: it may stand in a reproducible manifest,
    /// unlike the details.
    pub fn checks(&self) -> impl Iterator<Item = (&'static str, &'static str, Option<&str>)> {
        let results = self.0.results.iter();
        results.map(|result| (result.name, result.outcome.word(), result.reason.as_deref()))
    }

    /// What a check or a fact says in words.
    pub fn said(&self, name: &str) -> &str {
        let mut results = self.0.results.iter();
        let result = results.find(|it| it.name == name).map(|it| it.outcome.detail());
        let fact = || self.0.facts.iter().find(|it| it.name == name).map(|it| it.value.as_str());
        result.or_else(fact).unwrap_or_default()
    }

    /// The checks that may fail: name, finding, and the reason.
    pub fn allowed(&self) -> impl Iterator<Item = (&'static str, &str, &str)> {
        let results = self.0.results.iter();
        results.filter_map(|it| Some((it.name, it.outcome.detail(), it.reason.as_deref()?)))
    }

    /// All that the checks said.
    pub fn checkup(&self) -> &Checkup {
        &self.0
    }
}

/// Runs all checks on a file. An error means that the file could not be read: what is wrong with
/// what was read is in the results.
pub fn examine(file: &Path, expectation: &Expectation) -> Result<Checkup> {
    let data = read(file)?;
    let sha256 = Digest::sha256_of(&data);
    let written = std::fs::metadata(file).and_then(|it| it.modified()).ok();
    let times = Times { written, fixed: expectation.fixed_times.clone() };
    let image = match what_else(&data) {
        Some(other) => Err(format!("not an ELF executable: the file is {other}")),
        None => elf::read(&data),
    };
    let subject = Subject { data: &data, sha256: &sha256, times, expectation };
    let results = subject.outcomes(&image).into_iter();
    let results = results.map(|(name, outcome)| CheckResult { name, outcome, reason: None });
    let results = results.collect();
    let facts = image.as_ref().map_or_else(|_| Vec::new(), |image| facts::of(&data, image));
    Ok(Checkup { path: file.to_owned(), size_bytes: data.len() as u64, sha256, results, facts })
}

/// A file's bytes, unless it is larger than any program.
pub fn read(file: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", file.display());
    // Look before opening: a FIFO would wait for a writer.
    let about = std::fs::metadata(file).with_context(cannot)?;
    if !about.is_file() {
        bail!("{} is not a file", file.display());
    }
    let expected = about.len().min(FILE_SIZE_MAX_BYTES);
    let mut data = Vec::with_capacity(usize::try_from(expected)? + 1);
    let mut stream = File::open(file).with_context(cannot)?.take(FILE_SIZE_MAX_BYTES + 1);
    stream.read_to_end(&mut data).with_context(cannot)?;
    if data.len() as u64 > FILE_SIZE_MAX_BYTES {
        let limit = human_bytes(FILE_SIZE_MAX_BYTES);
        bail!("{} is larger than {limit}: no program that Muslin checks", file.display());
    }
    Ok(data)
}

impl Checkup {
    /// Puts what is known better in the place of what one check said.
    pub fn replace(&mut self, name: &str, outcome: Outcome) {
        for result in self.results.iter_mut().filter(|result| result.name == name) {
            result.outcome = outcome.clone();
        }
    }

    /// The same for a fact.
    pub fn replace_fact(&mut self, name: &str, value: &str) {
        for fact in self.facts.iter_mut().filter(|fact| fact.name == name) {
            value.clone_into(&mut fact.value);
        }
    }

    /// The program, fit to be shipped, or a failure that lists every finding.
    pub fn into_checked(self) -> Result<Checked, Failure> {
        let is_failed = |result: &&CheckResult| matches!(result.outcome, Outcome::Failed(_));
        let failed: Vec<_> = self.results.iter().filter(is_failed).collect();
        if failed.is_empty() {
            return Ok(Checked(self));
        }
        let count = match failed.len() {
            1 => "1 check".to_owned(),
            more => format!("{more} checks"),
        };
        let mut message = format!("{} failed {count}", self.path.display());
        for result in failed {
            let (name, help) = (result.name, list::help(result.name));
            let _ = write!(message, "\n  {name}: {}\n    → {help}", result.outcome.detail());
        }
        Err(Failure::new(Exit::CheckFailed, message))
    }
}
