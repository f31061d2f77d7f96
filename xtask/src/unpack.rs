//! Archive file → source tree: refuses every unsafe entry, applies patches.
//!
//! The folder appears whole, by rename from a temporary sibling, or not at all. Whatever is unusual
//! in an archive is an error that names the archive, the entry and the rule; nothing is skipped in
//! silence, repaired or guessed. Never does this module write outside the folder or through a link,
//! make a device, keep an owner or a set-id bit, or trust a size, a count or a name that it reads.
//!
//! The `tar` and `flate2` crates read; they never unpack. What one makes of an archive is one reading
//! of it, and harm comes from archives that two readers take for two things: a size in a pax header, a
//! second end record, a name twice. So tars are iterated raw, each header vetted, and a zip must say
//! all that it says twice in the same words *and* fill the file without gaps and overlaps. Only
//! [`Tree`] and the disk below it make anything.
//!
//! What every tree has, whatever the archive says: modes 0755 (folders, executable files) and 0644,
//! and one modification time, [`MODIFIED`].

mod disk;
pub mod license;
mod limits;
mod links;
mod name;
pub mod patch;
mod select;
mod stream;
mod tar;
mod tree;
mod zip;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result, anyhow, bail};

use crate::exit::{Exit, Failure};
use crate::fetch::VerifiedArchive;
use crate::layout::remove_tree;
pub use disk::MODIFIED;
use limits::Budget;
pub use limits::Limits;
use name::EntryName;
use select::Selection;
use stream::{Compression, Decoder};
use tree::Tree;

/// What was unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files, folders and links in the folder.
    pub entries: u64,
    /// Bytes of all files in the folder.
    pub bytes: u64,
    /// Entries of the archive that are not below the root asked for.
    pub skipped: u64,
}

/// Which part of an archive to unpack; by default everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part<'a> {
    /// The folder that becomes the tree.
    pub root: Option<&'a str>,
    /// Files, links and folders of the tree to leave out, each of which must be there. For links that
    /// no tree may have, such as a toolchain's absolute link to where its libc would be installed.
    pub omit: &'a [String],
    /// The archive inside the archive that all this is said of, where they are nested.
    pub inner: Option<&'a str>,
}

/// Unpacks bytes that `fetch` has verified; see [`unpack_file`].
pub fn unpack_archive(archive: &VerifiedArchive, part: &Part<'_>, dest: &Path) -> Result<Summary> {
    unpack_file(archive.path(), part, dest, &Limits::default())
}

/// Unpacks an archive into a folder, which must not exist yet; its parent must.
///
/// The kind is told by the first bytes, never by the file's name: tar (plain, gz, xz, bz2, zst) or
/// zip. With a `root`, only what is below that folder of the archive is kept. If the archive has
/// exactly one top folder, `root` is relative to it (or, if there is no such folder, to the archive).
/// Without one, an only top folder is left out of the paths.
pub fn unpack_file(
    archive: &Path,
    part: &Part<'_>,
    dest: &Path,
    limits: &Limits,
) -> Result<Summary> {
    let unpacked = match part.inner {
        Some(inner) => unpack_inner(archive, inner, part, dest, limits),
        None => unpack(archive, part, dest, limits),
    };
    unpacked.map_err(|error| {
        let name = archive.file_name().unwrap_or(archive.as_os_str()).to_string_lossy();
        let failure = Failure::new(Exit::Failed, format!("cannot unpack {name}: {error:#}"));
        let cause = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
        let is_full = cause.is_some_and(|cause| cause.kind() == io::ErrorKind::StorageFull);
        if is_full {
            let advice = format!("make room on the file system of {}", dest.display());
            return failure.help(advice).into();
        }
        failure.into()
    })
}

/// The same of an archive inside the archive, which is unpacked beside the destination first.
fn unpack_inner(
    archive: &Path,
    inner: &str,
    part: &Part<'_>,
    dest: &Path,
    limits: &Limits,
) -> Result<Summary> {
    EntryName::vet(inner.as_bytes(), limits).context("the archive inside")?;
    let outer = Sibling::new(dest)?;
    let tree = outer.path.join("outer");
    unpack(archive, &Part::default(), &tree, limits)?;
    let file = tree.join(inner);
    if !file.symlink_metadata().is_ok_and(|data| data.is_file()) {
        bail!("there is no file `{inner}` in it to unpack");
    }
    unpack(&file, part, dest, limits).with_context(|| format!("in {inner}"))
}

fn unpack(archive: &Path, part: &Part<'_>, dest: &Path, limits: &Limits) -> Result<Summary> {
    if fs::symlink_metadata(dest).is_ok() {
        bail!("{} exists already", dest.display());
    }
    let file = File::open(archive).context("cannot open it")?;
    let archive_bytes = file.metadata()?.len();
    let kind = Kind::of(&file)?;
    let mut budget = Budget::new(*limits, archive_bytes);
    let temp = Sibling::new(dest)?;
    let selection = Selection::new(part, limits)?;
    let mut tree = Tree::new(&temp.path, selection, *limits)?;
    match kind {
        Kind::Zip => zip::unpack(&file, archive_bytes, &mut tree, &mut budget)?,
        Kind::Tar(compression) => {
            let decoder = Decoder::new(file, compression);
            tar::unpack(decoder, &mut tree, &mut budget)?;
        }
    }
    let (selected, summary) = tree.finish()?;
    publish(&temp.path.join(selected), dest)?;
    Ok(summary)
}

/// What an archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Zip,
    Tar(Compression),
}

impl Kind {
    fn of(file: &File) -> Result<Self> {
        let mut start = [0; tar::BLOCK_BYTES];
        let length = read_up_to(file, &mut start)?;
        let start = &start[..length];
        Ok(match start {
            [] => bail!("the file is empty"),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            [0x1f, 0x8b, ..] => Self::Tar(Compression::Gzip),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Tar(Compression::Xz),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Tar(Compression::Bzip2),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                Self::Tar(Compression::Zstd)
            }
            _ if tar::begins_like_tar(start) => Self::Tar(Compression::None),
            _ => {
                let text = name::shown(&start[..start.len().min(40)]);
                bail!(
                    "it is neither a tar (plain, gz, xz, bz2, zst) nor a zip: it begins with {text}"
                )
            }
        })
    }
}

/// Reads from the start of a file, less than asked for only at its end.
fn read_up_to(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], length as u64)? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}

/// A temporary folder beside the destination, gone when dropped, with all that is still in it.
struct Sibling {
    path: PathBuf,
}

impl Sibling {
    fn new(dest: &Path) -> Result<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let name = dest.file_name().ok_or_else(|| anyhow!("{} names no folder", dest.display()))?;
        for _ in 0..100 {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".unpacking-{}-{number}", std::process::id()));
            let path = dest.with_file_name(hidden);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot make {}", path.display()));
                }
            }
        }
        bail!("cannot find a free name beside {}", dest.display())
    }
}

impl Drop for Sibling {
    fn drop(&mut self) {
        let _ = remove_tree(&self.path);
    }
}

/// Renames the finished folder into place; a folder that somebody else put there is left alone.
fn publish(folder: &Path, dest: &Path) -> Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    let renamed = match renameat_with(CWD, folder, CWD, dest, RenameFlags::NOREPLACE) {
        // Some file systems, and kernels before 3.15, know no flags.
        Err(Errno::INVAL | Errno::NOSYS) => fs::rename(folder, dest),
        other => other.map_err(io::Error::from),
    };
    renamed.with_context(|| format!("cannot put it in place at {}", dest.display()))
}
