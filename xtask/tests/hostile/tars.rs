//! Hostile tars: name, bytes, and words that the error must have.

use crate::Case;
use crate::tarball::{Header, Tar, base256, record};

fn tar() -> Tar {
    Tar::new().file("p/ok", "ok")
}

/// A tar inside a file, for readers that lose count of sizes.
fn smuggled() -> Vec<u8> {
    Tar::new().file("p/smuggled", "evil").0
}

pub fn cases() -> Vec<Case> {
    let mut cases = names();
    cases.extend(links());
    cases.extend(types());
    cases.extend(sizes());
    cases.extend(extensions());
    cases.extend(ends());
    cases
}

fn names() -> Vec<Case> {
    let name = |name: &str| tar().file(name, "evil").end();
    let raw = |bytes: &[u8]| tar().entry(Header::new("", b'0').with(0, bytes), b"evil").end();
    let deep = format!("{}x", "d/".repeat(64));
    let nested = (0..100).fold((Tar::new(), String::new()), |(tar, path), _| {
        let path = path + "d/";
        (tar.pax(b'x', &[("path", &path)]).folder("d"), path)
    });
    vec![
        ("tar-absolute", name("/tmp/muslin-hostile-escape"), "absolute"),
        ("tar-two-slashes", name("//tmp/muslin-hostile-escape"), "absolute"),
        ("tar-parent", name("../escape"), "part `..`"),
        ("tar-parent-inside", name("p/../../escape"), "part `..`"),
        ("tar-parent-that-stays", name("p/x/../y"), "part `..`"),
        ("tar-parent-last", tar().folder("p/..").end(), "part `..`"),
        ("tar-parent-of-dot", name("./../escape"), "part `..`"),
        ("tar-empty-part", name("p//x"), "empty part"),
        ("tar-dot-part", name("p/./x"), "part `.`"),
        ("tar-empty-name", raw(b""), "name is empty"),
        ("tar-prefix-only-slash", raw(b"/"), "absolute"),
        ("tar-newline", name("p/a\nb"), "control character"),
        ("tar-escape-sequence", name("p/\x1b[2J"), "control character"),
        ("tar-c1-control", name("p/\u{9b}2J"), "control character"),
        ("tar-not-utf8", raw(b"p/\xff\xfe"), "not UTF-8"),
        ("tar-bytes-after-nul", raw(b"p/good\0/../../evil"), "bytes after its NUL"),
        ("tar-pax-nul", tar().pax(b'x', &[("path", "p/a\0b")]).file("x", "").end(), "NUL byte"),
        ("tar-too-deep", tar().pax(b'x', &[("path", &deep)]).file("x", "").end(), "deeper than 64"),
        ("tar-folder-in-folder", nested.0.end(), "deeper than 64"),
        (
            "tar-10000-nested",
            tar().pax(b'x', &[("path", &"d/".repeat(10_000))]).folder("d").end(),
            "longer than 1024",
        ),
        (
            "tar-long-part",
            tar().pax(b'x', &[("path", &"n".repeat(256))]).file("x", "").end(),
            "longer than 255",
        ),
        (
            "tar-long-path",
            tar().pax(b'x', &[("path", &"dir/".repeat(300))]).file("x", "").end(),
            "longer than 1024",
        ),
        ("tar-duplicate", name("p/ok"), "the same name twice"),
        ("tar-duplicate-dotted", name("./p/ok"), "the same name twice"),
        ("tar-file-over-folder", tar().folder("p/d/").file("p/d", "x").end(), "where a folder is"),
        ("tar-folder-over-file", tar().folder("p/ok").end(), "where a file"),
        ("tar-below-file", name("p/ok/x"), "through a file"),
        ("tar-file-with-slash", name("p/x/"), "a name of a folder"),
        ("tar-link-with-slash", tar().link("p/l/", "ok").end(), "a name of a folder"),
        ("tar-file-named-dot", name("."), "a name of a folder"),
    ]
}

