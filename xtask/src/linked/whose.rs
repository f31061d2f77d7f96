//! Whose each object of a program is, kept in the store for the program's bytes: who looks at it later
//! knows neither the plan nor what cargo said.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::map;
use super::map_of;
use super::origin::{Places, without_hash};
use super::pieces::{Owner, owners};
use crate::app::{Built, Program};
use crate::digest::Digest;
use crate::rust::Memory;
use crate::toolchain::linking::MAP_ENDING;

/// Bump when an answer is kept in another form.
const FORMAT: &str = "whose 1";

/// What is known of the parts of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whose {
    /// The linker's map.
    pub map: PathBuf,
    /// `certwatch 0.1.0`.
    pub package: String,
    /// By name in the map, each object.
    pub objects: BTreeMap<String, Object>,
    /// By name in code, the crates that cargo built: `serde 1.0.228`, perhaps in several versions.
    pub crates: BTreeMap<String, BTreeSet<String>>,
    /// Names in code of the standard library's crates.
    pub std: BTreeSet<String>,
}

/// An object that the linker took something of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// `recipe openssl 3.6.3`, `crate ring 0.17.14`, `rust`, `program`…
    pub from: String,
    /// `libcrypto.a(cpuid.o)`.
    pub name: String,
    /// Whether rustc made it of Rust code.
    pub is_rust: bool,
}

/// Keeps what is known of a program that cargo has linked, if that is not kept yet.
pub fn remember(
    memory: &Memory,
    places: &Places<'_>,
    built: &Built,
    program: &Program,
    package: &str,
    sha256: &Digest,
) -> Result<()> {
    let file = map_of(&program.path)?;
    let is_it = |whose: &Whose| whose.map == file && whose.package == package;
    let look = || {
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let lines = map::lines(&text).with_context(|| format!("{} is no map", file.display()))?;
        let names: BTreeSet<String> = lines
            .filter_map(|line| Some(line.input()?.0.to_owned()))
            .filter(|name| name != map::INTERNAL)
            .collect();
        let names: Vec<String> = names.into_iter().collect();
        let object = |Owner { from, object, is_rust, .. }| Object { from, name: object, is_rust };
        let objects = owners(places, built, &file, &names).into_iter().map(object);
        let mut crates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (file, id) in &built.files {
            if let (Some(name), Some(package)) = (name_in_code(file), places.package(id)) {
                crates.entry(name).or_default().insert(package);
            }
        }
        Ok(Whose {
            map: file.clone(),
            package: package.to_owned(),
            objects: names.iter().cloned().zip(objects).collect(),
            crates,
            std: places.std.iter().filter_map(|file| name_in_code(file)).collect(),
        })
    };
    memory.recall(&question(sha256), &[], is_it, look).map(drop)
}

/// What was kept of a program with these bytes; nothing if it was not made by `dist` with this store.
pub fn recall(memory: &Memory, sha256: &Digest) -> Option<Whose> {
    memory.recall(&question(sha256), &[], |_| true, || anyhow::bail!("not kept")).ok()
}

fn question(sha256: &Digest) -> String {
    format!("{FORMAT}\n{sha256}")
}

/// `liblibsqlite3_sys-0123456789abcdef.rlib` → `libsqlite3_sys`, and `hello-sqlite` → `hello_sqlite`.
fn name_in_code(file: &str) -> Option<String> {
    let plain = without_hash(file);
    let name = match plain.strip_suffix(".rlib") {
        Some(stem) => stem.strip_prefix("lib")?,
        None if plain.contains('.') => return None,
        None => &plain,
    };
    Some(name.replace('-', "_"))
}

/// The map of a program in a folder of cargo's: beside the file under its other name, or, of what lies
/// in `deps` itself, beside that.
pub fn map_beside(program: &Path) -> Option<PathBuf> {
    let mut beside = program.as_os_str().to_owned();
    beside.push(MAP_ENDING);
    let beside = PathBuf::from(beside);
    if beside.is_file() { Some(beside) } else { map_of(program).ok() }
}

/// The file that a map is of.
pub fn program_of(map: &Path) -> Option<PathBuf> {
    map.to_str()?.strip_suffix(MAP_ENDING).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_have_other_names_in_code() {
        let name = |file| name_in_code(file).unwrap_or_default();
        assert_eq!(name("liblibsqlite3_sys-0123456789abcdef.rlib"), "libsqlite3_sys");
        assert_eq!(name("libstd-0123456789abcdef.rlib"), "std");
        assert_eq!(name("hello-sqlite"), "hello_sqlite");
        assert_eq!(name("libserde_derive-0123456789abcdef.so"), "");
        assert_eq!(name("libserde-0123456789abcdef.rmeta"), "");
        assert_eq!(program_of(Path::new("/t/deps/a-1f.map")), Some("/t/deps/a-1f".into()));
        assert_eq!(program_of(Path::new("/t/deps/a-1f")), None);
    }
}
