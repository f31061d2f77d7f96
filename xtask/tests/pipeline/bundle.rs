//! `cargo xtask unbundle` on bundles made by hand, good ones and hostile ones; and a bundle's way from
//! one store to another.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use xtask::digest::Digest;
use xtask::process;

use crate::scratch::{Run, Scratch, TRIPLE, names};
use crate::{has_std, skip};

fn sha256(bytes: &[u8]) -> String {
    Digest::sha256_of(bytes).hex()
}

/// A member: its path and its bytes.
type Member = (String, Vec<u8>);

fn header(path: &str, kind: tar::EntryType, size: usize) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    // Written directly: the crate refuses what is tested here.
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size as u64);
    finish(&mut header);
    header
}

/// What every member has.
fn finish(header: &mut tar::Header) {
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
}

fn append(out: &mut Vec<u8>, path: &str, bytes: &[u8]) {
    // Long paths are divided as ustar has it.
    let head = if path.len() > 100 {
        let mut head = tar::Header::new_ustar();
        head.set_path(path).unwrap();
        head.set_entry_type(tar::EntryType::Regular);
        head.set_size(bytes.len() as u64);
        finish(&mut head);
        head
    } else {
        header(path, tar::EntryType::Regular, bytes.len())
    };
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(512), 0);
}

fn listed(path: &str, bytes: &[u8]) -> Value {
    json!({ "path": path, "size_bytes": bytes.len(), "sha256": sha256(bytes) })
}

/// What is in a bundle: the manifest and the members.
#[derive(Clone)]
struct Bundle {
    manifest: Value,
    members: Vec<Member>,
}

impl Bundle {
    /// A good one: a download, an entry, a crate with its line and its index, a configuration.
    fn good() -> Self {
        let rustc = Path::new(&process::env_var("CARGO").unwrap()).with_file_name("rustc");
        let rust = Run::of(process::command(rustc).arg("-vV")).ok().stdout;
        let download = b"pretend that this is an archive".to_vec();
        let (pre_image, output) = ("made of nothing\n", b"int made;\n");
        let fingerprint = sha256(pre_image.as_bytes());
        let record = format!("{}  -  include/made.h\n", sha256(output));
        let id = format!("made-1.0-{}", &fingerprint[..16]);
        let entry = entry(
            &id,
            &[
                ("fingerprint.txt", pre_image.as_bytes()),
                ("outputs/include/made.h", output),
                ("outputs.sha256", record.as_bytes()),
            ],
        );
        let archive = b"pretend that this is a crate".to_vec();
        let line = format!(
            "{{\"cksum\":\"{}\",\"name\":\"some\",\"vers\":\"1.0.0\"}}\n",
            sha256(&archive)
        );
        let hex = sha256(&download);
        let members = vec![
            ("README.txt".to_owned(), b"read me\n".to_vec()),
            (format!("downloads/{hex}.origin"), b"url https://a.test/x\n".to_vec()),
            (format!("downloads/{hex}/made.tar.gz"), download),
            (format!("entries/{id}.tar"), entry),
            ("muslin/config.toml".to_owned(), CONFIG.as_bytes().to_vec()),
            ("muslin/registry/index/so/me/some".to_owned(), line.clone().into_bytes()),
            ("muslin/registry/some-1.0.0.crate".to_owned(), archive),
            ("muslin/registry/some-1.0.0.json".to_owned(), line.into_bytes()),
        ];
        let step = json!({ "name": "made", "version": "1.0", "fingerprint": fingerprint });
        let manifest = json!({
            "format": 1, "muslin": "0.1.0", "rust": rust, "package": "app", "package_version": "0.1.0",
            "plans": [{ "target": TRIPLE, "steps": [step] }],
        });
        Self { manifest, members }
    }

    /// The bytes of the one member whose path has this in it.
    fn member(&mut self, part: &str) -> &mut Member {
        let mut found = self.members.iter_mut().filter(|(path, _)| path.contains(part));
        let one = found.next().unwrap();
        assert!(found.next().is_none(), "{part}");
        one
    }

    /// The tar, with the hashes that its members have.
    fn bytes(&self) -> Vec<u8> {
        let listed = self.members.iter().map(|(path, bytes)| listed(path, bytes)).collect();
        self.bytes_with(listed)
    }

