//! The `empty-root` check: does the program start where there is nothing but itself?
//!
//! The program is copied into an empty folder and started there with `--version` (which most answer
//! or refuse; without an argument it might begin to serve), in a root of its own, without network,
//! environment, input or output, as nobody, for a limited time. How it ends does not matter, as long
//! as it ends by itself. It never runs the program with the user's files in reach: where no such
//! root can be had, it says so and does not run it.
#![allow(
    unsafe_code,
    reason = "what a child does between fork and exec cannot be said in safe code"
)]

mod judge;

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, chdir, chroot, getegid, geteuid, setrlimit};
use rustix::thread::{
    UnshareFlags, set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
    unshare_unsafe,
};

use super::Outcome;
use super::elf::Image;
use super::structure::describe;
use crate::digest::Digest;
use crate::emulator::{Emulator, Fit};
use crate::process;
use crate::report::human_duration;
use crate::rust::Memory;
use judge::{explain_setup, judge_end, judge_exec};

/// `nobody` on most systems; any number that owns nothing would do.
const NOBODY: u32 = 65534;
/// The program's only name inside.
const INSIDE: &str = "/program";
/// That of what runs it, where it is not run by the CPU.
const EMULATOR: &str = "/emulator";
/// Another thread that forks at the wrong moment holds our copy open for a blink.
const BUSY_TRIES: u32 = 20;

/// How a root of one's own is had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// In a user namespace: for anyone, where the kernel allows it.
    UserNamespace,
    /// By `chroot`, for root; then as nobody.
    Chroot,
}

/// What the child was doing when it failed. The number travels above the error number's 12 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Stage {
    Exec = 0,
    Unshare = 1,
    MapIds = 2,
    EnterRoot = 3,
    DropRights = 4,
}

const STAGES: [Stage; 5] =
    [Stage::Exec, Stage::Unshare, Stage::MapIds, Stage::EnterRoot, Stage::DropRights];

/// A program that the `elf` check has passed.
#[derive(Clone, Copy)]
pub struct Program<'a> {
    /// Its bytes.
    pub data: &'a [u8],
    /// Their SHA-256.
    pub sha256: &'a Digest,
    /// What they mean.
    pub image: &'a Image,
    /// The empty folder is made below this one.
    pub scratch: &'a Path,
    /// How long it may run.
    pub limit: Duration,
    /// What is known of earlier starts in an emulator.
    pub memory: Option<&'a Memory>,
}

/// What an emulator said is remembered for this: bump when it is started in another way.
const EMULATED: &str = "oldest-cpu 1";

impl Program<'_> {
    /// Starts it as it is, and on its target's oldest CPU, or says why there is none. What this
    /// computer's CPU cannot run is started in the emulator only, which serves for both.
    pub fn start(self, oldest_cpu: Result<&Emulator, &String>) -> [Outcome; 2] {
        let emulated = match oldest_cpu {
            Ok(emulator) => self.emulated(emulator),
            Err(why) => Outcome::Skipped(why.clone()),
        };
        if Fit::of(self.image.machine) != Fit::No {
            return [self.start_by(None), emulated];
        }
        let itself = match &emulated {
            Outcome::Skipped(why) => {
                let machine = describe(self.image.machine);
                Outcome::Skipped(format!("this computer's CPU runs no {machine} programs; {why}"))
            }
            other => other.clone(),
        };
        [itself, emulated]
    }

    /// Starts it in an emulator, unless these bytes are known to end well in this one.
    fn emulated(self, emulator: &Emulator) -> Outcome {
        let start = || self.start_by(Some(emulator));
        let Some(memory) = self.memory else { return start() };
        let (arguments, limit) = (&emulator.arguments, self.limit);
        let question = format!("{EMULATED}\n{}\n{arguments:?}\n{limit:?}", self.sha256);
        let files = [emulator.program.clone()];
        let is_well = |outcome: &Outcome| matches!(outcome, Outcome::Passed(_));
        memory.recall(&question, &files, is_well, || Ok(start())).unwrap_or_else(|_| start())
    }

    fn start_by(self, emulator: Option<&Emulator>) -> Outcome {
        let arguments = match emulator {
            None => Vec::new(),
            Some(emulator) => [&[EMULATOR.to_owned()], &emulator.arguments[..]].concat(),
        };
        let prepared = prepare(self.data, self.scratch)
            .and_then(|root| emulator.map_or(Ok(()), |it| lend(it, &root)).map(|()| root));
        let outcome = match prepared {
            Ok(root) => try_each_way(&root, &arguments, self.image, self.limit),
            Err(error) => return Outcome::Skipped(format!("cannot make an empty root: {error:#}")),
        };
        match (outcome, emulator) {
            (Outcome::Passed(how), Some(emulator)) => {
                Outcome::Passed(format!("{how} ({emulator})"))
            }
            (outcome, _) => outcome,
        }
    }
}

