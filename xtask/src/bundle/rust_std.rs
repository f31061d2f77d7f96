//! The target's standard library: out of one Rust installation, into another one of the same rustc.
//!
//! rustc looks for it in its own installation only. Where that cannot be written to, whoever owns it
//! has to put it there; a bundle is made so that `tar` alone does.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::manifest::PlannedStep;
use super::pack::Pieces;
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::layout::{files_below, remove_tree, write_atomically};
use crate::plan::Plan;
use crate::process::shell_word;
use crate::report;
use crate::rust::{Rust, from_source};
use crate::session::Session;

/// The folder in a bundle that has the layout of an installation.
pub const FOLDER: &str = "rust-std";

const RUSTLIB: &str = "lib/rustlib";

/// How a standard library that is built from source is called; nothing if rustup brings it. Its bytes are
/// among the downloads.
pub fn planned(session: &Session, plan: &Plan, rust: &Rust) -> Result<Option<PlannedStep>> {
    let Some(std) = from_source::recipe(&session.recipes, &plan.target)? else { return Ok(None) };
    let pre_image = from_source::pre_image(std, rust, plan);
    Ok(Some(PlannedStep {
        name: from_source::NAME.to_owned(),
        version: std.version.clone(),
        fingerprint: Digest::sha256_of(pre_image.as_bytes()).hex(),
    }))
}

/// Puts the standard library of a target into a bundle.
pub fn add(rust: &Rust, triple: &str, pieces: &mut Pieces<'_>) -> Result<()> {
    let folder = rust.target_folder(triple);
    for file in files_below(&folder)? {
        let path = format!("{FOLDER}/{RUSTLIB}/{triple}/{}", file.display());
        pieces.add_file(&path, &folder.join(&file))?;
    }
    // What an installer wrote down of these files, so that rustup can tell and remove them.
    let name = format!("manifest-rust-std-{triple}");
    let manifest = rust.sysroot().join(RUSTLIB).join(&name);
    if manifest.is_file() {
        pieces.add_file(&format!("{FOLDER}/{RUSTLIB}/{name}"), &manifest)?;
    }
    Ok(())
}

/// Installs the standard library of a target, unless it is there. `files` are paths in the
/// installation, and where their bytes are.
pub fn install(
    rust: &Rust,
    triple: &str,
    files: &[(String, PathBuf)],
    bundle: &Path,
) -> Result<()> {
    if rust.has_std(triple) || files.is_empty() {
        return Ok(());
    }
    let rustlib = rust.sysroot().join(RUSTLIB);
    if rustix::fs::access(&rustlib, rustix::fs::Access::WRITE_OK).is_err() {
        let words = [bundle, rust.sysroot()].map(|path| shell_word(&path.to_string_lossy()));
        let command = format!("tar -xf {} -C {} --strip-components=1 {FOLDER}", words[0], words[1]);
        let place = rust.sysroot().display();
        let message = format!(
            "the standard library of {triple} must be in the Rust installation, and {place} cannot be written to"
        );
        return Err(Failure::new(Exit::Failed, message)
            .help("everything else of the bundle is taken in")
            .help(format!("as the owner of that installation: `{command}`"))
            .into());
    }
    let temp = rustlib.join(format!(".muslin-{}", std::process::id()));
    let place = rustlib.join(triple);
    let installed = fill(&temp, triple, files).and_then(|()| {
        // One without a library in it, such as rustup leaves behind, gives way.
        remove_tree(&place)?;
        fs::rename(&temp, &place)?;
        register(&rustlib, triple, files)
    });
    let _ = remove_tree(&temp);
    installed.with_context(|| format!("cannot install into {}", rustlib.display()))?;
    report::status("Installed", format!("rust-std for {triple} into {}", rust.sysroot().display()));
    Ok(())
}

fn fill(temp: &Path, triple: &str, files: &[(String, PathBuf)]) -> Result<()> {
    let prefix = format!("{RUSTLIB}/{triple}/");
    for (path, from) in files {
        let Some(relative) = path.strip_prefix(&prefix) else { continue };
        let to = temp.join(relative);
        fs::create_dir_all(to.parent().unwrap_or(temp))?;
        fs::copy(from, &to)?;
    }
    Ok(())
}

/// Writes the component down where installers look: the list of all installations have, and rustup's.
fn register(rustlib: &Path, triple: &str, files: &[(String, PathBuf)]) -> Result<()> {
    let name = format!("manifest-rust-std-{triple}");
    let Some((_, from)) = files.iter().find(|(path, _)| path.ends_with(&name)) else {
        return Ok(());
    };
    write_atomically(&rustlib.join(&name), &fs::read(from)?)?;
    let component = format!("rust-std-{triple}");
    append_once(&rustlib.join("components"), &component, &format!("{component}\n"))?;
    let table = format!(
        "[[components]]\npkg = \"rust-std\"\ntarget = \"{triple}\"\nis_extension = false\n"
    );
    append_once(&rustlib.join("multirust-config.toml"), &table, &format!("\n{table}"))
}

/// Appends a text to a file that is there, unless it has the mark already.
fn append_once(file: &Path, mark: &str, text: &str) -> Result<()> {
    let Ok(before) = fs::read_to_string(file) else { return Ok(()) };
    if before.contains(mark) {
        return Ok(());
    }
    write_atomically(file, format!("{before}{text}").as_bytes())
}
