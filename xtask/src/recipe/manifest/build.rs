//! `[build.compile]`, `[build.configure]` and `[build.cmake]`: exactly one of a closed set of ways to build.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::compile::{self, Declared};
use super::fields::{Fields, Shape, Wanted, as_word};
use super::{Context, template, words};
use crate::recipe::guess::{list, quote};
use crate::recipe::template::{Placeholder, Template};
use crate::recipe::{Build, Cmake, Configure, HostBuild};

const KINDS: [&str; 3] = ["compile", "configure", "cmake"];

static BUILD: Shape = Shape { what: "build", keys: &KINDS };

static CONFIGURE: Shape = Shape {
    what: "build.configure",
    keys: &[
        "script",
        "options",
        "target-options",
        "make",
        "install",
        "flags",
        "cache",
        "host-programs",
        "host",
    ],
};

static HOST: Shape = Shape { what: "build.configure.host", keys: &["options", "make", "programs"] };
static CMAKE: Shape = Shape { what: "build.cmake", keys: &["folder", "options", "targets"] };

/// Variables that are the builder's, and beginnings of such, where they end in `_`.
const OF_BUILDER: [&str; 12] = [
    "BUILD_SHARED_LIBS",
    "CMAKE_AR",
    "CMAKE_BUILD_TYPE",
    "CMAKE_CXX_COMPILER",
    "CMAKE_C_COMPILER",
    "CMAKE_FIND_",
    "CMAKE_INSTALL_",
    "CMAKE_PREFIX_PATH",
    "CMAKE_RANLIB",
    "CMAKE_SYSROOT",
    "CMAKE_SYSTEM_",
    "CMAKE_TOOLCHAIN_FILE",
];

/// What options may refer to.
const OPTION_PLACEHOLDERS: [Placeholder; 4] =
    [Placeholder::Version, Placeholder::Target, Placeholder::Gnu, Placeholder::Jobs];

/// Reads the build part of a library, which must make what is declared.
pub fn read(
    fields: &Fields<'_, '_>,
    context: &Context<'_>,
    declared: Option<&Declared<'_>>,
) -> Option<Build> {
    if !fields.has("build") {
        fields.missing("build", "[build.compile]");
    }
    let build = fields.fields("build", &BUILD)?;
    match &build.present(&KINDS)[..] {
        [] if build.is_excused(&KINDS) => {}
        [] => {
            let title = format!("a build needs one of {}", list(KINDS));
            let mistake = build.sink.at(build.span.clone(), title).label("no way to build here");
            build.sink.report(mistake.help("write `[build.compile]` or `[build.configure]`"));
        }
        [_] => {}
        [(_, first), (_, second), ..] => {
            let mistake = build.sink.at(second.clone(), "a library is built in one way");
            let mistake = mistake.label("a second way");
            build.sink.report(mistake.related(build.sink.file, first.clone(), "the first"));
        }
    }
    let compile = build
        .fields("compile", &compile::SHAPE)
        .map(|table| compile::of_library(&table, context, declared));
    let configure = build.fields("configure", &CONFIGURE).and_then(|table| configure(&table));
    let cmake = build.fields("cmake", &CMAKE).map(|table| cmake(&table));
    compile.map(Build::Compile).or(configure.map(Build::Configure)).or(cmake.map(Build::Cmake))
}

fn cmake(table: &Fields<'_, '_>) -> Cmake {
    let mut options = BTreeMap::new();
    for (name, value) in table.entries("options") {
        table.check(&name, cmake_variable);
        let text = match value.get_ref() {
            DeValue::Boolean(is_on) => if *is_on { "ON" } else { "OFF" }.to_owned(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            _ => {
                let Some(word) = as_word(value) else {
                    table.sink.report_type(name.text, value, Wanted::Text);
                    continue;
                };
                table.check(&word, words::no_placeholder);
                word.text.to_owned()
            }
        };
        options.insert(name.text.to_owned(), text);
    }
    Cmake {
        folder: table.checked("folder", words::inner_path),
        options,
        targets: table.checked_words("targets", words::make_target),
    }
}

fn cmake_variable(text: &str) -> Result<(), words::Wrong> {
    words::identifier(text, "a variable of CMake")?;
    let is_it = |of_builder: &str| match of_builder.ends_with('_') {
        true => text.starts_with(of_builder),
        false => text == of_builder,
    };
    if OF_BUILDER.iter().any(|of_builder| is_it(of_builder)) {
        let title = format!("a recipe cannot set {}", quote(text));
        return Err(words::Wrong::new(0..text.len(), title, "the builder sets it"));
    }
    Ok(())
}

fn configure(table: &Fields<'_, '_>) -> Option<Configure> {
    let script = table.need_checked("script", "script = \"./configure\"", words::inner_path);
    let options = options(table, &table.words("options"));
    table.not_empty("install", "without `install` in it, nothing gets into the outputs");
    let install = table.checked_words("install", words::make_target);
    Some(Configure {
        script: script?,
        options,
        target_options: table.flag("target-options"),
        make: table.checked_words("make", words::make_target),
        install: if table.has("install") { install } else { vec!["install".to_owned()] },
        flags: table.checked_words("flags", words::flag),
        cache: cache(table),
        host_programs: table.checked_words("host-programs", words::tool),
        host: table.fields("host", &HOST).map(|host| host_build(&host)),
    })
}

fn host_build(table: &Fields<'_, '_>) -> HostBuild {
    if !table.has("programs") {
        table.missing("programs", "programs = [\"…\"]");
    }
    table.not_empty("programs", "name what the build for the target calls");
    HostBuild {
        options: options(table, &table.words("options")),
        make: table.checked_words("make", words::make_target),
        programs: table.checked_words("programs", words::inner_path),
    }
}

/// A variable in which a configure script keeps an answer; others would change more than an answer.
fn cache_variable(text: &str) -> Result<(), words::Wrong> {
    let is_name = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name && text.contains("_cv_") {
        return Ok(());
    }
    let title = format!("{} is no cache variable", quote(text));
    let label = "such as `ac_cv_func_malloc_0_nonnull`";
    Err(words::Wrong::new(0..text.len(), title, label))
}

fn cache(table: &Fields<'_, '_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, value) in table.entries("cache") {
        table.check(&name, cache_variable);
        let Some(word) = as_word(value) else {
            table.sink.report_type(name.text, value, Wanted::Text);
            continue;
        };
        table.check(&word, words::no_placeholder);
        found.insert(name.text.to_owned(), word.text.to_owned());
    }
    found
}

/// Options of a configure script.
pub fn options(table: &Fields<'_, '_>, words: &[super::fields::Word<'_>]) -> Vec<Template> {
    let mut found: Vec<Template> = Vec::new();
    for word in words {
        if table.check(word, words::configure_option).is_some() {
            found.extend(template(table.sink, word, &OPTION_PLACEHOLDERS));
        }
    }
    found
}
