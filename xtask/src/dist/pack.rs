//! Puts in place what was made: programs, what is made of them, their manifest and their sums.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{Made, papers};
use crate::app::Program;
use crate::check::Checked;
use crate::cli::{self, Product};
use crate::digest::Digest;
use crate::layout::{copy_atomically, write_atomically};
use crate::package::{self, Compression, PackedFile, image};
use crate::process::side_by_side;
use crate::report;
use crate::session::Session;
use crate::target::Target;

/// The file with the sums of all others.
const SUMS: &str = "SHA256SUMS";

/// Puts the programs, their manifest and their sums in place. What an earlier run put there and this
/// one did not make is removed; nothing else is touched. Returns what was made of the programs, and
/// which of these are images, by name.
pub fn pack(
    session: &Session,
    target: &Target,
    order: &cli::Dist,
    place: &Path,
    made: &Made,
) -> Result<(Vec<PackedFile>, BTreeMap<String, PackedFile>)> {
    let only = &order.only[..];
    let Made { programs, manifest, .. } = made;
    let has_texts = [Product::Archives, Product::Licenses].map(|it| papers::is_wanted(only, it));
    let licenses = has_texts.contains(&true).then(|| papers::licenses(session, target, made));
    let licenses = licenses.transpose()?;
    fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
    for copied in side_by_side(programs, |(program, it)| copy(it, &place.join(&program.name))) {
        copied?;
    }
    let mut files = Vec::new();
    if papers::is_wanted(only, Product::Sbom) {
        files.push(papers::bill(target, place, made)?);
    }
    if let Some(licenses) = licenses.as_ref().filter(|_| papers::is_wanted(only, Product::Licenses))
    {
        files.push(papers::copy_licenses(licenses, place)?);
    }
    let (archives, images) = std::thread::scope(|scope| {
        let images = scope.spawn(|| images(session, target, only, place, made));
        let archives = match &licenses {
            Some(licenses) if papers::is_wanted(only, Product::Archives) => {
                archives(session, target, licenses, place, made)
            }
            _ => Ok(Vec::new()),
        };
        let images = images.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked")));
        anyhow::Ok((archives?, images?))
    })?;
    files.extend(archives);
    files.extend(images.values().cloned());
    let sum = |(program, it): &(Program, Checked)| (program.name.clone(), it.sha256().hex());
    let mut sums: Vec<_> = programs.iter().map(sum).collect();
    write_atomically(&place.join("manifest.json"), manifest.as_bytes())?;
    sums.push(("manifest.json".to_owned(), Digest::sha256_of(manifest.as_bytes()).hex()));
    sums.extend(files.iter().map(|file| (file.name(), file.sha256.hex())));
    sums.sort();
    if papers::is_wanted(only, Product::Provenance) {
        let papers = papers::provenance(place, made, &sums, order.sign.as_deref())?;
        sums.extend(papers.iter().map(|file| (file.name(), file.sha256.hex())));
        files.extend(papers);
    }
    write_sums(place, sums)?;
    Ok((files, images))
}

/// Writes the sums of a folder, by name, and removes what those of an earlier run name and these do not.
pub fn write_sums(place: &Path, mut sums: Vec<(String, String)>) -> Result<()> {
    sums.sort();
    let list = place.join(SUMS);
    let stale: Vec<PathBuf> = fs::read_to_string(&list)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once("  ").map(|(_, name)| name.to_owned()))
        .filter(|name| !name.contains('/') && !sums.iter().any(|(kept, _)| kept == name))
        .map(|name| place.join(name))
        .filter(|file| file.exists())
        .collect();
    let text = sums.iter().fold(String::new(), |mut text, (name, sum)| {
        let _ = writeln!(text, "{sum}  {name}");
        text
    });
    write_atomically(&list, text.as_bytes())?;
    for file in stale {
        fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    Ok(())
}

/// The archives of the programs, one of each kind.
fn archives(
    session: &Session,
    target: &Target,
    licenses: &PackedFile,
    place: &Path,
    made: &Made,
) -> Result<Vec<PackedFile>> {
    let memory = session.memory();
    let programs = made.named_programs();
    let make = |kind: &Compression| {
        package::archive(&made.project, target, &programs, licenses, *kind, place, &memory)
    };
    side_by_side(&[Compression::Gzip, Compression::Zstd], make).into_iter().collect()
}

/// The images of the programs, by name: one for each, or one for those that the manifest names.
fn images(
    session: &Session,
    target: &Target,
    only: &[Product],
    place: &Path,
    made: &Made,
) -> Result<BTreeMap<String, PackedFile>> {
    if !papers::is_wanted(only, Product::Image) {
        return Ok(BTreeMap::new());
    }
    let Some(cpu) = &target.oci_cpu else {
        let triple = &target.triple;
        report::note(format!("no image: `oci-cpu` of {triple} is not in recipes/targets.toml"));
        return Ok(BTreeMap::new());
    };
    let programs = made.named_programs();
    let project = &made.project;
    let orders = image::orders(project, target, &programs, &made.data)?;
    let memory = session.memory();
    let make = |order: &image::Order<'_>| {
        let packed = image::make(order, cpu, place, &|| session.store.temp("image"), &memory)?;
        Ok((order.name.to_owned(), packed))
    };
    side_by_side(&orders, make).into_iter().collect()
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
