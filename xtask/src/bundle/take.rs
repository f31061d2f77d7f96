//! Verified members → the store, cargo's folder, the Rust installation.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::registry::Registry;
use super::rust_std;
use super::verify::{Kind, Verified};
use crate::digest::Digest;
use crate::layout::{Store, copy_atomically};
use crate::report;
use crate::rust::Rust;

/// Takes everything in that is not there.
pub fn take(store: &Store, verified: Verified, rust: &Rust, bundle: &Path) -> Result<()> {
    let origins = origins(&verified)?;
    let registry = Registry::of_cargo()?;
    let (mut crates, mut downloads) = (0, 0);
    for (kind, place) in &verified.members {
        match kind {
            Kind::Download(digest, name) => {
                let origin = origins.get(digest).map_or("bundle", String::as_str);
                if store.download(digest).is_none() {
                    let _lock = store.lock_download(digest, name)?;
                    store.publish_download(place, digest, name, origin)?;
                }
                downloads += 1;
            }
            Kind::Crate(id) => {
                copy_atomically(place, &registry.file(&format!("{id}.crate")))?;
                crates += 1;
            }
            Kind::Vendored(path) => {
                copy_atomically(place, &registry.place(path))?;
                crates += u32::from(path.ends_with("/.cargo-checksum.json"));
            }
            Kind::Origin(id) => registry.replace_origin(id, place)?,
            Kind::Line(id) => copy_atomically(place, &registry.file(&format!("{id}.json")))?,
            _ => {}
        }
    }
    for (id, folder) in &verified.entries {
        publish(store, id, folder)?;
    }
    report::status(
        "Unbundled",
        format!(
            "{}: {downloads} downloads, {crates} crates and {} entries for {} {}",
            bundle.display(),
            verified.entries.len(),
            verified.manifest.facts.package,
            verified.manifest.facts.package_version
        ),
    );
    report::event(
        "unbundled",
        serde_json::json!({
            "path": bundle, "downloads": downloads, "crates": crates,
            "entries": verified.entries.len(), "package": verified.manifest.facts.package,
            "targets": verified.manifest.facts.plans.iter().map(|p| &p.target).collect::<Vec<_>>(),
        }),
    );
    if crates > 0 {
        registry.activate()?;
    }
    for plan in &verified.manifest.facts.plans {
        rust_std::install(rust, &plan.target, &std_files(&verified, &plan.target), bundle)?;
    }
    Ok(())
}

fn origins(verified: &Verified) -> Result<BTreeMap<Digest, String>> {
    let mut origins = BTreeMap::new();
    for (kind, place) in &verified.members {
        if let Kind::Server(digest) = kind {
            origins.insert(*digest, fs::read_to_string(place)?.trim_end().to_owned());
        }
    }
    Ok(origins)
}

/// Files of the standard library of a target, and what is written down of them.
fn std_files(verified: &Verified, triple: &str) -> Vec<(String, PathBuf)> {
    let of_target =
        [format!("lib/rustlib/{triple}/"), format!("lib/rustlib/manifest-rust-std-{triple}")];
    let files = verified.members.iter().filter_map(|(kind, place)| match kind {
        Kind::Std(path) => Some((path.clone(), place.clone())),
        _ => None,
    });
    files.filter(|(path, _)| path.starts_with(&of_target[0]) || *path == of_target[1]).collect()
}

/// Publishes an unpacked entry, unless it is there.
fn publish(store: &Store, id: &str, folder: &Path) -> Result<()> {
    let entry = store.entry_of_id(id);
    let _lock = store.lock(&entry)?;
    if entry.exists() {
        return Ok(());
    }
    let temp = store.temp("entry")?;
    for item in fs::read_dir(folder)? {
        let item = item?;
        fs::rename(item.path(), temp.path().join(item.file_name()))
            .with_context(|| format!("cannot move {}", item.path().display()))?;
    }
    entry.publish(temp)
}
