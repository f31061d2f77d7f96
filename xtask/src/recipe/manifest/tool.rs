//! `tools/<name>.toml`, and the words by which libraries and toolchains name tools.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::compile;
use super::fields::{Fields, Shape, Wanted, Word, as_word};
use super::source::{self, Pin, Targets};
use super::words;
use super::{Context, license::license, license_file, patches, prebuilt};
use crate::digest::{Digest, parse_hex};
use crate::recipe::guess::{list, quote};
use crate::recipe::{Compile, Product, Tool};

static TOOL: Shape = Shape {
    what: "a tool",
    keys: &[
        "description",
        "version",
        "license",
        "license-file",
        "patches",
        "source",
        "build",
        "outputs",
        "digest",
    ],
};

const WAYS: [&str; 2] = ["compile", "prebuilt"];

static BUILD: Shape = Shape { what: "`[build]` of a tool", keys: &WAYS };

static COMPILE: Shape = Shape {
    what: "`[build.compile]` of a tool",
    keys: &["sources", "include", "defines", "flags", "program", "objects", "loader", "copy"],
};

static OUTPUTS: Shape = Shape {
    what: "`[outputs]` of a tool",
    keys: &["programs", "aliases", "files", "libs", "objects"],
};

/// What a tool brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A program that builds call.
    Program,
    /// What such programs are linked with.
    Runtime,
    /// What loads programs that come prebuilt.
    Loader,
    /// Files that some program reads.
    Files,
}

/// The shape of a tool's file.
pub fn shape() -> &'static Shape {
    &TOOL
}

fn table_of<'t>(table: &'t DeTable<'_>, key: &str) -> Option<&'t DeTable<'t>> {
    table.get(key)?.get_ref().as_table()
}

/// Whether it is taken from the archive as it is.
pub fn is_prebuilt(table: &DeTable<'_>) -> bool {
    table_of(table, "build").is_some_and(|build| build.contains_key("prebuilt"))
}

/// What such a tool brings, before it is read.
pub fn kind_of_prebuilt(table: &DeTable<'_>) -> Option<Kind> {
    let prebuilt = table_of(table_of(table, "build")?, "prebuilt")?;
    table_of(table, "outputs")?;
    Some(if prebuilt.contains_key("program") { Kind::Program } else { Kind::Files })
}

/// Reads a tool. The result is none if there is any mistake.
pub fn read<'f>(
    fields: &Fields<'_, 'f>,
    name: &str,
    context: &Context<'f>,
) -> (Option<Tool>, Option<Kind>, Vec<Pin>) {
    let before = fields.sink.count();
    let description = fields.need_checked("description", "description = \"…\"", words::description);
    let version = fields.need_checked("version", "version = \"1.2.3\"", words::version);
    let license = fields.need_checked("license", "license = \"MIT\"", license);
    let license_files = license_file::read(fields);
    let patches = patches::read(fields, name, context);
    let (sources, pins) = source::read(fields, context, Targets::Any);
    for (key, example) in [("build", "[build.compile]"), ("outputs", "[outputs]")] {
        if !fields.has(key) {
            fields.missing(key, example);
        }
    }
    let digests = digests(fields, context);
    let build = fields.fields("build", &BUILD);
    let is_prebuilt = build.as_ref().is_some_and(|build| build.has("prebuilt"));
    let has_none = |build: &&Fields<'_, '_>| !build.has("compile") && !build.is_excused(&WAYS);
    if let Some(build) = build.as_ref().filter(has_none).filter(|_| !is_prebuilt) {
        build.missing("compile", "[build.compile]");
    }
    let way = if is_prebuilt { ("prebuilt", &prebuilt::PREBUILT) } else { ("compile", &COMPILE) };
    let table = build.as_ref().and_then(|build| build.fields(way.0, way.1));
    let compile = match is_prebuilt {
        true => Some(Compile::default()),
        false => table.as_ref().map(compile::of_tool),
    };
    let copy = table.as_ref().map(copy).unwrap_or_default();
    let outputs = fields.fields("outputs", &OUTPUTS);
    let (product, kind) = match (&table, &outputs) {
        (Some(table), Some(outputs)) if is_prebuilt => prebuilt::read(table, outputs, context),
        (Some(compile), Some(outputs)) => product(compile, outputs),
        _ => (None, None),
    };
    if product == Some(Product::Prebuilt(None)) {
        not_of(
            fields,
            "digest",
            "nothing is made that could differ from what the source's digest pins",
        );
    }
    let files = outputs.map(|it| it.checked_words("files", words::inner_path)).unwrap_or_default();
    let assemble = || {
        Some(Tool {
            name: name.to_owned(),
            description: description?,
            version: version?,
            license: license?,
            license_files,
            sources,
            patches,
            compile: compile?,
            product: product?,
            copy,
            files,
            digests,
        })
    };
    (if fields.sink.count() == before { assemble() } else { None }, kind, pins)
}

