//! Every field of every kind of recipe: a change of it makes exactly the steps behind it stale.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::FILES;
use toml::{Table, Value};
use xtask::plan::Plan;
use xtask::recipe::diagnostic::File;
use xtask::recipe::{Recipes, manifest};

const ALL: &[&str] = &[
    "toolchain",
    "driver",
    "rt",
    "busybox",
    "make",
    "load",
    "cmake",
    "base",
    "top",
    "side",
    "late",
    "cxx",
    "plus",
    "sysroot",
];
const BEHIND_DRIVER: &[&str] = ALL.split_at(1).1;
/// Not the libraries that call `make`: its bytes are pinned.
const BEHIND_RT: &[&str] = &["rt", "busybox", "make", "top", "late", "sysroot"];
const BEHIND_BUSYBOX: &[&str] = &["busybox", "top", "late", "sysroot"];
const BEHIND_MAKE: &[&str] = &["make", "base", "top", "late", "sysroot"];
const BEHIND_BASE: &[&str] = &["base", "top", "sysroot"];
const BEHIND_LOAD: &[&str] = &["load", "cmake", "late", "sysroot"];
const BEHIND_CMAKE: &[&str] = &["cmake", "late", "sysroot"];
const BEHIND_LATE: &[&str] = &["late", "sysroot"];
const BEHIND_TOP: &[&str] = &["top", "sysroot"];
const BEHIND_CXX: &[&str] = &["cxx", "plus", "sysroot"];
const BEHIND_PLUS: &[&str] = &["plus", "sysroot"];
const BEHIND_SIDE: &[&str] = &["side", "sysroot"];
const BEHIND_LIBC: &[&str] = &[
    "made-libc",
    "made-binutils",
    "made-compiler",
    "toolchain",
    "driver",
    "base",
    "top",
    "side",
    "late",
    "plus",
    "sysroot",
];
const BEHIND_BINUTILS: &[&str] = BEHIND_LIBC.split_at(1).1;
const BEHIND_COMPILER: &[&str] = BEHIND_LIBC.split_at(2).1;
const BEHIND_MADE_DRIVER: &[&str] = BEHIND_LIBC.split_at(4).1;
const NONE: &[&str] = &[];

/// A field, another value for it, and what that makes stale.
type Change = (&'static str, &'static str, &'static [&'static str]);

const OTHER_DIGEST: &str = "\"7777777777777777777777777777777777777777777777777777777777777777\"";

