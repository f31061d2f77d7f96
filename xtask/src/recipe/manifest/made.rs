//! `[build.compile.files]`: files that are made in the source tree, from a text in the recipe or from
//! another file of the tree.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::fields::{Fields, Shape, Wanted, Word, as_word, type_name};
use super::{template, words};
use crate::recipe::guess::quote;
use crate::recipe::template::{Placeholder, Template};
use crate::recipe::{Content, MadeFile};

static FILE: Shape = Shape { what: "a file to make", keys: &["text", "from", "values", "replace"] };

/// Reads the table.
pub fn files(table: &Fields<'_, '_>) -> BTreeMap<String, MadeFile> {
    let mut found = BTreeMap::new();
    for (path, value) in table.entries("files") {
        table.check(&path, words::inner_path);
        if let Some(file) = file(table, &path, value) {
            found.insert(path.text.to_owned(), file);
        }
    }
    found
}

/// A text alone, or a table that says more.
fn file<'d>(
    table: &Fields<'d, '_>,
    path: &Word<'d>,
    value: &'d Spanned<DeValue<'d>>,
) -> Option<MadeFile> {
    if let Some(text) = as_word(value) {
        return Some(MadeFile { content: Content::Text(text.text.to_owned()), replace: false });
    }
    let DeValue::Table(inner) = value.get_ref() else {
        let title = format!("{} is a text or a table", quote(path.text));
        let mistake = table.sink.at(value.span(), title);
        let mistake = mistake.label(format!("this is {}", type_name(value.get_ref())));
        table.sink.report(mistake.help("write its text, or `{ from = \"…\" }` to copy a file"));
        return None;
    };
    let fields = Fields::new(table.sink, inner, value.span(), &FILE);
    let replace = fields.flag("replace");
    let values = values(&fields);
    let text = fields.word("text");
    let from = fields.word("from");
    if let Some(from) = &from {
        fields.check(from, words::inner_path);
    }
    let content = match (text, from) {
        (Some(text), None) => {
            if let Some(span) = fields.key_span("values") {
                let mistake = fields.sink.at(span, "`values` are for a file of the tree");
                fields.sink.report(mistake.label("the text is written here already"));
            }
            Content::Text(text.text.to_owned())
        }
        (None, Some(from)) => Content::From { path: from.text.to_owned(), values },
        (Some(text), Some(from)) => {
            let mistake = fields.sink.at(from.span, "a file has one content");
            let mistake = mistake.label("a second one");
            fields.sink.report(mistake.related(fields.sink.file, text.span, "the first"));
            return None;
        }
        (None, None) => {
            if !fields.has("text") && !fields.has("from") {
                fields.missing("from", "from = \"…\"");
            }
            return None;
        }
    };
    Some(MadeFile { content, replace })
}

fn values(fields: &Fields<'_, '_>) -> BTreeMap<String, Template> {
    let mut found = BTreeMap::new();
    for (word, value) in fields.entries("values") {
        if word.text.is_empty() {
            let mistake = fields.sink.at(word.span.clone(), "the word to replace is empty");
            fields.sink.report(mistake.label("nothing in it"));
            continue;
        }
        let Some(text) = as_word(value) else {
            fields.sink.report_type(word.text, value, Wanted::Text);
            continue;
        };
        let value = template(fields.sink, &text, &[Placeholder::Version]);
        found.extend(value.map(|value| (word.text.to_owned(), value)));
    }
    found
}