fn links() -> Vec<Case> {
    let through = |target: &str| tar().link("p/l", target).file("p/l/evil", "evil").end();
    let link = |target: &str| tar().link("p/l", target).end();
    vec![
        ("tar-link-absolute", link("/etc/passwd"), "absolute path"),
        ("tar-link-out", link("../../canary"), "leads out of the folder"),
        ("tar-link-out-of-the-top-folder", link("../x"), "leads out of the folder"),
        ("tar-link-out-later", link("a/b/../../../../canary"), "leads out"),
        ("tar-link-empty", link(""), "name is empty"),
        ("tar-link-to-itself", link("l"), "circle"),
        ("tar-links-in-a-circle", tar().link("p/a", "b").link("p/b", "a").end(), "circle"),
        (
            // Each target looks harmless by itself.
            "tar-link-by-link",
            tar().folder("p/d/").link("p/d/up", "..").link("p/d/out", "up/../canary").end(),
            "leads out",
        ),
        (
            "tar-link-by-later-link",
            tar().link("p/out", "d/up/../canary").folder("p/d/").link("p/d/up", "..").end(),
            "leads out",
        ),
        ("tar-through-link", through("."), "leads through a link"),
        ("tar-through-link-to-tmp", through("../.."), "leads through a link"),
        ("tar-file-over-link", tar().link("p/l", "ok").file("p/l", "evil").end(), "twice"),
        (
            // CVE-2026-33056: the mode of a folder is set on what the link leads to.
            "tar-folder-over-link-CVE-2026-33056",
            tar().link("p/l", "..").raw(Header::new("p/l", b'5').mode(0o777), b"").end(),
            "where a file or a link is",
        ),
        ("tar-link-over-folder", tar().folder("p/d").link("p/d", "..").end(), "where a folder is"),
        ("tar-hard-absolute", tar().hard("p/h", "/etc/passwd").end(), "absolute"),
        ("tar-hard-out", tar().hard("p/h", "../canary").end(), "part `..`"),
        ("tar-hard-to-nothing", tar().hard("p/h", "p/none").end(), "not in the archive before"),
        ("tar-hard-to-later", tar().hard("p/h", "p/z").file("p/z", "").end(), "before it"),
        ("tar-hard-to-link", tar().link("p/l", "ok").hard("p/h", "p/l").end(), "symbolic link"),
        ("tar-hard-through-link", tar().link("p/l", ".").hard("p/h", "p/l/ok").end(), "not in the"),
        ("tar-hard-to-folder", tar().hard("p/h", "p").end(), "to a folder"),
        ("tar-hard-to-itself", tar().hard("p/ok", "p/ok").end(), "twice"),
    ]
}

fn types() -> Vec<Case> {
    let kind = |kind: u8| tar().raw(Header::new("p/x", kind), b"").end();
    vec![
        ("tar-character-device", kind(b'3'), "device"),
        ("tar-block-device", kind(b'4'), "device"),
        ("tar-fifo", kind(b'6'), "FIFO"),
        ("tar-gnu-sparse", kind(b'S'), "sparse"),
        ("tar-gnu-multi-volume", kind(b'M'), "unknown type"),
        ("tar-gnu-volume-label", kind(b'V'), "unknown type"),
        ("tar-solaris-acl", kind(b'A'), "unknown type"),
        ("tar-type-0xff", kind(0xff), "unknown type"),
        (
            "tar-pax-sparse",
            tar()
                .pax(b'x', &[("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")])
                .file("s", "0\n")
                .end(),
            "sparse",
        ),
        ("tar-folder-with-data", tar().entry(Header::new("p/d/", b'5'), b"data").end(), "of data"),
        (
            "tar-link-with-data",
            tar().entry(Header::new("p/l", b'2').link("ok"), b"data").end(),
            "of data",
        ),
        (
            "tar-hard-link-with-data",
            tar().entry(Header::new("p/h", b'1').link("p/ok"), b"data").end(),
            "of data",
        ),
    ]
}

