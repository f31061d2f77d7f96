//! What a library's build brings, what it sees, and what is said when it fails.

use std::fs;

use crate::scratch::{ODD, Run, Scratch, TRIPLE};
use xtask::process;

/// A library with a configure script and a Makefile that install more than the recipe declares.
/// `check` is a piece of shell that the script runs.
pub fn configured(scratch: &Scratch, check: &str) {
    let configure = format!(
        "#!/bin/sh\nset -e\n{check}\nfor option; do case $option in --prefix=*) prefix=${{option#*=}};; esac; done\n\
         sed -e \"s|@prefix@|$prefix|g\" -e \"s|@CC@|$CC|\" -e \"s|@AR@|$AR|\" Makefile.in > Makefile\n"
    );
    let makefile = "I = $(DESTDIR)@prefix@\n\
        all: libconf.a\nconf.o: conf.c\n\t@CC@ $(CFLAGS) -c conf.c -o conf.o\n\
        libconf.a: conf.o\n\t@AR@ rcs libconf.a conf.o\ninstall: all\n\
        \tmkdir -p \"$(I)/lib/pkgconfig\" \"$(I)/include\" \"$(I)/bin\"\n\
        \tcp libconf.a \"$(I)/lib\"\n\tcp conf.h extra.h \"$(I)/include\"\n\
        \tprintf 'prefix=@prefix@\\nlibdir=@prefix@/lib\\nLibs: -L$${libdir} -lconf\\n' > \"$(I)/lib/pkgconfig/conf.pc\"\n\
        \techo tool > \"$(I)/bin/conf-tool\"\n";
    let source = scratch.source(
        "conf",
        &[
            ("configure", &configure),
            ("Makefile.in", makefile),
            ("conf.c", "int conf(void) { return 1; }\n"),
            ("conf.h", "int conf(void);\n"),
            ("extra.h", ""),
        ],
    );
    let recipe = format!(
        "description = \"Configured\"\nversion = \"1.0\"\nlicense = \"MIT\"\ntools = [\"busybox\", \"make\"]\n{source}\
         [build.configure]\nscript = \"configure\"\n\
         [outputs]\nlibs = [\"conf\"]\ninclude = [\"conf.h\"]\npkgconfig = [\"conf\"]\n"
    );
    scratch.write("recipes/libraries/conf.toml", &recipe);
    scratch.write_tools();
}

#[test]
fn declared_outputs_are_taken_and_all_else_is_dropped() {
    let scratch = Scratch::new("outputs");
    configured(&scratch, "");
    let run = scratch.run(&["sysroot", "conf", "tiny", "-v"]).ok();
    run.says("Dropped conf: bin/conf-tool, include/extra.h");
    let sysroot = scratch.workspace().join("target/sysroot").join(TRIPLE);
    assert_eq!(run.stdout, format!("{}\n", sysroot.display()));
    let files = xtask::layout::files_below(&sysroot).unwrap();
    let files: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let expected = [
        "include/conf.h",
        "include/tiny.h",
        "lib/libconf.a",
        "lib/libtiny.a",
        "lib/pkgconfig/conf.pc",
        "lib/pkgconfig/tiny.pc",
    ];
    assert_eq!(files, expected);
    for name in ["conf", "tiny"] {
        let text = fs::read_to_string(sysroot.join(format!("lib/pkgconfig/{name}.pc"))).unwrap();
        assert!(text.starts_with("prefix=${pcfiledir}/../..\nlibdir=${prefix}/lib\n"), "{text}");
    }
    // A sysroot is a copy: what is done to it must not reach the store.
    fs::write(sysroot.join("include/tiny.h"), "broken").unwrap();
    scratch.run(&["sysroot", "conf", "tiny"]).ok();
    let text = fs::read_to_string(sysroot.join("include/tiny.h")).unwrap();
    assert!(text.contains("tiny_answer"), "{text}");
}

