//! What code takes of a CPU: refused above the baseline, unless it asks; and another baseline by
//! `--target-cpu`, for C and Rust alike.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use xtask::check::baseline::{Baseline, Evidence, check};
use xtask::linked::{Owner, Pieces};

use super::{App, TRIPLE};

/// Compiles `c/*.c` with the flags in `c/flags` into one library, without any crate.
const BUILD: &str = r#"
use std::{env, fs, path::PathBuf, process::Command};
fn main() {
    println!("cargo:rerun-if-changed=c");
    let variable = |name: &str| env::var(format!("{name}_{}", env::var("TARGET").unwrap().replace('-', "_"))).unwrap();
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    let flags = fs::read_to_string("c/flags").unwrap();
    let mut archive = Command::new(variable("AR"));
    let library = out.join("libsum.a");
    let _ = fs::remove_file(&library);
    archive.arg("crs").arg(&library);
    for file in fs::read_dir("c").unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_none_or(|it| it != "c") { continue }
        let object = out.join(file.file_name().unwrap()).with_extension("o");
        // The flags are meant for what is fast, as a library's build has them by file.
        let flags = if file.ends_with("sum.c") { flags.as_str() } else { "" };
        let mut compile = Command::new(variable("CC"));
        compile.args(["-O2", "-c", "-o"]).arg(&object).arg(&file).args(flags.split_whitespace());
        assert!(compile.status().unwrap().success(), "{file:?}");
        archive.arg(object);
    }
    assert!(archive.status().unwrap().success());
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=sum");
}
"#;

const SUM: &str = "unsigned sum(const unsigned *from, int count) {\n\
    unsigned all = 0;\n    for (int i = 0; i < count; i++) all += from[i] * 3;\n    return all;\n}\n";

/// Asks the CPU before it calls what takes more.
const CHOOSE: &str = "unsigned sum(const unsigned *from, int count);\n\
    unsigned choose(const unsigned *from, int count) {\n    unsigned a = 7, b, c = 0, d;\n\
    __asm__ volatile(\"cpuid\" : \"+a\"(a), \"=b\"(b), \"+c\"(c), \"=d\"(d));\n\
    return b & 1 << 5 ? sum(from, count) : 0;\n}\n";

const MAIN: &str = "unsafe extern \"C\" { fn @(from: *const u32, count: i32) -> u32; }\n\
    #[inline(never)]\nfn total(list: &[u32]) -> u32 { list.iter().fold(0, |all, it| all.wrapping_add(it * 5)) }\n\
    fn main() {\n    let list: Vec<u32> = (0..1000 + std::env::args().count() as u32).collect();\n\
    let list = std::hint::black_box(list);\n\
    std::hint::black_box(unsafe { @(list.as_ptr(), list.len() as i32) });\n\
    std::hint::black_box(total(&list));\n}\n";

const PROFILE: &str = "[profile.fast]\ninherits = \"release\"\nopt-level = 3\n";

impl App {
    fn sums(name: &str, metadata: &str, function: &str, flags: &str) -> Option<Self> {
        let app = Self::new(name, &format!("{PROFILE}{metadata}"), &MAIN.replace('@', function))?;
        app.write("build.rs", BUILD);
        app.write("c/sum.c", SUM);
        app.write("c/flags", flags);
        Some(app)
    }

    fn dist(&self, arguments: &[&str]) -> (Option<i32>, String, Output) {
        let all = [&["--profile", "fast"], arguments].concat();
        let output = self.xtask("dist", &all, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said, output)
    }

    fn program(&self, target: &str, name: &str) -> PathBuf {
        self.0.join("target/dist").join(target).join(name)
    }
}

