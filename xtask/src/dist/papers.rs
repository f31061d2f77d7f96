//! What goes with the programs so that others know what is in them: the bill of materials, and the texts
//! of the licences.

use std::path::Path;

use anyhow::Result;

use super::Made;
use crate::bill::{Program, licenses};
use crate::cli::Product;
use crate::layout::{copy_atomically, write_atomically};
use crate::package::{PackedFile, digest};
use crate::report;
use crate::session::Session;
use crate::signature;
use crate::target::Target;

/// The name of the bill.
const BILL: &str = "sbom.cdx.json";

/// The name of the statement.
const PROVENANCE: &str = "provenance.json";

/// Writes the bill.
pub fn bill(target: &Target, place: &Path, made: &Made) -> Result<PackedFile> {
    let programs = made.programs.iter().zip(&made.linked);
    let programs = programs.map(|((program, checked), linked)| Program {
        name: &program.name,
        sha256: checked.sha256().hex(),
        linked,
    });
    let text = made.bill.cyclonedx(Some(&target.name()), &programs.collect::<Vec<_>>())?;
    let path = place.join(BILL);
    write_atomically(&path, text.as_bytes())?;
    PackedFile::of(path)
}

/// Writes the texts of licences to where all that packs them finds them, unless they are there. Fails if
/// a licence is not allowed or has no text.
pub fn licenses(session: &Session, target: &Target, made: &Made) -> Result<PackedFile> {
    let path = licenses::place(&made.project, &target.name());
    let question = made.bill.licenses_pre_image(&made.project)?;
    let memory = session.memory();
    PackedFile::recall(path, &question, &memory, |path| {
        let text = made.bill.licenses(&made.project)?;
        if made.bill.lacks_notices() {
            report::warning(
                "this Rust came without the notices of its standard library's own crates, so they are not \
                 among the licences: rustup's has them",
            );
        }
        write_atomically(path, text.as_bytes())
    })
}

/// Puts the texts beside the programs.
pub fn copy_licenses(made: &PackedFile, place: &Path) -> Result<PackedFile> {
    let path = place.join(licenses::FILE);
    if !digest(&path).is_ok_and(|(sha256, _)| sha256 == made.sha256.hex()) {
        copy_atomically(&made.path, &path)?;
    }
    Ok(PackedFile { path, ..made.clone() })
}

/// Whether something is to be made.
pub fn is_wanted(only: &[Product], product: Product) -> bool {
    only.is_empty() || only.contains(&product)
}

/// Writes what the files, by name and sum, were made of; with a key also its signature.
pub fn provenance(
    place: &Path,
    made: &Made,
    sums: &[(String, String)],
    key: Option<&Path>,
) -> Result<Vec<PackedFile>> {
    let manifest = serde_json::from_str(&made.manifest)?;
    let statement = made.bill.provenance(&manifest, sums);
    let text = serde_json::to_string_pretty(&statement)? + "\n";
    let path = place.join(PROVENANCE);
    write_atomically(&path, text.as_bytes())?;
    let mut files = vec![PackedFile::of(path.clone())?];
    if let Some(key) = key {
        files.push(PackedFile::of(signature::sign(&path, key)?)?);
    }
    Ok(files)
}
