//! What all checks said of a program, as a table for people.

use std::fmt::Write as _;

use super::{Checkup, Outcome};
use crate::report::human_bytes;

/// Texts of the last column are broken so that a line has no more than this.
const LINE_MAX_CHARS: usize = 110;
/// Where the last column begins.
const INDENT: usize = 24;

/// A line for the file, a line for each check (what was found, and what to do where it failed), one
/// for each fact, and how many checks passed.
pub fn table(checkup: &Checkup) -> String {
    let mut text = format!(
        "{}  {}  {}\n",
        checkup.path.display(),
        human_bytes(checkup.size_bytes),
        checkup.sha256
    );
    for result in &checkup.results {
        let word = result.outcome.word();
        line(&mut text, result.name, word, result.outcome.detail());
        if let Some(reason) = &result.reason {
            line(&mut text, "", "", &format!("allowed: {reason}"));
        }
        if let Some(help) = result.help() {
            line(&mut text, "", "", &format!("→ {help}"));
        }
    }
    for fact in &checkup.facts {
        line(&mut text, fact.name, "-", &fact.value);
    }
    let _ = writeln!(text, "  {}", summary(checkup));
    text
}

/// One line of the table, and more if the last column is long or has several lines.
fn line(text: &mut String, name: &str, word: &str, detail: &str) {
    let mut begin = format!("  {name:<12} {word:<8} ");
    for part in detail.split('\n').flat_map(|part| broken(part, LINE_MAX_CHARS - INDENT)) {
        let _ = writeln!(text, "{}", format!("{begin}{part}").trim_end());
        begin = " ".repeat(INDENT);
    }
}

/// A text in lines of so many characters, broken between words; a longer word stays whole.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split(' ') {
        let size = word.chars().count();
        match lines.last_mut() {
            Some(line) if !line.is_empty() && length + 1 + size <= width => {
                line.push(' ');
                line.push_str(word);
                length += 1 + size;
            }
            Some(line) if line.is_empty() => {
                line.push_str(word);
                length = size;
            }
            _ => {
                lines.push(word.to_owned());
                length = size;
            }
        }
    }
    lines
}

/// `19 checks: 15 ok, 2 FAILED (static, glibc), 2 skipped`.
fn summary(checkup: &Checkup) -> String {
    let names = |is_it: fn(&Outcome) -> bool| -> Vec<&str> {
        let results = checkup.results.iter().filter(|result| is_it(&result.outcome));
        results.map(|result| result.name).collect()
    };
    let passed = names(|outcome| matches!(outcome, Outcome::Passed(_)));
    let failed = names(|outcome| matches!(outcome, Outcome::Failed(_)));
    let allowed = names(|outcome| matches!(outcome, Outcome::Allowed(_)));
    let skipped = names(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let mut text = format!("{} checks: {} ok", checkup.results.len(), passed.len());
    for (word, names) in [("FAILED", failed), ("allowed", allowed)] {
        if !names.is_empty() {
            let _ = write!(text, ", {} {word} ({})", names.len(), names.join(", "));
        }
    }
    if !skipped.is_empty() {
        let _ = write!(text, ", {} skipped", skipped.len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_between_words() {
        assert_eq!(broken("", 4), [""]);
        assert_eq!(broken("a bc def", 4), ["a bc", "def"]);
        assert_eq!(broken("abcdefgh ij", 4), ["abcdefgh", "ij"]);
        let mut text = String::new();
        line(&mut text, "elf", "FAILED", &"word ".repeat(30));
        assert!(text.lines().count() == 2 && text.lines().all(|line| line.len() <= LINE_MAX_CHARS));
        assert!(text.lines().nth(1).unwrap().starts_with(&" ".repeat(INDENT)));
    }
}
