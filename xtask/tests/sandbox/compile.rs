//! The same for libraries that are a list of C files: the compiler alone, and no shell at all.

use std::fs;
use std::path::Path;

use crate::{Machine, Workshop};

/// C that would take something of the machine, or of what was not declared, along.
const CODE: [(&str, &str); 8] = [
    ("name", r#"#include "/etc/hostname""#),
    ("header", "#include </usr/include/stdio.h>"),
    ("climbing", r#"#include "../../../../../../../../../usr/include/stdio.h""#),
    ("incbin", r#"__asm__(".incbin \"/etc/hostname\"");"#),
    ("embed", "const char text[] = {\n#embed \"/etc/hostname\"\n};"),
    ("zlib", "#include <zlib.h>"),
    ("private", "#include <private.h>"),
    ("log", r#"#include "../fingerprint.txt""#),
];

/// What clang says of a file that is not there, or that may not be read.
const NOT_THERE: [&str; 3] = ["file not found", "Could not find incbin file", "Permission denied"];

fn write(workshop: &Workshop, name: &str, code: &str, more: &str) {
    let code = format!("{code}\n");
    let source = workshop.scratch.source(name, &[("a.c", &code), ("hidden/private.h", "\n")]);
    let text = format!(
        "description = \"Leaks\"\nversion = \"1.0\"\nlicense = \"MIT\"\n{more}{source}\
         [build.compile]\nsources = [\"a.c\"]\n[outputs]\nlibs = [\"{name}\"]\n"
    );
    workshop.scratch.write(&format!("recipes/libraries/{name}.toml"), &text);
}

fn reads_nothing(machine: Machine, name: &str) {
    let Some(workshop) = Workshop::new(name, machine) else { return };
    write(&workshop, "innocent", "#include <stdio.h>\nint one;", "");
    for (name, code) in CODE {
        write(&workshop, name, code, "dependencies = [\"innocent\"]\n");
        let run = workshop.run(&["sysroot", name, "--toolchain", "zig"]).fails(1, &["building "]);
        assert!(NOT_THERE.iter().any(|words| run.stderr.contains(words)), "{}", run.all());
    }
    // What they depend on went well: so it is not that nothing does.
    workshop.scratch.entry("innocent");
}

#[test]
fn a_compiler_reads_nothing_of_the_machine() {
    reads_nothing(Machine::Whole, "compile");
}

#[test]
fn a_compiler_reads_nothing_of_the_machine_where_there_are_no_namespaces() {
    reads_nothing(Machine::NoNamespaces, "compile-landlock");
}

/// The name of the entry whose compiler made `innocent`. The store may hold others as well, of a
/// version that another checkout pins.
fn compiler(workshop: &Workshop) -> String {
    let driver = needed(&workshop.scratch.entry("innocent"), "step zig-driver ");
    let zig = needed(&workshop.scratch.store().join("entries-v1").join(driver), "toolchain zig ");
    workshop.scratch.store().join("entries-v1").join(&zig).metadata().unwrap();
    zig
}

/// The name of the entry that another says in a line of its fingerprint that begins so.
fn needed(entry: &Path, begin: &str) -> String {
    let text = fs::read_to_string(entry.join("fingerprint.txt")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(begin)).unwrap();
    let name = begin.split(' ').nth(1).unwrap();
    let (version, fingerprint) = line.split_once(' ').unwrap();
    format!("{name}-{version}-{}", &fingerprint[..16])
}

#[test]
fn a_list_of_files_is_compiled_where_nothing_can_be_written_and_there_is_no_shell() {
    let Some(workshop) = Workshop::new("compile-room", Machine::Whole) else { return };
    write(&workshop, "innocent", "int one;", "");
    let shell = |words: &[&str]| {
        let mut all = vec!["shell", "innocent", "--toolchain", "zig", "--"];
        all.extend(words);
        workshop.run(&all)
    };
    for program in ["sh", "/bin/sh", "/usr/bin/env", "/bin/bash"] {
        shell(&[program]).fails(125, &["cannot enter the sandbox", "No such file"]);
    }
    workshop.run(&["sysroot", "innocent", "--toolchain", "zig"]).ok();
    let tree = compiler(&workshop);
    let zig = format!("/store/{tree}/outputs/zig");
    let place = format!("/store/{tree}/outputs");
    for folder in ["/build/source", "/build/dependencies", "/build", "", "/etc", "/store", &place] {
        let archive = format!("{folder}/new.a");
        let run = shell(&[&zig, "ar", "rc", &archive]).fails(1, &["ar: error: "]);
        run.says(&format!("{archive}: "));
    }
    shell(&[&zig, "ar", "rc", "/build/objects/new.a"]).ok();
}
