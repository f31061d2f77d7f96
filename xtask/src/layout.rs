//! The door to the disk: names every path that Muslin makes, and how things come to be there.
//!
//! The store is one folder per user, shared by all checkouts, surviving `cargo clean`:
//!
//! ```text
//! downloads-v1/<digest>/<file>         only ever holds verified bytes
//! downloads-v1/<digest>.origin         who served them, in one line
//! quarantine-v1/                       partial and mismatching downloads, damaged entries, for the post-mortem
//! entries-v1/<name>-<version>-<fp16>/  outputs/  outputs.sha256  licenses/  build.log  fingerprint.txt  origin.txt
//! failed-v1/<name>-<version>-<fp16>/   the folder of a step that failed, until it is made
//! graphs-v1/<question>.json            what cargo said of an app's graph, with what it read for that
//! roots-v1/<package and target>.json   what the last plan of a package uses: see `roots`
//! verify-v1/                           what the last `verify --keep` has built
//! locks-v1/<entry>.lock                who works on what; never deleted
//! tmp/                                 same file system: publishing is a rename
//! ```
//!
//! Presence is the only state: no stamp files, no timestamps decide anything. (One is kept for
//! `store gc` alone: a folder's own time is when a command last used it.) A thing is written in `tmp/`, synced
//! and renamed, so a crash leaves nothing half-made; what a dead process left in `tmp/` is swept by
//! the next one.

mod borrowed;
mod entry;
mod inventory;
mod roots;
mod shared;
mod stamp;
mod tree;
mod workspace;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use rustix::fs::{FlockOperation, flock};

use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::process::env_var;
use crate::report;
pub use borrowed::Borrowed;
pub use entry::Entry;
pub use inventory::Kept;
pub use roots::Root;
pub use shared::memory_folder;
pub use stamp::Stamp;
use tree::{cannot_write, sync_folder};
pub use tree::{
    copy_atomically, copy_tree, copy_with_times, files_below, remove_tree, tree_listing,
    write_atomically, write_whole,
};
pub use workspace::{published_crates, target_folder, workspace_root};

/// The part of an entry's name that tells its fingerprint: 16 of 64 digits.
const FINGERPRINT_DIGITS: usize = 16;

/// All that a store is made of.
const FOLDERS: [&str; 8] = [
    "downloads-v1",
    "quarantine-v1",
    "entries-v1",
    "failed-v1",
    "graphs-v1",
    "roots-v1",
    "locks-v1",
    "tmp",
];

