//! Unified diffs (`-p1`) on a source tree: all of a patch applies, or nothing changes.
//!
//! Context must match exactly; a hunk may have moved (the nearest place counts), but there is no
//! fuzz. Never touches what is outside of the tree or behind a link, never renames, and knows no
//! binary patches. Patched files keep the tree's one modification time.

mod diff;
mod hunk;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::disk::Disk;
use crate::exit::{Exit, Failure};
use diff::FileDiff;

/// The most that a patched file may hold.
const FILE_BYTES: u64 = 64 << 20;

/// Applies a patch to a tree. `name` stands for it in errors.
pub fn apply_patch(tree: &Path, name: &str, text: &str) -> Result<()> {
    apply(tree, text).map_err(|error| {
        let failure = Failure::new(Exit::Failed, format!("cannot apply {name}: {error:#}"));
        failure.help("nothing of it was applied: make it anew against these sources").into()
    })
}

/// A file as it is, or as it will be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    bytes: Vec<u8>,
    is_executable: bool,
}

/// What is known of a file: as it was on the disk, and as the patch leaves it.
struct Change {
    before: Option<Content>,
    after: Option<Content>,
}

fn apply(tree: &Path, text: &str) -> Result<()> {
    let disk = Disk::open(tree).context("cannot open the source tree")?;
    let mut changes = BTreeMap::new();
    for diff in diff::parse(text)? {
        let change = match changes.entry(diff.path.clone()) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => {
                let before = read(&disk, &diff.path).with_context(|| diff.path.clone())?;
                free.insert(Change { before: before.clone(), after: before })
            }
        };
        change.after = patched(&diff, change.after.as_ref()).with_context(|| diff.path.clone())?;
    }
    changes.retain(|_, change| change.before != change.after);
    write(&disk, &changes)
}

fn read(disk: &Disk, path: &str) -> Result<Option<Content>> {
    let file = match disk.read_file(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("cannot open it; links are not followed"),
    };
    let data = file.metadata()?;
    if !data.is_file() || data.len() > FILE_BYTES {
        bail!("it is no file of up to {FILE_BYTES} bytes");
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES).read_to_end(&mut bytes)?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&data.permissions());
    Ok(Some(Content { bytes, is_executable: mode & 0o111 != 0 }))
}

fn patched(diff: &FileDiff, old: Option<&Content>) -> Result<Option<Content>> {
    let empty = Content { bytes: Vec::new(), is_executable: diff.makes_executable };
    let old = match (old, diff.is_new) {
        (Some(_), true) => bail!("the patch makes this file, but it is there already"),
        (None, true) => &empty,
        (Some(old), false) => old,
        (None, false) => bail!("there is no such file in the source tree"),
    };
    let bytes = hunk::apply(&diff.hunks, &old.bytes)?;
    match (diff.is_gone, bytes.is_empty()) {
        (true, true) => Ok(None),
        (true, false) => bail!("the patch deletes this file, but not all of its lines"),
        _ => Ok(Some(Content { bytes, is_executable: old.is_executable })),
    }
}

/// Writes all new contents beside the old ones, then renames them into place: what fails, a full
/// disk above all, fails before anything has changed.
fn write(disk: &Disk, changes: &BTreeMap<String, Change>) -> Result<()> {
    let mut written: Vec<(String, &str)> = Vec::new();
    let write_one = |path: &str, content: &Content, number: usize| -> Result<String> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        disk.make_folders(folder)?;
        let separator = if folder.is_empty() { "" } else { "/" };
        let temp = format!("{folder}{separator}.muslin-patch-{}-{number}", std::process::id());
        let mut file = disk.make_file(&temp)?;
        let done = file.write_all(&content.bytes).and_then(|()| file.finish(content.is_executable));
        done.inspect_err(|_| drop(disk.remove(&temp)))?;
        Ok(temp)
    };
    for (number, (path, change)) in changes.iter().enumerate() {
        let Some(content) = &change.after else { continue };
        match write_one(path, content, number) {
            Ok(temp) => written.push((temp, path)),
            Err(error) => {
                written.iter().for_each(|(temp, _)| drop(disk.remove(temp)));
                return Err(error).context(path.clone());
            }
        }
    }
    for (temp, path) in &written {
        disk.replace(temp, path).with_context(|| (*path).to_owned())?;
    }
    for (path, _) in changes.iter().filter(|(_, change)| change.after.is_none()) {
        disk.remove(path).with_context(|| path.clone())?;
    }
    for path in changes.keys() {
        disk.seal_folder(path.rsplit_once('/').map_or("", |(folder, _)| folder))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
