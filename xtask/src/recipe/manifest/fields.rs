//! A small typed reader over a parsed TOML document. It knows where every word stands, and it
//! collects mistakes instead of stopping at the first. Never knows what a recipe is.

use std::cell::RefCell;
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::advice::advice;
pub use super::types::{Wanted, type_name};
use super::words::{Check, Wrong};
use crate::recipe::diagnostic::{Diagnostic, File, Span};
use crate::recipe::guess::{list, quote};

/// The file being read, and the mistakes found in it so far.
pub struct Sink<'f> {
    /// The file.
    pub file: &'f File,
    found: RefCell<Vec<Diagnostic<'f>>>,
}

impl<'f> Sink<'f> {
    /// No mistakes yet.
    pub fn new(file: &'f File) -> Self {
        Self { file, found: RefCell::default() }
    }

    /// Starts a mistake at a place of this file.
    pub fn at(&self, span: Span, title: impl Into<String>) -> Diagnostic<'f> {
        Diagnostic::at(self.file, span, title)
    }

    /// Takes note of a mistake.
    pub fn report(&self, diagnostic: Diagnostic<'f>) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.borrow().len()
    }

    /// All of them.
    pub fn into_mistakes(self) -> Vec<Diagnostic<'f>> {
        self.found.into_inner()
    }

    /// Reports what a check found wrong with a word.
    pub fn report_wrong(&self, word: &Word<'_>, wrong: Wrong) {
        let span = word.part(self.file.text(), &wrong.span);
        let mistake = self.at(span, wrong.title).label(wrong.label);
        self.report(wrong.help.into_iter().fold(mistake, Diagnostic::help));
    }

    /// The second of two equal words, with the first one shown.
    pub fn report_twice(&self, first: &Word<'_>, second: &Word<'_>) {
        let title = format!("{} stands here twice", quote(second.text));
        let mistake = self.at(second.span.clone(), title).label("the same again");
        self.report(mistake.related(self.file, first.span.clone(), "first here"));
    }

    /// A value of the wrong type.
    pub fn report_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: Wanted) {
        self.report_type_of(&quote(key), key, value, wanted);
    }

    /// A value of the wrong type in a list.
    fn report_item(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: Wanted) {
        self.report_type_of(&format!("each of {}", quote(key)), key, value, wanted);
    }

    fn report_type_of(&self, what: &str, key: &str, value: &Spanned<DeValue<'_>>, wanted: Wanted) {
        let title = format!("{what} must be {}", wanted.name());
        let found = value.get_ref();
        let mistake = self.at(value.span(), title).label(format!("this is {}", type_name(found)));
        let raw = self.file.text().get(value.span()).unwrap_or_default();
        let is_many = matches!(found, DeValue::Array(_) | DeValue::Table(_));
        let help = match (wanted, found) {
            (Wanted::Text, _) if !is_many => format!("put it in quotes: \"{raw}\""),
            (Wanted::Texts, DeValue::String(_)) => format!("put it in brackets: [{raw}]"),
            (Wanted::Texts, _) => "such as [\"one\", \"two\"]".to_owned(),
            (Wanted::Table, _) => format!("write `[{key}]` and its keys below"),
            (Wanted::Tables, DeValue::Table(_)) => {
                format!("write `[[{key}]]` with two brackets: there may be several")
            }
            (Wanted::Tables, _) => format!("write `[[{key}]]` and its keys below"),
            (Wanted::Text | Wanted::Integer | Wanted::Flag, _) => String::new(),
        };
        self.report(mistake.help(help));
    }
}

/// A text or a key, and where it stands.
#[derive(Clone, Debug)]
pub struct Word<'a> {
    /// What it says, escapes resolved.
    pub text: &'a str,
    /// Where, with its quotes.
    pub span: Span,
}

impl Word<'_> {
    /// The place of a part of the text. With escapes in it the whole text is that place.
    pub fn part(&self, source: &str, part: &Span) -> Span {
        let raw = source.get(self.span.clone()).unwrap_or_default();
        let quotes = raw.len().saturating_sub(self.text.len()) / 2;
        let is_plain = raw.get(quotes..raw.len() - quotes) == Some(self.text);
        if is_plain && part.end <= self.text.len() && *part != (0..self.text.len()) {
            self.span.start + quotes + part.start..self.span.start + quotes + part.end
        } else {
            self.span.clone()
        }
    }
}