/// Puts the emulator beside the program.
fn lend(emulator: &Emulator, root: &EmptyRoot) -> Result<()> {
    let path = &emulator.program;
    let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if super::elf::read(&data).is_ok_and(|image| image.interpreter.is_some()) {
        bail!("{} is not static, and runs in no empty root", path.display());
    }
    let place = root.0.join(&EMULATOR[1..]);
    fs::write(&place, data).with_context(|| format!("cannot write {}", place.display()))?;
    Ok(fs::set_permissions(&place, fs::Permissions::from_mode(0o755))?)
}

/// A folder with nothing but the program, gone when dropped.
struct EmptyRoot(PathBuf);

impl Drop for EmptyRoot {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn prepare(data: &[u8], scratch: &Path) -> Result<EmptyRoot> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let root = scratch.join(format!("empty-root-{}-{number}", std::process::id()));
    fs::DirBuilder::new()
        .mode(0o755)
        .create(&root)
        .with_context(|| format!("cannot make {}", root.display()))?;
    let root = EmptyRoot(root);
    let program = root.0.join(&INSIDE[1..]);
    fs::write(&program, data).with_context(|| format!("cannot write {}", program.display()))?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    fs::set_permissions(&root.0, fs::Permissions::from_mode(0o755))?;
    Ok(root)
}

fn try_each_way(root: &EmptyRoot, emulator: &[String], image: &Image, limit: Duration) -> Outcome {
    let ways = match geteuid().is_root() {
        true => [Way::Chroot, Way::UserNamespace],
        false => [Way::UserNamespace, Way::Chroot],
    };
    let mut reasons = Vec::new();
    for way in ways {
        match run(root, emulator, way, limit) {
            Ok(Some(status)) => return judge_end(status),
            Ok(None) => {
                let limit = human_duration(limit);
                return Outcome::Passed(format!("still running after {limit}"));
            }
            Err(Trouble::Setup(stage, errno)) => reasons.push(explain_setup(way, stage, errno)),
            Err(Trouble::Exec(errno)) => return judge_exec(errno, image),
            Err(Trouble::Other(error)) => return Outcome::Skipped(format!("{error:#}")),
        }
    }
    Outcome::Skipped(format!(
        "no empty root can be had here: {}; run it as root, or allow user namespaces",
        reasons.join("; ")
    ))
}

/// Why a program did not even start.
#[derive(Debug)]
enum Trouble {
    /// The root could not be made: says nothing about the program.
    Setup(Stage, Errno),
    /// The kernel refused the program.
    Exec(Errno),
    /// Anything else, such as Ctrl-C.
    Other(anyhow::Error),
}

/// Runs the program; `None` if it was still running at the time limit.
fn run(
    root: &EmptyRoot,
    emulator: &[String],
    way: Way,
    limit: Duration,
) -> Result<Option<ExitStatus>, Trouble> {
    let mut tries_left = BUSY_TRIES;
    loop {
        let mut command = command(root, emulator, way).map_err(Trouble::Other)?;
        let error = match process::run_limited(&mut command, limit) {
            Ok(status) => return Ok(status),
            Err(error) => error,
        };
        let number = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        return Err(match number.map(unpack) {
            Some((Stage::Exec, Errno::TXTBSY)) if tries_left > 0 => {
                tries_left -= 1;
                std::thread::sleep(Duration::from_millis(10));
                continue;
            }
            Some((Stage::Exec, errno)) => Trouble::Exec(errno),
            Some((stage, errno)) => Trouble::Setup(stage, errno),
            None => Trouble::Other(error),
        });
    }
}

/// The standard library hands a child's error number to the parent as it is: room for the stage.
fn pack(stage: Stage) -> impl Fn(Errno) -> io::Error {
    move |errno| io::Error::from_raw_os_error(((stage as i32) << 12) | errno.raw_os_error())
}

fn unpack(number: i32) -> (Stage, Errno) {
    let stage = usize::try_from(number >> 12).ok().and_then(|index| STAGES.get(index));
    // The kernel's error numbers are 1 to 4095; zero is none of them.
    let errno =
        if number & 0xfff == 0 { Errno::IO } else { Errno::from_raw_os_error(number & 0xfff) };
    (stage.copied().unwrap_or(Stage::Exec), errno)
}

