//! The text of a licence: held against its digest when a library is built, and kept with it.

use std::fs;

use crate::scratch::{Run, Scratch};
use xtask::digest::Digest;

const TEXT: &str = "Do what you like.\nWith care.\n";

/// A library whose header begins with its licence, after a line of its own.
fn library(scratch: &Scratch, license_file: &str) {
    let header = format!("// A header\n{TEXT}").replace("Do what", "// Do what");
    let files = [
        ("lic.c", "int lic(void) { return 1; }\n"),
        ("lic.h", header.as_str()),
        ("doc/LICENSE", TEXT),
    ];
    let source = scratch.source("lic", &files);
    let recipe = format!(
        "description = \"Has a licence\"\nversion = \"1.0\"\nlicense = \"MIT\"\n{license_file}{source}\
         [build.compile]\nsources = [\"lic.c\"]\n[outputs]\nlibs = [\"lic\"]\ninclude = [\"lic.h\"]\n"
    );
    scratch.write("recipes/libraries/lic.toml", &recipe);
}

fn sha256(text: &str) -> String {
    Digest::sha256_of(text.as_bytes()).hex()
}

fn build(scratch: &Scratch) -> Run {
    scratch.run(&["sysroot", "lic"])
}

#[test]
fn the_texts_are_kept_with_the_library_and_not_in_the_sysroot() {
    let scratch = Scratch::new("license");
    library(
        &scratch,
        &format!(
            "license-file = [\n{{ path = [\"LICENSE\", \"doc/LICENSE\"], sha256 = \"{}\" }},\n\
             {{ path = \"lic.h\", lines = \"1-2\", sha256 = \"{}\" }},\n]\n",
            sha256(TEXT),
            sha256("// A header\n// Do what you like.\n")
        ),
    );
    build(&scratch).ok();
    let kept = scratch.entry("lic").join("licenses");
    assert_eq!(fs::read_to_string(kept.join("LICENSE")).unwrap(), TEXT);
    let lines = fs::read_to_string(kept.join("lic.h")).unwrap();
    assert_eq!(lines, "// A header\n// Do what you like.\n");
    let outputs = xtask::layout::files_below(&scratch.entry("lic").join("outputs")).unwrap();
    assert_eq!(outputs.len(), 2, "{outputs:?}");

    scratch.run(&["store", "verify"]).ok();
    fs::write(kept.join("LICENSE"), "Do as you are told.\n").unwrap();
    scratch.run(&["store", "verify"]).fails(4, &["changed: licenses/LICENSE"]);
    fs::remove_dir_all(scratch.entry("sysroot")).unwrap();
    build(&scratch).ok();
    assert_eq!(fs::read_to_string(kept.join("LICENSE")).unwrap(), TEXT);
}

#[test]
fn another_text_is_refused() {
    let scratch = Scratch::new("license-other");
    let pinned = sha256("All rights reserved.\n");
    library(
        &scratch,
        &format!("license-file = {{ path = \"doc/LICENSE\", sha256 = \"{pinned}\" }}\n"),
    );
    let words = [
        "the licence of lic 1.0 is not the one that its recipe pins: `doc/LICENSE`",
        &format!("expected sha256:{pinned}"),
        &format!("found sha256:{}", sha256(TEXT)),
        "cargo xtask recipe check --fix recipes/libraries/lic.toml",
    ];
    build(&scratch).fails(4, &words);
}

#[test]
fn a_text_that_is_not_there_is_refused() {
    let scratch = Scratch::new("license-none");
    let digest = sha256(TEXT);
    let none =
        format!("license-file = {{ path = [\"COPYING\", \"LICENSE\"], sha256 = \"{digest}\" }}\n");
    library(&scratch, &none);
    let words = ["there is no `COPYING` and no `LICENSE`", "recipes/libraries/lic.toml"];
    build(&scratch).fails(1, &words);
    let few = format!(
        "license-file = {{ path = \"doc/LICENSE\", lines = \"1-3\", sha256 = \"{digest}\" }}\n"
    );
    library(&scratch, &few);
    build(&scratch).fails(1, &["`doc/LICENSE` has only 2 lines"]);
}
