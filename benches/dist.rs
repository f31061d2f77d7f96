//! `cargo bench --package benches`: Muslin against plain cargo, side by side in one run.
//!
//! Both sides build the sample app with the same compiler, the same linker and the same profile,
//! from crates and sources that are on the machine already; downloads are not timed. Only ratios
//! mean anything: the machine is what it is. Prints a table in Markdown.
//!
//! `MUSLIN_BENCH_ROUNDS` sets how often the slow pairs are repeated (default 1), `MUSLIN_STORE`
//! a store whose downloads are used.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark prints, and starts what it compares"
)]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const TARGET: &str = "x86_64-unknown-linux-musl";
/// Entries of the store that hold compiled C, by the start of their names.
const COMPILED: [&str; 3] = ["openssl-", "sqlite-", "sysroot-"];
/// How often the pairs are repeated that take less than a second.
const QUICK_ROUNDS: usize = 10;

fn main() {
    let bench = Bench::prepare();
    let rounds = env::var("MUSLIN_BENCH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    println!("| what | Muslin | plain cargo | ratio |\n|---|---|---|---|");
    let cold = measure(
        rounds,
        || {
            bench.forget_compiled();
            bench.time(bench.dist(), Some(&bench.system))
        },
        || bench.time(bench.plain(&bench.vendored), Some(&bench.vendored)),
    );
    row("cold: C libraries and app, against `vendored` and `bundled`", &cold);
    let clean = measure(
        rounds.max(2),
        || bench.time(bench.dist(), Some(&bench.system)),
        || bench.time(bench.plain(&bench.system), Some(&bench.system)),
    );
    row("after `cargo clean`, against `cargo build` with the libraries in place", &clean);
    bench.time(bench.dist(), None);
    let again = measure(
        QUICK_ROUNDS,
        || bench.time(bench.dist(), None),
        || bench.time(bench.plain_with_dist_flags(), None),
    );
    row("nothing to do, against a `cargo build` with nothing to do", &again);
}

/// The folders and variables of both sides.
struct Bench {
    workspace: PathBuf,
    store: PathBuf,
    /// The sample app as it is: the C libraries come from the sysroot.
    system: PathBuf,
    /// The sample app with `vendored` and `bundled`: its crates compile the C libraries.
    vendored: PathBuf,
    variables: BTreeMap<PathBuf, BTreeMap<String, String>>,
}

impl Bench {
    fn prepare() -> Self {
        let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("run by cargo"));
        let workspace = package.parent().expect("a workspace").to_owned();
        let scratch = workspace.join("target/bench");
        let store = scratch.join("store");
        let mut bench = Self {
            system: scratch.join("system"),
            vendored: scratch.join("vendored"),
            workspace,
            store,
            variables: BTreeMap::new(),
        };
        if let Ok(other) = env::var("MUSLIN_STORE") {
            copy_downloads(Path::new(&other), &bench.store);
        }
        let (system, vendored) = (bench.system.clone(), bench.vendored.clone());
        bench.copy_app(&system, &[]);
        let features = [("openssl", "vendored"), ("rusqlite", "bundled")];
        bench.copy_app(&vendored, &features);
        for folder in [&system, &vendored] {
            let manifest = folder.join("Cargo.toml");
            run(bench.xtask(&["fetch", "--manifest-path"]).arg(&manifest));
            let mut command = bench.xtask(&["env", "--format", "json", "--manifest-path"]);
            let output = command.arg(&manifest).stderr(Stdio::inherit()).output().expect("env");
            assert!(output.status.success(), "`cargo xtask env` failed");
            bench.variables.insert(folder.clone(), parse(&output.stdout));
        }
        bench
    }

    /// Copies the sample app out of its workspace, so that its target folder is its own.
    fn copy_app(&self, to: &Path, features: &[(&str, &str)]) {
        let _ = fs::remove_dir_all(to);
        copy(&self.workspace.join("app"), to);
        let root = fs::read_to_string(self.workspace.join("Cargo.toml")).expect("Cargo.toml");
        let profile = root.find("[profile.release]").expect("a release profile");
        let profile = root[profile..].split("\n\n").next().unwrap_or_default();
        let mut manifest = fs::read_to_string(to.join("Cargo.toml")).expect("app/Cargo.toml");
        for field in ["edition", "rust-version", "license"] {
            let value = root.lines().find(|line| line.starts_with(field)).expect("a package field");
            manifest = manifest.replace(&format!("{field}.workspace = true"), value);
        }
        for (dependency, feature) in features {
            manifest = with_feature(&manifest, dependency, feature);
        }
        if !features.is_empty() {
            // Else the recipe's OpenSSL would take the vendored one's place.
            manifest.push_str("\n[package.metadata.muslin]\nlibraries.skip = [\"openssl\"]\n");
        }
        fs::write(to.join("Cargo.toml"), format!("{manifest}\n[workspace]\n\n{profile}\n"))
            .expect("written");
        fs::copy(self.workspace.join("Cargo.lock"), to.join("Cargo.lock")).expect("copied");
    }

    fn xtask(&self, words: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(&self.workspace).args(["xtask", "--quiet", "--store"]).arg(&self.store);
        command.args(words);
        command
    }

    fn dist(&self) -> Command {
        let mut command = self.xtask(&["dist", "--manifest-path"]);
        command.arg(self.system.join("Cargo.toml"));
        command
    }

    fn plain(&self, folder: &Path) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(folder).envs(&self.variables[folder]);
        command.args(["build", "--quiet", "--release", "--bins", "--target", TARGET]);
        command
    }

    /// Cargo with nothing to do: in a target folder of its own, since `dist` passes other flags.
    fn plain_with_dist_flags(&self) -> Command {
        let mut command = self.plain(&self.system);
        command.arg("--target-dir").arg(self.system.join("target-plain"));
        command
    }

    fn forget_compiled(&self) {
        for entry in fs::read_dir(self.store.join("entries-v1")).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap_or_default();
            if COMPILED.iter().any(|start| name.starts_with(start)) {
                fs::remove_dir_all(entry.path()).expect("removed");
            }
        }
    }

    /// How long a command takes, after the target folder of `clean` was removed.
    fn time(&self, mut command: Command, clean: Option<&Path>) -> Duration {
        if let Some(folder) = clean {
            let _ = fs::remove_dir_all(folder.join("target"));
        }
        let begin = Instant::now();
        run(&mut command);
        begin.elapsed()
    }
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status().expect("started");
    assert!(status.success(), "{command:?} failed");
}

