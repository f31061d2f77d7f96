//! The rules on any text. Words that no file may have are put together from halves here, as this is a
//! file too.

use crate::Findings;

const FILE_BYTES: usize = 300 << 10;

/// No white space at line ends, no tabs, one line end at the end.
pub fn white_space(path: &str, text: &str) -> Findings {
    // Recipes with mistakes, and what is said of them.
    if path.contains("tests/recipes/") {
        return Vec::new();
    }
    let mut findings = Findings::new();
    for (index, line) in text.lines().enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(format!("{path}:{}: white space at its end", index + 1));
        }
        if line.contains('\t') {
            findings.push(format!("{path}:{}: a tab", index + 1));
        }
    }
    if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
        findings.push(format!("{path}: does not end with one line end"));
    }
    findings
}

/// Only text is tracked, and no file of it is large.
pub fn tracked(path: &str, text: &str) -> Findings {
    let mut findings = Findings::new();
    if text.len() > FILE_BYTES {
        findings.push(format!("{path}: {} bytes, more than {FILE_BYTES}", text.len()));
    }
    let may_be_broken = path.contains("tests/recipes/not-utf8");
    if text.contains('\0') || (text.contains('\u{fffd}') && !may_be_broken) {
        findings.push(format!("{path}: is binary"));
    }
    findings
}

/// No package registry is named: its client knows where it is, and may have been told otherwise.
pub fn hosts(path: &str, text: &str) -> Findings {
    let hosts = [
        ("crates", ".io"),
        ("pypi", ".org"),
        ("pythonho", "sted.org"),
        ("deb.debian", ".org"),
        ("ftp.debian", ".org"),
        ("archive.ubuntu", ".com"),
    ];
    having(path, text, &hosts.map(|(host, domain)| format!("{host}{domain}")))
}

/// No path of the machine that something was written on.
pub fn machine_paths(path: &str, text: &str) -> Findings {
    // The check for leaked paths has to speak of some, in its tests.
    if path.ends_with("check/leaks.rs") {
        return Vec::new();
    }
    let folders = [("/wo", "rk/"), ("/ro", "ot/"), ("/ho", "me/")];
    let needles = folders.map(|(start, end)| format!("{start}{end}"));
    let mut findings = Findings::new();
    for (index, line) in text.lines().enumerate() {
        for needle in &needles {
            // A whole path, not the end of `…/my-work/` or `{store}/home/`.
            let is_path = |(at, _)| {
                let before = line[..at].chars().next_back();
                let after = line[at + needle.len()..].chars().next();
                !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '}' | '>' | '~'))
                    && after.is_some_and(char::is_alphanumeric)
            };
            if line.match_indices(needle.as_str()).any(is_path) {
                findings.push(format!("{path}:{}: a machine's path, {needle}", index + 1));
            }
        }
    }
    findings
}

/// The sample program could be anybody's.
pub fn builder(path: &str, text: &str) -> Findings {
    having(path, text, &["xtask".to_owned(), "muslin".to_owned(), "recipe".to_owned()])
}

fn having(path: &str, text: &str, needles: &[String]) -> Findings {
    let mut findings = Findings::new();
    for (index, line) in text.lines().enumerate() {
        for needle in needles.iter().filter(|needle| line.to_lowercase().contains(needle.as_str()))
        {
            findings.push(format!("{path}:{}: speaks of {needle}", index + 1));
        }
    }
    findings
}
