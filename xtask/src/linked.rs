//! What got into a program, by the linker's own map: every static archive, and where it comes from.
//! One that comes from neither a recipe, a crate, Rust nor the toolchain is an error.
//!
//! rustc packs a static library that a crate names into the crate's rlib. What such an rlib brings
//! besides Rust code is held against the archives that the crate's build script pointed at.

pub mod map;
mod origin;
mod pieces;
pub mod whose;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use object::read::ReadCache;
use object::read::archive::ArchiveFile;
use serde::Serialize;

use crate::app::{Built, Program, Script};
use crate::exit::{Exit, Failure};
use crate::layout::Stamp;
use crate::toolchain::linking::MAP_ENDING;
use map::Parts;
pub use origin::Places;
pub use origin::without_hash;
use origin::{Origin, is_rust_object};
pub use pieces::{Owner, Piece, Pieces, pieces};

/// An archive of which something is in a program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Archive {
    /// Its file's name, without what cargo and rustc put in to tell builds apart.
    pub archive: String,
    /// Whose it is: `recipe zlib 1.3.2`, `crate ring 0.17.14`, `rust`, `toolchain zig 0.17.0`.
    pub from: String,
    /// How many of its members are in the program.
    pub members: usize,
}

/// The linker's map of a program.
#[derive(Debug)]
pub struct Map {
    file: PathBuf,
    /// What the file was when it was read, if that can be told later.
    stamp: Option<Stamp>,
    parts: Parts,
}

impl Map {
    /// The map of the program that cargo has put there.
    pub fn of(program: &Path) -> Result<Self> {
        Self::read(map_of(program)?)
    }

    fn read(file: PathBuf) -> Result<Self> {
        let stamp = Stamp::settled(&file);
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let parts = map::parse(&bytes).with_context(|| format!("{} is no map", file.display()))?;
        Ok(Self { file, stamp, parts })
    }

    /// Whether it is what this file says now.
    fn is(&self, file: &Path) -> bool {
        self.file == file && self.stamp.is_some() && self.stamp == Stamp::of(file)
    }
}

/// The archives in a program. Fails with exit code 5 if one is from elsewhere. Maps that were read
/// before are not read again, if they are still the same.
pub fn archives(
    places: &Places<'_>,
    built: &Built,
    program: &Program,
    before: &[Map],
) -> Result<Vec<Archive>> {
    let file = map_of(&program.path)?;
    let read;
    let map = match before.iter().find(|map| map.is(&file)) {
        Some(map) => map,
        None => {
            read = Map::read(file)?;
            &read
        }
    };
    let (mut found, mut strange) = (Vec::new(), BTreeSet::new());
    for (path, members) in &map.parts {
        let origin = places.origin(path, built);
        if origin == Origin::Elsewhere {
            strange.insert(path.clone());
            continue;
        }
        if members.is_empty() {
            // An object: the program's own, or one of those that begin and end every program.
            continue;
        }
        let native: BTreeSet<&str> =
            members.iter().map(String::as_str).filter(|name| !is_rust_object(name)).collect();
        let Origin::Rlib(package) = &origin else {
            found.push(archive(path, origin.words(places), members.len()));
            continue;
        };
        if members.len() > native.len() {
            found.push(archive(path, origin.words(places), members.len() - native.len()));
        }
        let packed = Packed { places, built, package, members: native };
        packed.sort_out(path, &mut found, &mut strange);
    }
    found.sort();
    found.dedup_by(|next, kept| {
        let is_same = (&next.archive, &next.from) == (&kept.archive, &kept.from);
        kept.members += if is_same { next.members } else { 0 };
        is_same
    });
    match strange.is_empty() {
        true => Ok(found),
        false => Err(refusal(program, &strange).into()),
    }
}

fn archive(path: &Path, from: String, members: usize) -> Archive {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Archive { archive: without_hash(&name), from, members }
}

fn refusal(program: &Program, strange: &BTreeSet<PathBuf>) -> Failure {
    let list: Vec<_> = strange.iter().map(|path| format!("  {}", path.display())).collect();
    let message = format!(
        "{} has code in it that comes from neither a recipe, a crate, Rust nor the toolchain:\n{}",
        program.name,
        list.join("\n")
    );
    Failure::new(Exit::CheckFailed, message)
        .help("a build script or a `-L` flag points at this machine's libraries: find out which with `cargo build -vv`")
        .help("a recipe brings the library in its place (`libraries.add`), or the crate's own copy does")
}

