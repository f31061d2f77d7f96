//! What the store holds, for the commands that look after it: `store verify`, `list` and `gc`.
//!
//! Whoever builds holds the whole store in common with others that do; whoever takes things away
//! holds it alone. So nothing goes while a command may be using it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use rustix::fs::{FlockOperation, flock};

use super::tree::cannot_write;
use super::{Entry, Store, lock};
use crate::digest::{Digest, parse_hex};
use crate::report;

/// The file of an entry that lists what `outputs/` holds: see [`super::tree_listing`].
pub const RECORD: &str = "outputs.sha256";

/// The lock on the store as a whole.
const WHOLE: &str = "store";

/// A folder or file that the store keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A step's result.
    Entry(Entry),
    /// The folder of a download.
    Download(Digest, PathBuf),
    /// What is kept for the post-mortem: a failed step, a rejected or partial download, the
    /// builds of `verify --keep`.
    Leftover(PathBuf),
}

impl Kept {
    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Entry(entry) => entry.path(),
            Self::Download(_, path) | Self::Leftover(path) => path,
        }
    }

    /// What it takes on the disk, by the sizes of its files.
    pub fn size_bytes(&self) -> u64 {
        size_of(self.path())
    }

    /// When a command last used it.
    pub fn last_use(&self) -> SystemTime {
        let modified = fs::symlink_metadata(self.path()).and_then(|data| data.modified());
        modified.unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

fn size_of(path: &Path) -> u64 {
    let Ok(data) = fs::symlink_metadata(path) else { return 0 };
    if !data.is_dir() {
        return data.len();
    }
    let items = fs::read_dir(path).into_iter().flatten().flatten();
    items.map(|item| size_of(&item.path())).sum()
}

/// What is in a folder, sorted by name.
fn items(folder: &Path) -> Vec<PathBuf> {
    let items = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = items.map(|item| item.path()).collect();
    paths.sort();
    paths
}

impl Store {
    /// All entries, sorted by name.
    pub fn entries(&self) -> Vec<Entry> {
        let id = |path: PathBuf| {
            let id = path.file_name()?.to_str()?.to_owned();
            Some(Entry { path, id })
        };
        items(&self.root().join("entries-v1")).into_iter().filter_map(id).collect()
    }

    /// The place of an entry, by its id.
    pub fn entry_of_id(&self, id: &str) -> Entry {
        Entry { path: self.root().join("entries-v1").join(id), id: id.to_owned() }
    }

    /// Entries whose name begins with `<name>-`, sorted by name: for explanations.
    pub fn entries_of(&self, name: &str) -> Vec<Entry> {
        let prefix = format!("{name}-");
        let mut entries = self.entries();
        entries.retain(|entry| entry.id().starts_with(&prefix));
        entries
    }

    /// All that is kept: entries, downloads, leftovers; each sorted by name.
    pub fn kept(&self) -> Vec<Kept> {
        let mut kept: Vec<_> = self.entries().into_iter().map(Kept::Entry).collect();
        kept.extend(items(&self.root().join("downloads-v1")).into_iter().filter_map(|path| {
            let name = path.file_name()?.to_str()?;
            let kind = if name.len() == 128 { "sha512" } else { "sha256" };
            Some(Kept::Download(parse_hex(kind, name).ok()?, path))
        }));
        for folder in ["failed-v1", "quarantine-v1", "verify-v1"] {
            kept.extend(items(&self.root().join(folder)).into_iter().map(Kept::Leftover));
        }
        kept
    }

    /// Holds the store in common with others that build; a command that takes things away waits.
    pub fn hold_in_common(&self) -> Result<File> {
        let file = self.lock_file(WHOLE)?;
        if flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
        {
            report::status("Waiting", "for another process that clears the store up");
        }
        lock(&file, FlockOperation::LockShared)?;
        Ok(file)
    }

    /// Holds the store alone, after all who use it have ended; says so if it must wait for them.
    pub fn hold_alone(&self) -> Result<File> {
        self.lock_named(WHOLE, "that uses the store")
    }

    /// Moves a damaged thing to quarantine, under a name that nothing there has.
    pub fn put_aside(&self, kept: &Kept) -> Result<PathBuf> {
        let name = kept.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut place = self.quarantine().join(format!("{name}.damaged"));
        let mut number = 1;
        while place.exists() {
            number += 1;
            place = self.quarantine().join(format!("{name}.damaged-{number}"));
        }
        fs::rename(kept.path(), &place).with_context(|| cannot_write(&place))?;
        touch(&place);
        Ok(place)
    }

    /// Removes a thing for good: out of its place in one move, so that no half of it is ever seen.
    /// `false` if a process that knows nothing of [`Self::hold_alone`] is at work on it.
    pub fn remove(&self, kept: &Kept) -> Result<bool> {
        let lock_name = match kept {
            Kept::Entry(entry) => Some(entry.id().to_owned()),
            Kept::Download(digest, _) => Some(digest.hex()),
            Kept::Leftover(_) => None,
        };
        let _lock = match lock_name {
            Some(name) => {
                let file = self.lock_file(&name)?;
                let taken = flock(&file, FlockOperation::NonBlockingLockExclusive);
                if taken == Err(rustix::io::Errno::WOULDBLOCK) {
                    return Ok(false);
                }
                Some(file)
            }
            None => None,
        };
        if let Kept::Download(digest, _) = kept {
            let _ = fs::remove_file(self.download_origin(digest));
        }
        let temp = self.temp("gc")?;
        let cannot = || format!("cannot remove {}", kept.path().display());
        fs::rename(kept.path(), temp.path().join("it")).with_context(cannot)?;
        Ok(true)
    }
}

/// Notes that a thing is used now. A store that cannot be written to is no error: only `gc` asks.
pub(super) fn touch(path: &Path) {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    let _ = utimensat(CWD, path, &times, AtFlags::empty());
}

impl Entry {
    /// What `outputs/` held when it was published; nothing if that was before such records were made.
    pub fn record(&self) -> Result<Option<String>> {
        let path = self.path().join(RECORD);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
}
