//! ELF bytes → where in the file everything is: headers, sections, symbols.
//!
//! Everything in a file may be a lie, so nothing is taken that reaches beyond its end, and what two
//! headers claim counts once.

use std::ops::Range;

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader as _, SectionHeader as _, Sym as _};
use object::{Endianness, FileKind};

/// What is known of an ELF file.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// All of its bytes, in order, without gaps.
    pub regions: Vec<Region>,
    /// Sections.
    pub sections: Vec<Section>,
    /// Symbols that have a size, by address.
    pub symbols: Vec<Symbol>,
    /// Bytes that it has in memory only.
    pub zeroed_bytes: u64,
}

/// Some bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Where they are.
    pub range: Range<u64>,
    /// What they are.
    pub what: What,
}

/// What a region is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The header and those of segments and sections.
    Headers,
    /// A section, in the list of sections.
    Section(usize),
    /// What only keeps others at round addresses.
    Padding,
}

/// A section that has bytes in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// `.text`.
    pub name: String,
    /// Where it is in memory; nothing if it is not loaded.
    pub address: Option<u64>,
    /// Where its bytes are.
    pub range: Range<u64>,
}

/// A symbol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Symbol {
    /// Its address.
    pub address: u64,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// Its name.
    pub name: String,
}

/// Reads an ELF file.
pub fn read(data: &[u8]) -> Result<Image, String> {
    let kind = FileKind::parse(data).map_err(|_| "it is no ELF file".to_owned())?;
    match kind {
        FileKind::Elf32 => read_class::<FileHeader32<Endianness>>(data),
        FileKind::Elf64 => read_class::<FileHeader64<Endianness>>(data),
        other => Err(format!("it is no ELF file but {other:?}")),
    }
}

fn broken(error: object::Error) -> String {
    format!("it is a broken ELF file: {error}")
}

fn read_class<Elf: FileHeader<Endian = Endianness>>(data: &[u8]) -> Result<Image, String> {
    let header = Elf::parse(data).map_err(broken)?;
    let endian = header.endian().map_err(broken)?;
    let mut image = Image::default();
    let end = data.len() as u64;
    let mut claims = Vec::new();
    let mut claim = |begin: u64, size: u64, what| {
        let range = begin..begin.saturating_add(size);
        if range.end > end {
            let (begin, size) = (range.start, range.end);
            return Err(format!(
                "it is cut short: its headers speak of bytes {begin} to {size}, and it has {end}"
            ));
        }
        claims.push(Region { range, what });
        Ok(())
    };
    let count = header.program_headers(endian, data).map_err(broken)?.len() as u64;
    claim(0, header.e_ehsize(endian).into(), What::Headers)?;
    let size = count * u64::from(header.e_phentsize(endian));
    claim(header.e_phoff(endian).into(), size, What::Headers)?;
    for segment in header.program_headers(endian, data).map_err(broken)? {
        if segment.p_type(endian) == elf::PT_LOAD {
            let (in_file, in_memory): (u64, u64) =
                (segment.p_filesz(endian).into(), segment.p_memsz(endian).into());
            image.zeroed_bytes =
                image.zeroed_bytes.saturating_add(in_memory.saturating_sub(in_file));
        }
    }
    let sections = header.sections(endian, data).map_err(broken)?;
    let size = sections.len() as u64 * u64::from(header.e_shentsize(endian));
    claim(header.e_shoff(endian).into(), size, What::Headers)?;
    for section in sections.iter() {
        let Some((offset, size)) = section.file_range(endian) else { continue };
        let name = sections.section_name(endian, section).map_err(broken)?;
        let is_loaded = section.sh_flags(endian).0 & elf::SHF_ALLOC.0 != 0;
        claim(offset, size, What::Section(image.sections.len()))?;
        image.sections.push(Section {
            name: String::from_utf8_lossy(name).into_owned(),
            address: is_loaded.then(|| section.sh_addr(endian).into()),
            range: offset..offset + size,
        });
    }
    let symbols = sections.symbols(endian, data, elf::SHT_SYMTAB).map_err(broken)?;
    for symbol in symbols.iter().skip(1) {
        let (address, size_bytes) = (symbol.st_value(endian).into(), symbol.st_size(endian).into());
        let is_part = matches!(symbol.st_type(), elf::STT_FUNC | elf::STT_OBJECT);
        if is_part && size_bytes > 0 && !symbol.is_undefined(endian) {
            let name = symbols.symbol_name(endian, symbol).map_err(broken)?;
            let name = String::from_utf8_lossy(name).into_owned();
            image.symbols.push(Symbol { address, size_bytes, name });
        }
    }
    image.symbols.sort();
    image.regions = in_order(claims, end);
    Ok(image)
}

/// Regions that follow each other: what was claimed twice counts once, what nobody claims is padding.
fn in_order(mut claims: Vec<Region>, end: u64) -> Vec<Region> {
    claims.retain(|claim| !claim.range.is_empty());
    claims.sort_by_key(|claim| (claim.range.start, claim.range.end));
    let (mut regions, mut done) = (Vec::new(), 0);
    for Region { range, what } in claims {
        let begin = range.start.max(done);
        if begin >= range.end {
            continue;
        }
        if begin > done {
            regions.push(Region { range: done..begin, what: What::Padding });
        }
        regions.push(Region { range: begin..range.end, what });
        done = range.end;
    }
    if done < end {
        regions.push(Region { range: done..end, what: What::Padding });
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts_once() {
        let claim = |range, what| Region { range, what };
        let claims = vec![
            claim(20..30, What::Section(0)),
            claim(0..10, What::Headers),
            claim(25..40, What::Section(1)),
            claim(26..28, What::Section(2)),
            claim(50..50, What::Section(3)),
        ];
        let expected = [
            claim(0..10, What::Headers),
            claim(10..20, What::Padding),
            claim(20..30, What::Section(0)),
            claim(30..40, What::Section(1)),
            claim(40..60, What::Padding),
        ];
        assert_eq!(in_order(claims, 60), expected);
        assert_eq!(in_order(Vec::new(), 0), []);
    }

    #[test]
    fn this_program_is_read_whole() {
        let file = std::env::current_exe().unwrap();
        let data = std::fs::read(file).unwrap();
        let image = read(&data).unwrap();
        let sum: u64 = image.regions.iter().map(|it| it.range.end - it.range.start).sum();
        assert_eq!(sum, data.len() as u64);
        assert!(image.sections.iter().any(|it| it.name == ".text" && it.address.is_some()));
        assert!(!image.symbols.is_empty());
    }

    #[test]
    fn what_is_no_elf_file_is_an_error_in_words() {
        assert_eq!(read(b"").unwrap_err(), "it is no ELF file");
        assert_eq!(read(b"#!/bin/sh\n").unwrap_err(), "it is no ELF file");
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        for end in [20, 64, 200, own.len() / 2, own.len() - 1] {
            let error = read(&own[..end]).unwrap_err();
            assert!(error.contains("ELF") || error.contains("cut short"), "{error}");
        }
    }
}