/// The map beside the file that cargo linked: under another name than the program's, of which it is
/// a hard link or a copy.
fn map_of(program: &Path) -> Result<PathBuf> {
    let folder = program.parent().unwrap_or(Path::new("/")).join("deps");
    let meta =
        fs::metadata(program).with_context(|| format!("cannot read {}", program.display()))?;
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let start = format!("{}-", name.replace('-', "_"));
    let mut copies = Vec::new();
    for item in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let name = item.file_name().to_string_lossy().into_owned();
        let Some(linked) = name.strip_suffix(MAP_ENDING).filter(|name| name.starts_with(&start))
        else {
            continue;
        };
        let Ok(other) = fs::metadata(folder.join(linked)) else { continue };
        if (other.dev(), other.ino()) == (meta.dev(), meta.ino()) {
            return Ok(item.path());
        }
        if other.len() == meta.len() {
            copies.push((folder.join(linked), item.path()));
        }
    }
    let ours = if copies.is_empty() { Vec::new() } else { fs::read(program)? };
    let is_copy = |(linked, _): &(PathBuf, PathBuf)| fs::read(linked).is_ok_and(|it| it == ours);
    copies.into_iter().find(is_copy).map(|(_, map)| map).ok_or_else(|| {
        let message = format!("there is no map of how {} was linked", program.display());
        Failure::new(Exit::Failed, message)
            .help(format!("remove {} to have it linked again", folder.display()))
            .into()
    })
}

/// What an rlib brings besides Rust code.
struct Packed<'a> {
    places: &'a Places<'a>,
    built: &'a Built,
    /// Cargo's id of the rlib's package.
    package: &'a str,
    members: BTreeSet<&'a str>,
}

impl Packed<'_> {
    /// Finds the archives that the members were packed from: first among those that the package's own
    /// build script names, then in all foreign folders that any script names. What is in none of them
    /// is the crate's own.
    fn sort_out(&self, rlib: &Path, found: &mut Vec<Archive>, strange: &mut BTreeSet<PathBuf>) {
        let mut open = self.members.clone();
        let own = self.built.scripts.iter().filter(|script| script.package == self.package);
        for file in own.flat_map(named_archives) {
            if open.is_empty() {
                return;
            }
            self.take(&file, &mut open, found, strange);
        }
        let foreign =
            self.built.scripts.iter().flat_map(|script| &script.folders).filter(|it| {
                self.places.origin(&it.join("lib.a"), self.built) == Origin::Elsewhere
            });
        for folder in foreign.collect::<BTreeSet<_>>() {
            let files = fs::read_dir(folder).into_iter().flatten().flatten();
            for file in
                files.map(|file| file.path()).filter(|it| it.extension().is_some_and(|e| e == "a"))
            {
                if !open.is_empty() {
                    self.take(&file, &mut open, found, strange);
                }
            }
        }
        if !open.is_empty() {
            let from = Origin::Rlib(self.package.to_owned()).words(self.places);
            found.push(Archive { members: open.len(), ..archive(rlib, from, 0) });
        }
    }

    fn take(
        &self,
        file: &Path,
        open: &mut BTreeSet<&str>,
        found: &mut Vec<Archive>,
        strange: &mut BTreeSet<PathBuf>,
    ) {
        let before = open.len();
        if take_members(file, open).is_none() || open.len() == before {
            return;
        }
        match self.places.origin(file, self.built) {
            Origin::Elsewhere => drop(strange.insert(file.to_owned())),
            origin => found.push(archive(file, origin.words(self.places), before - open.len())),
        }
    }
}

/// The static libraries that a script names, where rustc finds them.
fn named_archives(script: &Script) -> Vec<PathBuf> {
    let find = |lib: &String| {
        let name = lib.split_once('=').map_or(lib.as_str(), |(_, name)| name);
        let name = name.split(':').next().unwrap_or(name);
        let mut places = script.folders.iter().map(|folder| folder.join(format!("lib{name}.a")));
        places.find(|file| file.exists())
    };
    script.libs.iter().filter_map(find).collect()
}

/// Takes the names of an archive's members out of a set. Only their headers are read: an archive has
/// megabytes, and this is done at each `dist`.
fn take_members(file: &Path, names: &mut BTreeSet<&str>) -> Option<()> {
    let cache = ReadCache::new(File::open(file).ok()?);
    let archive = ArchiveFile::parse(&cache).ok()?;
    for member in archive.members().filter_map(Result::ok) {
        names.remove(&*String::from_utf8_lossy(member.name()));
    }
    Some(())
}

#[cfg(test)]
mod tests;
