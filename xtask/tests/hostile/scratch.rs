//! A folder for one archive, with canaries around it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use xtask::unpack::{Limits, Part, Summary, unpack_file};

/// What a tree looks like: by path its mode, time, and text, target or nothing.
pub type Picture = BTreeMap<PathBuf, (u32, i64, Vec<u8>)>;

pub struct Scratch(pub PathBuf);

/// Small enough that whatever is unlimited is noticed.
pub fn limits() -> Limits {
    Limits { entries: 1000, file_bytes: 32 << 20, total_bytes: 64 << 20, ..Limits::default() }
}

impl Scratch {
    pub fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("muslin-hostile-{}-{number}", std::process::id());
        let scratch = Self(std::env::temp_dir().join(name));
        let _ = fs::remove_dir_all(&scratch.0);
        fs::create_dir_all(scratch.0.join("work")).unwrap();
        fs::write(scratch.0.join("canary"), "alive").unwrap();
        fs::write(scratch.0.join("work/canary"), "alive").unwrap();
        scratch
    }

    pub fn dest(&self) -> PathBuf {
        self.0.join("work/out")
    }

    pub fn unpack(&self, bytes: &[u8], root: Option<&str>) -> anyhow::Result<Summary> {
        self.unpack_part(bytes, &Part { root, omit: &[], inner: None })
    }

    pub fn unpack_part(&self, bytes: &[u8], part: &Part<'_>) -> anyhow::Result<Summary> {
        let archive = self.0.join("archive.bin");
        fs::write(&archive, bytes).unwrap();
        unpack_file(&archive, part, &self.dest(), &limits())
    }

    /// What is there besides the archive and the destination.
    pub fn surroundings(&self) -> Picture {
        let mut picture = picture(&self.0);
        let inside = Path::new("work/out");
        picture.retain(|path, _| !path.starts_with(inside) && path != Path::new("archive.bin"));
        picture.values_mut().for_each(|facts| facts.1 = 0);
        picture
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn picture(root: &Path) -> Picture {
    let mut picture = Picture::new();
    let mut open = vec![PathBuf::new()];
    while let Some(relative) = open.pop() {
        let path = root.join(&relative);
        let data = fs::symlink_metadata(&path).unwrap();
        let content = if data.is_symlink() {
            fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else if data.is_file() {
            assert_eq!(data.nlink(), 1, "{} has another name", path.display());
            fs::read(&path).unwrap()
        } else {
            assert!(data.is_dir(), "{} is something else", path.display());
            for item in fs::read_dir(&path).unwrap() {
                open.push(relative.join(item.unwrap().file_name()));
            }
            Vec::new()
        };
        picture.insert(relative, (data.mode() & 0o7777, data.mtime(), content));
    }
    picture
}
