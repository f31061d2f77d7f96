//! `[[source]]`: where bytes come from and what they must hash to.

use super::fields::{Fields, Shape, Word};
use super::words::{self, Check, Wrong};
use super::{Context, url::url};
use crate::digest::{Digest, ParseError, parse_hex};
use crate::recipe::diagnostic::Span;
use crate::recipe::guess::{list, quote};
use crate::recipe::{Origin, RUST_SRC, Source};

static SOURCE: Shape = Shape {
    what: "a source",
    keys: &[
        "url", "mirrors", "crate", "pypi", "platform", "debian", "rustup", "sha256", "sha512",
        "root", "omit", "target", "inner",
    ],
};

const ORIGINS: [&str; 5] = ["url", "crate", "pypi", "debian", "rustup"];
const DIGESTS: [&str; 2] = ["sha256", "sha512"];

/// Whether a recipe's archives may be for one target only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Targets {
    /// A toolchain's may.
    One,
    /// A library's may not: its sources are compiled for any target.
    Any,
}

/// A digest as written: kept even if the rest of its source is wrong, to compare it with others.
pub struct Pin {
    /// The digest.
    pub digest: Digest,
    /// Where it stands.
    pub span: Span,
    /// Who serves it, if that could be read.
    pub origin: Option<Origin>,
}

/// Reads all sources of a recipe, in the order tried.
pub fn read(
    fields: &Fields<'_, '_>,
    context: &Context<'_>,
    targets: Targets,
) -> (Vec<Source>, Vec<Pin>) {
    if !fields.has("source") {
        fields.missing("source", "[[source]]");
    }
    fields.not_empty("source", "without a source there is nothing to build");
    let (mut sources, mut pins) = (Vec::new(), Vec::<Pin>::new());
    for table in fields.all("source", &SOURCE) {
        let origin = origin(&table);
        let digest = digest(&table);
        let root = table.checked("root", words::inner_path);
        let omit = table.checked_words("omit", words::inner_path);
        table.not_empty("omit", "leave it out to unpack everything");
        let target = target(&table, context, targets);
        let inner = table.checked("inner", words::inner_path);
        if let Some((digest, span)) = digest {
            let is_same = |pin: &&Pin| pin.digest == digest && !is_debians_copy(pin, &origin);
            if let Some(first) = pins.iter().find(is_same) {
                let mistake = table.sink.at(span.clone(), "two sources have the same digest");
                let mistake = mistake
                    .label("the same again")
                    .related(table.sink.file, first.span.clone(), "first here")
                    .help("list other addresses of the same bytes in `mirrors`")
                    .help("or put this source's own digest here, if it was copied from above");
                table.sink.report(mistake);
            }
            pins.push(Pin { digest, span, origin: origin.clone() });
            let source = origin.map(|origin| Source { origin, digest, root, omit, target, inner });
            sources.extend(source);
        }
    }
    (sources, pins)
}

/// Debian keeps many of upstream's archives as they are, and is no address that a mirror could be.
fn is_debians_copy(first: &Pin, second: &Option<Origin>) -> bool {
    matches!(
        (&first.origin, second),
        (Some(Origin::Url { .. }), Some(Origin::Debian { .. }))
            | (Some(Origin::Debian { .. }), Some(Origin::Url { .. }))
    )
}

fn origin(table: &Fields<'_, '_>) -> Option<Origin> {
    let present = table.present(&ORIGINS);
    match &present[..] {
        [] if table.is_excused(&ORIGINS) => {}
        [] => {
            let title = format!("a source needs one of {}", list(ORIGINS));
            let mistake = table.sink.at(table.span.clone(), title).label("no origin here");
            table
                .sink
                .report(mistake.help("say who serves it, such as `crate = \"libz-sys 1.1.31\"`"));
        }
        [_] => {}
        [(first, here), rest @ ..] => {
            for (key, span) in rest {
                let title = format!("a source has one origin, not `{first}` and `{key}`");
                let mistake = table.sink.at(span.clone(), title).label("a second origin");
                let mistake = mistake.related(table.sink.file, here.clone(), "the first");
                table.sink.report(mistake.help("write another `[[source]]` with its own digest"));
            }
        }
    }
    let mirrors = table.checked_words("mirrors", url);
    if let Some(span) = table.key_span("mirrors").filter(|_| !table.has("url")) {
        let mistake =
            table.sink.at(span, "only a `url` has mirrors").label("there is no `url` here");
        let note =
            "crate, pypi, debian and rustup are served by the mirrors that their clients know";
        table.sink.report(mistake.note(note));
    }
    let platform = table.checked("platform", |text| words::identifier(text, "a wheel's platform"));
    if let Some(span) = table.key_span("platform").filter(|_| !table.has("pypi")) {
        let mistake = table.sink.at(span, "only a wheel is for a platform");
        table.sink.report(mistake.label("there is no `pypi` here"));
    }
    let url = table.checked("url", url).map(|url| Origin::Url { url, mirrors });
    let of_crate = pair(table, "crate", words::crate_name, words::crate_version)
        .map(|(name, version)| Origin::Crate { name, version });
    let pypi = pair(table, "pypi", words::pypi_name, words::version)
        .map(|(name, version)| Origin::Pypi { name, version, platform });
    let debian = table.checked("debian", words::debian).map(|path| Origin::Debian { path });
    let rustup = pair(table, "rustup", component, words::version)
        .map(|(component, version)| Origin::Rustup { component, version });
    url.or(of_crate).or(pypi).or(debian).or(rustup)
}

