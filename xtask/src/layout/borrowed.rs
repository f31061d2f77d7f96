//! A file that is not Muslin's but that a program it calls may write, such as an app's Cargo.lock:
//! whatever happens, it is as it was when Muslin ends.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What is borrowed now, for the signal handler: path and contents before; `None` if it was not there.
static BORROWED: Mutex<Vec<(PathBuf, Option<Vec<u8>>)>> = Mutex::new(Vec::new());

fn borrowed() -> std::sync::MutexGuard<'static, Vec<(PathBuf, Option<Vec<u8>>)>> {
    BORROWED.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Gives back everything: for the end by a signal.
pub fn give_back_all() {
    for (path, before) in borrowed().drain(..) {
        let _ = put_back(&path, before.as_deref());
    }
}

/// One borrowed file; given back when dropped.
#[derive(Debug)]
pub struct Borrowed {
    path: PathBuf,
}

impl Borrowed {
    /// Remembers the file as it is now.
    pub fn new(path: &Path) -> io::Result<Self> {
        let before = read(path)?;
        borrowed().push((path.to_owned(), before));
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds now, if that is not what it held before.
    pub fn change(&self) -> Option<Vec<u8>> {
        let now = read(&self.path).ok()??;
        let all = borrowed();
        let before = all.iter().find(|(path, _)| *path == self.path)?.1.as_ref();
        (before != Some(&now)).then_some(now)
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let mut all = borrowed();
        if let Some(at) = all.iter().position(|(path, _)| *path == self.path) {
            let (path, before) = all.swap_remove(at);
            let _ = put_back(&path, before.as_deref());
        }
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
        let both = [Borrowed::new(&new).unwrap(), Borrowed::new(&old).unwrap()];
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
}
