//! What tells a file from another one in its place without reading it: number, size and times, of
//! which nobody can set the last.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The coarsest clock by which a file system in use dates a change, and more.
const TICK_SECONDS: i128 = 3;

/// A file's device, number, size, and the times of its content and of any change, each in seconds
/// and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp([i128; 7]);

impl Stamp {
    /// The stamp of a file; nothing if there is none.
    pub fn of(file: &Path) -> Option<Self> {
        let data = fs::metadata(file).ok()?;
        Some(Self([
            data.dev().into(),
            data.ino().into(),
            data.size().into(),
            data.mtime().into(),
            data.mtime_nsec().into(),
            data.ctime().into(),
            data.ctime_nsec().into(),
        ]))
    }

    /// The same for a file that has not changed for some time: whatever changes it from now on gives it
    /// another stamp. Two changes in one tick of the clock could not be told apart.
    pub fn settled(file: &Path) -> Option<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        Self::of(file).filter(|Self([.., changed, _])| changed + TICK_SECONDS <= now.into())
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests have no store yet")]
mod tests {
    use super::*;

    #[test]
    fn a_file_just_written_is_not_settled() {
        let file = std::env::temp_dir().join(format!("muslin-stamp-{}", std::process::id()));
        assert_eq!(Stamp::of(&file), None);
        fs::write(&file, "a").unwrap();
        assert_eq!(Stamp::of(&file), Stamp::of(&file));
        assert!(Stamp::of(&file).is_some());
        assert_eq!(Stamp::settled(&file), None);
        // Older by what its owner says, which counts for nothing.
        let long_ago = UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        fs::File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(Stamp::settled(&file), None);
        fs::remove_file(&file).unwrap();
        let own = std::env::current_exe().unwrap();
        assert!(Stamp::of(&own).is_some());
        let old = Path::new("/proc/self/exe");
        assert_eq!(Stamp::of(old), Stamp::of(&own), "a link counts as what it names");
    }
}
