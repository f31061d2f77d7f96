//! From an app to checked programs.

use std::fs;
use std::path::Path;

use crate::has_std;
use crate::scratch::{Run, Scratch, TRIPLE, names};
use xtask::digest::Digest;
use xtask::process;

#[test]
fn dist_packs_checked_programs_and_builds_them_once() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("dist");
    let run = scratch.run(&["dist"]).ok();
    let place = scratch.target().join("dist").join(TRIPLE);
    let expected: Vec<String> = ["tinyapp", "manifest.json", "SHA256SUMS"]
        .map(|name| place.join(name).display().to_string())
        .into();
    assert_eq!(run.stdout.lines().collect::<Vec<_>>(), expected);
    assert_eq!(names(&place), ["SHA256SUMS", "manifest.json", "tinyapp"]);
    let answer = Run::of(&mut process::command(place.join("tinyapp"))).ok().stdout;
    assert_eq!(answer, "the answer is 42\n");
    let mut sums = process::command("sha256sum");
    Run::of(sums.args(["-c", "SHA256SUMS"]).current_dir(&place)).ok();
    check_manifest(&scratch, &place);
    assert_eq!(scratch.compiled_files(), ["one.c", "two.c"]);

    scratch.forget();
    let run = scratch.run(&["dist", "--message-format", "json"]).ok();
    assert!(run.steps().values().all(|state| state == "fresh"), "{:?}", run.steps());
    let program = &run.events("executable")[0];
    assert_eq!(
        (program["name"].as_str(), program["target"].as_str()),
        (Some("tinyapp"), Some(TRIPLE))
    );
    assert_eq!(run.events("manifest").len(), 1);
    assert!(run.events("error").is_empty());

    fs::remove_dir_all(scratch.target()).unwrap();
    scratch.run(&["dist"]).ok();
    assert_eq!(scratch.compiled_files(), [""; 0]);
}

fn check_manifest(scratch: &Scratch, place: &Path) {
    let text = fs::read_to_string(place.join("manifest.json")).unwrap();
    assert!(!text.contains(scratch.workspace().to_str().unwrap()), "{text}");
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["schema"], 1);
    assert_eq!(manifest["package"]["name"], "tinyapp");
    assert_eq!(manifest["package"]["version"], "0.3.0");
    assert_eq!((&manifest["target"], &manifest["profile"]), (&TRIPLE.into(), &"release".into()));
    assert_eq!(manifest["toolchain"]["name"], "fake");
    let library = &manifest["libraries"][0];
    assert_eq!(
        (&library["name"], &library["version"], &library["license"]),
        (&"tiny".into(), &"1.0".into(), &"MIT".into())
    );
    let entry = scratch.entry("tiny");
    let fingerprint = library["fingerprint"].as_str().unwrap();
    assert!(entry.to_str().unwrap().ends_with(&fingerprint[..16]));
    let recipe =
        fs::read_to_string(scratch.workspace().join("recipes/libraries/tiny.toml")).unwrap();
    let digest = library["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    assert!(recipe.contains(digest));
    assert_eq!(library["origin"], "mirror");
    let program = &manifest["executables"][0];
    let bytes = fs::read(place.join("tinyapp")).unwrap();
    assert_eq!(program["sha256"], Digest::sha256_of(&bytes).hex());
    assert_eq!(program["size_bytes"], bytes.len());
    let checks = program["checks"].as_array().unwrap();
    assert!(
        checks.len() >= 5 && checks.iter().all(|check| check["outcome"] != "failed"),
        "{checks:?}"
    );
}
