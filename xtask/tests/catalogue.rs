//! Every library of the catalogue, used by a published crate: `catalogue/<library>` is a program that
//! does something with it and asserts what came out; its package is `with-<library>`, as the library
//! itself is often the name of a crate. Here it is built with `cargo xtask dist`, and run
//! in a root that holds nothing but the program and an empty `/tmp`.
//!
//! They need a store and the registry, so they run with `MUSLIN_TEST_ALL=1` and with the store of
//! `MUSLIN_STORE`, all but a few with `MUSLIN_TEST_SLOW=1` too; without, each says that it did not
//! run. One alone: `cargo test -p xtask --test catalogue -- bzip2`. The core of them is used on CPUs of
//! every kind, in QEMU's user mode; MUSLIN_TEST_TARGETS names some, MUSLIN_TEST_LIBRARIES other
//! libraries than the core, with blanks between.
//! MUSLIN_TEST_TOOLCHAIN names another toolchain than zig's.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test drives the program from outside"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use xtask::emulator::Emulator;
use xtask::layout::remove_tree;
use xtask::recipe::Recipes;
use xtask::target::HOST;

/// A test for each program, by its name, which is the recipe's with `_` for `-`.
macro_rules! programs {
    ($($name:ident)*) => {
        const PROGRAMS: &[&str] = &[$(stringify!($name)),*];
        $(#[test]
        fn $name() {
            run(&stringify!($name).replace('_', "-"));
        })*
    };
}

programs! {
    brotli
    bzip2
    c_ares
    curl
    cyrus_sasl
    expat
    freetype
    gmp
    jemalloc
    krb5
    libarchive
    libblkid
    libcap
    libevent
    libffi
    libgit2
    libjpeg_turbo
    libpng
    libpq
    librdkafka
    libseccomp
    libsodium
    libssh2
    libuuid
    libuv
    libwebp
    libxml2
    lmdb
    lz4
    mariadb_connector_c
    mimalloc
    mpc
    mpfr
    ncurses
    nghttp2
    oniguruma
    pcre2
    readline
    rocksdb
    snappy
    xz
    zlib_ng
    zeromq
    zstd
}

/// One of each builder: these run with every `cargo xtask test`, the others with `--all`.
const QUICK: &[&str] = &["bzip2", "libffi", "libjpeg-turbo", "pcre2", "zstd"];

/// The core of the catalogue, beside those of [`ELSEWHERE`].
const CORE: [&str; 5] = ["zstd", "curl", "libpq", "libgit2", "snappy"];

/// CPUs of every kind: 32 and 64 bits, both byte orders, with and without a unit for fractions.
const OTHER_CPUS: [&str; 7] = [
    "i586-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "armv5te-unknown-linux-musleabi",
    "mipsel-unknown-linux-musl",
    "riscv64gc-unknown-linux-musl",
    "powerpc64-unknown-linux-musl",
    "s390x-unknown-linux-musl",
];

/// Libraries that other tests link and use.
const ELSEWHERE: &[&str] = &["libcxx", "openssl", "sqlite", "zlib"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalogue")
}

/// Without the libraries that are the C runtime of some targets.
fn recipes() -> Recipes {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut recipes = Recipes::load(checkout).unwrap();
    for name in recipes.rust_std.iter().flat_map(|std| &std.runtime) {
        recipes.libraries.remove(name);
    }
    recipes
}

#[test]
fn every_library_has_a_program() {
    let names: BTreeSet<String> = PROGRAMS.iter().map(|name| name.replace('_', "-")).collect();
    let is_member = |path: &PathBuf| path.join("Cargo.toml").exists();
    let items = fs::read_dir(folder()).unwrap().map(|item| item.unwrap().path());
    let folders: BTreeSet<String> = items
        .filter(is_member)
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "together")
        .collect();
    assert_eq!(names, folders, "the list here, and the folders in tests/catalogue");
    let covered: BTreeSet<String> =
        names.into_iter().chain(ELSEWHERE.iter().map(|&name| name.to_owned())).collect();
    let libraries: BTreeSet<String> = recipes().libraries.into_keys().collect();
    assert_eq!(covered, libraries, "programs, and recipes/libraries");
}

