//! Bad input and bad places: the exit code, the words, and nothing half-made.

use std::fs;
use std::path::Path;

use crate::scratch::{Run, Scratch, TRIPLE, names};
use crate::{has_std, skip};
use xtask::process;

#[test]
fn unknown_names_are_usage_errors_that_list_the_known() {
    let scratch = Scratch::new("unknown");
    let cases: [(&[&str], &[&str]); 8] = [
        (&["sysroot", "tinny"], &["no library `tinny`", "did you mean `tiny`?", "there are: tiny"]),
        (&["sysroot", "tiny", "--target", "x86_64-musl"], &["no target `x86_64-musl`", TRIPLE]),
        (
            &["sysroot", "tiny", "--toolchain", "fke"],
            &["no toolchain `fke`", "did you mean `fake`?"],
        ),
        (
            &["dist", "--bin", "tinyap"],
            &["`tinyapp` has no binary `tinyap`", "did you mean `tinyapp`?"],
        ),
        (&["dist", "-p", "other"], &["no package `other`", "there are: tiny-sys, tinyapp"]),
        (&["dist", "--manifest-path", "nowhere"], &["there is no manifest nowhere"]),
        (&["dist", "-F", "quiet"], &["cargo cannot read the package", "quiet"]),
        (&["dist", "--no-such-option"], &["unexpected argument '--no-such-option'"]),
    ];
    for (arguments, words) in cases {
        scratch.run(arguments).fails(2, words);
    }
    assert_eq!(scratch.stored("entries-v1"), [""; 0]);
    assert_eq!(scratch.stored("downloads-v1"), [""; 0]);
}

#[test]
fn recipes_with_mistakes_end_everything() {
    let scratch = Scratch::new("invalid");
    scratch.edit("recipes/libraries/tiny.toml", "license =", "licence =");
    for command in ["dist", "sysroot", "plan", "env", "fetch"] {
        let words =
            ["the recipes have mistakes", "did you mean `license`?", "recipes/libraries/tiny.toml"];
        scratch.run(&[command]).fails(3, &words);
    }
    let run = scratch.run(&["dist", "--message-format", "json"]).fails(3, &[]);
    assert_eq!(run.events("error")[0]["exit"], 3);
    assert!(!scratch.store().exists());
}

#[test]
fn a_broken_app_manifest_is_a_usage_error() {
    let scratch = Scratch::new("manifest");
    scratch.write("app/Cargo.toml", "[package]\nname = \"tinyapp\"\nversion = one\n");
    scratch.run(&["dist"]).fails(2, &["cargo cannot read the package", "Cargo.toml"]);
    scratch.write_app("app", "[package.metadata.muslin]\nlibrary.add = [\"tiny\"]\n");
    scratch.run(&["dist"]).fails(2, &["`[package.metadata.muslin]`", "unknown field `library`"]);
    scratch.write_app("app", "[package.metadata.muslin]\nlibraries.add = [\"tinny\"]\n");
    scratch.run(&["dist"]).fails(2, &["`tinny`, which has no recipe", "did you mean `tiny`?"]);
    scratch.write_app("app", "[package.metadata.muslin]\ntoolchain = \"fak\"\n");
    scratch.run(&["dist"]).fails(2, &["no toolchain `fak`"]);
    assert_eq!(scratch.stored("entries-v1"), [""; 0]);
}

#[test]
fn a_package_without_programs_is_a_usage_error() {
    let scratch = Scratch::new("no-programs");
    fs::rename(
        scratch.workspace().join("app/src/main.rs"),
        scratch.workspace().join("app/src/lib.rs"),
    )
    .unwrap();
    scratch.run(&["dist"]).fails(2, &["package `tinyapp` has no binary"]);
    assert_eq!(scratch.stored("entries-v1"), [""; 0]);
}

#[test]
fn a_library_that_nobody_brings_is_told_before_anything_is_built() {
    let scratch = Scratch::new("nobody");
    // It looks for its library with pkg-config, as the crate of that name does.
    let seeker = "[build-dependencies]\npkg-config = { path = \"../pkg-config\" }\n[features]\nbundled = []\n";
    scratch.write_sys_crate("app/frob-sys", "frob", seeker);
    let finder = "[package]\nname = \"pkg-config\"\nversion = \"0.3.0\"\nedition = \"2024\"\n";
    scratch.write("app/pkg-config/Cargo.toml", finder);
    scratch.write("app/pkg-config/src/lib.rs", "");
    scratch.edit(
        "app/Cargo.toml",
        "[dependencies]",
        "[dependencies]\nfrob-sys = { path = \"frob-sys\" }",
    );
    let words = [
        "no recipe brings the C library `frob` for frob-sys 0.1.0",
        "frob-sys has the feature `bundled`",
        "recipes/libraries/frob.toml",
        "libraries.skip = [\"frob\"]",
    ];
    for command in ["dist", "sysroot", "fetch", "plan"] {
        scratch.run(&[command]).fails(1, &words);
    }
    assert_eq!(scratch.stored("entries-v1"), [""; 0]);
    assert_eq!(scratch.stored("downloads-v1"), [""; 0]);
    let skip = "[package.metadata.muslin]\nlibraries.skip = [\"frob\"]\n[workspace]";
    scratch.edit("app/Cargo.toml", "[workspace]", skip);
    scratch.run(&["sysroot"]).ok();
}

