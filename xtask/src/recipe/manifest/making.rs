//! `[build.gcc]` of a toolchain.

use super::fields::{Fields, Shape, Word};
use super::source::{self, Pin, Targets};
use super::toolchain::path_template;
use super::words;
use super::{Context, build, license_file};
use crate::recipe::guess::{list, quote};
use crate::recipe::template::Placeholder;
use crate::recipe::{Making, Part, Patch, Source, Stage};

static BUILD: Shape = Shape { what: "`[build]` of a toolchain", keys: &["gcc"] };

static GCC: Shape = Shape {
    what: "build.gcc",
    keys: &["with", "libraries", "tools", "libc", "binutils", "compiler"],
};

static LIBC: Shape = Shape {
    what: "build.gcc.libc",
    keys: &["version", "license-file", "source", "headers", "options", "make", "install"],
};

static BINUTILS: Shape = Shape {
    what: "build.gcc.binutils",
    keys: &["version", "license-file", "source", "options", "make", "install"],
};

static COMPILER: Shape =
    Shape { what: "build.gcc.compiler", keys: &["options", "make", "install"] };

/// What the compiler has of the toolchain as a whole.
pub struct Own<'a> {
    /// The toolchain's name.
    pub name: &'a str,
    /// Its version, if that could be read.
    pub version: Option<&'a str>,
    /// Where its bytes come from.
    pub sources: &'a [Source],
    /// Patches to them.
    pub patches: Vec<Patch>,
}

/// Reads how a toolchain is made, if it is.
pub fn read(
    fields: &Fields<'_, '_>,
    context: &Context<'_>,
    own: &Own<'_>,
) -> (Option<Making>, Vec<Pin>) {
    let Some(build) = fields.fields("build", &BUILD) else { return (None, vec![]) };
    if !build.has("gcc") && !build.is_excused(&["gcc"]) {
        build.missing("gcc", "[build.gcc]");
    }
    let Some(table) = build.fields("gcc", &GCC) else { return (None, vec![]) };
    let with = table.need_word("with", "with = \"zig\"");
    if let Some(word) = &with {
        check_toolchain(&table, word, context, own.name);
    }
    let libraries = table.words("libraries");
    for word in &libraries {
        context.check_library(table.sink, word, None);
    }
    let tools = table.checked_words("tools", words::tool);
    for word in table.words("tools").iter().filter(|it| !context.tools.contains_key(it.text)) {
        let title = format!("there is no tool {}", quote(word.text));
        let known = || context.tools.keys().copied();
        let mistake = table.sink.at(word.span.clone(), title).label("not in recipes/tools");
        let note = format!("tools: {}", list(known()));
        table.sink.report(mistake.guess(word.text, known()).note(note));
    }
    let (mut parts, mut pins) = (Vec::new(), Vec::new());
    for stage in Stage::ALL {
        if !table.has(stage.name()) {
            table.missing(stage.name(), &format!("[build.gcc.{}]", stage.name()));
        }
        let (part, own_pins) = match stage {
            Stage::Compiler => (compiler(&table, own), vec![]),
            _ => part(&table, context, stage),
        };
        parts.extend(part);
        pins.extend(own_pins);
    }
    let libraries = libraries.iter().map(|word| word.text.to_owned()).collect();
    let with = with.map(|word| word.text.to_owned());
    (with.map(|with| Making { with, libraries, tools, parts }), pins)
}

/// It is compiled by another one, which is not made in turn.
fn check_toolchain(table: &Fields<'_, '_>, word: &Word<'_>, context: &Context<'_>, name: &str) {
    let known = || context.toolchains.iter().map(String::as_str).filter(|other| *other != name);
    if known().any(|other| other == word.text) {
        return;
    }
    let title = match word.text == name {
        true => "a toolchain cannot be made with itself".to_owned(),
        false => format!("there is no toolchain {}", quote(word.text)),
    };
    let mistake = table.sink.at(word.span.clone(), title).label("no other in recipes/toolchains");
    table.sink.report(mistake.guess(word.text, known()).note(format!("others: {}", list(known()))));
}

fn part(table: &Fields<'_, '_>, context: &Context<'_>, stage: Stage) -> (Option<Part>, Vec<Pin>) {
    let shape = if stage == Stage::Libc { &LIBC } else { &BINUTILS };
    let Some(fields) = table.fields(stage.name(), shape) else { return (None, vec![]) };
    let version = fields.need_checked("version", "version = \"1.2.3\"", words::version);
    let (sources, pins) = source::read(&fields, context, Targets::Any);
    let license_files = license_file::read(&fields);
    let scripts = scripts(&fields, stage);
    let part = version.map(|version| Part { version, license_files, sources, ..scripts });
    (part, pins)
}

/// Its sources are those of the toolchain itself.
fn compiler(table: &Fields<'_, '_>, own: &Own<'_>) -> Option<Part> {
    let fields = table.fields(Stage::Compiler.name(), &COMPILER)?;
    Some(Part {
        version: own.version.unwrap_or_default().to_owned(),
        sources: own.sources.to_vec(),
        patches: own.patches.clone(),
        ..scripts(&fields, Stage::Compiler)
    })
}

fn scripts(fields: &Fields<'_, '_>, stage: Stage) -> Part {
    let headers = match stage {
        Stage::Libc => fields.words("headers"),
        _ => vec![],
    };
    fields.not_empty("install", "without `install` in it, nothing gets into the toolchain");
    let install = fields.checked_words("install", words::make_target);
    let folder = |word| path_template(fields, word, &[Placeholder::ZigKernel]);
    let headers = headers.iter().filter_map(folder).collect();
    Part {
        stage,
        version: String::new(),
        license_files: vec![],
        sources: vec![],
        patches: vec![],
        options: build::options(fields, &fields.words("options")),
        headers,
        make: fields.checked_words("make", words::make_target),
        install: if fields.has("install") { install } else { vec!["install".to_owned()] },
    }
}
