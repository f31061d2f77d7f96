//! The texts of licences: those that a component comes with, else those of the SPDX list.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::notices;
use super::policy::Policy;
use super::spdx::Expression;
use super::{Component, Texts};
use crate::layout::files_below;

/// Files whose names begin so, in letters of any size, have a licence or what it asks to be passed on.
const WORDS: [&str; 7] =
    ["copying", "copyright", "licence", "licences", "license", "notice", "unlicense"];

/// The folder in which REUSE has all texts.
const FOLDER: &str = "LICENSES";

/// How deep below a crate's folder a library's own licence is looked for.
const DEPTH_MAX: usize = 4;

/// A longer file is no licence.
const TEXT_MAX_BYTES: u64 = 1 << 20;

/// What stands in the standard texts for the line that says who has the rights.
const COPYRIGHT: &str = "{copyright}";

/// Texts of the SPDX list, without years and names; and musl's own, which Rust ships without it.
const STANDARD: [(&str, &str); 14] = [
    ("0BSD", include_str!("texts/0BSD.txt")),
    ("Apache-2.0", include_str!("texts/Apache-2.0.txt")),
    ("BSD-2-Clause", include_str!("texts/BSD-2-Clause.txt")),
    ("BSD-3-Clause", include_str!("texts/BSD-3-Clause.txt")),
    ("BSL-1.0", include_str!("texts/BSL-1.0.txt")),
    ("CC0-1.0", include_str!("texts/CC0-1.0.txt")),
    ("ISC", include_str!("texts/ISC.txt")),
    ("Libpng", include_str!("texts/Libpng.txt")),
    ("MIT", include_str!("texts/MIT.txt")),
    ("MPL-2.0", include_str!("texts/MPL-2.0.txt")),
    ("PostgreSQL", include_str!("texts/PostgreSQL.txt")),
    ("Unicode-3.0", include_str!("texts/Unicode-3.0.txt")),
    ("Unlicense", include_str!("texts/Unlicense.txt")),
    ("Zlib", include_str!("texts/Zlib.txt")),
];
const LLVM_EXCEPTION: &str = include_str!("texts/LLVM-exception.txt");
const MUSL: &str = include_str!("texts/musl.txt");

/// A text and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text {
    /// `LICENSE-MIT`.
    pub name: String,
    /// Its lines, without blanks at their ends.
    pub text: String,
}

impl Text {
    /// One from the bytes of a file.
    pub fn new(name: impl Into<String>, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let lines: Vec<_> =
            text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect();
        Self { name: name.into(), text: lines.join("\n").trim_matches('\n').to_owned() }
    }
}

/// The texts of a component; none if nobody knows any.
pub fn of(component: &Component, policy: &Policy) -> Result<Vec<Text>> {
    if let Some(file) = policy.texts.get(&component.name) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        return Ok(vec![Text::new(name, &fs::read(file)?)]);
    }
    let found = match &component.texts {
        Texts::Crate(folder, named) => of_crate(folder, named.as_deref())?,
        Texts::Below(folder) => below(folder)?,
        Texts::Folder(folder) => {
            let files = files_below(folder).unwrap_or_default();
            files.iter().map(|file| read(folder, file)).collect::<Result<_>>()?
        }
        Texts::Rust { sysroot, std } => {
            let mut texts =
                standard(component, policy, &["The Rust Project Developers".to_owned()]);
            let unicode = STANDARD.into_iter().filter(|(name, _)| *name == "Unicode-3.0");
            texts.extend(unicode.map(|(name, text)| Text::new(name, text.as_bytes())));
            texts.extend(notices::of(sysroot, std));
            texts
        }
        Texts::Standard if component.name == "musl" => {
            vec![Text::new("COPYRIGHT", MUSL.as_bytes())]
        }
        Texts::Standard | Texts::None => Vec::new(),
    };
    match found.is_empty() {
        true => Ok(standard(component, policy, &component.authors)),
        false => Ok(found),
    }
}

fn read(folder: &Path, file: &Path) -> Result<Text> {
    let path = folder.join(file);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Text::new(file.to_string_lossy(), &bytes))
}

/// What stands in the top folder of a crate.
fn of_crate(folder: &Path, named: Option<&Path>) -> Result<Vec<Text>> {
    let cannot = || format!("cannot read {}", folder.display());
    let mut files = BTreeSet::new();
    for item in fs::read_dir(folder).with_context(cannot)? {
        let name = PathBuf::from(item.with_context(cannot)?.file_name());
        if name == Path::new(FOLDER) {
            files.extend(files_below(&folder.join(&name))?.iter().map(|file| name.join(file)));
        } else if is_text(&folder.join(&name)) {
            files.insert(name);
        }
    }
    files.extend(named.filter(|file| folder.join(file).is_file()).map(Path::to_owned));
    files.iter().map(|file| read(folder, file)).collect()
}

