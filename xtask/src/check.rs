//! Program → [`Checked`], or all findings: static, portable, no leaked paths.
//!
//! | check         | passes when                                                                    |
//! |---------------|--------------------------------------------------------------------------------|
//! | `elf`         | the file is an ELF executable, for the machine and float ABI that are expected |
//! | `static`      | no interpreter, no shared libraries, no undefined symbols                      |
//! | `stack`       | the stack is declared and not executable                                       |
//! | `segments`    | no segment is both writable and executable                                     |
//! | `relocations` | no relocation changes read-only memory                                         |
//! | `paths`       | no path of the user's or the store's and no host name is in the bytes          |
//! | `empty-root`  | it starts in an empty root, without network, as nobody                         |
//! | `oldest-cpu`  | it starts there on the oldest CPU that its target promises, in an emulator     |
//! | `baseline`    | no code takes more of a CPU than the target has, unless it asks the CPU first  |
//!
//! The names are an interface: they stand in manifests. All checks run, whatever the first ones say.
//! It never changes the file, and never runs it with the user's rights or files in reach.

pub mod baseline;
mod elf;
mod empty_root;
pub mod kernel;
mod leaks;
mod structure;

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize, Serializer};

use crate::cli::{self, Global};
use crate::digest::Digest;
use crate::emulator::{Emulator, HOW_TO_GET};
use crate::exit::{Exit, Failure};
use crate::process;
use crate::report::{self, human_bytes};
use crate::rust::Memory;
use crate::session::{Access, Session};
use crate::target::{FloatAbi, Machine, Target};
use baseline::Baseline;

pub use leaks::{Forbidden, ForbiddenKind, forbidden_of_this_machine};

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
    /// It could not be looked at: why.
    Skipped(String),
}

impl Outcome {
    /// `ok`, `FAILED` or `skipped`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "ok",
            Self::Failed(_) => "FAILED",
            Self::Skipped(_) => "skipped",
        }
    }

    /// The detail, finding or reason.
    pub fn detail(&self) -> &str {
        match self {
            Self::Passed(text) | Self::Failed(text) | Self::Skipped(text) => text,
        }
    }
}

/// One check and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// Its stable name.
    pub name: &'static str,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
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

    /// Name and `ok` or `skipped` of each check. Nothing in it depends on the machine, except which
    /// checks were skipped: it may stand in a reproducible manifest, unlike the details.
    pub fn checks(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.results.iter().map(|result| (result.name, result.outcome.word()))
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
    let results = outcomes(&data, &sha256, expectation)
        .into_iter()
        .map(|(name, outcome)| CheckResult { name, outcome })
        .collect();
    Ok(Checkup { path: file.to_owned(), size_bytes: data.len() as u64, sha256, results })
}

