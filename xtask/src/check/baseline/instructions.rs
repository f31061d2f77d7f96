//! What the code of an object takes beyond the first CPUs of its kind, told from the instructions
//! themselves: AArch64, LoongArch, POWER and IBM Z, whose objects say nothing of it.

mod aarch64;
mod loongarch;
mod power;
mod s390x;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use object::{
    Architecture, Object as _, ObjectSection as _, ObjectSymbol as _, Section, SectionIndex,
    SectionKind, SymbolKind,
};

/// What all code of an object takes. Nothing if its CPU is none of these, or if it has lost the symbols
/// that tell its code from data.
pub fn features(file: &object::File<'_>) -> Option<BTreeSet<&'static str>> {
    let is_big = !file.is_little_endian();
    let find: fn(&[u8], bool) -> BTreeSet<&'static str> = match file.architecture() {
        Architecture::Aarch64 => {
            |code, _| words(code, false).filter_map(aarch64::feature).collect()
        }
        Architecture::LoongArch64 => {
            |code, _| words(code, false).filter_map(loongarch::feature).collect()
        }
        // Behind its code a function of GCC's has a table for debuggers, which begins with a zero.
        Architecture::PowerPc64 => |code, is_big| {
            words(code, is_big).take_while(|it| *it != 0).filter_map(power::feature).collect()
        },
        Architecture::S390x => |code, _| in_lengths(code),
        _ => return None,
    };
    let ranges = match file.architecture() {
        Architecture::Aarch64 => by_mapping_symbols(file),
        _ => by_functions(file),
    };
    let is_code = |it: &Section<'_, '_>| it.kind() == SectionKind::Text && it.size() > 0;
    if ranges.is_empty() && file.sections().any(|it| is_code(&it)) {
        return None;
    }
    let mut found = BTreeSet::new();
    for (index, range) in ranges {
        let code =
            file.section_by_index(SectionIndex(index)).ok().and_then(|it| bytes(&it, &range));
        found.extend(code.map(|code| find(code, is_big)).unwrap_or_default());
    }
    Some(found)
}

/// In the words that `features` uses, what a CPU has: rustc's name of it, and what rustc says that it
/// has. Nothing if that cannot be told.
pub fn of_cpu(file: &object::File<'_>, cpu: &str, features: &[String]) -> Option<Vec<String>> {
    let find = |list: &[&str]| list.iter().find(|known| **known == cpu).map(|it| (*it).to_owned());
    let renamed = |names: &[(&str, &str)]| {
        let other = names.iter().find(|(alias, _)| *alias == cpu);
        other.map(|(_, known)| (*known).to_owned())
    };
    match file.architecture() {
        Architecture::Aarch64 | Architecture::LoongArch64 => return Some(features.to_vec()),
        Architecture::PowerPc64 => find(&power::CPUS).or_else(|| renamed(&power::ALIASES)),
        Architecture::S390x => find(&s390x::CPUS).or_else(|| renamed(&s390x::ALIASES)),
        _ => None,
    }
    .map(|name| vec![name])
}

/// Whether a CPU is one of those, and has all that another one's code takes: both in the words that
/// `features` uses. Where CPUs have no order, features are their own words.
pub fn covers(cpu: &str, feature: &str) -> bool {
    let place = |list: &[&str], word: &str| list.iter().position(|known| *known == word);
    let is_later = |list: &[&str]| {
        place(list, cpu).zip(place(list, feature)).is_some_and(|(cpu, taken)| cpu >= taken)
    };
    // SVE's instructions are part of SME.
    (cpu == feature || (cpu, feature) == ("sme", "sve"))
        || is_later(&power::CPUS)
        || is_later(&s390x::CPUS)
}

fn words(code: &[u8], is_big: bool) -> impl Iterator<Item = u32> {
    let read = if is_big { u32::from_be_bytes } else { u32::from_le_bytes };
    code.as_chunks().0.iter().map(move |word| read(*word))
}

fn in_lengths(mut code: &[u8]) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    while let Some((instruction, rest)) = code.split_at_checked(s390x::length(code)) {
        found.extend(s390x::feature(instruction));
        code = rest;
    }
    found
}

/// Addresses in a section, by its number.
type Place = (usize, Range<u64>);

/// A section's bytes at some addresses.
fn bytes<'a>(section: &Section<'a, '_>, range: &Range<u64>) -> Option<&'a [u8]> {
    let inside = |address: u64| usize::try_from(address.checked_sub(section.address())?).ok();
    let end = range.end.min(section.address() + section.size());
    section.data().ok()?.get(inside(range.start)?..inside(end)?)
}

/// What lies between AArch64's mapping symbols for code (`$x`) and the next one, which may be for data
/// (`$d`).
fn by_mapping_symbols(file: &object::File<'_>) -> Vec<Place> {
    let mut marks: BTreeMap<(usize, u64), bool> = BTreeMap::new();
    for symbol in file.symbols() {
        let (Ok(name), Some(section)) = (symbol.name(), symbol.section_index()) else { continue };
        let is_mark = |mark: &str| {
            name.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let is_code = is_mark("$x");
        if is_code || is_mark("$d") {
            marks.insert((section.0, symbol.address()), is_code);
        }
    }
    let marks: Vec<_> = marks.into_iter().collect();
    let end = |index: usize, section: usize| match marks.get(index + 1) {
        Some(((next, address), _)) if *next == section => *address,
        _ => u64::MAX,
    };
    let code = marks.iter().enumerate().filter(|(_, (_, is_code))| *is_code);
    code.map(|(index, ((section, begin), _))| (*section, *begin..end(index, *section))).collect()
}

/// Where functions are by their symbols, and handwritten assembly that does not say what its symbols
/// are. What has no size goes on to the next symbol.
fn by_functions(file: &object::File<'_>) -> Vec<Place> {
    let mut begins: BTreeSet<(usize, u64)> = BTreeSet::new();
    let mut code = Vec::new();
    for symbol in file.symbols() {
        let Some(section) = symbol.section_index() else { continue };
        begins.insert((section.0, symbol.address()));
        let is_in_code =
            file.section_by_index(section).is_ok_and(|it| it.kind() == SectionKind::Text);
        let is_code = match symbol.kind() {
            SymbolKind::Text => true,
            SymbolKind::Unknown => symbol.is_global(),
            _ => false,
        };
        if is_in_code && is_code {
            code.push((section.0, symbol.address(), symbol.size()));
        }
    }
    let end = |section: usize, begin: u64, size: u64| match size {
        0 => match begins.range((section, begin + 1)..).next() {
            Some((next, address)) if *next == section => *address,
            _ => u64::MAX,
        },
        size => begin.saturating_add(size),
    };
    code.into_iter()
        .map(|(section, begin, size)| (section, begin..end(section, begin, size)))
        .collect()
}

#[cfg(test)]
mod tests;
