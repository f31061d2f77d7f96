//! Files and folders below one open folder. Never follows a link, never replaces anything, never
//! opens a path that leads outside: `openat2` forbids it in the kernel, and where that call is
//! missing (old kernels, some seccomp filters) each part of a path is opened by itself.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, ResolveFlags, Timespec, Timestamps, fchmod, futimens, mkdirat,
    openat, openat2, renameat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;

/// The modification time of everything unpacked: 2000-01-01 00:00:00 UTC, in seconds.
///
/// One time for all, so that make never takes a generated file for older than what it was generated
/// from and starts autotools; in the past, so that what a build makes is newer; after 1980, so that
/// zip can store it.
pub const MODIFIED: i64 = 946_684_800;

/// The mode of folders and executable files.
const EXECUTABLE: u32 = 0o755;
/// The mode of all other files.
const PLAIN: u32 = 0o644;

/// An open folder that things are made in.
pub(super) struct Disk {
    root: OwnedFd,
    has_openat2: AtomicBool,
}

/// A file that is being written; [`NewFile::finish`] gives it its mode and time.
pub(super) struct NewFile(File);

impl NewFile {
    pub(super) fn finish(self, is_executable: bool) -> io::Result<()> {
        seal(&self.0, if is_executable { EXECUTABLE } else { PLAIN })
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn times() -> Timestamps {
    let time = Timespec { tv_sec: MODIFIED, tv_nsec: 0 };
    Timestamps { last_access: time, last_modification: time }
}

fn seal(fd: impl std::os::fd::AsFd, mode: u32) -> io::Result<()> {
    fchmod(&fd, Mode::from_raw_mode(mode))?;
    futimens(&fd, &times())?;
    Ok(())
}

impl Disk {
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        let root = openat(CWD, root, flags, Mode::empty())?;
        Ok(Self { root, has_openat2: AtomicBool::new(true) })
    }

    fn open_below(&self, path: &str, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if self.has_openat2.load(Ordering::Relaxed) {
            let resolve =
                ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            match openat2(&self.root, path, flags, mode, resolve) {
                Err(Errno::NOSYS | Errno::PERM) => self.has_openat2.store(false, Ordering::Relaxed),
                // A rename somewhere in the system raced with it.
                Err(Errno::AGAIN) => {}
                other => return other.map_err(io::Error::from),
            }
        }
        self.open_by_parts(path, flags, mode)
    }

    fn open_by_parts(&self, path: &str, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let folder = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::PATH;
        let (parents, last) = path.rsplit_once('/').unwrap_or(("", path));
        let mut place: Option<OwnedFd> = None;
        for part in parents.split('/').filter(|part| !part.is_empty()) {
            let at = place.as_ref().map_or(self.root.as_fd(), OwnedFd::as_fd);
            place = Some(openat(at, part, folder, Mode::empty())?);
        }
        let at = place.as_ref().map_or(self.root.as_fd(), OwnedFd::as_fd);
        Ok(openat(at, last, flags, mode)?)
    }

    fn open_folder(&self, path: &str) -> io::Result<OwnedFd> {
        let path = if path.is_empty() { "." } else { path };
        self.open_below(path, OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty())
    }

    /// Makes a folder in a folder that is there.
    pub(super) fn make_folder(&self, path: &str) -> io::Result<()> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        mkdirat(self.open_folder(parent)?, name, Mode::from_raw_mode(0o700))?;
        Ok(())
    }

    /// Makes a folder and those above it, as far as they are not there.
    pub(super) fn make_folders(&self, path: &str) -> io::Result<()> {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for end in ends.filter(|&end| end > 0) {
            match self.make_folder(&path[..end]) {
                Ok(()) => self.seal_folder(&path[..end])?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes a file in a folder that is there.
    pub(super) fn make_file(&self, path: &str) -> io::Result<NewFile> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY;
        let fd = self.open_below(path, flags, Mode::from_raw_mode(0o600))?;
        Ok(NewFile(File::from(fd)))
    }

    /// Opens a file that was made before.
    pub(super) fn read_file(&self, path: &str) -> io::Result<File> {
        // A FIFO, which patches may meet, must not block.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        Ok(File::from(self.open_below(path, flags, Mode::empty())?))
    }

    /// Makes a symbolic link in a folder that is there.
    pub(super) fn make_link(&self, path: &str, target: &str) -> io::Result<()> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.open_folder(parent)?;
        symlinkat(target, &parent, name)?;
        utimensat(&parent, name, &times(), AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(())
    }

    /// Gives a folder its mode and time, when all that it holds is there.
    pub(super) fn seal_folder(&self, path: &str) -> io::Result<()> {
        seal(self.open_folder(path)?, EXECUTABLE)
    }

    /// Renames a file over another one, or to where none is, in the same folder.
    pub(super) fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        let (parent, from) = from.rsplit_once('/').unwrap_or(("", from));
        let (_, to) = to.rsplit_once('/').unwrap_or(("", to));
        let parent = self.open_folder(parent)?;
        Ok(renameat(&parent, from, &parent, to)?)
    }

    /// Removes a file or a link.
    pub(super) fn remove(&self, path: &str) -> io::Result<()> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        Ok(unlinkat(self.open_folder(parent)?, name, AtFlags::empty())?)
    }
}
