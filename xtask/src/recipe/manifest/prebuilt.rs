//! `[build.prebuilt]` of a tool: a program, or only files, taken from the archive as they are.

use super::Context;
use super::fields::{Fields, Shape};
use super::tool::{Kind, check_programs, loader_of, not_of};
use super::words;
use crate::recipe::{Prebuilt, Product};

/// Its keys.
pub static PREBUILT: Shape =
    Shape { what: "`[build.prebuilt]`", keys: &["program", "loader", "copy"] };

/// A program, with its loader if it is not static, or only files.
pub fn read(
    table: &Fields<'_, '_>,
    outputs: &Fields<'_, '_>,
    context: &Context<'_>,
) -> (Option<Product>, Option<Kind>) {
    for key in ["libs", "objects", "aliases"] {
        not_of(outputs, key, "`[build.prebuilt]` makes nothing");
    }
    if !table.has("program") {
        not_of(outputs, "programs", "`[build.prebuilt]` has no `program`");
        not_of(table, "loader", "`[build.prebuilt]` has no `program`");
        if !table.has("copy") {
            table.missing("copy", "[build.prebuilt.copy]");
        }
        return (Some(Product::Prebuilt(None)), Some(Kind::Files));
    }
    let program = table.checked("program", words::inner_path);
    let loader = loader_of(table, context);
    let prebuilt = program.map(|program| Prebuilt { program, loader });
    if let Some(prebuilt) = &prebuilt {
        let installed = format!("bin/{}", prebuilt.name());
        check_programs(outputs, &outputs.words("programs"), &installed);
    }
    (prebuilt.map(|it| Product::Prebuilt(Some(it))), Some(Kind::Program))
}
