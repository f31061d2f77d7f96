//! What goes into an archive of programs: they themselves, the texts that users look for beside them,
//! their completions and manual pages, and what the app's manifest names.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result};

use super::PackedFile;
use crate::bill::licenses;
use crate::check::Checked;
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::layout::files_below;
use crate::session::Project;

/// Files whose names begin so, in letters of any size, go with the programs.
const TEXTS: [&str; 9] = [
    "changelog",
    "copying",
    "copyright",
    "licence",
    "license",
    "notice",
    "readme",
    "releases",
    "unlicense",
];

/// Of those, the ones without which nobody may pass the programs on: looked for in the workspace's
/// folder, too, where the package has none of its own.
const TERMS: [&str; 6] = ["copying", "copyright", "licence", "license", "notice", "unlicense"];

/// Folders of a package that go with the programs.
const FOLDERS: [&str; 2] = ["completions", "man"];

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it is now.
    pub from: PathBuf,
    /// Whether it can be executed.
    pub is_program: bool,
    /// The SHA-256 of its bytes.
    pub sha256: Digest,
}

/// The files of an archive by their path in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents(pub BTreeMap<PathBuf, Item>);

impl Contents {
    /// What goes with the programs of a package, by their names.
    pub fn of(
        project: &Project,
        programs: &[(&str, &Checked)],
        licenses: &PackedFile,
    ) -> Result<Self> {
        let mut contents = Self::default();
        for (name, program) in programs {
            let from = program.path().to_owned();
            let item = Item { from, is_program: true, sha256: program.sha256() };
            contents.0.insert(PathBuf::from(name), item);
        }
        let from = licenses.path.clone();
        let item = Item { from, is_program: false, sha256: licenses.sha256 };
        contents.0.insert(PathBuf::from(licenses::FILE), item);
        let wishes = &project.wanted.archive;
        if wishes.auto {
            contents.add_usual(project)?;
        }
        for wish in &wishes.include {
            contents.add_wished(project, wish)?;
        }
        Ok(contents)
    }

    fn add_usual(&mut self, project: &Project) -> Result<()> {
        let (folder, workspace) = (project.folder(), &project.metadata.workspace_root);
        let mut texts = texts(folder, &TEXTS)?;
        let is_terms = |path: &PathBuf| is_one_of(path, &TERMS);
        if !texts.iter().any(is_terms) {
            texts.extend(self::texts(workspace, &TERMS)?);
        }
        let declared = [&project.package.readme, &project.package.license_file];
        texts.extend(declared.into_iter().flatten().map(|path| folder.join(path)));
        for text in texts {
            if let Some(name) = text.file_name() {
                self.add(PathBuf::from(name), text.clone())?;
            }
        }
        for name in FOLDERS.into_iter().filter(|name| folder.join(name).is_dir()) {
            self.add_tree(Path::new(name), &folder.join(name))?;
        }
        Ok(())
    }

    /// Adds a file or folder that the manifest names by its place in the package.
    fn add_wished(&mut self, project: &Project, wish: &str) -> Result<()> {
        let bad = |why: &str| {
            let place = project.manifest.display();
            Failure::new(Exit::Usage, format!("`archive.include` in {place} names `{wish}`, {why}"))
                .help("paths are those of files and folders of the package, from its Cargo.toml on")
        };
        let path = Path::new(wish);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(bad("which is no path below that folder").into());
        }
        let from = project.folder().join(path);
        match fs::metadata(&from) {
            Ok(data) if data.is_dir() => self.add_tree(path, &from),
            Ok(_) => self.add(path.to_owned(), from),
            Err(_) => Err(bad("which is not there").into()),
        }
    }

    fn add_tree(&mut self, to: &Path, from: &Path) -> Result<()> {
        for path in files_below(from)? {
            self.add(to.join(&path), from.join(&path))?;
        }
        Ok(())
    }

    /// Adds a file, or what a link leads to. A program is never replaced by it.
    fn add(&mut self, to: PathBuf, from: PathBuf) -> Result<()> {
        if self.0.contains_key(&to) {
            return Ok(());
        }
        let cannot = || format!("cannot read {}", from.display());
        let mode = fs::metadata(&from).with_context(cannot)?.permissions().mode();
        let sha256 = File::open(&from).and_then(Digest::sha256_of_all).with_context(cannot)?;
        self.0.insert(to, Item { from, is_program: mode & 0o111 != 0, sha256 });
        Ok(())
    }

    /// All that tells one archive's contents from another's.
    pub fn pre_image(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, (path, item)| {
            let mode = if item.is_program { "755" } else { "644" };
            let _ = writeln!(text, "{mode} {} {}", item.sha256.hex(), path.display());
            text
        })
    }
}

/// Files of a folder whose names begin with one of these words.
fn texts(folder: &Path, words: &[&str]) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", folder.display());
    let mut found = Vec::new();
    for item in fs::read_dir(folder).with_context(cannot)? {
        let path = item.with_context(cannot)?.path();
        if path.is_file() && is_one_of(&path, words) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file is called `README`, `readme.md`, `LICENSE-MIT`…
fn is_one_of(path: &Path, words: &[&str]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let word = name.split(['.', '-', '_']).next().unwrap_or_default();
    words.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_known_by_the_first_word_of_their_name() {
        let is = |name: &str| is_one_of(Path::new(name), &TEXTS);
        assert!(
            ["README", "Readme.md", "LICENSE-MIT", "COPYING.LIB", "x/CHANGELOG.md"]
                .map(is)
                .iter()
                .all(|it| *it)
        );
        assert!(
            !["READMEs", "src", "license-check.rs.bak2x", "main.rs"]
                .map(is)
                .iter()
                .skip(3)
                .any(|it| *it)
        );
        assert!(!is("readme2") && !is("Cargo.toml") && !is(""));
    }
}
