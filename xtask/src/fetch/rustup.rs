//! The `rustup` origin: the sources of Rust's standard library, as rustup installs them beside a Rust of
//! that very release. Rustup verifies what it brings; but any program of the user's could have changed
//! the files since, so they are packed into one file that is always the same, and its digest is pinned.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tar::{EntryType, Header};

use super::adopt::{adopt, has_digest};
use super::refusal::{Cause, Refusal};
use super::wanted::Wanted;
use super::{Attempt, Fetcher, VerifiedArchive};
use crate::layout::files_below;
use crate::process;
use crate::recipe::RUST_SRC;
use crate::report::Progress;

/// Where the component is in an installation, and what of it is packed: what the standard library is
/// made of.
const SOURCE: &str = "lib/rustlib/src/rust";
const PACKED: &str = "library";

/// Takes in what is installed already, which needs no network. Other files than the pinned ones are a
/// miss here.
pub(super) fn installed(
    fetcher: &Fetcher,
    wanted: &Wanted,
    version: &str,
    place: &str,
) -> Result<Option<VerifiedArchive>> {
    let temp = fetcher.store.temp("rustup")?;
    for sysroot in installations(fetcher, version).iter().filter(|it| is_complete(it)) {
        let file = temp.path().join(&wanted.file_name);
        pack(sysroot, &file)?;
        if has_digest(wanted, &file) {
            return Ok(adopt(fetcher, wanted, &file, place)?.ok());
        }
    }
    Ok(None)
}

/// Takes in what is installed, or has rustup install it first.
pub(super) fn through_rustup(
    fetcher: &Fetcher,
    wanted: &Wanted,
    version: &str,
    place: &str,
) -> Attempt {
    if let Some(found) = installed(fetcher, wanted, version, place)? {
        return Ok(Ok(found));
    }
    wanted.announce(place);
    let temp = fetcher.store.temp("rustup")?;
    let file = temp.path().join(&wanted.file_name);
    match packed(fetcher, &wanted.what, version, &file)? {
        Ok(()) => adopt(fetcher, wanted, &file, place),
        Err(reason) => Ok(Err(Refusal::new(place, Cause::Rustup, reason))),
    }
}

/// Packs what rustup has or brings of a release; the inner error says why there is nothing.
pub(super) fn packed(
    fetcher: &Fetcher,
    what: &str,
    version: &str,
    file: &Path,
) -> Result<Result<(), String>> {
    let all = installations(fetcher, version);
    if let Some(sysroot) = all.iter().find(|sysroot| is_complete(sysroot)) {
        return pack(sysroot, file).map(Ok);
    }
    let Some((sysroot, name)) = all.iter().find_map(|it| Some((it, rustup_name(it)?))) else {
        return Ok(Err(format!("there is no Rust {version} that rustup has installed")));
    };
    let Some(rustup) = process::find_program("rustup") else {
        return Ok(Err("there is no rustup on PATH".to_owned()));
    };
    let mut command = process::command(rustup);
    command.args(["component", "add", RUST_SRC, "--toolchain", &name]);
    let captured = {
        let _progress = Progress::spinner("Fetching", format!("{what} through rustup"));
        process::capture(&mut command)?
    };
    if process::is_interrupted() {
        bail!("interrupted");
    }
    if !captured.status.success() || !is_complete(sysroot) {
        let said = process::last_lines(captured.stderr.trim(), 3);
        return Ok(Err(format!("rustup says: {said}")));
    }
    pack(sysroot, file).map(Ok)
}

/// Installations of a release: first the one whose cargo is asked for crates, then those of rustup.
fn installations(fetcher: &Fetcher, version: &str) -> Vec<PathBuf> {
    let own = fetcher.cargo.parent().and_then(Path::parent).map(Path::to_owned);
    let items = fs::read_dir(fetcher.rustup_home.join("toolchains")).into_iter();
    let mut others: Vec<_> = items.flatten().flatten().map(|it| it.path()).collect();
    others.sort();
    let mut found: Vec<PathBuf> = Vec::new();
    for sysroot in own.into_iter().chain(others).filter_map(|it| it.canonicalize().ok()) {
        if !found.contains(&sysroot) && is_release(&sysroot, version) {
            found.push(sysroot);
        }
    }
    found
}

/// Whether its rustc says that it is of the release: `rustc 1.95.0 (59807616e 2026-04-14)`.
fn is_release(sysroot: &Path, version: &str) -> bool {
    let rustc = sysroot.join("bin/rustc");
    let mut command = process::command(&rustc);
    let mut said = || process::capture_ok(command.arg("-V")).ok();
    sysroot.join("lib/rustlib").is_dir()
        && rustc.is_file()
        && said().is_some_and(|said| said.split(' ').nth(1) == Some(version))
}

fn is_complete(sysroot: &Path) -> bool {
    sysroot.join(SOURCE).join(PACKED).join("Cargo.lock").is_file()
}

/// The name by which rustup knows an installation.
fn rustup_name(sysroot: &Path) -> Option<String> {
    let is_rustup = sysroot.parent()?.file_name()? == "toolchains";
    is_rustup.then(|| sysroot.file_name()?.to_str().map(str::to_owned)).flatten()
}

/// Packs the sources of an installation: sorted, without times, owners and modes.
fn pack(sysroot: &Path, file: &Path) -> Result<()> {
    let from = sysroot.join(SOURCE).join(PACKED);
    let cannot = || format!("cannot pack {}", from.display());
    let mut builder = tar::Builder::new(BufWriter::new(File::create(file)?));
    for path in files_below(&from).with_context(cannot)? {
        let bytes = fs::read(from.join(&path)).with_context(cannot)?;
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, Path::new(PACKED).join(&path), &bytes[..])?;
    }
    builder.into_inner()?.flush()?;
    Ok(())
}
