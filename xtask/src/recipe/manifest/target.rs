//! The rows of `targets.toml`.

use std::collections::{BTreeMap, BTreeSet};

use object::elf;
use toml::Spanned;
use toml::de::DeValue;

use super::fields::{Fields, Shape, Sink, Wanted, Word};
use super::words::{self, Wrong};
use crate::recipe::diagnostic::{Diagnostic, Span};
use crate::recipe::guess::{list, quote};
use crate::recipe::template::Placeholder;
use crate::recipe::{Library, Recipes};
use crate::target::{Emulator, Endian, FloatAbi, Machine, Std, Target};

static TARGET: Shape = Shape {
    what: "a target",
    keys: &[
        "llvm",
        "gnu",
        "zig-libc",
        "zig-kernel",
        "elf-machine",
        "bits",
        "endian",
        "float-abi",
        "cflags",
        "baseline",
        "rustflags",
        "static-pie",
        "std",
        "stack-size",
        "emulator",
        "oci-cpu",
        "env",
        "options",
    ],
};

static EMULATOR: Shape = Shape { what: "emulator", keys: &["program", "cpu", "since"] };

/// ELF's `e_machine` by the names that Rust's triples and the System V ABI use.
const MACHINES: [(&str, elf::Machine); 14] = [
    ("aarch64", elf::EM_AARCH64),
    ("arm", elf::EM_ARM),
    ("hexagon", elf::EM_HEXAGON),
    ("i386", elf::EM_386),
    ("loongarch64", elf::EM_LOONGARCH),
    ("mips", elf::EM_MIPS),
    ("mips64", elf::EM_MIPS),
    ("powerpc", elf::EM_PPC),
    ("powerpc64", elf::EM_PPC64),
    ("riscv32", elf::EM_RISCV),
    ("riscv64", elf::EM_RISCV),
    ("s390x", elf::EM_S390),
    ("sparc64", elf::EM_SPARCV9),
    ("x86_64", elf::EM_X86_64),
];

/// The least that threads get from musl without being asked, and the most that it takes from a
/// program's header (`DEFAULT_STACK_SIZE` and `DEFAULT_STACK_MAX` in its `pthread_impl.h`).
const STACK_BYTES: [u64; 2] = [128 << 10, 8 << 20];

/// What other files are held against: a row and the libraries that it has options for.
pub struct Row<'f> {
    file: &'f super::File,
    triple: String,
    span: Span,
    options: Vec<(String, Span)>,
}

impl Row<'_> {
    /// Its triple, right or wrong.
    pub fn triple(&self) -> &str {
        &self.triple
    }
}

/// Reads one row. There is no target if there is any mistake.
pub fn read<'f>(
    sink: &Sink<'f>,
    triple: &Word<'_>,
    value: &Spanned<DeValue<'_>>,
) -> (Option<Target>, Row<'f>) {
    let mut row = Row {
        file: sink.file,
        triple: triple.text.to_owned(),
        span: triple.span.clone(),
        options: Vec::new(),
    };
    let DeValue::Table(table) = value.get_ref() else {
        sink.report_type(triple.text, value, Wanted::Table);
        return (None, row);
    };
    let fields = Fields::new(sink, table, value.span(), &TARGET);
    let target = target(&fields, triple, &mut row);
    (target, row)
}

