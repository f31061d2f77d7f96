//! `[build.compile]`: lists of files with their settings, files that are made beforehand, and what
//! becomes of headers and `.pc` files. All of it is compared with what `[outputs]` declares.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::fields::{Fields, Shape, Sink, Wanted, Word, as_word, type_name};
use super::{Context, made, words};
use crate::recipe::diagnostic::Span;
use crate::recipe::guess::{list, quote};
use crate::recipe::{Compile, Group, PkgConfig, is_cxx};

/// The shape of the table in a library; a tool's has keys of its own.
pub static SHAPE: Shape = Shape {
    what: "build.compile",
    keys: &[
        "folder",
        "sources",
        "include",
        "defines",
        "flags",
        "group",
        "files",
        "headers",
        "pkgconfig",
    ],
};

static GROUP: Shape = Shape {
    what: "a group",
    keys: &["lib", "targets", "folder", "sources", "include", "defines", "flags"],
};

static PKGCONFIG: Shape = Shape {
    what: "a `.pc` file",
    keys: &["version", "libs", "cflags", "requires", "requires-private", "libs-private"],
};

/// What a library's `[outputs]` declare, and where.
pub struct Declared<'d> {
    /// Names of libraries.
    pub libs: Vec<Word<'d>>,
    /// Headers.
    pub include: Vec<Word<'d>>,
    /// Names of `.pc` files.
    pub pkgconfig: Vec<Word<'d>>,
    /// The place of `libs`.
    pub span: Span,
}

/// Reads the files and settings of a tool.
pub fn of_tool(table: &Fields<'_, '_>) -> Compile {
    need_sources(table);
    Compile {
        sources: sources(table, ""),
        include: table.checked_words("include", folder),
        defines: defines(table),
        flags: table.checked_words("flags", words::library_flag),
        ..Compile::default()
    }
}

/// Reads all that a library may say.
pub fn of_library(
    table: &Fields<'_, '_>,
    context: &Context<'_>,
    declared: Option<&Declared<'_>>,
) -> Compile {
    let before = table.sink.count();
    if !table.has("group") || table.has("sources") {
        need_sources(table);
    }
    let prefix = table.checked("folder", words::inner_path).unwrap_or_default();
    let mut compile = Compile {
        sources: sources(table, &prefix),
        include: table.checked_words("include", folder),
        defines: defines(table),
        flags: table.checked_words("flags", words::library_flag),
        files: made::files(table),
        headers: headers(table, declared),
        pkgconfig: pkgconfig(table, declared),
        ..Compile::default()
    };
    for fields in table.all("group", &GROUP) {
        compile.groups.push(group(&fields, context, declared));
    }
    // After another mistake a library may only seem to be empty.
    if let Some(declared) = declared.filter(|_| table.sink.count() == before) {
        check_libs(table.sink, &compile, declared);
    }
    compile
}

fn need_sources(table: &Fields<'_, '_>) {
    if !table.has("sources") {
        table.missing("sources", "sources = [\"….c\"]");
    }
    table.not_empty("sources", "list the C files");
}

fn group(fields: &Fields<'_, '_>, context: &Context<'_>, declared: Option<&Declared<'_>>) -> Group {
    need_sources(fields);
    let lib = fields.word("lib").map(|word| {
        check_declared(fields.sink, &word, "outputs.libs", declared.map(|it| &it.libs[..]));
        word.text.to_owned()
    });
    let targets = fields.words("targets");
    targets.iter().for_each(|word| context.check_target_or_cpu(fields.sink, word));
    fields.not_empty("targets", "without targets nothing is compiled: leave the key out for all");
    let prefix = fields.checked("folder", words::inner_path).unwrap_or_default();
    Group {
        lib,
        targets: targets.iter().map(|word| word.text.to_owned()).collect(),
        sources: sources(fields, &prefix),
        include: fields.checked_words("include", folder),
        defines: defines(fields),
        flags: fields.checked_words("flags", words::library_flag),
    }
}

/// A list of files, below a folder if one is named.
fn sources(table: &Fields<'_, '_>, folder: &str) -> Vec<String> {
    let files = table.checked_words("sources", words::c_file);
    match folder {
        "" => files,
        folder => files.iter().map(|file| format!("{folder}/{file}")).collect(),
    }
}

/// The first of the files, in the text of a `[build.…]`, that is C++.
pub fn first_cxx<'d>(build: &'d Spanned<DeValue<'d>>) -> Option<Word<'d>> {
    let table = build.get_ref().as_table()?.get("compile")?.get_ref().as_table()?;
    let groups = table.get("group").and_then(|it| it.get_ref().as_array());
    let groups = groups.into_iter().flatten().filter_map(|it| it.get_ref().as_table());
    let lists = std::iter::once(table).chain(groups).filter_map(|it| it.get("sources"));
    let mut words = lists.filter_map(|it| it.get_ref().as_array()).flatten().filter_map(as_word);
    words.find(|word| is_cxx(word.text))
}

