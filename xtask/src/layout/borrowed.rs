//! A file that is not Muslin's but that a program it calls may write, such as an app's Cargo.lock:
//! whatever happens, it is as it was when Muslin ends.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{FlockOperation, flock};

/// What is borrowed now, for the signal handler.
static BORROWED: Mutex<Vec<Loan>> = Mutex::new(Vec::new());

/// A file, what it held before (`None` if it was not there), and the desk that knows who else has it.
#[derive(Debug)]
struct Loan {
    path: PathBuf,
    before: Option<Vec<u8>>,
    desk: Option<Desk>,
    number: u32,
}

fn borrowed() -> std::sync::MutexGuard<'static, Vec<Loan>> {
    BORROWED.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Gives back everything: for the end by a signal.
pub fn give_back_all() {
    for loan in borrowed().drain(..) {
        let _ = loan.give_back();
    }
}

/// One borrowed file; given back when dropped.
#[derive(Debug)]
pub struct Borrowed {
    path: PathBuf,
    number: u32,
}

impl Borrowed {
    /// Remembers the file as it is now; or as it was before others borrowed it, who still have it.
    /// They find each other by the file `desk`, without which each is alone.
    pub fn new(path: &Path, desk: Option<&Path>) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let desk = desk.and_then(|place| Desk::join(place).ok());
        let mut before = read(path)?;
        let desk = desk.map(|mut desk| {
            match desk.is_first {
                true => desk.write(before.as_deref()),
                false => before = desk.read().unwrap_or(before.take()),
            }
            desk.let_others_in();
            desk
        });
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        borrowed().push(Loan { path: path.to_owned(), before, desk, number });
        Ok(Self { path: path.to_owned(), number })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it was there before.
    pub fn was_there(&self) -> bool {
        borrowed().iter().any(|loan| loan.number == self.number && loan.before.is_some())
    }

    /// What it holds now, if that is not what it held before.
    pub fn change(&self) -> Option<Vec<u8>> {
        let now = read(&self.path).ok()??;
        let all = borrowed();
        let before = all.iter().find(|loan| loan.number == self.number)?.before.as_ref();
        (before != Some(&now)).then_some(now)
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let mut all = borrowed();
        if let Some(at) = all.iter().position(|loan| loan.number == self.number) {
            let _ = all.swap_remove(at).give_back();
        }
    }
}

impl Loan {
    /// The last who has the file puts it back.
    fn give_back(self) -> io::Result<()> {
        match &self.desk {
            Some(desk) if !desk.is_last() => Ok(()),
            Some(desk) => put_back(&self.path, self.before.as_deref()).and(desk.close()),
            None => put_back(&self.path, self.before.as_deref()),
        }
    }
}

/// A lock file that all who have borrowed the same file hold together. The first writes down what it
/// was before; that counts while somebody holds it: who was killed gave nothing back, and the file may
/// since have become the user's own.
#[derive(Debug)]
struct Desk {
    place: PathBuf,
    file: File,
    is_first: bool,
}

impl Desk {
    fn join(place: &Path) -> io::Result<Self> {
        loop {
            let mut options = File::options();
            let file = options.create(true).truncate(false).read(true).write(true).open(place)?;
            let is_first = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
            if !is_first {
                flock(&file, FlockOperation::LockShared)?;
            }
            // The last one may have closed it meanwhile.
            let (ours, there) = (file.metadata()?, fs::metadata(place));
            if there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
                return Ok(Self { place: place.to_owned(), file, is_first });
            }
        }
    }

    fn write(&mut self, before: Option<&[u8]>) {
        let text = match before {
            Some(bytes) => [b"was:", bytes].concat(),
            None => b"none".to_vec(),
        };
        let _ = self.file.set_len(0).and_then(|()| self.file.write_all(&text));
    }

    /// What the first wrote, if it could.
    fn read(&mut self) -> Option<Option<Vec<u8>>> {
        let mut said = Vec::new();
        self.file.read_to_end(&mut said).ok()?;
        match said.strip_prefix(b"was:") {
            Some(bytes) => Some(Some(bytes.to_vec())),
            None => (said == b"none").then_some(None),
        }
    }

    fn let_others_in(&self) {
        let _ = flock(&self.file, FlockOperation::LockShared);
    }

    fn is_last(&self) -> bool {
        flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    fn close(&self) -> io::Result<()> {
        fs::remove_file(&self.place)
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes only what has changed, so that an untouched file keeps its time.
fn put_back(path: &Path, before: Option<&[u8]>) -> io::Result<()> {
    if read(path)?.as_deref() == before {
        return Ok(());
    }
    match before {
        Some(bytes) => fs::write(path, bytes),
        None => fs::remove_file(path),
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests have no store yet")]
mod tests {
    use super::*;

    #[test]
    fn files_are_as_they_were() {
        let folder = std::env::temp_dir().join(format!("muslin-borrowed-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (new, old) = (folder.join("new"), folder.join("old"));
        fs::write(&old, "before").unwrap();
        let both = [&new, &old].map(|file| Borrowed::new(file, None).unwrap());
        assert_eq!(both[1].change(), None);
        fs::write(&new, "made").unwrap();
        fs::write(&old, "changed").unwrap();
        assert_eq!(both[0].change().as_deref(), Some(&b"made"[..]));
        assert_eq!(both[1].change().as_deref(), Some(&b"changed"[..]));
        drop(both);
        assert!(!new.exists());
        assert_eq!(fs::read_to_string(&old).unwrap(), "before");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_last_of_several_gives_it_back() {
        let folder = std::env::temp_dir().join(format!("muslin-desk-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, desk) = (folder.join("file"), folder.join("desk"));
        let borrow = || Borrowed::new(&file, Some(&desk)).unwrap();
        let first = borrow();
        fs::write(&file, "made").unwrap();
        let second = borrow();
        drop(first);
        assert_eq!(fs::read_to_string(&file).unwrap(), "made", "the second still has it");
        assert_eq!(second.change().as_deref(), Some(&b"made"[..]));
        drop(second);
        assert!(!file.exists() && !desk.exists());
        // Who was killed left both; since then the file is the user's.
        fs::write(&file, "the user's").unwrap();
        fs::write(&desk, "none").unwrap();
        let both = [borrow(), borrow()];
        fs::write(&file, "changed").unwrap();
        drop(both);
        assert_eq!(fs::read_to_string(&file).unwrap(), "the user's");
        fs::remove_dir_all(&folder).unwrap();
    }
}
