//! Edits of a recipe's text at the places of single values: whatever else is in the file stays as its
//! author has it. Knows where things stand, not what they mean.

use std::ops::Range;

use anyhow::{Context as _, Result};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A text, and what is to be changed in it.
pub struct Edits<'t> {
    text: &'t str,
    changes: Vec<(Range<usize>, String)>,
}

impl<'t> Edits<'t> {
    /// No changes yet.
    pub fn new(text: &'t str) -> Self {
        Self { text, changes: Vec::new() }
    }

    /// Puts a text in the place of another.
    pub fn replace(&mut self, place: Range<usize>, new: impl Into<String>) {
        self.changes.push((place, new.into()));
    }

    /// Puts whole lines after the line of a place.
    pub fn insert_after_line(&mut self, at: usize, lines: &str) {
        let end = self.text[at..].find('\n').map(|newline| at + newline + 1);
        match end {
            Some(end) => self.replace(end..end, format!("{lines}\n")),
            None => self.replace(self.text.len()..self.text.len(), format!("\n{lines}\n")),
        }
    }

    /// Takes a `[[table]]` out, with the comment right above it and one of the blank lines around it.
    pub fn remove_block(&mut self, header: usize) {
        let start_of = |at: usize| self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let mut start = start_of(header);
        while start > 0 && self.text[start_of(start - 1)..start].starts_with('#') {
            start = start_of(start - 1);
        }
        let mut end = self.text[header..].find('\n').map_or(self.text.len(), |at| header + at + 1);
        for line in self.text[end..].split_inclusive('\n') {
            if line.trim().is_empty() {
                end += line.len();
                break;
            }
            // What follows may stand without a blank line, and its comment is its own.
            if line.starts_with(['[', '#']) {
                break;
            }
            end += line.len();
        }
        self.changes.push((start..end, String::new()));
    }

    /// The text with all changes, which must not overlap.
    pub fn finish(mut self) -> String {
        self.changes.sort_by_key(|(place, _)| (place.start, place.end));
        let mut text = String::new();
        let mut done = 0;
        for (place, new) in self.changes {
            if place.start < done {
                continue;
            }
            text.push_str(&self.text[done..place.start]);
            text.push_str(&new);
            done = place.end;
        }
        text.push_str(&self.text[done..]);
        text
    }
}

/// A document with the places of its values.
pub struct Places<'t>(Spanned<DeTable<'t>>);

impl<'t> Places<'t> {
    /// Parses a text that is TOML.
    pub fn new(text: &'t str) -> Result<Self> {
        DeTable::parse(text).map(Self).context("this is not TOML")
    }

    /// The value of a key of the document.
    pub fn value(&self, key: &str) -> Option<&Spanned<DeValue<'t>>> {
        self.0.get_ref().get(key)
    }

    /// The tables behind a key, which may have one or a list of them, each with its place.
    pub fn tables(&self, key: &str) -> Vec<(Range<usize>, &DeTable<'t>)> {
        let table = |value: &'_ Spanned<DeValue<'t>>| value.span();
        match self.value(key) {
            Some(value) => match value.get_ref() {
                DeValue::Table(inner) => vec![(table(value), inner)],
                DeValue::Array(items) => {
                    let items = items.iter();
                    items.filter_map(|it| Some((it.span(), it.get_ref().as_table()?))).collect()
                }
                _ => vec![],
            },
            None => vec![],
        }
    }
}

/// The place and the text of a table's value, if it is a text.
pub fn word<'a>(table: &'a DeTable<'_>, key: &str) -> Option<(Range<usize>, &'a str)> {
    let value = table.get(key)?;
    Some((value.span(), value.get_ref().as_str()?))
}

/// A TOML text.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# About it\nversion = \"1.0\"   # why\n\n# First\n[[source]]\nurl = \"a\"\n\n\
                        # Second,\n# on two lines\n[[source]]\ncrate = \"b 1.0.0\"\n\n[env]\nA = \"1\"\n";

    #[test]
    fn what_is_not_edited_stays() {
        let places = Places::new(TEXT).unwrap();
        let mut edits = Edits::new(TEXT);
        let version = places.value("version").unwrap().span();
        edits.replace(version.clone(), quoted("1.1"));
        edits.insert_after_line(version.start, "license = \"MIT\"");
        let expected = TEXT.replace("\"1.0\"   # why\n", "\"1.1\"   # why\nlicense = \"MIT\"\n");
        assert_eq!(edits.finish(), expected);
    }

    #[test]
    fn a_block_goes_with_its_comment() {
        let places = Places::new(TEXT).unwrap();
        let sources = places.tables("source");
        assert_eq!(word(sources[1].1, "crate").unwrap().1, "b 1.0.0");
        let mut edits = Edits::new(TEXT);
        edits.remove_block(sources[1].0.start);
        let start = TEXT.find("# Second").unwrap();
        let expected = format!("{}{}", &TEXT[..start], &TEXT[TEXT.find("[env]").unwrap()..]);
        assert_eq!(edits.finish(), expected);
    }
}
