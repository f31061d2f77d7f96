//! `patches = […]` of a library or tool, and the files in its folder of patches.

use super::Context;
use super::fields::Fields;
use super::words;
use crate::recipe::Patch;
use crate::recipe::diagnostic::Diagnostic;
use crate::recipe::guess::{list, quote};

/// The patches that a recipe lists; those beside it that it does not list are mistakes too.
pub fn read<'f>(fields: &Fields<'_, 'f>, name: &str, context: &Context<'f>) -> Vec<Patch> {
    let there = context.patches.get(name);
    let mut found = Vec::new();
    for word in fields.words("patches") {
        if fields.check(&word, words::patch).is_none() {
            continue;
        }
        let Some(file) = there.and_then(|folder| folder.get(word.text)) else {
            let title = format!("there is no patch {}", quote(word.text));
            let known = || there.into_iter().flat_map(|folder| folder.keys().copied());
            let mistake = fields
                .sink
                .at(word.span.clone(), title)
                .label(format!("not in recipes/patches/{name}"))
                .guess(word.text, known())
                .note(format!("patches there: {}", list(known())));
            fields.sink.report(mistake);
            continue;
        };
        found.push(Patch { name: word.text.to_owned(), text: file.text().to_owned() });
    }
    unused_patches(fields, name, context);
    found
}

/// Patches beside the recipe that it doesn't list.
fn unused_patches<'f>(fields: &Fields<'_, 'f>, name: &str, context: &Context<'f>) {
    let listed = fields.value("patches").and_then(|value| value.get_ref().as_array());
    let is_listed = |patch: &str| {
        listed.into_iter().flatten().any(|item| item.get_ref().as_str() == Some(patch))
    };
    let there = context.patches.get(name).into_iter().flatten();
    for (patch, file) in there.filter(|(patch, _)| !is_listed(patch)) {
        let title = format!("{} is applied by no recipe", quote(patch));
        let help = format!("list it in `patches` of {}, or remove it", fields.sink.file.path);
        fields.sink.report(Diagnostic::of_file(file, title).help(help));
    }
}
