//! Mirrors, cargo, pip and Debian's pools; and what is left of them offline.

use super::*;
use server::{Reply, Server};
use xtask::fetch::{Mirror, Missing};

fn crate_source(body: &[u8]) -> Source {
    source(Origin::Crate { name: "thing-sys".into(), version: "1.0.0+2.3".into() }, body)
}

fn pypi_source(body: &[u8]) -> Source {
    source(Origin::Pypi { name: "thing".into(), version: "1.0".into(), platform: None }, body)
}

fn debian_source(body: &[u8]) -> Source {
    source(Origin::Debian { path: "pool/main/t/thing/thing_1.0+dfsg.orig.tar.gz".into() }, body)
}

fn folder_with(bench: &Bench, name: &str, digest: &Digest, body: &[u8]) -> Mirror {
    let folder = bench.root.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(digest.hex()), body).unwrap();
    Mirror::Folder(folder)
}

#[test]
fn a_mirror_folder_comes_before_every_origin_and_works_offline() {
    let bench = Bench::new("mirror-folder");
    let body = bytes(70_000);
    let server = Server::always(Reply::Plain(body.clone()));
    let first = crate_source(b"other bytes");
    let second = url_source(server.url("x.tar.gz"), &body);
    let mut fetcher = bench.fetcher();
    fetcher.network = Network::Offline;
    fetcher.mirrors = vec![folder_with(&bench, "mirror", &second.digest, &body)];
    let (index, archive) = fetcher.fetch("thing 1.0", &[&first, &second]).unwrap();
    assert_eq!((index, server.count()), (1, 0));
    assert_eq!(archive.file_name(), "x.tar.gz");
    assert_eq!(archive.served_by(), format!("mirror {}", bench.root.join("mirror").display()));
    assert!(bench.root.join("mirror").join(second.digest.hex()).exists());
}

#[test]
fn a_mirror_server_is_asked_by_digest() {
    let bench = Bench::new("mirror-server");
    let body = bytes(3000);
    let path = format!("/base/{}", Digest::sha256_of(&body).hex());
    let served = body.clone();
    let mirror = Server::start(move |request, _| {
        if request.path == path {
            Reply::File(served.clone(), "\"a\"")
        } else {
            Reply::Status("404 Not Found", vec![], vec![])
        }
    });
    let origin = Server::always(Reply::Plain(body.clone()));
    let mut fetcher = bench.fetcher();
    fetcher.mirrors = vec![mirror.url("").parse().unwrap(), mirror.url("base/").parse().unwrap()];
    let archive = gets(&fetcher, &url_source(origin.url("x"), &body), &body);
    assert_eq!(archive.served_by(), format!("mirror {}", mirror.url("base/")));
    assert_eq!((mirror.count(), origin.count()), (2, 0));
}

#[test]
fn a_mirror_without_the_file_or_with_a_bad_one_is_passed_over() {
    let bench = Bench::new("mirror-bad");
    let body = bytes(3000);
    let origin = Server::always(Reply::Plain(body.clone()));
    let source = url_source(origin.url("x.tar.gz"), &body);
    let mut fetcher = bench.fetcher();
    fetcher.mirrors = vec![
        Mirror::Folder(bench.root.join("absent")),
        folder_with(&bench, "bad", &source.digest, b"\xfd7zXZ\0"),
    ];
    gets(&fetcher, &source, &body);
    assert_eq!((origin.count(), bench.quarantine().len()), (1, 1));
}

#[test]
fn offline_asks_nobody() {
    let bench = Bench::new("offline");
    let body = bytes(3000);
    let server = Server::always(Reply::Plain(body.clone()));
    let source = url_source(server.url("x.tar.gz"), &body);
    let mut fetcher = bench.fetcher();
    fetcher.network = Network::Offline;
    fetcher.mirrors = vec![server.url("mirror").parse().unwrap()];
    let called = bench.root.join("called");
    fetcher.cargo = bench.script("cargo", &format!("touch {}", called.display()));
    let other = crate_source(&body[1..]);
    let error = fetcher.fetch("thing 1.0", &[&source, &other]).unwrap_err();
    let missing = error.downcast_ref::<Missing>().unwrap();
    assert_eq!(missing.origins[1], "crate thing-sys 1.0.0+2.3");
    assert!(missing.to_string().starts_with("thing 1.0 is not in the store (url http://127"));
    assert!(server.count() == 0 && !called.exists());
    fetcher.network = Network::Online;
    gets(&fetcher, &source, &body);
    fetcher.network = Network::Offline;
    gets(&fetcher, &source, &body);
}

