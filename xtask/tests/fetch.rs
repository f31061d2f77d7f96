//! Fetching against a loopback server that misbehaves, fake cargo and pip programs, and child
//! processes that are killed. No test needs the outside network.

#[path = "fetch/http.rs"]
mod http;
#[path = "fetch/origins.rs"]
mod origins;
#[path = "fetch/processes.rs"]
mod processes;
#[path = "fetch/real.rs"]
mod real;
#[path = "fetch/resume.rs"]
mod resume;
#[path = "fetch/rustup.rs"]
mod rustup;
#[path = "support/server.rs"]
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use xtask::digest::Digest;
use xtask::exit::{Exit, Failure};
use xtask::fetch::{Fetcher, Limits, Network, VerifiedArchive};
use xtask::layout::{Store, remove_tree};
use xtask::recipe::{Origin, Source};

/// A folder of its own for a test, with a store in it; gone when dropped.
struct Bench {
    root: PathBuf,
}

impl Bench {
    fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fetch-{name}"));
        remove_tree(&root).unwrap();
        fs::create_dir_all(root.join("apt")).unwrap();
        Self { root }
    }

    fn store(&self) -> Store {
        Store::open(&self.root.join("store")).unwrap()
    }

    /// A fetcher with short limits that knows nothing of this machine's cargo, pip and apt.
    fn fetcher(&self) -> Fetcher {
        let mut fetcher = Fetcher::new(self.store(), Network::Online, vec![], &self.root);
        fetcher.limits = Limits {
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(5),
            size_bytes: 1 << 20,
            tries: 4,
            backoff: Duration::from_millis(1),
            retry_after_max: Duration::from_secs(2),
        };
        fetcher.cargo = self.root.join("no-cargo");
        fetcher.cargo_home = self.root.join("cargo-home");
        fetcher.rustup_home = self.root.join("rustup-home");
        fetcher.pips = vec![vec![self.root.join("no-pip").display().to_string()]];
        fetcher.apt_root = self.root.join("apt");
        fetcher
    }

    /// Names in the quarantine, sorted.
    fn quarantine(&self) -> Vec<String> {
        let items = fs::read_dir(self.store().quarantine()).unwrap();
        let mut names: Vec<_> =
            items.map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Writes an executable file.
    fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.root.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = remove_tree(&self.root);
    }
}

/// Bytes that look like a gzip file and are all different from each other.
fn bytes(size: usize) -> Vec<u8> {
    let noise = (0..size as u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8);
    [0x1f, 0x8b, 0x08, 0x00].into_iter().chain(noise).take(size).collect()
}

fn source(origin: Origin, body: &[u8]) -> Source {
    Source {
        origin,
        digest: Digest::sha256_of(body),
        root: None,
        omit: vec![],
        target: None,
        inner: None,
    }
}

fn url_source(url: String, body: &[u8]) -> Source {
    source(Origin::Url { url, mirrors: vec![] }, body)
}

/// Fetches from one source and compares the bytes.
#[track_caller]
fn gets(fetcher: &Fetcher, source: &Source, body: &[u8]) -> VerifiedArchive {
    let (index, archive) = fetcher.fetch("thing 1.0", &[source]).unwrap();
    assert_eq!(index, 0);
    assert!(fs::read(archive.path()).unwrap() == body, "other bytes");
    archive
}

/// Fetches in vain: the exit code, and the whole message.
#[track_caller]
fn fails(fetcher: &Fetcher, sources: &[&Source]) -> (Exit, String) {
    let error = fetcher.fetch("thing 1.0", sources).unwrap_err();
    let failure = Failure::find(&error).unwrap();
    (failure.exit, format!("{}\n{}", failure.message, failure.help.join("\n")))
}
