//! Sections of attributes written byte by byte.

use super::*;

fn baseline(words: &[&str]) -> Baseline {
    Baseline { features: words.iter().map(|word| (*word).to_owned()).collect(), cpu: None }
}

/// A section with one list of tags for the whole file.
fn section(vendor: &str, tags: &[u8], is_big: bool) -> Vec<u8> {
    let number = |number: usize| {
        let number = u32::try_from(number).unwrap();
        if is_big { number.to_be_bytes() } else { number.to_le_bytes() }
    };
    let list = [&[1][..], &number(5 + tags.len()), tags].concat();
    let size = number(4 + vendor.len() + 1 + list.len());
    [b"A", &size[..], vendor.as_bytes(), b"\0", &list].concat()
}

#[test]
fn tags_are_read_with_their_numbers_and_texts() {
    // A CPU's name, the architecture, the FPU, what is compatible, and one of a later kind.
    let tags = b"\x05arm1176\0\x06\x07\x0a\x02\x20\x01gnu\0\x43text\0\x44\x81\x01";
    for is_big in [false, true] {
        let found = attributes(&section("aeabi", tags, is_big), "aeabi", is_big).unwrap();
        let text = |text: &str| text.to_owned();
        let expected = [
            (5, 0, text("arm1176")),
            (6, 7, text("")),
            (10, 2, text("")),
            (32, 1, text("gnu")),
            (0x43, 0, text("text")),
            (0x44, 129, text("")),
        ];
        assert_eq!(found, expected);
    }
    let other = section("gnu", b"\x05x\0", false);
    assert_eq!(attributes(&other, "aeabi", false), Some(Vec::new()));
    for wrong in [&b""[..], b"B", b"A\xff\0\0\0aeabi\0", b"A\x02\0\0\0"] {
        assert_eq!(attributes(wrong, "aeabi", false), None, "{wrong:?}");
    }
}

#[test]
fn an_armv6_has_nothing_of_armv7() {
    let arm = |arch, fpu, neon| Says::Arm { arch, fpu, neon };
    let v6 = baseline(&["v6", "vfpv2"]);
    let said = |said: &Says, words: &[&str]| above(said, &baseline(words));
    assert_eq!(above(&arm(6, 2, 0), &v6), None);
    assert_eq!(above(&arm(4, 0, 0), &v6), None);
    assert_eq!(above(&arm(10, 2, 0), &v6).as_deref(), Some("ARMv7"));
    assert_eq!(above(&arm(8, 4, 1), &v6).as_deref(), Some("ARMv6t2, vfpv3-d16, neon"));
    assert_eq!(said(&arm(6, 2, 0), &["v6"]).as_deref(), Some("vfpv2"));
    assert_eq!(said(&arm(6, 0, 0), &["v5te"]).as_deref(), Some("ARMv6"));
    assert_eq!(said(&arm(10, 4, 0), &["v7", "vfpv3-d16"]), None);
    assert_eq!(said(&arm(10, 3, 0), &["v7", "vfpv3-d16"]).as_deref(), Some("vfpv3"));
    assert_eq!(said(&arm(99, 0, 0), &["v7"]).as_deref(), Some("ARMunknown"));
}

#[test]
fn mips_and_riscv_say_it_in_their_ways() {
    let r2 = baseline(&["mips32r2"]);
    for (number, more) in [
        (7, None),
        (5, None),
        (1, None),
        (9, Some("mips32r6")),
        (2, Some("mips3")),
        (8, Some("mips64r2")),
    ] {
        assert_eq!(above(&Says::Mips(number), &r2).as_deref(), more, "{number}");
    }
    let gc = baseline(&["i", "m", "a", "f", "d", "c"]);
    let said = |text: &str| above(&Says::Riscv(text.to_owned()), &gc);
    assert_eq!(said("rv64i2p1_m2p0_a2p1_f2p2_d2p2_c2p0_zicsr2p0_zmmul1p0"), None);
    assert_eq!(said("rv64i2p1_zba1p0_zvl128b1p0_v1p0").as_deref(), Some("zba, zvl128b, v"));
}
