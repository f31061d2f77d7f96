//! `libraries/<name>.toml`.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::build;
use super::compile::{Declared, first_cxx};
use super::fields::{Fields, Shape, Sink, Wanted, Word, as_word, entries};
use super::source::{self, Pin, Targets};
use super::words::{self, Wrong};
use super::{Context, license::license, license_file, patches, template, tool};
use crate::recipe::diagnostic::Span;
use crate::recipe::guess::{guess, list, quote};
use crate::recipe::template::{Placeholder, Template};
use crate::recipe::{
    Build, CMAKE_TOOLS, CONFIGURE_TOOLS, Language, Library, Outputs, OverrideValue,
};

static LIBRARY: Shape = Shape {
    what: "a library",
    keys: &[
        "description",
        "version",
        "license",
        "license-file",
        "cpe",
        "links",
        "crates",
        "versions",
        "bundled",
        "language",
        "always-bundled",
        "dependencies",
        "tools",
        "patches",
        "source",
        "build",
        "outputs",
        "env",
        "env-overruling",
        "override",
    ],
};

static OUTPUTS: Shape =
    Shape { what: "outputs", keys: &["libs", "aliases", "objects", "include", "pkgconfig"] };

/// What variables and overrides may refer to.
const ENV_PLACEHOLDERS: [Placeholder; 4] =
    [Placeholder::Sysroot, Placeholder::Target, Placeholder::TargetUpper, Placeholder::Version];

/// Keys of cargo's `links` override with a meaning of their own; all others are metadata.
const OVERRIDE_KEYS: [&str; 5] =
    ["rustc-link-lib", "rustc-link-search", "rustc-flags", "rustc-cfg", "rustc-cdylib-link-arg"];

/// Those of them that take lists; all other keys take one text.
const OVERRIDE_LISTS: [&str; 4] =
    ["rustc-link-lib", "rustc-link-search", "rustc-cfg", "rustc-cdylib-link-arg"];

/// What to write into an empty list of `bundled` and `always-bundled`, and of `versions`.
const FEATURES: &str = "name the features with which the crate compiles its own copy";
const VERSIONS: &str = "name the beginnings of versions, such as `0.18`";

/// Variables that are not a recipe's to set, and why.
const RESERVED: [(&str, &str); 10] = [
    ("PATH", "the sandbox sets it"),
    ("HOME", "the sandbox sets it"),
    ("CC", "the toolchain sets it"),
    ("CXX", "the toolchain sets it"),
    ("AR", "the toolchain sets it"),
    ("CFLAGS", "the toolchain sets it"),
    ("RUSTFLAGS", "the app's build sets it"),
    ("LD_PRELOAD", "it would get into every program of the build"),
    ("SYSROOT", "it makes the pkg-config crate link dynamically"),
    ("PKG_CONFIG_SYSROOT_DIR", "it makes the pkg-config crate link dynamically"),
];

/// The shape of a library's file.
pub fn shape() -> &'static Shape {
    &LIBRARY
}

/// A word that other files are compared with, and where it stands.
pub type Mark = (String, Span);

/// What one file says that other files must agree with: kept even if the file has mistakes.
#[derive(Default)]
pub struct Marks {
    /// `links` keys.
    pub links: Vec<Mark>,
    /// Crates without one.
    pub crates: Vec<Mark>,
    /// Dependencies that exist.
    pub dependencies: Vec<Mark>,
    /// Pinned digests.
    pub pins: Vec<Pin>,
    /// Variables: key as written, value as written, the key's place.
    pub env: Vec<(String, String, Span)>,
}

/// Reads a library. The result is none if there is any mistake.
pub fn read<'f>(
    fields: &Fields<'_, 'f>,
    name: &str,
    context: &Context<'f>,
) -> (Option<Library>, Marks) {
    let before = fields.sink.count();
    let mut marks = Marks::default();
    let description = fields.need_checked("description", "description = \"…\"", words::description);
    let version = fields.need_checked("version", "version = \"1.2.3\"", words::version);
    let license = fields.need_checked("license", "license = \"MIT\"", license);
    let license_files = license_file::read(fields);
    let cpe = fields.checked("cpe", words::cpe);
    let links = marked(fields, "links", words::links, &mut marks.links);
    let crates = marked(fields, "crates", words::crate_name, &mut marks.crates);
    let versions = by_crate(fields, "versions", words::version, VERSIONS);
    let [bundled, always_bundled] =
        ["bundled", "always-bundled"].map(|key| by_crate(fields, key, feature, FEATURES));
    let language = language(fields);
    let dependencies = dependencies(fields, name, context, &mut marks);
    let tools = tool::names(fields, context);
    let patches = patches::read(fields, name, context);
    let (sources, pins) = source::read(fields, context, Targets::Any);
    marks.pins = pins;
    let (outputs, declared) = outputs(fields).unzip();
    let build = build::read(fields, context, declared.as_ref());
    match &build {
        Some(Build::Configure(_)) => tool::check_needed(fields, "configure", &CONFIGURE_TOOLS),
        Some(Build::Cmake(_)) => tool::check_needed(fields, "cmake", &CMAKE_TOOLS),
        _ => {}
    }
    if language == Some(Language::C) {
        no_cxx(fields);
    }
    let [env, env_overruling] = ["env", "env-overruling"].map(|key| env(fields, key, &mut marks));
    let overrides = overrides(fields, &links);
    let assemble = || {
        Some(Library {
            name: name.to_owned(),
            description: description?,
            version: version?,
            license: license?,
            license_files,
            cpe,
            links,
            crates,
            versions,
            bundled,
            language: language?,
            always_bundled,
            dependencies,
            tools,
            sources,
            patches,
            build: build?,
            outputs: outputs?,
            env,
            env_overruling,
            overrides,
        })
    };
    let library = if fields.sink.count() == before { assemble() } else { None };
    (library, marks)
}

