//! Puts in place what was made: programs, what is made of them, their manifest and their sums.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::Made;
use crate::app::Program;
use crate::check::Checked;
use crate::cli::Product;
use crate::digest::Digest;
use crate::layout::{copy_atomically, write_atomically};
use crate::package::{self, Compression, PackedFile};
use crate::process::side_by_side;
use crate::rust::Memory;
use crate::session::Session;
use crate::target::Target;

/// Puts the programs, their manifest and their sums in place. What an earlier run put there and this
/// one did not make is removed; nothing else is touched.
pub fn pack(
    session: &Session,
    target: &Target,
    only: &[Product],
    place: &Path,
    made: &Made,
) -> Result<Vec<PackedFile>> {
    let Made { programs, manifest, .. } = made;
    fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
    for copied in side_by_side(programs, |(program, it)| copy(it, &place.join(&program.name))) {
        copied?;
    }
    let files = archives(session, target, only, place, made)?;
    let sum = |(program, it): &(Program, Checked)| (program.name.clone(), it.sha256().hex());
    let mut sums: Vec<_> = programs.iter().map(sum).collect();
    write_atomically(&place.join("manifest.json"), manifest.as_bytes())?;
    sums.push(("manifest.json".to_owned(), Digest::sha256_of(manifest.as_bytes()).hex()));
    for file in &files {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sums.push((name, file.sha256.hex()));
    }
    sums.sort();
    let list = place.join("SHA256SUMS");
    let stale: Vec<PathBuf> = fs::read_to_string(&list)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once("  ").map(|(_, name)| name.to_owned()))
        .filter(|name| !name.contains('/') && !sums.iter().any(|(kept, _)| kept == name))
        .map(|name| place.join(name))
        .collect();
    let text = sums.iter().fold(String::new(), |mut text, (name, sum)| {
        let _ = writeln!(text, "{sum}  {name}");
        text
    });
    write_atomically(&list, text.as_bytes())?;
    for file in stale {
        fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    Ok(files)
}

/// The archives of the programs, one of each kind.
fn archives(
    session: &Session,
    target: &Target,
    only: &[Product],
    place: &Path,
    made: &Made,
) -> Result<Vec<PackedFile>> {
    if !only.is_empty() && !only.contains(&Product::Archives) {
        return Ok(Vec::new());
    }
    let memory = Memory::new(&session.store, true);
    let programs = made.programs.iter().map(|(program, it)| (program.name.as_str(), it));
    let programs: Vec<_> = programs.collect();
    let make = |kind: &Compression| {
        package::archive(&made.project, target, &programs, *kind, place, &memory)
    };
    side_by_side(&[Compression::Gzip, Compression::Zstd], make).into_iter().collect()
}

/// Puts a program in place, if it is not there yet.
fn copy(checked: &Checked, target: &Path) -> Result<()> {
    let hash = || fs::read(target).map(|bytes| Digest::sha256_of(&bytes));
    let mut copied = hash().ok();
    if copied != Some(checked.sha256()) {
        copy_atomically(checked.path(), target)?;
        copied = Some(hash()?);
    }
    fs::set_permissions(target, fs::metadata(checked.path())?.permissions())?;
    if copied != Some(checked.sha256()) {
        bail!("{} changed while it was packed", checked.path().display());
    }
    Ok(())
}
