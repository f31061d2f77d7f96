//! Programs that help cargo: they have cargo itself or its parts inside, with libcurl and libgit2.
//! They call the machine's Rust, so they run in its root, with a home folder of their own.

use std::fs;
use std::process::Command;

use crate::built::{Built, Program, said};
use crate::registry;
use crate::repository::Repository;
use crate::server::Server;

/// What both link.
const LIBRARIES: [&str; 11] = [
    "brotli: libbrotlicommon.a",
    "brotli: libbrotlidec.a",
    "curl: libcurl.a",
    "libgit2: libgit2.a",
    "libssh2: libssh2.a",
    "nghttp2: libnghttp2.a",
    "openssl: libcrypto.a",
    "openssl: libssl.a",
    "pcre2: libpcre2-8.a",
    "zlib: libz.a",
    "zstd: libzstd.a",
];

/// Makes a home folder for cargo that knows one registry, as `loopback`; returns its path.
fn home(built: &Built, registry: &Server) -> String {
    let text = format!("[registries.loopback]\nindex = \"{}\"\n", index(registry));
    built.write("home/config.toml", text);
    built.root.join("home").to_str().unwrap().to_owned()
}

/// Where a registry's index is, in cargo's words.
fn index(registry: &Server) -> String {
    format!("sparse+{}", registry.url(""))
}

/// A command with that home.
fn command(built: &Built, program: &str, home: &str) -> Command {
    let mut command = Command::new(built.executable(program));
    command.env("CARGO_HOME", home).env_remove("CARGO_TARGET_DIR").current_dir(&built.root);
    command
}

/// A repository with a crate: its address, and the ids of its two commits.
fn crate_of_git(built: &Built) -> (String, [String; 2]) {
    let folder = built.root.join("sprout");
    let repository = Repository::begin(&folder);
    repository.write("Cargo.toml", "[package]\nname = \"sprout\"\nversion = \"0.1.0\"\n");
    repository.write("src/lib.rs", "");
    repository.write("src/main.rs", "fn main() {}\n");
    let old = repository.commit("A sprout");
    repository.write("Cargo.toml", "[package]\nname = \"sprout\"\nversion = \"0.2.0\"\n");
    let new = repository.commit("It has grown");
    (format!("file://{}", folder.display()), [old, new])
}

#[test]
fn cargo_outdated() {
    let program =
        Program { name: "cargo-outdated", version: "0.19.0", arguments: &[], needs: &["git"] };
    let Some(built) = program.build() else { return };
    built.links("cargo-outdated", &LIBRARIES);
    built.has_copies_of(&["sqlite3"]);
    let registry = registry::serve("shuttle", &["1.0.0", "1.4.0", "2.1.0"]);
    let home = home(&built, &registry);
    let (url, _) = crate_of_git(&built);
    built.write(
        "app/Cargo.toml",
        format!(
            "[workspace]\n[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n\
             shuttle = {{ version = \"1\", registry = \"loopback\" }}\nsprout = {{ git = \"{url}\" }}\n"
        ),
    );
    built.write("app/src/main.rs", "fn main() {}\n");
    let (_, digest) = registry::packed("shuttle", "1.0.0");
    built.write(
        "app/Cargo.lock",
        format!(
            "version = 3\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"shuttle\"]\n\
             [[package]]\nname = \"shuttle\"\nversion = \"1.0.0\"\n\
             source = \"{}\"\nchecksum = \"{digest}\"\n",
            index(&registry)
        ),
    );
    let output = command(&built, "cargo-outdated", &home)
        .args(["outdated", "--format", "json", "--manifest-path"])
        .arg(built.root.join("app/Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let told = said(&output);
    for words in ["\"project\":\"1.0.0\"", "\"compat\":\"1.4.0\"", "\"latest\":\"2.1.0\""] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let paths: Vec<_> = registry.requests().into_iter().map(|it| it.path).collect();
    assert!(paths.iter().any(|path| path == "/sh/ut/shuttle"), "by libcurl: {paths:?}");
    let cloned = fs::read_dir(built.root.join("home/git/db")).unwrap().count();
    assert_eq!(cloned, 1, "by libgit2");
    built.done("what is outdated in a package, by a registry on the loopback and a git repository");
}

#[test]
fn cargo_update() {
    let program =
        Program { name: "cargo-update", version: "22.1.1", arguments: &[], needs: &["git"] };
    let Some(built) = program.build() else { return };
    built.links("cargo-install-update", &LIBRARIES);
    built.has_copies_of(&[]);
    let registry = registry::serve("shuttle", &["1.0.0", "1.4.0", "2.1.0"]);
    let home = home(&built, &registry);
    let (url, [old, new]) = crate_of_git(&built);
    built.write(
        "home/.crates.toml",
        format!(
            "[v1]\n\
             \"shuttle 1.0.0 ({})\" = [\"shuttle\"]\n\
             \"sprout 0.1.0 (git+{url}#{old})\" = [\"sprout\"]\n",
            index(&registry)
        ),
    );
    let output = command(&built, "cargo-install-update", &home)
        .args(["install-update", "--list", "--all", "--git"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let told = said(&output);
    let row = |name: &str| {
        let line = told.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("{name}: {told}")).split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(row("shuttle"), ["shuttle", "v1.0.0", "v2.1.0", "Yes"], "{told}");
    assert_eq!(row("sprout"), ["sprout", &old, &new, "Yes"], "{told}");
    built.done("what of the installed is old, by a registry on the loopback and a git repository");
}
