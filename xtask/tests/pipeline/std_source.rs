//! Rust's standard library from source: what is said where something for it is missing; and programs
//! for a CPU that rustup has none for.

use std::fs;
use std::path::{Path, PathBuf};

use crate::scratch::{Run, Scratch};
use crate::skip;
use xtask::layout::Store;
use xtask::process::{self, env_var, find_program};

const MIPSEL: &str = "mipsel-unknown-linux-musl";

/// A program that says of its standard library what it can: it unwinds, waits, and knows times that
/// 32 bits cannot hold (2100-01-01, and one second later).
const PROGRAM: &str = r#"
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
fn main() {
    let unwound = std::panic::catch_unwind(|| std::hint::black_box(panic!("caught"))).is_err();
    let (mutex, condition) = (std::sync::Mutex::new(()), std::sync::Condvar::new());
    let begin = Instant::now();
    let wait = condition.wait_timeout(mutex.lock().unwrap(), Duration::from_millis(20)).unwrap();
    let waited = wait.1.timed_out() && begin.elapsed() >= Duration::from_millis(20);
    let late = UNIX_EPOCH + Duration::from_secs(4_102_444_800);
    let file = std::fs::File::create("late").unwrap();
    file.set_modified(late).unwrap();
    let found = file.metadata().unwrap().modified().unwrap();
    let slept = std::thread::spawn(|| std::thread::sleep(Duration::from_millis(1))).join().is_ok();
    println!("{} {unwound} {waited} {} {slept}", std::env::consts::ARCH, found == late);
    assert!(SystemTime::now() > UNIX_EPOCH);
}
"#;

/// A workspace whose targets without a standard library of rustup's take it from these recipes.
fn scratch(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = fs::read_to_string(checkout.join("recipes/std.toml")).unwrap();
    let kept = text.lines().filter(|line| !line.starts_with("patches ")).map(|line| {
        match line.starts_with("runtime ") {
            true => "runtime = [\"tiny\"]\n".to_owned(),
            // What nobody has.
            false if line.starts_with("sha256 = \"90674d96") => {
                line.replace("90674d96", "00000000") + "\n"
            }
            false => format!("{line}\n"),
        }
    });
    scratch.write("recipes/std.toml", &kept.collect::<String>());
    scratch
}

#[test]
fn offline_its_sources_are_among_what_is_missing() {
    let scratch = scratch("std-offline");
    let mut command = scratch.command(&["dist", "--offline", "--target", MIPSEL]);
    // No Rust of rustup's has the sources here.
    let run = Run::of(command.env("RUSTUP_HOME", scratch.at("none")));
    let words = ["rust-std 1.95.0 (rustup rust-src 1.95.0; url https://", "`cargo xtask fetch`"];
    run.fails(6, &words);
}

#[test]
fn the_small_profile_needs_it_on_every_target() {
    let scratch = scratch("std-small");
    for arguments in [["dist", "--offline"], ["fetch", "--offline"]] {
        let mut command = scratch.command(&[&arguments[..], &["--profile", "dist-small"]].concat());
        let run = Run::of(command.env("RUSTUP_HOME", scratch.at("none")));
        run.fails(6, &["rust-std 1.95.0 (rustup rust-src 1.95.0; url https://"]);
    }
}

#[test]
fn only_its_own_release_of_rust_compiles_it() {
    let scratch = scratch("std-release");
    scratch.edit("recipes/std.toml", "version = \"1.95.0\"", "version = \"1.2.3\"");
    scratch.run(&["dist", "--target", MIPSEL]).fails(
        1,
        &["built from the sources of Rust 1.2.3, and this is rustc 1.", "RUSTUP_TOOLCHAIN=1.2.3"],
    );
}

#[test]
fn a_target_without_a_recipe_for_it_says_so() {
    let scratch = Scratch::new("std-none");
    let run = scratch.run(&["dist", "--target", MIPSEL]);
    run.fails(3, &["the standard library of mipsel-unknown-linux-musl has no recipe", "std.toml"]);
}

#[test]
fn its_c_runtime_cannot_be_linked_a_second_time() {
    let scratch = scratch("std-runtime");
    let add = "[package.metadata.muslin]\nlibraries.add = [\"tiny\"]\n";
    scratch.write_app("app", add);
    scratch
        .run(&["dist", "--target", MIPSEL])
        .fails(2, &["`libraries.add` names `tiny`, which every program has already"]);
}

/// The emulator, by either of its names.
fn emulator() -> Option<PathBuf> {
    ["qemu-mipsel-static", "qemu-mipsel"].iter().find_map(|name| find_program(name))
}

#[test]
fn a_program_with_a_standard_library_of_ours_runs_and_the_library_is_built_once() {
    let what = "a standard library from source";
    let wanted = env_var("MUSLIN_STORE").filter(|_| env_var("MUSLIN_TEST_SLOW").is_some());
    let Some(store) = wanted else {
        return skip(&format!("{what}: run `cargo xtask test --all`"));
    };
    let store = Store::peek(Path::new(&store)).unwrap();
    let scratch = Scratch::with_real_recipes("std-source", "work");
    scratch.write("app/src/main.rs", PROGRAM);
    std::os::unix::fs::symlink(store.root(), scratch.store()).unwrap();
    scratch.run(&["dist", "--target", MIPSEL]).ok();
    let again = scratch.run(&["dist", "--target", MIPSEL]).ok();
    assert!(!again.all().contains("Building"), "{}", again.all());
    let program = scratch.target().join("dist").join(MIPSEL).join("hello-sqlite");
    let Some(emulator) = emulator() else {
        return skip(&format!("{what} was built and not run: there is no qemu-mipsel"));
    };
    let mut command = process::command(emulator);
    command.args(["-cpu", "24Kc"]).arg(program).current_dir(scratch.workspace());
    let said = Run::of(&mut command).ok().stdout;
    assert_eq!(said, "mips true true true true\n");
}
