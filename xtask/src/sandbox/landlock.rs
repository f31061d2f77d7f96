//! Where no namespaces can be had: Landlock forbids this process and its children all files that are
//! not in the view, and a filter of system calls forbids the network.
//!
//! Programs keep the machine's own paths, and scripts its shell: so its programs and libraries stay
//! readable, but not its headers, its settings or anyone's home.
//!
//! Three system calls; the crate for them brings five more to compile before the first run.
#![allow(unsafe_code, reason = "neither std nor rustix has these system calls")]

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::filter;
use super::spec::{Access, At as _, Stage, Trouble, View};

// Rights to files, as the kernel numbers them.
const EXECUTE: u64 = 1 << 0;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_FOLDER: u64 = 1 << 3;
const TRUNCATE: u64 = 1 << 14;
const CONTROL_DEVICE: u64 = 1 << 15;

/// Read and execute.
const READ: u64 = EXECUTE | READ_FILE | READ_FOLDER;
/// Those that a file can have that is no folder.
const OF_FILE: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | CONTROL_DEVICE;

/// Asks for the version of the interface instead of a set of rules.
const ASK_VERSION: libc::c_long = 1;
/// The kind of a rule about a file or folder and all below it.
const BENEATH_PATH: libc::c_long = 1;

/// What is forbidden unless a rule allows it.
#[repr(C)]
struct Handled {
    files: u64,
    network: u64,
    scopes: u64,
}

impl Handled {
    /// All that a kernel with this version of the interface can forbid; what newer ones can beyond
    /// the sixth was not looked at. Fields that a version does not know must be 0.
    fn all(version: libc::c_long) -> Self {
        let rights = match version {
            ..=1 => 13,
            2 => 14,
            3 | 4 => 15,
            5.. => 16,
        };
        Self {
            files: (1 << rights) - 1,
            // To bind and to connect TCP.
            network: if version >= 4 { 0b11 } else { 0 },
            // Sockets by name and signals to processes outside.
            scopes: if version >= 6 { 0b11 } else { 0 },
        }
    }
}

/// A rule: rights to an open file or folder.
#[repr(C, packed)]
struct Beneath {
    rights: u64,
    parent: i32,
}

/// Where a machine has its programs and the libraries that they load. Not `/usr/include`, not
/// `/usr/local`, not `/usr/share`.
const PROGRAMS: [&str; 9] = [
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
];

/// Single files without which a program does not start, or knows no harm.
const FILES: [&str; 8] = [
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/proc",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/sys/devices/system/cpu",
];

/// Restricts this process and all that it starts.
pub(super) fn restrict(view: &View) -> Result<(), Trouble> {
    let Ok(version @ 1..) = version() else {
        return Err(Trouble::new(Stage::Landlock, Errno::NOSYS, "no Landlock"));
    };
    let handled = Handled::all(version);
    let rules = create(&handled).at(Stage::Landlock, "a set of rules")?;
    let places = |access: Access| view.places().iter().filter(move |it| it.access == access);
    let read = places(Access::Read).map(|place| (&*place.real, READ));
    let write = places(Access::Write).map(|place| (&*place.real, handled.files));
    let of_machine = PROGRAMS.iter().chain(&FILES).map(|path| (Path::new(path), READ));
    let null = [(Path::new("/dev/null"), OF_FILE)];
    for (path, rights) in of_machine.chain(null).chain(read).chain(write) {
        let allowed = allow(&rules, path, rights & handled.files);
        allowed.at(Stage::Landlock, &path.display().to_string())?;
    }
    rustix::thread::set_no_new_privs(true).at(Stage::Landlock, "no new privileges")?;
    enforce(&rules).at(Stage::Landlock, "the rules")?;
    // Also no local ones: Landlock does not keep anyone from those of the machine's services.
    filter::forbid_sockets_but(&[]).map_err(|error| Trouble::other(Stage::Filter, error))
}

fn answer(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn version() -> io::Result<libc::c_long> {
    // SAFETY: without a pointer and with this flag the kernel reads nothing of ours.
    answer(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<Handled>(),
            0,
            ASK_VERSION,
        )
    })
}

fn create(handled: &Handled) -> io::Result<OwnedFd> {
    let (handled, size) = (std::ptr::from_ref(handled), size_of::<Handled>());
    // SAFETY: the pointer is to as many bytes as is said, which the kernel only reads.
    let number =
        answer(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, handled, size, 0) })?;
    let number = i32::try_from(number).map_err(io::Error::other)?;
    // SAFETY: the kernel has just opened it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Adds a rule for a place; one that is not there needs none.
fn allow(rules: &OwnedFd, path: &Path, rights: u64) -> io::Result<()> {
    let Ok(place) = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) else {
        return Ok(());
    };
    let is_folder = FileType::from_raw_mode(rustix::fs::fstat(&place)?.st_mode).is_dir();
    let rights = if is_folder { rights } else { rights & OF_FILE };
    let rule = Beneath { rights, parent: place.as_raw_fd() };
    let (rules, rule) = (rules.as_raw_fd(), std::ptr::from_ref(&rule));
    // SAFETY: the rule is of the kind that is said, and the kernel only reads it.
    answer(unsafe { libc::syscall(libc::SYS_landlock_add_rule, rules, BENEATH_PATH, rule, 0) })?;
    Ok(())
}

fn enforce(rules: &OwnedFd) -> io::Result<()> {
    // SAFETY: no memory is handed over.
    answer(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0) })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_told_only_what_it_knows() {
        let all = |version| {
            let Handled { files, network, scopes } = Handled::all(version);
            (files, network, scopes)
        };
        assert_eq!(all(1), (0x1fff, 0, 0));
        assert_eq!(all(2), (0x3fff, 0, 0));
        assert_eq!(all(3), (0x7fff, 0, 0));
        assert_eq!(all(4), (0x7fff, 3, 0));
        assert_eq!(all(5), (0xffff, 3, 0));
        assert_eq!(all(6), (0xffff, 3, 3));
        assert_eq!(all(7), all(6));
        assert_eq!(
            (size_of::<Handled>(), size_of::<Beneath>()),
            (24, 12),
            "as the kernel has them"
        );
        assert_eq!((READ | OF_FILE) & !Handled::all(6).files, 0);
    }
}