/// Runs both sides by turns, so that what else the machine does falls on both.
fn measure(
    rounds: usize,
    mut ours: impl FnMut() -> Duration,
    mut theirs: impl FnMut() -> Duration,
) -> [Vec<Duration>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        times[0].push(ours());
        times[1].push(theirs());
    }
    times
}

fn row(what: &str, times: &[Vec<Duration>; 2]) {
    let middle = |times: &Vec<Duration>| {
        let mut sorted = times.clone();
        sorted.sort();
        sorted[sorted.len() / 2].as_secs_f64()
    };
    let [ours, theirs] = [middle(&times[0]), middle(&times[1])];
    println!("| {what} | {ours:.2} s | {theirs:.2} s | {:.2} |", ours / theirs);
}

/// Turns on a feature of a dependency that stands on one line of a manifest.
fn with_feature(manifest: &str, dependency: &str, feature: &str) -> String {
    let start = format!("{dependency} = ");
    let line = manifest.lines().find(|line| line.starts_with(&start)).expect("a dependency");
    let value = &line[start.len()..];
    let table = match value.strip_prefix('{') {
        Some(rest) => format!("{{ features = [\"{feature}\"],{rest}"),
        None => format!("{{ features = [\"{feature}\"], version = {value} }}"),
    };
    manifest.replacen(line, &format!("{start}{table}"), 1)
}

fn copy_downloads(from: &Path, to: &Path) {
    copy(&from.join("downloads-v1"), &to.join("downloads-v1"));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for item in fs::read_dir(from).into_iter().flatten().flatten() {
        let target = to.join(item.file_name());
        if item.path().is_dir() {
            copy(&item.path(), &target);
        } else {
            fs::copy(item.path(), &target).expect("copied");
        }
    }
}

/// Reads the flat JSON object that `cargo xtask env --format json` prints.
fn parse(json: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(json);
    let unquote = |word: &str| {
        let word = word.trim().trim_end_matches(',');
        word.trim_matches('"').replace("\\\"", "\"").replace("\\\\", "\\")
    };
    text.lines()
        .filter_map(|line| line.split_once("\": \""))
        .map(|(name, value)| (unquote(name), unquote(&format!("\"{value}"))))
        .collect()
}