fn sizes() -> Vec<Case> {
    let size = |field: &[u8]| tar().raw(Header::new("p/x", b'0').with(124, field), b"data").end();
    let pax = |size: &str| tar().pax(b'x', &[("size", size)]).file("p/x", "data").end();
    let mut negative = [0xff; 12];
    negative[11] = 0xfe;
    let mut wide = base256(512);
    wide[2] = 1;
    let mut wrapped = base256(4);
    wrapped[3] = 1;
    let sized = |size: u64| {
        let header = Header::new("p/x", b'0').size(size);
        Tar::new().pax(b'x', &[("size", "1024")]).raw(header, &[b'x'; 1024]).end()
    };
    let smuggling = |header: u64, pax: u64| {
        let data = [vec![b'.'; header as usize], smuggled()].concat();
        let header = Header::new("p/x", b'0').size(header);
        Tar::new().pax(b'x', &[("size", &pax.to_string())]).raw(header, &data).end()
    };
    let many = (0..2000).fold(Tar::new(), |tar, n| tar.file(&format!("p/{n}"), ""));
    let copies = (0..9).fold(Tar::new().file("p/x", &"x".repeat(8 << 20)), |tar, n| {
        tar.hard(&format!("p/{n}"), "p/x")
    });
    vec![
        ("tar-size-negative", size(&negative), "size overflow"),
        ("tar-size-over-64-bits", size(&wide), "too large"),
        ("tar-size-base256-huge", size(&base256(u64::MAX)), "size overflow"),
        ("tar-size-minus-octal", size(b"-0000000001\0"), "not a number"),
        ("tar-size-not-octal", size(b"00000000009\0"), "not a number"),
        ("tar-size-two-numbers", size(b"1 1        \0"), "not a number"),
        ("tar-size-beyond-end", size(b"00000004000\0"), "ends"),
        ("tar-size-terabyte", size(&base256(1 << 40)), "more than"),
        ("tar-size-plus-octal", size(b"+0000000004\0"), "no octal number"),
        ("tar-size-wraps-around", size(&wrapped), "too large"),
        ("tar-size-only-in-pax", sized(0), "two sizes"),
        ("tar-size-smaller-in-pax", sized(1536), "two sizes"),
        ("tar-smuggled-CVE-2025-62518", smuggling(0, 1024), "two sizes"),
        ("tar-smuggled-CVE-2026-33055", smuggling(512, 1536), "two sizes"),
        ("tar-pax-size-negative", pax("-1"), "no number"),
        ("tar-pax-size-plus", pax("+1"), "no number"),
        ("tar-pax-size-over-64-bits", pax("18446744073709551616"), "too large"),
        ("tar-pax-size-huge", pax("18446744073709551615"), "two sizes"),
        ("tar-pax-size-hex", pax("0x200"), "no number"),
        ("tar-pax-size-beyond-end", pax("9999"), "two sizes"),
        ("tar-too-many-entries", many.end(), "more than 1000 entries"),
        ("tar-hard-link-bomb", copies.end(), "more than 67108864 bytes in all"),
        (
            "tar-mode-not-octal",
            tar().raw(Header::new("p/x", b'0').with(100, b"rwxr-xr"), b"").end(),
            "octal",
        ),
        (
            // CVE-2025-62518: with the header's size of 0 the data would be read as entries. With the
            // size that counts, the data is not there.
            "tar-pax-size-cut-CVE-2025-62518",
            tar().pax(b'x', &[("size", "2048")]).raw(Header::new("p/x", b'0'), &smuggled()).0,
            "two sizes",
        ),
        (
            // CVE-2026-33055: the header's own size is not 0, and smaller than the one that counts.
            "tar-pax-size-cut-CVE-2026-33055",
            tar().pax(b'x', &[("size", "4096")]).entry(Header::new("p/x", b'0'), &smuggled()).0,
            "two sizes",
        ),
    ]
}