#[test]
fn offline_lists_all_that_is_missing() {
    let scratch = Scratch::new("offline");
    fs::rename(scratch.mirror(), scratch.at("away")).unwrap();
    fs::create_dir(scratch.mirror()).unwrap();
    scratch.write("recipes/libraries/second.toml", &scratch.library("second", "", "int second;\n"));
    for file in names(&scratch.mirror()) {
        fs::remove_file(scratch.mirror().join(file)).unwrap();
    }
    let words = [
        "offline, and the store has not:",
        "fake 1.0 (url https://fake.invalid/x.tar.gz)",
        "second 1.0 (url https://second.invalid/x.tar.gz)",
        "tiny 1.0 (url https://tiny.invalid/x.tar.gz)",
        "`cargo xtask fetch` brings all of it",
    ];
    scratch.run(&["sysroot", "tiny", "second", "--offline"]).fails(6, &words);
    scratch.run(&["dist", "--offline"]).fails(6, &[words[1], words[3]]);
    assert_eq!(scratch.stored("entries-v1"), [""; 0]);
    assert_eq!(scratch.stored("tmp"), [""; 0]);
}

#[test]
fn offline_after_fetch_needs_nothing() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("fetched");
    let run = scratch.run(&["fetch"]).ok();
    run.says("fake, tiny, the crates of tinyapp and rust-std");
    assert_eq!(scratch.stored("entries-v1"), [""; 0]);
    fs::remove_dir_all(scratch.mirror()).unwrap();
    scratch.run(&["fetch", "--offline"]).ok();
    scratch.run(&["dist", "--offline"]).ok();
}

#[test]
fn a_store_that_cannot_be_written_is_told() {
    let scratch = Scratch::new("unwritable");
    let file = scratch.at("file");
    fs::write(&file, "").unwrap();
    let place = file.join("store");
    let words =
        ["cannot write to the store", place.to_str().unwrap(), "`--store DIR` or MUSLIN_STORE"];
    scratch.run(&["sysroot", "tiny", "--store", place.to_str().unwrap()]).fails(1, &words);
    // The proc file system refuses everybody, root too.
    scratch.run(&["sysroot", "tiny", "--store", "/proc/store"]).fails(1, &words[..1]);
}

#[test]
fn a_store_whose_path_builds_would_misread_is_refused() {
    let scratch = Scratch::new("strange");
    for (name, word) in [("it's", "'\\''"), ("a:b", "':'"), ("$HOME", "'$'"), ("a#b", "'#'")] {
        let place = scratch.at(name);
        let arguments = ["sysroot", "tiny", "--store", place.to_str().unwrap()];
        scratch.run(&arguments).fails(2, &["which builds would misread", word]);
        assert!(!place.exists());
    }
}

/// A small file system of its own; gone when dropped.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(place: &'a Path, size: &str) -> Option<Self> {
        fs::create_dir_all(place).unwrap();
        let mut mount = process::command("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "muslin-test"]).arg(place);
        mount.output().is_ok_and(|output| output.status.success()).then_some(Self(place))
    }

    fn grow(&self, size: &str) {
        let mut mount = process::command("mount");
        Run::of(mount.args(["-o", &format!("remount,size={size}")]).arg(self.0)).ok();
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = process::command("umount").arg(self.0).output();
    }
}

#[test]
fn a_full_disk_is_told_and_the_next_run_carries_on() {
    let scratch = Scratch::new("full");
    let store = scratch.store();
    let Some(disk) = SmallDisk::mount(&store, "128k") else {
        return skip("a full disk: only root may mount a small file system");
    };
    // Compresses well: the archive has room, the file in it has not.
    let large = format!("/* {} */\nint large(void);\n", "x".repeat(400_000));
    scratch
        .write("recipes/libraries/large.toml", &scratch.library("large", &large, "int large;\n"));
    let run = scratch
        .run(&["sysroot", "large"])
        .fails(1, &["No space left on device", "help: make room"]);
    assert!(!run.stderr.contains("panicked"), "{}", run.all());
    assert_eq!(scratch.stored("tmp"), [""; 0]);
    assert!(scratch.stored("entries-v1").iter().all(|id| !id.starts_with("large-")));
    disk.grow("16m");
    scratch.run(&["sysroot", "large"]).ok();
}
