//! Texts that licences ask to be passed on, out of a source tree: each is held against its digest and
//! kept beside what was built. Never judges whether it is the right text: the recipe's author did.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::recipe::LicenseFile;

/// The largest file that a text is read from: a library that is one C file may have it there.
const FILE_LIMIT_BYTES: u64 = 32 << 20;

/// Verifies the texts of `what`, whose recipe (`recipes/…`) names them, and puts them into a folder,
/// by the first name that the recipe has for each.
pub fn keep(
    what: &str,
    recipe: &str,
    files: &[LicenseFile],
    tree: &Path,
    folder: &Path,
) -> Result<()> {
    for file in files {
        let name = file.paths.first().map(String::as_str).unwrap_or_default();
        let text = read(tree, &file.paths, file.lines).map_err(|why| {
            let message = format!("{what} has no text of a licence where its recipe says: {why}");
            Failure::new(Exit::Failed, message).help(format!("correct `license-file` in {recipe}"))
        })?;
        let found = Digest::sha256_of(&text);
        if found != file.digest {
            return Err(differs(what, recipe, file, &found));
        }
        let place = folder.join(name);
        fs::create_dir_all(place.parent().unwrap_or(folder))
            .and_then(|()| fs::write(&place, &text))
            .with_context(|| format!("cannot write {}", place.display()))?;
    }
    Ok(())
}

fn differs(what: &str, recipe: &str, file: &LicenseFile, found: &Digest) -> anyhow::Error {
    let name = file.paths.join("` or `");
    let message = format!(
        "the licence of {what} is not the one that its recipe pins: `{name}`\n  expected {}\n     \
         found {found}",
        file.digest
    );
    Failure::new(Exit::VerificationFailed, message)
        .help(format!(
            "read the text; if it is the right one: `cargo xtask recipe check --fix {recipe}`"
        ))
        .help(
            "if the archives of two origins differ, name a file, or `lines`, that all of them have",
        )
        .into()
}

/// The text in the first of some files that a tree has; of it, some lines or all. The error says what
/// is missing.
pub fn read(
    tree: &Path,
    paths: &[String],
    lines: Option<(usize, usize)>,
) -> Result<Vec<u8>, String> {
    let Some(path) = paths.iter().find(|path| tree.join(path).is_file()) else {
        return Err(format!("there is no `{}`", paths.join("` and no `")));
    };
    let mut bytes = Vec::new();
    File::open(tree.join(path))
        .and_then(|file| file.take(FILE_LIMIT_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("`{path}` cannot be read: {error}"))?;
    if bytes.len() as u64 > FILE_LIMIT_BYTES {
        return Err(format!("`{path}` is larger than {} MiB", FILE_LIMIT_BYTES >> 20));
    }
    let Some((first, last)) = lines else { return Ok(bytes) };
    let all: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let part = all.get(first.saturating_sub(1)..last);
    part.map(<[_]>::concat).ok_or_else(|| format!("`{path}` has only {} lines", all.len()))
}
