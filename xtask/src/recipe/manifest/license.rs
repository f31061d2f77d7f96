//! The shape of an SPDX licence expression. Knows the grammar and the common identifiers' spelling,
//! not the whole list.

use super::words::Wrong;
use crate::recipe::diagnostic::Span;
use crate::recipe::guess::quote;

/// Identifiers that C libraries often have, in SPDX's spelling: only for guessing.
const COMMON: [&str; 27] = [
    "0BSD",
    "Apache-1.1",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "ISC",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "MIT",
    "MPL-2.0",
    "OpenSSL",
    "PostgreSQL",
    "Unlicense",
    "Zlib",
    "blessing",
    "bzip2-1.0.6",
    "curl",
    "libpng-2.0",
    "NCSA",
];

/// An expression such as `MIT`, `Apache-2.0 OR MIT`, `GPL-2.0-only WITH Classpath-exception-2.0`.
pub fn license(text: &str) -> Result<(), Wrong> {
    let mut depth = 0usize;
    let mut wants_name = true;
    let mut last = 0..0;
    for (span, word) in tokens(text) {
        match (word, wants_name) {
            ("(", true) => depth += 1,
            (")", false) if depth > 0 => depth -= 1,
            ("AND" | "OR" | "WITH", false) => wants_name = true,
            ("(" | ")" | "AND" | "OR" | "WITH", _) => {
                return Err(wrong(span, format!("{} cannot stand here", quote(word)), text));
            }
            (name, true) => {
                identifier(name, &span, text)?;
                wants_name = false;
            }
            (name, false) => {
                let is_operator =
                    ["and", "or", "with", "/", ",", ";", "&", "|"].contains(&&*name.to_lowercase());
                let title = if is_operator {
                    format!("{} is no operator", quote(name))
                } else {
                    format!("there is no operator before {}", quote(name))
                };
                return Err(wrong(span, title, text));
            }
        }
        last = span;
    }
    if wants_name {
        return Err(wrong(last, "the licence expression ends too early".to_owned(), text));
    }
    if depth > 0 {
        return Err(wrong(last, "a bracket is not closed".to_owned(), text));
    }
    Ok(())
}

fn identifier(name: &str, span: &Span, text: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-.+:".contains(c);
    let spelt = COMMON.into_iter().find(|known| fold(known) == fold(name));
    let is_word = name.chars().all(allowed) && name.contains(|c: char| c.is_ascii_alphanumeric());
    if is_word && spelt.is_none_or(|known| known == name.trim_end_matches('+')) {
        return Ok(());
    }
    Err(wrong(span.clone(), format!("{} is not an SPDX identifier", quote(name)), text))
}

fn wrong(span: Span, title: String, text: &str) -> Wrong {
    let wrong = Wrong::new(span, title, "expected an SPDX expression");
    let all = COMMON.into_iter().find(|known| fold(known) == fold(text));
    let parts: Vec<_> = text.split(['/', ',', ';', '&', '|']).map(str::trim).collect();
    let spelt = |part: &&str| COMMON.into_iter().find(|known| fold(known) == fold(part));
    match (all, parts.iter().map(spelt).collect::<Option<Vec<_>>>()) {
        (Some(known), _) => wrong.help(format!("did you mean `{known}`?")),
        (None, Some(known)) => wrong.help(format!(
            "write `{}` if one of them is enough, `{}` if all apply",
            known.join(" OR "),
            known.join(" AND ")
        )),
        (None, None) => {
            wrong.help("identifiers as in the SPDX list, joined by AND, OR or WITH: `MIT OR Zlib`")
        }
    }
}

/// Spelling without what people get wrong: case, blanks and hyphens.
fn fold(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Words and brackets with their places.
fn tokens(text: &str) -> Vec<(Span, &str)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let is_alone = "(),;/|&".contains(c);
        if c.is_whitespace() || is_alone {
            if let Some(from) = start.take() {
                found.push((from..at, &text[from..at]));
            }
            if is_alone {
                found.push((at..at + 1, &text[at..at + 1]));
            }
        } else {
            start.get_or_insert(at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_real_libraries_pass() {
        for text in [
            "MIT",
            "Apache-2.0 OR MIT",
            "(MIT OR Zlib) AND BSD-3-Clause",
            "GPL-3.0-or-later WITH GCC-exception-3.1",
            "GPL-2.0+",
            "LicenseRef-Public-Domain",
            "MIT-0",
            "BSD-1-Clause",
        ] {
            assert_eq!(license(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_people_write_instead_is_explained() {
        for (text, help) in [
            ("Apache 2.0", "did you mean `Apache-2.0`?"),
            ("apache-2.0", "did you mean `Apache-2.0`?"),
            ("zlib", "did you mean `Zlib`?"),
            (
                "MIT/Apache-2.0",
                "write `MIT OR Apache-2.0` if one of them is enough, `MIT AND Apache-2.0` if all apply",
            ),
        ] {
            assert_eq!(license(text).unwrap_err().help.as_deref(), Some(help), "{text}");
        }
        for text in
            ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT or Zlib", "MIT Zlib", "()", "MIT,", "-"]
        {
            assert!(license(text).is_err(), "{text}");
        }
    }
}