/// The table is written by a run that built all of them; what it says of each must still be so.
#[test]
fn the_table_of_libraries_is_of_these_recipes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/libraries.md");
    let text = fs::read_to_string(path).unwrap();
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    let told: Vec<_> = rows.iter().map(|row| cells(row)[1..7].to_vec()).collect();
    let expected: Vec<Vec<String>> = recipes()
        .libraries
        .into_values()
        .map(|it| {
            let builder = it.build.name().to_owned();
            vec![it.name, it.version, it.description, it.links.join(", "), it.license, builder]
        })
        .collect();
    let mut sorted = told.clone();
    sorted.sort();
    let how = "write it again: cargo xtask sysroot --all --table docs/libraries.md";
    assert_eq!(sorted, expected, "{how}");
}

/// Builds the program of a library, runs it, and looks up the library in the manifest.
fn run(name: &str) {
    let is_on = std::env::var_os("MUSLIN_TEST_ALL").is_some();
    if !is_on || std::env::var_os("MUSLIN_STORE").is_none() {
        eprintln!("NOT RUN: `{name}` needs MUSLIN_TEST_ALL=1 and a store in MUSLIN_STORE");
        return;
    }
    if !QUICK.contains(&name) && std::env::var_os("MUSLIN_TEST_SLOW").is_none() {
        eprintln!("NOT RUN: `{name}` needs MUSLIN_TEST_SLOW=1, as with `cargo xtask test --all`");
        return;
    }
    let version = recipes().libraries[name].version.clone();
    let variables = [("MUSLIN_VERSION", version.clone())];
    let manifest = build_and_run(name, "release", HOST, &variables);
    assert_linked(name, &version, &manifest);
}

/// The library is linked, from its recipe, and nothing was compiled by a crate.
fn assert_linked(name: &str, version: &str, manifest: &serde_json::Value) {
    let libraries = manifest["libraries"].as_array().unwrap();
    let is_ours = |it: &&serde_json::Value| it["name"] == name && it["version"] == version;
    assert!(libraries.iter().any(|it| is_ours(&it)), "{name} {version} in {libraries:?}");
    let bundled = manifest["bundled"].as_array().unwrap();
    assert!(bundled.is_empty(), "compiled by crates: {bundled:?}");
    assert_eq!(manifest["host"], "hidden", "what a build saw of the machine");
}

/// One program does what those of two dozen libraries do, and works however it is compiled: with
/// debug information and without, with each kind of link-time optimisation, and with panics that
/// unwind (all but `fat`) or abort.
#[test]
fn many_libraries_in_one_program() {
    if std::env::var_os("MUSLIN_TEST_SLOW").is_none() || std::env::var_os("MUSLIN_STORE").is_none()
    {
        eprintln!(
            "NOT RUN: many libraries in one program need MUSLIN_TEST_SLOW=1 and MUSLIN_STORE"
        );
        return;
    }
    let libraries = recipes().libraries.into_values();
    let versions: Vec<_> = libraries.map(|it| format!("{}={}", it.name, it.version)).collect();
    for profile in ["dev", "off", "thin", "fat"] {
        let manifest =
            build_and_run("together", profile, HOST, &[("MUSLIN_VERSIONS", versions.join(" "))]);
        let count = manifest["libraries"].as_array().unwrap().len();
        assert!(count >= 24, "{profile}: only {count} libraries");
    }
}

