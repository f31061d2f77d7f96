//! Pieces → the file: sorted, without times and owners, each hashed before and while it is written.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tar::{EntryType, Header};

use super::manifest::{FORMAT, Facts, Manifest, Member, NAME};
use crate::digest::{Digest, Hasher};
use crate::layout::{Entry, tree_listing};
use crate::report::Progress;

/// The blocks of a tar.
pub const BLOCK_BYTES: u64 = 512;

enum Content {
    File(PathBuf),
    Text(String),
}

/// The members of a bundle, before it is written.
pub struct Pieces<'a> {
    scratch: &'a Path,
    members: BTreeMap<String, Content>,
}

impl<'a> Pieces<'a> {
    /// None yet. What has to be made first is made in `scratch`.
    pub fn new(scratch: &'a Path) -> Self {
        Self { scratch, members: BTreeMap::new() }
    }

    /// A member that is a file on this disk.
    pub fn add_file(&mut self, path: &str, file: &Path) -> Result<()> {
        if !file.is_file() {
            bail!("{} is not a file", file.display());
        }
        self.members.insert(path.to_owned(), Content::File(file.to_owned()));
        Ok(())
    }

    /// A member with this text.
    pub fn add_text(&mut self, path: &str, text: &str) {
        self.members.insert(path.to_owned(), Content::Text(text.to_owned()));
    }

    /// An entry of the store, as a tar of its own.
    pub fn add_entry(&mut self, entry: &Entry) -> Result<()> {
        let path = format!("entries/{}.tar", entry.id());
        let file = self.scratch.join(entry.id());
        if !file.exists() {
            let cannot = || format!("cannot put {} into a bundle", entry.id());
            write_entry(entry, &file).with_context(cannot)?;
        }
        self.add_file(&path, &file)
    }

    /// Writes the file, and says its size and hash. It appears whole or not at all.
    pub fn write(self, facts: Facts, file: &Path) -> Result<(u64, Digest)> {
        let _progress = Progress::spinner("Bundling", file.display());
        let name = file.file_name().context("the bundle's path names no file")?;
        let temp = file.with_file_name(format!(".{}.{}", name.display(), std::process::id()));
        let written = self.write_to(facts, &temp).and_then(|()| {
            let whole = copy_hashed(File::open(&temp)?, &mut io::sink())?;
            fs::rename(&temp, file)?;
            Ok(whole)
        });
        let _ = fs::remove_file(&temp);
        written.with_context(|| format!("cannot write {}", file.display()))
    }

    fn write_to(self, facts: Facts, temp: &Path) -> Result<()> {
        let mut members = Vec::new();
        for (path, content) in &self.members {
            let (size_bytes, digest) = content.copy(&mut io::sink())?;
            let executable = content.is_executable();
            members.push(Member {
                path: path.clone(),
                size_bytes,
                sha256: digest.hex(),
                executable,
            });
        }
        let manifest = Manifest { format: FORMAT, facts, members };
        let text = format!("{}\n", serde_json::to_string_pretty(&manifest)?);
        let mut out = BufWriter::new(File::create(temp)?);
        out.write_all(header(NAME, text.len() as u64, false)?.as_bytes())?;
        out.write_all(text.as_bytes())?;
        pad(&mut out, text.len() as u64)?;
        for (member, content) in manifest.members.iter().zip(self.members.values()) {
            let header = header(&member.path, member.size_bytes, member.executable)?;
            out.write_all(header.as_bytes())?;
            let (size_bytes, digest) = content.copy(&mut out)?;
            if size_bytes != member.size_bytes || digest.hex() != member.sha256 {
                bail!("{} changed while it was read", member.path);
            }
            pad(&mut out, size_bytes)?;
        }
        out.write_all(&[0; 2 * BLOCK_BYTES as usize])?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(())
    }
}

