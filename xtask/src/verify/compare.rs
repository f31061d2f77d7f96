//! Two sets of files → what is not the same, and how much was compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::diagnose::{Finding, diagnose};

/// Files that say what the others are, so that they differ when those do.
const MANIFEST: &str = "manifest.json";
const SUMS: &str = "SHA256SUMS";

/// Everything that a build made: a label that is the same in every build, and where the file is.
#[derive(Clone, Debug, Default)]
pub struct Outputs(BTreeMap<String, PathBuf>);

/// How a file differs between two builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Only the first build, or only the second, has it.
    OnlyIn(Side),
    /// It is not the same kind of thing, or has another mode: both, in words.
    Kind(String, String),
    /// Other bytes: where, most telling first.
    Bytes(Vec<Finding>),
}

/// One of two builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first.
    First,
    /// The second.
    Second,
}

/// How much was compared, of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Files.
    pub files: usize,
    /// Bytes of the first build's.
    pub bytes: u64,
}

/// What came of a comparison.
#[derive(Debug, Default)]
pub struct Comparison {
    /// By what the files belong to: an entry of the store, or `programs`.
    pub amounts: BTreeMap<String, Amount>,
    /// What is not the same, by label.
    pub different: BTreeMap<String, Difference>,
}

impl Outputs {
    /// Files by label.
    pub fn new(files: BTreeMap<String, PathBuf>) -> Self {
        Self(files)
    }

    /// Without the files that `dist` writes about the programs.
    #[must_use]
    pub fn without_papers(&self) -> Self {
        let is_paper = |label: &&String| *label == MANIFEST || *label == SUMS;
        let kept = self.0.iter().filter(|(label, _)| !is_paper(label));
        Self(kept.map(|(label, path)| (label.clone(), path.clone())).collect())
    }

    /// Labels of files that are not the same in another set.
    pub fn labels_that_differ(&self, other: &Self) -> Result<BTreeSet<String>> {
        Ok(self.quickly(other)?.into_keys().collect())
    }

    /// Compares everything, and says of what differs where it does.
    pub fn compare(&self, other: &Self) -> Result<Comparison> {
        let mut comparison = Comparison::default();
        for (label, path) in &self.0 {
            let about = fs::symlink_metadata(path).with_context(|| path.display().to_string())?;
            let amount = comparison.amounts.entry(owner(label).to_owned()).or_default();
            amount.files += 1;
            amount.bytes += about.len();
        }
        comparison.different = self.quickly(other)?;
        for (label, difference) in &mut comparison.different {
            if let (Difference::Bytes(findings), Some(one), Some(two)) =
                (difference, self.0.get(label), other.0.get(label))
            {
                *findings = diagnose(&fs::read(one)?, &fs::read(two)?);
            }
        }
        Ok(comparison)
    }

    fn quickly(&self, other: &Self) -> Result<BTreeMap<String, Difference>> {
        let mut different = BTreeMap::new();
        for (label, path) in &self.0 {
            let found = match other.0.get(label) {
                None => Some(Difference::OnlyIn(Side::First)),
                Some(twin) => difference(path, twin)
                    .with_context(|| format!("cannot compare {}", path.display()))?,
            };
            different.extend(found.map(|found| (label.clone(), found)));
        }
        for label in other.0.keys().filter(|label| !self.0.contains_key(*label)) {
            different.insert(label.clone(), Difference::OnlyIn(Side::Second));
        }
        for label in [MANIFEST, SUMS] {
            let [one, two] = [self, other].map(|outputs| outputs.0.get(label));
            if let (Some(one), Some(two)) = (one, two)
                && different.keys().any(|other| !other.contains('/') && !is_paper(other))
                && (label == SUMS || follows(&fs::read(one)?, &fs::read(two)?))
            {
                different.remove(label);
            }
        }
        Ok(different)
    }
}

fn is_paper(label: &str) -> bool {
    label == MANIFEST || label == SUMS
}

