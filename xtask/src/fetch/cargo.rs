//! The `crate` origin: a published crate's file, through the user's own cargo, so that its mirrors,
//! credentials, proxies and source replacement apply. No registry is named here: cargo knows its own.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::adopt::{adopt, has_digest};
use super::refusal::{Cause, Refusal};
use super::wanted::Wanted;
use super::{Attempt, Fetcher};
use crate::process;
use crate::report::Progress;

/// Looks into cargo's cache, which needs no network.
pub(super) fn from_cache(
    fetcher: &Fetcher,
    wanted: &Wanted,
    name: &str,
    version: &str,
    place: &str,
) -> Result<Option<super::VerifiedArchive>> {
    for file in cached_files(fetcher, name, version) {
        if has_digest(wanted, &file) {
            // Losing a race with cargo's own clean-up is a miss, not an error.
            return Ok(adopt(fetcher, wanted, &file, place)?.ok());
        }
    }
    Ok(None)
}

/// Has cargo fetch the crate, then takes the file from its cache.
pub(super) fn through_cargo(
    fetcher: &Fetcher,
    wanted: &Wanted,
    name: &str,
    version: &str,
    place: &str,
) -> Attempt {
    match fetched_files(fetcher, &wanted.what, name, version)? {
        Ok(files) => {
            let file = files.iter().find(|file| has_digest(wanted, file)).unwrap_or(&files[0]);
            adopt(fetcher, wanted, file, place)
        }
        Err(reason) => Ok(Err(Refusal::new(place, Cause::Cargo, reason))),
    }
}

/// Has cargo fetch a crate; its file from each registry that cargo has used, at least one. The inner
/// error says why there is none.
pub(super) fn fetched_files(
    fetcher: &Fetcher,
    what: &str,
    name: &str,
    version: &str,
) -> Result<Result<Vec<PathBuf>, String>> {
    let temp = fetcher.store.temp("crate")?;
    let manifest = temp.path().join("Cargo.toml");
    fs::write(&manifest, scratch_manifest(name, &format!("={version}")))
        .and_then(|()| fs::write(temp.path().join("lib.rs"), ""))
        .with_context(|| format!("cannot write {}", manifest.display()))?;
    // Project-level configuration counts from the working folder, so cargo runs in the workspace.
    let mut command = process::command(&fetcher.cargo);
    command.args(["fetch", "--manifest-path"]).arg(&manifest).current_dir(&fetcher.workspace_root);
    let captured = {
        let _progress = Progress::spinner("Fetching", format!("{what} through cargo"));
        match process::capture(&mut command) {
            Ok(captured) => captured,
            Err(error) => return Ok(Err(format!("{error:#}"))),
        }
    };
    if process::is_interrupted() {
        bail!("interrupted");
    }
    if !captured.status.success() {
        return Ok(Err(format!("cargo says: {}", complaint(&captured.stderr))));
    }
    let files = cached_files(fetcher, name, version);
    if files.is_empty() {
        return Ok(Err(format!(
            "cargo was content but left no `{name}-{version}.crate` in its cache: \
             its configuration replaces the registry by a folder, which has no such files"
        )));
    }
    Ok(Ok(files))
}

/// A package that depends on one crate.
pub(super) fn scratch_manifest(name: &str, requirement: &str) -> String {
    format!(
        "[package]\nname = \"muslin-fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
         publish = false\n\n[lib]\npath = \"lib.rs\"\n\n\
         [dependencies]\n{name} = {{ version = \"{requirement}\", default-features = false }}\n\n\
         [workspace]\n"
    )
}

/// The crate's file from each registry that cargo has used.
fn cached_files(fetcher: &Fetcher, name: &str, version: &str) -> Vec<PathBuf> {
    let registries = fetcher.cargo_home.join("registry/cache");
    let mut files: Vec<_> = fs::read_dir(registries)
        .into_iter()
        .flatten()
        .flatten()
        .map(|registry| registry.path().join(format!("{name}-{version}.crate")))
        .filter(|file| file.is_file())
        .collect();
    files.sort();
    files
}

/// The error in what cargo said, with its innermost cause, if it has causes: that is the telling one.
pub(super) fn complaint(stderr: &str) -> String {
    let lines: Vec<_> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let Some(first) = lines.iter().find_map(|line| line.strip_prefix("error: ")) else {
        return lines.last().copied().unwrap_or("nothing").to_owned();
    };
    let cause = lines.iter().rposition(|line| *line == "Caused by:");
    match cause.and_then(|at| lines.get(at + 1)) {
        Some(cause) => format!("{first}: {cause}"),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_s_complaint_is_its_error_and_innermost_cause() {
        let said = "    Updating index\nerror: failed to get `x`\n\nCaused by:\n  unable\n\n\
                    Caused by:\n  no network\n  (a hint)\n";
        assert_eq!(complaint(said), "failed to get `x`: no network");
        assert_eq!(
            complaint("warning: y\nerror: no such crate\nsearched: here\n"),
            "no such crate"
        );
        assert_eq!(complaint(""), "nothing");
    }
}
