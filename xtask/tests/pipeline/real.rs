//! Real toolchains and the real SQLite: programs of every kind that a target has are built and run.
//!
//! Needs much (zig in the store, the app's crates, apt for a GCC), so only `cargo xtask test` runs it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::scratch::{ODD, Run, Scratch, TRIPLE};
use crate::server::{Reply, Server};
use crate::{has_std, skip};
use xtask::digest::Digest;
use xtask::layout::Store;
use xtask::process::{self, env_var};

/// The store that `cargo xtask test` has filled, if it is that which runs us.
pub fn filled_store(what: &str) -> Option<Store> {
    let root = env_var("MUSLIN_STORE").filter(|_| env_var("MUSLIN_TEST_ALL").is_some());
    if root.is_none() {
        skip(&format!("{what}: run `cargo xtask test`"));
    }
    root.filter(|_| has_std()).map(|root| Store::peek(Path::new(&root)).unwrap())
}

/// What a program is: its `e_type`.
#[derive(Debug, PartialEq)]
enum Kind {
    Fixed,
    PositionIndependent,
}

fn kind(program: &Path) -> Kind {
    match fs::read(program).unwrap()[16..18] {
        [2, 0] => Kind::Fixed,
        [3, 0] => Kind::PositionIndependent,
        [a, b] => panic!("an ELF of type {a} {b}"),
        _ => unreachable!(),
    }
}

/// Debug and release, static-pie and with fixed addresses: each is built, checked by dist, and runs.
fn every_kind_runs(scratch: &Scratch, toolchain: &str, global: &[&str]) {
    let program = scratch.target().join("dist").join(TRIPLE).join("hello-sqlite");
    for (flags, expected) in [
        ("", Kind::PositionIndependent),
        ("rustflags = [\"-Crelocation-model=static\"]", Kind::Fixed),
    ] {
        scratch.write("app/.cargo/config.toml", &format!("[target.{TRIPLE}]\n{flags}\n"));
        if expected == Kind::Fixed {
            let reason =
                "[package.metadata.muslin]\nallow.pie = \"a debugger's wish\"\n[workspace]\n";
            scratch.edit("app/Cargo.toml", "[workspace]\n", reason);
        }
        for profile in ["dev", "release"] {
            let mut arguments = global.to_vec();
            arguments.extend(["dist", "--toolchain", toolchain, "--profile", profile]);
            let run = scratch.run(&arguments).ok();
            run.says(&format!("Toolchain {toolchain} "));
            let said = Run::of(&mut process::command(&program)).ok().stdout;
            assert!(said.contains("Titan circles Saturn"), "{said}");
            assert_eq!(kind(&program), expected, "{toolchain} {profile} {flags}");
        }
    }
}

/// The compiler of the environment by hand: with it a C program links the sysroot's library.
fn c_by_hand_runs(scratch: &Scratch, toolchain: &str, global: &[&str]) {
    let code = "#include <sqlite3.h>\n#include <stdio.h>\n#include <math.h>\n#include <pthread.h>\n\
        static void *f(void *x) { return x; }\n\
        int main(int n, char **a) { pthread_t t; pthread_create(&t, 0, f, a); pthread_join(t, 0);\n\
        return !printf(\"%s %g\\n\", sqlite3_libversion(), sqrt(n * 4.0)); }\n";
    scratch.write("by hand.c", code);
    for flags in ["", "-static", "-static-pie -O2"] {
        let lower = TRIPLE.replace('-', "_");
        let script = format!(
            "eval \"\\\"\\$CC_{lower}\\\" $CFLAGS_{lower}\" -fPIC {flags} '\"by hand.c\"' \
             -lsqlite3 -lm -lpthread -o program && ./program"
        );
        let mut arguments = global.to_vec();
        arguments.extend(["exec", "--toolchain", toolchain, "--", "sh", "-c", &script]);
        let run = scratch.run(&arguments).ok();
        assert!(run.stdout.starts_with("3.") && run.stdout.ends_with(" 2\n"), "{}", run.all());
        let expected = if flags == "-static" { Kind::Fixed } else { Kind::PositionIndependent };
        assert_eq!(kind(&scratch.workspace().join("program")), expected, "{toolchain} {flags}");
    }
}

