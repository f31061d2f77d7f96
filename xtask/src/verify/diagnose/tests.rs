//! Objects and archives of a few bytes, each with one known difference.

use super::*;

/// Name, kind, flags, contents, link, info, entry size.
type Section<'a> = (u32, u32, u64, &'a [u8], u32, u32, u64);

/// An object file with `.text` and `.rodata`; the symbol `banner` is all of the latter from byte 4 on.
fn object(text: &[u8], rodata: &[u8]) -> Vec<u8> {
    let names = b"\0.text\0.rodata\0.symtab\0.strtab\0";
    let strings = b"\0banner\0";
    let mut symbols = vec![0; 24];
    // Name, an object with global binding, section 2, at 4.
    symbols.extend(1_u32.to_le_bytes());
    symbols.extend([0x11, 0, 2, 0]);
    symbols.extend(4_u64.to_le_bytes());
    symbols.extend((rodata.len() as u64 - 4).to_le_bytes());
    let sections: [Section<'_>; 4] = [
        (1, 1, 6, text, 0, 0, 0),
        (7, 1, 2, rodata, 0, 0, 0),
        (15, 2, 0, &symbols, 4, 1, 24),
        (23, 3, 0, strings, 0, 0, 0),
    ];
    let mut body = Vec::new();
    let mut headers = vec![0; 64];
    for (name, kind, flags, contents, link, info, size) in
        sections.into_iter().chain([(23, 3, 0, &names[..], 0, 0, 0)])
    {
        let offset = 64 + body.len() as u64;
        body.extend(contents);
        headers.extend(name.to_le_bytes());
        headers.extend(kind.to_le_bytes());
        for field in [flags, 0, offset, contents.len() as u64] {
            headers.extend(field.to_le_bytes());
        }
        headers.extend(link.to_le_bytes());
        headers.extend(info.to_le_bytes());
        for field in [1, size] {
            headers.extend(field.to_le_bytes());
        }
    }
    body.resize(body.len().next_multiple_of(8), 0);
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\x3e\0\x01\0\0\0".to_vec();
    file.extend([0; 16]);
    file.extend((64 + body.len() as u64).to_le_bytes());
    file.extend([0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 64, 0, 6, 0, 5, 0]);
    file.extend(body);
    file.extend(headers);
    file
}

/// An archive in the form that `ar` writes.
fn archive(members: &[(&str, &[u8])], date: &str) -> Vec<u8> {
    let mut file = b"!<arch>\n".to_vec();
    for (name, data) in members {
        let name = format!("{name}/");
        file.extend(
            format!("{name:<16}{date:<12}0     0     644     {:<10}`\n", data.len()).as_bytes(),
        );
        file.extend(*data);
        if data.len() % 2 == 1 {
            file.push(b'\n');
        }
    }
    file
}

#[test]
fn the_section_the_symbol_and_the_text_are_named() {
    let one = object(b"\x90\x90\xc3", b"\0\0\0\0built in /tmp/a/here\0");
    let two = object(b"\x90\x91\xc3", b"\0\0\0\0built in /tmp/b/there\0");
    let findings = diagnose(&one, &two);
    let first = &findings[0];
    assert_eq!((first.inside.as_str(), first.offset), (".rodata", 18), "{findings:?}");
    assert_eq!(first.symbol.as_deref(), Some("banner"));
    assert_eq!(first.texts, ["built in /tmp/a/here", "built in /tmp/b/there"]);
    assert!(first.is_telling());
    let code = findings.iter().find(|finding| finding.inside == ".text").unwrap();
    assert_eq!((code.offset, code.bytes[0].as_str(), code.is_telling()), (1, "90 c3", false));
    let expected = ".rodata at 0x12, in `banner`: 61 2f 68 65 72 65 00 against 62 2f 74 68 65 72 65 00\n  \
                    first:  \"built in /tmp/a/here\"\n  second: \"built in /tmp/b/there\"";
    assert_eq!(first.text(), expected);
}

#[test]
fn a_difference_before_the_symbol_is_not_its() {
    let findings = diagnose(&object(b"", b"\0\0\0\0text"), &object(b"", b"\0\x01\0\0text"));
    assert_eq!((findings[0].offset, &findings[0].symbol), (1, &None));
    assert_eq!(findings[0].texts, ["", ""]);
}

#[test]
fn members_of_archives_are_named() {
    let [a, b] = [b"\0\0\0\0year 2026\0", b"\0\0\0\0year 2027\0"].map(|text| object(b"", text));
    let one = archive(&[("same.o", b"1"), ("date.o", &a)], "0");
    let two = archive(&[("same.o", b"1"), ("date.o", &b)], "0");
    let findings = diagnose(&one, &two);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].inside, "member date.o, .rodata");
    assert_eq!(findings[0].symbol.as_deref(), Some("banner"));

    let turned = archive(&[("date.o", &a), ("same.o", b"1")], "0");
    let findings = diagnose(&one, &turned);
    assert_eq!(findings[0].inside, "the order of members");
    assert_eq!(findings[0].texts, ["same.o", "date.o"]);
    let dated = archive(&[("same.o", b"1"), ("date.o", &a)], "1790000000");
    assert_eq!(diagnose(&one, &dated)[0].inside, "a member's header");
    let fewer = archive(&[("same.o", b"1")], "0");
    assert_eq!(diagnose(&one, &fewer)[0].inside, "2 and 1 members");
}

#[test]
fn anything_else_is_compared_as_it_is() {
    let findings = diagnose(b"one line\nand here\n", b"one line\nand there\n");
    assert_eq!((findings[0].inside.as_str(), findings[0].offset), ("", 13));
    assert_eq!(findings[0].texts, ["and here", "and there"]);
    assert_eq!(diagnose(b"abc", b"abcd")[0].bytes, ["nothing", "64"]);
    assert!(diagnose(b"same", b"same").is_empty());
    // Cut short, an object is no object any more.
    let cut = &object(b"", b"\0\0\0\0text")[..80];
    assert_eq!(diagnose(cut, b"\x7fELF")[0].inside, "");
}
