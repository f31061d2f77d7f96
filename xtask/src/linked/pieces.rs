//! The linker's map once more, in full: every piece of a program, its address, its functions, and
//! whose it is. Read only when a program is new.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use object::read::ReadCache;
use object::read::archive::ArchiveFile;

use super::map::{self, Kind};
use super::origin::{Origin, Places, is_rust_object, without_hash};
use super::{map_of, named_archives};
use crate::app::{Built, Program};

/// An input section as it is in the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its addresses.
    pub range: Range<u64>,
    /// Whose it is, in the list of owners.
    pub owner: usize,
    /// Addresses and names of its symbols, by address.
    pub symbols: Vec<(u64, String)>,
}

/// An object that the linker took sections of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// `recipe openssl 3.6.3`, `crate ring 0.17.14`, `rust`, `program`…
    pub from: String,
    /// `libcrypto.a(cpuid.o)`.
    pub object: String,
    /// Whether rustc made it of Rust code.
    pub is_rust: bool,
    /// The file that has it, as far as it is still there, and its name in an archive.
    pub place: Option<(PathBuf, Option<String>)>,
}

/// What a program was made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    /// All objects.
    pub owners: Vec<Owner>,
    /// All pieces, by address.
    pub pieces: Vec<Piece>,
}

/// The pieces of a program that cargo has linked.
pub fn pieces(places: &Places<'_>, built: &Built, program: &Program) -> Result<Pieces> {
    let file = map_of(&program.path)?;
    let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let (names, pieces) = parse(&text).with_context(|| format!("{} is no map", file.display()))?;
    let owners = owners(places, built, &file, &names);
    Ok(Pieces { owners, pieces })
}

/// Whose the objects are that a map names.
pub fn owners(places: &Places<'_>, built: &Built, map: &Path, names: &[String]) -> Vec<Owner> {
    let finder = Finder { places, built, deps: map.parent().unwrap_or(Path::new("/")).to_owned() };
    let mut packed = BTreeMap::new();
    names.iter().map(|name| finder.owner(name, &mut packed)).collect()
}

/// Reads a map as LLD writes it: names of objects, and pieces that refer to them.
fn parse(text: &[u8]) -> Option<(Vec<String>, Vec<Piece>)> {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut pieces: Vec<Piece> = Vec::new();
    // Symbols belong to the piece above them, unless that was not kept.
    let mut is_inside = false;
    // Debug information is not loaded: its addresses count from 0 and mean nothing.
    let mut is_loaded = false;
    for line in map::lines(text)? {
        let address = line.address;
        match line.kind {
            Kind::Output => is_loaded = address > 0,
            _ if !is_loaded => {}
            Kind::Symbol => {
                let piece = pieces.last_mut().filter(|_| is_inside);
                if let Some(piece) = piece.filter(|piece| piece.range.contains(&address)) {
                    piece.symbols.push((address, line.text.into_owned()));
                }
            }
            Kind::Input => {
                let object = line.input().map(|(object, _)| object);
                let object = object.filter(|it| line.size_bytes > 0 && *it != map::INTERNAL);
                is_inside = object.is_some();
                let Some(object) = object else { continue };
                let next = names.len();
                let owner = *names.entry(object.to_owned()).or_insert(next);
                let range = address..address.saturating_add(line.size_bytes);
                pieces.push(Piece { range, owner, symbols: Vec::new() });
            }
        }
    }
    let mut ordered = vec![String::new(); names.len()];
    names.into_iter().for_each(|(name, index)| ordered[index] = name);
    pieces.sort_by_key(|piece| piece.range.start);
    pieces.iter_mut().for_each(|piece| piece.symbols.sort());
    Some((ordered, pieces))
}

/// Finds out whose an object is.
struct Finder<'a> {
    places: &'a Places<'a>,
    built: &'a Built,
    deps: PathBuf,
}

