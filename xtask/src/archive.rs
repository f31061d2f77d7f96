//! Files → a tar whose bytes depend on nothing but them: no times, no users, the modes of programs and
//! of other files. In the order in which they are added.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use tar::{EntryType, Header};

use crate::layout::files_below;
use crate::unpack::MODIFIED;

/// Who a folder belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user's number.
    pub user: u32,
    /// The group's number.
    pub group: u32,
}

impl Owner {
    /// Who all files belong to.
    pub const ROOT: Self = Self { user: 0, group: 0 };
}

/// A tar that is being written.
pub struct Archive<W: Write>(tar::Builder<W>);

impl<W: Write> Archive<W> {
    /// An empty one.
    pub fn new(out: W) -> Self {
        Self(tar::Builder::new(out))
    }

    /// Adds a file of so many bytes.
    pub fn file(
        &mut self,
        name: &Path,
        is_program: bool,
        size_bytes: u64,
        content: impl Read,
    ) -> Result<()> {
        let mode = if is_program { 0o755 } else { 0o644 };
        let mut header = header(EntryType::Regular, mode, size_bytes);
        self.0.append_data(&mut header, name, content).with_context(|| cannot_pack(name))
    }

    /// Adds a folder.
    pub fn folder(&mut self, name: &Path, mode: u32, owner: Owner) -> Result<()> {
        let mut header = header(EntryType::Directory, mode, 0);
        header.set_uid(owner.user.into());
        header.set_gid(owner.group.into());
        let name = name.join("");
        self.0.append_data(&mut header, &name, io::empty()).with_context(|| cannot_pack(&name))
    }

    /// Adds a link.
    pub fn link(&mut self, name: &Path, to: &Path) -> Result<()> {
        let mut header = header(EntryType::Symlink, 0o777, 0);
        self.0.append_link(&mut header, name, to).with_context(|| cannot_pack(name))
    }

    /// Adds a file or link of this machine.
    pub fn copy(&mut self, name: &Path, from: &Path) -> Result<()> {
        let data = from.symlink_metadata().with_context(|| cannot_pack(name))?;
        if data.is_symlink() {
            let to = fs::read_link(from).with_context(|| cannot_pack(name))?;
            return self.link(name, &to);
        }
        let is_program = data.permissions().mode() & 0o111 != 0;
        let content = File::open(from).with_context(|| cannot_pack(name))?;
        self.file(name, is_program, data.len(), content)
    }

    /// Adds all files and links of a tree below a folder.
    pub fn tree(&mut self, from: &Path, top: &Path) -> Result<()> {
        for path in files_below(from)? {
            self.copy(&top.join(&path), &from.join(&path))?;
        }
        Ok(())
    }

    /// Writes the end.
    pub fn finish(self) -> Result<W> {
        self.0.into_inner().context("cannot write an archive's end")
    }
}

fn cannot_pack(name: &Path) -> String {
    format!("cannot pack {}", name.display())
}

fn header(kind: EntryType, mode: u32, size_bytes: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size_bytes);
    header.set_mtime(u64::try_from(MODIFIED).unwrap_or_default());
    header.set_uid(0);
    header.set_gid(0);
    header
}