/// A program with its aliases, an archive with its objects, or a loader: exactly one of them.
fn product(compile: &Fields<'_, '_>, outputs: &Fields<'_, '_>) -> (Option<Product>, Option<Kind>) {
    if compile.has("loader") {
        return loader(compile, outputs);
    }
    let program = compile.checked("program", words::program);
    let programs = outputs.words("programs");
    let libs = outputs.checked_words("libs", words::lib);
    let aliases = outputs.checked_words("aliases", alias);
    let objects = compile.checked_words("objects", words::c_file);
    match (compile.key_span("program"), outputs.key_span("libs")) {
        (None, None) => {
            let mistake = compile.sink.at(compile.span.clone(), "a tool makes a program");
            let help = "say where it is installed: `program = \"bin/…\"`";
            compile.sink.report(mistake.label("nothing is made of these files").help(help));
            (None, None)
        }
        (Some(first), Some(second)) => {
            let title = "a tool is a program or a runtime, not both";
            let mistake = outputs.sink.at(second, title).label("an archive");
            let mistake = mistake.related(outputs.sink.file, first, "a program");
            outputs.sink.report(mistake.help("write a recipe for each"));
            (None, None)
        }
        (Some(_), None) => {
            not_of(compile, "objects", "a program has no objects beside it");
            not_of(outputs, "objects", "a program has no objects beside it");
            if let Some(program) = &program {
                check_programs(outputs, &programs, program);
            }
            let product = program.map(|path| Product::Program { path, aliases });
            (product, Some(Kind::Program))
        }
        (None, Some(span)) => {
            not_of(outputs, "programs", "`[build.compile]` has no `program`");
            not_of(outputs, "aliases", "an alias is another name of a `program`");
            if libs.len() != 1 {
                let mistake = outputs.sink.at(span, "`[build.compile]` makes exactly one library");
                outputs.sink.report(mistake.label(format!("{} in `libs`", libs.len())));
            }
            check_objects(outputs, &objects);
            let lib = libs.into_iter().next();
            (lib.map(|lib| Product::Runtime { lib, objects }), Some(Kind::Runtime))
        }
    }
}

/// A C library that loads programs.
fn loader(compile: &Fields<'_, '_>, outputs: &Fields<'_, '_>) -> (Option<Product>, Option<Kind>) {
    let why = "`[build.compile]` makes a `loader`";
    ["program", "objects"].iter().for_each(|key| not_of(compile, key, why));
    ["programs", "aliases", "libs", "objects"].iter().for_each(|key| not_of(outputs, key, why));
    let path = compile.checked("loader", words::inner_path);
    let promised = outputs.words("files");
    if let Some(path) = path.as_ref().filter(|path| !promised.iter().any(|it| it.text == **path)) {
        outputs.missing("files", &format!("files = [\"{path}\"]"));
    }
    (path.map(|path| Product::Loader { path }), Some(Kind::Loader))
}

/// Another name of a program; a shell's tests have theirs.
fn alias(text: &str) -> Result<(), words::Wrong> {
    if ["[", "[["].contains(&text) { Ok(()) } else { words::tool(text) }
}

/// Reports a key that makes no sense here.
pub fn not_of(table: &Fields<'_, '_>, key: &'static str, why: &str) {
    if let Some(span) = table.key_span(key) {
        let mistake = table.sink.at(span, format!("{} cannot stand here", quote(key)));
        table.sink.report(mistake.label(why));
    }
}

/// What is promised must be what is made.
pub fn check_programs(outputs: &Fields<'_, '_>, programs: &[Word<'_>], program: &str) {
    if !outputs.has("programs") {
        outputs.missing("programs", &format!("programs = [\"{program}\"]"));
    } else if !(programs.len() == 1 && programs[0].text == program) {
        let span = outputs.key_span("programs").unwrap_or_else(|| outputs.span.clone());
        let mistake = outputs.sink.at(span, "`programs` is not what `[build.compile]` makes");
        let help = format!("write `programs = [\"{program}\"]`");
        outputs.sink.report(mistake.label(format!("it makes {}", quote(program))).help(help));
    }
    let name = program.rsplit('/').next().unwrap_or(program);
    for alias in outputs.words("aliases").iter().filter(|alias| alias.text == name) {
        let title = format!("{} is the program itself", quote(name));
        outputs.sink.report(outputs.sink.at(alias.span.clone(), title).label("no other name"));
    }
}

fn check_objects(outputs: &Fields<'_, '_>, objects: &[String]) {
    let promised = outputs.checked_words("objects", words::object);
    let made: Vec<String> = objects.iter().map(|source| object_name(source)).collect();
    if promised != made {
        let key = if outputs.has("objects") { "objects" } else { "libs" };
        let span = outputs.key_span(key).unwrap_or_else(|| outputs.span.clone());
        let title = "`objects` is not what `[build.compile]` makes";
        let label = format!("it makes {}", list(made.iter().map(String::as_str)));
        outputs.sink.report(outputs.sink.at(span, title).label(label));
    }
}

/// `crt/crt1.c` becomes `crt1.o`.
pub fn object_name(source: &str) -> String {
    let name = source.rsplit('/').next().unwrap_or(source);
    format!("{}.o", name.rsplit_once('.').map_or(name, |(stem, _)| stem))
}

fn copy(table: &Fields<'_, '_>) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for (folder, value) in table.entries("copy") {
        table.check(&folder, words::inner_path);
        let words = table.words_of(folder.text, value);
        let from = words.iter().filter_map(|word| table.check(word, words::inner_path)).collect();
        found.insert(folder.text.to_owned(), from);
    }
    found
}

