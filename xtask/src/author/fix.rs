//! `recipe check --fix`: fills in where the texts of licences are and what they hash to.

use anyhow::{Result, bail};
use toml::de::DeValue;

use super::edit::{Edits, Places, word};
use super::{Desk, Subject, Tree, license};
use crate::digest::Digest;
use crate::recipe::LicenseFile;
use crate::report;
use crate::unpack::license::read;

/// Stands for a digest that is not known yet, so that the rest of a recipe can be read.
const UNKNOWN: [u8; 32] = [0; 32];

/// Fills in what is missing in some recipes, by path, and if `all` is to be looked at what is wrong.
/// What cannot be filled in is said.
pub fn run(desk: &mut Desk, paths: &[String], all: bool) -> Result<()> {
    let mut originals = Vec::new();
    for path in paths {
        let file = desk.file_mut(path)?;
        let text = file.text().to_owned();
        file.bytes = with_placeholders(&text).into_bytes();
        originals.push(text);
    }
    let recipes = desk.recipes()?;
    let subjects = Subject::all(&recipes);
    let mut written = Vec::new();
    for (path, old) in paths.iter().zip(&originals) {
        let Some(subject) = subjects.iter().find(|subject| subject.file() == *path) else {
            continue;
        };
        let is_unknown = |file: &LicenseFile| file.digest == Digest::Sha256(UNKNOWN);
        let files = subject.license_files;
        if !all && !files.is_empty() && !files.iter().any(is_unknown) {
            continue;
        }
        match license_files(desk, subject) {
            Ok(files) if files == subject.license_files => {}
            Ok(files) => {
                let text = desk.files.iter().find(|file| file.path == *path);
                let new =
                    with_license_files(text.map_or(old.as_str(), |file| file.text()), &files)?;
                desk.write(path, old, &new)?;
                for LicenseFile { paths, .. } in &files {
                    report::note(format!(
                        "{path}: is `{}` the licence that it names, `{}`?",
                        paths.join("` or `"),
                        subject.license
                    ));
                }
                written.push((path.clone(), new));
            }
            Err(error) => {
                report::warning(format!("{path}: its licence is not filled in: {error:#}"));
            }
        }
    }
    for (path, new) in written {
        desk.file_mut(&path)?.bytes = new.into_bytes();
    }
    Ok(())
}

/// What a recipe's `license-file` should say: as its author has it, with the right digests.
fn license_files(desk: &Desk, subject: &Subject<'_>) -> Result<Vec<LicenseFile>> {
    let trees = trees(desk, subject)?;
    let mut files = subject.license_files.to_vec();
    if files.is_empty() {
        let headers = headers(subject, &trees[0]);
        files = license::find(trees[0].path(), subject.license, &headers)?;
        if files.is_empty() {
            bail!("no file of the source tree looks like a licence");
        }
    }
    for file in &mut files {
        let texts: Result<Vec<Digest>, String> = trees
            .iter()
            .map(|tree| Ok(Digest::sha256_of(&read(tree.path(), &file.paths, file.lines)?)))
            .collect();
        let texts = texts.map_err(anyhow::Error::msg)?;
        if let Some(other) = texts.iter().find(|digest| **digest != texts[0]) {
            bail!(
                "the archives of its origins have different texts in `{}`: {} and {other}",
                file.paths.join("` or `"),
                texts[0]
            );
        }
        file.digest = texts[0];
    }
    Ok(files)
}

/// Headers that may begin with the licence.
pub fn headers(subject: &Subject<'_>, tree: &Tree) -> Vec<String> {
    let declared = subject.library.map(|library| library.outputs.include.clone());
    let mut headers = declared.unwrap_or_default();
    headers.retain(|header| tree.path().join(header).is_file());
    headers
}

/// The source trees of all origins whose bytes are here; if there are none, of the first that serves.
fn trees(desk: &Desk, subject: &Subject<'_>) -> Result<Vec<Tree>> {
    let what = subject.what();
    let mut trees = Vec::new();
    for source in subject.sources {
        trees.extend(desk.tree(&what, source, false)?);
    }
    if trees.is_empty() {
        let sources: Vec<_> = subject.sources.iter().collect();
        let (index, _) = desk.fetcher.fetch(&what, &sources)?;
        trees.extend(desk.tree(&what, sources[index], true)?);
    }
    Ok(trees)
}

/// The text with a digest of nothing where `license-file` lacks one.
fn with_placeholders(text: &str) -> String {
    let Ok(places) = Places::new(text) else { return text.to_owned() };
    let zero = Digest::Sha256(UNKNOWN).hex();
    let mut edits = Edits::new(text);
    if let Some(value) = places.value("license-file")
        && let DeValue::String(path) = value.get_ref()
    {
        let path = super::edit::quoted(path);
        edits.replace(value.span(), format!("{{ path = {path}, sha256 = \"{zero}\" }}"));
    }
    for (_, table) in places.tables("license-file") {
        let digest = word(table, "sha256");
        match digest {
            Some((place, "")) => edits.replace(place, format!("\"{zero}\"")),
            Some(_) => {}
            None => {
                let ends = table.iter().map(|(_, value)| value.span().end);
                if let Some(end) = ends.max() {
                    edits.replace(end..end, format!(", sha256 = \"{zero}\""));
                }
            }
        }
    }
    edits.finish()
}

/// The text with these texts of licences: digests where they stand, or a new key below `license`.
pub fn with_license_files(text: &str, files: &[LicenseFile]) -> Result<String> {
    let places = Places::new(text)?;
    let mut edits = Edits::new(text);
    let tables = places.tables("license-file");
    if tables.is_empty() {
        let after = places.value("license").map_or(0, |value| value.span().end);
        edits.insert_after_line(after, &format!("license-file = {}", license::written(files)));
    }
    for ((_, table), file) in tables.iter().zip(files) {
        if let Some((place, _)) = word(table, "sha256") {
            edits.replace(place, format!("\"{}\"", file.digest.hex()));
        }
    }
    Ok(edits.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_filled_in_where_they_stand() {
        let zero = Digest::Sha256(UNKNOWN).hex();
        let line =
            |value: &str| format!("license = \"MIT\"  # so\nlicense-file = {value}\nlinks = []\n");
        for (value, expected) in [
            ("\"COPYING\"", format!("{{ path = \"COPYING\", sha256 = \"{zero}\" }}")),
            ("{ path = \"COPYING\" }", format!("{{ path = \"COPYING\", sha256 = \"{zero}\" }}")),
            (
                "[{ path = \"a\", sha256 = \"\" }]",
                format!("[{{ path = \"a\", sha256 = \"{zero}\" }}]"),
            ),
        ] {
            assert_eq!(with_placeholders(&line(value)), line(&expected));
        }
        let file =
            LicenseFile { paths: vec!["a".into()], lines: None, digest: Digest::Sha256([1; 32]) };
        let written = format!("{{ path = \"a\", sha256 = \"{}\" }}", "01".repeat(32));
        let other = line(&format!("{{ path = \"a\", sha256 = \"{zero}\" }}"));
        assert_eq!(
            with_license_files(&other, std::slice::from_ref(&file)).unwrap(),
            line(&written)
        );
        let none = "license = \"MIT\"  # so\nlinks = []\n";
        assert_eq!(with_license_files(none, &[file]).unwrap(), line(&written));
    }
}
