//! `cargo xtask store verify`: everything is hashed again. What is not as it was goes to quarantine,
//! and the next command that needs it makes or fetches it again.
//!
//! An entry is compared with the record of its publication, its pre-image with its name, and the texts
//! of licences with the digests in the pre-image. Logs are for people, and not looked at.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context as _, Result};

use super::count;
use crate::digest::{Digest, parse_hex};
use crate::exit::{Exit, Failure};
use crate::layout::{Entry, Kept, Store, tree_listing};
use crate::report::{self, human_bytes};

/// How many problems of one entry are shown.
const SHOWN: usize = 8;

/// What became of a thing.
enum State {
    Sound,
    /// It was made before records were.
    Unrecorded,
    Damaged(Vec<String>),
}

/// Verifies everything.
pub fn run(store: &Store) -> Result<()> {
    let hold = store.hold_in_common()?;
    let progress = report::Progress::spinner("Verifying", store.root().display());
    let (mut damaged, mut unrecorded, mut size_bytes) = (Vec::new(), Vec::new(), 0);
    let (mut entries, mut downloads) = (0, 0);
    for kept in store.kept() {
        let state = match &kept {
            Kept::Entry(entry) => {
                entries += 1;
                entry_state(entry)
            }
            Kept::Download(digest, path) => {
                downloads += 1;
                download_state(digest, path)
            }
            Kept::Leftover(_) => continue,
        };
        size_bytes += kept.size_bytes();
        let name = kept.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        match state {
            State::Sound => {
                report::detail("Sound", &name);
                tell(&kept, "sound", &[], None);
            }
            State::Unrecorded => {
                tell(&kept, "unrecorded", &[], None);
                unrecorded.push(name);
            }
            State::Damaged(problems) => damaged.push((kept, problems)),
        }
    }
    drop((progress, hold));
    if !unrecorded.is_empty() {
        let names = unrecorded.join(", ");
        report::note(format!(
            "made before records were kept, so nothing can be said of them: {names}"
        ));
    }
    put_aside(store, &damaged)?;
    let entries = count(entries, "entry", "entries");
    let downloads = count(downloads, "download", "downloads");
    let size = human_bytes(size_bytes);
    let unknown = unrecorded.len();
    report::status(
        "Verified",
        format!(
            "{entries} and {downloads} ({size}): {} damaged, {unknown} unrecorded",
            damaged.len()
        ),
    );
    report::event(
        "store-verified",
        serde_json::json!({
            "size_bytes": size_bytes, "damaged": damaged.len(), "unrecorded": unknown,
        }),
    );
    if damaged.is_empty() {
        return Ok(());
    }
    let things = count(damaged.len(), "thing in the store was", "things in the store were");
    let message = format!("{things} damaged, and put aside in {}", store.quarantine().display());
    Err(Failure::new(Exit::VerificationFailed, message)
        .help("the next command that needs it makes or fetches it again")
        .help("`cargo xtask store gc` removes what was put aside")
        .into())
}

/// Moves damaged things to quarantine, while nobody else uses the store, and names them.
fn put_aside(store: &Store, damaged: &[(Kept, Vec<String>)]) -> Result<()> {
    if damaged.is_empty() {
        return Ok(());
    }
    let _hold = store.hold_alone()?;
    for (kept, problems) in damaged {
        let place = store.put_aside(kept)?;
        tell(kept, "damaged", problems, Some(&place));
        let mut text = format!("{} is damaged", kept.path().display());
        for problem in problems.iter().take(SHOWN) {
            text.push_str(&format!("\n  {problem}"));
        }
        if problems.len() > SHOWN {
            text.push_str(&format!("\n  and {} more", problems.len() - SHOWN));
        }
        report::warning(format!("{text}\n  moved to {}", place.display()));
    }
    Ok(())
}

fn tell(kept: &Kept, state: &str, problems: &[String], moved_to: Option<&Path>) {
    report::event(
        "store-item",
        serde_json::json!({
            "kind": super::kind(kept), "name": kept.path().file_name().map(|n| n.to_string_lossy()),
            "path": kept.path(), "state": state, "problems": problems, "moved_to": moved_to,
        }),
    );
}

fn download_state(digest: &Digest, folder: &Path) -> State {
    let files: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    let [file] = &files[..] else {
        return State::Damaged(vec![format!("has {} files, not one", files.len())]);
    };
    let name = file.file_name().to_string_lossy().into_owned();
    match File::open(file.path()).and_then(|file| digest.of_same_kind(file)) {
        Ok(found) if found == *digest => State::Sound,
        Ok(found) => State::Damaged(vec![format!("changed: {name} hashes to {found}")]),
        Err(error) => State::Damaged(vec![format!("cannot be read: {name}: {error}")]),
    }
}

fn entry_state(entry: &Entry) -> State {
    match problems(entry) {
        Ok(None) => State::Unrecorded,
        Ok(Some(problems)) if problems.is_empty() => State::Sound,
        Ok(Some(problems)) => State::Damaged(problems),
        Err(error) => State::Damaged(vec![format!("cannot be read: {error:#}")]),
    }
}

