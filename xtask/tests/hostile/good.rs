//! Good archives, plain and odd: name, bytes, root, and what the tree must be.

use crate::pack::{bz2, gz, xz, zst};
use crate::tarball::{Header, Tar, base256};
use crate::zipfile::{Entry, end64, extra, zip};

type Good = (&'static str, Vec<u8>, Option<&'static str>, Vec<String>);

fn tree(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn usual() -> Vec<u8> {
    Tar::new()
        .folder("pkg-1.0/")
        .file("pkg-1.0/README", "read me")
        .entry(Header::new("pkg-1.0/configure", b'0').mode(0o755), b"#!/bin/sh\n")
        .file("pkg-1.0/src/zlib/a.c", "int a;")
        .end()
}

fn usual_tree() -> Vec<String> {
    tree(&[
        "README 644 read me",
        "configure 755 #!/bin/sh",
        "src 755",
        "src/zlib 755",
        "src/zlib/a.c 644 int a;",
    ])
}

pub fn two_tops() -> Vec<u8> {
    Tar::new().file("tool/bin/x", "tool").file("docs/y", "docs").link("top", "docs/y").end()
}

pub fn cases() -> Vec<Good> {
    let mut cases = streams();
    cases.extend(tars());
    cases.extend(zips());
    cases
}

fn streams() -> Vec<Good> {
    let split = |pack: fn(&[u8]) -> Vec<u8>| {
        let tar = usual();
        [pack(&tar[..700]), pack(&tar[700..])].concat()
    };
    let skippable = [b"\x5a\x2a\x4d\x18\x02\0\0\0hi".to_vec(), zst(&usual())].concat();
    let padded = |packed: Vec<u8>| [packed, vec![0; 512]].concat();
    let large = Tar::new().file("p/large", &"0123456789abcdef".repeat(20_000)).end();
    let large_tree = || tree(&["large 644 320000 bytes"]);
    vec![
        ("tar", usual(), None, usual_tree()),
        ("gz", gz(&usual()), None, usual_tree()),
        ("xz", xz(&usual()), None, usual_tree()),
        ("bz2", bz2(&usual()), None, usual_tree()),
        ("zst", zst(&usual()), None, usual_tree()),
        ("gz-two-members", split(gz), None, usual_tree()),
        ("xz-two-streams", split(xz), None, usual_tree()),
        ("bz2-two-streams", split(bz2), None, usual_tree()),
        ("zst-two-frames", split(zst), None, usual_tree()),
        ("zst-skippable-frame", skippable, None, usual_tree()),
        ("gz-zero-padding", padded(gz(&usual())), None, usual_tree()),
        ("xz-zero-padding", padded(xz(&usual())), None, usual_tree()),
        ("tar-zero-padding", [usual(), vec![0; 9000]].concat(), None, usual_tree()),
        ("gz-large", gz(&large), None, large_tree()),
        ("xz-large", xz(&large), None, large_tree()),
        ("bz2-large", bz2(&large), None, large_tree()),
        ("zst-large", zst(&large), None, large_tree()),
        ("crate-root", gz(&usual()), Some("src/zlib"), tree(&["a.c 644 int a;"])),
        (
            "crate-root-with-top",
            gz(&usual()),
            Some("pkg-1.0/src"),
            tree(&["zlib 755", "zlib/a.c 644 int a;"]),
        ),
    ]
}

fn tars() -> Vec<Good> {
    let long = format!("p/{}/{}", "d".repeat(150), "f".repeat(200));
    let long_tree =
        || tree(&[&format!("{} 755", "d".repeat(150)), &format!("{} 644 x", &long[2..])]);
    let prefixed = Header::new("b", b'0').with(345, b"p/a");
    let old = |name: &str, kind| Header::new(name, kind).with(257, &[0; 8]);
    let gnu = Header::new("p/x", b'0').with(257, b"ustar  \0").with(345, b"12345670123\0");
    let base = Tar::new().raw(Header::new("p/x", b'0').with(124, &base256(2)), b"hi");
    vec![
        (
            "pax-long-name",
            Tar::new().pax(b'x', &[("path", &long), ("mtime", "1.5")]).file("x", "x").end(),
            None,
            long_tree(),
        ),
        ("gnu-long-name", Tar::new().long(b'L', &long).file("x", "x").end(), None, long_tree()),
        (
            "gnu-long-link",
            Tar::new().file("p/f", "x").long(b'L', "p/l").long(b'K', "f").link("x", "y").end(),
            None,
            tree(&["f 644 x", "l 777 f"]),
        ),
        (
            "pax-link",
            Tar::new().file("p/f", "x").pax(b'x', &[("linkpath", "f")]).link("p/l", "y").end(),
            None,
            tree(&["f 644 x", "l 777 f"]),
        ),
        (
            "git-global-header",
            Tar::new().pax(b'g', &[("comment", "abc")]).file("p/f", "x").end(),
            None,
            tree(&["f 644 x"]),
        ),
        (
            "ustar-prefix",
            Tar::new().entry(prefixed, b"x").end(),
            None,
            tree(&["a 755", "a/b 644 x"]),
        ),
        ("gnu-header-without-prefix", Tar::new().entry(gnu, b"x").end(), None, tree(&["x 644 x"])),
        (
            "before-posix",
            Tar::new().raw(old("p/", 0), b"").entry(old("p/x", 0), b"x").end(),
            None,
            tree(&["x 644 x"]),
        ),
        (
            "contiguous-file",
            Tar::new().entry(Header::new("p/x", b'7'), b"x").end(),
            None,
            tree(&["x 644 x"]),
        ),
        ("base-256-size", base.end(), None, tree(&["x 644 hi"])),
        (
            "pax-size-that-agrees",
            Tar::new().pax(b'x', &[("size", "2")]).file("p/x", "hi").end(),
            None,
            tree(&["x 644 hi"]),
        ),
        (
            "dot-slash",
            Tar::new().folder("./").file("./a", "a").file("./b/c", "c").end(),
            None,
            tree(&["a 644 a", "b 755", "b/c 644 c"]),
        ),
        (
            "folders-twice-and-late",
            Tar::new().file("p/d/x", "x").folder("p/d/").folder("p/d").end(),
            None,
            tree(&["d 755", "d/x 644 x"]),
        ),
        (
            "empty-file-and-folder",
            Tar::new().file("p/e", "").folder("p/d/").end(),
            None,
            tree(&["d 755", "e 644"]),
        ),
        (
            "links-inside",
            Tar::new()
                .file("p/d/f", "x")
                .link("p/l", "d/../d/f")
                .link("p/d/up", "../d")
                .link("p/dangling", "none")
                .end(),
            None,
            tree(&["d 755", "d/f 644 x", "d/up 777 ../d", "dangling 777 none", "l 777 d/../d/f"]),
        ),
        (
            "hard-links",
            Tar::new()
                .entry(Header::new("p/f", b'0').mode(0o755), b"x")
                .hard("p/g", "p/f")
                .hard("p/h", "./p/g")
                .end(),
            None,
            tree(&["f 755 x", "g 755 x", "h 755 x"]),
        ),
        (
            "set-id-and-strange-modes",
            Tar::new()
                .entry(Header::new("p/s", b'0').mode(0o6711), b"x")
                .entry(Header::new("p/n", b'0').mode(0), b"")
                .end(),
            None,
            tree(&["n 644", "s 755 x"]),
        ),
        (
            "odd-names",
            Tar::new()
                .file("p/ ", "1")
                .file("p/-rf", "2")
                .file("p/…\u{301}", "3")
                .file("p/a\\x2d", "4")
                .file("p/...", "5")
                .end(),
            None,
            tree(&["  644 1", "-rf 644 2", "... 644 5", "a\\x2d 644 4", "…\u{301} 644 3"]),
        ),
        (
            "two-cases",
            Tar::new().file("p/A", "1").file("p/a", "2").end(),
            None,
            tree(&["A 644 1", "a 644 2"]),
        ),
        (
            "two-tops",
            two_tops(),
            None,
            tree(&[
                "docs 755",
                "docs/y 644 docs",
                "tool 755",
                "tool/bin 755",
                "tool/bin/x 644 tool",
                "top 777 docs/y",
            ]),
        ),
        ("two-tops-root", two_tops(), Some("tool/bin"), tree(&["x 644 tool"])),
        ("single-file", Tar::new().file("x", "x").end(), None, tree(&["x 644 x"])),
        ("root-with-slash", usual(), Some("./src/zlib/"), tree(&["a.c 644 int a;"])),
    ]
}

fn zips() -> Vec<Good> {
    let text = b"some text ".repeat(20);
    let wheel = vec![
        Entry::deflated("ziglang/zig", b"\x7fELF..").mode(0o100_755),
        Entry::deflated("ziglang/lib/a.zig", &text),
        Entry::stored("ziglang-0.1.dist-info/RECORD", "records").mode(0o644),
    ];
    let streamed = |long: bool, signed: bool| {
        Entry::deflated("p/x", &text).with(|entry| {
            entry.flags = 1 << 3;
            entry.local_sizes = Some((0, 0));
            entry.local_crc = Some(0);
            entry.descriptor = if signed { b"PK\x07\x08".to_vec() } else { Vec::new() };
            entry.descriptor.extend(entry.crc.to_le_bytes());
            for field in [entry.packed, entry.size] {
                let bytes = u64::from(field).to_le_bytes();
                entry.descriptor.extend(if long { &bytes[..] } else { &bytes[..4] });
            }
        })
    };
    let wide = Entry::deflated("p/x", &text).with(|entry| {
        let fields = [entry.size, entry.packed].map(|field| u64::from(field).to_le_bytes());
        entry.local_sizes = Some((u32::MAX, u32::MAX));
        entry.local_extra = extra(1, &fields.concat());
    });
    let dos = |name: &str, text: &str| {
        Entry::stored(name, text).with(|entry| (entry.made_by, entry.attributes) = (20, 0x20))
    };
    let x = || tree(&["x 644 200 bytes"]);
    let mut zip64 = zip(vec![Entry::stored("p/ok", "ok")]);
    zip64.before_end = end64(86, 1, 50, 36);
    zip64.end = |end| end.3 = u32::MAX;
    let mut commented =
        zip(vec![Entry::deflated("p/x", &text).with(|entry| entry.comment = b"hello".to_vec())]);
    commented.comment = b"bye".to_vec();
    vec![
        (
            "wheel-root",
            zip(wheel.clone()).bytes(),
            Some("ziglang"),
            tree(&["lib 755", "lib/a.zig 644 200 bytes", "zig 755 \x7fELF.."]),
        ),
        (
            "wheel",
            zip(wheel).bytes(),
            None,
            tree(&[
                "ziglang 755",
                "ziglang/lib 755",
                "ziglang/lib/a.zig 644 200 bytes",
                "ziglang/zig 755 \x7fELF..",
                "ziglang-0.1.dist-info 755",
                "ziglang-0.1.dist-info/RECORD 644 records",
            ]),
        ),
        ("zip-descriptor", zip(vec![streamed(false, true)]).bytes(), None, x()),
        ("zip-descriptor-unsigned", zip(vec![streamed(false, false)]).bytes(), None, x()),
        ("zip-descriptor-long", zip(vec![streamed(true, true)]).bytes(), None, x()),
        ("zip-descriptor-long-unsigned", zip(vec![streamed(true, false)]).bytes(), None, x()),
        ("zip64-local", zip(vec![wide]).bytes(), None, x()),
        ("zip64-end", zip64.bytes(), None, tree(&["ok 644 ok"])),
        ("zip-comments", commented.bytes(), None, x()),
        (
            "zip-empty-deflated",
            zip(vec![Entry::deflated("p/e", b"")]).bytes(),
            None,
            tree(&["e 644"]),
        ),
        (
            "zip-link",
            zip(vec![Entry::stored("p/f", "x"), Entry::deflated("p/l", b"f").mode(0o120_777)])
                .bytes(),
            None,
            tree(&["f 644 x", "l 777 f"]),
        ),
        (
            "zip-folders",
            zip(vec![
                Entry::stored("p/", "").mode(0o040_755),
                Entry::stored("p/d/", "").mode(0o040_700),
            ])
            .bytes(),
            None,
            tree(&["d 755"]),
        ),
        (
            "zip-from-dos",
            zip(vec![dos("p/run", "#!/bin/sh"), dos("p/text", "text")]).bytes(),
            None,
            tree(&["run 755 #!/bin/sh", "text 644 text"]),
        ),
        (
            "zip-utf8",
            zip(vec![Entry::stored("p/é", "x").with(|entry| entry.flags = 1 << 11)]).bytes(),
            None,
            tree(&["é 644 x"]),
        ),
    ]
}