/// A list whose words must not stand in another library's file too.
fn marked(
    fields: &Fields<'_, '_>,
    key: &'static str,
    check: words::Check,
    marks: &mut Vec<Mark>,
) -> Vec<String> {
    let mut found = Vec::new();
    for word in fields.words(key) {
        if let Some(text) = fields.check(&word, check) {
            marks.push((text.clone(), word.span));
            found.push(text);
        }
    }
    found
}

/// Lists of words by crate, none of them empty.
fn by_crate(
    fields: &Fields<'_, '_>,
    key: &'static str,
    check: words::Check,
    help: &'static str,
) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for (name, value) in fields.entries(key) {
        fields.check(&name, words::crate_name);
        let words = fields.words_of(name.text, value);
        if matches!(value.get_ref(), DeValue::Array(items) if items.is_empty()) {
            let mistake = fields.sink.at(value.span(), format!("{} is empty", quote(name.text)));
            fields.sink.report(mistake.label("nothing in it").help(help));
        }
        let checked = words.iter().filter_map(|word| fields.check(word, check));
        found.insert(name.text.to_owned(), checked.collect());
    }
    found
}

/// A feature, or the star that stands for all.
fn feature(text: &str) -> Result<(), Wrong> {
    if text == "*" { Ok(()) } else { words::feature(text) }
}

/// C, unless the recipe says otherwise.
fn language(fields: &Fields<'_, '_>) -> Option<Language> {
    match fields.word("language") {
        None => Some(Language::C),
        Some(word) if word.text == "c++" => Some(Language::Cxx),
        Some(word) => {
            let title = format!("unknown language {}", quote(word.text));
            let mistake = fields.sink.at(word.span, title).label("neither C nor C++");
            let help = "write `language = \"c++\"`, or leave the line out for C";
            fields.sink.report(mistake.help(help));
            None
        }
    }
}

/// What is in C++ needs a C++ runtime where it is linked, and only the language tells of that.
fn no_cxx(fields: &Fields<'_, '_>) {
    if let Some(word) = fields.value("build").and_then(first_cxx) {
        let title = format!("{} is C++, and the library is one in C", quote(word.text));
        let mistake = fields.sink.at(word.span, title).label("nobody would link a C++ runtime");
        fields.sink.report(mistake.help("write `language = \"c++\"` above the tables"));
    }
}

fn dependencies(
    fields: &Fields<'_, '_>,
    name: &str,
    context: &Context<'_>,
    marks: &mut Marks,
) -> Vec<String> {
    let words = fields.words("dependencies");
    for word in &words {
        if word.text == name {
            let mistake = fields.sink.at(word.span.clone(), "a library cannot depend on itself");
            fields.sink.report(mistake.label("this very recipe"));
        } else if context.check_library(fields.sink, word, Some(name)) {
            marks.dependencies.push((word.text.to_owned(), word.span.clone()));
        }
    }
    words.into_iter().map(|word| word.text.to_owned()).collect()
}

fn outputs<'d>(fields: &Fields<'d, '_>) -> Option<(Outputs, Declared<'d>)> {
    if !fields.has("outputs") {
        fields.missing("outputs", "[outputs]");
    }
    let table = fields.fields("outputs", &OUTPUTS)?;
    let declared = Declared {
        libs: table.words("libs"),
        include: table.words("include"),
        pkgconfig: table.words("pkgconfig"),
        span: table.key_span("libs").unwrap_or_else(|| table.span.clone()),
    };
    let checked = |words: &[Word<'_>], check| -> Vec<String> {
        words.iter().filter_map(|word| table.check(word, check)).collect()
    };
    let outputs = Outputs {
        libs: checked(&declared.libs, words::lib),
        aliases: table.checked_words("aliases", words::lib),
        objects: table.checked_words("objects", words::object),
        include: checked(&declared.include, words::header),
        pkgconfig: checked(&declared.pkgconfig, words::pkgconfig),
    };
    let is_empty = |key| {
        let items = table.value(key).and_then(|value| value.get_ref().as_array());
        items.is_none_or(|items| items.is_empty())
    };
    if is_empty("libs") && is_empty("include") {
        let mistake = table.sink.at(table.span.clone(), "the outputs are empty");
        let help = "name what it brings, such as `libs = [\"z\"]` and `include = [\"zlib.h\"]`";
        table.sink.report(mistake.label("neither `libs` nor `include`").help(help));
        return None;
    }
    Some((outputs, declared))
}

