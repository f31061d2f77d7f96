//! `license-file`: one table, or a list of them, for the texts that a licence asks to be passed on.

use toml::de::DeValue;

use super::fields::{Fields, Shape, Word};
use super::source::wrong_digest;
use super::words::{self, Wrong};
use crate::digest::parse_hex;
use crate::recipe::LicenseFile;

static LICENSE_FILE: Shape = Shape { what: "`license-file`", keys: &["path", "lines", "sha256"] };

/// Nobody has to compute a digest by hand.
const FIX: &str = "`cargo xtask recipe check --fix` fills the digest in: read the text first";

/// Reads all of them, in the order written.
pub fn read(fields: &Fields<'_, '_>) -> Vec<LicenseFile> {
    let value = fields.value("license-file");
    let tables = match value.map(|value| value.get_ref()) {
        Some(DeValue::Table(_)) => {
            fields.fields("license-file", &LICENSE_FILE).into_iter().collect()
        }
        Some(DeValue::String(path)) => {
            let title = "`license-file` pins a text, not only its place";
            let mistake = fields.sink.at(value.map_or(0..0, |value| value.span()), title);
            let example = format!("write `{{ path = \"{path}\" }}`");
            fields.sink.report(mistake.label("without a digest").help(example).help(FIX));
            return Vec::new();
        }
        _ => fields.all("license-file", &LICENSE_FILE),
    };
    fields.not_empty("license-file", "name the file that holds the licence's text");
    let mut names: Vec<Word<'_>> = Vec::new();
    let mut found = Vec::new();
    for table in &tables {
        let paths = paths(table);
        // What is kept goes by the first of them.
        if let Some(name) = paths.first() {
            match names.iter().find(|other| other.text == name.text) {
                Some(first) => table.sink.report_twice(first, name),
                None => names.push(name.clone()),
            }
        }
        let lines = table.word("lines").and_then(|word| {
            table.check(&word, |text| parse_lines(text).map(drop))?;
            parse_lines(word.text).ok()
        });
        if !table.has("sha256") && !table.is_excused(&["sha256"]) {
            let mistake = table.sink.at(table.span.clone(), "`license-file` needs `sha256`");
            table.sink.report(mistake.label("nothing pins the text").help(FIX));
        }
        let digest = table.word("sha256").and_then(|word| {
            let digest = parse_hex("sha256", word.text);
            digest
                .map_err(|error| {
                    table.sink.report_wrong(&word, wrong_digest("sha256", &word, &error));
                })
                .ok()
        });
        let paths = paths.iter().map(|word| word.text.to_owned()).collect();
        found.extend(digest.map(|digest| LicenseFile { paths, lines, digest }));
    }
    found
}

/// One path, or a list of those that the origins' archives have.
fn paths<'d>(table: &Fields<'d, '_>) -> Vec<Word<'d>> {
    if !table.has("path") {
        table.missing("path", "path = \"LICENSE\"");
    }
    table.not_empty("path", "name the file that holds the licence's text");
    let is_list = table.value("path").is_some_and(|value| value.get_ref().is_array());
    let mut words =
        if is_list { table.words("path") } else { table.word("path").into_iter().collect() };
    words.retain(|word| table.check(word, words::inner_path).is_some());
    words
}

/// `"1-30"`.
fn parse_lines(text: &str) -> Result<(usize, usize), Wrong> {
    let whole = 0..text.len();
    let number = |text: &str| text.parse().ok().filter(|line| *line > 0);
    let parsed = text.split_once('-').map(|(first, last)| (number(first), number(last)));
    match parsed {
        Some((Some(first), Some(last))) if first <= last => Ok((first, last)),
        Some((Some(_), Some(_))) => {
            Err(Wrong::new(whole, "the last line is before the first", "the other way round?"))
        }
        _ => {
            let wrong = Wrong::new(whole, "these are no lines", "the first and the last, from 1");
            Err(wrong.help("such as `lines = \"1-30\"`"))
        }
    }
}
