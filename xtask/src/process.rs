//! The door to other programs: the only module that starts one.
//!
//! A child that Muslin waits for gets its own process group, no terminal input, and is gone when
//! Muslin goes, whether by Ctrl-C, by an error, or by the end of a step.
#![allow(clippy::disallowed_methods, reason = "this is the door")]

mod background;
mod clock;
mod surroundings;
mod threads;
mod words;

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group, set_parent_process_death_signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use xshell::Shell;

use crate::exit::{Exit, Failure};

pub use background::Background;
pub use clock::{CLOCK_LIBRARY, CLOCK_OFFSET, clock_of, clock_variables};
pub use surroundings::{Identity, Surroundings};
pub use threads::{all_cpus, side_by_side};
pub use words::{describe, describe_status, last_lines, shell_word};

/// The most that is kept of a captured stream; a program that says more is broken.
const CAPTURE_LIMIT_BYTES: u64 = 256 << 20;

/// Process groups that are running now.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether Ctrl-C or its like has come: whoever sees a child die should ask before reporting it.
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Handles Ctrl-C, SIGTERM and SIGHUP: ends every running child's group, lets `clean_up` remove what
/// is half-made, then dies by the same signal, so that a calling shell or make stops too.
/// A second one ends the process at once.
pub fn handle_signals(clean_up: impl Fn() + Send + 'static) -> Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
        .context("cannot install the signal handler")?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if INTERRUPTED.swap(true, Ordering::SeqCst) {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
            end_all(Signal::TERM);
            let deadline = Instant::now() + Duration::from_secs(2);
            while !running().is_empty() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
            end_all(Signal::KILL);
            clean_up();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
    Ok(())
}

/// Waits for the signal's own handling to end the process: what fails because its child was ended is
/// no error to report, and the end must look like one by a signal.
pub fn await_signal() -> ! {
    loop {
        std::thread::park();
    }
}

fn running() -> std::sync::MutexGuard<'static, BTreeSet<u32>> {
    RUNNING.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Writes a program. None is started meanwhile: a child that does not run its own yet would have the
/// file open as well, and the kernel starts no program that somebody may be writing (`ETXTBSY`).
pub fn writing<T>(write: impl FnOnce() -> T) -> T {
    let _none_starts = running();
    write()
}

fn end_all(signal: Signal) {
    for group in running().iter() {
        end_group(*group, signal);
    }
}

fn end_group(group: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, signal);
    }
}

/// A child in its own group; the group ends when this is dropped.
struct Group(Child);