    /// The tar with a manifest that lists this.
    fn bytes_with(&self, listed: Vec<Value>) -> Vec<u8> {
        let mut manifest = self.manifest.clone();
        manifest["members"] = listed.into();
        let mut out = Vec::new();
        append(&mut out, "muslin-bundle.json", manifest.to_string().as_bytes());
        for (path, bytes) in &self.members {
            append(&mut out, path, bytes);
        }
        out.extend([0; 1024]);
        out
    }
}

const CONFIG: &str = "# Made by `cargo xtask unbundle`: crates come from bundles. Remove it where there is a network.\n\
    [source.crates-io]\nreplace-with = \"muslin-bundle\"\n\
    [source.muslin-bundle]\nlocal-registry = \"muslin/registry\"\n";

/// The tar of an entry.
fn entry(id: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (path, bytes) in files {
        append(&mut out, &format!("{id}/{path}"), bytes);
    }
    out.extend([0; 1024]);
    out
}

fn cargo_home(scratch: &Scratch) -> PathBuf {
    scratch.at("cargo home")
}

fn unbundle(scratch: &Scratch, bytes: &[u8]) -> Run {
    let file = scratch.at("bundle.tar");
    fs::write(&file, bytes).unwrap();
    let mut command = scratch.command(&["unbundle", "--message-format", "json"]);
    Run::of(command.arg(file).env("CARGO_HOME", cargo_home(scratch)))
}

/// It must be refused in these words, and leave nothing behind.
#[track_caller]
fn refused(scratch: &Scratch, bytes: &[u8], code: i32, word: &str) {
    unbundle(scratch, bytes).fails(code, &[word]);
    for folder in ["entries-v1", "downloads-v1", "quarantine-v1", "tmp"] {
        assert_eq!(scratch.stored(folder), [""; 0], "{folder} after {word}");
    }
    assert!(!cargo_home(scratch).exists(), "cargo's folder after {word}");
}

#[test]
fn a_good_bundle_is_taken_in_and_once_more_changes_nothing() {
    let scratch = Scratch::new("unbundle");
    let mut good = Bundle::good();
    let bytes = good.bytes();
    for _ in 0..2 {
        let run = unbundle(&scratch, &bytes).ok();
        run.says("1 downloads, 1 crates and 1 entries for app 0.1.0");
        let made = scratch.entry("made");
        assert_eq!(fs::read(made.join("outputs/include/made.h")).unwrap(), b"int made;\n");
        scratch.run(&["store", "verify"]).ok().says("0 damaged, 0 unrecorded");
        assert_eq!(scratch.stored("tmp"), [""; 0]);
        let home = cargo_home(&scratch);
        let config = fs::read_to_string(home.join("config.toml")).unwrap();
        assert_eq!(config.matches("[source.crates-io]").count(), 1, "{config}");
        let index = fs::read_to_string(home.join("muslin/registry/index/so/me/some")).unwrap();
        assert_eq!(index.lines().count(), 1);
    }
    // Another bundle with another version of the crate: cargo finds both.
    let other = b"another version".to_vec();
    let line =
        format!("{{\"cksum\":\"{}\",\"name\":\"some\",\"vers\":\"2.0.0\"}}\n", sha256(&other));
    *good.member("some-1.0.0.crate") = ("muslin/registry/some-2.0.0.crate".to_owned(), other);
    *good.member("some-1.0.0.json") =
        ("muslin/registry/some-2.0.0.json".to_owned(), line.clone().into_bytes());
    good.member("index").1 = line.into_bytes();
    unbundle(&scratch, &good.bytes()).ok();
    let registry = cargo_home(&scratch).join("muslin/registry");
    assert_eq!(fs::read_to_string(registry.join("index/so/me/some")).unwrap().lines().count(), 2);
    assert_eq!(names(&registry).len(), 5);
}

#[test]
fn a_configuration_with_a_source_of_its_own_is_left_as_it_is() {
    let scratch = Scratch::new("unbundle-config");
    let theirs = "[source.crates-io]\nreplace-with = \"company\"\n";
    let config = cargo_home(&scratch).join("config.toml");
    fs::create_dir_all(cargo_home(&scratch)).unwrap();
    fs::write(&config, theirs).unwrap();
    let run = unbundle(&scratch, &Bundle::good().bytes());
    run.fails(1, &["left as it is", "local-registry = "]);
    assert_eq!(fs::read_to_string(&config).unwrap(), theirs);
    fs::write(&config, "[net]\nretry = 3\n").unwrap();
    unbundle(&scratch, &Bundle::good().bytes()).ok();
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.starts_with("[net]\nretry = 3\n\n# Made by"), "{text}");
}

