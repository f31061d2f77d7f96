//! Every byte of a file → its section, whose it is, and what it is called there.

use std::collections::BTreeSet;
use std::ops::Range;

use super::image::{Image, Section, Symbol, What};
use super::share::{Kind, Owner, Owners};
use super::symbol::rust_name;
use crate::linked::map::{self, INTERNAL};

/// Some bytes that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How many.
    pub bytes: u64,
    /// The section's name, or `headers`, `padding`.
    pub section: String,
    /// Whose they are.
    pub owner: Owner,
    /// The function or what else they are called.
    pub label: String,
    /// The object that they came in, where that is known.
    pub object: Option<String>,
}

/// Bytes in memory that the evidence tells something of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Their addresses.
    range: Range<u64>,
    owner: Owner,
    label: String,
    object: Option<String>,
}

/// The pieces that a linker's map tells of, if it is the map of this file: with the same sections at
/// the same addresses.
pub fn pieces_of_map(
    text: &[u8],
    image: &Image,
    owners: &mut Owners<'_>,
) -> Result<Vec<Piece>, String> {
    let lines = map::lines(text).ok_or("it is no map of LLD")?;
    let place = |section: &Section| Some((section.address?, section.name.clone()));
    let mut missing: BTreeSet<(u64, String)> = image.sections.iter().filter_map(place).collect();
    let mut pieces: Vec<Piece> = Vec::new();
    // Symbols belong to the piece above them, unless that was not kept.
    let (mut is_loaded, mut is_inside) = (false, false);
    for line in lines {
        let address = line.address;
        match line.kind {
            map::Kind::Output => {
                // What has no bytes in the file may have the addresses of something else.
                is_loaded = missing.remove(&(address, line.text.into_owned()));
            }
            _ if !is_loaded => {}
            map::Kind::Symbol => {
                let piece = pieces.last_mut().filter(|it| is_inside && it.range.start == address);
                if let Some(piece) = piece.filter(|_| line.size_bytes > 0) {
                    piece.label = line.text.into_owned();
                    // The first of several names is as good as any.
                    is_inside = false;
                }
            }
            map::Kind::Input => {
                let Some((object, section)) = line.input() else { continue };
                is_inside = line.size_bytes > 0;
                if is_inside {
                    let range = address..address.saturating_add(line.size_bytes);
                    pieces.push(piece(range, object, section, owners));
                }
            }
        }
    }
    if let Some((address, name)) = missing.first() {
        return Err(format!("it has no {name} at {address:#x}"));
    }
    pieces.sort_by_key(|piece| (piece.range.start, piece.range.end));
    Ok(pieces)
}

fn piece(range: Range<u64>, object: &str, section: &str, owners: &mut Owners<'_>) -> Piece {
    if object == INTERNAL {
        return Piece { range, owner: of_linker(section), label: section.to_owned(), object: None };
    }
    let (owner, object) = owners.of_piece(object, section);
    // Tables of unwinding are in many pieces without names.
    let label = section.split('+').next().unwrap_or(section).to_owned();
    Piece { range, owner, label, object: Some(object) }
}

/// What the linker makes: tables, and texts and constants of all objects, equal ones once.
fn of_linker(section: &str) -> Owner {
    let merged = [".rodata", ".data.rel.ro", ".comment"];
    if merged.iter().any(|start| section.starts_with(start)) {
        return Owner::new(Kind::Linker, "merged texts and constants");
    }
    match section {
        ".eh_frame_hdr" => Owner::new(Kind::Linker, "index of unwind tables"),
        _ => Owner::new(Kind::Linker, "tables of the linker"),
    }
}

/// Whose what has no symbol is, in a file without a map: of some sections the name says it.
fn of_section(section: &str) -> Owner {
    let tables =
        [".dyn", ".rel", ".got", ".plt", ".gnu.hash", ".gnu.version", ".hash", ".eh_frame_hdr"];
    if tables.iter().any(|start| section.starts_with(start)) {
        return of_linker(section);
    }
    match section {
        ".interp" => Owner::new(Kind::File, "name of the loader"),
        ".eh_frame" | ".gcc_except_table" | ".ARM.extab" | ".ARM.exidx" => {
            Owner::new(Kind::Unknown, "unwind tables")
        }
        _ if section.starts_with(".note") => Owner::new(Kind::File, "notes"),
        _ => Owner::new(Kind::Unknown, format!("{section}, without a symbol")),
    }
}

/// The pieces that a symbol table tells of.
pub fn pieces_of_symbols(image: &Image, owners: &Owners<'_>) -> Vec<Piece> {
    let piece = |symbol: &Symbol| {
        let (owner, label) = match rust_name(&symbol.name) {
            Some(name) => (owners.of_crate(&name.krate), name.path),
            None => {
                (Owner::new(Kind::Unknown, "functions and data of other code"), symbol.name.clone())
            }
        };
        let range = symbol.address..symbol.address.saturating_add(symbol.size_bytes);
        Piece { range, owner, label, object: None }
    };
    image.symbols.iter().map(piece).collect()
}

/// All parts of a file. Their bytes add up to the file's.
pub fn parts(image: &Image, pieces: &[Piece], is_mapped: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    for region in &image.regions {
        let bytes = region.range.end - region.range.start;
        let of_file = |section: &str, label: &str| Part {
            bytes,
            section: section.to_owned(),
            owner: Owner::new(Kind::File, label),
            label: label.to_owned(),
            object: None,
        };
        match region.what {
            What::Headers => parts.push(of_file("headers", "headers")),
            What::Padding => parts.push(of_file("padding", "padding")),
            What::Section(index) => {
                let section = &image.sections[index];
                match section.address {
                    None => parts.push(of_file(&section.name, not_loaded(&section.name))),
                    Some(address) => {
                        // The region may be less than the section, where two claim the same bytes.
                        let begin =
                            address.saturating_add(region.range.start - section.range.start);
                        let range = begin..begin.saturating_add(bytes);
                        inside(range, &section.name, pieces, is_mapped, &mut parts);
                    }
                }
            }
        }
    }
    parts
}

/// What a section is that is only in the file.
fn not_loaded(name: &str) -> &'static str {
    match name {
        ".symtab" | ".strtab" | ".shstrtab" => "names of symbols and sections",
        ".comment" => "names of compilers",
        _ if name.starts_with(".debug") || name.starts_with(".zdebug") => "debug information",
        _ => "sections that are not loaded",
    }
}

/// The parts of a section in memory.
fn inside(
    range: Range<u64>,
    section: &str,
    pieces: &[Piece],
    is_mapped: bool,
    parts: &mut Vec<Part>,
) {
    let part = |bytes, owner: Owner, label: &str, object: Option<String>| Part {
        bytes,
        section: section.to_owned(),
        owner,
        label: label.to_owned(),
        object,
    };
    let gap = |bytes| match is_mapped {
        // A map names all that there is.
        true => part(bytes, Owner::new(Kind::File, "padding"), "padding", None),
        false => part(bytes, of_section(section), section, None),
    };
    let mut done = range.start;
    let first = pieces.partition_point(|piece| piece.range.start < range.start);
    for piece in pieces[first..].iter().take_while(|piece| piece.range.start < range.end) {
        let (begin, end) = (piece.range.start.max(done), piece.range.end.min(range.end));
        if begin >= end {
            continue;
        }
        if begin > done {
            parts.push(gap(begin - done));
        }
        parts.push(part(end - begin, piece.owner.clone(), &piece.label, piece.object.clone()));
        done = end;
    }
    if done < range.end {
        parts.push(gap(range.end - done));
    }
}

#[cfg(test)]
mod tests;
