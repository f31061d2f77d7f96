//! The child's side: this executable, started again to enter a sandbox and run a program in it.
//!
//! Runs before anything else of the program, with one thread.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::FromRawFd as _;
use std::process::ExitCode;

use rustix::process::{getegid, geteuid};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::init::{self, Program};
use super::spec::{At as _, Probe, Spec, Stage, Task, Trouble, Way};
use super::{landlock, mounts};
use crate::report;

/// The first argument of an executable that shall enter a sandbox; then the number of the open file
/// with the spec, the program, and its arguments.
pub(super) const ARGUMENT: &str = "--enter-sandbox";

/// The user and group that a program has inside: none that is special.
pub(super) const ID: u32 = 1000;

/// The end of a child that could not even start the program.
const NOT_STARTED: u8 = 125;

/// Enters a sandbox, if that is what this process was started for; then its end is the program's.
pub fn requested() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != ARGUMENT {
        return None;
    }
    let (spec, program) = match read(words) {
        Ok(read) => read,
        Err(error) => return Some(fail(&Trouble::other(Stage::Start, error))),
    };
    let is_probe = spec.task == Task::Probe;
    Some(match enter(&spec, program) {
        Ok(code) => code,
        Err(trouble) if is_probe => answer(&Probe::Fails(trouble)),
        Err(trouble) => fail(&trouble),
    })
}

fn read(mut words: impl Iterator<Item = OsString>) -> io::Result<(Spec, Vec<OsString>)> {
    let wrong = || io::Error::other("this argument is for Muslin's own use");
    let number = words.next().and_then(|word| word.to_str()?.parse().ok()).ok_or_else(wrong)?;
    // SAFETY: the parent opened this file for us and nobody else here knows of it.
    let mut file = unsafe { File::from_raw_fd(number) };
    io::Seek::rewind(&mut file)?;
    // In one piece: byte by byte takes a tenth of a second for an app with hundreds of crates.
    let mut text = Vec::new();
    io::Read::read_to_end(&mut file, &mut text)?;
    let spec = serde_json::from_slice(&text)?;
    Ok((spec, words.collect()))
}

/// The answer to a probe goes to stdout, where the parent reads it.
pub(super) fn answer(probe: &Probe) -> ExitCode {
    match serde_json::to_string(probe) {
        Ok(text) => report::output(&text),
        Err(_) => return ExitCode::from(NOT_STARTED),
    }
    ExitCode::SUCCESS
}

/// A trouble goes to stderr, which is the step's log.
fn fail(trouble: &Trouble) -> ExitCode {
    let why = trouble.errno().map(|errno| format!(": {errno}")).unwrap_or_default();
    report::text(&format!(
        "muslin: cannot enter the sandbox: {:?}, {}{why}",
        trouble.stage, trouble.detail
    ));
    ExitCode::from(NOT_STARTED)
}

fn enter(spec: &Spec, words: Vec<OsString>) -> Result<ExitCode, Trouble> {
    let program = match &spec.task {
        Task::Probe => None,
        Task::Run { folder } => Some(Program { words, folder, view: &spec.view }),
    };
    init::detach(&spec.view);
    match spec.way {
        Way::User | Way::Root => {
            let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
            if spec.way == Way::User {
                let namespaces = UnshareFlags::NEWUSER.union(NAMESPACES);
                unshare(namespaces).at(Stage::Unshare, "namespaces")?;
                map_ids(uid, gid)?;
            } else {
                unshare(NAMESPACES).at(Stage::Unshare, "namespaces")?;
            }
            hide_groups_of_processes();
            init::as_first_process(|| mounts::build(&spec.view, spec.way), program)
        }
        Way::Landlock => {
            init::become_subreaper()?;
            landlock::restrict(&spec.view)?;
            init::run_here(program)
        }
        Way::Off => init::run_here(program),
    }
}

const NAMESPACES: UnshareFlags = UnshareFlags::NEWNS
    .union(UnshareFlags::NEWPID)
    .union(UnshareFlags::NEWNET)
    .union(UnshareFlags::NEWIPC)
    .union(UnshareFlags::NEWUTS);

fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    // SAFETY: this process has one thread, so no other shares what becomes its own.
    unsafe { unshare_unsafe(flags) }
}

/// Else `/proc/self/cgroup` names the session or the container. It is not everywhere that kernels have
/// these groups, and nothing but that name depends on it.
fn hide_groups_of_processes() {
    let _ = unshare(UnshareFlags::NEWCGROUP);
}

/// An unprivileged process may map its group only after giving up setgroups (Linux 3.19).
fn map_ids(uid: u32, gid: u32) -> Result<(), Trouble> {
    let write = |file: &str, text: String| std::fs::write(file, text).at(Stage::MapIds, file);
    write("/proc/self/setgroups", "deny".to_owned())?;
    write("/proc/self/uid_map", format!("{ID} {uid} 1"))?;
    write("/proc/self/gid_map", format!("{ID} {gid} 1"))
}