#[test]
fn damage_anywhere_is_found() {
    let scratch = Scratch::new("unbundle-damage");
    let mut good = Bundle::good();
    let bytes = good.bytes();
    for part in
        ["README", "made.tar.gz", ".origin", "entries/", "config", "index", ".crate", ".json"]
    {
        let path = good.member(part).0.clone();
        let content = good.member(part).1.clone();
        let at = bytes.windows(content.len()).rposition(|window| window == content).unwrap();
        let mut flipped = bytes.clone();
        // Two members may have the same content: the last of them.
        flipped[at + content.len() / 2] ^= 0x20;
        refused(&scratch, &flipped, 4, "is damaged: it hashes to");
        assert!(bytes != flipped, "{path}");
    }
    // The rest too, headers and what is between members: every byte but the manifest's own text.
    let text_end = bytes.windows(10).position(|window| window == b"README.txt").unwrap();
    let text_end =
        bytes[text_end..].windows(2).position(|window| window == [0, 0]).unwrap() + text_end;
    for at in (0..512).chain(text_end..bytes.len()).step_by(61) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        refused(&scratch, &flipped, 4, "is not taken in");
    }
    for cut in [0, 1, 511, 512, 5000, bytes.len() / 2, bytes.len() - 1025, bytes.len() - 1] {
        refused(&scratch, &bytes[..cut], 4, "is not taken in");
    }
    let mut more = bytes.clone();
    more.extend([0; 512]);
    refused(&scratch, &more, 4, "by its manifest");
    refused(&scratch, b"this is a web page, not a bundle", 4, "it is not a bundle");
}

#[test]
fn what_the_manifest_does_not_list_as_it_is_is_refused() {
    let scratch = Scratch::new("unbundle-lists");
    let good = Bundle::good();
    let list = || good.members.iter().map(|(path, bytes)| listed(path, bytes)).collect::<Vec<_>>();

    let mut extra = good.bytes();
    extra.truncate(extra.len() - 1024);
    append(&mut extra, "extra", b"");
    extra.extend([0; 1024]);
    refused(&scratch, &extra, 4, "by its manifest");

    let mut fewer = list();
    fewer.remove(0);
    refused(&scratch, &good.bytes_with(fewer), 4, "by its manifest");

    let mut swapped = list();
    swapped.swap(1, 2);
    refused(&scratch, &good.bytes_with(swapped), 4, "where its manifest lists");

    let mut twice = good.clone();
    twice.members.push(twice.members[0].clone());
    refused(&scratch, &twice.bytes(), 4, "lists README.txt twice");

    let mut lies = list();
    lies[0]["sha256"] = sha256(b"something else").into();
    refused(&scratch, &good.bytes_with(lies), 4, "is damaged");

    let mut sizes = list();
    sizes[0]["size_bytes"] = 7.into();
    refused(&scratch, &good.bytes_with(sizes), 4, "has not the size");

    let mut huge = list();
    huge[0]["size_bytes"] = u64::MAX.into();
    refused(&scratch, &good.bytes_with(huge), 4, "impossible sizes");
}

#[test]
fn unsafe_members_are_refused() {
    let scratch = Scratch::new("unbundle-paths");
    for path in [
        "../evil",
        "/evil",
        "muslin/registry/../../evil.crate",
        "muslin/registry/index/../../../evil",
        "evil",
        "rust-std/bin/rustc",
        "rust-std/lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd-0.so",
    ] {
        let mut bundle = Bundle::good();
        bundle.members.push((path.to_owned(), b"evil".to_vec()));
        refused(&scratch, &bundle.bytes(), 4, "its manifest lists");
    }
    // A name in the tar other than the manifest's, and a link instead of a file.
    let good = Bundle::good();
    let bytes = good.bytes();
    let start = bytes.len() - 1024 - 512 - 512;
    for (name, kind) in [("../evil", tar::EntryType::Regular), (".", tar::EntryType::Symlink)] {
        let path = if name == "." { good.members.last().unwrap().0.as_str() } else { name };
        let head = header(path, kind, good.members.last().unwrap().1.len());
        let mut changed = bytes.clone();
        changed[start..start + 512].copy_from_slice(head.as_bytes());
        refused(&scratch, &changed, 4, "where its manifest lists");
    }
    assert!(!scratch.at("evil").exists());
}

