//! The commands that help people write recipes, on recipes with something to say about.

use std::fs;

use crate::scratch::Scratch;
use xtask::digest::Digest;

const RECIPE: &str = "recipes/libraries/lic.toml";
const TEXT: &str = "Permission is hereby granted, free of charge, to any person\n";

fn sha256(text: &str) -> String {
    Digest::sha256_of(text.as_bytes()).hex()
}

/// A `[[source]]` of a library with a licence.
fn source(scratch: &Scratch, license: &str) -> String {
    let files = [
        ("lic.c", "int lic(void) { return 1; }\n"),
        ("lic.h", "int lic(void);\n"),
        ("COPYING", license),
    ];
    scratch.source("lic", &files)
}

fn write(scratch: &Scratch, license_file: &str) {
    let recipe = format!(
        "# Comments stay.\ndescription = \"Has a licence\"\nversion = \"1.0\"   # as it was\nlicense = \"MIT\"\n\
         {license_file}\n# Seen somewhere.\n{}\n[build.compile]\nsources = [\"lic.c\"]\n\n\
         [outputs]\nlibs = [\"lic\"]\ninclude = [\"lic.h\"]\n",
        source(scratch, TEXT)
    );
    scratch.write(RECIPE, &recipe);
}

fn read(scratch: &Scratch) -> String {
    fs::read_to_string(scratch.workspace().join(RECIPE)).unwrap()
}

#[test]
fn a_licence_is_found_and_filled_in_and_nothing_else_changes() {
    let digest = sha256(TEXT);
    let line = format!("license-file = {{ path = \"COPYING\", sha256 = \"{digest}\" }}");
    for before in ["", "license-file = \"COPYING\"\n", "license-file = { path = \"COPYING\" }\n"] {
        let scratch = Scratch::new("author-fix");
        write(&scratch, before);
        let old = read(&scratch);
        let run = scratch.run(&["recipe", "check", "--fix", "lic"]).ok();
        run.says(&format!("+ {line}"));
        let expected = match before {
            "" => old.replace("license = \"MIT\"\n", &format!("license = \"MIT\"\n{line}\n")),
            _ => old.replace(before.trim_end(), &line),
        };
        assert_eq!(read(&scratch), expected);
        // A second time there is nothing to do, and a build takes the text.
        scratch.run(&["recipe", "check", "--fix", RECIPE]).ok();
        assert_eq!(read(&scratch), expected);
        scratch.run(&["sysroot", "lic"]).ok();
    }
}

#[test]
fn what_a_build_would_stumble_over_is_said_before() {
    let scratch = Scratch::new("author-check");
    let other = sha256("another");
    write(
        &scratch,
        &format!(
            "links = [\"sqlite\"]\nlicense-file = {{ path = \"COPYING\", sha256 = \"{other}\" }}\n"
        ),
    );
    scratch.edit(RECIPE, "[\"lic.c\"]", "[\"lic.c\", \"more.c\"]");
    let before = read(&scratch);
    let words = [
        "no crate is known that links `sqlite`; did you mean `sqlite3`?",
        &format!("`COPYING` is sha256:{}, not sha256:{other}", sha256(TEXT)),
        "`build.compile.sources`: the source tree has no `more.c`",
        "recipes have 3 mistakes",
    ];
    let run = scratch.run(&["recipe", "check", "--fetch", "lic"]).fails(3, &words);
    run.says("Checked lic 1.0: ");
    assert_eq!(read(&scratch), before);
}

#[test]
fn what_was_not_tried_is_said_and_no_mistake() {
    let scratch = Scratch::new("author-untried");
    let line = format!("license-file = {{ path = \"COPYING\", sha256 = \"{}\" }}\n", sha256(TEXT));
    write(&scratch, &line);
    let run = scratch.run(&["recipe", "check", "lic", "--offline"]).ok();
    run.says("Not tried https://lic.invalid/x.tar.gz: `--offline`");
    run.says("not fetched (`--fetch` does)");
    run.says("not built here");
    scratch.run(&["recipe", "check", "lik"]).fails(2, &["no recipe `lik`", "did you mean `lic`?"]);
}

