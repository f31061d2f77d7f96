//! A program as an older Linux would let it run: every system call that is newer than that version is
//! answered with ENOSYS.
//!
//! Before 4.0, `uname` says 2.6.x, too: programs such as those with OpenSSL compare it, and the kernel
//! has a way to pass itself off as that one. What an old kernel does otherwise than a new one where it
//! has the call is not imitated: flags and options that it does not know, files in `/proc`, the loader
//! of programs.

mod calls;

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitStatus;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use object::elf;
use rustix::io::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

use crate::exit::{Exit, Failure};
use crate::process;

/// A version of Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, u32, u32);

/// The oldest one that the table of calls tells from later ones.
const OLDEST: Version = Version(2, 6, 18);

/// The beginning of an ELF file, to the end of `e_machine`.
const ELF_START: usize = 20;

/// From this one on, a kernel's version is told as it is.
const TOLD: Version = Version(4, 0, 0);

/// How many numbers behind the last known call are taken for calls of a later Linux.
const UNKNOWN: i64 = 64;

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no version of Linux, such as `3.2` or `2.6.32`");
        let numbers: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        let version = match numbers.map_err(|_| wrong())?[..] {
            [major, minor] => Self(major, minor, 0),
            [major, minor, patch] => Self(major, minor, patch),
            _ => return Err(wrong()),
        };
        match version < OLDEST {
            true => Err(format!("no Linux before {OLDEST} can be imitated")),
            false => Ok(version),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(major, minor, patch) = self;
        write!(f, "{major}.{minor}")?;
        if *patch > 0 { write!(f, ".{patch}") } else { Ok(()) }
    }
}

/// The calls that a version does not have, by number and name.
pub fn missing(version: Version) -> impl Iterator<Item = (i64, &'static str)> {
    let later = calls::SINCE.into_iter().filter(move |(.., since)| *since > version);
    later.map(|(number, name, _)| (number, name))
}

/// Runs a program with its input and output, as the version would let it run. Needs a kernel with
/// filters of system calls, of a machine with an x86_64, whose numbers the table has.
pub fn run(version: Version, program: &Path, arguments: &[OsString]) -> Result<ExitStatus> {
    if cfg!(not(target_arch = "x86_64")) {
        let message = "an older Linux can be imitated on x86_64 only";
        return Err(Failure::new(Exit::Usage, message).into());
    }
    require_own_numbers(program)?;
    let filter = filter(version)?;
    // Found by its path and never by `PATH`.
    let program = std::path::absolute(program)?;
    let mut command = process::command(&program);
    command.args(arguments);
    // A filter holds for a thread and all that comes from it.
    let ended = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if version < TOLD {
                pass_as_2_6()?;
            }
            apply_filter(&filter)
                .context("this machine's kernel takes no filter of system calls")?;
            process::run_foreground(&mut command)
        });
        thread.join()
    });
    let Ok(ended) = ended else { bail!("a thread panicked") };
    ended
}

/// Has `uname` say 2.6.x to this thread and to what it starts.
#[allow(unsafe_code, reason = "neither std nor rustix has this call")]
fn pass_as_2_6() -> Result<()> {
    // SAFETY: it takes a number, and changes nothing but how this thread is treated.
    let was = unsafe { libc::personality(libc::UNAME26 as libc::c_ulong) };
    if was < 0 {
        return Err(std::io::Error::last_os_error()).context("this kernel cannot pass as 2.6");
    }
    Ok(())
}

/// Fails if a program is for another CPU: also 32-bit x86, which this machine runs, has other numbers
/// for its calls, and the filter would kill it at the first one.
fn require_own_numbers(program: &Path) -> Result<()> {
    let mut start = Vec::new();
    let cannot = || format!("cannot read {}", program.display());
    let file = File::open(program).with_context(cannot)?;
    file.take(ELF_START as u64).read_to_end(&mut start).with_context(cannot)?;
    let is_elf = start.len() == ELF_START && start.starts_with(&elf::ELFMAG);
    let is_ours = start.get(4) == Some(&elf::ELFCLASS64.0)
        && start.get(18..ELF_START) == Some(&elf::EM_X86_64.0.to_le_bytes()[..]);
    if !is_elf || is_ours {
        // Of a script it is the interpreter that the kernel starts.
        return Ok(());
    }
    let message = format!("{} is no program for x86_64", program.display());
    Err(Failure::new(Exit::Usage, message)
        .help("`--kernel` knows the numbers of that CPU's system calls only")
        .into())
}