/// What is wrong with an entry; `None` if it has no record to compare with.
fn problems(entry: &Entry) -> Result<Option<Vec<String>>> {
    let mut problems = Vec::new();
    let pre_image = entry.pre_image().context("its fingerprint.txt is missing")?;
    if !entry.id().ends_with(&Digest::sha256_of(pre_image.as_bytes()).hex()[..16]) {
        problems.push("changed: fingerprint.txt is not that of its name".to_owned());
    }
    problems.extend(license_problems(&entry.licenses(), &pre_image)?);
    let record = entry.record()?;
    let found = tree_listing(&entry.outputs())?;
    match record {
        Some(record) => problems.extend(differences(&record, &found)?),
        None if problems.is_empty() => return Ok(None),
        None => {}
    }
    Ok(Some(problems))
}

/// What is wrong with the texts of licences in a folder that an entry with this pre-image keeps: an entry
/// of a step that has none has no such folder.
pub fn license_problems(folder: &Path, pre_image: &str) -> Result<Vec<String>> {
    let listing = if folder.exists() { tree_listing(folder)? } else { String::new() };
    let mut found = parse(&listing)?;
    let mut problems = Vec::new();
    for line in pre_image.lines().filter_map(|line| line.strip_prefix("license-file ")) {
        let (names, digest) = line.rsplit_once(' ').context("a torn line in fingerprint.txt")?;
        let is_named = |path: &str| {
            let rest = names.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        match found.keys().copied().find(|path| is_named(path)) {
            None => problems.push(format!("missing: licenses/{names}")),
            Some(path) => {
                let (sum, _) = found.remove(path).unwrap_or_default();
                if digest.strip_prefix("sha256:") != Some(sum) {
                    problems.push(format!("changed: licenses/{path}"));
                }
            }
        }
    }
    problems.extend(found.into_keys().map(|path| format!("extra: licenses/{path}")));
    Ok(problems)
}

/// What differs between two listings: first the recorded one, then what is there.
pub fn differences(recorded: &str, found: &str) -> Result<Vec<String>> {
    let (recorded, mut found) = (parse(recorded)?, parse(found)?);
    let mut differences = Vec::new();
    for (path, before) in recorded {
        match found.remove(path) {
            None => differences.push(format!("missing: {path}")),
            Some(now) if now.0 != before.0 => differences.push(format!("changed: {path}")),
            Some(now) if now.1 != before.1 => {
                differences.push(format!(
                    "changed: {path} was {}, is {}",
                    word(before.1),
                    word(now.1)
                ));
            }
            Some(_) => {}
        }
    }
    differences.extend(found.into_keys().map(|path| format!("extra: {path}")));
    Ok(differences)
}

fn word(kind: &str) -> &'static str {
    match kind {
        "x" => "a program",
        "l" => "a link",
        _ => "a file that is no program",
    }
}

/// Hash and kind by path.
fn parse(listing: &str) -> Result<BTreeMap<&str, (&str, &str)>> {
    let mut files = BTreeMap::new();
    for text in listing.lines() {
        let (path, sum, kind) = parse_line(text).context("its record is not a listing")?;
        files.insert(path, (sum, kind));
    }
    Ok(files)
}

fn parse_line(line: &str) -> Option<(&str, &str, &str)> {
    let (sum, rest) = line.split_once("  ")?;
    let (kind, path) = rest.split_once("  ")?;
    parse_hex("sha256", sum).ok()?;
    ["x", "-", "l"].contains(&kind).then_some((path, sum, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a folder of texts needs no store")]
    fn the_texts_of_licences_are_those_of_the_pre_image() {
        let folder = std::env::temp_dir().join(format!("muslin-texts-{}", std::process::id()));
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let pinned = |names: &str, text: &str| {
            format!("license-file {names} {}\n", Digest::sha256_of(text.as_bytes()))
        };
        let pre_image = pinned("COPYING", "free") + &pinned("doc/a b COPYING.LIB 3-9", "freer");
        let problems = || license_problems(&folder, &pre_image).unwrap();
        write("COPYING", "free");
        write("doc/a b", "freer");
        assert_eq!(problems(), [""; 0]);
        write("COPYING", "not so free");
        write("more", "");
        assert_eq!(problems(), ["changed: licenses/COPYING", "extra: licenses/more"]);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            problems(),
            ["missing: licenses/COPYING", "missing: licenses/doc/a b COPYING.LIB 3-9"]
        );
        assert_eq!(license_problems(&folder, "name x\n").unwrap(), [""; 0]);
    }

    #[test]
    fn each_difference_is_named() {
        let sum = |c: char| String::from(c).repeat(64);
        let [a, b] = ['a', 'b'].map(sum);
        let before = format!("{a}  -  gone\n{a}  -  lib/x y.a\n{a}  x  bin/cc\n{a}  -  same\n");
        let after = format!("{b}  -  lib/x y.a\n{a}  -  bin/cc\n{a}  -  new\n{a}  -  same\n");
        assert_eq!(
            differences(&before, &after).unwrap(),
            [
                "changed: bin/cc was a program, is a file that is no program",
                "missing: gone",
                "changed: lib/x y.a",
                "extra: new"
            ]
        );
        assert!(differences("torn", &after).is_err());
        assert!(differences(&before[..before.len() - 70], &after).is_err());
    }
}