#[test]
fn a_missing_output_is_an_error() {
    let scratch = Scratch::new("missing");
    configured(&scratch, "");
    let recipe = "recipes/libraries/conf.toml";
    scratch.edit(recipe, "libs = [\"conf\"]", "libs = [\"conf\", \"other\"]");
    let words = [
        "conf did not make what its recipe declares: lib/libother.a",
        "it made: ",
        "include/extra.h",
    ];
    scratch.run(&["sysroot", "conf"]).fails(1, &words);
    assert!(scratch.stored("entries-v1").iter().all(|id| !id.starts_with("conf-")));
    assert_eq!(scratch.stored("tmp"), [""; 0]);
}

#[test]
fn two_libraries_may_not_bring_the_same() {
    let scratch = Scratch::new("collisions");
    let same_symbol = "int twin(void) { return 1; }\nint tiny_step(void) { return 9; }\n";
    scratch.write("recipes/libraries/twin.toml", &scratch.library("twin", "", same_symbol));
    let words = ["tiny and twin both define the symbol `tiny_step`", "libraries.skip"];
    scratch.run(&["sysroot", "tiny", "twin"]).fails(1, &words);
    let recipe = scratch
        .library("twin", "", "int twin(void) { return 1; }\n")
        .replace("include = [\"twin.h\"]", "include = [\"tiny.h\"]");
    let source = scratch.source("twin", &[("tiny.h", ""), ("twin.c", "int twin;\n")]);
    let start = recipe.find("[[source]]").unwrap();
    let end = recipe.find("[build").unwrap();
    let recipe = format!("{}{source}{}", &recipe[..start], &recipe[end..]);
    scratch.write("recipes/libraries/twin.toml", &recipe);
    scratch
        .run(&["sysroot", "tiny", "twin"])
        .fails(1, &["tiny and twin both bring include/tiny.h"]);
    // Each alone is well.
    scratch.run(&["sysroot", "twin"]).ok();
}

/// Runs the command that a failure proposes, as it stands there.
fn again_by_hand(scratch: &Scratch, run: &Run) -> Run {
    let line = run.stderr.lines().find_map(|line| line.split_once("by hand: cargo xtask "));
    let program = process::shell_word(env!("CARGO_BIN_EXE_xtask"));
    Run::of(scratch.told("sh").args(["-c", &format!("{program} {}", line.unwrap().1)]))
}

#[test]
fn a_failing_compile_shows_what_is_needed_to_repeat_it() {
    let scratch = Scratch::in_folders("failing", ODD);
    let code = "int broken(void) { return no_such_thing; }\n";
    scratch.write("recipes/libraries/broken.toml", &scratch.library("broken", "", code));
    let words = [
        "building broken 1.0 failed: `",
        " -c broken.c -o ",
        "failed with exit code 1",
        "no_such_thing",
        "help: the whole log: ",
        "help: that command again by hand: cargo xtask shell broken -- ",
        "help: the step again: cargo xtask sysroot broken",
    ];
    let run = scratch.run(&["sysroot", "broken"]).fails(1, &words);
    let again = again_by_hand(&scratch, &run);
    assert_eq!(again.status.code(), Some(1), "{}", again.all());
    again.says("Entering broken as it failed: ");
    again.says("no_such_thing");
    // It is the command itself that is repeated: with the file mended, it works.
    let failed = scratch.store().join("failed-v1").join(&scratch.stored("failed-v1")[0]);
    let log = fs::read_to_string(failed.join("build.log")).unwrap();
    let call = log.lines().next().unwrap();
    assert!(
        call.contains("/bin/x86_64-unknown-linux-musl-gcc' -std=gnu17 -march=x86-64 "),
        "{log}"
    );
    assert!(call.contains(" -O2 ") && log.contains("no_such_thing"), "{log}");
    fs::write(failed.join("source/broken.c"), "int broken(void) { return 0; }\n").unwrap();
    again_by_hand(&scratch, &run).ok();
    assert!(failed.join("objects/broken.o").exists());
    assert_eq!(scratch.stored("tmp"), [""; 0]);
}

