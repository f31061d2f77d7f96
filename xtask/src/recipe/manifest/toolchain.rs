//! `toolchains/<name>.toml` and the rows of `targets.toml`.

use object::elf;
use toml::de::DeValue;

use super::fields::{Fields, Shape, Wanted};
use super::source::{self, Pin, Targets};
use super::words::{self, Wrong};
use super::{Context, license::license, license_file, making, patches, template, tool};
use crate::recipe::guess::list;
use crate::recipe::template::{Placeholder, Template};
use crate::recipe::{Driver, Toolchain};
use crate::target::{Endian, Machine, Target};

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

static TARGET: Shape = Shape {
    what: "a target",
    keys: &["gnu", "zig-libc", "zig-kernel", "elf-machine", "bits", "endian", "cflags"],
};

/// ELF's `e_machine` by the names that Rust's triples and the System V ABI use.
const MACHINES: [(&str, elf::Machine); 11] = [
    ("aarch64", elf::EM_AARCH64),
    ("arm", elf::EM_ARM),
    ("i386", elf::EM_386),
    ("loongarch64", elf::EM_LOONGARCH),
    ("mips", elf::EM_MIPS),
    ("powerpc", elf::EM_PPC),
    ("powerpc64", elf::EM_PPC64),
    ("riscv64", elf::EM_RISCV),
    ("s390x", elf::EM_S390),
    ("sparc64", elf::EM_SPARCV9),
    ("x86_64", elf::EM_X86_64),
];

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
    let own =
        making::Own { name, version: version.as_deref(), sources: &sources, patches };
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

/// Reads one row of `targets.toml`. The result is none if there is any mistake.
pub fn target(fields: &Fields<'_, '_>, triple: &super::fields::Word<'_>) -> Option<Target> {
    let before = fields.sink.count();
    fields.check(triple, check_triple);
    let gnu = fields.need_checked("gnu", "gnu = \"x86_64-linux-musl\"", words::inner_path);
    let zig_libc =
        fields.need_checked("zig-libc", "zig-libc = \"x86_64-linux-musl\"", words::inner_path);
    let zig_kernel =
        fields.need_checked("zig-kernel", "zig-kernel = \"x86-linux-any\"", words::inner_path);
    let elf = one_of(fields, "elf-machine", "elf-machine = \"x86_64\"", &MACHINES);
    let endians = [("little", Endian::Little), ("big", Endian::Big)];
    let endian = one_of(fields, "endian", "endian = \"little\"", &endians);
    let bits = bits(fields);
    let cflags = fields.checked_words("cflags", words::flag);
    let assemble = || {
        let machine = Machine { elf: elf?.0, bits: bits?, endian: endian? };
        let triple = triple.text.to_owned();
        Some(Target {
            triple,
            gnu: gnu?,
            zig_libc: zig_libc?,
            zig_kernel: zig_kernel?,
            machine,
            cflags,
        })
    };
    if fields.sink.count() == before { assemble() } else { None }
}

/// The shape of a row of `targets.toml`.
pub fn target_shape() -> &'static Shape {
    &TARGET
}

fn one_of<T: Copy>(
    fields: &Fields<'_, '_>,
    key: &'static str,
    example: &str,
    known: &[(&str, T)],
) -> Option<T> {
    let word = fields.need_word(key, example)?;
    let found = known.iter().find(|(name, _)| *name == word.text);
    if found.is_none() {
        let names = || known.iter().map(|(name, _)| *name);
        let mistake = fields
            .sink
            .at(word.span.clone(), format!("unknown value of `{key}`"))
            .label("not one of those known")
            .guess(word.text, names())
            .note(format!("known: {}", list(names())));
        fields.sink.report(mistake);
    }
    found.map(|(_, value)| *value)
}

fn bits(fields: &Fields<'_, '_>) -> Option<u8> {
    if !fields.has("bits") {
        fields.missing("bits", "bits = 64");
    }
    let value = fields.value("bits")?;
    match value.get_ref() {
        DeValue::Integer(number) => match number.to_string().as_str() {
            "32" => Some(32),
            "64" => Some(64),
            _ => {
                let mistake = fields.sink.at(value.span(), "a target has 32 or 64 bits");
                fields.sink.report(mistake.label("neither"));
                None
            }
        },
        _ => {
            fields.sink.report_type("bits", value, Wanted::Integer);
            None
        }
    }
}

fn check_triple(text: &str) -> Result<(), Wrong> {
    let fits = |part: &str| {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c);
        !part.is_empty() && part.chars().all(allowed)
    };
    let parts: Vec<_> = text.split('-').collect();
    let is_musl =
        parts.contains(&"linux") && parts.last().is_some_and(|abi| abi.starts_with("musl"));
    if parts.len() == 4 && parts.iter().all(|part| fits(part)) && is_musl {
        return Ok(());
    }
    let title = "this is not a musl target of Rust";
    let label = "such as `aarch64-unknown-linux-musl`";
    Err(Wrong::new(0..text.len(), title, label))
}