/// For the plan with the toolchain `zig`; what only `gcc` reads is in [`GCC_CHANGES`].
const CHANGES: &[Change] = &[
    ("targets:x86_64-unknown-linux-musl.llvm", "\"x86_64-other-linux-musl\"", BEHIND_DRIVER),
    ("targets:x86_64-unknown-linux-musl.gnu", "\"x86_64-other-musl\"", BEHIND_DRIVER),
    ("targets:x86_64-unknown-linux-musl.zig-libc", "\"other\"", BEHIND_DRIVER),
    ("targets:x86_64-unknown-linux-musl.zig-kernel", "\"other\"", BEHIND_DRIVER),
    ("targets:x86_64-unknown-linux-musl.elf-machine", "\"i386\"", NONE),
    ("targets:x86_64-unknown-linux-musl.bits", "32", NONE),
    ("targets:x86_64-unknown-linux-musl.endian", "\"big\"", NONE),
    ("targets:x86_64-unknown-linux-musl.float-abi", "\"soft\"", NONE),
    ("targets:x86_64-unknown-linux-musl.rustflags", "[\"-Copt-level=1\"]", NONE),
    ("targets:x86_64-unknown-linux-musl.static-pie", "false", NONE),
    ("targets:x86_64-unknown-linux-musl.std", "\"source\"", NONE),
    ("targets:x86_64-unknown-linux-musl.stack-size", "1048576", NONE),
    ("targets:x86_64-unknown-linux-musl.emulator.program", "\"qemu\"", NONE),
    ("targets:x86_64-unknown-linux-musl.emulator.cpu", "\"max\"", NONE),
    ("targets:x86_64-unknown-linux-musl.emulator.since", "\"8.2\"", NONE),
    ("targets:x86_64-unknown-linux-musl.env.{TARGET}_TOP", "\"2\"", NONE),
    ("targets:x86_64-unknown-linux-musl.options.top", "[\"--faster\"]", BEHIND_TOP),
    ("targets:x86_64-unknown-linux-musl.cflags", "[\"-march=x86-64-v2\"]", BEHIND_DRIVER),
    // It is built when all steps are made, and counts by a text of its own.
    ("std:version", "\"1.0.1\"", NONE),
    ("std:patches", "[\"0002-less.patch\", \"0001-more.patch\"]", NONE),
    ("std:rustflags", "[\"--cfg=less\"]", NONE),
    ("std:runtime", "[\"base\"]", NONE),
    ("std:source.0.sha256", OTHER_DIGEST, NONE),
    ("std:source.0.rustup", "\"rust-src 1.0.1\"", NONE),
    ("zig:description", "\"Another\"", NONE),
    ("zig:version", "\"1.1\"", ALL),
    ("zig:license", "\"Zlib\"", NONE),
    ("zig:license-file.path", "\"LICENSE\"", ALL),
    ("zig:license-file.sha256", OTHER_DIGEST, ALL),
    ("zig:source.0.pypi", "\"ziglang 1.0.1\"", NONE),
    ("zig:source.0.sha256", OTHER_DIGEST, ALL),
    ("zig:driver.zig.program", "\"bin/zig\"", BEHIND_DRIVER),
    ("zig:driver.zig.include", "[\"lib/{zig-kernel}\", \"lib/{zig-libc}\"]", BEHIND_DRIVER),
    ("zig:driver.zig.include-cxx", "[\"lib/c++\"]", BEHIND_DRIVER),
    ("zig:driver.zig.flags-cxx", "[\"-DC=1\"]", BEHIND_DRIVER),
    ("rt:description", "\"Another\"", NONE),
    ("rt:version", "\"1.1\"", BEHIND_RT),
    ("rt:license", "\"Zlib\"", NONE),
    ("rt:license-file.path", "\"LICENSE\"", BEHIND_RT),
    ("rt:license-file.sha256", OTHER_DIGEST, BEHIND_RT),
    ("rt:source.0.url", "\"https://other.invalid/rt.tar.gz\"", NONE),
    ("rt:source.0.sha256", OTHER_DIGEST, BEHIND_RT),
    ("rt:build.compile.sources", "[\"other.c\"]", BEHIND_RT),
    ("rt:build.compile.objects", "[\"other/start.c\"]", BEHIND_RT),
    ("rt:outputs.libs", "[\"other\"]", BEHIND_RT),
    ("busybox:description", "\"Another\"", NONE),
    ("busybox:version", "\"1.1\"", BEHIND_BUSYBOX),
    ("busybox:license", "\"Zlib\"", NONE),
    ("busybox:patches", "[\"0002-more.patch\", \"0001-shell.patch\"]", BEHIND_BUSYBOX),
    ("busybox:source.0.url", "\"https://other.invalid/busybox.tar.gz\"", NONE),
    ("busybox:source.0.sha256", OTHER_DIGEST, BEHIND_BUSYBOX),
    ("busybox:source.0.root", "\"other\"", BEHIND_BUSYBOX),
    ("busybox:build.compile.sources", "[\"ls.c\", \"sh.c\"]", BEHIND_BUSYBOX),
    ("busybox:build.compile.include", "[\"other\"]", BEHIND_BUSYBOX),
    ("busybox:build.compile.flags", "[\"-O3\"]", BEHIND_BUSYBOX),
    ("busybox:build.compile.defines.TINY", "1", BEHIND_BUSYBOX),
    ("busybox:build.compile.copy.lib/sh", "[\"other\"]", BEHIND_BUSYBOX),
    ("busybox:outputs.aliases", "[\"sh\"]", BEHIND_BUSYBOX),
    ("busybox:outputs.files", "[\"lib/sh/one\"]", BEHIND_BUSYBOX),
    // How `make` comes to be is no input of what calls it, as long as its bytes are the same.
    ("make:description", "\"Another\"", NONE),
    ("make:license", "\"Zlib\"", NONE),
    ("make:source.0.url", "\"https://other.invalid/make.tar.gz\"", NONE),
    ("make:source.0.sha256", OTHER_DIGEST, &["make"]),
    ("make:build.compile.sources", "[\"other.c\"]", &["make"]),
    ("make:version", "\"1.1\"", BEHIND_MAKE),
    ("make:digest.zig", OTHER_DIGEST, BEHIND_MAKE),
    ("make:digest.gcc", OTHER_DIGEST, NONE),
    ("load:description", "\"Another\"", NONE),
    ("load:version", "\"1.1\"", BEHIND_LOAD),
    ("load:license", "\"Zlib\"", NONE),
    ("load:source.0.url", "\"https://other.invalid/load.tar.gz\"", NONE),
    ("load:source.0.sha256", OTHER_DIGEST, BEHIND_LOAD),
    ("load:build.compile.sources", "[\"other.c\"]", BEHIND_LOAD),
    ("load:build.compile.loader", "\"lib/more\"", BEHIND_LOAD),
    ("load:outputs.files", "[\"lib/load.so\"]", BEHIND_LOAD),
    ("cmake:description", "\"Another\"", NONE),
    ("cmake:version", "\"1.1\"", BEHIND_CMAKE),
    ("cmake:license", "\"Zlib\"", NONE),
    ("cmake:source.0.pypi", "\"cmake 1.1\"", NONE),
    ("cmake:source.0.platform", "\"musllinux_1_1_x86_64\"", NONE),
    ("cmake:source.0.sha256", OTHER_DIGEST, BEHIND_CMAKE),
    ("cmake:build.prebuilt.program", "\"other/cmake\"", BEHIND_CMAKE),
    ("cmake:build.prebuilt.copy.share/cmake", "[\"other\"]", BEHIND_CMAKE),
    ("cmake:outputs.files", "[\"libexec\", \"share\"]", BEHIND_CMAKE),
    ("late:description", "\"Another\"", BEHIND_LATE),
    ("late:version", "\"4.1\"", BEHIND_LATE),
    ("late:license", "\"Zlib\"", NONE),
    ("late:tools", "[\"make\", \"cmake\", \"busybox\"]", BEHIND_LATE),
    ("late:source.0.url", "\"https://other.invalid/late.tar.gz\"", NONE),
    ("late:source.0.sha256", OTHER_DIGEST, BEHIND_LATE),
    ("late:build.cmake.folder", "\"other\"", BEHIND_LATE),
    ("late:build.cmake.options.WITH_A", "false", BEHIND_LATE),
    ("late:build.cmake.options.WITH_B", "\"other\"", BEHIND_LATE),
    ("late:build.cmake.targets", "[\"other\"]", BEHIND_LATE),
    ("late:outputs.libs", "[\"other\"]", BEHIND_LATE),
    ("base:description", "\"Another\"", BEHIND_BASE),
    ("base:version", "\"1.1\"", BEHIND_BASE),
    ("base:license", "\"Zlib\"", NONE),
    ("base:license-file.path", "\"LICENSE\"", BEHIND_BASE),
    ("base:license-file.lines", "\"1-3\"", BEHIND_BASE),
    ("base:license-file.sha256", OTHER_DIGEST, BEHIND_BASE),
    ("base:links", "[\"base\", \"other\"]", NONE),
    ("base:bundled.base-sys", "[\"other\"]", NONE),
    ("base:always-bundled.base-sys", "[\"other\"]", NONE),
    ("base:tools", "[\"busybox\"]", BEHIND_BASE),
    ("base:source.0.crate", "\"base-src 1.0.1\"", NONE),
    ("base:source.0.sha256", OTHER_DIGEST, BEHIND_BASE),
    ("base:source.0.root", "\"other\"", BEHIND_BASE),
    // Not the source that is used.
    ("base:source.1.url", "\"https://other.invalid/base-1.0.tar.gz\"", NONE),
    ("base:source.1.sha256", OTHER_DIGEST, NONE),
    ("base:build.compile.sources", "[\"b.c\", \"a.c\"]", BEHIND_BASE),
    ("base:build.compile.include", "[\"other\"]", BEHIND_BASE),
    ("base:build.compile.flags", "[\"-O3\"]", BEHIND_BASE),
    ("base:build.compile.defines.WITH_A", "2", BEHIND_BASE),
    ("base:build.compile.defines.WITH_B", "1", BEHIND_BASE),
    ("base:outputs.libs", "[\"other\"]", BEHIND_BASE),
    ("base:outputs.include", "[\"other.h\"]", BEHIND_BASE),
    ("base:outputs.pkgconfig", "[\"other\"]", BEHIND_BASE),
    ("base:env.BASE_DIR", "\"{sysroot}/lib\"", NONE),
    ("base:env-overruling.BASE_NO_VENDOR", "\"2\"", NONE),
    ("base:override.base.rustc-link-lib", "[\"static=other\"]", NONE),
    ("top:description", "\"Another\"", BEHIND_TOP),
    ("top:version", "\"2.1\"", BEHIND_TOP),
    ("top:license", "\"Zlib\"", NONE),
    ("top:dependencies", "[]", BEHIND_TOP),
    ("top:tools", "[\"make\", \"busybox\"]", BEHIND_TOP),
    ("top:patches", "[\"0002-more.patch\", \"0001-fix.patch\"]", BEHIND_TOP),
    ("top:source.0.debian", "\"pool/main/t/top/top_2.0.orig.tar.xz\"", NONE),
    ("top:source.0.sha256", OTHER_DIGEST, BEHIND_TOP),
    ("top:build.configure.script", "\"Configure\"", BEHIND_TOP),
    ("top:build.configure.options", "[\"--host={target}\"]", BEHIND_TOP),
    ("top:build.configure.make", "[\"lib\"]", BEHIND_TOP),
    ("top:build.configure.install", "[\"install-lib\"]", BEHIND_TOP),
    ("top:build.configure.flags", "[\"-std=gnu11\"]", BEHIND_TOP),
    ("top:build.configure.cache.ac_cv_func_fine", "\"no\"", BEHIND_TOP),
    ("top:build.configure.host-programs", "[\"gen\"]", BEHIND_TOP),
    ("top:outputs.libs", "[\"other\"]", BEHIND_TOP),
    ("top:outputs.objects", "[\"other.o\"]", BEHIND_TOP),
    ("side:description", "\"Another\"", BEHIND_SIDE),
    ("side:version", "\"3.1\"", BEHIND_SIDE),
    ("side:license", "\"Zlib\"", NONE),
    ("side:source.0.url", "\"https://other.invalid/side.tar.gz\"", NONE),
    ("side:source.0.sha256", OTHER_DIGEST, BEHIND_SIDE),
    ("side:build.compile.sources", "[\"other.c\"]", BEHIND_SIDE),
    ("side:build.compile.folder", "\"src\"", BEHIND_SIDE),
    ("side:build.compile.group.0.lib", "\"side\"", BEHIND_SIDE),
    ("side:build.compile.group.0.sources", "[\"lib/other.c\"]", BEHIND_SIDE),
    ("side:build.compile.group.1.lib", "\"side\"", BEHIND_SIDE),
    ("side:build.compile.group.1.targets", "[\"x86_64-unknown-linux-musl\"]", NONE),
    ("side:build.compile.group.1.folder", "\"src\"", BEHIND_SIDE),
    ("side:build.compile.group.1.sources", "[\"other.c\"]", BEHIND_SIDE),
    ("side:build.compile.group.1.include", "[\"src\"]", BEHIND_SIDE),
    ("side:build.compile.group.1.flags", "[\"-mavx\"]", BEHIND_SIDE),
    ("side:build.compile.group.1.defines.AVX", "2", BEHIND_SIDE),
    ("side:build.compile.group.2.lib", "\"more\"", BEHIND_SIDE),
    ("side:build.compile.group.2.sources", "[\"other.c\"]", BEHIND_SIDE),
    ("side:build.compile.files.text", "\"another\"", BEHIND_SIDE),
    ("side:build.compile.files.filled.from", "\"other-in\"", BEHIND_SIDE),
    ("side:build.compile.files.filled.values.V", "\"2\"", BEHIND_SIDE),
    ("side:build.compile.files.filled.replace", "false", BEHIND_SIDE),
    ("side:build.compile.headers.side", "\"src/headers\"", BEHIND_SIDE),
    ("side:build.compile.pkgconfig.side.libs", "[\"more\"]", BEHIND_SIDE),
    ("side:build.compile.pkgconfig.side.cflags", "[\"-DT\"]", BEHIND_SIDE),
    ("side:build.compile.pkgconfig.side.requires", "[\"other\"]", BEHIND_SIDE),
    ("side:build.compile.pkgconfig.side.version", "\"2\"", BEHIND_SIDE),
    ("side:build.compile.pkgconfig.side.requires-private", "[\"other\"]", BEHIND_SIDE),
    ("side:build.compile.pkgconfig.side.libs-private", "[\"-lother\"]", BEHIND_SIDE),
    ("side:outputs.libs", "[\"more\", \"side\"]", BEHIND_SIDE),
    ("zig:driver.zig.runtime-cxx", "\"side\"", BEHIND_PLUS),
    ("cxx:description", "\"Another\"", BEHIND_CXX),
    ("cxx:version", "\"4.1\"", BEHIND_CXX),
    ("cxx:license", "\"Zlib\"", NONE),
    ("cxx:source.0.url", "\"https://other.invalid/cxx.tar.gz\"", NONE),
    ("cxx:source.0.sha256", OTHER_DIGEST, BEHIND_CXX),
    ("cxx:build.compile.sources", "[\"other.cc\"]", BEHIND_CXX),
    ("cxx:outputs.libs", "[\"other\"]", BEHIND_CXX),
    ("cxx:outputs.aliases", "[\"other\"]", BEHIND_CXX),
    ("plus:description", "\"Another\"", BEHIND_PLUS),
    ("plus:version", "\"5.1\"", BEHIND_PLUS),
    ("plus:license", "\"Zlib\"", NONE),
    ("plus:source.0.url", "\"https://other.invalid/plus.tar.gz\"", NONE),
    ("plus:source.0.sha256", OTHER_DIGEST, BEHIND_PLUS),
    ("plus:build.compile.sources", "[\"other.cc\"]", BEHIND_PLUS),
    ("plus:outputs.libs", "[\"other\"]", BEHIND_PLUS),
];