/// Digests by toolchain.
fn digests(fields: &Fields<'_, '_>, context: &Context<'_>) -> BTreeMap<String, Digest> {
    let mut found = BTreeMap::new();
    for (toolchain, value) in fields.entries("digest") {
        let known = || context.toolchains.iter().map(String::as_str);
        if !known().any(|name| name == toolchain.text) {
            let title = format!("there is no toolchain {}", quote(toolchain.text));
            let mistake = fields
                .sink
                .at(toolchain.span.clone(), title)
                .label("not in recipes/toolchains")
                .guess(toolchain.text, known())
                .note(format!("toolchains: {}", list(known())));
            fields.sink.report(mistake);
        }
        let Some(word) = as_word(value) else {
            fields.sink.report_type(toolchain.text, value, Wanted::Text);
            continue;
        };
        match parse_hex("sha256", word.text) {
            Ok(digest) => drop(found.insert(toolchain.text.to_owned(), digest)),
            Err(error) => {
                fields.sink.report_wrong(&word, source::wrong_digest("sha256", &word, &error));
            }
        }
    }
    found
}

/// The tools that a library's build calls.
pub fn names(fields: &Fields<'_, '_>, context: &Context<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for word in fields.words("tools") {
        if fields.check(&word, words::tool).is_some()
            && is_kind(fields, context, &word, Kind::Program)
        {
            found.push(word.text.to_owned());
        }
    }
    found
}

/// The tool that a toolchain's programs are linked with.
pub fn runtime(table: &Fields<'_, '_>, key: &'static str, context: &Context<'_>) -> Option<String> {
    let word = table.word(key)?;
    is_kind(table, context, &word, Kind::Runtime).then(|| word.text.to_owned())
}

/// The tool that loads a program.
pub fn loader_of(table: &Fields<'_, '_>, context: &Context<'_>) -> Option<String> {
    let word = table.word("loader")?;
    is_kind(table, context, &word, Kind::Loader).then(|| word.text.to_owned())
}

fn is_kind(fields: &Fields<'_, '_>, context: &Context<'_>, word: &Word<'_>, wanted: Kind) -> bool {
    let fits = |kind: &Option<Kind>| kind.is_none_or(|kind| kind == wanted);
    let found = context.tools.get(word.text);
    if found.is_some_and(fits) {
        return true;
    }
    let (title, label) = match (found, wanted) {
        (None, _) => {
            (format!("there is no tool {}", quote(word.text)), "no such file in recipes/tools")
        }
        (_, Kind::Program) => {
            (format!("{} is no program", quote(word.text)), "programs are linked with it")
        }
        (_, Kind::Loader) => (format!("{} is no loader", quote(word.text)), "it loads nothing"),
        (_, Kind::Runtime | Kind::Files) => {
            (format!("{} is no runtime", quote(word.text)), "it makes a program, no `libs`")
        }
    };
    let known = || context.tools.iter().filter(|(_, kind)| fits(kind)).map(|(name, _)| *name);
    let mistake = fields.sink.at(word.span.clone(), title).label(label);
    let mistake = mistake.guess(word.text, known());
    let what = match wanted {
        Kind::Program => "tools",
        Kind::Loader => "loaders",
        Kind::Runtime | Kind::Files => "runtimes",
    };
    fields.sink.report(mistake.note(format!("{what}: {}", list(known()))));
    false
}

/// A configure script is a shell's, and its makefiles are make's; CMake's are, too.
pub fn check_needed(fields: &Fields<'_, '_>, builder: &str, needed: &[&'static str]) {
    let named = fields.value("tools").and_then(|value| value.get_ref().as_array());
    let is_named = |tool: &&str| {
        named.into_iter().flatten().any(|item| item.get_ref().as_str() == Some(*tool))
    };
    let missing: Vec<&str> = needed.iter().copied().filter(|tool| !is_named(tool)).collect();
    if missing.is_empty() || fields.is_excused(&["tools"]) {
        return;
    }
    let span = fields.key_span("tools").or_else(|| fields.key_span("build")).unwrap_or(0..0);
    let title = format!("`[build.{builder}]` needs the tools {}", list(needed.iter().copied()));
    let label = format!("without {}", list(missing));
    let mistake = fields.sink.at(span, title).label(label);
    fields.sink.report(mistake.help("add them to `tools`: no program of the machine is called"));
}
