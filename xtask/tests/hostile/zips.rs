//! Hostile zips: name, bytes, and words that the error must have.

use crate::Case;
use crate::zipfile::{Entry, Zip, crc, deflate, end64, extra, zip};

fn ok() -> Entry {
    Entry::stored("p/ok", "ok")
}

fn one(entry: Entry) -> Vec<u8> {
    zip(vec![ok(), entry]).bytes()
}

/// A file whose record is changed after it was made right.
fn changed(change: impl FnOnce(&mut Entry)) -> Vec<u8> {
    one(Entry::deflated("p/x", &b"some text ".repeat(20)).with(change))
}

pub fn cases() -> Vec<Case> {
    let mut cases = names();
    cases.extend(types());
    cases.extend(records());
    cases.extend(layout());
    cases.extend(ends());
    cases
}

fn names() -> Vec<Case> {
    let name = |name: &str| one(Entry::stored(name, "evil").with(|entry| entry.flags = 1 << 11));
    let latin = |entry: &mut Entry| {
        entry.name = b"p/caf\xe9".to_vec();
        entry.local_name = entry.name.clone();
    };
    let unicode = |name: &str| extra(0x7075, &[&[1, 0, 0, 0, 0], name.as_bytes()].concat());
    vec![
        ("zip-absolute", name("/tmp/muslin-hostile-escape"), "absolute"),
        ("zip-parent", name("../evil"), "part `..`"),
        ("zip-parent-inside", name("p/../../evil"), "part `..`"),
        ("zip-backslash", name("p\\..\\..\\evil"), "backslash"),
        ("zip-drive", name("C:\\evil"), "backslash"),
        ("zip-nul", name("p/a\0b"), "NUL byte"),
        ("zip-control", name("p/\u{7}"), "control character"),
        ("zip-empty-name", name(""), "name is empty"),
        ("zip-empty-part", name("p//x"), "empty part"),
        ("zip-too-deep", name(&format!("{}x", "d/".repeat(64))), "deeper than 64"),
        ("zip-duplicate", name("p/ok"), "the same name twice"),
        (
            "zip-file-over-folder",
            zip(vec![ok(), Entry::stored("p", "x")]).bytes(),
            "where a folder is",
        ),
        ("zip-below-file", name("p/ok/x"), "through a file"),
        ("zip-not-utf8", one(Entry::stored("p/x", "").with(latin)), "not ASCII and not marked"),
        ("zip-utf8-not-marked", one(Entry::stored("p/é", "")), "not ASCII and not marked"),
        ("zip-second-name", changed(|entry| entry.extra = unicode("p/y")), "two names"),
        ("zip-second-local-name", changed(|entry| entry.local_extra = unicode("p/y")), "two names"),
    ]
}

fn types() -> Vec<Case> {
    let mode = |mode: u32| one(Entry::stored("p/x", "../..").mode(mode));
    let link = |target: &str| one(Entry::stored("p/l", target).mode(0o120_777));
    let dos = |entry: &mut Entry| entry.made_by = 20;
    let through =
        zip(vec![Entry::stored("p/l", "..").mode(0o120_777), Entry::stored("p/l/evil", "evil")]);
    vec![
        ("zip-link-out", link("../../canary"), "leads out"),
        ("zip-link-absolute", link("/etc/passwd"), "absolute path"),
        ("zip-link-circle", link("l"), "circle"),
        ("zip-link-empty", link(""), "name is empty"),
        ("zip-link-long", link(&"x/".repeat(600)), "longer than 1024"),
        (
            "zip-link-from-dos",
            one(Entry::stored("p/l", "ok").mode(0o120_777).with(dos)),
            "some readers",
        ),
        ("zip-link-with-slash", one(Entry::stored("p/l/", "ok").mode(0o120_777)), "some readers"),
        ("zip-through-link", through.bytes(), "leads through a link"),
        ("zip-device", mode(0o020_644), "device"),
        ("zip-block-device", mode(0o060_644), "device"),
        ("zip-fifo", mode(0o010_644), "FIFO"),
        ("zip-socket", mode(0o140_644), "socket"),
        ("zip-unknown-type", mode(0o150_644), "unknown type"),
        ("zip-folder-without-slash", mode(0o040_755), "without a slash"),
        ("zip-file-with-slash", one(Entry::stored("p/x/", "").mode(0o100_644)), "with a slash"),
        ("zip-folder-with-data", one(Entry::stored("p/d/", "data").mode(0o040_755)), "on a folder"),
        (
            "zip-dos-folder-without-slash",
            one(Entry::stored("p/x", "").with(|entry| entry.attributes |= 0x10)),
            "without a slash",
        ),
    ]
}

