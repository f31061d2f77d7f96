//! `docs/recipes.md` out of the table: what is written by hand stands above, a section for each table below.

use super::table::FORMAT;

/// What no table says.
const INTRODUCTION: &str = include_str!("introduction.md");

/// The whole document.
pub fn text(meaning: &dyn Fn(&str) -> String) -> String {
    let mut text = INTRODUCTION.to_owned();
    for (_, title, keys) in FORMAT {
        text.push_str(&format!("\n### `{title}`\n\n| key | value | meaning |\n|---|---|---|\n"));
        for (key, need, kind, says) in *keys {
            let need = if *need == "!" { " (needed)" } else { "" };
            let meaning = meaning(says).replace('|', "\\|");
            text.push_str(&format!("| `{key}`{need} | {} | {meaning} |\n", value(kind)));
        }
    }
    text
}

/// A kind in words.
fn value(kind: &str) -> String {
    if let Some(value_kind) = kind.strip_prefix("map:") {
        return format!("table; each value: {}", value(value_kind));
    }
    if kind.starts_with("text:") {
        return "text".to_owned();
    }
    if let Some((one, other)) = kind.split_once('|') {
        return format!("{} or {}", value(one), value(other));
    }
    match kind {
        "texts" => "list of texts",
        "bool" => "true or false",
        "int" => "whole number",
        "define" => "text, whole number or `true`",
        "override" => "table; each value: text or list of texts",
        "text" => "text",
        _ if kind.starts_with('[') => "list of tables",
        _ => "table",
    }
    .to_owned()
}