impl Content {
    fn is_executable(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::File(path) => {
                fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o100 != 0)
            }
        }
    }

    /// Copies it; says how much it was and what it hashes to.
    fn copy(&self, out: &mut impl Write) -> Result<(u64, Digest)> {
        match self {
            Self::Text(text) => {
                out.write_all(text.as_bytes())?;
                Ok((text.len() as u64, Digest::sha256_of(text.as_bytes())))
            }
            Self::File(path) => {
                let cannot = || format!("cannot read {}", path.display());
                let file = File::open(path).with_context(cannot)?;
                copy_hashed(file, out).with_context(cannot)
            }
        }
    }
}

/// Copies a stream to its end; says how much it was and what it hashes to.
pub fn copy_hashed(mut from: impl Read, to: &mut impl Write) -> Result<(u64, Digest)> {
    let (mut hasher, mut size_bytes, mut buffer) = (Hasher::sha256(), 0, vec![0; 256 << 10]);
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok((size_bytes, hasher.finish()));
        }
        to.write_all(&buffer[..count])?;
        hasher.write_all(&buffer[..count])?;
        size_bytes += count as u64;
    }
}

/// The one header that such a member has.
pub fn header(path: &str, size_bytes: u64, executable: bool) -> Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(path).with_context(|| format!("the path {path} is too long for a tar"))?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(size_bytes);
    header.set_mode(if executable { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}

fn pad(out: &mut impl Write, size_bytes: u64) -> io::Result<()> {
    let rest = size_bytes.next_multiple_of(BLOCK_BYTES) - size_bytes;
    out.write_all(&[0; BLOCK_BYTES as usize][..rest as usize])
}

/// An entry as a tar: what was made, from what, under which licences, and who served it. The log stays here, since it has
/// this machine's paths and times.
fn write_entry(entry: &Entry, file: &Path) -> Result<()> {
    let mut builder = tar::Builder::new(BufWriter::new(File::create(file)?));
    let root = PathBuf::from(entry.id());
    append_tree(&mut builder, &entry.outputs(), &root.join("outputs"))?;
    if entry.licenses().exists() {
        append_tree(&mut builder, &entry.licenses(), &root.join("licenses"))?;
    }
    let listing = match entry.record()? {
        Some(record) => record,
        None => tree_listing(&entry.outputs())?,
    };
    let pre_image = entry.pre_image().context("it has no fingerprint.txt")?;
    let texts = [
        ("fingerprint.txt", Some(pre_image)),
        ("outputs.sha256", Some(listing)),
        ("origin.txt", entry.origin()),
    ];
    for (name, text) in texts {
        let Some(text) = text else { continue };
        let mut header = plain_header(EntryType::Regular, 0o644, text.len() as u64);
        builder.append_data(&mut header, root.join(name), text.as_bytes())?;
    }
    builder.into_inner()?.flush()?;
    Ok(())
}

fn plain_header(kind: EntryType, mode: u32, size_bytes: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size_bytes);
    header
}

fn append_tree(builder: &mut tar::Builder<impl Write>, from: &Path, to: &Path) -> Result<()> {
    let cannot = || format!("cannot read {}", from.display());
    let data = fs::symlink_metadata(from).with_context(cannot)?;
    if data.is_dir() {
        builder.append_data(&mut plain_header(EntryType::Directory, 0o755, 0), to, io::empty())?;
        let mut names: Vec<_> = fs::read_dir(from)?
            .map(|item| item.map(|item| item.file_name()))
            .collect::<Result<_, _>>()?;
        names.sort();
        for name in names {
            append_tree(builder, &from.join(&name), &to.join(&name))?;
        }
    } else if data.is_symlink() {
        let target = fs::read_link(from)?;
        builder.append_link(&mut plain_header(EntryType::Symlink, 0o777, 0), to, target)?;
    } else {
        let mode = if data.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
        let mut header = plain_header(EntryType::Regular, mode, data.len());
        builder.append_data(
            &mut header,
            to,
            BufReader::new(File::open(from).with_context(cannot)?),
        )?;
    }
    Ok(())
}