#[test]
fn zig_makes_programs_of_every_kind() {
    let Some(store) = filled_store("zig") else { return };
    let scratch = Scratch::with_real_recipes("zig", ODD);
    // The same store by an odd name.
    std::os::unix::fs::symlink(store.root(), scratch.store()).unwrap();
    every_kind_runs(&scratch, "zig", &[]);
    c_by_hand_runs(&scratch, "zig", &[]);
}

/// Makes a GCC in the layout of musl-cross from Debian's packages, once for each set of versions.
/// `None`, said loudly, where that cannot be.
fn gcc_archive() -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/make-gcc-musl.sh");
    let run = |argument: &Path| process::command("sh").arg(&script).arg(argument).output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let versions = run(Path::new("--packages"));
    if !versions.status.success() {
        skip(&format!("musl-cross with a real GCC: {}", said(&versions.stderr)));
        return None;
    }
    let mut inputs = fs::read(&script).unwrap();
    inputs.extend(versions.stdout);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gcc-musl");
    let archive = folder.join(format!("{}.tar.xz", Digest::sha256_of(&inputs).hex()));
    if !archive.exists() {
        xtask::layout::remove_tree(&folder).unwrap();
        fs::create_dir_all(&folder).unwrap();
        let new = folder.join("new.tar.xz");
        let made = run(&new);
        if !made.status.success() {
            skip(&format!("musl-cross with a real GCC: {}", said(&made.stderr)));
            return None;
        }
        fs::rename(new, &archive).unwrap();
    }
    Some(archive)
}

#[test]
fn a_real_gcc_in_musl_cross_layout_makes_programs_of_every_kind() {
    let Some(filled) = filled_store("musl-cross with a real GCC") else { return };
    let Some(archive) = gcc_archive() else { return };
    let bytes = fs::read(archive).unwrap();
    let digest = Digest::sha256_of(&bytes);
    let scratch = Scratch::with_real_recipes("gcc", "work");
    let recipe = "recipes/toolchains/musl-cross.toml";
    let text = fs::read_to_string(scratch.workspace().join(recipe)).unwrap();
    let pinned = text.split("sha256").nth(1).and_then(|rest| rest.split('"').nth(1)).unwrap();
    scratch.edit(recipe, pinned, &digest.hex());
    // Serves that archive, and what the filled store has.
    let server = Server::start(move |request, _| {
        let wanted: Option<Digest> =
            format!("sha256:{}", request.path.trim_start_matches('/')).parse().ok();
        match wanted {
            Some(wanted) if wanted == digest => Reply::File(bytes.clone(), "\"gcc\""),
            Some(wanted) => match filled.download(&wanted) {
                Some(path) => Reply::File(fs::read(path).unwrap(), "\"stored\""),
                None => Reply::Status("404 Not Found", vec![], vec![]),
            },
            None => Reply::Status("404 Not Found", vec![], vec![]),
        }
    });
    let mirror = server.url("");
    let global = ["--mirror", mirror.as_str()];
    every_kind_runs(&scratch, "musl-cross", &global);
    c_by_hand_runs(&scratch, "musl-cross", &global);
    // It loads shared libraries of this machine, which its steps must see in the sandbox, too.
    let mut command = scratch.command(&["sysroot", "zlib", "--toolchain", "musl-cross"]);
    command.args(global).arg("--store").arg(scratch.at("another"));
    Run::of(command.env("MUSLIN_SANDBOX", "auto")).ok();
    let asked =
        server.requests().iter().filter(|request| request.path.ends_with(&digest.hex())).count();
    assert_eq!(asked, 2, "once for each store");
}