impl Group {
    fn spawn(command: &mut Command) -> Result<Self> {
        let program = command.get_program().to_owned();
        let mut running = running();
        if is_interrupted() {
            bail!("interrupted");
        }
        // SAFETY: the closure runs between fork and exec and makes one system call, no allocation.
        #[allow(unsafe_code, reason = "std has no safe way to set a child up before its exec")]
        unsafe {
            command.pre_exec(end_with_parent)
        };
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{}`", program.display()))?;
        running.insert(child.id());
        Ok(Self(child))
    }
}

/// A Muslin that is killed outright cannot end its children, so the kernel does. The signal is one
/// that make and cargo pass on to theirs.
fn end_with_parent() -> io::Result<()> {
    Ok(set_parent_process_death_signal(Some(Signal::TERM))?)
}

impl Drop for Group {
    fn drop(&mut self) {
        end_group(self.0.id(), Signal::KILL);
        let _ = self.0.wait();
        running().remove(&self.0.id());
    }
}

/// The shell with which short fixed commands are written: `cmd!(shell, "{rustc} -vV")`, turned into
/// a [`Command`] and run by a function of this module.
pub fn shell() -> Result<Shell> {
    Shell::new().context("cannot tell the current folder")
}

/// A new command. Callers say everything that the child may see.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// What a captured program said and how it ended.
pub struct Captured {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

/// Runs a program to its end and keeps what it says. A failure is for the caller to judge.
pub fn capture(command: &mut Command) -> Result<Captured> {
    capture_fed(command, Stdio::null())
}

/// The same with something to read.
pub fn capture_fed(command: &mut Command, input: impl Into<Stdio>) -> Result<Captured> {
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::spawn(command)?;
    let stderr = group.0.stderr.take().map(|pipe| std::thread::spawn(move || drain(pipe)));
    let stdout = group.0.stdout.take().map(drain).transpose()?.unwrap_or_default();
    let stderr = match stderr.map(std::thread::JoinHandle::join) {
        Some(Ok(text)) => text?,
        _ => String::new(),
    };
    let status = group.0.wait()?;
    Ok(Captured { status, stdout, stderr })
}

fn drain(pipe: impl Read) -> Result<String> {
    let mut bytes = Vec::new();
    pipe.take(CAPTURE_LIMIT_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Like [`capture`], but a failure is an error that quotes the last lines.
pub fn capture_ok(command: &mut Command) -> Result<String> {
    let captured = capture(command)?;
    if !captured.status.success() {
        let said = last_lines(&format!("{}{}", captured.stdout, captured.stderr), 12);
        bail!("`{}` {}\n{said}", describe(command), describe_status(captured.status));
    }
    Ok(captured.stdout)
}

/// Runs a program with stdout and stderr going to the end of a log file.
pub fn run_logged(command: &mut Command, log: &File) -> Result<ExitStatus> {
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
    let mut group = Group::spawn(command)?;
    Ok(group.0.wait()?)
}

/// Runs a program whose stdout is read line by line and whose stderr comes in pieces as it is written.
pub fn run_streamed(
    command: &mut Command,
    mut on_line: impl FnMut(&str) -> Result<()>,
    mut on_stderr: impl FnMut(&[u8]) + Send,
) -> Result<ExitStatus> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::spawn(command)?;
    let (stdout, stderr) = (group.0.stdout.take(), group.0.stderr.take());
    std::thread::scope(|scope| -> Result<()> {
        let reader = scope.spawn(move || -> io::Result<()> {
            let mut buffer = [0; 8192];
            let Some(mut pipe) = stderr else { return Ok(()) };
            loop {
                match pipe.read(&mut buffer)? {
                    0 => return Ok(()),
                    count => on_stderr(&buffer[..count]),
                }
            }
        });
        for line in stdout.map(BufReader::new).into_iter().flat_map(BufRead::lines) {
            on_line(&line?)?;
        }
        if let Ok(result) = reader.join() {
            result?;
        }
        Ok(())
    })?;
    Ok(group.0.wait()?)
}

/// Runs a program in the foreground, with the terminal, as if the user had started it.
pub fn run_foreground(command: &mut Command) -> Result<ExitStatus> {
    let program = command.get_program().to_owned();
    command.status().with_context(|| format!("cannot start `{}`", program.display()))
}

/// Waits for a program for a limited time; `None` if it was still running and had to be ended.
pub fn run_limited(command: &mut Command, limit: Duration) -> Result<Option<ExitStatus>> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut group = Group::spawn(command)?;
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_micros(500);
    while Instant::now() < deadline {
        if let Some(status) = group.0.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    Ok(None)
}

/// Looks a program up on `PATH`, as a shell would.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The executable that runs now, to be started again: also when its file has been replaced since.
pub fn own_executable() -> Result<PathBuf> {
    let link = Path::new("/proc/self/exe");
    if link.exists() {
        return Ok(link.to_owned());
    }
    env::current_exe().map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot tell where this program is: {error}"))
            .help("in a chroot, give it one first: `mount -t proc proc /proc`")
            .into()
    })
}

/// Cargo's own folder, with its configuration and its cache: `$CARGO_HOME`, else `~/.cargo`.
pub fn cargo_home() -> Option<PathBuf> {
    env_var("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env_var("HOME")?).join(".cargo")))
}

/// rustup's own folder, with its installations of Rust: `$RUSTUP_HOME`, else `~/.rustup`.
pub fn rustup_home() -> Option<PathBuf> {
    env_var("RUSTUP_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env_var("HOME")?).join(".rustup")))
}

/// Folders in which a cargo that is started in `folder` looks for its configuration: the nearest
/// first, its own last.
pub fn cargo_configuration_folders(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = folder.ancestors().map(|above| above.join(".cargo")).collect();
    folders.extend(cargo_home().filter(|home| !folders.contains(home)));
    folders
}

/// Names of all variables that Muslin itself was started with.
pub fn env_names() -> Vec<String> {
    env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
}

/// All variables that Muslin itself was started with and whose name passes.
pub fn env_all(is_kept: impl Fn(&str) -> bool) -> Vec<(OsString, OsString)> {
    env::vars_os().filter(|(name, _)| name.to_str().is_some_and(&is_kept)).collect()
}

/// Files that Muslin and its children make are readable by all and writable by their owner, whatever
/// the user's umask: it must not be seen in what comes out.
pub fn set_umask() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
}

/// A child's end as our own exit code, in a shell's manner: 128 and the signal's number.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// A variable of the environment that Muslin itself was started with.
pub fn env_var(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_needed() {
        let words = ["-O2", "", "a b", "it's", "--prefix=/usr"].map(shell_word);
        assert_eq!(words, ["-O2", "''", "'a b'", r"'it'\''s'", "--prefix=/usr"]);
    }

    #[test]
    fn a_failing_program_is_quoted() {
        let error = capture_ok(command("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("exit code 3") && text.contains("why"), "{text}");
    }

    #[test]
    fn a_program_that_never_ends_is_ended() {
        let begin = Instant::now();
        let ended = run_limited(command("sleep").arg("60"), Duration::from_millis(50)).unwrap();
        assert!(ended.is_none() && begin.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn both_streams_arrive() {
        let (mut lines, mut bytes) = (Vec::new(), Vec::new());
        let script = "echo one; echo two; printf three >&2";
        run_streamed(
            command("sh").args(["-c", script]),
            |line| {
                lines.push(line.to_owned());
                Ok(())
            },
            |piece| bytes.extend_from_slice(piece),
        )
        .unwrap();
        assert_eq!((lines.join(" ").as_str(), bytes.as_slice()), ("one two", &b"three"[..]));
    }
}
