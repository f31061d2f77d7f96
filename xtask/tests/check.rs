//! Checks against programs made by real compilers: one good one, and one bad one for each check.
//!
//! Where a compiler is missing, the test says `SKIPPED` on stderr and passes.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "tests print, and start compilers, for themselves"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use xtask::check::{
    Checkup, Expectation, Forbidden, Linking, Outcome, RunPolicy, TIME_LIMIT, examine,
    forbidden_of_this_machine, table,
};

const HELLO: &str = "int main(void) { return 3; }\n";

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("check-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A program made of C text by the machine's own compiler; `None`, loudly, if it cannot.
fn compile(name: &str, source: &str, flags: &[&str]) -> Option<PathBuf> {
    let folder = folder(name);
    let (input, output) = (folder.join("main.c"), folder.join(name));
    fs::write(&input, source).unwrap();
    let made = Command::new("cc")
        .current_dir(&folder)
        .args(["-w", "-O1", "-Wl,--build-id=none", "-Wl,-z,now", "main.c", "-o"])
        .arg(&output)
        .args(flags)
        .output();
    match made {
        Ok(made) if made.status.success() => Some(output),
        Ok(made) => {
            eprintln!("SKIPPED: {name}: cc {flags:?}: {}", String::from_utf8_lossy(&made.stderr));
            None
        }
        Err(error) => {
            eprintln!("SKIPPED: {name}: there is no C compiler: {error}");
            None
        }
    }
}

fn expectation(file: &Path, forbidden: Vec<Forbidden>) -> Expectation {
    let run =
        RunPolicy::EmptyRoot { scratch: file.parent().unwrap().to_owned(), limit: TIME_LIMIT };
    Expectation {
        machine: None,
        float_abi: None,
        baseline: None,
        linking: Linking::Any,
        fixed_times: Vec::new(),
        forbidden,
        run,
        oldest_cpu: Err(String::new()),
        memory: None,
    }
}

fn examined(file: &Path) -> Checkup {
    examine(file, &expectation(file, Vec::new())).unwrap()
}

fn unrun(file: &Path) -> Checkup {
    let run = RunPolicy::Never("it could not start".to_owned());
    examine(file, &Expectation { run, ..expectation(file, Vec::new()) }).unwrap()
}

fn outcome<'a>(checkup: &'a Checkup, name: &str) -> &'a Outcome {
    &checkup.results.iter().find(|result| result.name == name).unwrap().outcome
}

/// Asserts which checks fail, and that each finding has these words. A program that cannot be run
/// here is not expected to fail at it.
#[track_caller]
fn assert_fails(checkup: &Checkup, expected: &[(&str, &str)]) {
    for result in &checkup.results {
        let wanted = expected.iter().find(|(name, _)| *name == result.name);
        match (&result.outcome, wanted) {
            (Outcome::Failed(text), Some((_, words))) => {
                assert!(text.contains(words), "{words:?} is not in {text:?}");
            }
            (Outcome::Skipped(why), _) if result.name == "empty-root" => {
                eprintln!("SKIPPED: empty-root: {why}");
            }
            (Outcome::Failed(_), None) | (_, Some(_)) => {
                panic!("{} is not as expected:\n{}", result.name, table(checkup));
            }
            (_, None) => {}
        }
    }
}

#[test]
fn a_static_program_of_rust_passes() {
    let folder = folder("rust");
    fs::write(folder.join("main.rs"), "fn main() { println!(\"hello\") }").unwrap();
    let rustc = option_env!("RUSTC").unwrap_or("rustc");
    let made = Command::new(rustc)
        .current_dir(&folder)
        .args(["--target", "x86_64-unknown-linux-musl", "-Cstrip=symbols", "-Cpanic=abort"])
        .arg("-Clink-arg=-Wl,--build-id=none")
        .arg(format!("--remap-path-prefix={}=/src", folder.display()))
        .args(["main.rs", "-o", "hello"])
        .output();
    let said = match made {
        Ok(made) if made.status.success() => None,
        Ok(made) => Some(String::from_utf8_lossy(&made.stderr).into_owned()),
        Err(error) => Some(error.to_string()),
    };
    if let Some(said) = said {
        eprintln!("SKIPPED: rustc makes no program for musl here: {said}");
        return;
    }
    let file = folder.join("hello");
    let forbidden = forbidden_of_this_machine(&[("the target folder", folder.clone())]);
    let checkup = examine(&file, &expectation(&file, forbidden)).unwrap();
    assert_fails(&checkup, &[]);
    assert_eq!(*outcome(&checkup, "static"), Outcome::Passed("static-pie".to_owned()));
    assert!(checkup.into_checked().is_ok());
}

