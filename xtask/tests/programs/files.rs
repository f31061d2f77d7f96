//! Programs that read and write files.

use std::io::{Read as _, Write as _};

use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use crate::built::Program;

#[test]
fn ripgrep() {
    let program = Program {
        name: "ripgrep",
        version: "15.2.0",
        arguments: &["--features", "pcre2"],
        needs: &[],
    };
    let Some(built) = program.build() else { return };
    built.links("rg", &["jemalloc: libjemalloc.a", "pcre2: libpcre2-8.a"]);
    built.has_copies_of(&[]);
    built.write("prices/a.txt", "total 12 EUR\ntotal 34 USD\n");
    built.write("prices/b.txt", "about 56 EUR\nαβγ 78 EUR\n");
    built.write("prices/c.log", "total 90 EUR\n");
    // Looks behind and ahead, and back at a group: none of it without PCRE2.
    let found = built.run(
        "rg",
        &[
            "-P",
            "--sort=path",
            "-g",
            "*.txt",
            "-o",
            r"(?<=total )\d+(?= EUR)|(?<=\p{Greek} )\d+",
            "/prices",
        ],
    );
    assert_eq!(found, "/prices/a.txt:12\n/prices/b.txt:78\n");
    let found = built.run("rg", &["-P", "--count", r"(\d)\s.*(?!\1)", "/prices/c.log"]);
    assert_eq!(found.trim(), "1");
    // The version that it tells is that of the crate's bindings.
    let version = built.run("rg", &["--pcre2-version"]);
    assert!(version.contains("JIT is available"), "{version}");
    built.done("a search with look-behind, look-ahead and Unicode classes");
}

#[test]
fn rage() {
    let program = Program { name: "rage", version: "0.12.1", arguments: &[], needs: &[] };
    let Some(built) = program.build() else { return };
    built.links("rage", &[]);
    built.has_copies_of(&[]);
    let text = "the words of a secret\n".repeat(10_000);
    built.write("plain", &text);
    for key in ["key", "other"] {
        built.run("rage-keygen", &["-o", &format!("/{key}")]);
    }
    let key = built.read("key");
    let recipient = key.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    built.run("rage", &["-r", recipient, "-o", "/sealed", "/plain"]);
    let sealed = std::fs::read(built.root.join("sealed")).unwrap();
    assert!(sealed.starts_with(b"age-encryption.org/v1\n"));
    assert!(!sealed.windows(6).any(|bytes| bytes == b"secret"));
    built.run("rage", &["-d", "-i", "/key", "-o", "/opened", "/sealed"]);
    assert!(built.read("opened") == text);
    let told = built.refuse("rage", &["-d", "-i", "/other", "-o", "/stolen", "/sealed"]);
    assert!(told.contains("No matching keys found"), "{told}");
    built.done("a file encrypted and decrypted; another key refused");
}

#[test]
fn mdbook() {
    let program = Program { name: "mdbook", version: "0.5.4", arguments: &[], needs: &[] };
    let Some(built) = program.build() else { return };
    built.links("mdbook", &[]);
    built.has_copies_of(&[]);
    built.run("mdbook", &["init", "--title", "Bobbins", "--ignore", "none", "/book"]);
    built.write("book/src/SUMMARY.md", "# Summary\n\n- [Weaving](weaving.md)\n- [Dyes](dyes.md)\n");
    built.write(
        "book/src/weaving.md",
        "# Weaving\n\nSee [the dyes](dyes.md).\n\n```rust\n# fn main() {\nlet warp = 12;\n# }\n```\n",
    );
    built.write("book/src/dyes.md", "# Dyes\n\n| madder | red |\n|---|---|\n| woad | blue |\n");
    built.run("mdbook", &["build", "/book"]);
    let page = built.read("book/book/weaving.html");
    assert!(page.contains("language-rust") && page.contains("let warp = 12;"), "{page}");
    assert!(page.contains("href=\"dyes.html\"") && page.contains("Bobbins"), "{page}");
    assert!(built.read("book/book/dyes.html").contains("<td>woad</td>"));
    let files = std::fs::read_dir(built.root.join("book/book")).unwrap();
    let mut names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(names.any(|name| name.starts_with("searchindex")), "it can be searched");
    built.done("a book begun, and built with a code block, a table and its index");
}

/// A chunk of a PNG file.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(data);
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length, &kind[..], data, &crc.sum().to_be_bytes()].concat()
}

/// The uncompressed rows of a PNG file.
fn rows_of(png: &[u8]) -> Vec<u8> {
    let (mut rest, mut packed) = (&png[8..], Vec::new());
    while let Some((head, tail)) = rest.split_at_checked(8) {
        let length = u32::from_be_bytes(head[..4].try_into().unwrap()) as usize;
        if &head[4..] == b"IDAT" {
            packed.extend_from_slice(&tail[..length]);
        }
        rest = &tail[length + 4..];
    }
    let mut rows = Vec::new();
    ZlibDecoder::new(&packed[..]).read_to_end(&mut rows).unwrap();
    rows
}

#[test]
fn oxipng() {
    let program = Program { name: "oxipng", version: "10.2.1", arguments: &[], needs: &[] };
    let Some(built) = program.build() else { return };
    built.links("oxipng", &[]);
    built.has_copies_of(&["libdeflate"]);
    // 64 by 64 grey pixels, each row behind a byte that says "not filtered".
    let row = |y: u8| (0..64).map(move |x: u8| (x / 8) * (y / 8));
    let rows: Vec<u8> = (0..64).flat_map(|y| std::iter::once(0).chain(row(y))).collect();
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(&rows).unwrap();
    let size = 64_u32.to_be_bytes();
    let head = [&size[..], &size, &[8, 0, 0, 0, 0]].concat();
    let data = encoder.finish().unwrap();
    let parts =
        [chunk(b"IHDR", &head), chunk(b"tEXt", b"Comment\0to be dropped"), chunk(b"IDAT", &data)];
    let png = [b"\x89PNG\r\n\x1a\n", &parts.concat()[..], &chunk(b"IEND", b"")].concat();
    built.write("picture.png", &png);
    for compressor in [&["-o", "4"][..], &["--zopfli"]] {
        let arguments = [compressor, &["--nx", "--filters", "0", "--strip", "all"]].concat();
        built.run("oxipng", &[&arguments[..], &["--out", "/small.png", "/picture.png"]].concat());
        let small = std::fs::read(built.root.join("small.png")).unwrap();
        assert!(small.len() < png.len() / 2, "{} of {}", small.len(), png.len());
        assert!(rows_of(&small) == rows, "the same picture");
        assert!(!small.windows(4).any(|bytes| bytes == b"tEXt"));
    }
    built.done("a picture compressed with libdeflate and zopfli, the same pixels");
}