fn filter(version: Version) -> Result<BpfProgram> {
    let last = calls::SINCE.iter().map(|(number, ..)| *number).max().unwrap_or_default();
    let refused = missing(version).map(|(number, _)| number).chain(last + 1..=last + UNKNOWN);
    // A call without any rule is refused whatever its arguments.
    let rules = refused.map(|number| (number, Vec::new())).collect();
    let refuse = SeccompAction::Errno(Errno::NOSYS.raw_os_error().unsigned_abs());
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?.try_into()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        let read = |text: &str| text.parse::<Version>();
        assert_eq!(read("3.2"), Ok(Version(3, 2, 0)));
        assert_eq!(read("2.6.32").unwrap().to_string(), "2.6.32");
        assert_eq!(read("6.10").unwrap().to_string(), "6.10");
        assert!(read("3.10").unwrap() > read("3.2").unwrap());
        assert!(read("2.4.37").unwrap_err().contains("before 2.6.18"));
        for wrong in ["", "3", "3.x", "3.2.1.0", "-3.2", "v3.2"] {
            assert!(read(wrong).unwrap_err().contains("no version"), "{wrong}");
        }
    }

    #[test]
    fn a_version_lacks_what_came_later() {
        let lacks = |version, call| missing(version).any(|(_, name)| name == call);
        assert!(lacks(Version(3, 16, 0), "getrandom") && !lacks(Version(3, 17, 0), "getrandom"));
        assert!(lacks(OLDEST, "pipe2") && !lacks(Version(2, 6, 27), "pipe2"));
        assert_eq!(missing(Version(99, 0, 0)).count(), 0);
        let mut numbers: Vec<_> = calls::SINCE.iter().map(|(number, ..)| number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), calls::SINCE.len());
    }

    /// The other end of a test: ends with what `uname` gives as the first number.
    #[test]
    #[ignore = "started by another test"]
    fn ask_for_the_version() {
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        let first = release.split('.').next().unwrap_or_default().parse();
        std::process::exit(first.unwrap_or_default());
    }

    /// The other end of a test: ends with the number of the error that `memfd_create` got.
    #[test]
    #[ignore = "started by another test"]
    fn ask_for_a_file_in_memory() {
        let got = rustix::fs::memfd_create("x", rustix::fs::MemfdFlags::CLOEXEC);
        std::process::exit(got.map_or_else(Errno::raw_os_error, |_| 0));
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test writes where it likes")]
    fn programs_of_other_cpus_are_refused() {
        let mut start = vec![0; ELF_START];
        start[..6].copy_from_slice(b"\x7fELF\x01\x01");
        start[18] = 3;
        let file = std::env::temp_dir().join(format!("muslin-i386-{}", std::process::id()));
        std::fs::write(&file, &start).unwrap();
        let refused = require_own_numbers(&file).unwrap_err().to_string();
        assert!(refused.ends_with("is no program for x86_64"), "{refused}");
        (start[4], start[18]) = (2, 62);
        std::fs::write(&file, &start).unwrap();
        require_own_numbers(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn a_call_that_came_later_is_answered_as_an_unknown_one() {
        let own = process::own_executable().unwrap();
        let code = |version, name: &str| {
            let name = format!("check::kernel::tests::{name}");
            let words = ["--ignored", "--exact", "--nocapture", &name].map(OsString::from);
            run(version, &own, &words).unwrap().code()
        };
        let file = "ask_for_a_file_in_memory";
        assert_eq!(code(Version(3, 16, 0), file), Some(Errno::NOSYS.raw_os_error()));
        assert_eq!(code(Version(3, 17, 0), file), Some(0));
        assert_eq!(code(Version(3, 16, 0), "ask_for_the_version"), Some(2));
        assert!(code(TOLD, "ask_for_the_version").is_some_and(|first| first > 2));
    }
}
