//! `cargo xtask verify` from outside: what is the same, and planted leaks, each found and named.
//!
//! The toolchain is the machine's own compiler in disguise, so the C is real and quick. The tests that
//! build many times run with MUSLIN_TEST_SLOW=1 only, and say loudly elsewhere that they were skipped.
#![allow(clippy::disallowed_methods, reason = "tests read the environment")]

#[path = "support/scratch.rs"]
#[allow(dead_code, reason = "it can do more than is needed here")]
mod scratch;
#[path = "verify/against.rs"]
mod against;
#[path = "verify/leaks.rs"]
mod leaks;

use scratch::{Run, Scratch};
use xtask::process::env_var;

/// Whether this machine's Rust has the standard library of the musl target.
fn has_std() -> bool {
    let cargo = env_var("CARGO").map(std::path::PathBuf::from);
    let root = cargo.as_deref().and_then(|cargo| cargo.parent()?.parent());
    let found = root
        .is_some_and(|root| root.join("lib/rustlib").join(scratch::TRIPLE).join("lib").is_dir());
    if !found {
        skip("this Rust has no standard library for musl: rustup target add brings it");
    }
    found
}

/// Whether tests that build many times were asked for.
fn is_slow_wanted(what: &str) -> bool {
    let is_wanted = env_var("MUSLIN_TEST_SLOW").is_some();
    if !is_wanted {
        skip(&format!("{what}: MUSLIN_TEST_SLOW is not set"));
    }
    is_wanted && has_std()
}

/// Says loudly that something was not tested.
fn skip(why: &str) {
    xtask::report::text(&format!("SKIPPED: {why}"));
}

/// The last event of a verification.
#[track_caller]
fn verdict(run: &Run) -> serde_json::Value {
    run.events("verified").pop().unwrap_or_else(|| panic!("no verdict: {}", run.all()))
}

#[test]
fn a_name_that_is_no_variation_is_a_usage_error() {
    let scratch = Scratch::new("verify-usage");
    scratch.run(&["verify", "--vary", "umsk"]).fails(2, &["no variation `umsk`", "`umask`"]);
    scratch.run(&["verify", "--vary", "none,user"]).fails(2, &["stands alone"]);
    scratch.run(&["verify", "--manifest", "x.json"]).fails(2, &["--against"]);
}

#[test]
fn a_package_that_leaks_nothing_is_the_same_twice() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("verify-same");
    let before = xtask::layout::files_below(&scratch.workspace().join("app")).unwrap();
    let run = scratch.run(&["verify"]).ok();
    run.says("Verified tinyapp for ");
    run.says("the same bytes twice");
    assert!(run.stdout.contains("  tiny-1.0-"), "{}", run.all());
    for words in ["build path ", "date ", "order of files in folders "] {
        assert!(run.stdout.contains(&format!("\n  {words}")), "no {words}: {}", run.all());
    }
    // Each build compiled the library for itself.
    assert_eq!(scratch.compiled_files(), ["one.c", "one.c", "two.c", "two.c"]);
    assert_eq!(scratch.stored("tmp"), [""; 0]);
    assert_eq!(scratch.stored("entries-v1"), [""; 0], "the store's own entries are not touched");
    let mut after = xtask::layout::files_below(&scratch.workspace().join("app")).unwrap();
    after.retain(|file| !file.starts_with("target"));
    assert_eq!(after, before, "nothing is left in the package's folder");
}
