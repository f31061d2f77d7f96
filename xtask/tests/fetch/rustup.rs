//! The sources of the standard library beside a Rust of rustup's, which here is a script.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use xtask::exit::{Exit, Failure};
use xtask::fetch::{Fetcher, Missing, Network};
use xtask::recipe::{Origin, Source};

use super::Bench;

const LIBRARY: &str = "lib/rustlib/src/rust/library";

fn origin(version: &str) -> Origin {
    Origin::Rustup { component: "rust-src".to_owned(), version: version.to_owned() }
}

/// An installation of Rust 1.2.3 with its sources.
fn install(bench: &Bench) -> PathBuf {
    let sysroot = bench.root.join("rustup-home/toolchains/stable");
    let library = sysroot.join(LIBRARY);
    fs::create_dir_all(library.join("std/src")).unwrap();
    fs::create_dir_all(sysroot.join("bin")).unwrap();
    fs::write(library.join("Cargo.lock"), "version = 4\n").unwrap();
    fs::write(library.join("std/src/lib.rs"), "#![no_core]\n").unwrap();
    let rustc = sysroot.join("bin/rustc");
    fs::write(&rustc, "#!/bin/sh\necho 'rustc 1.2.3 (0123456 2015-01-01)'\n").unwrap();
    fs::set_permissions(&rustc, Permissions::from_mode(0o755)).unwrap();
    sysroot
}

/// The source that pins what is installed, and a fetcher with an empty store.
fn pinned(bench: &Bench) -> (Source, Fetcher) {
    let digest = bench.fetcher().learn("std", &origin("1.2.3")).unwrap().unwrap();
    fs::remove_dir_all(bench.root.join("store")).unwrap();
    let source = Source {
        origin: origin("1.2.3"),
        digest,
        root: None,
        omit: vec![],
        target: None,
        inner: None,
    };
    (source, bench.fetcher())
}

#[test]
fn what_is_installed_is_taken_in_also_offline() {
    let bench = Bench::new("rustup-installed");
    let sysroot = install(&bench);
    let (source, mut fetcher) = pinned(&bench);
    // Neither modes nor times are part of it.
    let file = sysroot.join(LIBRARY).join("Cargo.lock");
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    fetcher.network = Network::Offline;
    let (_, archive) = fetcher.fetch("std", &[&source]).unwrap();
    assert_eq!(archive.served_by(), "rustup rust-src 1.2.3");
    assert_eq!(archive.file_name(), "rust-src-1.2.3.tar");
}

#[test]
fn a_changed_file_is_refused() {
    let bench = Bench::new("rustup-changed");
    let sysroot = install(&bench);
    let (source, mut fetcher) = pinned(&bench);
    fs::write(sysroot.join(LIBRARY).join("std/src/lib.rs"), "evil!();\n").unwrap();
    let error = fetcher.fetch("std", &[&source]).unwrap_err();
    let failure = error.downcast_ref::<Failure>().unwrap();
    assert_eq!(failure.exit, Exit::VerificationFailed, "{error:#}");
    assert!(failure.message.contains("rustup rust-src 1.2.3"), "{error:#}");
    fetcher.network = Network::Offline;
    let error = fetcher.fetch("std", &[&source]).unwrap_err();
    assert!(error.downcast_ref::<Missing>().is_some(), "{error:#}");
}

#[test]
fn a_rust_of_another_release_has_other_sources() {
    let bench = Bench::new("rustup-other");
    install(&bench);
    let said = bench.fetcher().learn("std", &origin("1.2.4")).unwrap().unwrap_err();
    assert_eq!(said, "there is no Rust 1.2.4 that rustup has installed");
}
