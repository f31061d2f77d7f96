//! `--crate`: a published crate is built as `cargo install --locked` would.

use std::path::Path;
use std::process::{Command, Output};

use super::may_run;

/// A small program with C in it, that has a Cargo.lock.
const SMALL: &str = "hexyl@0.16.0";

fn xtask(target: &Path, command: &str, arguments: &[&str]) -> Output {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .current_dir(checkout)
        .env("CARGO_TARGET_DIR", target)
        .arg(command)
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn said_out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_published_crate_is_built_and_found_again() {
    if !may_run("published") {
        return;
    }
    let target = std::env::temp_dir().join(format!("muslin-published-{}", std::process::id()));
    let run = |command: &str, arguments: &[&str]| xtask(&target, command, arguments);
    // Before it is fetched, nobody can do anything without a network.
    let missing = run("dist", &["--offline", "--crate", SMALL]);
    assert_eq!(missing.status.code(), Some(6), "{}", said(&missing));
    let fetched = run("fetch", &["--crate", SMALL]);
    assert!(fetched.status.success(), "{}", said(&fetched));
    let dist = ["--crate", SMALL, "--profile", "dev", "--offline"];
    let first = run("dist", &dist);
    assert!(first.status.success(), "{}", said(&first));
    assert!(said(&first).contains("hexyl 0.16.0 (with its own Cargo.lock)"), "{}", said(&first));
    let stdout = String::from_utf8_lossy(&first.stdout).into_owned();
    let program = stdout.lines().next().unwrap();
    let dumped = Command::new(program).arg("/etc/passwd").output().unwrap();
    assert!(String::from_utf8_lossy(&dumped.stdout).contains("root"), "{dumped:?}");
    let again = run("dist", &dist);
    assert!(again.status.success() && !said(&again).contains("Compiling"), "{}", said(&again));
    let plan = run("plan", &["--crate", "hexyl@0.16"]);
    assert!(plan.status.success(), "{}", said(&plan));
    xtask::layout::remove_tree(&target).unwrap();
}

/// Its build script writes completions into `contrib/`, and fails if it cannot.
const WRITER: &str = "zoxide@0.10.0";

#[test]
fn a_build_script_may_write_beside_its_sources_and_leaves_nothing_there() {
    if !may_run("published-writer") {
        return;
    }
    let target = std::env::temp_dir().join(format!("muslin-writer-{}", std::process::id()));
    let dist = || xtask(&target, "dist", &["--crate", WRITER, "--profile", "dev"]);
    let output = xtask(&target, "fetch", &["--crate", WRITER]);
    assert!(output.status.success(), "{}", said(&output));
    let mut crates = std::fs::read_dir(target.join("crates")).unwrap();
    let source = crates.next().unwrap().unwrap().path().join("source");
    let state = || {
        let changed = source.join("contrib/completions/_zoxide").metadata().unwrap().modified();
        (xtask::layout::tree_listing(&source).unwrap(), changed.unwrap())
    };
    let before = state();
    let first = dist();
    assert!(first.status.success(), "{}", said(&first));
    let stdout = String::from_utf8_lossy(&first.stdout).into_owned();
    let zoxide = |arguments: &[&str]| {
        let mut command = Command::new(stdout.lines().next().unwrap());
        command.env("_ZO_DATA_DIR", target.join("data")).args(arguments).output().unwrap()
    };
    assert!(zoxide(&["add", "/usr/bin"]).status.success());
    assert_eq!(said_out(&zoxide(&["query", "us", "bin"])), "/usr/bin");
    // The copy that it has written to is no reason to build it again.
    let again = dist();
    assert!(again.status.success() && !said(&again).contains("Compiling"), "{}", said(&again));
    assert!(state() == before, "the sources have changed");
    xtask::layout::remove_tree(&target).unwrap();
}

#[test]
fn what_cannot_be_shipped_is_said_in_words() {
    if !may_run("published-errors") {
        return;
    }
    let target = std::env::temp_dir().join(format!("muslin-unpublished-{}", std::process::id()));
    for (arguments, code, words) in [
        (&["--crate", "no-such-crate-of-anybody"][..], 2, "the registry has no crate"),
        (&["--crate", "hexyl@99"], 2, "has no version 99"),
        (&["--crate", "bytes@1.10.1"], 2, "no binary, only lib"),
        (&["--crate", "serde_derive@1.0.219"], 2, "proc-macro"),
        (&["--crate", SMALL, "--bin", "hexil"], 2, "there are: hexyl"),
        (&["--crate", SMALL, "--features", "none-such"], 2, "none-such"),
    ] {
        let output = xtask(&target, "dist", arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{arguments:?}: {}", said(&output));
    }
    let plan = xtask(&target, "plan", &["--crate", "hexyl@0.15.0"]);
    assert!(said(&plan).contains("`cargo xtask fetch --crate hexyl`"), "{}", said(&plan));
    xtask::layout::remove_tree(&target).unwrap();
}
