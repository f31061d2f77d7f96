//! Paths inside of a tree: the most frequent words of recipes.

use super::words::{Wrong, stranger};
use crate::recipe::diagnostic::Span;

/// A path that stays inside its tree. A leading `./` is fine.
pub fn inner_path(text: &str) -> Result<(), Wrong> {
    let whole = 0..text.len();
    let wrong = |span: Span, title: &str, label: &str| Err(Wrong::new(span, title, label));
    if text.is_empty() {
        return wrong(whole, "the path is empty", "nothing in it");
    }
    if text.starts_with('/') {
        return wrong(0..1, "the path is absolute", "paths are relative to the tree");
    }
    path_characters(text)?;
    let mut start = 0;
    for (index, part) in text.split('/').enumerate() {
        let span = start..start + part.len();
        start += part.len() + 1;
        match part {
            ".." => return wrong(span, "the path leaves its tree", "not allowed in a path"),
            "" => {
                let at = span.start.saturating_sub(1);
                return wrong(at..at + 1, "the path has an empty part", "one `/` too many");
            }
            "." if index > 0 || text == "." => {
                return wrong(span, "the path has a part that says nothing", "leave it out");
            }
            _ => {}
        }
    }
    Ok(())
}

fn path_characters(text: &str) -> Result<(), Wrong> {
    // Recipes have thousands of paths, most of them of these alone, and each command reads them.
    let is_common =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'/' | b'_');
    if text.bytes().all(is_common) {
        return Ok(());
    }
    let wrong = |span: Span, title: &str, label: &str| Err(Wrong::new(span, title, label));
    if let Some(at) = text.find('\\') {
        return wrong(at..at + 1, "the path has a backslash", "folders are separated by `/`");
    }
    if let Some(span) = stranger(text, |c| !matches!(c, '*' | '?' | '[' | ']')) {
        return wrong(span, "the path is a pattern", "list the files: patterns hide what is built");
    }
    let is_of_name = |c: char| !c.is_control() && !matches!(c, '{' | '}' | '"' | '\'' | '$');
    if let Some(span) = stranger(text, is_of_name) {
        return wrong(span, "the path has a character that is no part of a name", "leave it out");
    }
    Ok(())
}