#[test]
fn a_bundle_for_another_rustc_or_of_another_format_says_so() {
    let scratch = Scratch::new("unbundle-other");
    let mut bundle = Bundle::good();
    bundle.manifest["rust"] = "rustc 1.2.3 (0123456 2020-01-01)\n".into();
    refused(&scratch, &bundle.bytes(), 1, "the bundle is for rustc 1.2.3 (0123456 2020-01-01)");
    bundle.manifest["format"] = 2.into();
    refused(&scratch, &bundle.bytes(), 1, "of format 2, and this Muslin reads 1");
}

#[test]
fn members_that_lie_of_themselves_are_refused() {
    let scratch = Scratch::new("unbundle-lies");
    let changed = |part: &str, change: &dyn Fn(&mut Member)| {
        let mut bundle = Bundle::good();
        change(bundle.member(part));
        bundle.bytes()
    };
    let bytes = changed("made.tar.gz", &|member| member.1.push(b'!'));
    refused(&scratch, &bytes, 4, "is not that of its digest");
    let bytes =
        changed(".origin", &|member| member.0 = format!("downloads/{}.origin", "0".repeat(64)));
    refused(&scratch, &bytes, 4, "and has it not");
    let bytes = changed("config", &|member| member.1.extend(b"[build]\nrustc = \"evil\"\n"));
    refused(&scratch, &bytes, 4, "its configuration for cargo");
    let bytes = changed(".crate", &|member| member.1.push(b'!'));
    refused(&scratch, &bytes, 4, "has not the checksum that its line names");
    let bytes = changed(".json", &|member| member.0 = member.0.replace("1.0.0", "1.0.1"));
    refused(&scratch, &bytes, 4, "not of the same names");
    let bytes = changed("index", &|member| member.1.extend(b"{}\n"));
    refused(&scratch, &bytes, 4, "its index is not that of its crates");

    let lock = |checksum: &str| {
        format!(
            "version = 4\n[[package]]\nname = \"some\"\nversion = \"1.0.0\"\n\
             source = \"registry+x\"\nchecksum = \"{checksum}\"\n"
        )
    };
    scratch.write("Cargo.lock", &lock(&sha256(b"the real crate")));
    refused(&scratch, &Bundle::good().bytes(), 4, "has not the checksum of Cargo.lock");
}

/// A crate of a git repository in a bundle: its origin's file, its own, and cargo's configuration.
fn with_git(commit: &str) -> Bundle {
    let id = &sha256(commit.as_bytes())[..16];
    let origin = "[source.\"git+file:///a?branch=b\"]\nbranch = \"b\"\ngit = \"file:///a\"\n";
    let folder = format!("muslin/vendor/{id}/heddle-0.3.0");
    let mut bundle = Bundle::good();
    bundle.member("config").1.extend(
        format!(
            "{origin}replace-with = \"muslin-{id}\"\n\n\
             [source.muslin-{id}]\ndirectory = \"muslin/vendor/{id}\"\n"
        )
        .bytes(),
    );
    bundle.members.push((format!("muslin/sources/{id}.toml"), origin.into()));
    bundle.members.push((format!("{folder}/.cargo-checksum.json"), b"{}".into()));
    bundle.members.push((format!("{folder}/src/lib.rs"), b"pub fn lift() {}\n".into()));
    bundle
}

#[test]
fn crates_of_git_are_taken_in_and_give_way_to_those_of_another_commit() {
    let scratch = Scratch::new("unbundle-git");
    let config = || fs::read_to_string(cargo_home(&scratch).join("config.toml")).unwrap();
    unbundle(&scratch, &Bundle::good().bytes()).ok();
    assert!(!config().contains("git+"));
    for (commit, other) in [("one", "two"), ("two", "one"), ("two", "one")] {
        unbundle(&scratch, &with_git(commit).bytes()).ok().says("2 crates");
        let [id, other] = [commit, other].map(|commit| sha256(commit.as_bytes())[..16].to_owned());
        let config: toml::Table = config().parse().unwrap();
        let sources = &config["source"];
        let here = format!("muslin-{id}");
        let found = sources["git+file:///a?branch=b"]["replace-with"].as_str();
        assert_eq!(found, Some(here.as_str()));
        let folder = Path::new(sources[&here]["directory"].as_str().unwrap());
        assert!(folder.join("heddle-0.3.0/src/lib.rs").exists(), "{folder:?}");
        assert!(!folder.with_file_name(other).exists());
    }
}

