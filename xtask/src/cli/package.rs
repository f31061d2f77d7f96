//! Arguments that say which package is meant, and for what it is built.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::DEFAULT_TARGET;
use crate::links::{HostView, Prefer};

/// Which package, and how cargo should see it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Package")]
pub struct Package {
    /// The Cargo.toml of the package to build [default: the sample app's].
    #[arg(long, value_name = "FILE")]
    pub manifest_path: Option<PathBuf>,
    /// The package, where the manifest is a workspace of several.
    #[arg(long, short, value_name = "PKG")]
    pub package: Option<String>,
    /// A published crate instead, with the Cargo.lock that it was published with [default version:
    /// the newest].
    #[arg(long = "crate", value_name = "NAME[@VERSION]", conflicts_with_all = ["manifest_path", "package"])]
    pub published: Option<CrateSpec>,
    /// Pass over the published crate's Cargo.lock, and resolve its dependencies anew.
    #[arg(long, requires = "published")]
    pub ignore_lock: bool,
    /// Features to turn on.
    #[arg(long, short = 'F', value_name = "FEATURES")]
    pub features: Vec<String>,
    /// Leave the default features off.
    #[arg(long)]
    pub no_default_features: bool,
    /// Turn all features on.
    #[arg(long)]
    pub all_features: bool,
    /// Whether build scripts and proc-macros see this machine's programs, headers and libraries
    /// [default: what the package's manifest says, else hidden].
    #[arg(long, value_enum, value_name = "VIEW")]
    pub host: Option<HostView>,
    /// Whose copy of a C library is linked, where a feature such as `bundled` asks for the crate's own
    /// and a recipe has it too [default: what the package's manifest says, else the crate's].
    #[arg(long, value_enum, value_name = "WHOSE")]
    pub prefer: Option<Prefer>,
}

/// `NAME` or `NAME@VERSION` of a published crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrateSpec {
    /// Its name.
    pub name: String,
    /// The version asked for, or its first numbers.
    pub version: Option<String>,
}

impl FromStr for CrateSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(is_word) {
            return Err("a crate's name has only letters, digits, `-` and `_`".to_owned());
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
        let begins = |version: &str| version.starts_with(|c: char| c.is_ascii_digit());
        if version.is_some_and(|version| !begins(version) || !version.chars().all(is_part)) {
            return Err("a version has the form 1.2.3".to_owned());
        }
        Ok(Self { name: name.to_owned(), version: version.map(str::to_owned) })
    }
}

/// For what, and with what, to build.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct Platform {
    /// The target triple; may be given several times [default: x86_64-unknown-linux-musl].
    #[arg(long, value_name = "TRIPLE")]
    pub target: Vec<String>,
    /// All targets of recipes/targets.toml.
    #[arg(long, conflicts_with = "target")]
    pub all_targets: bool,
    /// The CPU that the program may take for granted, by rustc's name: for Rust and C alike, such as
    /// x86-64-v3 [default: what every machine of the target has].
    #[arg(long, value_name = "CPU")]
    pub target_cpu: Option<String>,
    /// The toolchain [default: the first that the store has or that can be fetched].
    #[arg(long, value_name = "NAME")]
    pub toolchain: Option<String>,
}

impl Platform {
    /// The triples asked for, without repetition; the default one if none was. `known` are those of
    /// the table.
    pub fn triples<'k>(&self, known: impl IntoIterator<Item = &'k String>) -> Vec<String> {
        if self.all_targets {
            return known.into_iter().cloned().collect();
        }
        let mut triples: Vec<String> = Vec::new();
        for triple in &self.target {
            if !triples.contains(triple) {
                triples.push(triple.clone());
            }
        }
        if triples.is_empty() {
            triples.push(DEFAULT_TARGET.to_owned());
        }
        triples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_a_name_with_or_without_a_version() {
        let spec = |text: &str| text.parse::<CrateSpec>();
        let is = |name: &str, version: Option<&str>| {
            Ok(CrateSpec { name: name.to_owned(), version: version.map(str::to_owned) })
        };
        assert_eq!(spec("ripgrep"), is("ripgrep", None));
        assert_eq!(spec("a_b-c@1.2.3-rc.1+x"), is("a_b-c", Some("1.2.3-rc.1+x")));
        for wrong in ["", "@1", "a@", "a@^1", "a@1\"", "a b", "../a", "a@v1"] {
            assert!(spec(wrong).is_err(), "{wrong}");
        }
    }
}
