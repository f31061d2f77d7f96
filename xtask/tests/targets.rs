//! Every target of the table: the sample app's programs and the probes, built by `dist` and used on the
//! oldest CPU that the target promises, in QEMU's user mode. And the README's table of targets, which is
//! made from recipes/targets.toml and from what was measured then (`targets/results.toml`).
//!
//! The first takes minutes for each target, so it runs with `cargo xtask test --all` (MUSLIN_TEST_ALL
//! and MUSLIN_TEST_SLOW), with the store of MUSLIN_STORE. MUSLIN_TEST_TARGETS names some of them, with
//! blanks between, MUSLIN_TEST_TOOLCHAIN another toolchain than zig's. With MUSLIN_BLESS=1 it writes
//! what it measured, and the other test the table.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test drives the program from outside"
)]

#[path = "targets/results.rs"]
mod results;
#[path = "programs/tls.rs"]
mod tls;
#[path = "targets/used.rs"]
mod used;

use std::path::PathBuf;

use results::Results;
use xtask::process::env_var;
use xtask::recipe::Recipes;
use xtask::target::Target;

fn checkout() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// In the order of the file, which is the order in which people read them.
fn targets() -> Vec<Target> {
    let recipes = Recipes::load(&checkout()).unwrap();
    let text = std::fs::read_to_string(checkout().join("recipes/targets.toml")).unwrap();
    let mut targets: Vec<Target> = recipes.targets.into_values().collect();
    targets.sort_by_key(|target| text.find(&format!("\n[{}]\n", target.triple)));
    targets
}

#[test]
fn every_target_is_built_and_used_on_its_oldest_cpu() {
    let is_on = ["MUSLIN_TEST_ALL", "MUSLIN_TEST_SLOW", "MUSLIN_STORE"]
        .iter()
        .all(|variable| env_var(variable).is_some());
    if !is_on {
        eprintln!("NOT RUN: targets: run `cargo xtask test --all`");
        return;
    }
    let named = env_var("MUSLIN_TEST_TARGETS").unwrap_or_default();
    let is_named = |target: &&Target| {
        named.is_empty() || named.split_whitespace().any(|name| name == target.triple)
    };
    let targets = targets();
    let mut results = Results::read();
    let mut wrong = Vec::new();
    for target in targets.iter().filter(is_named) {
        match used::build_and_use(target) {
            Ok(result) => {
                eprintln!("{}: {result}", target.triple);
                results.set(&target.triple, result);
            }
            Err(why) => {
                eprintln!("{}: WRONG: {why}", target.triple);
                wrong.push(format!("{}: {why}", target.triple));
            }
        }
        // What is known so far is kept: the whole takes an hour.
        if env_var("MUSLIN_BLESS").is_some() {
            results.write();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_in_the_readme_is_of_these_targets() {
    const MARKS: [&str; 2] = ["<!-- targets: made by xtask/tests/targets.rs -->\n", "<!-- end -->"];
    let path = checkout().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let begin = readme.find(MARKS[0]).expect("a mark") + MARKS[0].len();
    let end = begin + readme[begin..].find(MARKS[1]).expect("another mark");
    let table = Results::read().table(&targets());
    if env_var("MUSLIN_BLESS").is_some() {
        std::fs::write(&path, format!("{}{table}{}", &readme[..begin], &readme[end..])).unwrap();
        return;
    }
    assert_eq!(&readme[begin..end], table, "run it with MUSLIN_BLESS=1");
}