fn extensions() -> Vec<Case> {
    let raw =
        |data: &str| tar().entry(Header::new("x", b'x'), data.as_bytes()).file("p/x", "").end();
    let path = [("path", "p/a")];
    vec![
        ("tar-pax-length-short", raw("5 path=p/x\n"), "malformed pax"),
        ("tar-pax-length-long", raw("99 path=p/x\n"), "malformed pax"),
        ("tar-pax-length-huge", raw("99999999999999999999 path=p/x\n"), "malformed pax"),
        ("tar-pax-length-none", raw("path=p/x\n"), "malformed pax"),
        ("tar-pax-no-equals", raw("8 path\n\n"), "empty record"),
        ("tar-pax-no-key", raw("6 =xy\n"), "without a key"),
        ("tar-pax-no-line-end", raw("11 path=p/x"), "without an end"),
        ("tar-pax-padding-inside", raw(&(record("path", "p/x") + "\0\0")), "without an end"),
        ("tar-pax-hidden", raw(&format!("\n{}", record("path", "p/y"))), "empty record"),
        (
            "tar-pax-hidden-later",
            raw(&[record("comment", "c"), record("path", "p/y")].join("\n")),
            "empty record",
        ),
        ("tar-pax-line-end-missing", raw(record("path", "p/x").trim_end()), "without an end"),
        ("tar-pax-empty-path", raw(&record("path", "")), "without a value"),
        ("tar-pax-path-twice", raw(&(record("path", "p/a") + &record("path", "p/b"))), "twice"),
        (
            "tar-pax-parent",
            tar().pax(b'x', &[("path", "../evil")]).file("p/x", "").end(),
            "part `..`",
        ),
        (
            "tar-pax-absolute-link",
            tar().pax(b'x', &[("linkpath", "/etc")]).link("p/l", "ok").end(),
            "absolute",
        ),
        ("tar-global-path", tar().pax(b'g', &path).file("p/x", "").end(), "global header"),
        (
            "tar-global-size",
            tar().pax(b'g', &[("size", "512")]).file("p/x", "").end(),
            "global header",
        ),
        (
            // GHSA-fp55-jw48-c537: the size sticks to the next extension instead of the file.
            "tar-pax-then-long-name-GHSA-fp55-jw48-c537",
            tar().pax(b'x', &[("size", "1024")]).long(b'L', "p/x").file("x", "").end(),
            "two extension headers",
        ),
        (
            // GHSA-3cv2-h65g-fgmm: a global header between an extension and its entry.
            "tar-pax-then-global-GHSA-3cv2-h65g-fgmm",
            tar().pax(b'x', &[("size", "1024")]).pax(b'g', &[("comment", "c")]).file("x", "").end(),
            "two extension headers",
        ),
        (
            "tar-pax-twice",
            tar().pax(b'x', &path).pax(b'x', &path).file("x", "").end(),
            "two extension",
        ),
        (
            "tar-long-name-twice",
            tar().long(b'L', "a").long(b'L', "b").file("x", "").end(),
            "two ext",
        ),
        (
            "tar-long-name-then-pax",
            tar().long(b'L', "a").pax(b'x', &path).file("x", "").end(),
            "two ext",
        ),
        ("tar-long-name-parent", tar().long(b'L', "../evil").file("x", "").end(), "part `..`"),
        ("tar-long-name-nul", tar().long(b'L', "p/a\0/../../b").file("x", "").end(), "NUL byte"),
        ("tar-long-link-absolute", tar().long(b'K', "/etc").link("p/l", "ok").end(), "absolute"),
        ("tar-pax-at-the-end", tar().pax(b'x', &path).end(), "without an entry"),
        ("tar-long-name-at-the-end", tar().long(b'L', "p/x").end(), "without an entry"),
        (
            "tar-huge-extension",
            tar().raw(Header::new("x", b'x').size(1 << 30), b"").end(),
            "an extension header of",
        ),
    ]
}

fn ends() -> Vec<Case> {
    let mut flipped = tar().file("p/x", "data").end();
    flipped[1024] ^= 1;
    vec![
        ("tar-no-end", tar().0, "ends too early"),
        ("tar-half-an-end", tar().bytes(&[0; 512]).0, "ends too early"),
        ("tar-cut-in-a-header", tar().bytes(&[b'x'; 100]).0, "entire block"),
        (
            "tar-one-zero-block",
            tar().bytes(&[0; 512]).file("p/x", "").end(),
            "single block of zeros",
        ),
        (
            "tar-entries-after-the-end",
            tar().bytes(&[0; 1024]).file("p/x", "").end(),
            "after the end",
        ),
        ("tar-garbage-after-the-end", tar().bytes(&[0; 1024]).bytes(b"x").0, "after the end"),
        (
            "tar-ustar-of-the-future",
            tar().raw(Header::new("x", b'0').with(263, b"01").with(345, b"p"), b"").end(),
            "version is unknown",
        ),
        ("tar-wrong-checksum", flipped, "checksum mismatch"),
        ("tar-without-entries", Tar::new().end(), "no entries"),
        ("tar-only-dot", Tar::new().folder("./").end(), "no entries"),
        ("empty-file", Vec::new(), "the file is empty"),
        (
            "web-page",
            b"<!doctype html><title>Sign in</title>".to_vec(),
            "begins with `<!doctype html",
        ),
        ("elf", b"\x7fELF\x02\x01\x01".to_vec(), "neither a tar"),
    ]
}
