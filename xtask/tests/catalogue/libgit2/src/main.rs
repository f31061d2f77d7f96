//! Makes, clones and reads repositories through the crate `git2`.

use std::fs;
use std::path::Path;

use git2::{BranchType, DiffFormat, DiffOptions, ErrorCode, Repository, Signature, Sort, Version};

pub fn main() {
    let version = Version::get();
    let (major, minor, patch) = version.libgit2_version();
    assert_eq!(format!("{major}.{minor}.{patch}"), std::env::var("MUSLIN_VERSION").unwrap());
    assert!(!version.vendored(), "the crate's own copy");
    assert!(version.https() && version.ssh() && version.threads() && version.nsec());

    // There is no home folder to look for settings in.
    let origin = Path::new("/tmp/origin");
    let repository = Repository::init(origin).unwrap();
    let mut config = repository.config().unwrap();
    config.set_str("core.abbrev", "12").unwrap();
    config.set_multivar("remote.fork.fetch", "^$", "+refs/heads/*:refs/remotes/fork/*").unwrap();
    config.set_multivar("remote.fork.fetch", "^$", "+refs/notes/*:refs/notes/*").unwrap();
    // A regular expression with a look-ahead: that of PCRE2.
    let mut found = Vec::new();
    let entries = config.multivar("remote.fork.fetch", Some(r"^\+refs/(?!heads)\w+/")).unwrap();
    entries.for_each(|entry| found.push(entry.value().unwrap().to_owned())).unwrap();
    assert_eq!(found, ["+refs/notes/*:refs/notes/*"]);

    let first = commit(&repository, "fn one() {\n    1\n}\n", "first");
    let second = commit(&repository, "fn one() {\n    2\n}\n", "second");
    assert_ne!(first, second);
    let mut walk = repository.revwalk().unwrap();
    walk.set_sorting(Sort::TOPOLOGICAL).unwrap();
    walk.push_head().unwrap();
    let walked: Vec<_> = walk.map(|id| repository.find_commit(id.unwrap()).unwrap()).collect();
    let said: Vec<_> = walked.iter().map(|commit| commit.message().unwrap()).collect();
    assert_eq!(said, ["second", "first"]);
    assert_eq!(changed_lines(&repository), "-    1\n+    2\n");

    // The objects as git itself names them.
    let blob = repository.blob(b"hello\n").unwrap();
    assert_eq!(blob.to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");

    clone(origin, second);
    let missing = Repository::open("/tmp/nowhere").err().unwrap();
    assert_eq!(missing.code(), ErrorCode::NotFound);
}

/// Writes the file and commits it.
fn commit(repository: &Repository, text: &str, message: &str) -> git2::Oid {
    let folder = repository.workdir().unwrap();
    fs::write(folder.join("main.rs"), text).unwrap();
    let mut index = repository.index().unwrap();
    index.add_path(Path::new("main.rs")).unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let author = Signature::now("A", "a@example.org").unwrap();
    let parent = repository.head().ok().map(|head| head.peel_to_commit().unwrap());
    let parents: Vec<_> = parent.iter().collect();
    repository.commit(Some("HEAD"), &author, &author, message, &tree, &parents).unwrap()
}

/// The lines that the last commit changed, as xdiff sees them.
fn changed_lines(repository: &Repository) -> String {
    let head = repository.head().unwrap().peel_to_commit().unwrap();
    let (new, old) = (head.tree().unwrap(), head.parent(0).unwrap().tree().unwrap());
    let mut options = DiffOptions::new();
    let diff =
        repository.diff_tree_to_tree(Some(&old), Some(&new), Some(options.patience(true))).unwrap();
    let mut lines = String::new();
    diff.print(DiffFormat::Patch, |_, _, line| {
        if matches!(line.origin(), '+' | '-') {
            lines.push(line.origin());
            lines.push_str(std::str::from_utf8(line.content()).unwrap());
        }
        true
    })
    .unwrap();
    lines
}

/// A clone goes through a packfile: zlib, deltas, and the index of what arrives.
fn clone(origin: &Path, head: git2::Oid) {
    let url = format!("file://{}", origin.display());
    let clone = Repository::clone(&url, "/tmp/clone").unwrap();
    assert_eq!(clone.head().unwrap().target(), Some(head));
    assert_eq!(fs::read_to_string("/tmp/clone/main.rs").unwrap(), "fn one() {\n    2\n}\n");
    let branches: Vec<_> = clone.branches(Some(BranchType::Remote)).unwrap().flatten().collect();
    assert!(!branches.is_empty());
}