#[test]
fn a_step_that_fails_by_chance_is_made_by_the_next_run() {
    let scratch = Scratch::new("chance");
    let flag = scratch.at("well");
    configured(
        &scratch,
        &format!("test -e '{}' || {{ echo by chance >&2; exit 3; }}", flag.display()),
    );
    let run = scratch.run(&["sysroot", "conf"]).fails(1, &["failed with exit code 3", "by chance"]);
    assert_eq!(again_by_hand(&scratch, &run).status.code(), Some(3));
    assert_eq!(scratch.stored("failed-v1").len(), 1);
    fs::write(flag, "").unwrap();
    scratch.run(&["sysroot", "conf"]).ok();
    assert_eq!(scratch.stored("failed-v1"), [""; 0], "kept although it is made now");
}

#[test]
fn a_build_sees_a_cleared_environment() {
    let scratch = Scratch::new("environment");
    let seen = scratch.at("seen");
    configured(&scratch, &format!("{{ env; umask; pwd; }} > '{}'", seen.display()));
    let mut command = scratch.command(&["sysroot", "conf"]);
    command
        .env("CFLAGS", "-DLEAK")
        .env("SECRET", "LEAK")
        .env("LC_ALL", "de_DE.UTF-8")
        .env("TZ", "LEAK");
    Run::of(&mut command).ok();
    let text = fs::read_to_string(&seen).unwrap();
    assert!(!text.contains("LEAK") && !text.contains("de_DE"), "{text}");
    for line in ["LC_ALL=C", "TZ=UTC", "CC=x86_64-unknown-linux-musl-cc", "0022"] {
        assert!(text.lines().any(|seen| seen == line), "no {line} in {text}");
    }
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let store = scratch.store().join("tmp").display().to_string();
    for name in ["HOME=", "TMPDIR=", "PATH="] {
        assert!(value(name).starts_with(&store) || name == "PATH=", "{text}");
    }
    assert!(value("SOURCE_DATE_EPOCH=").parse::<u64>().is_ok());
}

#[test]
fn the_same_bytes_come_from_any_folder() {
    let outputs = |name: &str, work: &'static str| {
        let scratch = Scratch::in_folders(name, work);
        configured(&scratch, "");
        let run = scratch.run(&[
            "sysroot",
            "conf",
            "tiny",
            "--jobs",
            if work == "x" { "1" } else { "4" },
        ]);
        run.ok();
        let read = |name: &str, file: &str| {
            fs::read(scratch.entry(name).join("outputs/lib").join(file)).unwrap()
        };
        [read("conf", "libconf.a"), read("tiny", "libtiny.a"), read("conf", "pkgconfig/conf.pc")]
    };
    assert!(outputs("bytes", "x") == outputs("bytes-elsewhere", "a longer folder"));
}

#[test]
fn a_patch_is_applied() {
    let scratch = Scratch::new("patch");
    let patch = "--- a/two.c\n+++ b/two.c\n@@ -1,2 +1,2 @@\n #include \"tiny.h\"\n\
        -int tiny_step(void) { return TINY_STEP; }\n+int tiny_patched(void) { return TINY_STEP; }\n";
    scratch.write("recipes/patches/tiny/0001-name.patch", patch);
    scratch.edit(
        "recipes/libraries/tiny.toml",
        "links =",
        "patches = [\"0001-name.patch\"]\nlinks =",
    );
    scratch.run(&["sysroot", "tiny"]).ok();
    let archive = fs::read(scratch.entry("tiny").join("outputs/lib/libtiny.a")).unwrap();
    let has = |word: &[u8]| archive.windows(word.len()).any(|window| window == word);
    assert!(has(b"tiny_patched"));
}