/// By package, the archives that its build script names, and their members.
type Packed = BTreeMap<String, Vec<(PathBuf, BTreeSet<String>)>>;

impl Finder<'_> {
    fn owner(&self, name: &str, packed: &mut Packed) -> Owner {
        let (path, member) = match name.strip_suffix(')').and_then(|it| it.rsplit_once('(')) {
            Some((path, member)) => (Path::new(path), Some(member.to_owned())),
            None => (Path::new(name), None),
        };
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let origin = self.places.origin(path, self.built);
        let is_rust = is_rust_object(member.as_deref().unwrap_or(&file));
        let mut from = origin.words(self.places);
        let mut place = self.lasting(path, &file);
        let mut shown = without_hash(&file);
        if let (Origin::Rlib(package), Some(member), false) = (&origin, &member, is_rust) {
            let archives = packed.entry(package.clone()).or_insert_with(|| self.archives(package));
            let holder = archives.iter().find(|(_, members)| members.contains(member));
            if let Some((archive, _)) = holder {
                from = self.places.origin(archive, self.built).words(self.places);
                place = Some(archive.clone());
                shown = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
            }
        }
        let object = match &member {
            Some(member) => format!("{shown}({member})"),
            None => shown,
        };
        Owner { from, object, is_rust, place: place.map(|place| (place, member)) }
    }

    /// Where a file is that rustc has given to the linker, perhaps as a copy that is gone.
    fn lasting(&self, path: &Path, name: &str) -> Option<PathBuf> {
        let places = [path.to_owned(), self.deps.join(name), self.places.std_folder.join(name)];
        places.into_iter().find(|place| place.is_file())
    }

    fn archives(&self, package: &str) -> Vec<(PathBuf, BTreeSet<String>)> {
        let own = self.built.scripts.iter().filter(|script| script.package == package);
        own.flat_map(named_archives)
            .filter_map(|file| Some((file.clone(), members(&file)?)))
            .collect()
    }
}

/// The names of an archive's members.
fn members(file: &Path) -> Option<BTreeSet<String>> {
    let cache = ReadCache::new(File::open(file).ok()?);
    let archive = ArchiveFile::parse(&cache).ok()?;
    let members = archive.members().filter_map(Result::ok);
    Some(members.map(|member| String::from_utf8_lossy(member.name()).into_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = r"             VMA              LMA     Size Align Out     In      Symbol
             270              270       18     8 .dynsym
             270              270       18     8         <internal>:(.dynsym)
             4c0              4c0       2c     4 .text
             500              500       54     4         /a b/libz.a(inflate.o):(.text.x:(y))
             500              500       10     1                 inflate
             510              510        0     1                 inner
             4c0              4c0       2c     4         /t/deps/app-1f.rcgu.o:(.text.a)
             4c0              4c0       2c     1                 main
             600              600        0     4         /a b/libz.a(inflate.o):(.text)
             600              600        0     1                 nothing
               0                0       90     1 .debug_info
             4c0              4c0       30     1         /a b/libz.a(inflate.o):(.debug_info)
";

    #[test]
    fn a_map_says_where_each_piece_is() {
        let (names, pieces) = parse(MAP.as_bytes()).unwrap();
        assert_eq!(names, ["/a b/libz.a(inflate.o)", "/t/deps/app-1f.rcgu.o"]);
        let symbols = |list: &[(u64, &str)]| -> Vec<_> {
            list.iter().map(|(address, name)| (*address, (*name).to_owned())).collect()
        };
        let main = Piece { range: 0x4c0..0x4ec, owner: 1, symbols: symbols(&[(0x4c0, "main")]) };
        let inflate = symbols(&[(0x500, "inflate"), (0x510, "inner")]);
        let inflate = Piece { range: 0x500..0x554, owner: 0, symbols: inflate };
        assert_eq!(pieces, [main, inflate]);
        assert_eq!(parse(b"anything else\n"), None);
    }
}
