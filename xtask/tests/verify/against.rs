//! A colleague's manifest.

use std::fs;

use crate::has_std;
use crate::scratch::{Scratch, TRIPLE};

#[test]
fn a_colleague_s_manifest_is_compared_with_a_build_made_now() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("verify-against");
    scratch.run(&["dist"]).ok();
    let ours = scratch.target().join("dist").join(TRIPLE).join("manifest.json");
    let text = fs::read_to_string(&ours).unwrap();
    let theirs = scratch.at("theirs.json");
    fs::write(&theirs, &text).unwrap();
    let against = ["verify", "--against", theirs.to_str().unwrap()];
    let run = scratch.run(&against).ok();
    assert!(run.stdout.contains("the same programs: 1 of 1"), "{}", run.all());

    // Theirs was made with another flag in the recipe, and so with another library.
    scratch.edit("recipes/libraries/tiny.toml", "TINY_STEP = 2", "TINY_STEP = 3");
    let run = scratch.run(&against);
    let words = ["1 of 1 programs are not the same", "libraries tiny.fingerprint", "sysroot"];
    let run = run.fails(4, &words);
    assert!(!run.stderr.contains("lockfile"), "{}", run.all());

    // With all inputs the same, only the app's own sources are left.
    scratch.edit("recipes/libraries/tiny.toml", "TINY_STEP = 3", "TINY_STEP = 2");
    scratch.edit("app/src/main.rs", "the answer is", "the reply is");
    let words = ["all inputs that the manifests tell of are the same", "`cargo xtask verify`"];
    scratch.run(&against).fails(4, &words);
    let both = ["--manifest", ours.to_str().unwrap(), "--message-format", "json"];
    let run = scratch.run(&[&against[..], &both].concat()).fails(4, &[]);
    let event = &run.events("against")[0];
    assert_eq!((&event["same"], &event["programs"][0]["what"]), (&false.into(), &"tinyapp".into()));

    fs::write(&theirs, "{}").unwrap();
    scratch.run(&against).fails(2, &["is no manifest of a build", "executables"]);
}
