//! Files and trees as the disk has them: appear whole, go whatever their modes, are listed in one
//! order. Never decides where anything is.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

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
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let temp = parent.join(name);
    let write = || -> io::Result<()> {
        fs::create_dir_all(parent)?;
        fs::write(&temp, bytes)?;
        File::open(&temp)?.sync_all()?;
        fs::rename(&temp, path)
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

/// A tree as a text: one line for each file and link, `<sha256>  <x|-|l>  <path>`, sorted by path.
/// A link's hash is that of the text it holds; of a file's mode only counts whether it is a program.
/// The SHA-256 of this text stands for the tree: `sha256sum` can check most of it by hand.
pub fn tree_listing(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for relative in files_below(folder)? {
        let path = folder.join(&relative);
        let cannot = || format!("cannot read {}", path.display());
        let data = fs::symlink_metadata(&path).with_context(cannot)?;
        let (digest, kind) = if data.is_symlink() {
            let target = fs::read_link(&path).with_context(cannot)?;
            (Digest::sha256_of(target.as_os_str().as_bytes()), 'l')
        } else {
            let mut hasher = Hasher::sha256();
            io::copy(&mut File::open(&path).with_context(cannot)?, &mut hasher)
                .with_context(cannot)?;
            (hasher.finish(), if data.permissions().mode() & 0o111 == 0 { '-' } else { 'x' })
        };
        // A name with a line break must not be able to look like another line.
        let name = relative.to_string_lossy().replace('\\', r"\\").replace('\n', r"\n");
        text.push_str(&format!("{}  {kind}  {name}\n", digest.hex()));
    }
    Ok(text)
}
