//! Are the crates of a bundle those of Cargo.lock, and is what cargo reads of it what a bundle has?

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::Kind;
use crate::bundle::manifest::Manifest;
use crate::bundle::vendored::Origin;
use crate::bundle::{crates, registry};

/// Crates must be those that their lines and the workspace's Cargo.lock name, the index that of the lines.
pub fn check(members: &[(Kind, PathBuf)], manifest: &Manifest, workspace: &Path) -> Result<()> {
    let (mut sums, mut lines, mut index) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let origins = check_origins(members)?;
    for ((kind, place), member) in members.iter().zip(&manifest.members) {
        match kind {
            Kind::Crate(id) => drop(sums.insert(id.clone(), member.sha256.clone())),
            Kind::Line(id) => drop(lines.insert(id.clone(), fs::read_to_string(place)?)),
            Kind::Index(path) => drop(index.insert(path.clone(), fs::read_to_string(place)?)),
            Kind::Config => ensure!(
                fs::read_to_string(place)? == registry::configuration("muslin", &origins),
                "its configuration for cargo is not the one that bundles have"
            ),
            _ => {}
        }
    }
    let mut ids = lines.keys();
    ensure!(
        sums.len() == lines.len() && ids.all(|id| sums.contains_key(id)),
        "its crates and its lines of the index are not of the same names"
    );
    let locked = crates::locked(workspace)?;
    for (id, line) in &lines {
        let (name, version, checksum) = registry::read_line(line)
            .with_context(|| format!("the line of {id} cannot be read"))?;
        ensure!(*id == format!("{name}-{version}"), "the line of {id} is that of {name} {version}");
        ensure!(checksum == sums[id], "the crate {id} has not the checksum that its line names");
        let expected = locked.iter().find(|one| one.name == name && one.version == version);
        let expected = expected.and_then(|one| one.checksum.as_ref());
        ensure!(
            expected.is_none_or(|expected| *expected == sums[id]),
            "the crate {id} has not the checksum of Cargo.lock"
        );
    }
    let made = registry::index(lines.values().map(String::as_str));
    ensure!(made == index, "its index is not that of its crates");
    Ok(())
}

/// The origins of crates from elsewhere; each crate's is one of them. Its files are held by
/// cargo against the sums that `cargo vendor` wrote, and a registry's against Cargo.lock.
fn check_origins(members: &[(Kind, PathBuf)]) -> Result<Vec<Origin>> {
    let mut origins = Vec::new();
    for (kind, place) in members {
        let Kind::Origin(id) = kind else { continue };
        let text = fs::read_to_string(place)?;
        let origin = Origin::parse(id, &text);
        origins.push(origin.with_context(|| format!("muslin/sources/{id}.toml is no origin"))?);
    }
    for (kind, _) in members {
        let Kind::Vendored(path) = kind else { continue };
        let is_known = |origin: &Origin| path.split('/').nth(2) == Some(&origin.id);
        ensure!(origins.iter().any(is_known), "it does not say where {path} comes from");
    }
    origins.sort();
    Ok(origins)
}
