//! `cargo xtask store`: damage is found and made good, and nothing goes that is in use.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use rustix::fs::{FlockOperation, flock};

use crate::endings::{begun, slow, start, wait_for};
use crate::scratch::{Scratch, names};

fn flip_a_byte(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// A scratch workspace whose app's libraries are built.
fn built(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    scratch.run(&["sysroot"]).ok();
    scratch
}

#[test]
fn damage_of_each_kind_is_named_put_aside_and_made_good() {
    let scratch = built("verify");
    let sound = scratch.run(&["store", "verify", "--message-format", "json"]).ok();
    sound.says("4 entries and 2 downloads");
    sound.says("0 damaged, 0 unrecorded");
    assert!(sound.events("store-item").iter().all(|item| item["state"] == "sound"));

    flip_a_byte(&scratch.entry("tiny").join("outputs/lib/libtiny.a"));
    fs::write(scratch.entry("fake-1.0").join("outputs/bin/extra"), "").unwrap();
    let driver = scratch.entry("fake-driver").join("outputs/bin");
    fs::remove_file(driver.join("x86_64-unknown-linux-musl-ar")).unwrap();
    let cc = driver.join("x86_64-unknown-linux-musl-cc");
    fs::set_permissions(cc, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(scratch.entry("sysroot").join("outputs.sha256"), "torn").unwrap();
    let downloads = scratch.store().join("downloads-v1");
    let download =
        fs::read_dir(&downloads).unwrap().flatten().find(|it| it.path().is_dir()).unwrap();
    flip_a_byte(&fs::read_dir(download.path()).unwrap().next().unwrap().unwrap().path());

    let run = scratch.run(&["store", "verify", "--message-format", "json"]);
    let run = run.fails(
        4,
        &[
            "changed: lib/libtiny.a",
            "extra: bin/extra",
            "missing: bin/x86_64-unknown-linux-musl-ar",
            "changed: bin/x86_64-unknown-linux-musl-cc was a program, is a file that is no program",
            "its record is not a listing",
            "hashes to sha256:",
            "5 things in the store were damaged",
        ],
    );
    let damaged: Vec<_> =
        run.events("store-item").into_iter().filter(|item| item["state"] == "damaged").collect();
    assert_eq!(damaged.len(), 5, "{damaged:?}");
    for item in damaged {
        let moved_to = item["moved_to"].as_str().unwrap();
        assert!(Path::new(moved_to).exists(), "{moved_to}");
    }
    assert_eq!(scratch.stored("entries-v1"), [""; 0]);

    scratch.forget();
    scratch.run(&["sysroot"]).ok();
    assert_eq!(scratch.compiled_files(), ["one.c", "two.c"]);
    scratch.run(&["store", "verify"]).ok().says("4 entries and 2 downloads");
}

#[test]
fn an_entry_without_a_record_is_told_and_not_judged() {
    let scratch = built("unrecorded");
    let tiny = scratch.entry("tiny");
    fs::remove_file(tiny.join("outputs.sha256")).unwrap();
    let run = scratch.run(&["store", "verify"]).ok();
    run.says(tiny.file_name().unwrap().to_str().unwrap());
    run.says("0 damaged, 1 unrecorded");
    fs::write(tiny.join("fingerprint.txt"), "of another").unwrap();
    scratch.run(&["store", "verify"]).fails(4, &["fingerprint.txt is not that of its name"]);
    assert!(!tiny.exists());
}

#[test]
fn a_second_damage_of_the_same_entry_finds_a_place_too() {
    let scratch = built("twice");
    for _ in 0..2 {
        flip_a_byte(&scratch.entry("tiny").join("outputs/lib/libtiny.a"));
        fs::remove_dir_all(scratch.entry("sysroot")).unwrap();
        scratch.run(&["store", "verify"]).fails(4, &["1 thing in the store was damaged"]);
        scratch.run(&["sysroot"]).ok();
    }
    assert_eq!(scratch.stored("quarantine-v1").len(), 2);
}

#[test]
fn what_no_plan_reaches_goes_and_the_rest_is_fresh() {
    let scratch = built("gc");
    let [tiny, sysroot] = ["tiny", "sysroot"].map(|name| scratch.entry(name));
    scratch.edit("recipes/libraries/tiny.toml", "TINY_STEP = 2", "TINY_STEP = 3");
    scratch.run(&["sysroot"]).ok();
    fs::write(scratch.store().join("quarantine-v1/x.partial"), "half").unwrap();

    let list = scratch.run(&["store", "list", "--message-format", "json"]).ok();
    let users = |name: &Path| {
        let items = list.events("store-item");
        let item = items.into_iter().find(|item| item["path"] == name.to_str().unwrap()).unwrap();
        item["reached_by"].to_string()
    };
    assert_eq!(users(&tiny), "[]");
    let driver = scratch.entry("fake-driver");
    assert_eq!(users(&driver), "[\"tinyapp (x86_64-unknown-linux-musl)\"]");

    let before = names(&scratch.store().join("entries-v1"));
    let dry = scratch.run(&["store", "gc", "--dry-run", "--message-format", "json"]).ok();
    assert_eq!(dry.events("store-removed").len(), 3);
    assert_eq!(names(&scratch.store().join("entries-v1")), before);

    let run = scratch.run(&["store", "gc", "--message-format", "json"]).ok();
    assert_eq!(
        run.events("store-freed")[0]["freed_bytes"],
        dry.events("store-freed")[0]["freed_bytes"]
    );
    assert!(!tiny.exists() && !sysroot.exists());
    assert_eq!(scratch.stored("quarantine-v1"), [""; 0]);
    assert_eq!(scratch.stored("entries-v1").len(), before.len() - 2);
    scratch.forget();
    scratch.run(&["sysroot"]).ok();
    assert_eq!(scratch.compiled(), [""; 0]);
}

#[test]
fn a_root_dies_with_its_manifest_and_a_store_without_roots_is_not_emptied_by_mistake() {
    let scratch = built("roots");
    fs::remove_file(scratch.workspace().join("app/Cargo.toml")).unwrap();
    scratch.run(&["store", "gc"]).fails(2, &["no plan is known", "--older-than"]);
    assert_eq!(scratch.stored("entries-v1").len(), 4);
    scratch.run(&["store", "gc", "--older-than", "1d"]).ok().says("Freed 0 B");
    assert_eq!(scratch.stored("roots-v1"), [""; 0]);
    scratch.run(&["store", "gc", "--max-size", "0B"]).ok().says("0 B stay");
    assert_eq!(scratch.stored("entries-v1"), [""; 0]);
    assert_eq!(scratch.stored("downloads-v1"), [""; 0]);
}

#[test]
fn the_longest_unused_goes_first() {
    let scratch = built("lru");
    let tiny = scratch.entry("tiny");
    let month = std::time::Duration::from_secs(31 * 86_400);
    let then = std::time::SystemTime::now() - month;
    File::open(&tiny).unwrap().set_modified(then).unwrap();
    scratch.run(&["store", "gc", "--older-than", "30d"]).ok();
    assert!(!tiny.exists());
    assert_eq!(scratch.stored("entries-v1").len(), 3);
    // A command that uses an entry makes it young again.
    let driver = scratch.entry("fake-driver");
    File::open(&driver).unwrap().set_modified(then).unwrap();
    scratch.run(&["sysroot"]).ok();
    scratch.run(&["store", "gc", "--older-than", "30d"]).ok().says("Freed 0 B");
    assert!(driver.exists());
}

#[test]
fn gc_waits_for_a_build_and_a_build_for_gc() {
    let scratch = slow("gc-waits");
    let mut build = start(&scratch, "log");
    wait_for("the build", || begun(&scratch) == 1);
    let log = File::create(scratch.at("gc")).unwrap();
    let mut gc = scratch.command(&["store", "gc", "--max-size", "0B"]);
    let mut gc = gc.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let says = |log: &str| fs::read_to_string(scratch.at(log)).unwrap_or_default();
    wait_for("gc", || says("gc").contains("Waiting for another process that uses the store"));
    assert!(scratch.entry("tiny").exists());
    fs::write(scratch.at("go"), "").unwrap();
    let status = build.wait().unwrap();
    assert!(status.success(), "{}", says("log"));
    assert!(gc.wait().unwrap().success(), "{}", says("gc"));
    assert_eq!(scratch.stored("entries-v1"), [""; 0]);

    let lock = File::open(scratch.store().join("locks-v1/store.lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let mut build = start(&scratch, "log");
    wait_for("the build", || {
        says("log").contains("Waiting for another process that clears the store up")
    });
    drop(lock);
    assert!(build.wait().unwrap().success(), "{}", says("log"));
}

#[test]
fn an_entry_that_somebody_works_on_is_left_alone() {
    let scratch = built("held");
    let tiny = scratch.entry("tiny");
    let id = tiny.file_name().unwrap().to_str().unwrap().to_owned();
    let lock = File::open(scratch.store().join(format!("locks-v1/{id}.lock"))).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let run = scratch.run(&["store", "gc", "--max-size", "0B"]).ok();
    run.says(&format!("{id} is in use: left alone"));
    assert_eq!(scratch.stored("entries-v1"), [id]);
}
