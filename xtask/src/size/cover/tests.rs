//! What maps and symbols tell of crafted files.

use super::super::image::{Image, Region, Section, Symbol, What};
use super::*;
use crate::linked::whose::{Object, Whose};

const MAP: &str = r"             VMA              LMA     Size Align Out     In      Symbol
             100              100       40     8 .rodata
             100              100       10     1         <internal>:(.rodata.str1.1)
             110              110       20     1         /d/app.o:(.rodata..Lanon.1f.0)
             130              130       10     1         /d/libz.a(crc32.o):(.rodata)
             130              130       10     1                 crc_table
            1140             1140       50    16 .text
            1140             1140       20    16         /d/app.o:(.text._RNvC3app4main)
            1140             1140       20     1                 app::main
            1160             1160        8     1         /d/app.o:(.text._RNvNtC4core3fmt5write)
            1160             1160        8     1                 core::fmt::write
            1170             1170       20    16         /d/libz.a(inflate.o):(.text)
            1170             1170       10     1                 inflate
            1180             1180       10     1                 inflateEnd
            2190             2190       18     8 .tbss
            2190             2190       18     8         /d/app.o:(.tbss._RNvC3std3tls)
            2190             2190       10     8 .got
            2190             2190       10     8         <internal>:(.got)
               0                0       20     1 .comment
               0                0       20     1         <internal>:(.comment)
";

fn section(name: &str, address: Option<u64>, range: Range<u64>) -> Section {
    Section { name: name.to_owned(), address, range }
}

/// The file that the map is of: headers, sections with a gap, section headers.
fn image() -> Image {
    let sections = vec![
        section(".rodata", Some(0x100), 0x100..0x140),
        section(".text", Some(0x1140), 0x140..0x190),
        section(".got", Some(0x2190), 0x190..0x1a0),
        section(".comment", None, 0x1a0..0x1c0),
    ];
    let mut regions = vec![
        Region { range: 0..0xe0, what: What::Headers },
        Region { range: 0xe0..0x100, what: What::Padding },
    ];
    regions.extend(
        sections
            .iter()
            .enumerate()
            .map(|(place, it)| Region { range: it.range.clone(), what: What::Section(place) }),
    );
    regions.push(Region { range: 0x1c0..0x200, what: What::Headers });
    Image { regions, sections, symbols: Vec::new(), zeroed_bytes: 0 }
}

fn whose() -> Whose {
    let object = |from: &str, name: &str, is_rust| Object {
        from: from.to_owned(),
        name: name.to_owned(),
        is_rust,
    };
    let objects = [
        ("/d/app.o", object("program", "app.o", true)),
        ("/d/libz.a(crc32.o)", object("recipe zlib 1.3.2", "libz.a(crc32.o)", false)),
        ("/d/libz.a(inflate.o)", object("recipe zlib 1.3.2", "libz.a(inflate.o)", false)),
    ];
    Whose {
        package: "app 0.1.0".to_owned(),
        objects: objects.map(|(name, object)| (name.to_owned(), object)).into(),
        crates: [("app".to_owned(), ["app 0.1.0".to_owned()].into())].into(),
        ..Whose::default()
    }
}

/// Bytes, owner's name, label.
type Line = (u64, String, String);

fn lines(parts: &[Part]) -> Vec<Line> {
    parts.iter().map(|it| (it.bytes, it.owner.name.clone(), it.label.clone())).collect()
}

fn line(bytes: u64, owner: &str, label: &str) -> Line {
    (bytes, owner.to_owned(), label.to_owned())
}

#[test]
fn a_map_and_what_dist_knew_tell_whose_each_byte_is() {
    let (image, whose) = (image(), whose());
    let pieces = pieces_of_map(MAP.as_bytes(), &image, &mut Owners::new(Some(&whose))).unwrap();
    let parts = parts(&image, &pieces, true);
    let expected = [
        line(0xe0, "headers", "headers"),
        line(0x20, "padding", "padding"),
        line(0x10, "merged texts and constants", ".rodata.str1.1"),
        line(0x20, "Rust constants without a crate's name", ".rodata..Lanon.1f.0"),
        line(0x10, "zlib 1.3.2", "crc_table"),
        line(0x20, "app 0.1.0", "app::main"),
        line(8, "core", "core::fmt::write"),
        line(8, "padding", "padding"),
        // A piece of several functions has the name of the first.
        line(0x20, "zlib 1.3.2", "inflate"),
        line(0x10, "tables of the linker", ".got"),
        line(0x20, "names of compilers", "names of compilers"),
        line(0x40, "headers", "headers"),
    ];
    assert_eq!(lines(&parts), expected);
    assert_eq!(parts.iter().map(|part| part.bytes).sum::<u64>(), 0x200);
    assert_eq!(parts[4].object.as_deref(), Some("libz.a(crc32.o)"));
    assert_eq!((parts[6].owner.kind, parts[6].section.as_str()), (Kind::StandardLibrary, ".text"));
}

#[test]
fn the_map_of_another_program_is_refused() {
    let mut other = image();
    other.sections[1].address = Some(0x1150);
    let read = |text: &str, image: &Image| {
        pieces_of_map(text.as_bytes(), image, &mut Owners::new(None)).map(drop)
    };
    assert_eq!(read(MAP, &other), Err("it has no .text at 0x1150".to_owned()));
    assert_eq!(read("some text\n", &image()), Err("it is no map of LLD".to_owned()));
    assert_eq!(read(MAP, &image()), Ok(()));
}

#[test]
fn pieces_that_overlap_count_once() {
    let piece = |range, name: &str| Piece {
        range,
        owner: Owner::new(Kind::Crate, name),
        label: name.to_owned(),
        object: None,
    };
    // The second lies in the first, the third reaches beyond the section.
    let pieces =
        [piece(0x1140..0x1160, "a"), piece(0x1148..0x1150, "b"), piece(0x1158..0x2000, "c")];
    let parts = parts(&image(), &pieces, true);
    let text: Vec<_> = parts.iter().filter(|part| part.section == ".text").cloned().collect();
    assert_eq!(lines(&text), [line(0x20, "a", "a"), line(0x30, "c", "c")]);
    assert_eq!(parts.iter().map(|part| part.bytes).sum::<u64>(), 0x200);
}

#[test]
fn symbols_tell_of_rust_and_no_more_than_they_know() {
    let mut image = image();
    let symbol =
        |address, size_bytes, name: &str| Symbol { address, size_bytes, name: name.to_owned() };
    image.symbols = vec![
        symbol(0x1140, 0x10, "_ZN5serde2de4read17h0123456789abcdefE"),
        symbol(0x1150, 0x20, "deflate"),
    ];
    let pieces = pieces_of_symbols(&image, &Owners::new(None));
    let parts = parts(&image, &pieces, false);
    let text: Vec<_> = parts.iter().filter(|part| part.section == ".text").cloned().collect();
    let expected = [
        line(0x10, "serde", "serde::de::read"),
        line(0x20, "functions and data of other code", "deflate"),
        line(0x20, ".text, without a symbol", ".text"),
    ];
    assert_eq!(lines(&text), expected);
    assert_eq!(
        [Kind::Crate, Kind::Unknown, Kind::Unknown],
        [0, 1, 2].map(|it| text[it].owner.kind)
    );
    let nothing = super::parts(&image, &[], false);
    let rodata = nothing.iter().find(|part| part.section == ".rodata").unwrap();
    assert_eq!((rodata.owner.kind, rodata.bytes), (Kind::Unknown, 0x40));
}
