//! `std.toml`.

use super::fields::{Fields, Shape, Wanted, as_word};
use super::source::{self, Pin, Targets};
use super::words;
use super::{Context, patches};
use crate::digest::parse_hex;
use crate::recipe::guess::quote;
use crate::recipe::{Origin, RustStd, Source};

static STD: Shape = Shape {
    what: "std.toml",
    keys: &["version", "source", "patches", "crates", "rustflags", "runtime"],
};

/// The name of the file, and of its folder of patches.
pub const NAME: &str = "std";

/// The shape of the file.
pub fn shape() -> &'static Shape {
    &STD
}

/// Reads the file. The result is none if there is any mistake.
pub fn read<'f>(fields: &Fields<'_, 'f>, context: &Context<'f>) -> (Option<RustStd>, Vec<Pin>) {
    let before = fields.sink.count();
    let version = fields.need_checked("version", "version = \"1.95.0\"", words::version);
    let (sources, pins) = source::read(fields, context, Targets::Any);
    let patches = patches::read(fields, NAME, context);
    let crates = crates(fields);
    let rustflags = fields.checked_words("rustflags", words::flag);
    if !fields.has("runtime") {
        fields.missing("runtime", "runtime = [\"libc\", \"libunwind\"]");
    }
    fields.not_empty("runtime", "a program needs a libc and an unwinder");
    let words = fields.words("runtime");
    let known = words.iter().filter(|word| context.check_library(fields.sink, word, None));
    let runtime = known.map(|word| word.text.to_owned()).collect();
    let assemble =
        || Some(RustStd { version: version?, sources, patches, crates, rustflags, runtime });
    (if fields.sink.count() == before { assemble() } else { None }, pins)
}

/// Published crates by name and version, each with its digest.
fn crates(fields: &Fields<'_, '_>) -> Vec<Source> {
    let mut found = Vec::new();
    for (key, value) in fields.entries("crates") {
        let Some(word) = as_word(value) else {
            fields.sink.report_type(key.text, value, Wanted::Text);
            continue;
        };
        let pair = key.text.split_once(' ').filter(|(name, version)| {
            words::crate_name(name).is_ok() && words::crate_version(version).is_ok()
        });
        let Some((name, version)) = pair else {
            let title = format!("{} is no crate with its version", quote(key.text));
            let mistake = fields.sink.at(key.span.clone(), title).label("not `name version`");
            fields.sink.report(mistake.help("such as `\"libc 0.2.191\" = \"…\"`"));
            continue;
        };
        match parse_hex("sha256", word.text) {
            Ok(digest) => found.push(Source {
                origin: Origin::Crate { name: name.to_owned(), version: version.to_owned() },
                digest,
                root: None,
                omit: Vec::new(),
                target: None,
                inner: None,
            }),
            Err(error) => {
                fields.sink.report_wrong(&word, source::wrong_digest("sha256", &word, &error));
            }
        }
    }
    found
}
