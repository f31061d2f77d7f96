//! `cargo xtask store`: verify, list and clear up what was fetched and built.
//!
//! Reads the store only, no recipes: what plans use stands in its roots.

mod gc;
mod list;
mod verify;

pub use verify::license_problems;

use std::time::SystemTime;

use anyhow::Result;

use crate::cli::{self, Global, StoreCommand};
use crate::layout::{self, Kept, Root};

/// A thing in the store, as `list` shows it and `gc` judges it.
struct Item {
    kept: Kept,
    /// An entry's id, or a download's digest: unique.
    name: String,
    /// What it is to people.
    label: String,
    size_bytes: u64,
    last_use: SystemTime,
    /// Package and target of each living root that reaches it.
    reached_by: Vec<String>,
}

impl cli::Store {
    /// Runs the command on the store.
    pub fn run(self, global: Global) -> Result<()> {
        let root = global.store.clone().map_or_else(layout::Store::default_root, Ok)?;
        let store = layout::Store::open(&root)?;
        match self.command {
            StoreCommand::Verify(_) => verify::run(&store),
            StoreCommand::List(_) => list::run(&store),
            StoreCommand::Gc(gc) => gc::run(&store, &gc),
        }
    }
}

/// All that is kept, and who reaches it.
fn items(store: &layout::Store) -> Vec<Item> {
    let mut roots = store.roots();
    roots.retain(|(_, root)| root.is_alive());
    store.kept().into_iter().map(|kept| item(kept, &roots)).collect()
}

fn item(kept: Kept, roots: &[(std::path::PathBuf, Root)]) -> Item {
    let name = kept.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let reaching = roots.iter().map(|(_, root)| root).filter(|root| root.reaches(&name));
    let reaching: Vec<&Root> = match kept {
        Kept::Leftover(_) => Vec::new(),
        _ => reaching.collect(),
    };
    let mut reached_by: Vec<String> =
        reaching.iter().map(|root| format!("{} ({})", root.package, root.target)).collect();
    reached_by.dedup();
    let label = match &kept {
        Kept::Download(digest, path) => {
            let known = reaching.iter().find_map(|root| root.downloads.get(&name)).cloned();
            let file = std::fs::read_dir(path).into_iter().flatten().flatten().next();
            let file = file.map(|file| file.file_name().to_string_lossy().into_owned());
            let what = known.or(file).unwrap_or_else(|| "an empty folder".to_owned());
            format!("{what} {}", &digest.hex()[..16])
        }
        _ => name.clone(),
    };
    let (size_bytes, last_use) = (kept.size_bytes(), kept.last_use());
    Item { kept, name, label, size_bytes, last_use, reached_by }
}

/// The kind of a thing in one word.
fn kind(kept: &Kept) -> &'static str {
    match kept {
        Kept::Entry(_) => "entry",
        Kept::Download(..) => "download",
        Kept::Leftover(_) => "leftover",
    }
}

/// Seconds since 1970, for JSON.
fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs())
}

/// `3 entries`.
fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