fn records() -> Vec<Case> {
    let wide = |fields: &[u64]| {
        let body: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        extra(1, &body)
    };
    let descriptor = |entry: &mut Entry| {
        entry.flags = 1 << 3;
        entry.local_sizes = Some((0, 0));
        entry.descriptor = [entry.crc, entry.packed, entry.size + 1].map(u32::to_le_bytes).concat();
    };
    vec![
        ("zip-local-name", changed(|entry| entry.local_name = b"p/y".to_vec()), "another name"),
        ("zip-local-crc", changed(|entry| entry.local_crc = Some(1)), "another CRC"),
        ("zip-local-size", changed(|entry| entry.local_sizes = Some((1, 1))), "other sizes"),
        ("zip-local-method", changed(|entry| entry.local_method = Some(0)), "another method"),
        ("zip-local-flags", changed(|entry| entry.local_flags = Some(1)), "other flags"),
        ("zip-crc", changed(|entry| entry.crc ^= 1), "CRC is wrong"),
        ("zip-more-data", changed(|entry| entry.size -= 1), "more data than"),
        ("zip-less-data", changed(|entry| entry.size += 1), "bytes of data where"),
        ("zip-damaged-data", changed(|entry| entry.data[0] = 0xff), "damaged"),
        (
            "zip-bytes-after-deflate",
            changed(|entry| {
                entry.data.push(0);
                entry.packed += 1;
            }),
            "ends before",
        ),
        (
            "zip-cut-deflate",
            changed(|entry| {
                entry.data.pop();
                entry.packed -= 1;
            }),
            "incomplete",
        ),
        ("zip-encrypted", changed(|entry| entry.flags = 1), "encrypted"),
        ("zip-strongly-encrypted", changed(|entry| entry.flags = 1 << 6), "encrypted"),
        ("zip-patch-data", changed(|entry| entry.flags = 1 << 5), "unknown flags"),
        ("zip-method-lzma", changed(|entry| entry.method = 14), "method 14"),
        ("zip-method-zstd", changed(|entry| entry.method = 93), "method 93"),
        (
            "zip-stored-two-sizes",
            one(Entry::stored("p/x", "x").with(|entry| entry.size = 2)),
            "two sizes",
        ),
        ("zip-descriptor-lies", changed(descriptor), "descriptor says something else"),
        (
            "zip-descriptor-missing",
            changed(|entry| entry.flags = 1 << 3),
            "not followed by a descriptor",
        ),
        ("zip64-missing", changed(|entry| entry.size = u32::MAX), "more than"),
        ("zip64-needless", changed(|entry| entry.extra = wide(&[1])), "zip64 field"),
        (
            "zip64-twice",
            changed(|entry| entry.extra = [wide(&[]), wide(&[])].concat()),
            "zip64 field",
        ),
        (
            "zip64-too-large",
            changed(|entry| {
                entry.size = u32::MAX;
                entry.extra = wide(&[u64::MAX]);
                entry.local_extra = wide(&[u64::MAX]);
            }),
            "zip64 field",
        ),
        (
            "zip64-packed-too-large",
            changed(|entry| {
                entry.packed = u32::MAX;
                entry.extra = wide(&[u64::MAX]);
                entry.local_extra = wide(&[u64::MAX]);
            }),
            "zip64 field",
        ),
        ("zip-extra-cut", changed(|entry| entry.extra = vec![1, 0, 9, 0, 1]), "cut"),
        ("zip-extra-lonely-byte", changed(|entry| entry.extra = vec![0]), "cut"),
    ]
}

