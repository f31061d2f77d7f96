//! The `pypi` origin: a wheel through the user's own pip, so that its index, proxy and credentials
//! apply. Python is needed only if this origin is reached for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::adopt::{adopt, has_digest};
use super::refusal::{Cause, Refusal};
use super::wanted::Wanted;
use super::{Attempt, Fetcher};
use crate::process;
use crate::report::Progress;

/// Options that make pip quiet, ask nothing, and take nothing but the one wheel.
const OPTIONS: &[&str] = &[
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--no-build-isolation",
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar=off",
    "--quiet",
    "-d",
];

/// What pip is asked for.
pub(super) struct Wheel<'a> {
    pub name: &'a str,
    pub version: &'a str,
    /// Another platform than pip's own.
    pub platform: Option<&'a str>,
}

/// Has pip download the wheel and takes it in.
pub(super) fn through_pip(
    fetcher: &Fetcher,
    wanted: &Wanted,
    wheel: &Wheel<'_>,
    place: &str,
) -> Attempt {
    let temp = fetcher.store.temp("pip")?;
    let files = match fetched_files(fetcher, &wanted.what, wheel, temp.path())? {
        Ok(files) => files,
        Err((cause, reason)) => return Ok(Err(Refusal::new(place, cause, reason))),
    };
    let file = files.iter().find(|file| has_digest(wanted, file)).unwrap_or(&files[0]);
    let mut wanted = wanted.clone();
    if let Some(name) = file.file_name().and_then(|name| name.to_str()) {
        wanted.file_name = name.to_owned();
    }
    let attempt = adopt(fetcher, &wanted, file, place)?;
    Ok(attempt.map_err(|mut refusal| {
        refusal.reason.push_str(&format!("; pip chose {} for this machine", wanted.file_name));
        refusal
    }))
}

/// Has pip download a wheel into a folder; at least one file. The inner error says why there is none.
pub(super) fn fetched_files(
    fetcher: &Fetcher,
    what: &str,
    wheel: &Wheel<'_>,
    folder: &Path,
) -> Result<Result<Vec<PathBuf>, (Cause, String)>> {
    let refuse = |cause, reason: String| Ok(Err((cause, reason)));
    let Some(pip) = fetcher.pips.iter().find(|pip| answers(pip)) else {
        let tried: Vec<_> = fetcher.pips.iter().map(|pip| pip.join(" ")).collect();
        return refuse(Cause::NoPip, format!("there is no pip (tried {})", tried.join(", ")));
    };
    let folder = folder.join("wheels");
    let mut command = process::command(&pip[0]);
    command.args(&pip[1..]).args(OPTIONS).arg(&folder);
    command.args(wheel.platform.into_iter().flat_map(|platform| ["--platform", platform]));
    command.arg(format!("{}=={}", wheel.name, wheel.version));
    command.current_dir(&fetcher.workspace_root);
    let captured = {
        let _progress = Progress::spinner("Fetching", format!("{what} through pip"));
        match process::capture(&mut command) {
            Ok(captured) => captured,
            Err(error) => return refuse(Cause::Pip, format!("{error:#}")),
        }
    };
    if process::is_interrupted() {
        bail!("interrupted");
    }
    if !captured.status.success() {
        return refuse(Cause::Pip, format!("pip says: {}", complaint(&captured.stderr)));
    }
    let files = files_in(&folder)?;
    if files.is_empty() {
        return refuse(Cause::Pip, "pip was content but downloaded nothing".to_owned());
    }
    Ok(Ok(files))
}

fn answers(pip: &[String]) -> bool {
    let Some((program, arguments)) = pip.split_first() else { return false };
    process::capture(process::command(program).args(arguments).arg("--version"))
        .is_ok_and(|captured| captured.status.success())
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for item in fs::read_dir(folder).into_iter().flatten() {
        files.push(item?.path());
    }
    files.sort();
    Ok(files)
}

/// The last error in what pip said; the ones before it lead up to it.
fn complaint(stderr: &str) -> String {
    let last = stderr.lines().rev().find_map(|line| line.trim().strip_prefix("ERROR: "));
    let last = last.or(stderr.lines().rev().map(str::trim).find(|line| !line.is_empty()));
    last.unwrap_or("nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_s_complaint_is_its_last_error() {
        let said = "WARNING: retrying\nERROR: no version\nERROR: No matching distribution\n\nhint";
        assert_eq!(complaint(said), "No matching distribution");
        assert_eq!(complaint("No module named pip\n"), "No module named pip");
    }
}