/// What a file belongs to.
pub fn owner(label: &str) -> &str {
    label.split_once('/').map_or("programs", |(owner, _)| owner)
}

/// The first difference between two files, without a word on where the bytes differ.
fn difference(one: &Path, two: &Path) -> Result<Option<Difference>> {
    let [a, b] = [fs::symlink_metadata(one)?, fs::symlink_metadata(two)?];
    let words = |path: &Path, about: &fs::Metadata| -> Result<String> {
        Ok(match about.is_symlink() {
            true => format!("a link to {}", fs::read_link(path)?.display()),
            false => format!("a file of mode {:03o}", about.permissions().mode() & 0o7777),
        })
    };
    let (said_of_one, said_of_two) = (words(one, &a)?, words(two, &b)?);
    if said_of_one != said_of_two {
        return Ok(Some(Difference::Kind(said_of_one, said_of_two)));
    }
    if a.is_symlink() || (a.len() == b.len() && fs::read(one)? == fs::read(two)?) {
        return Ok(None);
    }
    Ok(Some(Difference::Bytes(Vec::new())))
}

/// Whether manifests differ only in what they say of the programs' bytes.
fn follows(one: &[u8], two: &[u8]) -> bool {
    let stripped = |bytes: &[u8]| {
        let mut manifest: Value = serde_json::from_slice(bytes).ok()?;
        for program in manifest["executables"].as_array_mut()? {
            let fields = program.as_object_mut()?;
            fields.remove("sha256");
            fields.remove("size_bytes");
        }
        Some(manifest)
    };
    stripped(one).is_some_and(|manifest| Some(manifest) == stripped(two))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests have no store yet")]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_differ_is_told_from_the_others() {
        let root = std::env::temp_dir().join(format!("muslin-compare-{}", std::process::id()));
        let outputs = |side: &str, files: &[(&str, &str)]| {
            let mut all = BTreeMap::new();
            for (label, text) in files {
                let path = root.join(side).join(label);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, text).unwrap();
                all.insert((*label).to_owned(), path);
            }
            Outputs::new(all)
        };
        let manifest = |sum: &str, target: &str| {
            format!("{{\"target\":\"{target}\",\"executables\":[{{\"sha256\":\"{sum}\"}}]}}")
        };
        let files = [("a", "1"), ("z-1/lib/z", "same"), ("z-1/mode", ""), ("z-1/gone", "")];
        let one = outputs("one", &files);
        let mut two = outputs("two", &[("a", "2"), ("z-1/lib/z", "same"), ("z-1/mode", "")]);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(root.join("two/z-1/mode"), mode).unwrap();
        let comparison = one.compare(&two).unwrap();
        assert_eq!(comparison.amounts["programs"], Amount { files: 1, bytes: 1 });
        assert_eq!(comparison.amounts["z-1"], Amount { files: 3, bytes: 4 });
        let labels: Vec<_> = comparison.different.keys().map(String::as_str).collect();
        assert_eq!(labels, ["a", "z-1/gone", "z-1/mode"]);
        assert!(matches!(&comparison.different["a"], Difference::Bytes(found) if found.len() == 1));
        assert_eq!(comparison.different["z-1/gone"], Difference::OnlyIn(Side::First));
        assert!(
            matches!(&comparison.different["z-1/mode"], Difference::Kind(_, b) if b.contains("755"))
        );

        // A manifest that only repeats the program's difference is none of its own.
        let mut one = outputs("one", &[("a", "1"), (MANIFEST, &manifest("1", "x"))]);
        two = outputs("two", &[("a", "2"), (MANIFEST, &manifest("2", "x"))]);
        assert_eq!(one.labels_that_differ(&two).unwrap(), ["a".to_owned()].into());
        two = outputs("two", &[("a", "2"), (MANIFEST, &manifest("2", "y"))]);
        assert_eq!(one.labels_that_differ(&two).unwrap().len(), 2);
        one = one.without_papers();
        assert_eq!(one.0.len(), 1);
        crate::layout::remove_tree(&root).unwrap();
    }
}