#[test]
fn a_static_program_of_c_passes_and_its_exit_code_is_told() {
    let Some(file) = compile("static", HELLO, &["-static"]) else { return };
    let checkup = examined(&file);
    assert_fails(&checkup, &[]);
    assert_eq!(outcome(&checkup, "static").detail(), "static");
    let ran = outcome(&checkup, "empty-root");
    assert!(matches!(ran, Outcome::Skipped(_)) || ran.detail() == "exit code 3", "{ran:?}");
    assert_eq!(
        fs::read_dir(file.parent().unwrap()).unwrap().count(),
        2,
        "the root was left behind"
    );
}

#[test]
fn a_dynamic_program_needs_its_interpreter() {
    let Some(file) = compile("dynamic", HELLO, &[]) else { return };
    let checkup = examined(&file);
    let expected = [
        ("static", "ld-linux"),
        ("glibc", "it needs glibc 2."),
        ("empty-root", "needs its interpreter /lib"),
    ];
    assert_fails(&checkup, &expected);
    assert!(outcome(&checkup, "static").detail().contains("libc.so.6"));
}

#[test]
fn an_executable_stack() {
    let Some(file) = compile("stack", HELLO, &["-static", "-z", "execstack"]) else { return };
    assert_fails(&examined(&file), &[("stack", "executable")]);
}

#[test]
fn a_writable_and_executable_segment() {
    let source = "void _start(void) { for (;;) {} }\n";
    let flags = ["-static", "-nostdlib", "-Wl,--omagic"];
    let Some(file) = compile("omagic", source, &flags) else { return };
    let found = unrun(&file);
    assert_fails(&found, &[("segments", "both writable and executable")]);
}

#[test]
fn text_relocations() {
    let source = "extern int x; int x = 3;\n\
        __asm__(\".text\\n.globl where\\nwhere: .quad x\\n\");\n\
        extern int *where; int main(void) { return *where; }\n";
    let flags = ["-static-pie", "-fPIE", "-Wl,-z,notext"];
    let Some(file) = compile("textrel", source, &flags) else { return };
    assert_fails(&unrun(&file), &[("relocations", "read-only memory")]);
}

#[test]
fn a_path_and_a_name_inside() {
    let source = "const char *volatile where = \"/home/ann/project/main.c\";\n\
        const char *volatile who = \"ann@apollo7\"; int main(void) { return !where || !who; }\n";
    let Some(file) = compile("leak", source, &["-static"]) else { return };
    let forbidden = vec![
        Forbidden::path("the home folder", "/home/ann"),
        Forbidden::word("the host's name", "apollo7"),
    ];
    let checkup = examine(&file, &expectation(&file, forbidden)).unwrap();
    assert_fails(&checkup, &[("paths", "in .rodata: \"/home/ann/project/main.c\"")]);
    assert!(outcome(&checkup, "paths").detail().contains("the host's name (apollo7)"));
}

#[test]
fn files_that_are_no_programs() {
    let Some(object) = compile("object", HELLO, &["-c"]) else { return };
    assert_fails(&examined(&object), &[("elf", "an object file"), ("stack", "missing")]);
    let archive = object.with_file_name("libobject.a");
    let made = Command::new("ar").arg("crs").args([&archive, &object]).status();
    if made.is_ok_and(|status| status.success()) {
        assert_fails(&examined(&archive), &[("elf", "an archive of object files")]);
    } else {
        eprintln!("SKIPPED: there is no ar");
    }
    let source = "int f(void) { return 1; }\n";
    let flags = ["-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libshared.so.1"];
    let Some(library) = compile("shared", source, &flags) else { return };
    assert_fails(&examined(&library), &[("elf", "a shared library")]);
}

/// Linkers of today refuse them or leave no trace; so the symbol table of a good program is spoiled.
#[test]
fn an_undefined_symbol() {
    use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
    let Some(file) = compile("undefined", HELLO, &["-static"]) else { return };
    let mut bytes = fs::read(&file).unwrap();
    let parsed = object::read::elf::ElfFile64::<object::Endianness>::parse(&*bytes).unwrap();
    let table = parsed.section_by_name(".symtab").unwrap().file_range().unwrap().0;
    let main = parsed.symbols().find(|symbol| symbol.name() == Ok("main")).unwrap().index().0;
    let section_of_main = table as usize + 24 * main + 6;
    bytes[section_of_main..section_of_main + 2].fill(0);
    fs::write(&file, bytes).unwrap();
    assert_fails(&examined(&file), &[("static", "symbols are undefined: main")]);
}