/// What a table is called, and the keys that it may have.
pub struct Shape {
    /// Such as `a source`.
    pub what: &'static str,
    /// Every key.
    pub keys: &'static [&'static str],
}

/// One table whose keys are known.
pub struct Fields<'d, 'f> {
    /// Where mistakes go.
    pub sink: &'d Sink<'f>,
    table: &'d DeTable<'d>,
    shape: &'static Shape,
    /// For each unknown key, what it was probably meant to be.
    meant: Vec<Option<&'static str>>,
    /// Where the table begins; for the document itself, an empty place.
    pub span: Span,
}

impl<'d, 'f> Fields<'d, 'f> {
    /// Reads a table; unknown keys are reported at once.
    pub fn new(
        sink: &'d Sink<'f>,
        table: &'d DeTable<'d>,
        span: Span,
        shape: &'static Shape,
    ) -> Self {
        let mut meant = Vec::new();
        for (key, _) in table.iter().filter(|(key, _)| !shape.keys.contains(&&**key.get_ref())) {
            let word: &str = key.get_ref();
            let (guess, help) = advice(word, shape.keys);
            meant.push(guess);
            let mistake = sink
                .at(key.span(), format!("unknown key {}", quote(word)))
                .label(format!("not a key of {}", shape.what))
                .help(help)
                .note(format!("keys of {}: {}", shape.what, list(shape.keys.iter().copied())));
            sink.report(mistake);
        }
        Self { sink, table, shape, span, meant }
    }

