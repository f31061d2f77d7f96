//! Bytes of a file at a place, and little-endian fields in them. Never moves the file's own position,
//! so threads can share it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

use anyhow::{Context as _, Result};

/// A file with a position of its own.
pub(in super::super) struct At<'a> {
    pub(in super::super) file: &'a File,
    pub(in super::super) at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// Bytes of a file that must be there.
pub(super) fn read_at(file: &File, at: u64, length: usize) -> Result<Vec<u8>> {
    let mut data = vec![0; length];
    file.read_exact_at(&mut data, at).context("the archive is cut")?;
    Ok(data)
}

/// Fields, taken one after the other.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).context("a record is cut")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH]> {
        Ok(self.take(LENGTH)?.try_into()?)
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Puts the sizes of a zip64 field in the place of those that had no room.
    pub(super) fn widen(mut self, sizes: &mut [u64]) -> Result<()> {
        for size in sizes.iter_mut().filter(|size| **size == u64::from(u32::MAX)) {
            *size = self.u64()?;
        }
        Ok(())
    }
}
