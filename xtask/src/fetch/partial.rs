//! A download while it grows: the bytes so far, their hash, and what is needed to go on after an
//! interruption. Never holds a verified file: that is published or quarantined at once.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::guess::{HEAD_BYTES, guess};
use crate::digest::{Digest, Hasher};
use crate::layout::{self, Store};

/// What a server said about the version of the file that the partial bytes are of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Validators {
    /// The address asked.
    pub url: String,
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its `Last-Modified`.
    pub last_modified: Option<String>,
}

impl Validators {
    /// The value for `If-Range`, if there is one that is strong enough.
    pub(super) fn if_range(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|etag| etag.starts_with('"'));
        strong.or(self.last_modified.as_deref())
    }
}

/// A growing download. The caller holds the lock of its digest.
pub(super) struct Partial {
    store: Store,
    expected: Digest,
    path: PathBuf,
    file: File,
    hasher: Hasher,
    size_bytes: u64,
    old_bytes: u64,
}

impl Partial {
    /// Opens what there is, or begins; bytes that are there are hashed again.
    pub(super) fn open(store: &Store, expected: &Digest) -> Result<Self> {
        let path = store.partial(expected);
        let open = || -> std::io::Result<_> {
            let mut file =
                File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
            let mut hasher = Hasher::like(expected);
            let size_bytes = std::io::copy(&mut file, &mut hasher)?;
            Ok((file, hasher, size_bytes))
        };
        let (file, hasher, size_bytes) =
            open().with_context(|| format!("cannot write {}", path.display()))?;
        let (store, expected) = (store.clone(), *expected);
        Ok(Self { store, expected, path, file, hasher, size_bytes, old_bytes: size_bytes })
    }

    /// How many bytes are there.
    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The digest of the bytes so far.
    pub(super) fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// Whether the bytes so far are all of the expected ones.
    pub(super) fn is_complete(&self) -> bool {
        self.digest() == self.expected
    }

    /// Whether some bytes came from an earlier request than the latest.
    pub(super) fn has_old_bytes(&self) -> bool {
        self.old_bytes > 0
    }

    /// Appends bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        self.hasher.write_all(bytes)?;
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Drops all bytes: the download begins anew.
    pub(super) fn restart(&mut self) -> Result<()> {
        let mut restart = || -> std::io::Result<()> {
            self.file.set_len(0)?;
            self.file.seek(SeekFrom::Start(0)).map(drop)
        };
        restart().with_context(|| format!("cannot write {}", self.path.display()))?;
        self.hasher = Hasher::like(&self.expected);
        self.size_bytes = 0;
        self.old_bytes = 0;
        Ok(())
    }

    fn sidecar(&self) -> PathBuf {
        self.path.with_added_extension("json")
    }

    /// What is remembered about the bytes, if that is readable.
    pub(super) fn validators(&self) -> Option<Validators> {
        serde_json::from_slice(&fs::read(self.sidecar()).ok()?).ok()
    }

    /// Begins to take in an answer: remembers whose bytes come now, for a run that goes on with them.
    pub(super) fn begin(&mut self, validators: &Validators) -> Result<()> {
        self.old_bytes = self.size_bytes;
        layout::write_atomically(&self.sidecar(), &serde_json::to_vec_pretty(validators)?)
    }

    /// Publishes the complete file; the caller has seen [`Partial::is_complete`].
    pub(super) fn publish(self, name: &str, origin: &str) -> Result<PathBuf> {
        debug_assert!(self.is_complete());
        let path = self.store.publish_download(&self.path, &self.expected, name, origin)?;
        let _ = fs::remove_file(self.sidecar());
        Ok(path)
    }

    /// Puts the file aside under a name with both digests, for the post-mortem.
    pub(super) fn quarantine(mut self, name: &str) -> Result<Quarantined> {
        let found = self.digest();
        let mut head = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        (&self.file).take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        let place = quarantine_place(&self.store, &self.expected, &found);
        fs::rename(&self.path, &place)
            .with_context(|| format!("cannot write {}", place.display()))?;
        let _ = fs::remove_file(self.sidecar());
        let guess = guess(&head, self.size_bytes, name);
        Ok(Quarantined { path: place, found, size_bytes: self.size_bytes, guess })
    }

    /// Removes what is useless to everybody.
    pub(super) fn discard(self) {
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(self.sidecar());
    }
}

/// Bytes that were put aside.
pub(super) struct Quarantined {
    /// Where they are now.
    pub path: PathBuf,
    /// What they hash to.
    pub found: Digest,
    /// How many they are.
    pub size_bytes: u64,
    /// What they are in all likelihood.
    pub guess: String,
}

/// Where bytes with one digest go that should have had another.
pub(super) fn quarantine_place(store: &Store, expected: &Digest, found: &Digest) -> PathBuf {
    let (expected, found) = (expected.hex(), found.hex());
    store.quarantine().join(format!("{expected}.found-{}", &found[..16]))
}
