//! Pax extension headers, split by the `tar` crate. Takes the three keys that change what an entry
//! is, refuses sparse files, ignores the rest (owners, times, attributes).

use anyhow::{Context as _, Result, bail};
use tar::PaxExtensions;

/// What an extension says about an entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
}

impl Extension {
    pub(super) fn parse(data: &[u8]) -> Result<Self> {
        // The crate stops at an empty line, and takes a cut last one for whole.
        if data.starts_with(b"\n") || memchr::memmem::find(data, b"\n\n").is_some() {
            bail!("an empty record");
        }
        if !data.is_empty() && !data.ends_with(b"\n") {
            bail!("a record without an end");
        }
        let mut extension = Self::default();
        for record in PaxExtensions::new(data) {
            let record = record?;
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => set(&mut extension.path, value.to_vec(), value)?,
                b"linkpath" => set(&mut extension.link, value.to_vec(), value)?,
                b"size" => set(&mut extension.size, parse_size(value)?, value)?,
                key if key.starts_with(b"GNU.sparse.") => bail!("a sparse file"),
                b"" => bail!("a record without a key"),
                _ => {}
            }
        }
        Ok(extension)
    }
}

fn set<T>(place: &mut Option<T>, value: T, text: &[u8]) -> Result<()> {
    if text.is_empty() {
        bail!("a record without a value");
    }
    // POSIX lets the last one win, but not every reader does.
    if place.replace(value).is_some() {
        bail!("the same record twice");
    }
    Ok(())
}

fn parse_size(digits: &[u8]) -> Result<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        bail!("a size that is no number");
    }
    std::str::from_utf8(digits)?.parse().ok().context("a size too large for 64 bits")
}