#[test]
fn a_first_recipe_is_written_and_builds() {
    let scratch = Scratch::new("author-new");
    let files = [
        ("LICENSE", TEXT),
        ("src/fresh.c", "#include \"fresh.h\"\nint fresh(void) { return 1; }\n"),
        ("src/tool.c", "int main(void) { return 0; }\n"),
        ("include/fresh.h", "#define FRESH_VERSION \"1.2.3\"\nint fresh(void);\n"),
        ("tests/all.c", "int tested;\n"),
        ("fresh.pc.in", "Name: fresh\nDescription: Something fresh\nLibs: -L${libdir} -lfresh\n"),
    ];
    let digest = scratch.source("fresh", &files).split('"').nth(3).unwrap().to_owned();
    let url = "https://fresh.invalid/latest.tar.gz";
    let new = ["recipe", "new", "fresh", "--url", url];
    scratch.run(&new).fails(1, &["no origin served anything to look into", "no such host"]);
    let with_digest = [&new[..], &["--url-sha256", &digest]].concat();
    let run = scratch.run(&with_digest).ok();
    run.says("guessed from the text: is it `MIT`?");
    run.says("`links`: no crate is known for it");
    let path = "recipes/libraries/fresh.toml";
    let text = fs::read_to_string(scratch.workspace().join(path)).unwrap();
    for line in [
        "description = \"Something fresh\"",
        "version     = \"1.2.3\"",
        &format!("license-file = {{ path = \"LICENSE\", sha256 = \"{}\" }}", sha256(TEXT)),
        "include = [\"include\"]",
        "sources = [\"src/fresh.c\"]",
        "include   = [\"fresh.h\"]",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
    scratch.run(&["recipe", "check", "--fetch", "fresh"]).ok();
    scratch.run(&["sysroot", "fresh"]).ok();
    scratch.run(&with_digest).fails(2, &["is there already", "recipe bump fresh"]);
}

#[test]
fn a_new_version_changes_what_it_must_and_no_more() {
    let scratch = Scratch::new("author-bump");
    let line = format!("license-file = {{ path = \"COPYING\", sha256 = \"{}\" }}\n", sha256(TEXT));
    write(&scratch, &line);
    let old = read(&scratch);
    let digest_of = |source: &str| source.split('"').nth(3).unwrap().to_owned();
    let text = format!("Copyright 2026\n{TEXT}");
    let new_digest = digest_of(&source(&scratch, &text));
    let address = "https://lic.invalid/lic-1.1.tar.gz";
    let bump = ["recipe", "bump", "lic", "1.1", "--url", address];
    // The address cannot be reached, and nobody says what it would serve.
    scratch.run(&bump).fails(1, &["nothing was written", "no such host", "--url-sha256"]);
    assert_eq!(read(&scratch), old);
    let with_digest = [&bump[..], &["--url-sha256", &new_digest]].concat();
    scratch
        .run(&[&with_digest[..], &["--dry-run"]].concat())
        .ok()
        .says(&format!("+ url = \"{address}\""));
    assert_eq!(read(&scratch), old);
    let run = scratch.run(&with_digest).ok();
    run.says("the text in `COPYING` is another than before");
    let expected = old
        .replace("version = \"1.0\"   # as it was", "version = \"1.1\"   # as it was")
        .replace("https://lic.invalid/x.tar.gz", address)
        .replace(&digest_of(&source(&scratch, TEXT)), &new_digest)
        .replace(&sha256(TEXT), &sha256(&text));
    assert_eq!(read(&scratch), expected);
    scratch.run(&["recipe", "check", "lic", "--fetch"]).ok();
}