/// For the plan with the toolchain `gcc`.
const GCC_CHANGES: &[Change] = &[
    ("targets:x86_64-unknown-linux-musl.zig-libc", "\"other\"", NONE),
    ("targets:x86_64-unknown-linux-musl.zig-kernel", "\"other\"", NONE),
    ("zig:version", "\"1.1\"", NONE),
    ("gcc:description", "\"Another\"", NONE),
    ("gcc:version", "\"1.1\"", ALL),
    ("gcc:license", "\"Zlib\"", NONE),
    ("gcc:source.0.url", "\"https://other.invalid/x.tar.gz\"", NONE),
    ("gcc:source.0.mirrors", "[\"https://other.invalid/x.tar.gz\"]", NONE),
    ("gcc:source.0.sha256", OTHER_DIGEST, ALL),
    ("gcc:source.0.root", "\"other\"", ALL),
    ("gcc:source.0.omit", "[\"lib/other\"]", ALL),
    // A GCC brings its own libc.
    ("rt:version", "\"1.1\"", NONE),
    ("make:digest.gcc", OTHER_DIGEST, BEHIND_MAKE),
    ("make:digest.zig", OTHER_DIGEST, NONE),
    ("gcc:driver.gcc.prefix", "\"bin/{gnu}-\"", BEHIND_DRIVER),
];