#[test]
fn a_crate_in_cargo_s_cache_needs_neither_network_nor_cargo() {
    let bench = Bench::new("crate-cache");
    let body = bytes(3000);
    for (registry, bytes) in [("a-1", &b"other"[..]), ("b-2", &body)] {
        let folder = bench.root.join("cargo-home/registry/cache").join(registry);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("thing-sys-1.0.0+2.3.crate"), bytes).unwrap();
    }
    let mut fetcher = bench.fetcher();
    fetcher.network = Network::Offline;
    let archive = gets(&fetcher, &crate_source(&body), &body);
    assert_eq!(archive.served_by(), "crate thing-sys 1.0.0+2.3");
    assert_eq!(archive.file_name(), "thing-sys-1.0.0+2.3.crate");
    assert!(bench.quarantine().is_empty());
}

#[test]
fn cargo_is_run_in_the_workspace_with_one_pinned_dependency() {
    let bench = Bench::new("cargo");
    let body = bytes(3000);
    fs::write(bench.root.join("body"), &body).unwrap();
    let script = "set -e\n[ \"$1 $2\" = 'fetch --manifest-path' ]\n\
        grep -q 'thing-sys = { version = \"=1.0.0+2.3\", default-features = false }' \"$3\"\n\
        mkdir -p cargo-home/registry/cache/mirror-1\n\
        cp body 'cargo-home/registry/cache/mirror-1/thing-sys-1.0.0+2.3.crate'\n";
    let mut fetcher = bench.fetcher();
    fetcher.cargo = bench.script("cargo", script);
    gets(&fetcher, &crate_source(&body), &body);
    let (exit, text) = fails(&fetcher, &[&crate_source(b"changed")]);
    assert!(text.contains("crate thing-sys 1.0.0+2.3: expected sha256:"), "{text}");
    assert_eq!((exit, bench.quarantine().len()), (Exit::VerificationFailed, 1));
}

#[test]
fn pip_is_asked_for_one_wheel() {
    let bench = Bench::new("pip");
    let body = bytes(3000);
    fs::write(bench.root.join("body"), &body).unwrap();
    let script = "set -e\n[ \"$1\" = --version ] && exit 0\n\
        while [ \"$1\" != -d ]; do shift; done\n[ \"$3\" = thing==1.0 ]\n\
        mkdir -p \"$2\"; cp body \"$2/thing-1.0-py3-none-any.whl\"\n";
    let mut fetcher = bench.fetcher();
    fetcher.pips.push(vec![bench.script("pip", script).display().to_string()]);
    let archive = gets(&fetcher, &pypi_source(&body), &body);
    assert_eq!(archive.file_name(), "thing-1.0-py3-none-any.whl");
    assert_eq!(archive.served_by(), "pypi thing 1.0");
    // With a platform in between, the wheel is no longer the third word.
    let mut source = pypi_source(&bytes(3001));
    let Origin::Pypi { platform, .. } = &mut source.origin else { panic!() };
    *platform = Some("musllinux_1_1_x86_64".into());
    fs::write(bench.root.join("body"), bytes(3001)).unwrap();
    let script = script.replace(
        "[ \"$3\" = thing",
        "[ \"$3 $4\" = \"--platform musllinux_1_1_x86_64\" ]\n[ \"$5\" = thing",
    );
    let other = bench.script("pip-for-a-platform", &script).display().to_string();
    fetcher.pips = vec![vec![other]];
    gets(&fetcher, &source, &bytes(3001));
    fetcher.pips = vec![vec![bench.root.join("pip").display().to_string()]];
    fs::write(bench.root.join("body"), &body).unwrap();
    let (exit, text) = fails(&fetcher, &[&pypi_source(b"changed")]);
    assert!(text.contains("pip chose thing-1.0-py3-none-any.whl"), "{text}");
    assert_eq!(exit, Exit::VerificationFailed);
}