fn env(
    fields: &Fields<'_, '_>,
    table: &'static str,
    marks: &mut Marks,
) -> Vec<(Template, Template)> {
    let mut found = Vec::new();
    for (key, value) in fields.entries(table) {
        let Some(word) = as_word(value) else {
            fields.sink.report_type(key.text, value, Wanted::Text);
            continue;
        };
        let name = template(fields.sink, &key, &ENV_PLACEHOLDERS);
        let text = template(fields.sink, &word, &ENV_PLACEHOLDERS);
        if let (Some(name), Some(text)) = (name, text)
            && variable(fields.sink, &key, &name)
        {
            marks.env.push((key.text.to_owned(), word.text.to_owned(), key.span.clone()));
            found.push((name, text));
        }
    }
    found
}

/// Whether a variable may be set by a recipe.
fn variable(sink: &Sink<'_>, key: &Word<'_>, name: &Template) -> bool {
    let example = name.render(|placeholder| match placeholder {
        Placeholder::Sysroot | Placeholder::Version => "/".to_owned(),
        _ => "T".to_owned(),
    });
    let whole = 0..key.text.len();
    let wrong = if let Some((_, why)) = RESERVED.iter().find(|(reserved, _)| *reserved == example) {
        let title = format!("a recipe cannot set {}", quote(key.text));
        Wrong::new(whole, title, *why)
    } else if words::identifier(&example, "a variable").is_err() {
        let title = format!("{} is no name of a variable", quote(key.text));
        let label = "letters, digits, `_`, `{target}` and `{TARGET}`";
        Wrong::new(whole, title, label)
    } else {
        return true;
    };
    sink.report_wrong(key, wrong);
    false
}

fn overrides(
    fields: &Fields<'_, '_>,
    links: &[String],
) -> BTreeMap<String, BTreeMap<String, OverrideValue>> {
    let mut found = BTreeMap::new();
    for (key, value) in fields.entries("override") {
        if !links.iter().any(|link| link == key.text) {
            let title = format!("{} is not in `links`", quote(key.text));
            let known = || links.iter().map(String::as_str);
            let mistake = fields
                .sink
                .at(key.span.clone(), title)
                .label("an override is for a key that this library serves")
                .guess(key.text, known())
                .note(format!("`links` has: {}", list(known())));
            fields.sink.report(mistake);
        }
        let DeValue::Table(table) = value.get_ref() else {
            fields.sink.report_type(key.text, value, Wanted::Table);
            continue;
        };
        let mut values = BTreeMap::new();
        for (name, value) in entries(table) {
            if !is_override_key(fields.sink, &name) {
                continue;
            }
            let parse = |word: &Word<'_>| template(fields.sink, word, &ENV_PLACEHOLDERS);
            let value = if OVERRIDE_LISTS.contains(&name.text) {
                let words = fields.words_of(name.text, value);
                OverrideValue::Many(words.iter().filter_map(parse).collect())
            } else if let Some(word) = as_word(value) {
                let Some(text) = parse(&word) else { continue };
                OverrideValue::One(text)
            } else {
                fields.sink.report_type(name.text, value, Wanted::Text);
                continue;
            };
            values.insert(name.text.to_owned(), value);
        }
        found.insert(key.text.to_owned(), values);
    }
    found
}

/// Keys that begin with `rustc-` are cargo's; a misspelt one would silently become metadata.
fn is_override_key(sink: &Sink<'_>, name: &Word<'_>) -> bool {
    let is_cargo = name.text.starts_with("rustc") || guess(name.text, OVERRIDE_KEYS).is_some();
    let is_well = !is_cargo || OVERRIDE_KEYS.contains(&name.text);
    if !is_well {
        let title = format!("unknown override key {}", quote(name.text));
        let mistake = sink.at(name.span.clone(), title).label("it would be taken for metadata");
        let mistake = mistake.guess(name.text, OVERRIDE_KEYS);
        sink.report(
            mistake.note(format!("cargo's keys that a recipe can set: {}", list(OVERRIDE_KEYS))),
        );
    }
    is_well
}