#[test]
fn a_program_that_dies_at_start() {
    let crash = "int main(void) { *(volatile int *)8 = 1; return 0; }\n";
    let Some(file) = compile("crash", crash, &["-static"]) else { return };
    assert_fails(&examined(&file), &[("empty-root", "it died by SIGSEGV")]);
    let trap = "int main(void) { __builtin_trap(); }\n";
    let Some(file) = compile("trap", trap, &["-static"]) else { return };
    assert_fails(&examined(&file), &[("empty-root", "it died by SIG")]);
}

/// Everything within reach of a program that is being checked: nothing but itself.
#[test]
fn a_program_in_the_empty_root_can_reach_nothing() {
    let source = "#include <dirent.h>\n#include <unistd.h>\n#include <fcntl.h>\n#include <stdlib.h>\n\
        extern char **environ;\n\
        int main(int n, char **v) {\n\
          DIR *d = opendir(\"/\"); struct dirent *e; int files = 0, fds = 0;\n\
          while ((e = readdir(d))) files += e->d_name[0] != '.';\n\
          closedir(d);\n\
          for (int i = 3; i < 256; i++) fds += fcntl(i, F_GETFD) != -1;\n\
          return files != 1 ? 11 : fds ? 12 : environ[0] ? 13 : geteuid() != 65534 ? 14\n\
            : getegid() != 65534 ? 15 : chdir(\"..\") || access(\"program\", 1) ? 16\n\
            : open(\"/x\", O_CREAT | O_RDWR, 0600) >= 0 && geteuid() == 0 ? 17\n\
            : n != 2 || setuid(0) == 0 ? 18 : 42; }\n";
    let Some(file) = compile("reach", source, &["-static"]) else { return };
    let checkup = examined(&file);
    assert_fails(&checkup, &[]);
    let ran = outcome(&checkup, "empty-root");
    assert!(matches!(ran, Outcome::Skipped(_)) || ran.detail() == "exit code 42", "{ran:?}");
}

/// The texts by which libraries are known are in the program that looks for them, but not as they are.
#[test]
fn the_xtask_is_not_taken_for_what_it_looks_for() {
    let checkup = unrun(Path::new(env!("CARGO_BIN_EXE_xtask")));
    if cfg!(target_env = "musl") {
        return eprintln!("SKIPPED: an xtask of musl has such a library");
    }
    for name in ["libc", "unwinder", "openssl-dir"] {
        assert_eq!(outcome(&checkup, name).word(), "ok", "{}", table(&checkup));
    }
    let malloc = checkup.facts.iter().find(|fact| fact.name == "malloc").unwrap();
    assert!(malloc.value.starts_with("that of the machine's libc"), "{}", malloc.value);
}

/// The program, cut or with its header spoiled, is told from the whole one and is never a panic.
#[test]
fn a_cut_program_is_noticed() {
    let Some(file) = compile("cut", HELLO, &["-static", "-s"]) else { return };
    let whole = fs::read(&file).unwrap();
    for parts in 0..32 {
        let cut = &whole[..whole.len() * parts / 32];
        fs::write(&file, cut).unwrap();
        let checkup = examined(&file);
        assert!(matches!(outcome(&checkup, "elf"), Outcome::Failed(_)), "{}", table(&checkup));
    }
}

/// Several megabytes are searched in a moment even though the xtask itself is not optimised.
#[test]
fn the_search_for_paths_is_fast() {
    let folder = folder("large");
    let file = folder.join("large");
    fs::write(&file, b"/homes/annie\0".repeat(400_000)).unwrap();
    let forbidden = vec![
        Forbidden::path("the home folder", "/home/ann"),
        Forbidden::path("the store", "/home/ann/.cache/muslin"),
        Forbidden::word("the host's name", "apollo7"),
    ];
    let begin = Instant::now();
    let checkup = examine(&file, &expectation(&file, forbidden)).unwrap();
    let elapsed = begin.elapsed();
    assert!(matches!(outcome(&checkup, "paths"), Outcome::Passed(_)), "{}", table(&checkup));
    eprintln!("5 MB in {elapsed:?}, with hashing");
    assert!(elapsed.as_secs() < 5, "{elapsed:?}");
}
