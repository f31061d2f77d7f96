//! Roots: what the last plan of each package and target uses, so that `store gc` knows what may go.
//!
//! A root lives as long as the manifest that it was made for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::inventory::touch;
use super::{Store, write_atomically};
use crate::digest::Digest;

/// What a plan uses of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Whose plan it was.
    pub package: String,
    /// The package's Cargo.toml.
    pub manifest: PathBuf,
    /// The target's triple.
    pub target: String,
    /// Ids of the entries that the plan's steps make.
    pub steps: BTreeSet<String>,
    /// Ids of entries made from those: the driver that links, CMake's file.
    pub derived: BTreeSet<String>,
    /// Digests of the downloads, with their names as people know them.
    pub downloads: BTreeMap<String, String>,
}

impl Root {
    /// Whether what it was made for is still there.
    pub fn is_alive(&self) -> bool {
        self.manifest.exists()
    }

    /// Whether it reaches the entry or download of this name.
    pub fn reaches(&self, name: &str) -> bool {
        self.steps.contains(name)
            || self.derived.contains(name)
            || self.downloads.contains_key(name)
    }
}

impl Store {
    /// Writes a root, in the place of the last one of its package and target, if it differs; and notes
    /// that all it reaches is used now. A root that says nothing of derived entries takes over those of
    /// the last one with the same steps. That it cannot be written is no error: it costs `gc` a guess.
    pub fn keep_root(&self, mut root: Root) {
        let key = format!("{}\n{}\n{}\n", root.manifest.display(), root.package, root.target);
        let name = Digest::sha256_of(key.as_bytes()).hex();
        let place = self.root().join("roots-v1").join(format!("{name}.json"));
        let last = fs::read(&place).ok();
        let last: Option<Root> = last.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(last) = last.filter(|last| root.derived.is_empty() && last.steps == root.steps)
        {
            root.derived = last.derived;
        }
        if let Ok(bytes) = serde_json::to_vec_pretty(&root) {
            let _ = write_atomically(&place, &bytes);
        }
        for id in root.steps.iter().chain(&root.derived) {
            touch(&self.root().join("entries-v1").join(id));
        }
        for digest in root.downloads.keys() {
            touch(&self.root().join("downloads-v1").join(digest));
        }
    }

    /// All roots with their files, sorted by package and target. What cannot be read is left out.
    pub fn roots(&self) -> Vec<(PathBuf, Root)> {
        let files = fs::read_dir(self.root().join("roots-v1")).into_iter().flatten().flatten();
        let mut roots: Vec<(PathBuf, Root)> = files
            .filter_map(|file| {
                let root = serde_json::from_slice(&fs::read(file.path()).ok()?).ok()?;
                Some((file.path(), root))
            })
            .collect();
        roots.sort_by(|(_, a), (_, b)| {
            (&a.package, &a.target, &a.manifest).cmp(&(&b.package, &b.target, &b.manifest))
        });
        roots
    }
}
