//! The linker's map of a program → which files' and archive members' code is in it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use memchr::{memchr, memmem};

/// A file that the linker took sections of, and, if it is an archive, of which members.
pub type Parts = BTreeMap<PathBuf, BTreeSet<String>>;

/// What stands in the column of output sections before an input section; symbols have it twice.
const INDENT: &[u8; 8] = b"        ";

/// How linkers name what is in no file.
pub const INTERNAL: &str = "<internal>";

/// What a line of a map is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A section of the program.
    Output,
    /// What of an object is in it.
    Input,
    /// A symbol of that.
    Symbol,
}

/// A line of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// What it is about.
    pub kind: Kind,
    /// Where it is in memory; 0 for what is not loaded.
    pub address: u64,
    /// How many bytes it has there.
    pub size_bytes: u64,
    /// The section's or symbol's name, or `file:(section)`.
    pub text: Cow<'a, str>,
}

impl Line<'_> {
    /// The object and the section in it of an input.
    pub fn input(&self) -> Option<(&str, &str)> {
        let (file, section) = self.text.split_once(":(")?;
        Some((file, section.strip_suffix(')').unwrap_or(section)))
    }
}

/// All lines of a map as LLD writes it; nothing if it is none.
pub fn lines(text: &[u8]) -> Option<impl Iterator<Item = Line<'_>>> {
    let mut lines = text.split(|byte| *byte == b'\n');
    let column = memmem::find(lines.next()?, b"Out ")?;
    Some(lines.filter_map(move |line| read_line(line, column)))
}

fn read_line(line: &[u8], column: usize) -> Option<Line<'_>> {
    let (numbers, rest) = line.split_at_checked(column)?;
    let (kind, name) = match (rest.strip_prefix(INDENT), rest.first()?) {
        (Some(rest), _) => match rest.strip_prefix(INDENT) {
            Some(name) => (Kind::Symbol, name),
            None => (Kind::Input, rest),
        },
        (None, b' ') => return None,
        (None, _) => (Kind::Output, rest),
    };
    let mut words = std::str::from_utf8(numbers).ok()?.split_ascii_whitespace();
    let mut number = |skip: usize| u64::from_str_radix(words.nth(skip)?, 16).ok();
    let (address, size_bytes) = (number(0)?, number(1)?);
    Some(Line { kind, address, size_bytes, text: String::from_utf8_lossy(name) })
}

/// Reads a map as LLD writes it; nothing if it is none.
///
/// ```text
///              VMA              LMA     Size Align Out     In      Symbol
///              4c0              4c0    1e63c    32 .rodata
///              4c0              4c0       2c     4         /target/libz.a(inflate.o):(.rodata.order)
/// ```
pub fn parse(text: &[u8]) -> Option<Parts> {
    // Maps have megabytes, most of them symbols, and are read at each `dist`.
    let mut rest = Some(text);
    let mut lines = std::iter::from_fn(|| {
        let text = rest?;
        let end = memchr(b'\n', text);
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    });
    let header = lines.next()?;
    let column = memmem::find(header, b"Out ")?;
    let input = column + INDENT.len();
    let mut parts = Parts::new();
    let mut last: &[u8] = &[];
    for line in lines {
        let is_input = line.len() > input && line[input] != b' ' && line[column..input] == *INDENT;
        if !is_input {
            continue;
        }
        // `file:(section)`; a section's name may have the same characters in it, a path hardly.
        let rest = &line[input..];
        let Some(end) = memmem::find(rest, b":(") else { continue };
        let file = &rest[..end];
        if file == last || file == INTERNAL.as_bytes() {
            continue;
        }
        last = file;
        let file = String::from_utf8_lossy(file);
        let (path, member) = match file.strip_suffix(')').and_then(|file| file.rsplit_once('(')) {
            Some((path, member)) => (path, Some(member)),
            None => (&*file, None),
        };
        let members = parts.entry(PathBuf::from(path)).or_default();
        members.extend(member.map(str::to_owned));
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = r"             VMA              LMA     Size Align Out     In      Symbol
             270              270       18     8 .dynsym
             270              270       18     8         <internal>:(.dynsym)
             4c0              4c0       2c     4         /t/deps/app-1f.rcgu.o:(.rodata.a)
             4c0              4c0       2c     1                 a (b.o):(
             4ec              4ec       54     4         /a b/libz.a(inflate.o):(.rodata.x:(y))
             4ec              4ec       54     4         /a b/libz.a(inflate.o):(.rodata.z)
             4ec              4ec       54     4         /a b/libz.a(crc32.o):(.text)
";

    #[test]
    fn a_map_names_objects_and_members() {
        let parts = parse(MAP.as_bytes()).unwrap();
        let of =
            |path: &str| parts[&PathBuf::from(path)].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(parts.len(), 2);
        assert_eq!(of("/a b/libz.a"), Vec::from(["crc32.o", "inflate.o"]));
        assert_eq!(of("/t/deps/app-1f.rcgu.o"), Vec::<&str>::new());
        let narrow = "     VMA      LMA     Size Align Out     In      Symbol\n     4c0      4c0       2c     4         /x.o:(.a)\n";
        assert!(parse(narrow.as_bytes()).unwrap().contains_key(&PathBuf::from("/x.o")));
        assert_eq!(parse(b"anything else\n"), None);
    }
}