/// The folder with everything that was fetched or built. See the module for its layout.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Where the store is when nobody says: `$XDG_CACHE_HOME/muslin`, else `~/.cache/muslin`.
    /// A relative `XDG_CACHE_HOME` is ignored, as its specification asks.
    pub fn default_root() -> Result<PathBuf> {
        let absolute = |name| env_var(name).map(PathBuf::from).filter(|path| path.is_absolute());
        absolute("XDG_CACHE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
            .map(|cache| cache.join("muslin"))
            .ok_or_else(|| {
                Failure::new(Exit::Usage, "there is no place for the store: HOME is not set")
                    .help("name one with `--store DIR` or MUSLIN_STORE")
                    .into()
            })
    }

    /// Opens a store without making anything: for commands that touch nothing.
    pub fn peek(root: &Path) -> Result<Self> {
        let root = std::path::absolute(root)?;
        Ok(Self { root })
    }

    /// Opens a store, makes its folders, and sweeps what dead processes left.
    pub fn open(root: &Path) -> Result<Self> {
        let store = Self::peek(root)?;
        refuse_strange(&store.root)?;
        store.prepare().map_err(|error| {
            let place = store.root.display();
            Failure::new(Exit::Failed, format!("cannot write to the store {place}: {error}"))
                .help("name another place with `--store DIR` or MUSLIN_STORE")
        })?;
        store.sweep();
        Ok(store)
    }

    fn prepare(&self) -> io::Result<()> {
        for folder in FOLDERS {
            fs::create_dir_all(self.root.join(folder))?;
        }
        rustix::fs::access(self.root.join("tmp"), rustix::fs::Access::WRITE_OK)?;
        Ok(())
    }

    /// The store's own path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a verified download.
    pub fn download_folder(&self, digest: &Digest) -> PathBuf {
        self.root.join("downloads-v1").join(digest.hex())
    }

    /// The verified download with this digest, if the store has it.
    pub fn download(&self, digest: &Digest) -> Option<PathBuf> {
        let mut files = fs::read_dir(self.download_folder(digest)).ok()?.flatten();
        files.next().map(|file| file.path())
    }

    /// The file that remembers, in one line, who served a download.
    pub fn download_origin(&self, digest: &Digest) -> PathBuf {
        self.root.join("downloads-v1").join(format!("{}.origin", digest.hex()))
    }

    /// Makes a finished and verified file, which lies in this store, the download of its digest.
    pub fn publish_download(
        &self,
        file: &Path,
        digest: &Digest,
        name: &str,
        origin: &str,
    ) -> Result<PathBuf> {
        let folder = self.download_folder(digest);
        let path = folder.join(name);
        write_atomically(&self.download_origin(digest), format!("{origin}\n").as_bytes())?;
        let publish = || -> io::Result<()> {
            File::open(file)?.sync_all()?;
            fs::create_dir_all(&folder)?;
            fs::rename(file, &path)?;
            sync_folder(&folder)?;
            sync_folder(folder.parent().unwrap_or(&folder))
        };
        publish().with_context(|| cannot_write(&path))?;
        Ok(path)
    }

    /// The right to fetch a digest. If another process has it, says so and waits.
    pub fn lock_download(&self, digest: &Digest, what: &str) -> Result<File> {
        self.lock_named(&digest.hex(), &format!("that fetches {what}"))
    }

    /// Where partial and mismatching downloads go.
    pub fn quarantine(&self) -> PathBuf {
        self.root.join("quarantine-v1")
    }

    /// Where a download grows until it is verified.
    pub fn partial(&self, digest: &Digest) -> PathBuf {
        self.quarantine().join(format!("{}.partial", digest.hex()))
    }

    /// The place of an entry, whether it is there or not.
    pub fn entry(&self, name: &str, version: &str, fingerprint: &str) -> Entry {
        let digits = &fingerprint[..FINGERPRINT_DIGITS.min(fingerprint.len())];
        let id = format!("{name}-{version}-{digits}");
        Entry { path: self.root.join("entries-v1").join(&id), id }
    }

    /// Where the answer to a question about an app's graph is kept.
    pub fn graph(&self, question: &Digest) -> PathBuf {
        self.root.join("graphs-v1").join(format!("{}.json", question.hex()))
    }

    /// Where the folder of a step that failed is kept.
    pub fn failed(&self, entry: &Entry) -> PathBuf {
        self.root.join("failed-v1").join(&entry.id)
    }

    /// A folder of our own in `tmp/`, gone when dropped.
    pub fn temp(&self, label: &str) -> Result<TempFolder> {
        let parent = self.root.join("tmp");
        let guard = File::open(&parent).with_context(|| parent.display().to_string())?;
        lock(&guard, FlockOperation::LockShared)?;
        TempFolder::new(&parent, label)
    }

    /// The right to work on an entry. If another process has it, says so and waits.
    pub fn lock(&self, entry: &Entry) -> Result<File> {
        self.lock_named(&entry.id, &format!("that makes {}", entry.id))
    }

    /// Where those who have borrowed a file find each other.
    pub fn desk(&self, file: &Path) -> PathBuf {
        let digest = Digest::sha256_of(file.as_os_str().as_encoded_bytes());
        self.root.join("locks-v1").join(format!("borrowed-{}.lock", digest.hex()))
    }

    fn lock_file(&self, id: &str) -> Result<File> {
        let path = self.root.join("locks-v1").join(format!("{id}.lock"));
        let file = File::options().create(true).append(true).open(&path);
        file.with_context(|| format!("cannot open {}", path.display()))
    }

    fn lock_named(&self, id: &str, does: &str) -> Result<File> {
        let file = self.lock_file(id)?;
        if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error == rustix::io::Errno::WOULDBLOCK {
                report::status("Waiting", format!("for another process {does}"));
            }
            lock(&file, FlockOperation::LockExclusive)?;
        }
        Ok(file)
    }

    /// Removes temporary folders whose owner is dead. Skipped while somebody is making one.
    fn sweep(&self) {
        let parent = self.root.join("tmp");
        let Ok(guard) = File::open(&parent) else { return };
        if flock(&guard, FlockOperation::NonBlockingLockExclusive).is_err() {
            return;
        }
        for folder in fs::read_dir(&parent).into_iter().flatten().flatten() {
            let path = folder.path();
            let is_dead = File::open(&path)
                .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok());
            if is_dead {
                // A tree of sources takes seconds.
                let _progress = report::Progress::spinner("Removing", "what a killed command left");
                let _ = remove_tree(&path);
            }
        }
    }
}