/// What a toolchain that is made by zig reads, which makes its tools, too.
const MADE_CHANGES: &[Change] = &[
    ("made:description", "\"Another\"", NONE),
    ("made:version", "\"1.1\"", BEHIND_COMPILER),
    ("made:license", "\"Zlib\"", NONE),
    ("made:patches", "[\"0002-two.patch\", \"0001-one.patch\"]", BEHIND_COMPILER),
    ("made:source.0.url", "\"https://other.invalid/x.tar.gz\"", NONE),
    ("made:source.0.sha256", OTHER_DIGEST, BEHIND_COMPILER),
    ("made:source.0.inner", "\"y.tar.xz\"", BEHIND_COMPILER),
    ("made:driver.gcc.prefix", "\"bin/{gnu}-\"", BEHIND_MADE_DRIVER),
    ("made:build.gcc.tools", "[\"make\"]", BEHIND_LIBC),
    ("made:build.gcc.libc.version", "\"1.1\"", BEHIND_LIBC),
    ("made:build.gcc.libc.license-file.path", "\"LICENSE\"", BEHIND_LIBC),
    ("made:build.gcc.libc.license-file.sha256", OTHER_DIGEST, BEHIND_LIBC),
    ("made:build.gcc.libc.headers", "[\"lib/any\"]", BEHIND_LIBC),
    ("made:build.gcc.libc.options", "[\"--large\"]", BEHIND_LIBC),
    ("made:build.gcc.libc.make", "[\"some\"]", BEHIND_LIBC),
    ("made:build.gcc.libc.install", "[\"install-some\"]", BEHIND_LIBC),
    ("made:build.gcc.libc.source.0.url", "\"https://other.invalid/x.tar.gz\"", NONE),
    ("made:build.gcc.libc.source.0.sha256", OTHER_DIGEST, BEHIND_LIBC),
    ("made:build.gcc.binutils.version", "\"1.1\"", BEHIND_BINUTILS),
    ("made:build.gcc.binutils.options", "[\"--slow\"]", BEHIND_BINUTILS),
    ("made:build.gcc.binutils.make", "[\"some\"]", BEHIND_BINUTILS),
    ("made:build.gcc.binutils.install", "[\"install-some\"]", BEHIND_BINUTILS),
    ("made:build.gcc.binutils.source.0.url", "\"https://other.invalid/x.tar.gz\"", NONE),
    ("made:build.gcc.binutils.source.0.sha256", OTHER_DIGEST, BEHIND_BINUTILS),
    ("made:build.gcc.compiler.options", "[\"--languages=d\"]", BEHIND_COMPILER),
    ("made:build.gcc.compiler.make", "[\"some\"]", BEHIND_COMPILER),
    ("made:build.gcc.compiler.install", "[\"install-some\"]", BEHIND_COMPILER),
];