fn read(file: &Path) -> Result<Vec<u8>> {
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

fn outcomes(
    data: &[u8],
    sha256: &Digest,
    expectation: &Expectation,
) -> [(&'static str, Outcome); 9] {
    let image = match structure::what_else(data) {
        Some(other) => Err(format!("not an ELF executable: the file is {other}")),
        None => elf::read(data),
    };
    let sections = image.as_ref().map_or(&[][..], |image| &image.sections);
    let paths = leaks::check(data, sections, &expectation.forbidden);
    let image = match image {
        Ok(image) => image,
        Err(finding) => {
            let unread = || Outcome::Skipped("the file is not a readable ELF file".to_owned());
            return [
                ("elf", Outcome::Failed(finding)),
                ("static", unread()),
                ("stack", unread()),
                ("segments", unread()),
                ("relocations", unread()),
                ("paths", paths),
                ("empty-root", unread()),
                ("oldest-cpu", unread()),
                ("baseline", unread()),
            ];
        }
    };
    let elf = structure::elf(&image, expectation.machine, expectation.float_abi);
    let [empty_root, oldest_cpu] = match (&elf, &expectation.run) {
        (Outcome::Failed(_), _) => ["empty-root", "oldest-cpu"]
            .map(|_| Outcome::Skipped("the `elf` check failed".to_owned())),
        (_, RunPolicy::Never(reason)) => [reason, reason].map(|it| Outcome::Skipped(it.clone())),
        (_, RunPolicy::EmptyRoot { scratch, limit }) => {
            let (image, limit) = (&image, *limit);
            let memory = expectation.memory.as_ref();
            let program = empty_root::Program { data, sha256, image, scratch, limit, memory };
            program.start(expectation.oldest_cpu.as_ref())
        }
    };
    let baseline = match (&elf, &expectation.baseline) {
        (Outcome::Failed(_), _) => Outcome::Skipped("the `elf` check failed".to_owned()),
        (_, None) => Outcome::Skipped("no target is named".to_owned()),
        (_, Some(baseline)) => baseline::check_image(data, &image, baseline, None),
    };
    [
        ("elf", elf),
        ("static", structure::is_static(&image)),
        ("stack", structure::stack(&image)),
        ("segments", structure::segments(&image)),
        ("relocations", structure::relocations(&image)),
        ("paths", paths),
        ("empty-root", empty_root),
        ("oldest-cpu", oldest_cpu),
        ("baseline", baseline),
    ]
}

impl Checkup {
    /// Puts what is known better in the place of what one check said.
    pub fn replace(&mut self, name: &str, outcome: Outcome) {
        for result in self.results.iter_mut().filter(|result| result.name == name) {
            result.outcome = outcome.clone();
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
            let _ = write!(message, "\n  {}: {}", result.name, result.outcome.detail());
        }
        Err(Failure::new(Exit::CheckFailed, message))
    }
}

/// What all checks said, for people: a line for the file, a line for each check.
pub fn table(checkup: &Checkup) -> String {
    let mut text = format!(
        "{}  {}  {}\n",
        checkup.path.display(),
        human_bytes(checkup.size_bytes),
        checkup.sha256
    );
    for result in &checkup.results {
        let detail = result.outcome.detail().replace('\n', "\n                        ");
        let _ = writeln!(text, "  {:<12} {:<8} {detail}", result.name, result.outcome.word());
    }
    text
}

impl cli::Check {
    /// Checks files of any origin; all are looked at before the first failure is the error.
    pub fn run(self, global: Global) -> Result<()> {
        if let Some(version) = &self.kernel {
            return self.run_on(version);
        }
        let session = Session::open(global, Access::Write)?;
        let target = self.target.as_deref().map(|triple| session.target(triple)).transpose()?;
        let no_target = || "only `--target` says what that is".to_owned();
        let scratch = session.store.temp("check")?;
        let expectation = Expectation {
            oldest_cpu: target.as_ref().ok_or_else(no_target).and_then(oldest_cpu),
            machine: target.as_ref().map(|target| target.machine),
            float_abi: target.as_ref().map(|target| target.float_abi),
            baseline: target.as_ref().map(Baseline::of),
            forbidden: forbidden_of_this_machine(&[
                ("the store", session.store.root().to_owned()),
                ("the workspace", session.workspace.clone()),
            ]),
            run: RunPolicy::EmptyRoot { scratch: scratch.path().to_owned(), limit: TIME_LIMIT },
            memory: None,
        };
        let (mut failed, mut unread) = (Vec::new(), Vec::new());
        for file in &self.files {
            let checkup = match examine(file, &expectation) {
                Ok(checkup) => checkup,
                Err(error) if self.files.len() == 1 => return Err(error),
                Err(error) => {
                    report::warning(format!("{error:#}"));
                    unread.push(file.display().to_string());
                    continue;
                }
            };
            report::data(table(&checkup).trim_end());
            report::event("checkup", serde_json::to_value(&checkup)?);
            if checkup.into_checked().is_err() {
                failed.push(file.display().to_string());
            }
        }
        if failed.is_empty() && !unread.is_empty() {
            bail!("cannot be read: {}", unread.join(", "));
        }
        if failed.is_empty() {
            return Ok(());
        }
        let message = format!("not static and portable: {}", failed.join(", "));
        Err(Failure::new(Exit::CheckFailed, message).into())
    }

    /// Runs a program as an older Linux would let it run.
    fn run_on(&self, version: &str) -> Result<()> {
        let version: kernel::Version =
            version.parse().map_err(|error: String| Failure::new(Exit::Usage, error))?;
        let [file] = &self.files[..] else {
            return Err(Failure::new(Exit::Usage, "`--kernel` runs one program").into());
        };
        let status = kernel::run(version, file, &self.arguments)?;
        let refused = kernel::missing(version).count();
        let event = serde_json::json!({ "path": file, "kernel": version.to_string(),
            "exit_code": status.code(), "calls_refused": refused });
        report::event("kernel", event);
        let words =
            format!("{} without the calls that Linux {version} does not have", file.display());
        if !status.success() {
            let message = format!("{words} {}", process::describe_status(status));
            return Err(Failure::new(Exit::CheckFailed, message).into());
        }
        report::status("Ran", words);
        Ok(())
    }
}
