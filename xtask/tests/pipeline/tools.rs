//! Tools: made by Muslin, for the libraries that call them, and what is pinned is what they are.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::building::configured;
use crate::scratch::{ODD, Run, Scratch};
use xtask::digest::Digest;
use xtask::layout::{remove_tree, tree_listing};
use xtask::process;

fn built(run: Run) -> Vec<String> {
    let steps = run.ok().steps();
    steps.into_iter().filter(|(_, state)| state == "built").map(|(name, _)| name).collect()
}

const JSON: [&str; 2] = ["--message-format", "json"];

fn sysroot(scratch: &Scratch, library: &str) -> Run {
    scratch.run(&["sysroot", library, JSON[0], JSON[1]])
}

#[test]
fn a_library_that_only_compiles_has_no_tool() {
    let scratch = Scratch::new("no-tool");
    configured(&scratch, "");
    assert_eq!(built(sysroot(&scratch, "tiny")), ["fake", "fake-driver", "sysroot", "tiny"]);
    for tool in ["busybox", "make"] {
        let why = scratch.run(&["plan", "--why", tool]);
        why.fails(2, &[&format!("the plan has no step `{tool}`")]);
    }
}

#[test]
fn a_tool_is_made_fetched_and_told_only_for_what_calls_it() {
    let scratch = Scratch::in_folders("tool", ODD);
    configured(&scratch, "");
    let add = "\n[package.metadata.muslin]\nlibraries.add = [\"conf\"]\n";
    scratch.write_app("app", add);
    let plan = scratch.run(&["plan"]).ok().stdout;
    for tool in ["busybox", "make"] {
        assert!(plan.contains(&format!("to fetch  {tool} 1.0 from url https://{tool}.")), "{plan}");
    }
    let all = ["busybox", "conf", "fake", "fake-driver", "make", "sysroot"];
    assert_eq!(built(sysroot(&scratch, "conf")), all);
    // The program, its other names, and what was copied as it is.
    let outputs = scratch.entry("busybox").join("outputs");
    let program = outputs.join("bin/busybox");
    assert_eq!(fs::metadata(&program).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_link(outputs.join("bin/sh")).unwrap().to_str(), Some("busybox"));
    assert_eq!(fs::read_to_string(outputs.join("share/busybox/text")).unwrap(), "A text.\n");
    let said = Run::of(process::command(outputs.join("bin/echo")).arg("passed on")).ok().stdout;
    assert_eq!(said, "passed on\n");
    // With the library there, nothing needs its tools, nor their sources.
    for tool in ["busybox", "make"] {
        remove_tree(&scratch.entry(tool)).unwrap();
    }
    for item in scratch.stored("downloads-v1") {
        let path = scratch.store().join("downloads-v1").join(item);
        if path.is_dir() {
            remove_tree(&path).unwrap();
        }
    }
    remove_tree(&scratch.mirror()).unwrap();
    fs::create_dir(scratch.mirror()).unwrap();
    let run = sysroot(&scratch, "conf").ok();
    let steps = run.steps();
    assert_eq!((steps["make"].as_str(), steps["conf"].as_str()), ("unneeded", "fresh"));
    assert_eq!(built(run), [""; 0]);
    let plan = scratch.run(&["plan"]).ok().stdout;
    assert!(
        plan.contains("unneeded  make 1.0\n") && plan.contains("fresh     conf 1.0\n"),
        "{plan}"
    );
    let why = scratch.run(&["plan", "--why", "make"]).ok().stdout;
    assert_eq!(why, "make was never built in this store\n");
}

#[test]
fn what_a_library_sees_of_its_tools() {
    let scratch = Scratch::new("tool-path");
    let seen = scratch.at("seen");
    configured(&scratch, &format!("env > '{}'", seen.display()));
    sysroot(&scratch, "conf").ok();
    let text = fs::read_to_string(seen).unwrap();
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    // With a bare name there, scripts of autoconf would write scripts that cannot be run.
    assert_eq!((value("SHELL="), value("CONFIG_SHELL=")), (Some("sh"), None));
    let folders: Vec<&str> = value("PATH=").unwrap().split(':').collect();
    assert_eq!(folders.len(), 4, "{text}");
    assert!(folders[0].ends_with("/programs"), "the compilers that link: {text}");
    for (folder, step) in folders[1..].iter().zip(["fake-driver", "busybox", "make"]) {
        let place = scratch.store().join("entries-v1").join(format!("{step}-1.0-"));
        assert!(folder.starts_with(place.to_str().unwrap()), "{folder}");
        assert!(folder.ends_with("/outputs/bin"), "{folder}");
    }
    assert!(!text.contains("PERL"), "there is no perl: {text}");
}

/// Pins `make`'s digest.
fn pin(scratch: &Scratch, digest: &str) {
    let path = scratch.workspace().join("recipes/tools/make.toml");
    let text = fs::read_to_string(&path).unwrap();
    let unpinned = text.split("[digest]").next().unwrap();
    fs::write(path, format!("{unpinned}[digest]\nfake = \"{digest}\"\n")).unwrap();
}

#[test]
fn a_tool_that_is_not_what_is_pinned_is_never_used() {
    let scratch = Scratch::new("pinned");
    configured(&scratch, "");
    let run = scratch.run(&["sysroot", "conf", "-v"]).ok();
    run.says("Unpinned make 1.0 as fake makes it: sha256:");
    let before = scratch.stored("entries-v1");
    let wrong = "5".repeat(64);
    pin(&scratch, &wrong);
    let run = scratch.run(&["sysroot", "conf"]).fails(
        4,
        &[
            "make 1.0, made with fake, is not what its recipe pins",
            &format!("expected sha256:{wrong}"),
            "found sha256:",
            "in `[digest]` of recipes/tools/make.toml",
            "help: the step again: cargo xtask sysroot conf",
        ],
    );
    assert_eq!(scratch.stored("entries-v1"), before, "something is published");
    assert_eq!(scratch.stored("tmp"), [""; 0]);
    assert_eq!(scratch.stored("failed-v1").len(), 1);
    // It is wrong again, and not used from where it is kept.
    let again = scratch.run(&["sysroot", "conf"]).fails(4, &["expected sha256:"]);
    let found = |run: &Run| {
        let line = run.stderr.lines().find_map(|line| line.trim().strip_prefix("found sha256:"));
        line.unwrap().to_owned()
    };
    assert_eq!(found(&run), found(&again));

    pin(&scratch, &found(&run));
    let run = scratch.run(&["sysroot", "conf", "-v"]).ok();
    run.says(&format!("Verified make 1.0, sha256:{}", found(&again)));
    // The digest is that of a listing that anybody can make.
    let new: Vec<String> = scratch.stored("entries-v1");
    let new = new.iter().find(|id| id.starts_with("make-") && !before.contains(id)).unwrap();
    let outputs = scratch.store().join("entries-v1").join(new).join("outputs");
    let listing = tree_listing(&outputs).unwrap();
    assert_eq!(Digest::sha256_of(listing.as_bytes()).hex(), found(&again));

    // How it comes to be is no input of what calls it; with another pin, it is.
    scratch.edit(
        "recipes/tools/make.toml",
        "[build.compile]",
        "[build.compile]\nflags = [\"-O1\"]",
    );
    assert_eq!(built(sysroot(&scratch, "conf")), [""; 0]);
    pin(&scratch, &wrong);
    scratch.run(&["sysroot", "conf"]).fails(4, &["expected sha256:"]);
}