fn target(fields: &Fields<'_, '_>, triple: &Word<'_>, row: &mut Row<'_>) -> Option<Target> {
    let before = fields.sink.count();
    fields.check(triple, check_triple);
    let llvm = if fields.has("llvm") {
        fields.checked("llvm", words::inner_path)
    } else {
        Some(triple.text.to_owned())
    };
    let gnu = fields.need_checked("gnu", "gnu = \"x86_64-linux-musl\"", words::inner_path);
    let zig_libc =
        fields.need_checked("zig-libc", "zig-libc = \"x86_64-linux-musl\"", words::inner_path);
    let zig_kernel =
        fields.need_checked("zig-kernel", "zig-kernel = \"x86-linux-any\"", words::inner_path);
    let elf = one_of(fields, "elf-machine", "elf-machine = \"x86_64\"", &MACHINES);
    let endians = [("little", Endian::Little), ("big", Endian::Big)];
    let endian = one_of(fields, "endian", "endian = \"little\"", &endians);
    let floats = [("hard", FloatAbi::Hard), ("soft", FloatAbi::Soft)];
    let float_abi = one_of(fields, "float-abi", "float-abi = \"hard\"", &floats);
    let bits = bits(fields);
    let cflags = fields.checked_words("cflags", words::flag);
    let baseline = fields.words("baseline").iter().map(|word| word.text.to_owned()).collect();
    let rustflags = fields.checked_words("rustflags", words::flag);
    let stds = [("rustup", Std::Rustup), ("source", Std::Source)];
    let std = one_of(fields, "std", "std = \"rustup\"", &stds);
    let stack_size_bytes = stack_size(fields);
    let emulator = emulator(fields);
    let oci_cpu =
        if fields.has("oci-cpu") { fields.checked("oci-cpu", words::inner_path) } else { None };
    let env = env(fields, triple);
    let options = options(fields, row);
    let assemble = || {
        let machine = Machine { elf: elf?.0, bits: bits?, endian: endian? };
        Some(Target {
            triple: triple.text.to_owned(),
            llvm: llvm?,
            gnu: gnu?,
            zig_libc: zig_libc?,
            zig_kernel: zig_kernel?,
            machine,
            float_abi: float_abi?,
            cflags,
            baseline,
            cpu: None,
            rustflags,
            static_pie: fields.flag("static-pie"),
            std: std?,
            stack_size_bytes: stack_size_bytes?,
            emulator: emulator?,
            oci_cpu,
            env,
            options,
        })
    };
    if fields.sink.count() == before { assemble() } else { None }
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

/// A whole number, written down or not.
fn number(fields: &Fields<'_, '_>, key: &'static str, example: &str) -> Option<(u64, Span)> {
    if !fields.has(key) {
        fields.missing(key, example);
    }
    let value = fields.value(key)?;
    match value.get_ref() {
        // What does not fit is no value of any of these keys.
        DeValue::Integer(number) => {
            Some((number.to_string().parse().unwrap_or(u64::MAX), value.span()))
        }
        _ => {
            fields.sink.report_type(key, value, Wanted::Integer);
            None
        }
    }
}

fn bits(fields: &Fields<'_, '_>) -> Option<u8> {
    let (number, span) = number(fields, "bits", "bits = 64")?;
    match number {
        32 => Some(32),
        64 => Some(64),
        _ => {
            let mistake = fields.sink.at(span, "a target has 32 or 64 bits");
            fields.sink.report(mistake.label("neither"));
            None
        }
    }
}

fn stack_size(fields: &Fields<'_, '_>) -> Option<u64> {
    let (number, span) = number(fields, "stack-size", "stack-size = 8388608")?;
    let [least, most] = STACK_BYTES;
    if (least..=most).contains(&number) {
        return Some(number);
    }
    let title = "musl gives threads no stack of this size";
    let mistake = fields.sink.at(span, title).label("bytes");
    fields.sink.report(mistake.note(format!("it takes {least} to {most} bytes from a program")));
    None
}

fn emulator(fields: &Fields<'_, '_>) -> Option<Emulator> {
    const EXAMPLE: &str = "emulator = { program = \"qemu-arm\", cpu = \"cortex-a8\" }";
    if !fields.has("emulator") {
        fields.missing("emulator", EXAMPLE);
    }
    let table = fields.fields("emulator", &EMULATOR)?;
    let program = table.need_checked("program", "program = \"qemu-arm\"", words::tool);
    let cpu = table.need_checked("cpu", "cpu = \"cortex-a8\"", check_cpu);
    let has_since = table.has("since");
    let since = table.checked("since", words::version);
    let since = if has_since { Some(since?) } else { None };
    Some(Emulator { program: program?, cpu: cpu?, since })
}

/// A model, and the features that are taken from it or put to it.
fn check_cpu(text: &str) -> Result<(), Wrong> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || ",.=+-_".contains(c);
    if !text.is_empty() && text.chars().all(is_part) {
        return Ok(());
    }
    let title = "this is not a CPU of QEMU";
    Err(Wrong::new(0..text.len(), title, "such as `pentium` or `qemu64,-sse3`"))
}

/// The target's name must be in theirs: variables for all targets would reach the host's programs.
fn env(fields: &Fields<'_, '_>, triple: &Word<'_>) -> BTreeMap<String, String> {
    let upper = triple.text.to_uppercase().replace('-', "_");
    let mut all = BTreeMap::new();
    for (name, value) in fields.entries("env") {
        let Some(word) = super::fields::as_word(value) else {
            fields.sink.report_type(name.text, value, Wanted::Text);
            continue;
        };
        let template = super::template(fields.sink, &name, &[Placeholder::TargetUpper]);
        let Some(template) = template else { continue };
        if template.uses(Placeholder::TargetUpper) {
            all.insert(template.render(|_| upper.clone()), word.text.to_owned());
            continue;
        }
        let title = format!("{} is a variable for all targets", quote(name.text));
        let mistake = fields.sink.at(name.span.clone(), title).label("programs of the host see it");
        fields.sink.report(mistake.help(format!("such as `\"{{TARGET}}_{}\"`", name.text)));
    }
    all
}

fn options(fields: &Fields<'_, '_>, row: &mut Row<'_>) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for (library, value) in fields.entries("options") {
        row.options.push((library.text.to_owned(), library.span.clone()));
        let words = fields.words_of(library.text, value);
        let checked = words.iter().filter_map(|word| {
            let text = fields.check(word, words::configure_option)?;
            fields.check(word, words::no_placeholder).map(|_| text)
        });
        all.insert(library.text.to_owned(), checked.collect());
    }
    all
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

/// A library whose script must be told the target by a name of its own needs that name in every row;
/// and a row has no options for a library whose script does not ask.
pub fn check_options<'f>(rows: &[Row<'f>], recipes: &Recipes) -> Vec<Diagnostic<'f>> {
    let asks = |library: &&Library| library.configure().is_some_and(|it| it.target_options);
    let asking: Vec<&Library> = recipes.libraries.values().filter(asks).collect();
    let (mut found, mut told) = (Vec::new(), BTreeSet::new());
    for row in rows {
        let has = |library: &&&Library| row.options.iter().any(|(name, _)| *name == library.name);
        for library in asking.iter().filter(|library| !has(library)) {
            let title = format!("{} says nothing for {}", quote(&row.triple), quote(&library.name));
            found.push(
                Diagnostic::at(row.file, row.span.clone(), title)
                    .label("no options of that library in this row")
                    .help(format!("add `options = {{ {} = [\"…\"] }}`", library.name))
                    .note("its recipe has `target-options = true`: its script asks for the target"),
            );
        }
        for (name, span) in &row.options {
            let is_told = told.contains(name);
            if is_told || recipes.libraries.get(name).is_none_or(|library| asks(&library)) {
                continue;
            }
            told.insert(name.clone());
            let title = format!("the recipe of {} asks for no options of the target", quote(name));
            let mistake = Diagnostic::at(row.file, span.clone(), title);
            let help =
                "add `target-options = true` to its `[build.configure]`, or take them out here";
            found.push(mistake.label("these would not be used").help(help));
        }
    }
    found
}
