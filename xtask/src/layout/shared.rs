//! One store that takes things from another: for `verify`, which builds in stores of its own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rustix::fs::FlockOperation;

use super::{Entry, Store, TempFolder, cannot_write, lock, remove_tree};

impl Store {
    /// Makes the downloads of another store ours too, by links: they are verified and never change.
    pub fn share_downloads(&self, from: &Self) -> Result<()> {
        let [theirs, ours] = [from, self].map(|store| store.root.join("downloads-v1"));
        for item in fs::read_dir(&theirs).with_context(|| theirs.display().to_string())? {
            let item = item?;
            let place = ours.join(item.file_name());
            symlink(item.path(), &place).with_context(|| cannot_write(&place))?;
        }
        Ok(())
    }

    /// Makes an entry of another store ours too, by a link.
    pub fn share_entry(&self, theirs: &Path) -> Result<()> {
        let place = self.root.join("entries-v1").join(theirs.file_name().unwrap_or_default());
        symlink(theirs, &place).with_context(|| cannot_write(&place))
    }

    /// The folder of all entries.
    pub fn entries_folder(&self) -> PathBuf {
        self.root.join("entries-v1")
    }

    /// Entries that are not shared with another store, by name.
    pub fn own_entries(&self) -> Result<Vec<Entry>> {
        let folder = self.entries_folder();
        let mut found = Vec::new();
        for item in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let item = item?;
            if let (true, Ok(id)) = (item.file_type()?.is_dir(), item.file_name().into_string()) {
                found.push(Entry { path: item.path(), id });
            }
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Where the builds of `verify --keep` lie; those of the last time are removed.
    pub fn kept_builds(&self) -> Result<PathBuf> {
        let place = self.root.join("verify-v1");
        remove_tree(&place).with_context(|| format!("cannot remove {}", place.display()))?;
        fs::create_dir_all(&place).with_context(|| cannot_write(&place))?;
        Ok(place)
    }
}

/// A folder of our own in memory, where files are listed in the order in which they were made; `None`
/// where the machine has no such place. What dead processes left there is removed.
pub fn memory_folder(label: &str) -> Option<TempFolder> {
    let parent = Path::new("/dev/shm");
    let label = format!("muslin-{label}");
    for item in fs::read_dir(parent).ok()?.flatten() {
        let is_ours = item.file_name().to_string_lossy().starts_with(&label);
        let hold = fs::File::open(item.path());
        if is_ours && hold.is_ok_and(|f| lock(&f, FlockOperation::NonBlockingLockExclusive).is_ok())
        {
            let _ = remove_tree(&item.path());
        }
    }
    TempFolder::new(parent, &label).ok()
}
