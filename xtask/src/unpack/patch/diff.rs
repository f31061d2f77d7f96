//! The text of a unified diff → files and hunks. Never looks at the tree.

use std::iter::Peekable;

use anyhow::{Context as _, Result, bail};

use super::super::limits::Limits;
use super::super::name::{EntryName, shown};

/// What a diff does to one file.
#[derive(Debug)]
pub(super) struct FileDiff {
    pub(super) path: String,
    pub(super) is_new: bool,
    pub(super) is_gone: bool,
    pub(super) makes_executable: bool,
    pub(super) hunks: Vec<Hunk>,
}

/// One change: old lines give way to new ones. Lines carry their line ends.
#[derive(Debug, Default)]
pub(super) struct Hunk {
    /// The first old line, from 1; with no old lines, the one before.
    pub(super) line: usize,
    pub(super) old: Vec<String>,
    pub(super) new: Vec<String>,
}

/// Parses a whole patch. Prose before and between the diffs is skipped, as `patch` does.
pub(super) fn parse(text: &str) -> Result<Vec<FileDiff>> {
    let mut lines = text.split_inclusive('\n').enumerate().peekable();
    let mut diffs: Vec<FileDiff> = Vec::new();
    let mut makes_executable = false;
    while let Some((at, line)) = lines.next() {
        let place = || format!("line {} of the patch", at + 1);
        if line.starts_with("diff --git ") {
            makes_executable = false;
        } else if line.starts_with("new file mode 100755") {
            makes_executable = true;
        } else if let Some(word) = unknown(line) {
            bail!("{}: `{word}` is not known here", place());
        } else if let Some(old) = line.strip_prefix("--- ") {
            let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with("+++ ")) else {
                continue;
            };
            let mut diff = header(old, &line[4..]).with_context(place)?;
            diff.makes_executable = makes_executable;
            diffs.push(diff);
        } else if line.starts_with("@@ ") {
            let diff = diffs.last_mut().context("a hunk without a file").with_context(place)?;
            diff.hunks.push(Hunk::parse(line, &mut lines).with_context(place)?);
        }
    }
    if diffs.iter().all(|diff| diff.hunks.is_empty()) {
        bail!("it has no hunks");
    }
    Ok(diffs)
}

/// Extended headers of git that would do what hunks do not say.
fn unknown(line: &str) -> Option<&str> {
    const WORDS: [&str; 6] = [
        "rename from",
        "copy from",
        "old mode",
        "GIT binary patch",
        "Binary files",
        "new file mode 12",
    ];
    WORDS.into_iter().find(|word| line.starts_with(word))
}

fn header(old: &str, new: &str) -> Result<FileDiff> {
    let (old, new) = (path(old)?, path(new)?);
    let (is_new, is_gone) = (old.is_none(), new.is_none());
    let path = match (old, new) {
        (Some(old), Some(new)) if old != new => {
            bail!("a rename from {} to {}", shown(old.as_bytes()), shown(new.as_bytes()))
        }
        (_, Some(path)) | (Some(path), None) => path,
        (None, None) => bail!("it changes no file"),
    };
    Ok(FileDiff { path, is_new, is_gone, makes_executable: false, hunks: Vec::new() })
}

/// The path without its first part; `None` for `/dev/null`.
fn path(text: &str) -> Result<Option<String>> {
    let text = text.split(['\t', '\n', '\r']).next().unwrap_or(text).trim_end();
    if text == "/dev/null" {
        return Ok(None);
    }
    let refused = || format!("path {}", shown(text.as_bytes()));
    let (_, path) =
        text.split_once('/').context("it has no first part to strip").with_context(refused)?;
    let name = EntryName::vet(path.as_bytes(), &Limits::default()).with_context(refused)?;
    if name.path.is_empty() || name.is_folder_like || text.starts_with(['"', '/']) {
        return Err(anyhow::anyhow!("it names no file")).with_context(refused);
    }
    Ok(Some(name.path))
}

impl Hunk {
    /// Parses a hunk from its head, `@@ -3,4 +3,5 @@`: where it begins, how many old and new lines
    /// it has; then those lines.
    fn parse<'a>(
        head: &str,
        lines: &mut Peekable<impl Iterator<Item = (usize, &'a str)>>,
    ) -> Result<Self> {
        let ranges = head.strip_prefix("@@ -").and_then(|rest| rest.split_once(" @@"));
        let ranges = ranges.and_then(|(ranges, _)| ranges.split_once(" +"));
        let (old, new) = ranges.context("a hunk's head that makes no sense")?;
        let range = |text: &str| -> Option<(usize, usize)> {
            let (line, count) = text.split_once(',').unwrap_or((text, "1"));
            Some((line.parse().ok()?, count.parse().ok()?))
        };
        let (Some((line, old)), Some((_, new))) = (range(old), range(new)) else {
            bail!("a hunk's head that makes no sense");
        };
        let mut hunk = Self { line, ..Self::default() };
        while hunk.old.len() < old || hunk.new.len() < new {
            let (_, line) = lines.next().context("the hunk is cut")?;
            let no_line_end = lines.next_if(|(_, line)| line.starts_with('\\')).is_some();
            hunk.add(line, no_line_end)?;
        }
        if (hunk.old.len(), hunk.new.len()) != (old, new) {
            bail!("the hunk has other numbers of lines than its head says");
        }
        Ok(hunk)
    }

    fn add(&mut self, line: &str, no_line_end: bool) -> Result<()> {
        let (is_old, is_new, text) = match line.as_bytes().first() {
            Some(b' ') => (true, true, &line[1..]),
            // Some mailers strip the space of an empty line.
            Some(b'\n') => (true, true, line),
            Some(b'-') => (true, false, &line[1..]),
            Some(b'+') => (false, true, &line[1..]),
            _ => bail!("a line of the hunk begins with none of ` `, `-`, `+`"),
        };
        let text = if no_line_end { text.strip_suffix('\n').unwrap_or(text) } else { text };
        if is_old {
            self.old.push(text.to_owned());
        }
        if is_new {
            self.new.push(text.to_owned());
        }
        Ok(())
    }
}
