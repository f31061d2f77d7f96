//! Reads the `recipes/` folder from the disk. Never looks into the files: `manifest` does.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::diagnostic::{self, File};
use super::{Recipes, manifest};
use crate::exit::{Exit, Failure};
use crate::report;

/// The largest file that is read whole; the parser refuses one that is larger.
pub const FILE_LIMIT_BYTES: u64 = 1 << 20;

/// The most files.
const FILE_LIMIT: usize = 1000;

/// How deep folders go: `recipes/patches/<library>/<file>`.
const DEPTH_LIMIT: usize = 4;

impl Recipes {
    /// Reads, parses and validates `<root>/recipes`. All mistakes of all files are one error.
    pub fn load(root: &Path) -> Result<Self> {
        let files = read(&root.join("recipes"))?;
        manifest::parse(&files).map_err(|mistakes| {
            let text = diagnostic::render(&mistakes, report::has_color());
            Failure::new(Exit::RecipeInvalid, format!("the recipes have mistakes\n\n{text}")).into()
        })
    }
}

/// All files below a `recipes` folder, sorted by path. Names that begin with a dot are an editor's
/// business and are left out.
pub fn read(folder: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    walk(folder, "recipes", 1, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(folder: &Path, name: &str, depth: usize, files: &mut Vec<File>) -> Result<()> {
    let context = || format!("cannot read {}", folder.display());
    for item in fs::read_dir(folder).with_context(context)? {
        let item = item.with_context(context)?;
        let file_name = item.file_name();
        let file_name = file_name.to_string_lossy();
        if file_name.starts_with('.') {
            continue;
        }
        let path = format!("{name}/{file_name}");
        if fs::metadata(item.path()).with_context(|| format!("cannot read {path}"))?.is_dir() {
            if depth >= DEPTH_LIMIT {
                return Err(invalid(format!("{path} is a folder too deep for recipes")));
            }
            walk(&item.path(), &path, depth + 1, files)?;
            continue;
        }
        if files.len() >= FILE_LIMIT {
            return Err(invalid(format!("there are more than {FILE_LIMIT} files in recipes/")));
        }
        let bytes = read_file(&item.path()).with_context(|| format!("cannot read {path}"))?;
        files.push(File { path, bytes });
    }
    Ok(())
}

fn invalid(message: String) -> anyhow::Error {
    Failure::new(Exit::RecipeInvalid, message).into()
}

/// One byte more than allowed is enough to know that a file is too large.
fn read_file(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(FILE_LIMIT_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