    /// Whether the lack of these keys is explained by an unknown key that is reported already.
    pub fn is_excused(&self, keys: &[&'static str]) -> bool {
        let is_all = self.shape.keys == keys;
        self.meant.iter().any(|guess| guess.map_or(is_all, |guess| keys.contains(&guess)))
    }

    /// The value of a key.
    pub fn value(&self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        debug_assert!(self.shape.keys.contains(&key), "{key} is not in the shape");
        self.table.get(key)
    }

    /// The place of a key itself.
    pub fn key_span(&self, key: &str) -> Option<Span> {
        self.table.get_key_value(key).map(|(key, _)| key.span())
    }

    /// Whether the key is there, right or wrong.
    pub fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// Reports that a key is missing; `example` is what to write.
    pub fn missing(&self, key: &'static str, example: &str) {
        if self.is_excused(&[key]) {
            return;
        }
        let title = format!("{} needs {}", self.shape.what, quote(key));
        let table = self.sink.file.text();
        let simple = |value: &DeValue<'_>| !matches!(value, DeValue::Table(_) | DeValue::Array(_));
        let place = if !self.span.is_empty() {
            self.span.clone()
        } else if example.starts_with('[') {
            table.trim_end().len()..table.trim_end().len()
        } else {
            let ends = self.table.iter().filter(|(_, value)| simple(value.get_ref()));
            let end = ends.map(|(_, value)| value.span().end).max().unwrap_or(0);
            end..end
        };
        let label = format!("{} is missing", quote(key));
        self.sink.report(self.sink.at(place, title).label(label).help(format!("add `{example}`")));
    }

    /// One text.
    pub fn word(&self, key: &'static str) -> Option<Word<'d>> {
        let value = self.value(key)?;
        let word = as_word(value);
        if word.is_none() {
            self.sink.report_type(key, value, Wanted::Text);
        }
        word
    }

    /// One text that must be there.
    pub fn need_word(&self, key: &'static str, example: &str) -> Option<Word<'d>> {
        if !self.has(key) {
            self.missing(key, example);
        }
        self.word(key)
    }

    /// One text that must be there and pass a check.
    pub fn need_checked(&self, key: &'static str, example: &str, check: Check) -> Option<String> {
        self.need_word(key, example).and_then(|word| self.check(&word, check))
    }

    /// One text that must pass a check if it is there.
    pub fn checked(&self, key: &'static str, check: Check) -> Option<String> {
        self.word(key).and_then(|word| self.check(&word, check))
    }

    /// A text that passes a check; what is wrong is reported.
    pub fn check(&self, word: &Word<'_>, check: Check) -> Option<String> {
        match check(word.text) {
            Ok(()) => Some(word.text.to_owned()),
            Err(wrong) => {
                self.sink.report_wrong(word, wrong);
                None
            }
        }
    }

    /// A list of texts, each once: repetitions are reported and left out; empty if the key is not there.
    pub fn words(&self, key: &'static str) -> Vec<Word<'d>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let mut first: BTreeMap<&str, Word<'d>> = BTreeMap::new();
        let mut words = self.words_of(key, value);
        words.retain(|word| match first.get(word.text) {
            Some(other) => {
                self.sink.report_twice(other, word);
                false
            }
            None => first.insert(word.text, word.clone()).is_none(),
        });
        words
    }

    /// A list of texts in any value of this table.
    pub fn words_of(&self, key: &str, value: &'d Spanned<DeValue<'d>>) -> Vec<Word<'d>> {
        let DeValue::Array(items) = value.get_ref() else {
            self.sink.report_type(key, value, Wanted::Texts);
            return Vec::new();
        };
        let word = |item| {
            let word = as_word(item);
            if word.is_none() {
                self.sink.report_item(key, item, Wanted::Text);
            }
            word
        };
        items.iter().filter_map(word).collect()
    }

    /// A list of texts that must pass a check.
    pub fn checked_words(&self, key: &'static str, check: Check) -> Vec<String> {
        self.words(key).iter().filter_map(|word| self.check(word, check)).collect()
    }

    /// A list that must have something in it if it is there. Returns whether it is well.
    pub fn not_empty(&self, key: &'static str, why: &str) -> bool {
        match self.value(key).map(|value| (value.span(), value.get_ref())) {
            Some((span, DeValue::Array(items))) if items.is_empty() => {
                let title = format!("{} is empty", quote(key));
                self.sink.report(self.sink.at(span, title).label("nothing in it").help(why));
                false
            }
            _ => true,
        }
    }

    /// True or false, which is false if the key is not there.
    pub fn flag(&self, key: &'static str) -> bool {
        let Some(value) = self.value(key) else { return false };
        let DeValue::Boolean(is_it) = value.get_ref() else {
            self.sink.report_type(key, value, Wanted::Flag);
            return false;
        };
        *is_it
    }

    /// A table with known keys.
    pub fn fields(&self, key: &'static str, shape: &'static Shape) -> Option<Self> {
        let (table, span) = self.table(key)?;
        Some(Fields::new(self.sink, table, span, shape))
    }

    /// A table with free keys, in the order written.
    pub fn entries(&self, key: &'static str) -> Vec<(Word<'d>, &'d Spanned<DeValue<'d>>)> {
        self.table(key).map(|(table, _)| entries(table)).unwrap_or_default()
    }

    fn table(&self, key: &'static str) -> Option<(&'d DeTable<'d>, Span)> {
        let value = self.value(key)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some((table, value.span()));
        }
        self.sink.report_type(key, value, Wanted::Table);
        None
    }

    /// A list of tables with known keys.
    pub fn all(&self, key: &'static str, shape: &'static Shape) -> Vec<Self> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.sink.report_type(key, value, Wanted::Tables);
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::Table(table) => {
                    found.push(Fields::new(self.sink, table, item.span(), shape));
                }
                _ => self.sink.report_item(key, item, Wanted::Table),
            }
        }
        found
    }

    /// Which of some keys are there, in the order written.
    pub fn present(&self, keys: &[&'static str]) -> Vec<(&'static str, Span)> {
        let place = |key: &&'static str| self.key_span(key).map(|span| (*key, span));
        let mut found: Vec<_> = keys.iter().filter_map(place).collect();
        found.sort_by_key(|(_, span)| span.start);
        found
    }
}

/// The entries of a table, in the order written.
pub fn entries<'d>(table: &'d DeTable<'d>) -> Vec<(Word<'d>, &'d Spanned<DeValue<'d>>)> {
    let word =
        |key: &'d Spanned<_>| Word { text: AsRef::<str>::as_ref(key.get_ref()), span: key.span() };
    let mut found: Vec<_> = table.iter().map(|(key, value)| (word(key), value)).collect();
    found.sort_by_key(|(key, _)| key.span.start);
    found
}

/// The value as a text.
pub fn as_word<'d>(value: &'d Spanned<DeValue<'d>>) -> Option<Word<'d>> {
    value.get_ref().as_str().map(|text| Word { text, span: value.span() })
}
