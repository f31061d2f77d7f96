//! An archive as most tools install from: `.tar.gz` and `.tar.zst`, below one folder.

use std::fs::{self, File};
use std::io::{BufReader, Cursor};
use std::path::Path;

use anyhow::{Context as _, Result};
use flate2::{Compression as Level, GzBuilder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::contents::Contents;
use crate::archive::Archive;
use crate::digest::Digest;
use crate::layout::write_atomically;

/// An operating system in gzip's header, where it says that it does not know (RFC 1952).
pub const UNKNOWN_SYSTEM: u8 = 255;

/// How an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// What every system unpacks.
    Gzip,
    /// Larger than it could be, as the encoder in Rust has only its quickest level; unpacked faster.
    Zstd,
}

impl Compression {
    /// How a file's name ends.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Gzip => "tar.gz",
            Self::Zstd => "tar.zst",
        }
    }
}

/// Writes an archive, whole or not at all.
pub fn write(contents: &Contents, top: &str, compression: Compression, path: &Path) -> Result<()> {
    let bytes = match compression {
        Compression::Gzip => {
            let header = GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM);
            let out = header.write(Vec::new(), Level::best());
            tar(contents, top, out)?.finish()?
        }
        Compression::Zstd => {
            let plain = tar(contents, top, Vec::new())?;
            compress_to_vec(Cursor::new(plain), CompressionLevel::Fastest)
        }
    };
    write_atomically(path, &bytes)
}

fn tar<W: std::io::Write>(contents: &Contents, top: &str, out: W) -> Result<W> {
    let mut archive = Archive::new(out);
    for (name, item) in &contents.0 {
        let file = File::open(&item.from)
            .with_context(|| format!("cannot read {}", item.from.display()))?;
        let size = file.metadata()?.len();
        archive.file(&Path::new(top).join(name), item.is_program, size, BufReader::new(file))?;
    }
    archive.finish()
}

/// A file's SHA-256 as text, and its size in bytes.
pub fn digest(path: &Path) -> Result<(String, u64)> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok((Digest::sha256_of(&bytes).hex(), bytes.len() as u64))
}
