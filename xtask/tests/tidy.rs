//! Every written rule is a test, and the rules have tests.
//!
//! A rule is a pure function of a file's path and text (`tidy/rules`, `tidy/documents.rs`); this file
//! applies them to what git tracks, `tidy/samples.rs` to text that breaks them.
#![allow(clippy::disallowed_methods, reason = "tests start git and cargo for themselves")]

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/licenses.rs"]
mod licenses;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/samples.rs"]
mod samples;
#[path = "tidy/words.rs"]
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where, and what is wrong there: one line.
type Findings = Vec<String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// Paths that git tracks, and new ones that it does not ignore; none where there is no git.
fn tracked() -> Vec<String> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).current_dir(root()).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8(text).unwrap();
    text.lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect()
}

/// Applies a rule to the tracked files that it is for.
fn apply(is_for: impl Fn(&str) -> bool, rule: impl Fn(&str, &str) -> Findings) {
    let mut findings = Findings::new();
    for path in tracked().into_iter().filter(|path| is_for(path)) {
        let bytes = fs::read(root().join(&path)).unwrap();
        findings.extend(rule(&path, &String::from_utf8_lossy(&bytes)));
    }
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

fn is_rust(path: &str) -> bool {
    path.ends_with(".rs")
}

fn is_source(path: &str) -> bool {
    is_rust(path) && path.contains("/src/")
}

fn is_xtask(path: &str) -> bool {
    is_rust(path) && path.starts_with("xtask/src/")
}

#[test]
fn modules_use_only_what_is_declared_above_them() {
    let modules = rules::modules(&read("xtask/src/lib.rs"));
    assert!(modules.len() > 10, "{modules:?}");
    apply(is_xtask, |path, text| rules::layers(&modules, path, text));
}

#[test]
fn effects_go_through_their_doors() {
    apply(is_xtask, rules::doors);
}

#[test]
fn files_and_functions_fit_a_reader() {
    apply(is_rust, rules::lengths);
    // A program of the catalogue is one file.
    let is_main = |path: &str| path.ends_with("/main.rs") && path.contains("src/");
    apply(|path| is_main(path) && !path.contains("/catalogue/"), rules::short_main);
}

#[test]
fn every_file_says_what_it_is_for() {
    apply(is_rust, rules::opening);
}

#[test]
fn nothing_panics_on_purpose() {
    apply(is_source, rules::panics);
}

#[test]
fn files_are_named_for_what_they_hold() {
    apply(is_rust, |path, _| rules::names(path));
}

#[test]
fn text_is_clean() {
    apply(|path| is_rust(path) || path.ends_with(".toml"), words::white_space);
    apply(|_| true, words::tracked);
    apply(|path| !path.ends_with("Cargo.lock"), words::hosts);
    apply(|path| !path.contains("/tests/"), words::machine_paths);
}

#[test]
fn the_app_knows_nothing_of_its_builder() {
    apply(|path| path.starts_with("app/"), words::builder);
}

#[test]
fn every_digest_says_where_it_was_seen() {
    apply(|path| path.starts_with("recipes/") && path.ends_with(".toml"), documents::digests);
}

#[test]
fn every_dependency_is_used() {
    let sources: Vec<_> = tracked()
        .iter()
        .filter(|path| is_xtask(path))
        .map(|path| code::only(&read(path)))
        .collect();
    if sources.is_empty() {
        return;
    }
    let findings = documents::dependencies(&read("xtask/Cargo.toml"), &sources.concat());
    assert!(findings.is_empty(), "{findings:?}");
}

#[test]
fn the_documents_keep_up_with_the_code() {
    use clap::CommandFactory as _;
    let command = xtask::cli::Cli::command();
    let commands: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
    let modules = rules::modules(&read("xtask/src/lib.rs"));
    let mut findings = documents::readme(&read("README.md"), &commands, &read("xtask/src/exit.rs"));
    findings.extend(documents::architecture(&read("ARCHITECTURE.md"), &modules));
    findings.extend(documents::changelog(&read("CHANGELOG.md")));
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// cargo-deny is not everywhere; what it would say of licences is checked here too.
#[test]
fn every_license_in_the_graph_is_allowed() {
    let arguments = ["metadata", "--offline", "--locked", "--format-version", "1"];
    let cargo = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    if !cargo.status.success() {
        // Without a network, cargo knows only crates that were fetched before.
        return;
    }
    let metadata = serde_json::from_slice(&cargo.stdout).unwrap();
    let findings = licenses::findings(&read("deny.toml"), &metadata);
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
