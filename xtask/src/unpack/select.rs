//! Which part of an archive is wanted. Knows the answer only when all entries have been seen, so it
//! first says what *may* be wanted. Never touches the disk.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};

use super::Part;
use super::limits::Limits;
use super::name::{EntryName, shown};

/// The most top-level names that an error lists.
const LISTED: usize = 12;

/// The root asked for, and the top-level names seen.
#[derive(Debug)]
pub(super) struct Selection {
    root: Option<String>,
    omit: Vec<String>,
    tops: BTreeSet<String>,
    /// Entries that were left out.
    omitted: BTreeSet<String>,
}

impl Selection {
    pub(super) fn new(part: &Part<'_>, limits: &Limits) -> Result<Self> {
        let vet = |path: &str| EntryName::vet(path.as_bytes(), limits).map(|name| name.path);
        let root = part.root.map(vet).transpose().context("the root asked for")?;
        let omit: Result<_> = part.omit.iter().map(|path| vet(path)).collect();
        Ok(Self {
            root: root.filter(|root| !root.is_empty()),
            omit: omit.context("what to leave out")?,
            tops: BTreeSet::new(),
            omitted: BTreeSet::new(),
        })
    }

    /// Whether an entry is to be left out; takes note of those that are. Whether it was the right one
    /// is known only at the end: see [`Self::check_omitted`].
    pub(super) fn omits(&mut self, path: &str) -> bool {
        let root = self.root.as_deref();
        let inner = path.split_once('/').map_or("", |(_, inner)| inner);
        let is_meant = |omit: &String| {
            let omit = join(root.unwrap_or_default(), omit);
            is_below(path, &omit) || is_below(inner, &omit)
        };
        let is_meant = self.omit.iter().any(is_meant);
        if is_meant {
            self.see(path);
            self.omitted.insert(path.to_owned());
        }
        is_meant
    }

    /// Fails if anything was left out that is not what was meant, or if what was meant is not there.
    pub(super) fn check_omitted(&self, selected: &str) -> Result<()> {
        let meant: Vec<String> = self.omit.iter().map(|omit| join(selected, omit)).collect();
        if let Some(path) =
            self.omitted.iter().find(|path| !meant.iter().any(|it| is_below(path, it)))
        {
            bail!("it cannot be told whether {} is to be left out", shown(path.as_bytes()));
        }
        for (omit, meant) in self.omit.iter().zip(&meant) {
            if !self.omitted.iter().any(|path| is_below(path, meant)) {
                bail!("there is no `{omit}` in it to leave out");
            }
        }
        Ok(())
    }

    /// Takes note of an entry.
    pub(super) fn see(&mut self, path: &str) {
        let top = path.split('/').next().unwrap_or(path);
        if !self.tops.contains(top) {
            self.tops.insert(top.to_owned());
        }
    }

    /// Whether an entry may turn out to be wanted, so must be written.
    pub(super) fn may_want(&self, path: &str) -> bool {
        let Some(root) = &self.root else { return true };
        let inner = path.split_once('/').map_or("", |(_, inner)| inner);
        is_below(path, root) || is_below(inner, root)
    }

    /// Whether what is wanted may be in or below a folder, so that it must be made.
    pub(super) fn may_lead(&self, path: &str) -> bool {
        let Some(root) = &self.root else { return true };
        let inner = path.split_once('/').map_or("", |(_, inner)| inner);
        self.may_want(path) || is_below(root, path) || inner.is_empty() || is_below(root, inner)
    }

    /// The folder of the archive that is wanted, empty for all of it.
    pub(super) fn decide(&self, is_folder: impl Fn(&str) -> bool) -> Result<String> {
        let mut tops = self.tops.iter();
        let only = match (tops.next(), tops.next()) {
            (Some(only), None) if is_folder(only) => Some(only),
            _ => None,
        };
        let Some(root) = &self.root else {
            if self.tops.is_empty() {
                bail!("it has no entries");
            }
            return Ok(only.cloned().unwrap_or_default());
        };
        let candidates = [only.map(|only| format!("{only}/{root}")), Some(root.clone())];
        candidates.into_iter().flatten().find(|folder| is_folder(folder)).map_or_else(
            || {
                let listed: Vec<_> =
                    self.tops.iter().take(LISTED).map(|top| format!("`{top}`")).collect();
                let more = if self.tops.len() > LISTED { ", …" } else { "" };
                let listed = listed.join(", ");
                bail!("there is no folder `{root}` in it; its top level has: {listed}{more}")
            },
            Ok,
        )
    }
}

fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}

/// Whether a path is a folder or below it.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
