//! The last answer of `cargo metadata`, kept in the store: cargo takes longer to answer than to find
//! that nothing is to be built.
//!
//! An answer counts only while all that it was made from reads as it did: the lock file, the
//! manifests on this disk, cargo's configuration, the names of the sources in which cargo finds
//! binaries. What comes from a registry or from git never changes under a lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::metadata::{Metadata, Query};
use crate::digest::Digest;
use crate::layout::{Store, write_atomically};
use crate::process::{self, env_var};

/// Variables that can change an answer begin with one of these.
const VARIABLES: [&str; 4] = ["CARGO_", "RUSTC", "RUSTFLAGS", "HOME"];

/// Bump when an answer is kept in another form.
const FORMAT: &str = "graph 13";

/// A question to cargo, and where its answer is kept.
pub struct Memory {
    place: PathBuf,
    folder: PathBuf,
}

/// An answer with what it was made from.
#[derive(Serialize, Deserialize)]
struct Answer {
    /// Paths and what they hash to: see [`state`].
    inputs: BTreeMap<PathBuf, String>,
    metadata: Metadata,
}

impl Memory {
    /// The memory of a question that is asked in `folder` about a package, of this Rust.
    pub fn new(store: &Store, folder: &Path, query: &Query<'_>, name: &str, rust: &str) -> Self {
        let mut key = format!("{FORMAT}\n{rust}\n{query:?}\n{name}\n");
        let mut names = process::env_names();
        names.retain(|name| VARIABLES.iter().any(|prefix| name.starts_with(prefix)));
        names.sort();
        for name in names {
            key.push_str(&format!("{name}={}\n", env_var(&name).unwrap_or_default()));
        }
        let place = store.graph(&Digest::sha256_of(key.as_bytes()));
        Self { place, folder: folder.to_owned() }
    }

    /// The answer, if nothing that it was made from has changed.
    pub fn recall(&self) -> Option<Metadata> {
        let answer: Answer = serde_json::from_slice(&fs::read(&self.place).ok()?).ok()?;
        let is_same = |(path, old): (&PathBuf, &String)| state(path) == *old;
        answer.inputs.iter().all(is_same).then_some(answer.metadata)
    }

    /// Keeps an answer, as far as it is about the program. A store that cannot be written to is no error
    /// here: it costs time only.
    pub fn keep(&self, metadata: &Metadata) {
        let inputs = inputs(&self.folder, metadata).into_iter();
        let inputs = inputs.map(|path| (state(&path), path)).map(|(state, path)| (path, state));
        let answer = Answer { inputs: inputs.collect(), metadata: metadata.only_what_is_linked() };
        if let Ok(bytes) = serde_json::to_vec(&answer) {
            let _ = write_atomically(&self.place, &bytes);
        }
    }
}

/// All paths on which an answer depends.
fn inputs(folder: &Path, metadata: &Metadata) -> BTreeSet<PathBuf> {
    let root = &metadata.workspace_root;
    let mut paths = BTreeSet::from([root.join("Cargo.lock"), root.join("Cargo.toml")]);
    for package in metadata.packages.iter().filter(|package| package.source.is_none()) {
        paths.insert(package.manifest_path.clone());
        let folder = package.manifest_path.parent().unwrap_or(Path::new("/"));
        paths.extend(["build.rs", "src", "src/bin"].map(|name| folder.join(name)));
        paths.extend(package.build_script().map(Path::to_owned));
    }
    let homes = process::cargo_configuration_folders(folder).into_iter();
    paths.extend(homes.flat_map(|home| ["config", "config.toml"].map(|name| home.join(name))));
    paths
}

/// What a path holds, in one word: a file's hash, or that of the names in a folder.
fn state(path: &Path) -> String {
    if let Ok(bytes) = fs::read(path) {
        return Digest::sha256_of(&bytes).hex();
    }
    let Ok(items) = fs::read_dir(path) else { return "absent".to_owned() };
    let mut names: Vec<_> = items.flatten().map(|item| item.file_name()).collect();
    names.sort();
    Digest::sha256_of(format!("{names:?}").as_bytes()).hex()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests have no store yet")]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_until_one_of_its_inputs_changes() {
        let root = std::env::temp_dir().join(format!("muslin-graph-{}", std::process::id()));
        let store = Store::open(&root).unwrap();
        let folder = root.join("app");
        fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = folder.join("Cargo.toml");
        fs::write(&manifest, "[package]").unwrap();
        let package = serde_json::json!({
            "id": "app", "name": "app", "version": "1.0.0", "license": null, "links": null,
            "source": null, "manifest_path": manifest, "metadata": null, "features": {},
            "dependencies": [], "targets": [],
        });
        let metadata: Metadata = serde_json::from_value(serde_json::json!({
            "packages": [package], "workspace_members": ["app"],
            "target_directory": folder.join("target"), "workspace_root": folder,
        }))
        .unwrap();
        let features = ["--all-features".to_owned()];
        let query = |features| Query {
            manifest: &manifest,
            triple: "x",
            features,
            offline: false,
            locked: false,
        };
        let memory = |query: &Query<'_>| Memory::new(&store, &folder, query, "app", "rustc 1");
        let asked = memory(&query(&features));
        for (path, text) in [("Cargo.toml", "changed"), ("Cargo.lock", "new"), ("src/lib.rs", "")] {
            asked.keep(&metadata);
            assert!(asked.recall().is_some_and(|answer| answer.packages.len() == 1));
            assert!(memory(&query(&[])).recall().is_none(), "another question, another answer");
            fs::write(folder.join(path), text).unwrap();
            assert!(asked.recall().is_none(), "{path}");
        }
        fs::write(&asked.place, "torn").unwrap();
        assert!(asked.recall().is_none());
        crate::layout::remove_tree(&root).unwrap();
    }
}