/// Refuses a path that the programs of a build would misread: make and configure scripts take these
/// characters for their own, pkg-config says nothing at all to a quote, and a colon divides `PATH`.
/// Blanks and letters of any kind are well.
fn refuse_strange(root: &Path) -> Result<()> {
    let strange = |c: &char| c.is_control() || "'\"`$\\#:*?;&|<>\u{fffd}".contains(*c);
    let Some(found) = root.to_string_lossy().chars().find(strange) else { return Ok(()) };
    let place = root.display();
    let message =
        format!("the store {place} has {found:?} in its path, which builds would misread");
    let help = "name another place with `--store DIR` or MUSLIN_STORE";
    Err(Failure::new(Exit::Usage, message).help(help).into())
}

/// Holds a folder against other processes that do so too, waiting for them; until dropped.
pub fn hold(folder: &Path) -> Result<File> {
    let file = File::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
    lock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

/// Takes a lock; a file system that has none (some network ones) is worked on without: names are
/// unique and publishing is atomic, so the worst is work done twice.
fn lock(file: &File, operation: FlockOperation) -> Result<()> {
    use rustix::io::Errno;
    match flock(file, operation) {
        Ok(()) | Err(Errno::NOLCK | Errno::OPNOTSUPP) => Ok(()),
        Err(error) => Err(error).context("cannot lock in the store"),
    }
}

/// Temporary folders of this process, for the signal handler.
static LIVE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn live() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    LIVE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Removes what this process has half-made: for the end by a signal.
pub fn clean_up() {
    borrowed::give_back_all();
    for path in live().drain(..) {
        let _ = remove_tree(&path);
    }
}

/// A folder in `tmp/` that belongs to this process and goes with it.
#[derive(Debug)]
pub struct TempFolder {
    path: PathBuf,
    _hold: File,
    keep: bool,
}

impl TempFolder {
    fn new(parent: &Path, label: &str) -> Result<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{label}-{}-{number}", std::process::id()));
        if path.exists() {
            remove_tree(&path)?;
        }
        DirBuilder::new().mode(0o755).create(&path).with_context(|| path.display().to_string())?;
        let hold = File::open(&path)?;
        lock(&hold, FlockOperation::NonBlockingLockExclusive)?;
        live().push(path.clone());
        Ok(Self { path, _hold: hold, keep: false })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the folder to a lasting place, instead of what is there.
    pub fn keep_as(self, place: &Path) -> Result<()> {
        remove_tree(place)?;
        fs::rename(&self.path, place).with_context(|| cannot_write(place))?;
        self.released();
        Ok(())
    }

    fn released(mut self) {
        self.keep = true;
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // Under the lock: whoever ends the process by a signal waits until the folder is gone.
        let mut live = live();
        if !self.keep {
            let _ = remove_tree(&self.path);
        }
        live.retain(|path| path != &self.path);
    }
}

#[cfg(test)]
mod tests;
