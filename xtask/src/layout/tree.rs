//! Files and trees as the disk has them: appear whole, go whatever their modes, are listed in one
//! order. Never decides where anything is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, anyhow};

use crate::digest::{Digest, Hasher};

/// Removes a folder whatever the permissions inside; one that is not there is no error.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(path)?;
            fs::remove_dir_all(path)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn open_up(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for item in fs::read_dir(folder)? {
        let item = item?;
        if item.file_type()?.is_dir() {
            open_up(&item.path())?;
        }
    }
    Ok(())
}

/// Flushes a finished tree to the disk, so that a rename never publishes empty files.
/// One `syncfs` is far cheaper than an `fsync` for each of thousands of files.
pub(super) fn sync_tree(folder: &Path) -> io::Result<()> {
    rustix::fs::syncfs(File::open(folder)?)?;
    Ok(())
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes a file so that it appears whole or not at all, and only if it differs.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    write_whole(path, |temp| Ok(fs::write(temp, bytes)?))
}

/// Puts a file in place by rename, once it is written, under another name beside it, and on the disk.
pub fn write_whole(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let temp = parent.join(name);
    let write = || -> Result<()> {
        fs::create_dir_all(parent)?;
        write(&temp)?;
        File::open(&temp)?.sync_all()?;
        Ok(fs::rename(&temp, path)?)
    };
    write().inspect_err(|_| drop(fs::remove_file(&temp))).with_context(|| cannot_write(path))
}

pub(super) fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// Puts a copy of a file in place by rename.
pub fn copy_atomically(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    write_atomically(to, &bytes)?;
    let mode = fs::metadata(from)?.permissions();
    fs::set_permissions(to, mode).with_context(|| cannot_write(to))
}

/// Copies a tree: folders, files with their modes, and links as links.
pub fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| cannot_write(to))?;
    for relative in files_below(from)? {
        let (source, target) = (from.join(&relative), to.join(&relative));
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).with_context(|| cannot_write(parent))?;
        }
        if source.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source)?, &target)
        } else {
            fs::copy(&source, &target).map(drop)
        }
        .with_context(|| cannot_write(&target))?;
    }
    Ok(())
}

/// Copies a file or a tree with the times of the last changes, of folders too: cargo tells by them
/// whether it has built something already.
pub fn copy_with_times(from: &Path, to: &Path) -> Result<()> {
    if !from.is_symlink() && from.is_dir() {
        copy_tree(from, to)?;
        let files = files_below(from)?;
        let paths: BTreeSet<&Path> = files.iter().flat_map(|file| file.ancestors()).collect();
        // What a folder holds comes behind it in this order, and before it in the other.
        return paths.iter().rev().try_for_each(|path| keep_time(&from.join(path), &to.join(path)));
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).with_context(|| cannot_write(parent))?;
    }
    if from.is_symlink() {
        let target =
            fs::read_link(from).with_context(|| format!("cannot read {}", from.display()))?;
        return std::os::unix::fs::symlink(target, to).with_context(|| cannot_write(to));
    }
    fs::copy(from, to).with_context(|| cannot_write(to))?;
    keep_time(from, to)
}

fn keep_time(from: &Path, to: &Path) -> Result<()> {
    if from.is_symlink() {
        return Ok(());
    }
    let time = fs::metadata(from).and_then(|it| it.modified());
    time.and_then(|time| File::open(to)?.set_modified(time)).with_context(|| cannot_write(to))
}

/// All files and links below a folder, relative to it, sorted: the same order on every machine.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(relative) = open.pop() {
        let place = folder.join(&relative);
        for item in
            fs::read_dir(&place).with_context(|| format!("cannot read {}", place.display()))?
        {
            let item = item?;
            let name = relative.join(item.file_name());
            if item.file_type()?.is_dir() {
                open.push(name);
            } else {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What a folder holds, one line a file: `<sha256>  <x|-|l>  <path>`, sorted as [`files_below`]: a
/// program, another file, a link (of which the target's text is hashed). Empty folders are not in it.
/// Several threads hash, since a toolchain has tens of thousands of files.
pub fn tree_listing(folder: &Path) -> Result<String> {
    let files = files_below(folder)?;
    let lines = Mutex::new(vec![String::new(); files.len()]);
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        let mut buffer = vec![0; 128 << 10];
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(index) else { return Ok(()) };
            let line = listing_line(folder, file, &mut buffer)
                .with_context(|| format!("cannot read {}", folder.join(file).display()))?;
            lines.lock().unwrap_or_else(|poisoned| poisoned.into_inner())[index] = line;
        }
    };
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cpus.min(files.len())).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a hashing thread panicked")))
        })
    })?;
    let lines = lines.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    Ok(lines.concat())
}

fn listing_line(folder: &Path, relative: &Path, buffer: &mut [u8]) -> io::Result<String> {
    let path = folder.join(relative);
    let data = fs::symlink_metadata(&path)?;
    let (digest, kind) = if data.is_symlink() {
        (Digest::sha256_of(fs::read_link(&path)?.as_os_str().as_bytes()), 'l')
    } else if data.is_file() {
        let mut hasher = Hasher::sha256();
        let mut file = File::open(&path)?;
        loop {
            match file.read(buffer)? {
                0 => break,
                count => io::Write::write_all(&mut hasher, &buffer[..count])?,
            }
        }
        (hasher.finish(), if data.permissions().mode() & 0o111 == 0 { '-' } else { 'x' })
    } else {
        return Err(io::Error::other("neither a file nor a link"));
    };
    Ok(format!("{}  {kind}  {}\n", digest.hex(), one_line(relative)))
}

/// A path in one line of text, whatever its bytes: a backslash begins what is written in another way.
fn one_line(path: &Path) -> String {
    let mut text = String::new();
    for piece in path.as_os_str().as_bytes().utf8_chunks() {
        for c in piece.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                c if c.is_control() => text.extend(c.escape_default()),
                c => text.push(c),
            }
        }
        for byte in piece.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}