/// What stands below a crate's folder, and not in its top one.
fn below(folder: &Path) -> Result<Vec<Text>> {
    let files = files_below(folder)?;
    let is_it = |file: &&PathBuf| {
        (2..=DEPTH_MAX).contains(&file.components().count()) && is_text(&folder.join(file))
    };
    files.iter().filter(is_it).map(|file| read(folder, file)).collect()
}

/// Whether a file is called `LICENSE`, `license-mit.txt`, `COPYING.LIB`… and is no code.
fn is_text(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let word = name.split(['.', '-', '_']).next().unwrap_or_default();
    let is_code = [".rs", ".c", ".h", ".py", ".sh", ".toml", ".json", ".html"]
        .iter()
        .any(|ending| name.ends_with(ending));
    let is_short = || fs::metadata(file).is_ok_and(|it| it.is_file() && it.len() < TEXT_MAX_BYTES);
    WORDS.contains(&word) && !is_code && is_short()
}

/// The standard texts of the first way to meet a component's licence; none if there is a licence among
/// them whose text is not here.
fn standard(component: &Component, policy: &Policy, authors: &[String]) -> Vec<Text> {
    let Some(read) = policy.expression(component).and_then(Expression::read) else {
        return Vec::new();
    };
    let is_well = |name: &str| policy.allows(name, component) && text(name).is_some();
    let names = read.met_by(&is_well).or_else(|| read.met_by(&|name| text(name).is_some()));
    let holders = match authors {
        [] => format!("Copyright (c) the authors of {}", component.name),
        authors => format!("Copyright (c) {}", authors.join(", ")),
    };
    let texts = names.unwrap_or_default().into_iter().filter_map(|name| Some((name, text(name)?)));
    let texts = texts.map(|(name, text)| {
        let text = match text.contains(COPYRIGHT) {
            true => text.replace(COPYRIGHT, &holders),
            false => text,
        };
        Text::new(format!("the standard text of {name}"), text.as_bytes())
    });
    texts.collect()
}

/// The standard text of a licence, with its exception behind it.
fn text(name: &str) -> Option<String> {
    let (name, exception) = name.split_once(" WITH ").map_or((name, None), |(a, b)| (a, Some(b)));
    let (_, text) = STANDARD.into_iter().find(|(known, _)| *known == name)?;
    match exception {
        None => Some(text.to_owned()),
        Some("LLVM-exception") => Some(format!("{text}\n\n{LLVM_EXCEPTION}")),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::Role;

    fn standard_of(license: &str, authors: &[&str]) -> Vec<Text> {
        let mut component = Component::new(Role::Library, "x", Some("1.0"));
        component.license = Some(license.to_owned());
        component.authors = authors.iter().map(|it| (*it).to_owned()).collect();
        component.texts = Texts::Standard;
        of(&component, &Policy::default()).unwrap()
    }

    #[test]
    fn a_component_without_a_file_gets_the_standard_text_with_its_authors() {
        let texts = standard_of("Apache-2.0 WITH LLVM-exception OR MIT", &[]);
        assert_eq!(texts.len(), 1);
        assert!(
            texts[0].text.contains("Apache License") && texts[0].text.contains("LLVM Exceptions")
        );
        let texts = standard_of("GPL-3.0-only OR (MIT AND ISC)", &["A <a@b>", "B"]);
        let names: Vec<_> = texts.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["the standard text of MIT", "the standard text of ISC"]);
        assert!(texts.iter().all(|it| it.text.contains("Copyright (c) A <a@b>, B\n")), "{texts:?}");
        assert!(standard_of("BSD-3-Clause", &[])[0].text.contains("the authors of x"));
        assert!(standard_of("LicenseRef-own", &[]).is_empty());
        assert!(standard_of("MIT AND GPL-3.0-only", &[]).is_empty());
    }

    #[test]
    fn no_standard_text_is_left_with_a_gap() {
        for (name, text) in STANDARD {
            let rest = text.replace(COPYRIGHT, "");
            assert!(!rest.contains(['{', '}']) && !rest.contains("<year>"), "{name}");
        }
    }

    #[test]
    fn texts_differ_in_more_than_blanks() {
        let texts = [b"a  \r\nb\n\n".as_slice(), b"\xef\xbb\xbf\na\nb"];
        let texts = texts.map(|bytes| Text::new("x", bytes).text);
        assert_eq!(texts, ["a\nb", "a\nb"]);
    }
}