fn command(root: &EmptyRoot, emulator: &[String], way: Way) -> Result<Command> {
    let place = std::path::absolute(&root.0)?;
    let place = std::ffi::CString::new(place.as_os_str().as_bytes())?;
    let identity = Identity {
        uid_map: format!("{NOBODY} {} 1", geteuid().as_raw()),
        gid_map: format!("{NOBODY} {} 1", getegid().as_raw()),
    };
    let inherited = open_descriptors();
    let mut words = emulator.iter().map(String::as_str).chain([INSIDE, "--version"]);
    let mut command = process::command(words.next().unwrap_or(INSIDE));
    command.args(words).env_clear();
    // SAFETY: the closure runs in the child between fork and exec. It only makes system calls and
    // reads what was prepared above: no allocation, no lock, no panic, and no thread shares what it
    // unshares, for a forked child has only one.
    unsafe {
        command.pre_exec(move || {
            close_on_exec(&inherited);
            match way {
                Way::UserNamespace => enter_user_namespace(&place, &identity)?,
                Way::Chroot => enter_chroot(&place)?,
            }
            set_no_new_privs(true).map_err(pack(Stage::DropRights))?;
            let none = Rlimit { current: Some(0), maximum: Some(0) };
            setrlimit(Resource::Core, none).map_err(pack(Stage::DropRights))
        });
    }
    Ok(command)
}

/// Files that are open in this process: whoever started us may have left some that a program would
/// inherit, and an open folder is a way out of any root.
fn open_descriptors() -> Vec<i32> {
    let Ok(list) = fs::read_dir("/proc/self/fd") else { return (3..1024).collect() };
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    list.flatten().filter_map(number).filter(|number| *number > 2).collect()
}

fn close_on_exec(descriptors: &[i32]) {
    for number in descriptors {
        // SAFETY: the number is not negative, and the borrow ends with this call; if it is not open
        // any more, the kernel says so and nothing happens.
        let descriptor = unsafe { BorrowedFd::borrow_raw(*number) };
        let _ = rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::CLOEXEC);
    }
}

/// What is written to the kernel's maps of ids, prepared before the fork.
struct Identity {
    uid_map: String,
    gid_map: String,
}

const OTHER_NAMESPACES: UnshareFlags = UnshareFlags::NEWNS
    .union(UnshareFlags::NEWNET)
    .union(UnshareFlags::NEWIPC)
    .union(UnshareFlags::NEWUTS);

fn enter_user_namespace(root: &CStr, identity: &Identity) -> io::Result<()> {
    unshare(UnshareFlags::NEWUSER.union(OTHER_NAMESPACES)).map_err(pack(Stage::Unshare))?;
    // An unprivileged process may map its group only after giving up setgroups (Linux 3.19).
    let map = |file, text| write_whole(file, text).map_err(pack(Stage::MapIds));
    map(c"/proc/self/setgroups", "deny")?;
    map(c"/proc/self/uid_map", &identity.uid_map)?;
    map(c"/proc/self/gid_map", &identity.gid_map)?;
    change_root(root)
}

fn enter_chroot(root: &CStr) -> io::Result<()> {
    // A container's root may chroot but not unshare: then the network stays, the files do not.
    let _ = unshare(OTHER_NAMESPACES);
    change_root(root)?;
    let drop = pack(Stage::DropRights);
    let (uid, gid) =
        (rustix::process::Uid::from_raw(NOBODY), rustix::process::Gid::from_raw(NOBODY));
    set_thread_groups(&[]).map_err(&drop)?;
    set_thread_res_gid(gid, gid, gid).map_err(&drop)?;
    set_thread_res_uid(uid, uid, uid).map_err(&drop)
}

fn change_root(root: &CStr) -> io::Result<()> {
    chroot(root).and_then(|()| chdir(c"/")).map_err(pack(Stage::EnterRoot))
}

fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    // SAFETY: nothing here shares file descriptors or other tables with another thread.
    unsafe { unshare_unsafe(flags) }
}

fn write_whole(file: &CStr, text: &str) -> rustix::io::Result<()> {
    let file = rustix::fs::open(file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file.as_fd(), text.as_bytes()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stage_survives_the_way_to_the_parent() {
        for stage in STAGES {
            let error = pack(stage)(Errno::NOSPC);
            assert_eq!(error.raw_os_error().map(unpack), Some((stage, Errno::NOSPC)));
        }
        assert_eq!(unpack(i32::MAX).0, Stage::Exec);
    }
}
