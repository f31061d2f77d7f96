//! Hunks on the lines of one file. Never guesses: what does not match exactly is an error that shows
//! the first line that differs.

use anyhow::{Result, bail};

use super::super::name::shown;
use super::diff::Hunk;

/// The file's bytes after all hunks, which come in the file's order.
pub(super) fn apply(hunks: &[Hunk], old: &[u8]) -> Result<Vec<u8>> {
    let lines: Vec<&[u8]> = old.split_inclusive(|&byte| byte == b'\n').collect();
    let mut new = Vec::with_capacity(old.len());
    let mut done = 0;
    let mut drift = 0_isize;
    for (number, hunk) in hunks.iter().enumerate() {
        // With no old lines a head names the line before.
        let first = if hunk.old.is_empty() { hunk.line } else { hunk.line.saturating_sub(1) };
        let Some(at) = find(hunk, &lines, done, first.saturating_add_signed(drift)) else {
            bail!("hunk {} (line {}) {}", number + 1, hunk.line, mismatch(hunk, &lines, first));
        };
        drift = at.cast_signed() - first.cast_signed();
        new.extend(lines[done..at].concat());
        new.extend_from_slice(hunk.new.concat().as_bytes());
        done = at + hunk.old.len();
    }
    new.extend(lines[done..].concat());
    Ok(new)
}

/// The place nearest to `wanted`, not before `floor`, where all old lines stand.
fn find(hunk: &Hunk, lines: &[&[u8]], floor: usize, wanted: usize) -> Option<usize> {
    let last = lines.len().checked_sub(hunk.old.len()).filter(|&last| floor <= last)?;
    let fits =
        |at: &usize| hunk.old.iter().zip(&lines[*at..]).all(|(old, line)| old.as_bytes() == *line);
    if hunk.old.is_empty() {
        return (floor..=last).contains(&wanted).then_some(wanted);
    }
    let wanted = wanted.clamp(floor, last);
    let distances = 0..=(wanted - floor).max(last - wanted);
    distances
        .flat_map(|distance| [wanted.checked_sub(distance), wanted.checked_add(distance)])
        .flatten()
        .filter(|at| (floor..=last).contains(at))
        .find(fits)
}

/// Says where a hunk should apply, which line is the first to differ, and what stands there.
fn mismatch(hunk: &Hunk, lines: &[&[u8]], first: usize) -> String {
    let found = |at: usize| {
        let line = first.checked_add(at).and_then(|at| lines.get(at));
        line.map_or_else(|| "the end of the file".to_owned(), |line| shown(line.trim_ascii_end()))
    };
    let differs = |(at, old): &(usize, &String)| {
        first.checked_add(*at).and_then(|at| lines.get(at)).copied() != Some(old.as_bytes())
    };
    match hunk.old.iter().enumerate().find(differs) {
        Some((at, old)) => {
            let line = first.saturating_add(at + 1);
            let expected = shown(old.trim_end().as_bytes());
            format!("does not fit: line {line} should be {expected}, but is {}", found(at))
        }
        None => "does not fit: its place is behind the one of the hunk before it".to_owned(),
    }
}
