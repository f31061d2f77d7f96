//! Hostile compressed streams around a good tar.

use crate::Case;
use crate::pack::{bz2, gz, xz, xz_with_dictionary, zst};
use crate::tarball::Tar;

fn tar() -> Vec<u8> {
    // Text that does not shrink to nothing, so that there is something to damage.
    let noise: String =
        (0..20_000_u32).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9))).collect();
    Tar::new().file("p/noise", &noise).end()
}

fn flip(mut bytes: Vec<u8>, at_from_end: usize) -> Vec<u8> {
    let at = bytes.len() - at_from_end;
    bytes[at] ^= 0x55;
    bytes
}

fn cut(mut bytes: Vec<u8>, count: usize) -> Vec<u8> {
    bytes.truncate(bytes.len() - count);
    bytes
}

fn more(mut bytes: Vec<u8>, tail: &[u8]) -> Vec<u8> {
    bytes.extend(tail);
    bytes
}

pub fn cases() -> Vec<Case> {
    let (g, x, b, z) = (gz(&tar()), xz(&tar()), bz2(&tar()), zst(&tar()));
    let middle = |bytes: &[u8]| bytes.len() / 2;
    let bomb = Tar::new().file("p/zeros", &"0".repeat(30 << 20)).end();
    let zeros = [Tar::new().file("p/x", "x").end(), vec![0; 30 << 20]].concat();
    let mut reserved = x.clone();
    reserved[6] = 1;
    let mut zstd_window = z.clone();
    // No single segment, a window of 2^41.
    (zstd_window[4], zstd_window[5]) = (0, 0xf8);
    vec![
        ("gz-checksum", flip(g.clone(), 8), "damaged"),
        ("gz-length", flip(g.clone(), 1), "damaged"),
        ("gz-cut-trailer", cut(g.clone(), 3), "cut"),
        ("gz-cut-middle", cut(g.clone(), middle(&g)), "cut"),
        ("gz-damaged", flip(g.clone(), middle(&g)), ""),
        ("gz-garbage-after", more(g.clone(), b"garbage"), "bytes after the end"),
        ("gz-garbage-after-zeros", more(g.clone(), b"\0\0\0x"), "bytes after the end"),
        ("gz-cut-second-member", more(g.clone(), &cut(gz(&[0; 512]), 1)), "cut"),
        ("gz-second-member-with-entries", more(g.clone(), &gz(&tar())), "after the end"),
        ("gz-bomb", gz(&bomb), "decompression bomb"),
        ("gz-bomb-of-padding", gz(&zeros), "decompression bomb"),
        ("gz-of-no-tar", gz(b"hello"), "entire block"),
        ("gz-of-text", gz(&b"hello ".repeat(200)), "header 1 of the archive"),
        ("gz-of-gz", gz(&more(g.clone(), &[0; 512])), "header 1 of the archive"),
        ("gz-empty", gz(b""), "ends too early"),
        ("gz-header-only", g[..10].to_vec(), "cut"),
        ("xz-check", flip(x.clone(), 33), "damaged"),
        ("xz-index", flip(x.clone(), 20), "damaged"),
        ("xz-footer", flip(x.clone(), 1), "damaged"),
        ("xz-cut-footer", cut(x.clone(), 1), "cut"),
        ("xz-cut-middle", cut(x.clone(), middle(&x)), "cut"),
        ("xz-damaged", flip(x.clone(), middle(&x)), "damaged"),
        ("xz-garbage-after", more(x.clone(), b"garbage!"), "damaged"),
        ("xz-odd-padding", more(x.clone(), &[0; 3]), "damaged"),
        ("xz-reserved-flags", reserved, "damaged"),
        ("xz-memory", xz_with_dictionary(&tar(), 40), ""),
        ("bz2-checksum", flip(b.clone(), 2), "damaged"),
        ("bz2-cut-end", cut(b.clone(), 1), "cut"),
        ("bz2-cut-middle", cut(b.clone(), middle(&b)), "cut"),
        ("bz2-damaged", flip(b.clone(), middle(&b)), "damaged"),
        ("bz2-garbage-after", more(b.clone(), b"garbage"), "bytes after the end"),
        ("bz2-bomb", bz2(&bomb), "decompression bomb"),
        ("zst-checksum", flip(z.clone(), 1), "wrong checksum"),
        ("zst-cut-checksum", cut(z.clone(), 2), "cut"),
        ("zst-cut-middle", cut(z.clone(), middle(&z)), "cut"),
        ("zst-damaged", flip(z.clone(), middle(&z)), ""),
        ("zst-garbage-after", more(z.clone(), b"garbage"), "bytes after the end"),
        ("zst-cut-skippable", more(z.clone(), b"\x50\x2a\x4d\x18\xff\xff\xff\xffxx"), "cut"),
        ("zst-window", zstd_window, "damaged"),
        ("zst-bomb", zst(&bomb), "decompression bomb"),
    ]
}