#[test]
fn crates_of_git_that_lie_of_themselves_are_refused() {
    let scratch = Scratch::new("unbundle-git-lies");
    let changed = |part: &str, change: &dyn Fn(&mut Member)| {
        let mut bundle = with_git("one");
        change(bundle.member(part));
        bundle.bytes()
    };
    let bytes = changed("src/lib.rs", &|it| it.0 = it.0.replace("vendor/", "vendor/x"));
    refused(&scratch, &bytes, 4, "does not say where");
    let bytes = changed("sources/", &|it| it.1.extend(b"[build]\nrustc = \"evil\"\n"));
    refused(&scratch, &bytes, 4, "is no origin");
    let bytes = changed("sources/", &|it| it.0 = "muslin/sources/x.toml".to_owned());
    refused(&scratch, &bytes, 4, "is no origin");
    let bytes = changed("config", &|it| it.1.extend(b"[build]\nrustc = \"evil\"\n"));
    refused(&scratch, &bytes, 4, "its configuration for cargo");
    let bytes = changed("src/lib.rs", &|it| it.0 = "muslin/vendor/lib.rs".to_owned());
    refused(&scratch, &bytes, 4, "which no bundle has");
}

#[test]
fn entries_that_lie_of_themselves_are_refused() {
    let scratch = Scratch::new("unbundle-entries");
    let mut good = Bundle::good();
    let path = good.member("entries/").0.clone();
    let id = path.trim_start_matches("entries/").trim_end_matches(".tar").to_owned();
    let pre_image: &[u8] = b"made of nothing\n";
    let record = format!("{}  -  include/made.h\n", sha256(b"int made;\n"));
    let output: (&str, &[u8]) = ("outputs/include/made.h", b"int made;\n");
    let head = [("fingerprint.txt", pre_image), ("outputs.sha256", record.as_bytes())];
    let mut with = |files: &[(&str, &[u8])], word: &str| {
        let mut all = head.to_vec();
        all.extend(files);
        good.member("entries/").1 = entry(&id, &all);
        refused(&scratch, &good.bytes(), 4, word);
    };
    with(&[("outputs/include/made.h", b"int evil;\n")], "not those that its record lists");
    with(&[output, ("outputs/include/more.h", b"")], "not those that its record lists");
    with(&[output, ("run.sh", b"")], "which no entry has");
    with(&[output, ("../../evil", b"")], "the entry");
    with(&[], "it has no outputs");
    good.member("entries/").1 = b"no tar".to_vec();
    refused(&scratch, &good.bytes(), 4, "the entry");

    let mut other = Bundle::good();
    other.member("entries/").0 = path.replace("made-1.0", "made-2.0");
    refused(&scratch, &other.bytes(), 4, "which none of its plans makes");
    let mut other = Bundle::good();
    other.member("entries/").1 = entry(
        &id,
        &[
            ("fingerprint.txt", b"made of something else\n"),
            ("outputs.sha256", record.as_bytes()),
            output,
        ],
    );
    refused(&scratch, &other.bytes(), 4, "fingerprint.txt is not that of its name");
}

/// From one store to another: the same bytes each time, and nothing is compiled at the other end.
#[test]
fn a_bundle_carries_entries_to_another_store() {
    if process::env_var("MUSLIN_TEST_ALL").is_none() {
        return skip("a bundle with a standard library in it: run `cargo xtask test`");
    }
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("bundle");
    let [one, two] = ["one.tar", "two.tar"].map(|name| scratch.at(name));
    for file in [&one, &two] {
        Run::of(scratch.command(&["bundle", "--with-entries"]).arg(file)).ok();
    }
    assert!(fs::read(&one).unwrap() == fs::read(&two).unwrap(), "two bundles differ");
    let other = scratch.at("other store");
    let mut command = scratch.command(&["unbundle"]);
    command.arg(&one).env("MUSLIN_STORE", &other).env("CARGO_HOME", cargo_home(&scratch));
    Run::of(&mut command).ok().says("2 downloads, 0 crates and 4 entries for tinyapp 0.3.0");
    scratch.forget();
    let mut command = scratch.command(&["sysroot", "--offline"]);
    Run::of(command.env("MUSLIN_STORE", &other)).ok();
    assert_eq!(scratch.compiled(), [""; 0]);
    Run::of(scratch.command(&["store", "verify"]).env("MUSLIN_STORE", &other)).ok();
}