/// A component that is the same on every machine, and of which it is known what it installs.
fn component(text: &str) -> Result<(), Wrong> {
    if text == RUST_SRC {
        return Ok(());
    }
    let title = format!("{} is no source of rustup's", quote(text));
    Err(Wrong::new(0..text.len(), title, format!("only `{RUST_SRC}` is")))
}

/// `"name version"`.
pub fn pair(
    table: &Fields<'_, '_>,
    key: &'static str,
    name: Check,
    version: Check,
) -> Option<(String, String)> {
    let word = table.word(key)?;
    let parts: Vec<&str> = word.text.split(' ').collect();
    let [first, second] = parts[..] else {
        let title = format!("`{key}` takes a name and a version");
        let help = match joined(word.text) {
            Some((name, version)) => format!("write {}", quote(&format!("{name} {version}"))),
            None => format!("such as `{key} = \"name 1.2.3\"`, with one blank"),
        };
        let mistake = table.sink.at(word.span.clone(), title);
        table.sink.report(mistake.label("not `name version`").help(help));
        return None;
    };
    let shifted = |wrong: Wrong, by: usize| Wrong {
        span: wrong.span.start + by..wrong.span.end + by,
        ..wrong
    };
    let results = [
        name(first).map_err(|wrong| shifted(wrong, 0)),
        version(second).map_err(|wrong| shifted(wrong, first.len() + 1)),
    ];
    let mut is_well = true;
    for wrong in results.into_iter().filter_map(Result::err) {
        table.sink.report_wrong(&word, wrong);
        is_well = false;
    }
    is_well.then(|| (first.to_owned(), second.to_owned()))
}

/// A name and a version joined by what others put between them.
fn joined(text: &str) -> Option<(&str, &str)> {
    let pairs = ["==", "@", "=", "/", "-"].iter().filter_map(|joint| text.rsplit_once(joint));
    let is_version = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    pairs.into_iter().find(|(name, version)| {
        words::pypi_name(name).is_ok() && is_version(version) && words::version(version).is_ok()
    })
}

fn digest(table: &Fields<'_, '_>) -> Option<(Digest, Span)> {
    match &table.present(&DIGESTS)[..] {
        [] if table.is_excused(&DIGESTS) => return None,
        [] => {
            let mistake = table.sink.at(table.span.clone(), "a source needs `sha256` or `sha512`");
            let help = "add `sha256 = \"…\"`, the digest that upstream publishes";
            table.sink.report(mistake.label("nothing pins these bytes").help(help));
            return None;
        }
        [_] => {}
        [(_, first), (second, span), ..] => {
            let title = "a source has one digest";
            let mistake = table.sink.at(span.clone(), title).label(format!("`{second}` as well"));
            table.sink.report(mistake.related(table.sink.file, first.clone(), "the first"));
        }
    }
    let read = |kind: &'static str| {
        let word = table.word(kind)?;
        match parse_hex(kind, word.text) {
            Ok(digest) => Some((digest, word.span)),
            Err(error) => {
                table.sink.report_wrong(&word, wrong_digest(kind, &word, &error));
                None
            }
        }
    };
    let (sha256, sha512) = (read("sha256"), read("sha512"));
    sha256.or(sha512)
}

/// What is wrong with the digits of a digest.
pub fn wrong_digest(kind: &str, word: &Word<'_>, error: &ParseError) -> Wrong {
    let text = word.text;
    let whole = 0..text.len();
    let title = format!("this is not a {kind} digest");
    let is_prefixed = text.starts_with(&format!("{kind}:"));
    match error {
        _ if is_prefixed => {
            let prefix = 0..kind.len() + 1;
            Wrong::new(prefix, title, "the key says the kind already").help("leave this out")
        }
        ParseError::Length(_, found) => {
            let wrong = Wrong::new(whole, title, error.to_string());
            match found {
                64 => wrong.help("64 digits are a `sha256`"),
                128 => wrong.help("128 digits are a `sha512`"),
                32 => wrong.help("32 digits are an MD5, which pins nothing"),
                40 => wrong.help("40 digits are a SHA-1, which pins nothing"),
                _ => wrong,
            }
        }
        ParseError::Case => {
            let wrong = Wrong::new(whole, title, error.to_string());
            wrong.help(format!("write `{}`", text.to_lowercase()))
        }
        ParseError::Character(bad) => {
            let at = text.find(*bad).unwrap_or(0);
            Wrong::new(at..at + bad.len_utf8(), title, error.to_string())
        }
        ParseError::Kind(_) => Wrong::new(whole, title, error.to_string()),
    }
}

fn target(table: &Fields<'_, '_>, context: &Context<'_>, targets: Targets) -> Option<String> {
    let word = table.word("target")?;
    if targets == Targets::Any {
        let span = table.key_span("target").unwrap_or_else(|| word.span.clone());
        let mistake = table.sink.at(span, "a library's source is for every target");
        let mistake = mistake.label("only a toolchain's source has `target`");
        table
            .sink
            .report(mistake.help("leave it out; options per target stand in recipes/targets.toml"));
        return None;
    }
    context.check_target(table.sink, &word);
    Some(word.text.to_owned())
}
