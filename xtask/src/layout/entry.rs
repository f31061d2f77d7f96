//! One result in the store: where its parts are, and how it comes to be there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::tree::{sync_folder, sync_tree};
use super::{Store, TempFolder, inventory, tree_listing};
use crate::digest::Digest;

/// One result in the store, by fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(super) path: PathBuf,
    pub(super) id: String,
}

impl Store {
    /// The entry of what comes of a pre-image. If it is not there, `make` is given a folder of its own
    /// with an empty `outputs/` to fill.
    pub fn find_or_make(
        &self,
        name: &str,
        version: &str,
        pre_image: &str,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Entry> {
        let fingerprint = Digest::sha256_of(pre_image.as_bytes()).hex();
        let entry = self.entry(name, version, &fingerprint);
        if entry.exists() {
            return Ok(entry);
        }
        let _lock = self.lock(&entry)?;
        // Another process may have made it meanwhile.
        if !entry.exists() {
            let temp = self.temp(name)?;
            fs::create_dir(temp.path.join("outputs"))?;
            make(&temp.path)?;
            fs::write(temp.path.join("fingerprint.txt"), pre_image)?;
            entry.publish(temp)?;
        }
        Ok(entry)
    }
}

impl Entry {
    /// `<name>-<version>-<fp16>`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is there: presence is the only state.
    pub fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// What the step made.
    pub fn outputs(&self) -> PathBuf {
        self.path.join("outputs")
    }

    /// The texts of its licences, by the names that its recipe has for them.
    pub fn licenses(&self) -> PathBuf {
        self.path.join("licenses")
    }

    /// The pre-image of its fingerprint.
    pub fn pre_image(&self) -> Option<String> {
        fs::read_to_string(self.path.join("fingerprint.txt")).ok()
    }

    /// How the step that made it was kept from the rest of the machine; nothing for one that runs no
    /// programs.
    pub fn sandbox(&self) -> Option<String> {
        fs::read_to_string(self.path.join("sandbox.txt")).ok()
    }

    /// How long the step that made it took.
    pub fn seconds(&self) -> Option<f64> {
        fs::read_to_string(self.path.join("seconds.txt")).ok()?.trim().parse().ok()
    }

    /// Who served the bytes that it was made from.
    pub fn origin(&self) -> Option<String> {
        fs::read_to_string(self.path.join("origin.txt")).ok()
    }

    /// Publishes a finished folder (with `outputs/` and `fingerprint.txt` in it) under this name, and
    /// records what `outputs/` holds. If another process was faster, its result stands and ours is dropped.
    pub fn publish(&self, folder: TempFolder) -> Result<()> {
        let listing = tree_listing(&folder.path.join("outputs"))?;
        fs::write(folder.path.join(inventory::RECORD), listing)
            .with_context(|| format!("cannot write {}", self.id))?;
        sync_tree(&folder.path).with_context(|| format!("cannot write {}", self.id))?;
        match fs::rename(&folder.path, &self.path) {
            Ok(()) => folder.released(),
            Err(_) if self.exists() => return Ok(()),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot publish {}", self.path.display()));
            }
        }
        sync_folder(self.path.parent().unwrap_or(&self.path))?;
        Ok(())
    }
}
