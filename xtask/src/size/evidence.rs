//! What tells whose the bytes of a program are: the linker's map and what `dist` has kept, else its own
//! symbols, else nothing but its sections.

use std::fs;
use std::path::{Path, PathBuf};

use super::cover::{Piece, pieces_of_map, pieces_of_symbols};
use super::image::Image;
use super::share::Owners;
use crate::digest::Digest;
use crate::linked::whose::{self, Whose};
use crate::rust::Memory;

/// By what it is known whose the bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The linker's map, and what `dist` knew of its objects.
    Build(PathBuf),
    /// The linker's map alone.
    Map(PathBuf),
    /// The file's own table of symbols.
    Symbols,
    /// Nothing: only sections are known.
    Sections,
}

impl Source {
    /// A word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Build(_) => "build",
            Self::Map(_) => "map",
            Self::Symbols => "symbols",
            Self::Sections => "sections",
        }
    }

    /// In a sentence.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Build(_) => "by the linker's map and what dist knew of its parts",
            Self::Map(_) => "by the linker's map; whose its archives are is not known",
            Self::Symbols => "by its own symbols: whose C code and unnamed data are is not known",
            Self::Sections => "by its sections alone: it has no symbols, and no map was found",
        }
    }

    /// The map.
    pub fn map(&self) -> Option<&Path> {
        match self {
            Self::Build(map) | Self::Map(map) => Some(map),
            Self::Symbols | Self::Sections => None,
        }
    }
}

/// What was found.
pub struct Evidence {
    /// What it rests on.
    pub source: Source,
    /// What it tells.
    pub pieces: Vec<Piece>,
    /// What else there was that could not be used, and why.
    pub refused: Option<String>,
}

/// Looks for evidence on a program.
pub fn find(file: &Path, data: &[u8], image: &Image, memory: &Memory) -> Evidence {
    let sha256 = Digest::sha256_of(data);
    let kept = whose::recall(memory, &sha256);
    let kept_map = kept.as_ref().map(|whose| whose.map.clone());
    let mut refused = None;
    for map in kept_map.into_iter().chain(whose::map_beside(file)) {
        let known = kept.as_ref().filter(|whose| whose.map == map);
        match read_map(&map, &sha256, image, known) {
            Ok(pieces) => {
                let source = if known.is_some() { Source::Build(map) } else { Source::Map(map) };
                return Evidence { source, pieces, refused: None };
            }
            Err(why) => refused = Some(format!("{}: {why}", map.display())),
        }
    }
    let source = if image.symbols.is_empty() { Source::Sections } else { Source::Symbols };
    let pieces = pieces_of_symbols(image, &Owners::new(kept.as_ref()));
    Evidence { source, pieces, refused }
}

/// The pieces of a map, if it is that of a file with these bytes.
fn read_map(
    map: &Path,
    sha256: &Digest,
    image: &Image,
    whose: Option<&Whose>,
) -> Result<Vec<Piece>, String> {
    let linked = whose::program_of(map).ok_or("it has no program beside it")?;
    let bytes = fs::read(&linked).map_err(|_| "its program is gone".to_owned())?;
    if Digest::sha256_of(&bytes) != *sha256 {
        return Err("its program has been linked again since".to_owned());
    }
    let text = fs::read(map).map_err(|error| error.to_string())?;
    pieces_of_map(&text, image, &mut Owners::new(whose))
}