/// A folder for `-I`; `.` is the tree itself.
fn folder(text: &str) -> Result<(), words::Wrong> {
    if text == "." { Ok(()) } else { words::inner_path(text) }
}

/// Reports a name that the outputs do not declare.
fn check_declared(sink: &Sink<'_>, word: &Word<'_>, place: &str, known: Option<&[Word<'_>]>) {
    let Some(known) = known else { return };
    let names = || known.iter().map(|known| known.text);
    if !names().any(|name| name == word.text) {
        let title = format!("{} is not in `{place}`", quote(word.text));
        let mistake = sink.at(word.span.clone(), title).label("not declared");
        let mistake = mistake.guess(word.text, names());
        sink.report(mistake.note(format!("`{place}` has: {}", list(names()))));
    }
}

/// Each library that is declared is made of something.
fn check_libs(sink: &Sink<'_>, compile: &Compile, declared: &Declared<'_>) {
    if declared.libs.is_empty() {
        let mistake = sink.at(declared.span.clone(), "`[build.compile]` makes libraries");
        sink.report(mistake.label("none is declared").help("name it: `libs = [\"…\"]`"));
    }
    for (index, word) in declared.libs.iter().enumerate() {
        let is_here = |group: &Group| match &group.lib {
            Some(lib) => lib == word.text,
            None => index == 0,
        };
        let is_first = index == 0 && !compile.sources.is_empty();
        if !is_first && !compile.groups.iter().any(is_here) {
            let title = format!("nothing is compiled into {}", quote(word.text));
            let mistake = sink.at(word.span.clone(), title).label("would be empty");
            let help = format!(
                "list its files in a `[[build.compile.group]]` with `lib = \"{}\"`",
                word.text
            );
            let help = if index == 0 { String::new() } else { help };
            sink.report(mistake.help(help));
        }
    }
}

/// Headers whose place in the tree is not the one below `include/`.
fn headers(table: &Fields<'_, '_>, declared: Option<&Declared<'_>>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (to, value) in table.entries("headers") {
        let is_path = table.check(&to, words::header).is_some();
        if let Some(declared) = declared.filter(|_| is_path) {
            let covers = |known: &Word<'_>| {
                let rest = to.text.strip_prefix(known.text);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if !declared.include.iter().any(covers) {
                let known = Some(&declared.include[..]);
                check_declared(table.sink, &to, "outputs.include", known);
            }
        }
        match as_word(value) {
            Some(from) => {
                table.check(&from, words::inner_path);
                found.insert(to.text.to_owned(), from.text.to_owned());
            }
            None => table.sink.report_type(to.text, value, Wanted::Text),
        }
    }
    found
}

fn pkgconfig(
    table: &Fields<'_, '_>,
    declared: Option<&Declared<'_>>,
) -> BTreeMap<String, PkgConfig> {
    let mut found = BTreeMap::new();
    for (name, value) in table.entries("pkgconfig") {
        let known = declared.map(|it| &it.pkgconfig[..]);
        check_declared(table.sink, &name, "outputs.pkgconfig", known);
        let DeValue::Table(inner) = value.get_ref() else {
            table.sink.report_type(name.text, value, Wanted::Table);
            continue;
        };
        let fields = Fields::new(table.sink, inner, value.span(), &PKGCONFIG);
        let libs = fields.words("libs");
        for word in &libs {
            let known = declared.map(|it| &it.libs[..]);
            check_declared(fields.sink, word, "outputs.libs", known);
        }
        let said = PkgConfig {
            version: fields.checked("version", words::version),
            libs: libs.iter().map(|word| word.text.to_owned()).collect(),
            cflags: fields.checked_words("cflags", words::flag),
            requires: fields.checked_words("requires", words::pkgconfig),
            requires_private: fields.checked_words("requires-private", words::pkgconfig),
            libs_private: fields.checked_words("libs-private", words::flag),
        };
        found.insert(name.text.to_owned(), said);
    }
    found
}

fn defines(table: &Fields<'_, '_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, value) in table.entries("defines") {
        table.check(&name, words::macro_name);
        let text = match value.get_ref() {
            DeValue::String(text) => {
                if let Some(word) = as_word(value) {
                    table.check(&word, words::no_placeholder);
                }
                text.clone().into_owned()
            }
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Boolean(true) => String::new(),
            other => {
                let title = "a macro's value is a text, a whole number or `true`";
                let mistake = table.sink.at(value.span(), title);
                let mistake = mistake.label(format!("this is {}", type_name(other)));
                let help = match other {
                    DeValue::Boolean(_) => "to leave a macro undefined, leave the line out",
                    DeValue::Float(_) => "put it in quotes",
                    _ => "",
                };
                table.sink.report(mistake.help(help).note("`true` defines it without a value"));
                continue;
            }
        };
        found.insert(name.text.to_owned(), text);
    }
    found
}