/// With what they link: zlib, OpenSSL, c-ares, nghttp2, brotli, libssh2, and C++ in snappy. SQLite
/// and OpenSSL again are in the sample app, which `targets` uses on every target.
#[test]
fn the_core_on_other_cpus() {
    let is_on = ["MUSLIN_TEST_ALL", "MUSLIN_TEST_SLOW", "MUSLIN_STORE"]
        .iter()
        .all(|variable| std::env::var_os(variable).is_some());
    if !is_on {
        return eprintln!("NOT RUN: other CPUs: run `cargo xtask test --all`");
    }
    let named = std::env::var("MUSLIN_TEST_TARGETS").unwrap_or_default();
    let recipes = recipes();
    let chosen = std::env::var("MUSLIN_TEST_LIBRARIES").unwrap_or_default();
    let libraries = match chosen.split_whitespace().collect::<Vec<_>>() {
        none if none.is_empty() => CORE.to_vec(),
        chosen => chosen,
    };
    let mut wrong = Vec::new();
    for triple in OTHER_CPUS {
        if !named.is_empty() && !named.split_whitespace().any(|name| name == triple) {
            continue;
        }
        for name in &libraries {
            let version = &recipes.libraries[*name].version;
            let variables = [("MUSLIN_VERSION", version.clone())];
            match try_to_build_and_run(name, "release", triple, &variables) {
                Ok(manifest) => {
                    assert_linked(name, version, &manifest);
                    eprintln!("{triple}: {name} {version}");
                }
                Err(why) => {
                    eprintln!("{triple}: {name} {version}: WRONG: {why}");
                    wrong.push(format!("{triple}: {name}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Builds a program and runs it with some variables; returns the manifest.
fn build_and_run(
    name: &str,
    profile: &str,
    triple: &str,
    variables: &[(&str, String)],
) -> serde_json::Value {
    try_to_build_and_run(name, profile, triple, variables).unwrap_or_else(|why| panic!("{why}"))
}

fn try_to_build_and_run(
    name: &str,
    profile: &str,
    triple: &str,
    variables: &[(&str, String)],
) -> Result<serde_json::Value, String> {
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("catalogue");
    let out = work.join("out").join(name);
    remove_tree(&out).unwrap();
    let find = || Emulator::find(&recipes().targets[triple].emulator);
    let emulator = (triple != HOST).then(find).transpose().map_err(|it| it.to_string())?;
    let output = dist(name, profile, triple, &work.join("target"), &out);
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{profile}: {said}"));
    }
    let program = String::from_utf8_lossy(&output.stdout).lines().next().unwrap().to_owned();
    let root = work.join("root").join(name);
    let output = in_empty_root(&root, Path::new(&program), emulator.as_ref(), variables);
    if !output.status.success() {
        // A program that compares much says much.
        let said: String = String::from_utf8_lossy(&output.stderr).chars().take(2000).collect();
        return Err(format!("{program}, {triple}, {profile}: {}: {said}", output.status));
    }
    let manifest = fs::read(out.join("manifest.json")).unwrap();
    Ok(serde_json::from_slice(&manifest).unwrap())
}

fn dist(name: &str, profile: &str, triple: &str, target: &Path, out: &Path) -> Output {
    // They share a target folder, where one waits for the other anyway.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(|failed| failed.into_inner());
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .current_dir(checkout)
        .args(["dist", "--package", &format!("with-{name}"), "--profile", profile])
        .args(["--target", triple])
        .args(named_toolchain())
        .arg("--manifest-path")
        .arg(folder().join("Cargo.toml"))
        .arg("--out-dir")
        .arg(out)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap()
}

/// `--toolchain` and the one that MUSLIN_TEST_TOOLCHAIN names.
fn named_toolchain() -> Vec<String> {
    let name = std::env::var("MUSLIN_TEST_TOOLCHAIN").ok();
    name.into_iter().flat_map(|name| ["--toolchain".to_owned(), name]).collect()
}

/// Runs a program where there is nothing else. It learns the recipes' versions by variables.
fn in_empty_root(
    root: &Path,
    program: &Path,
    emulator: Option<&Emulator>,
    variables: &[(&str, String)],
) -> Output {
    remove_tree(root).unwrap();
    fs::create_dir_all(root.join("tmp")).unwrap();
    // No copy: another test's child could still have it open for writing when it is to start.
    fs::hard_link(program, root.join("program")).unwrap();
    // With a user namespace this needs no root.
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "chroot"]).arg(root);
    if let Some(emulator) = emulator {
        fs::copy(&emulator.program, root.join("emulator")).unwrap();
        command.arg("/emulator").args(&emulator.arguments);
    }
    command.arg("/program");
    let output = command
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .unwrap();
    remove_tree(root).unwrap();
    output
}