#[test]
fn debian_s_pool_is_looked_for_on_each_mirror_of_apt() {
    let bench = Bench::new("debian");
    let body = bytes(3000);
    let empty = Server::always(Reply::Status("404 Not Found", vec![], vec![]));
    let full = Server::always(Reply::File(body.clone(), "\"a\""));
    fs::write(
        bench.root.join("apt/sources.list"),
        format!("deb {} x main\ndeb [a=b] {} x main\n", empty.url("debian"), full.url("debian/")),
    )
    .unwrap();
    let archive = gets(&bench.fetcher(), &debian_source(&body), &body);
    assert_eq!(full.requests()[0].path, "/debian/pool/main/t/thing/thing_1.0+dfsg.orig.tar.gz");
    assert_eq!((empty.count(), full.count()), (1, 1));
    let at = format!("at {}", full.url("debian/"));
    assert!(archive.served_by().ends_with(&at), "{}", archive.served_by());
}

#[test]
fn the_paragraph_format_and_files_of_mirrors_are_read() {
    let bench = Bench::new("deb822");
    let body = bytes(3000);
    let server = Server::always(Reply::File(body.clone(), "\"a\""));
    let lists = bench.root.join("apt/sources.list.d");
    fs::create_dir_all(&lists).unwrap();
    let mirrors = bench.root.join("mirrors.list");
    fs::write(&mirrors, format!("{}\tpriority:1\n", server.url("debian"))).unwrap();
    let text = format!("Types: deb\nURIs: mirror+file:{}\nSuites: x\n", mirrors.display());
    fs::write(lists.join("debian.sources"), text).unwrap();
    fs::write(lists.join("off.list.disabled"), "deb http://no.invalid/ x main\n").unwrap();
    gets(&bench.fetcher(), &debian_source(&body), &body);
}

#[test]
fn when_all_fail_all_are_shown_with_what_to_do() {
    let bench = Bench::new("all");
    let body = bytes(3000);
    let server = Server::always(Reply::Status("404 Not Found", vec![], vec![]));
    let mut fetcher = bench.fetcher();
    fetcher.mirrors = vec![Mirror::Folder(bench.root.join("mirror"))];
    fetcher.cargo = bench.script("cargo", "echo 'error: no network' >&2; exit 101");
    let url = url_source(server.url("x.tar.gz"), &body);
    let sources = [crate_source(&body), pypi_source(&body), debian_source(&body), url];
    let (exit, text) = fails(&fetcher, &sources.each_ref());
    let root = bench.root.display().to_string();
    let text = text.replace(&root, "ROOT").replace(&server.url(""), "SERVER/");
    let hex = Digest::sha256_of(&body).hex();
    let expected = format!(
        "cannot fetch thing 1.0: every origin failed\n  \
         mirror ROOT/mirror: does not have it\n  \
         crate thing-sys 1.0.0+2.3: cargo says: no network\n  \
         pypi thing 1.0: there is no pip (tried ROOT/no-pip)\n  \
         debian pool/main/t/thing/thing_1.0+dfsg.orig.tar.gz: ROOT/apt names no http(s) mirror\n  \
         url SERVER/x.tar.gz: does not have it (404 Not Found)\n\
         cargo is asked with your own configuration: `cargo fetch` must work here first\n\
         Python's pip would open one more origin: install `python3-pip`\n\
         Debian's mirrors are read from apt's `sources.list` and `sources.list.d`\n\
         with the file from elsewhere: `cp FILE DIR/{hex}`, then `--mirror DIR` \
         (or MUSLIN_MIRROR); a server with such files works too"
    );
    assert_eq!((exit, text), (Exit::Failed, expected));
}

#[test]
fn a_registry_replaced_by_a_folder_is_recognised() {
    let bench = Bench::new("vendored");
    let mut fetcher = bench.fetcher();
    fetcher.cargo = bench.script("cargo", "exit 0");
    let (_, text) = fails(&fetcher, &[&crate_source(b"x")]);
    assert!(text.contains("replaces the registry by a folder"), "{text}");
}
