//! Several targets in one command, targets that are not there, and `run`.

use super::scratch::{Scratch, TRIPLE};

#[test]
fn a_target_that_is_not_in_the_table_is_an_error_that_lists_the_table() {
    let scratch = Scratch::new("no-target");
    let said = ["recipes/targets.toml has no target `mips64-unknown-linux-musl`", "mipsel-unknown"];
    scratch.run(&["dist", "--target", "mips64-unknown-linux-musl"]).fails(2, &said);
    scratch.run(&["dist", "--all-targets", "--target", TRIPLE]).fails(2, &["--all-targets"]);
}

/// A row that forgets what rustc does not assume would end in a search for a linker of that CPU.
#[test]
fn a_row_that_leaves_programs_dynamic_is_an_error_that_says_what_it_lacks() {
    let scratch = Scratch::new("dynamic-row");
    let row = "rustflags   = [\"-Ctarget-feature=+crt-static\"]\n";
    scratch.edit("recipes/targets.toml", row, "");
    let triple = "s390x-unknown-linux-musl";
    let said = [&format!("rustc links programs for {triple} dynamically"), "[s390x", "+crt-static"];
    scratch.run(&["dist", "--target", triple]).fails(2, &said);
    assert_eq!(scratch.stored("downloads-v1"), [""; 0]);
}

/// This workspace has no recipe of a standard library, which the first of them needs.
#[test]
fn what_fails_for_one_target_stops_no_other() {
    let scratch = Scratch::new("two-targets");
    let other = "armv7-unknown-linux-musleabihf";
    let out = scratch.at("out");
    let run = scratch.run(&[
        "dist",
        "--target",
        other,
        "--target",
        TRIPLE,
        "--out-dir",
        out.to_str().unwrap(),
        "--message-format",
        "json",
    ]);
    let failed = format!("{other} failed");
    let run = run.fails(3, &["1 of 2 targets failed", &failed, "FAILED", "tinyapp"]);
    assert!(out.join(TRIPLE).join("tinyapp").exists(), "{}", run.all());
    assert!(!out.join(other).join("tinyapp").exists(), "{}", run.all());
    let summary = run.events("summary");
    let rows = summary[0]["targets"].as_array().unwrap();
    assert_eq!(rows[0]["target"], other);
    assert!(rows[0]["error"].is_string() && rows[1]["path"].is_string(), "{rows:?}");
}

#[test]
fn run_builds_runs_and_ends_as_the_program_does() {
    let scratch = Scratch::new("run");
    let main = "fn main() {\n    let words: Vec<_> = std::env::args().skip(1).collect();\n    \
                println!(\"{} {}\", words.join(\"+\"), unsafe { tiny_sys::tiny_answer() });\n    \
                std::process::exit(words.len() as i32);\n}\n";
    scratch.write("app/src/main.rs", main);
    let run = scratch.run(&["run", "--", "one", "--two", "three"]).fails(3, &["Running"]);
    assert_eq!(run.stdout, "one+--two+three 42\n");
    scratch.write("app/src/bin/other.rs", "fn main() { println!(\"another\"); }\n");
    scratch.run(&["run"]).fails(2, &["several binaries", "other", "tinyapp"]);
    scratch.run(&["run", "--bin", "othr"]).fails(2, &["has no binary `othr`", "other"]);
    assert_eq!(scratch.run(&["run", "--bin", "other"]).ok().stdout, "another\n");
    scratch.edit("app/Cargo.toml", "edition", "default-run = \"other\"\nedition");
    assert_eq!(scratch.run(&["run"]).ok().stdout, "another\n");
}
