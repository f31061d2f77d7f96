//! What cargo, rustc and linkers say → what it means here: one sentence on the cause, who is at
//! fault, and what to do.
//!
//! It only reads text, knows nothing but what it is given, and stays silent where it is not sure:
//! the message itself is always shown, advice comes after it.

mod messages;
mod origin;
mod symbols;

use origin::Origin;
use symbols::Cause;

/// More would bury the first, which is nearly always the one to follow.
const ADVICE_MAX: usize = 5;
/// Names listed in one sentence.
const NAMES_MAX: usize = 3;
/// Characters of each.
const NAME_MAX_CHARS: usize = 48;

/// What the advice may refer to.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The Rust triple of the target.
    pub target: String,
    /// Every library that has a recipe.
    pub libraries: Vec<KnownLibrary>,
}

/// A library with a recipe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownLibrary {
    /// The recipe's name.
    pub recipe: String,
    /// The `links` keys that it serves.
    pub links: Vec<String>,
    /// The `foo` of each `libfoo.a` that it brings.
    pub libs: Vec<String>,
    /// The names of its `.pc` files.
    pub pkgconfig: Vec<String>,
    /// Whether it is part of this build already.
    pub is_in_sysroot: bool,
}

impl Context {
    /// The library that goes by a name: of a `lib*.a`, a `links` key, a `.pc` file, a recipe, or a
    /// crate such as `libz-sys`.
    fn library(&self, name: &str) -> Option<&KnownLibrary> {
        let plain = |text: &str| text.to_ascii_lowercase().replace('_', "-");
        let name = plain(name);
        let short = name.strip_suffix("-sys").unwrap_or(&name);
        let bare = short.strip_prefix("lib").unwrap_or(short);
        let is_it = |text: &String| [name.as_str(), short, bare].contains(&plain(text).as_str());
        self.libraries.iter().find(|library| {
            is_it(&library.recipe)
                || [&library.links, &library.libs, &library.pkgconfig]
                    .iter()
                    .any(|names| names.iter().any(is_it))
        })
    }

    /// `x86_64_unknown_linux_musl`, as in `CC_…`.
    fn lower(&self) -> String {
        self.target.replace('-', "_")
    }
}

/// What there is to say about something, before it is put in words. Equal topics are one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Topic {
    /// Undefined symbols with one cause in one place; the names are kept beside it.
    Undefined(Cause, Origin),
    /// A message that needs no names.
    Message(String),
}

/// The advice on some output, in the order of the messages, at most five sentences.
pub fn advice(output: &str, context: &Context) -> Vec<String> {
    let plain = without_colours(output);
    let lines: Vec<&str> = plain.lines().collect();
    let mut topics: Vec<(Topic, Vec<String>)> = Vec::new();
    for at in 0..lines.len() {
        let found = match symbols::undefined_in(lines[at]) {
            Some(symbol) => symbols::cause_of(symbol).map(|cause| {
                let topic = Topic::Undefined(cause, origin::of_message(&lines, at));
                (topic, symbol.to_owned())
            }),
            None => messages::read(&lines, at, context)
                .map(|sentence| (Topic::Message(sentence), String::new())),
        };
        let Some((topic, name)) = found else { continue };
        match topics.iter_mut().find(|(known, _)| *known == topic) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => topics.push((topic, vec![name])),
        }
    }
    let mut sentences: Vec<String> = Vec::new();
    for (topic, names) in topics {
        let sentence = match topic {
            Topic::Undefined(cause, origin) => {
                symbols::explain(&cause, &origin, &list(&names), context)
            }
            Topic::Message(sentence) => sentence,
        };
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences.truncate(ADVICE_MAX);
    sentences
}

/// `` `a`, `b` and 3 more ``.
fn list(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES_MAX).map(|name| shortened(name)).collect();
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A name of C++ can be as long as a page.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME_MAX_CHARS) {
        Some((end, _)) => format!("`{}…`", &name[..end]),
        None => format!("`{name}`"),
    }
}

/// Terminal colours are of no use here and hide words from each other.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut pieces = text.split("\x1b[");
    plain.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let end = piece.find(|c: char| c.is_ascii_alphabetic()).map_or(piece.len(), |end| end + 1);
        plain.push_str(&piece[end..]);
    }
    plain
}

/// How to get a library by a recipe, as the end of a sentence.
fn how_to_get(name: &str, context: &Context) -> String {
    match context.library(name) {
        Some(KnownLibrary { recipe, is_in_sysroot: false, .. }) => format!(
            "recipe `{recipe}` brings it: add `libraries.add = [\"{recipe}\"]` under \
             `[package.metadata.muslin]` in the app's Cargo.toml"
        ),
        Some(KnownLibrary { recipe, .. }) => format!(
            "recipe `{recipe}` has brought it, so whoever asks must look in the sysroot: see \
             `cargo xtask env` for the variables that say where"
        ),
        None => format!(
            "no recipe brings it: write `recipes/libraries/{name}.toml`, or turn on the feature \
             with which its crate compiles its own copy (often `bundled` or `vendored`)"
        ),
    }
}

/// The text between two marks, the first of which is looked for.
fn between<'a>(line: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(begin)?;
    Some(rest.split_once(end)?.0)
}
