//! `cargo xtask check --provenance`: files against the statement that says what they were made of, and
//! that against its signature.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::cli;
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::report;
use crate::signature;

/// What a statement is (in-toto attestation framework, statement 1).
pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// What it says (SLSA, provenance 1.0).
pub const PREDICATE: &str = "https://slsa.dev/provenance/v1";

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    #[serde(rename = "predicateType")]
    predicate: String,
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: BTreeMap<String, String>,
}

/// Compares files with a statement: those named, else all that it speaks of and that lie beside it.
pub fn run(check: &cli::Check, file: &Path) -> Result<()> {
    let signer = match &check.allowed_signers {
        Some(signers) => Some(signature::verify(file, signers)?),
        None => None,
    };
    let cannot = || format!("cannot read {}", file.display());
    let bytes = fs::read(file).with_context(cannot)?;
    let statement: Statement = serde_json::from_slice(&bytes)
        .map_err(|error| wrong(file, &format!("is no statement of provenance: {error}")))?;
    if statement.kind != STATEMENT || statement.predicate != PREDICATE {
        return Err(wrong(file, "is a statement of another kind"));
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    let beside =
        || -> Vec<_> { statement.subject.iter().map(|it| folder.join(&it.name)).collect() };
    let files = if check.files.is_empty() { beside() } else { check.files.clone() };
    let mut others = Vec::new();
    for path in &files {
        let cannot = || format!("cannot read {}", path.display());
        let is = File::open(path).and_then(Digest::sha256_of_all).with_context(cannot)?.hex();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let of_these_bytes =
            |subject: &&Subject| subject.digest.get("sha256").is_some_and(|sha256| *sha256 == is);
        match statement.subject.iter().find(of_these_bytes) {
            Some(subject) => report::data(format!("{is}  {} is {}", path.display(), subject.name)),
            None => others.push(format!("{name} ({is})")),
        }
    }
    if !others.is_empty() {
        let message = format!("{} does not speak of {}", file.display(), others.join(", "));
        return Err(Failure::new(Exit::VerificationFailed, message)
            .help("it was changed since, or is of another build")
            .into());
    }
    match signer {
        Some(who) => report::status("Verified", format!("{}, signed by {who}", file.display())),
        None => {
            report::status("Verified", file.display());
            report::note("who says so was not asked: `--allowed-signers FILE` does");
        }
    }
    Ok(())
}

fn wrong(file: &Path, why: &str) -> anyhow::Error {
    Failure::new(Exit::VerificationFailed, format!("{} {why}", file.display())).into()
}