/// Chooses a toolchain's archive; there must be one for the target. What a tool promises must be what
/// another field says that it makes.
const NO_CHANGE_POSSIBLE: [&str; 17] = [
    // Its name is a key, whose dots are no path.
    "std:crates.a 1.0.0",
    "made:build.gcc.with",
    "made:build.gcc.libraries",
    "gcc:source.0.target",
    "rt:outputs.objects",
    "busybox:build.compile.program",
    "side:outputs.include",
    "side:outputs.pkgconfig",
    "busybox:outputs.programs",
    "make:build.compile.program",
    "make:outputs.programs",
    "cmake:outputs.programs",
    "cmake:build.prebuilt.loader",
    "zig:driver.zig.runtime",
    "top:build.configure.target-options",
    "plus:language",
    "cxx:language",
];

fn files() -> Vec<File> {
    let file = |(path, text): &(&str, &str)| File {
        path: (*path).to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    FILES.iter().map(file).collect()
}

fn parsed(files: &[File]) -> Recipes {
    manifest::parse(files)
        .unwrap_or_else(|found| panic!("{}", xtask::recipe::diagnostic::render(&found, false)))
}

fn plan(recipes: &Recipes, toolchain: &str) -> Plan {
    let libraries = ["side", "top", "late", "plus"].map(str::to_owned);
    super::plan(recipes, toolchain, "x86_64-unknown-linux-musl", &libraries).unwrap()
}

/// Fingerprints by the step's name; the toolchain's steps by what they are.
fn fingerprints(plan: &Plan) -> BTreeMap<String, String> {
    let names = plan.steps.iter().map(|step| match step {
        step if std::ptr::eq(step, plan.toolchain()) => "toolchain".to_owned(),
        step if std::ptr::eq(step, plan.driver()) => "driver".to_owned(),
        _ => step.name.clone(),
    });
    names.zip(plan.steps.iter().map(|step| step.fingerprint.clone())).collect()
}

/// Names of the steps of `new` that are not in `old` as they are.
fn stale(old: &Plan, new: &Plan) -> BTreeSet<String> {
    let old = fingerprints(old);
    let new = fingerprints(new);
    new.into_iter().filter(|(name, print)| old.get(name) != Some(print)).map(|it| it.0).collect()
}

/// The name of a file in [`CHANGES`].
fn short(file: &File) -> &str {
    file.path.rsplit('/').next().unwrap().trim_end_matches(".toml")
}

fn table(file: &File) -> Table {
    file.text().parse().unwrap()
}

/// A file with another value at a path.
fn changed(file: &File, path: &str, value: &str) -> File {
    let mut document = Value::Table(table(file));
    let place = path.split('.').fold(&mut document, |place, part| match part.parse::<usize>() {
        Ok(index) => &mut place[index],
        Err(_) => &mut place[part],
    });
    let value = format!("x = {value}").parse::<Table>().unwrap()["x"].clone();
    assert_ne!(*place, value, "{path} would not change");
    *place = value;
    File { path: file.path.clone(), bytes: toml::to_string(&document).unwrap().into_bytes() }
}

fn leaves(value: &Value, path: String, found: &mut Vec<String>) {
    let below = |key: &str| {
        if path.ends_with(':') { format!("{path}{key}") } else { format!("{path}.{key}") }
    };
    match value {
        Value::Table(table) => {
            table.iter().for_each(|(key, value)| leaves(value, below(key), found));
        }
        Value::Array(list) if list.iter().any(Value::is_table) => {
            list.iter()
                .enumerate()
                .for_each(|(i, value)| leaves(value, below(&i.to_string()), found));
        }
        _ => found.push(path),
    }
}

#[test]
fn a_changed_field_makes_exactly_the_steps_behind_it_stale() {
    let files = files();
    let before = parsed(&files);
    for (toolchain, changes) in [("zig", CHANGES), ("gcc", GCC_CHANGES), ("made", MADE_CHANGES)] {
        let old = plan(&before, toolchain);
        for (field, value, expected) in changes {
            let (name, path) = field.split_once(':').unwrap();
            let change = |file: &File| match short(file) == name {
                true => changed(file, path, value),
                false => file.clone(),
            };
            let new = plan(&parsed(&files.iter().map(change).collect::<Vec<_>>()), toolchain);
            // A GCC needs no runtime, so its plan has none.
            let is_planned = |name: &&&str| fingerprints(&old).contains_key(**name);
            let expected: BTreeSet<String> =
                expected.iter().filter(is_planned).map(|it| (*it).to_owned()).collect();
            assert_eq!(stale(&old, &new), expected, "{field} = {value}, with {toolchain}");
        }
    }
}

#[test]
fn no_field_is_left_out_above() {
    let mut found = Vec::new();
    for file in files().iter().filter(|file| file.path.ends_with(".toml")) {
        leaves(&Value::Table(table(file)), format!("{}:", short(file)), &mut found);
    }
    for field in found {
        let is_there =
            CHANGES.iter().chain(GCC_CHANGES).chain(MADE_CHANGES).any(|change| change.0 == field)
                || NO_CHANGE_POSSIBLE.contains(&field.as_str());
        assert!(is_there, "what does a change of {field} make stale?");
    }
}

#[test]
fn comments_and_the_order_of_keys_change_nothing() {
    let files = files();
    // Keys come out sorted, without comments and in another layout.
    let sorted = |file: &File| match file.path.ends_with(".toml") {
        true => File {
            path: file.path.clone(),
            bytes: format!("# Other words.\n{}", toml::to_string(&table(file)).unwrap())
                .into_bytes(),
        },
        false => file.clone(),
    };
    let other: Vec<File> = files.iter().rev().map(sorted).collect();
    for toolchain in ["gcc", "made", "zig"] {
        let (old, new) = (plan(&parsed(&files), toolchain), plan(&parsed(&other), toolchain));
        assert_eq!(stale(&old, &new), BTreeSet::new());
        assert_eq!(super::text(&old), super::text(&new));
    }
}

#[test]
fn a_changed_patch_makes_what_it_patches_stale() {
    let old = plan(&parsed(&files()), "zig");
    let mut files = files();
    let patch = files.iter_mut().find(|file| file.path.ends_with("0001-fix.patch")).unwrap();
    patch.bytes = patch.text().replace("new", "now").into_bytes();
    let expected: BTreeSet<String> = BEHIND_TOP.iter().map(|it| (*it).to_owned()).collect();
    assert_eq!(stale(&old, &plan(&parsed(&files), "zig")), expected);
}

#[test]
fn a_text_with_a_line_break_cannot_look_like_another_field() {
    let mut old = parsed(&files());
    let mut new = old.clone();
    let flags = |recipes: &mut Recipes, flags: &[&str]| {
        let library = recipes.libraries.get_mut("base").unwrap();
        let xtask::recipe::Build::Compile(build) = &mut library.build else { panic!() };
        build.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
    };
    flags(&mut old, &["-a", "-b"]);
    flags(&mut new, &["-a\nflag -b"]);
    assert!(stale(&plan(&old, "zig"), &plan(&new, "zig")).contains("base"));
}
