//! The linker's map of a program → which files' and archive members' code is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use memchr::{memchr, memmem};

/// A file that the linker took sections of, and, if it is an archive, of which members.
pub type Parts = BTreeMap<PathBuf, BTreeSet<String>>;

/// What stands in the column of output sections before an input section; symbols have it twice.
pub const INDENT: &[u8; 8] = b"        ";

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
        if file == last || file == b"<internal>" {
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
