//! A source tree in the making: a model of every entry, and the disk.
//!
//! An entry is first claimed in the model, which refuses duplicates and paths through links or
//! files; then it is made on the disk, if it may be wanted. Symbolic links are made last, when all
//! of them have been followed and nothing is written any more, so nothing can be written through one.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::Summary;
use super::disk::{Disk, NewFile};
use super::limits::Limits;
use super::links;
use super::name::{EntryName, shown, vet_target};
use super::select::{Selection, is_below};

/// What a path of the archive is.
#[derive(Debug)]
enum Node {
    Folder,
    File { bytes: u64, is_executable: bool },
    Link { target: String },
}

/// What an archive adds.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileFacts {
    pub(super) bytes: u64,
    pub(super) is_executable: bool,
}

/// The model and the disk.
pub(super) struct Tree {
    disk: Disk,
    selection: Selection,
    limits: Limits,
    nodes: HashMap<String, Node>,
}

impl Tree {
    /// A tree in a folder that is there and empty.
    pub(super) fn new(root: &Path, selection: Selection, limits: Limits) -> Result<Self> {
        let disk = Disk::open(root).context("cannot open the temporary folder")?;
        Ok(Self { disk, selection, limits, nodes: HashMap::new() })
    }

    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Adds a folder; it may be there already, as a folder.
    pub(super) fn add_folder(&mut self, name: &EntryName) -> Result<()> {
        if name.path.is_empty() || self.selection.omits(&name.path) {
            return Ok(());
        }
        self.selection.see(&name.path);
        match self.nodes.get(&name.path) {
            Some(Node::Folder) => Ok(()),
            Some(_) => bail!("a folder where a file or a link is"),
            None => {
                self.add_parents(&name.path)?;
                self.make_folder(&name.path)
            }
        }
    }

    /// Claims a file's path. Whether it must be written is the answer.
    pub(super) fn claim_file(&mut self, name: &EntryName, facts: FileFacts) -> Result<bool> {
        if self.selection.omits(&name.path) {
            return Ok(false);
        }
        let FileFacts { bytes, is_executable } = facts;
        self.claim(name, Node::File { bytes, is_executable })?;
        Ok(self.selection.may_want(&name.path))
    }

    /// Claims a file and opens it, if it must be written.
    pub(super) fn add_file(
        &mut self,
        name: &EntryName,
        facts: FileFacts,
    ) -> Result<Option<NewFile>> {
        let is_wanted = self.claim_file(name, facts)?;
        Ok(if is_wanted { Some(self.disk.make_file(&name.path)?) } else { None })
    }

    /// Adds a symbolic link, which is made at the end.
    pub(super) fn add_link(&mut self, name: &EntryName, target: &[u8]) -> Result<()> {
        if self.selection.omits(&name.path) {
            return Ok(());
        }
        let target = vet_target(target, &self.limits)?;
        self.claim(name, Node::Link { target })
    }

    /// Facts of a file that a hard link may lead to: one already unpacked from the same archive.
    pub(super) fn hard_link_target(&self, target: &EntryName) -> Result<FileFacts> {
        match self.nodes.get(&target.path) {
            Some(&Node::File { bytes, is_executable }) => Ok(FileFacts { bytes, is_executable }),
            Some(Node::Link { .. }) => bail!("a hard link to a symbolic link"),
            Some(Node::Folder) => bail!("a hard link to a folder"),
            None => {
                let target = shown(target.path.as_bytes());
                bail!("a hard link to {target}, which is not in the archive before it")
            }
        }
    }

    /// Adds a hard link as a copy: the tree is the same on every file system, and a build that edits
    /// one of the two never changes the other.
    pub(super) fn add_hard_link(&mut self, name: &EntryName, target: &EntryName) -> Result<()> {
        let facts = self.hard_link_target(target)?;
        let Some(mut file) = self.add_file(name, facts)? else { return Ok(()) };
        if !self.selection.may_want(&target.path) {
            bail!("a hard link to {}, outside of the root", shown(target.path.as_bytes()));
        }
        io::copy(&mut self.disk.read_file(&target.path)?, &mut file)?;
        Ok(file.finish(facts.is_executable)?)
    }

    fn claim(&mut self, name: &EntryName, node: Node) -> Result<()> {
        if name.path.is_empty() || name.is_folder_like {
            bail!("a name of a folder for what is none");
        }
        match self.nodes.get(&name.path) {
            Some(Node::Folder) => bail!("a file or a link where a folder is"),
            Some(_) => bail!("the same name twice"),
            None => {}
        }
        self.selection.see(&name.path);
        self.add_parents(&name.path)?;
        self.nodes.insert(name.path.clone(), node);
        Ok(())
    }

    /// Makes the folders above a path that no entry has named yet.
    fn add_parents(&mut self, path: &str) -> Result<()> {
        let mut missing = Vec::new();
        let mut rest = path;
        while let Some((parent, _)) = rest.rsplit_once('/') {
            match self.nodes.get(parent) {
                Some(Node::Folder) => break,
                Some(Node::Link { .. }) => bail!("its path leads through a link, `{parent}`"),
                Some(Node::File { .. }) => bail!("its path leads through a file, `{parent}`"),
                None => missing.push(parent),
            }
            rest = parent;
        }
        missing.into_iter().rev().try_for_each(|parent| self.make_folder(parent))
    }

    fn make_folder(&mut self, path: &str) -> Result<()> {
        self.nodes.insert(path.to_owned(), Node::Folder);
        if self.selection.may_lead(path) {
            self.disk
                .make_folder(path)
                .with_context(|| format!("folder {}", shown(path.as_bytes())))?;
        }
        Ok(())
    }

    /// Follows and makes the links, seals the folders, and tells which folder was asked for.
    pub(super) fn finish(self) -> Result<(String, Summary)> {
        let is_folder = |path: &str| matches!(self.nodes.get(path), Some(Node::Folder));
        let selected = self.selection.decide(is_folder)?;
        self.selection.check_omitted(&selected)?;
        for (path, target) in self.links() {
            let is_wanted = is_below(path, &selected);
            let confine = if is_wanted { selected.as_str() } else { "" };
            links::follow(path, target, confine, |path| self.target_of(path))
                .with_context(|| format!("entry {}", shown(path.as_bytes())))?;
        }
        for (path, target) in self.links().filter(|(path, _)| is_below(path, &selected)) {
            self.disk
                .make_link(path, target)
                .with_context(|| format!("entry {}", shown(path.as_bytes())))?;
        }
        let mut summary = Summary::default();
        for (path, node) in &self.nodes {
            if !is_below(path, &selected) {
                summary.skipped += 1;
                continue;
            }
            match node {
                Node::Folder => self.disk.seal_folder(path)?,
                Node::File { bytes, .. } => summary.bytes += bytes,
                Node::Link { .. } => {}
            }
            summary.entries += u64::from(*path != selected);
        }
        if selected.is_empty() {
            self.disk.seal_folder("")?;
        }
        Ok((selected, summary))
    }

    /// All links, sorted, so that the first error is the same every time.
    fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut links: Vec<(&str, &str)> = self
            .nodes
            .iter()
            .filter_map(|(path, node)| match node {
                Node::Link { target } => Some((path.as_str(), target.as_str())),
                _ => None,
            })
            .collect();
        links.sort_unstable();
        links.into_iter()
    }

    fn target_of(&self, path: &str) -> Option<&str> {
        match self.nodes.get(path) {
            Some(Node::Link { target }) => Some(target),
            _ => None,
        }
    }
}
