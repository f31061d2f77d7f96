//! A file on this disk becomes a download: copied, hashed while copying, published or put aside.
//! Never touches the file that it copies.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};

use super::guess::{HEAD_BYTES, guess};
use super::partial::{Quarantined, quarantine_place};
use super::refusal::{Cause, Refusal};
use super::wanted::{Wanted, mismatch};
use super::{Attempt, Fetcher, VerifiedArchive};
use crate::digest::Hasher;

/// Takes a copy of a file in, if it has the wanted digest; a copy of any other goes to quarantine.
pub(super) fn adopt(fetcher: &Fetcher, wanted: &Wanted, file: &Path, place: &str) -> Attempt {
    let store = &fetcher.store;
    let temp = store.temp("fetch")?;
    let copy = temp.path().join("copy");
    let mut reader = match File::open(file) {
        Ok(reader) => reader,
        Err(error) => {
            let reason = format!("cannot read {}: {error}", file.display());
            return Ok(Err(Refusal::new(place, Cause::Absent, reason)));
        }
    };
    wanted.announce(place);
    let mut hasher = Hasher::like(&wanted.digest);
    let mut head = Vec::new();
    let cannot_write = || format!("cannot write {}", copy.display());
    let mut writer = File::create(&copy).with_context(cannot_write)?;
    let mut buffer = vec![0; 256 << 10];
    let mut size_bytes = 0;
    loop {
        let count =
            reader.read(&mut buffer).with_context(|| format!("cannot read {}", file.display()))?;
        let bytes = &buffer[..count];
        if bytes.is_empty() {
            break;
        }
        writer.write_all(bytes).with_context(cannot_write)?;
        hasher.write_all(bytes)?;
        head.extend_from_slice(&bytes[..bytes.len().min(HEAD_BYTES - head.len())]);
        size_bytes += count as u64;
    }
    let found = hasher.finish();
    if found == wanted.digest {
        let path = store.publish_download(&copy, &wanted.digest, &wanted.file_name, place)?;
        return Ok(Ok(VerifiedArchive::new(path, wanted.digest, place)));
    }
    let path = quarantine_place(store, &wanted.digest, &found);
    fs::rename(&copy, &path).with_context(|| format!("cannot write {}", path.display()))?;
    let guess = guess(&head, size_bytes, &wanted.file_name);
    Ok(Err(mismatch(wanted, place, &Quarantined { path, found, size_bytes, guess })))
}

/// Whether a file has the wanted digest. One that cannot be read has not.
pub(super) fn has_digest(wanted: &Wanted, file: &Path) -> bool {
    let hashed: Result<_, _> = File::open(file).and_then(|file| wanted.digest.of_same_kind(file));
    hashed.is_ok_and(|found| found == wanted.digest)
}
