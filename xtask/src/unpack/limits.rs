//! How much an archive may ask for. Counts what it asks; never what it says it will.

use std::io::{self, Read};

use anyhow::{Result, bail};

/// Unpacked bytes that no ratio forbids: a small archive of empty tables compresses a thousandfold.
const RATIO_FREE_BYTES: u64 = 16 << 20;

/// What a tar spends on an entry besides its content: a header, two extensions, padding.
const OVERHEAD_BYTES: u64 = 4096;

/// The most that an archive may hold, checked while it is read and before anything is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Headers of a tar, extensions included, or records of a zip. Default 400,000: the sources of
    /// GCC have 130,000.
    pub entries: u64,
    /// Bytes of one file. Default 2 GiB: the largest seen is a compiler of 185 MB.
    pub file_bytes: u64,
    /// Bytes of all files together. Default 8 GiB.
    pub total_bytes: u64,
    /// Bytes of a path or of a link's target. Default 1024.
    pub name_bytes: usize,
    /// Bytes of one part of a path. Default 255, what file systems can hold.
    pub component_bytes: usize,
    /// Parts of a path. Default 64.
    pub depth: usize,
    /// Unpacked bytes for each byte of the archive, after the first 16 MiB. Default 250: sources
    /// reach 10, and no honest tree is near the 1000 that deflate can do.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 400_000,
            file_bytes: 2 << 30,
            total_bytes: 8 << 30,
            name_bytes: 1024,
            component_bytes: 255,
            depth: 64,
            ratio: 250,
        }
    }
}

/// What an archive has used of its limits.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    archive_bytes: u64,
    entries: u64,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(limits: Limits, archive_bytes: u64) -> Self {
        Self { limits, archive_bytes, entries: 0, bytes: 0 }
    }

    /// Entries so far.
    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// One more header or record.
    pub(super) fn entry(&mut self) -> Result<()> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            bail!("more than {} entries", self.limits.entries);
        }
        Ok(())
    }

    /// One more file of this size: asked before a byte of it is written.
    pub(super) fn file(&mut self, bytes: u64) -> Result<()> {
        if bytes > self.limits.file_bytes {
            bail!("a file of {bytes} bytes, more than {}", self.limits.file_bytes);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limits.total_bytes {
            bail!("more than {} bytes in all", self.limits.total_bytes);
        }
        self.ratio(self.bytes)
    }

    /// A stream that gives no more bytes than all entries together may take.
    pub(super) fn meter<R>(&self, stream: R) -> Metered<R> {
        let overhead = self.limits.entries.saturating_mul(OVERHEAD_BYTES);
        let total = self.limits.total_bytes.saturating_add(overhead);
        Metered { stream, bytes: 0, most: total.min(self.most_by_ratio()), limits: self.limits }
    }

    fn most_by_ratio(&self) -> u64 {
        self.archive_bytes.saturating_mul(self.limits.ratio).max(RATIO_FREE_BYTES)
    }

    fn ratio(&self, bytes: u64) -> Result<()> {
        if bytes > self.most_by_ratio() {
            bail!(bomb(&self.limits));
        }
        Ok(())
    }
}

fn bomb(limits: &Limits) -> String {
    format!("it unpacks to more than {} times its size: a decompression bomb", limits.ratio)
}

/// What comes out of a decompressor, counted.
#[derive(Debug)]
pub(super) struct Metered<R> {
    stream: R,
    bytes: u64,
    most: u64,
    limits: Limits,
}

impl<R> Metered<R> {
    /// Bytes so far.
    pub(super) fn count(&self) -> u64 {
        self.bytes
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.bytes += count as u64;
        if self.bytes > self.most {
            let total = self.limits.total_bytes;
            return Err(io::Error::other(if self.most > total {
                format!("more than {total} bytes in all")
            } else {
                bomb(&self.limits)
            }));
        }
        Ok(count)
    }
}
