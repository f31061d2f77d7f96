//! `toolchains/<name>.toml`.

use super::fields::{Fields, Shape};
use super::source::{self, Pin, Targets};
use super::words::{self, Wrong};
use super::{Context, license::license, license_file, making, patches, template, tool};
use crate::recipe::guess::list;
use crate::recipe::template::{Placeholder, Template};
use crate::recipe::{Driver, Toolchain};

static TOOLCHAIN: Shape = Shape {
    what: "a toolchain",
    keys: &[
        "description",
        "version",
        "license",
        "license-file",
        "patches",
        "source",
        "build",
        "driver",
    ],
};

const DRIVERS: [&str; 2] = ["gcc", "zig"];

static DRIVER: Shape = Shape { what: "driver", keys: &DRIVERS };
static GCC: Shape = Shape { what: "driver.gcc", keys: &["prefix"] };
static ZIG: Shape = Shape {
    what: "driver.zig",
    keys: &[
        "program",
        "include",
        "include-cxx",
        "flags-cxx",
        "runtime",
        "runtime-more",
        "runtime-cxx",
    ],
};

/// The shape of a toolchain's file.
pub fn shape() -> &'static Shape {
    &TOOLCHAIN
}

/// Reads a toolchain. The result is none if there is any mistake.
pub fn read<'f>(
    fields: &Fields<'_, 'f>,
    name: &str,
    context: &Context<'f>,
) -> (Option<Toolchain>, Vec<Pin>) {
    let before = fields.sink.count();
    let description = fields.need_checked("description", "description = \"…\"", words::description);
    let version = fields.need_checked("version", "version = \"1.2.3\"", words::version);
    let license = fields.need_checked("license", "license = \"MIT\"", license);
    let license_files = license_file::read(fields);
    let (sources, mut pins) = source::read(fields, context, Targets::One);
    let driver = driver(fields, context);
    let patches = patches::read(fields, name, context);
    if let Some(span) = fields.key_span("patches").filter(|_| !fields.has("build")) {
        let mistake = fields.sink.at(span, "only what is built can be patched");
        fields.sink.report(mistake.label("there is no `[build]` here"));
    }
    let own = making::Own { name, version: version.as_deref(), sources: &sources, patches };
    let (making, more) = making::read(fields, context, &own);
    pins.extend(more);
    let assemble = || {
        Some(Toolchain {
            name: name.to_owned(),
            description: description?,
            version: version?,
            license: license?,
            license_files,
            sources,
            driver: driver?,
            making,
        })
    };
    (if fields.sink.count() == before { assemble() } else { None }, pins)
}

fn driver(fields: &Fields<'_, '_>, context: &Context<'_>) -> Option<Driver> {
    if !fields.has("driver") {
        fields.missing("driver", "[driver.gcc]");
    }
    let driver = fields.fields("driver", &DRIVER)?;
    match &driver.present(&DRIVERS)[..] {
        [] if driver.is_excused(&DRIVERS) => {}
        [] => {
            let title = format!("a driver needs one of {}", list(DRIVERS));
            let mistake = driver.sink.at(driver.span.clone(), title).label("no driver here");
            driver.sink.report(mistake.help("write `[driver.gcc]` or `[driver.zig]`"));
        }
        [_] => {}
        [(_, first), (_, second), ..] => {
            let mistake = driver.sink.at(second.clone(), "a toolchain has one driver");
            let mistake = mistake.label("a second one");
            driver.sink.report(mistake.related(driver.sink.file, first.clone(), "the first"));
        }
    }
    let gcc = driver.fields("gcc", &GCC).and_then(|table| gcc(&table));
    let zig = driver.fields("zig", &ZIG).and_then(|table| zig(&table, context));
    gcc.or(zig)
}

fn gcc(table: &Fields<'_, '_>) -> Option<Driver> {
    let word = table.need_word("prefix", "prefix = \"bin/{gnu}-\"")?;
    let allowed = [Placeholder::Target, Placeholder::Gnu];
    let prefix = path_template(table, &word, &allowed)?;
    Some(Driver::Gcc { prefix })
}

fn zig(table: &Fields<'_, '_>, context: &Context<'_>) -> Option<Driver> {
    let program = table.need_checked("program", "program = \"ziglang/zig\"", words::inner_path);
    if !table.has("include") {
        table.missing("include", "include = [\"lib/include\"]");
    }
    table.not_empty("include", "a C compiler needs headers");
    let allowed = [Placeholder::ZigLibc, Placeholder::ZigKernel];
    let paths = |key| -> Vec<Template> {
        let words = table.words(key);
        words.iter().filter_map(|word| path_template(table, word, &allowed)).collect()
    };
    let (include, include_cxx) = (paths("include"), paths("include-cxx"));
    let flags_cxx = table.checked_words("flags-cxx", words::flag);
    let runtime = tool::runtime(table, "runtime", context);
    let runtime_more = tool::runtime(table, "runtime-more", context);
    let runtime_cxx = table.word("runtime-cxx").map(|word| {
        context.check_library(table.sink, &word, None);
        word.text.to_owned()
    });
    let program = program?;
    Some(Driver::Zig {
        program,
        include,
        include_cxx,
        flags_cxx,
        runtime,
        runtime_more,
        runtime_cxx,
    })
}

/// A path with placeholders.
pub fn path_template(
    table: &Fields<'_, '_>,
    word: &super::fields::Word<'_>,
    allowed: &[Placeholder],
) -> Option<Template> {
    let parsed = template(table.sink, word, allowed)?;
    // Only the whole is wrong then: the parts' places are those of the filled-in text.
    match words::inner_path(&parsed.render(|placeholder| placeholder.name().to_owned())) {
        Ok(()) => Some(parsed),
        Err(wrong) => {
            table.sink.report_wrong(word, Wrong { span: 0..word.text.len(), ..wrong });
            None
        }
    }
}
