//! The store's promises, on a folder made for each test.
#![allow(clippy::disallowed_methods, reason = "tests have no store yet")]

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn scratch() -> (PathBuf, Store) {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let root = std::env::temp_dir().join(format!("muslin-layout-{}-{number}", std::process::id()));
    let store = Store::open(&root).unwrap();
    (root, store)
}

#[test]
fn an_entry_appears_whole_and_only_once() {
    let (root, store) = scratch();
    let entry = store.entry("zlib", "1.3.2", &"ab".repeat(32));
    assert_eq!(entry.id(), "zlib-1.3.2-abababababababab");
    for text in ["first", "second"] {
        let temp = store.temp("zlib").unwrap();
        fs::create_dir(temp.path().join("outputs")).unwrap();
        fs::write(temp.path().join("outputs/file"), text).unwrap();
        entry.publish(temp).unwrap();
    }
    assert_eq!(fs::read_to_string(entry.outputs().join("file")).unwrap(), "first");
    assert_eq!(entry.record().unwrap().as_deref(), Some(&*tree_listing(&entry.outputs()).unwrap()));
    assert_eq!(fs::read_dir(root.join("tmp")).unwrap().count(), 0);
    remove_tree(&root).unwrap();
}

#[test]
fn a_dead_process_s_folder_is_swept_and_a_living_one_s_is_not() {
    let (root, store) = scratch();
    let living = store.temp("living").unwrap();
    let dead = root.join("tmp/dead-1-0");
    fs::create_dir_all(dead.join("inner")).unwrap();
    fs::set_permissions(dead.join("inner"), fs::Permissions::from_mode(0o000)).unwrap();
    Store::open(&root).unwrap();
    assert!(living.path().exists() && !dead.exists());
    drop(living);
    remove_tree(&root).unwrap();
}

#[test]
fn a_file_is_replaced_whole() {
    let (root, _) = scratch();
    let path = root.join("deep/er/file");
    write_atomically(&path, b"one").unwrap();
    write_atomically(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(fs::read_dir(root.join("deep/er")).unwrap().count(), 1);
    remove_tree(&root).unwrap();
}

#[test]
fn a_listing_tells_trees_apart_and_is_as_written() {
    let (root, _) = scratch();
    let tree = root.join("tmp/tree");
    fs::create_dir_all(tree.join("b/empty")).unwrap();
    fs::write(tree.join("b/file"), "").unwrap();
    fs::write(tree.join("a b"), "text\n").unwrap();
    fs::set_permissions(tree.join("a b"), fs::Permissions::from_mode(0o700)).unwrap();
    std::os::unix::fs::symlink("b/file", tree.join("link")).unwrap();
    let listing = tree_listing(&tree).unwrap();
    // As `sha256sum` says of the file, of nothing, and of the link's text.
    let expected = "b9e68e1bea3e5b19ca6b2f98b73a54b73daafaa250484902e09982e07a12e733  x  a b\n\
        e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  -  b/file\n\
        7ee799014be71f149b50d64a3dd04bc8b5c5bbf109bae15f52e7bf35437fe561  l  link\n";
    assert_eq!(listing, expected);
    let changes: [&dyn Fn(&Path); 4] = [
        &|tree| fs::write(tree.join("b/file"), "more").unwrap(),
        &|tree| fs::rename(tree.join("a b"), tree.join("a c")).unwrap(),
        &|tree| fs::set_permissions(tree.join("a c"), fs::Permissions::from_mode(0o600)).unwrap(),
        &|tree| {
            fs::remove_file(tree.join("link")).unwrap();
            fs::copy(tree.join("b/file"), tree.join("link")).map(drop).unwrap();
        },
    ];
    let mut before = listing;
    for (number, change) in changes.iter().enumerate() {
        change(&tree);
        let after = tree_listing(&tree).unwrap();
        assert_ne!(before, after, "change {number}");
        before = after;
    }
    // Which kind of program it is to whom does not matter.
    fs::set_permissions(tree.join("a c"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(tree_listing(&tree).unwrap(), before);
}

#[test]
fn a_listing_tells_content_kind_and_name_of_each_file() {
    use std::os::unix::ffi::OsStrExt as _;
    let (root, _) = scratch();
    let tree = root.join("tree");
    fs::create_dir_all(tree.join("b/empty")).unwrap();
    fs::write(tree.join("b/program"), "").unwrap();
    fs::set_permissions(tree.join("b/program"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(tree.join("a\\\nb"), "text").unwrap();
    fs::write(tree.join(std::ffi::OsStr::from_bytes(b"\xff")), "text").unwrap();
    std::os::unix::fs::symlink("nowhere", tree.join("link")).unwrap();
    let [text, empty, link] =
        ["text", "", "nowhere"].map(|text| Digest::sha256_of(text.as_bytes()).hex());
    let expected =
        format!("{text}  -  a\\\\\\nb\n{empty}  x  b/program\n{link}  l  link\n{text}  -  \\xff\n");
    assert_eq!(tree_listing(&tree).unwrap(), expected);
    remove_tree(&root).unwrap();
}
