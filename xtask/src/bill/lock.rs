//! The digests of crates, as `Cargo.lock` has them.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::rust::Memory;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

/// The SHA-256 of each crate by name, version and source, in their order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Checksums(Vec<([String; 3], String)>);

impl Checksums {
    /// Those of a workspace. A package without dependencies may have no `Cargo.lock`.
    pub fn of(workspace: &Path, memory: &Memory) -> Result<Self> {
        let file = workspace.join("Cargo.lock");
        let Ok(text) = fs::read_to_string(&file) else { return Ok(Self::default()) };
        let question = format!("checksums of {}", Digest::sha256_of(text.as_bytes()).hex());
        let read = || Self::read(&text).with_context(|| format!("cannot read {}", file.display()));
        memory.recall(&question, &[], |_| true, read)
    }

    fn read(text: &str) -> Result<Self> {
        let lock: Lock = toml::from_str(text)?;
        let sums = lock.package.into_iter().filter_map(|package| {
            Some(([package.name, package.version, package.source?], package.checksum?))
        });
        let mut sums: Vec<_> = sums.collect();
        sums.sort_unstable();
        Ok(Self(sums))
    }

    /// That of one crate.
    pub fn get(&self, name: &str, version: &str, source: &str) -> Option<&String> {
        let wanted = [name, version, source];
        let order = |key: &[String; 3]| key.each_ref().map(String::as_str).cmp(&wanted);
        let place = self.0.binary_search_by(|(key, _)| order(key)).ok()?;
        Some(&self.0[place].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_of_a_registry_have_one() {
        let text = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\
                    source = \"registry+x\"\nchecksum = \"0f\"\n[[package]]\nname = \"b\"\n\
                    version = \"1.0.0\"\ndependencies = [\"a\"]\n";
        let sums = Checksums::read(text).unwrap();
        assert_eq!(sums.get("a", "1.0.0", "registry+x").unwrap(), "0f");
        assert!(sums.get("a", "1.0.0", "registry+y").is_none() && sums.0.len() == 1);
        assert!(Checksums::read("package = 1").is_err());
    }
}
