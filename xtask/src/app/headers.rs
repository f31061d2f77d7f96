//! Headers of this machine in an app's build: those that the target's compiler has refused, and those
//! that a build script says it depends on, as bindgen has it say of every header that it binds.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::told::{Built, Script};
use crate::exit::{Exit, Failure};
use crate::toolchain::headers::{is_of_the_machine, refusals};

/// Endings of headers.
const ENDINGS: [&str; 5] = ["h", "hh", "hpp", "hxx", "inc"];

/// The error, if a compiler has refused some.
pub(super) fn refused(package: &str, said: &str) -> Option<Failure> {
    let refusals = refusals(said);
    (!refusals.is_empty()).then(|| failure(package, &refusals))
}

/// Fails if a build script of the target's depends on some.
pub(super) fn depended_on(package: &str, built: &Built, triple: &str) -> Result<()> {
    let mut found = Vec::new();
    for script in &built.scripts {
        for header in foreign(script, triple) {
            let name = words(&script.package);
            found.push(format!("the build script of {name} has read {}", header.display()));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(failure(package, &found).into()) }
}

/// A package's name and version, of cargo's id: `…#name@1.2.3`, or `…/name#1.2.3`.
fn words(id: &str) -> String {
    let (place, package) = id.rsplit_once('#').unwrap_or(("", id));
    match package.split_once('@') {
        Some((name, version)) => format!("{name} {version}"),
        None => format!("{} {package}", place.rsplit('/').next().unwrap_or_default()),
    }
}

/// Headers of the machine that a script for the target says it depends on.
fn foreign(script: &Script, triple: &str) -> Vec<PathBuf> {
    // Scripts for this machine have another folder, and may read what they like.
    let is_for_target = |out: &&PathBuf| out.iter().any(|part| part == triple);
    let Some(out) = script.out.as_ref().filter(is_for_target) else { return Vec::new() };
    let said = out.with_file_name("output");
    let text = fs::read(said).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let paths = text.lines().filter_map(|line| {
        let line = line.strip_prefix("cargo:")?;
        line.strip_prefix(':').unwrap_or(line).strip_prefix("rerun-if-changed=")
    });
    let is_header = |path: &&Path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        path.is_absolute() && ending.is_some_and(|ending| ENDINGS.contains(&ending))
    };
    let real = paths.map(Path::new).filter(is_header).filter_map(|it| it.canonicalize().ok());
    real.filter(|path| is_of_the_machine(path)).collect()
}

fn failure(package: &str, found: &[String]) -> Failure {
    let message = format!(
        "{package} would be built with headers of this machine, which are another libc's and other \
         libraries':\n  {}",
        found.join("\n  ")
    );
    Failure::new(Exit::CheckFailed, message)
        .help(
            "a build script names such a folder (`-I`, `-isystem`), or a file such a path: \
             `cargo build -vv` shows the calls",
        )
        .help("a recipe brings a library's headers (`libraries.add`), or the crate's own copy does")
}