fn layout() -> Vec<Case> {
    let overlap = {
        // Two names for the same data: how the densest bombs are made.
        let (a, b) = (Entry::stored("p/a", "data"), Entry::stored("p/a", "data"));
        zip(vec![a, b.with(|entry| entry.offset = Some(0))]).bytes()
    };
    let quoted = {
        // The first entry's data is the second one's local header and data.
        let inner = zip(vec![Entry::stored("p/b", "data")]).bytes()[..37].to_vec();
        let first = Entry::stored("p/a", "").with(|entry| {
            (entry.crc, entry.packed, entry.size) = (crc(&inner), 37, 37);
            entry.data = inner;
        });
        let at = 30 + 3;
        zip(vec![first, Entry::stored("p/b", "data").with(|entry| entry.offset = Some(at))]).bytes()
    };
    let sfx = [b"#!/bin/sh\n".to_vec(), zip(vec![ok()]).bytes()].concat();
    let mut prefixed = zip(vec![ok().with(|entry| entry.before = b"PK\x03\x04stub".to_vec())]);
    prefixed.entries[0].offset = None;
    vec![
        ("zip-overlap", overlap, "the same name twice"),
        ("zip-quoted-overlap", quoted, "overlaps"),
        ("zip-gap", one(Entry::stored("p/x", "").with(|entry| entry.before = vec![0; 8])), "gap"),
        ("zip-gap-at-the-start", prefixed.bytes(), "gap"),
        ("zip-self-extracting", sfx, "neither a tar"),
        (
            "zip-not-listed",
            one(Entry::stored("p/x", "evil").with(|entry| entry.is_listed = false)),
            "between",
        ),
        ("zip-offset-beyond", changed(|entry| entry.offset = Some(0x00ff_ffff)), "entry `p/x`"),
        ("zip-offset-inside", changed(|entry| entry.offset = Some(1)), "local file header"),
        (
            // uv < 0.9.6: a comment in a central record that reads as another record.
            "zip-comment-with-a-record",
            one(ok().with(|entry| {
                entry.name = b"p/x".to_vec();
                entry.comment = zip(vec![Entry::stored("p/evil", "")]).bytes();
                entry.local_name = b"p/y".to_vec();
            })),
            "another name",
        ),
    ]
}

fn with_end(end: fn(&mut (u16, u16, u32, u32))) -> Vec<u8> {
    Zip { end, ..zip(vec![ok()]) }.bytes()
}

fn ends() -> Vec<Case> {
    let good = zip(vec![ok()]).bytes();
    let cut = good[..good.len() - 1].to_vec();
    let (directory_at, directory_bytes) = (36, 50);
    let end_at = directory_at + directory_bytes;
    let fake = |at, count, size, offset| {
        Zip { before_end: end64(at, count, size, offset), ..zip(vec![ok()]) }.bytes()
    };
    let needs = Zip { end: |end| end.3 = u32::MAX, ..zip(vec![ok()]) };
    let second = zip(vec![Entry::stored("p/evil", "")]).bytes();
    let second_end = second[second.len() - 22..].to_vec();
    let bomb = Entry::deflated("p/bomb", &vec![0; 33 << 20]);
    let dense = Entry::deflated("p/dense", &vec![0; 20 << 20]);
    let half = Entry::deflated("p/half", b"").with(|entry| {
        entry.data = deflate(&vec![0; 20 << 20]);
        (entry.packed, entry.size) = (entry.data.len() as u32, 10);
    });
    let many = (0..1001).map(|number| Entry::stored(&format!("p/{number}"), "")).collect();
    vec![
        ("zip-cut", cut, "no end record"),
        ("zip-bytes-after-the-end", [good.clone(), vec![0]].concat(), "no end record"),
        ("zip-two-ends", Zip { comment: second_end, ..zip(vec![ok()]) }.bytes(), "two end records"),
        ("zip-no-directory", good[..directory_at as usize].to_vec(), "no end record"),
        ("zip-count-more", with_end(|end| (end.0, end.1) = (2, 2)), "its central directory"),
        ("zip-count-less", with_end(|end| (end.0, end.1) = (0, 0)), "where the end record says"),
        ("zip-two-disks", with_end(|end| end.0 = 0), "several disks"),
        ("zip-directory-elsewhere", with_end(|end| end.3 -= 1), "does not end where"),
        ("zip-directory-size", with_end(|end| end.2 += 1), "does not end where"),
        ("zip-directory-huge", with_end(|end| end.2 = u32::MAX - 1), "does not end where"),
        ("zip64-end-missing", needs.bytes(), "does not end where"),
        ("zip64-end-lies", fake(end_at, 2, directory_bytes, directory_at), "contradicts"),
        ("zip64-end-other-offset", fake(end_at, 1, directory_bytes, 0), "contradicts"),
        (
            "zip64-end-elsewhere",
            fake(0, 1, directory_bytes, directory_at),
            "not where it should be",
        ),
        (
            "zip64-end-far-away",
            fake(u64::MAX, 1, directory_bytes, directory_at),
            "not where it should",
        ),
        ("zip-empty", zip(vec![]).bytes(), "no entries"),
        ("zip-bomb-file", zip(vec![bomb]).bytes(), "a file of 34603008 bytes"),
        ("zip-bomb-ratio", zip(vec![dense]).bytes(), "decompression bomb"),
        ("zip-bomb-that-lies", zip(vec![half]).bytes(), "more data than the 10 bytes"),
        ("zip-too-many", zip(many).bytes(), "more than 1000 entries"),
    ]
}