/// C code for a newer CPU is refused, in any way that it gets such a flag.
#[test]
fn code_for_a_newer_cpu_is_refused() {
    let Some(app) = App::sums("newer", "", "sum", "-mavx2") else { return };
    let (code, said, _) = app.dist(&[]);
    assert_eq!(code, Some(5), "{said}");
    let finding = "baseline: `sum` in libsum.a(sum.o) of crate newer 0.1.0 takes avx2, and nothing of \
                   crate newer 0.1.0 asks the CPU what it has";
    assert!(said.replace("avx, avx2", "avx2").contains(finding), "{said}");
    // It is said again, although nothing was looked at again.
    let (code, again, _) = app.dist(&[]);
    assert!(code == Some(5) && again.contains("`sum` in libsum.a(sum.o)"), "{again}");
    app.write("c/flags", "-march=native");
    let (code, said, _) = app.dist(&[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("native is the CPU of the machine that builds"), "{said}");
    app.write("c/flags", "");
    assert_eq!(app.dist(&[]).0, Some(0));
}

/// The same code is fine in a library that asks, but not where others pass the question by; and the
/// app's author may vouch for it.
#[test]
fn a_library_that_asks_may_take_more() {
    let Some(app) = App::sums("asking", "", "choose", "-mavx2") else { return };
    app.write("c/choose.c", CHOOSE);
    let (code, said, _) = app.dist(&[]);
    assert_eq!(code, Some(0), "{said}");
    app.write("src/main.rs", &MAIN.replace('@', "sum").replace("total(&list)", "choose_too(&list)").replace(
        "fn main()",
        "unsafe extern \"C\" { fn choose(from: *const u32, count: i32) -> u32; }\n\
         fn choose_too(list: &[u32]) -> u32 { total(list) + unsafe { choose(list.as_ptr(), 1) } }\nfn main()",
    ));
    let (code, said, _) = app.dist(&[]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("which does not ask the CPU what it has"), "{said}");
    let manifest = fs::read_to_string(app.0.join("Cargo.toml")).unwrap();
    let vouched = "[package.metadata.muslin.asks-cpu]\nasking = \"main knows where it runs\"\n";
    app.write("Cargo.toml", &format!("{manifest}{vouched}"));
    // An emulator of the oldest CPU, where there is one, is not so easily told.
    let (code, said, _) = app.dist(&[]);
    assert!(!said.contains("baseline:"), "{said}");
    assert!(code == Some(0) || said.contains("oldest-cpu: it died by SIGILL"), "{said}");
}

/// What a program does in registers of 256 bits.
fn wide(program: &PathBuf) -> usize {
    let output = Command::new("objdump").args(["-d", "--no-show-raw-insn"]).arg(program).output();
    String::from_utf8_lossy(&output.unwrap().stdout).matches("%ymm").count()
}

/// Another CPU is one for C and Rust, and its result stands beside the other.
#[test]
fn another_cpu_is_for_c_and_rust_alike() {
    let Some(app) = App::sums("raised", "", "sum", "") else { return };
    let (code, said, _) = app.dist(&[]);
    assert_eq!(code, Some(0), "{said}");
    let raised = format!("{TRIPLE}+x86-64-v3");
    let (code, said, _) = app.dist(&["--target-cpu", "x86-64-v3"]);
    assert_eq!(code, Some(0), "{said}");
    let [old, new] = [TRIPLE, &raised].map(|target| app.program(target, "raised"));
    assert_eq!(wide(&old), 0);
    let symbols = app.0.join("target").join(TRIPLE).join("fast/deps");
    let maps = fs::read_dir(symbols).unwrap().flatten().map(|file| file.path());
    let maps = maps.filter(|path| path.extension().is_some_and(|it| it == "map")).count();
    assert!(wide(&new) > 0 && maps > 0);
    let manifest = fs::read_to_string(new.with_file_name("manifest.json")).unwrap();
    assert!(manifest.contains("\"target_cpu\": \"x86-64-v3\""), "{manifest}");
    let manifest = fs::read_to_string(old.with_file_name("manifest.json")).unwrap();
    assert!(!manifest.contains("target_cpu"), "{manifest}");
    for (cpu, words) in [("native", "name the CPU"), ("x86-64-v33", "did you mean `x86-64-v3`?")] {
        let (code, said, _) = app.dist(&["--target-cpu", cpu]);
        assert!(code == Some(2) && said.contains(words), "{said}");
    }
}

/// A program of the store's zig.
fn zig(words: &[&str], from: &Path, to: &Path) {
    let store = std::env::var_os("MUSLIN_STORE").unwrap();
    let entries = fs::read_dir(Path::new(&store).join("entries-v1")).unwrap().flatten();
    let mut zigs = entries.map(|it| it.path().join("outputs/zig"));
    let zig = zigs.find(|path| path.is_file()).expect("the store has no zig");
    let status = Command::new(zig).args(words).arg(from).arg("-o").arg(to).status();
    assert!(status.unwrap().success(), "{words:?}");
}

const FREE: [&str; 4] = ["-O3", "-ffreestanding", "-nostdlib", "-c"];

/// An i586 has no SSE: without a map, told of a program that never asks.
#[test]
fn an_i586_program_has_no_sse() {
    let Some(app) = App::sums("older", "", "sum", "") else { return };
    let (source, object, program) = (app.0.join("c/sum.c"), app.0.join("sum.o"), app.0.join("sum"));
    for (flag, word) in [("-march=pentium", "ok"), ("-msse2", "FAILED")] {
        let words = [&["clang", "-target", "i586-linux-musl", "-march=pentium", flag], &FREE[..]];
        zig(&words.concat(), &source, &object);
        zig(&["ld.lld", "-static", "-e", "sum"], &object, &program);
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        command.current_dir(checkout).args(["check", "--target", "i586-unknown-linux-musl"]);
        let output = command.arg(&program).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = said.lines().find(|line| line.trim_start().starts_with("baseline")).unwrap();
        assert!(line.contains(word), "{flag}: {said}");
        assert!(word == "ok" || line.contains("sse2, which is more than the baseline"), "{line}");
    }
}

/// What compilers write into objects is what the check reads there.
#[test]
fn objects_say_what_they_were_compiled_for() {
    let Some(app) = App::sums("objects", "", "sum", "") else { return };
    let (source, object) = (app.0.join("c/sum.c"), app.0.join("sum.o"));
    for (target, flags, words, finding) in [
        ("arm-linux-musleabihf", "-march=armv6", "v6 vfpv2", None),
        ("arm-linux-musleabihf", "-march=armv7-a", "v6 vfpv2", Some("ARMv7")),
        ("arm-linux-musleabi", "-march=armv5te", "v5te", None),
        ("arm-linux-musleabi", "-march=armv6", "v5te", Some("ARMv6")),
        ("arm-linux-musleabihf", "-march=armv7-a -mfpu=neon", "v7 vfpv3-d16", Some("neon")),
        ("mips-linux-musleabi", "-march=mips32r2", "mips32r2", None),
        ("mips-linux-musleabi", "-march=mips32r6", "mips32r2", Some("mips32r6")),
        ("aarch64-linux-musl", "-march=armv8-a", "", None),
        ("aarch64-linux-musl", "-march=armv8-a+sve", "", Some("sve")),
        ("aarch64-linux-musl", "-march=armv8-a+sve", "sve", None),
        ("riscv64-linux-musl", "-march=rv64gc", "i m a f d c", None),
        ("riscv64-linux-musl", "-march=rv64gc_zba", "i m a f d c", Some("zba")),
        ("powerpc64-linux-musl", "-mcpu=ppc64", "ppc64", None),
        ("powerpc64-linux-musl", "-mcpu=pwr8", "ppc64", Some("pwr7")),
        ("powerpc64le-linux-musl", "-mcpu=ppc64le", "pwr8", None),
        ("powerpc64le-linux-musl", "-mcpu=pwr9", "pwr8", Some("pwr9")),
        ("powerpc64le-linux-musl", "-mcpu=pwr9", "pwr10", None),
        ("s390x-linux-musl", "-march=z10", "z10", None),
        ("s390x-linux-musl", "-march=z13", "z10", Some("z13")),
        ("loongarch64-linux-musl", "-march=la64v1.0", "lsx", None),
        ("loongarch64-linux-musl", "-march=la64v1.0 -mlasx", "lsx", Some("lasx")),
        ("powerpc64le-linux-musl", "-mcpu=pwr9", "cpu pwr11", None),
        ("powerpc64le-linux-musl", "-mcpu=pwr9", "cpu pwr8", Some("pwr9")),
        ("s390x-linux-musl", "-march=z13", "cpu arch11", None),
        ("s390x-linux-musl", "-march=z13", "cpu z196", Some("z13")),
    ] {
        let flags: Vec<_> = flags.split(' ').collect();
        zig(&[&["clang", "-target", target], &FREE[..], &flags].concat(), &source, &object);
        let place = Some((object.clone(), None));
        let from = "crate x 1.0.0".to_owned();
        let owner = Owner { from, object: "sum.o".to_owned(), is_rust: false, place };
        let pieces = Pieces { owners: vec![owner], pieces: Vec::new() };
        let evidence = Evidence { pieces, ..Evidence::default() };
        let baseline = match words.strip_prefix("cpu ") {
            Some(cpu) => Baseline { features: Vec::new(), cpu: Some(cpu.to_owned()) },
            None => {
                let features = words.split(' ').map(str::to_owned).collect();
                Baseline { features, cpu: None }
            }
        };
        let data = fs::read(&object).unwrap();
        let outcome = check(&data, &baseline, Some(&evidence));
        match finding {
            None => assert_eq!(outcome.word(), "ok", "{target} {flags:?}: {outcome:?}"),
            Some(finding) => {
                assert_eq!(outcome.word(), "FAILED", "{target} {flags:?}: {outcome:?}");
                assert!(outcome.detail().contains(finding), "{outcome:?}");
            }
        }
    }
}

/// A configuration that raises the CPU of Rust alone is refused; the command line's is for both.
#[test]
fn a_configuration_cannot_raise_rust_alone() {
    let Some(app) = App::sums("config", "", "sum", "") else { return };
    app.write(".cargo/config.toml", "[build]\nrustflags = [\"-C\", \"target-cpu=haswell\"]\n");
    let (code, said, _) = app.dist(&[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("`target-cpu=haswell`") && said.contains("--target-cpu CPU"), "{said}");
    let (code, said, _) = app.dist(&["--target-cpu", "x86-64-v2"]);
    assert_eq!(code, Some(0), "{said}");
}
