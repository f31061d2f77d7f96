//! Bytes → TOML document, or what keeps them from being one. Never looks at what the document says.

use toml::Spanned;
use toml::de::DeTable;

use crate::recipe::diagnostic::{Diagnostic, File, Span};

/// The document, or all its syntax errors.
pub fn parse<'f>(
    file: &'f File,
    mistakes: &mut Vec<Diagnostic<'f>>,
) -> Option<Spanned<DeTable<'f>>> {
    if let Some(mistake) = not_text(file) {
        mistakes.push(mistake);
        return None;
    }
    let text = file.text();
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Some(table);
    }
    let mut places: Vec<(Span, &str)> =
        errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message())).collect();
    places.sort_by_key(|(span, _)| span.start);
    without_echoes(text, &mut places);
    mistakes.extend(places.into_iter().map(|(span, message)| {
        let message = message.trim_end_matches(", expected nothing");
        let message = message.trim_end_matches(", expected literal string");
        Diagnostic::at(file, span, format!("this is not TOML: {message}")).help(advice(message))
    }));
    None
}

/// Keeps one error for each line, because a later one is mostly an echo of the first, and nothing
/// after the place where an array lacks its end, which swallows all lines below.
fn without_echoes(text: &str, places: &mut Vec<(Span, &str)>) {
    let is_open = places.iter().any(|(_, message)| message.starts_with("unclosed array"));
    let comma = places.iter().position(|(_, message)| message.starts_with("missing comma"));
    if let Some(first) = comma.filter(|_| is_open) {
        places.truncate(first + 1);
    }
    let mut line_end = 0;
    places.retain(|(span, _)| {
        let is_new = span.start >= line_end;
        if is_new {
            let start = text.floor_char_boundary(span.start);
            line_end = text[start..].find('\n').map_or(usize::MAX, |at| start + at + 1);
        }
        is_new
    });
}

/// What to do about the syntax errors that people make most.
fn advice(message: &str) -> &'static str {
    let advice = [
        ("missing comma", "is a `]` or a comma missing before this?"),
        ("string values must be quoted", "put it in quotes"),
        ("invalid float", "put texts in quotes"),
        ("invalid integer", "put texts in quotes"),
        ("unexpected leading zero", "put texts in quotes"),
        ("duplicate key", "it stands above already; tables that come several times are `[[…]]`"),
    ];
    let found = advice.iter().find(|(start, _)| message.starts_with(start));
    found.map_or("", |(_, help)| help)
}

/// What keeps a file from being read as text.
pub fn not_text(file: &File) -> Option<Diagnostic<'_>> {
    if file.bytes.len() as u64 > File::LIMIT_BYTES {
        let title = format!("the file is larger than {} bytes", File::LIMIT_BYTES);
        return Some(Diagnostic::of_file(file, title));
    }
    let error = std::str::from_utf8(&file.bytes).err()?;
    let good = &file.bytes[..error.valid_up_to()];
    let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = good.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&good[start..]).chars().count() + 1;
    let mistake = Diagnostic::at_point(file, line, column, "the file is not UTF-8 text");
    Some(mistake.help("save it as UTF-8"))
}
