//! Keeps cargo from leaving a new or changed Cargo.lock in the folder of a package that is not ours.
//!
//! Cargo resolves a package without (or with an outdated) Cargo.lock by writing one, and no stable
//! option says where. So the file is borrowed for the time of a command: what cargo resolved is kept
//! in the target folder, where the next run takes it up, and the package's folder is as it was.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::layout::{Borrowed, Store, target_folder, write_atomically};
use crate::links;
use crate::report;
use crate::rust::Rust;
use crate::{process, session::Access};

/// The app's Cargo.lock for the time of a command.
#[derive(Debug)]
pub struct Lockfile {
    borrowed: Borrowed,
    /// Where the resolution is kept; `None` if nothing may be written.
    kept: Option<PathBuf>,
    was_there: bool,
}

impl Lockfile {
    /// Borrows the Cargo.lock of the workspace that a manifest belongs to.
    pub fn borrow(store: &Store, rust: &Rust, manifest: &Path, access: Access) -> Result<Self> {
        let new = |place: &Path, target: &Path, access| Self::new(store, place, target, access);
        let folder = manifest.parent().unwrap_or(Path::new("/"));
        if let Some(root) = obvious_root(folder) {
            return new(&root.join("Cargo.lock"), &target_folder(root), access);
        }
        let place = folder.join("Cargo.lock");
        let mut command = rust.cargo_in(folder);
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        command.arg("--manifest-path").arg(manifest);
        let captured = process::capture(&mut command)?;
        // A manifest that cargo cannot read is reported, in full, by who asks for the graph.
        let Ok(metadata) = serde_json::from_str::<links::Metadata>(&captured.stdout) else {
            return new(&place, &folder.join("target"), Access::Read);
        };
        let place = metadata.workspace_root.join("Cargo.lock");
        new(&place, &metadata.target_directory, access)
    }

    fn new(store: &Store, place: &Path, target: &Path, access: Access) -> Result<Self> {
        let cannot = || format!("cannot read {}", place.display());
        let borrowed = Borrowed::new(place, Some(&store.desk(place))).with_context(cannot)?;
        let was_there = borrowed.was_there();
        let kept = target.join("muslin/Cargo.lock");
        if !place.exists() && kept.exists() {
            let cannot = || format!("cannot write {}", place.display());
            fs::copy(&kept, place).with_context(cannot)?;
        }
        Ok(Self { borrowed, kept: (access == Access::Write).then_some(kept), was_there })
    }

    fn keep(&self, kept: &Path, now: &[u8]) -> Result<()> {
        if fs::read(kept).is_ok_and(|before| before == now) {
            return Ok(());
        }
        fs::create_dir_all(kept.parent().context("no folder")?)?;
        write_atomically(kept, now)?;
        let place = self.borrowed.path().display();
        let why = if self.was_there {
            format!("{place} is out of date; it is left as it is")
        } else {
            format!("{place} is missing")
        };
        report::note(format!("{why}: the versions of this build are in {}", kept.display()));
        Ok(())
    }
}

/// The workspace's folder where it can be told, without asking cargo, that its Cargo.lock is there.
fn obvious_root(folder: &Path) -> Option<&Path> {
    if folder.join("Cargo.lock").exists() {
        return Some(folder);
    }
    let is_clear = |text: &str| !text.contains("exclude") && !text.contains("workspace = \"");
    for above in folder.ancestors() {
        let Ok(text) = fs::read_to_string(above.join("Cargo.toml")) else { continue };
        if text.lines().any(|line| line.trim_start().starts_with("[workspace")) {
            return (is_clear(&text) && above.join("Cargo.lock").exists()).then_some(above);
        }
        if !is_clear(&text) {
            return None;
        }
    }
    None
}

impl Drop for Lockfile {
    fn drop(&mut self) {
        if let (Some(kept), Some(now)) = (&self.kept, self.borrowed.change())
            && let Err(error) = self.keep(kept, &now)
        {
            report::note(format!("cannot keep {}: {error:#}", kept.display()));
        }
    }
}
