//! Archives that mean harm, made in code, and good ones that only look odd.
//!
//! After every hostile one: the error has the words it should, nothing around the destination has
//! changed, and the destination is not there.
#![allow(clippy::disallowed_methods, reason = "tests have no store")]

#[path = "hostile/good.rs"]
mod good;
#[path = "hostile/inner.rs"]
mod inner;
#[path = "hostile/omit.rs"]
mod omit;
#[path = "hostile/pack.rs"]
mod pack;
#[path = "hostile/scratch.rs"]
mod scratch;
#[path = "hostile/streams.rs"]
mod streams;
#[path = "hostile/tarball.rs"]
mod tarball;
#[path = "hostile/tars.rs"]
mod tars;
#[path = "hostile/zipfile.rs"]
mod zipfile;
#[path = "hostile/zips.rs"]
mod zips;

use std::fs;
use std::path::Path;

use scratch::{Scratch, picture};
use xtask::exit::{Exit, Failure};
use xtask::unpack::{MODIFIED, Summary};

/// A name, the bytes, and words that the error must have.
type Case = (&'static str, Vec<u8>, &'static str);

/// Where some archives would like to write.
const OUTSIDE: &str = "/tmp/muslin-hostile-escape";

fn refuse(cases: Vec<Case>, at_least: usize) {
    assert!(cases.len() >= at_least, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for (name, bytes, expected) in cases {
        let scratch = Scratch::new();
        fs::write(scratch.0.join("archive.bin"), "").unwrap();
        let before = scratch.surroundings();
        let result = scratch.unpack(&bytes, None);
        assert_eq!(scratch.surroundings(), before, "{name} changed its surroundings");
        assert!(!scratch.dest().exists(), "{name} left something behind");
        assert!(!Path::new(OUTSIDE).exists(), "{name} got out");
        match result {
            Ok(summary) => wrong.push(format!("{name}: unpacked, {summary:?}")),
            Err(error) => {
                let failure = Failure::find(&error).expect("a failure");
                assert_eq!(failure.exit, Exit::Failed);
                let text = error.to_string();
                assert!(text.starts_with("cannot unpack archive.bin: "), "{name}: {text}");
                assert!(text.len() < 700, "{name}: {text}");
                assert!(!text.chars().any(char::is_control), "{name}: {text:?}");
                if !text.contains(expected) {
                    wrong.push(format!("{name}: {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hostile_tars_are_refused() {
    refuse(tars::cases(), 100);
}

#[test]
fn hostile_zips_are_refused() {
    refuse(zips::cases(), 70);
}

#[test]
fn hostile_streams_are_refused() {
    refuse(streams::cases(), 35);
}

#[test]
fn good_archives_unpack_to_the_same_tree_twice() {
    for (name, bytes, root, expected) in good::cases() {
        let pictures = [0, 1].map(|_| {
            let scratch = Scratch::new();
            let result = scratch.unpack(&bytes, root);
            let summary = result.unwrap_or_else(|error| panic!("{name}: {error}"));
            let names: Vec<_> = fs::read_dir(scratch.0.join("work")).unwrap().collect();
            assert_eq!(names.len(), 2, "{name} left something beside");
            (picture(&scratch.dest()), summary)
        });
        assert_eq!(pictures[0], pictures[1], "{name}");
        let (picture, summary) = &pictures[0];
        assert_eq!(summary.entries as usize + 1, picture.len(), "{name}");
        for (path, (_, time, _)) in picture {
            assert_eq!(*time, MODIFIED, "{name}: {}", path.display());
        }
        let found: Vec<String> = picture
            .iter()
            .filter(|(path, _)| !path.as_os_str().is_empty())
            .map(|(path, (mode, _, content))| {
                let text = String::from_utf8_lossy(content);
                let text =
                    if text.len() > 40 { format!("{} bytes", text.len()) } else { text.into() };
                format!("{} {mode:o} {text}", path.display()).trim_end().to_owned()
            })
            .collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_root_that_selects_nothing_lists_what_is_there() {
    let bytes = good::two_tops();
    for (root, expected) in [
        ("nope", "there is no folder `nope` in it; its top level has: `docs`, `tool`, `top`"),
        ("top", "there is no folder `top` in it"),
        ("../x", "the root asked for: its name has a part `..`"),
        ("/etc", "the root asked for: its name is absolute"),
    ] {
        let scratch = Scratch::new();
        let error = scratch.unpack(&bytes, Some(root)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!scratch.dest().exists());
    }
    let summary = Scratch::new().unpack(&bytes, Some("tool")).unwrap();
    assert_eq!(summary, Summary { entries: 2, bytes: 4, skipped: 3 });
}

#[test]
fn what_is_not_selected_is_vetted_all_the_same() {
    let tar = tarball::Tar::new().file("p/a/x", "").link("p/b/l", "../../../canary").end();
    let error = Scratch::new().unpack(&tar, Some("a")).unwrap_err().to_string();
    assert!(error.contains("leads out"), "{error}");
    let entry = zipfile::Entry::stored("q/x", "data").with(|entry| entry.crc ^= 1);
    let zip = zipfile::zip(vec![zipfile::Entry::stored("p/x", ""), entry]).bytes();
    let error = Scratch::new().unpack(&zip, Some("p")).unwrap_err().to_string();
    assert!(error.contains("CRC is wrong"), "{error}");
    let tar = tarball::Tar::new().file("p/a/x", "").link("p/b/l", "../a/x").end();
    let error = Scratch::new().unpack(&tar, Some("b")).unwrap_err().to_string();
    assert!(error.contains("leads out"), "{error}");
}

#[test]
fn an_existing_destination_is_left_alone() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.dest()).unwrap();
    let error = scratch.unpack(&good::two_tops(), None).unwrap_err().to_string();
    assert!(error.contains("exists already"), "{error}");
    assert_eq!(fs::read_dir(scratch.dest()).unwrap().count(), 0);
}

/// Damaged copies of every good archive: no panic, no escape, nothing half-made. The generator is
/// seeded, so a failure can be had again.
#[test]
fn random_damage_never_escapes_and_never_panics() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let scratch = Scratch::new();
    fs::write(scratch.0.join("archive.bin"), "").unwrap();
    let before = scratch.surroundings();
    let good: Vec<_> = good::cases().into_iter().filter(|case| case.1.len() < 100_000).collect();
    for round in 0..600 {
        let (name, bytes, root, _) = &good[round % good.len()];
        let mut bytes = bytes.clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] ^= 1 << random(8),
                1 => bytes[at] = random(256) as u8,
                2 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, random(256) as u8),
            }
        }
        let done = scratch.unpack(&bytes, *root);
        assert_eq!(scratch.surroundings(), before, "round {round}, {name}");
        assert_eq!(done.is_ok(), scratch.dest().exists(), "round {round}, {name}");
        assert!(!Path::new(OUTSIDE).exists(), "round {round}, {name}");
        let _ = fs::remove_dir_all(scratch.dest());
    }
}
