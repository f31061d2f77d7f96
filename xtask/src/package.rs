//! Checked programs → the files that people deploy, each with the same bytes wherever it is made.

mod contents;
pub mod image;
mod tarball;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::check::Checked;
use crate::digest::{Digest, parse_hex};
use crate::rust::Memory;
use crate::session::Project;
use crate::target::Target;

pub use contents::Contents;
pub use tarball::{Compression, digest};

/// Bump when the same contents are packed into other bytes.
const FORMAT: &str = "package 1";

/// A file that was packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its SHA-256.
    pub sha256: Digest,
    /// Its size.
    pub size_bytes: u64,
}

impl PackedFile {
    /// The file that is there.
    pub fn of(path: PathBuf) -> Result<Self> {
        let (sha256, size_bytes) = digest(&path)?;
        Ok(Self { path, sha256: parse_hex("sha256", &sha256)?, size_bytes })
    }

    /// The file that was made of the same before and is there as it was then; else it is written.
    pub fn recall(
        path: PathBuf,
        question: &str,
        memory: &Memory,
        write: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let is_there = |known: &(String, u64)| digest(&path).is_ok_and(|is| is == *known);
        let (sha256, size_bytes) =
            memory.recall(question, &[], is_there, || write(&path).and_then(|()| digest(&path)))?;
        Ok(Self { path, sha256: parse_hex("sha256", &sha256)?, size_bytes })
    }

    /// Its name without the folder.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Packs programs, by name, and what belongs to them into an archive in a folder, unless it is there
/// as it would be made.
pub fn archive(
    project: &Project,
    target: &Target,
    programs: &[(&str, &Checked)],
    licenses: &PackedFile,
    compression: Compression,
    folder: &Path,
    memory: &Memory,
) -> Result<PackedFile> {
    let contents = Contents::of(project, programs, licenses)?;
    let package = &project.package;
    let top = format!("{}-{}-{}", package.name, package.version, target.name());
    let path = folder.join(format!("{top}.{}", compression.ending()));
    let question = format!("{FORMAT}\n{top}\n{compression:?}\n{}", contents.pre_image());
    PackedFile::recall(path, &question, memory, |path| {
        tarball::write(&contents, &top, compression, path)
    })
}
