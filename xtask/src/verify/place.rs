//! Where a build of `verify` takes place: a folder with a copy of the package, a store, a target
//! folder; made anew for each build, so that two builds can have the same paths.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::links::Metadata;
use crate::process::{Background, capture, cargo_home, command};

/// Marks a folder that programs can make again at any time, such as cargo's target folder.
const CACHE_MARK: &str = "CACHEDIR.TAG";

/// What is copied: the folders, whole, that cargo reads of this disk, and single files above them.
pub struct Sources {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    left_out: Vec<PathBuf>,
}

impl Sources {
    /// Those of a workspace, of the packages outside that it names by path, and of Muslin itself.
    pub fn new(metadata: &Metadata, muslin: &Path, left_out: Vec<PathBuf>) -> Self {
        let root = &metadata.workspace_root;
        let local = metadata.packages.iter().filter(|package| package.source.is_none());
        let outside = local.filter_map(|package| package.manifest_path.parent());
        let outside = outside.filter(|folder| !folder.starts_with(root)).map(Path::to_owned);
        let mut folders = vec![root.clone(), muslin.join("recipes")];
        folders.extend(outside.collect::<BTreeSet<_>>());
        let inside =
            |path: &Path| folders.iter().any(|other| path != other && path.starts_with(other));
        let folders: Vec<_> = folders.iter().filter(|path| !inside(path)).cloned().collect();
        let names =
            [".cargo/config", ".cargo/config.toml", "rust-toolchain", "rust-toolchain.toml"];
        let above = root.ancestors().skip(1);
        let files = above.flat_map(|folder| names.map(|name| folder.join(name)));
        // Cargo reads what is in its own home from there.
        let home = cargo_home();
        let is_at_home = |file: &PathBuf| home.as_ref().is_some_and(|home| file.starts_with(home));
        let files = files.filter(|file| file.is_file() && !is_at_home(file)).collect();
        let left_out = left_out.into_iter().chain([metadata.target_directory.clone()]).collect();
        Self { folders, files, left_out }
    }

    /// Where a path of this machine is in a copy.
    pub fn within(copy: &Path, path: &Path) -> PathBuf {
        copy.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Copies all of it, in one order or in the opposite one.
    pub fn copy(&self, to: &Path, is_reversed: bool) -> Result<()> {
        let mut all: Vec<PathBuf> = self.files.clone();
        for folder in &self.folders {
            self.list(folder, &mut all)?;
        }
        all.sort();
        if is_reversed {
            all.reverse();
        }
        for path in &all {
            copy_one(path, &Self::within(to, path))
                .with_context(|| format!("cannot copy {}", path.display()))?;
        }
        Ok(())
    }

    fn list(&self, folder: &Path, all: &mut Vec<PathBuf>) -> Result<()> {
        let cannot = || format!("cannot read {}", folder.display());
        for item in fs::read_dir(folder).with_context(cannot)? {
            let (path, kind) = item.and_then(|item| Ok((item.path(), item.file_type()?)))?;
            if self.left_out.contains(&path) || kind.is_dir() && path.join(CACHE_MARK).exists() {
                continue;
            }
            match kind.is_dir() {
                true => self.list(&path, all)?,
                false if kind.is_file() || kind.is_symlink() => all.push(path),
                // Sockets and their like are nothing that a build reads.
                false => {}
            }
        }
        // An empty folder may be asked for, too.
        all.push(folder.to_owned());
        Ok(())
    }
}

fn copy_one(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    let kind = fs::symlink_metadata(from)?.file_type();
    if kind.is_dir() {
        fs::create_dir_all(to)?;
    } else if kind.is_symlink() {
        symlink(fs::read_link(from)?, to)?;
    } else if !is_git_object(from) || fs::hard_link(from, to).is_err() {
        // Git never changes an object, and there may be very many.
        fs::copy(from, to)?;
    }
    Ok(())
}

fn is_git_object(path: &Path) -> bool {
    path.to_string_lossy().contains("/.git/objects/")
}

/// How long a file system may take to be mounted.
const MOUNT_LIMIT: Duration = Duration::from_secs(10);

/// A folder that shows another one, with its files listed in reverse; until dropped.
pub struct Disordered {
    above: PathBuf,
    _program: Background,
}

impl Disordered {
    /// Shows `below` at `above`; to us only, unless other users are to see it.
    pub fn mount(below: &Path, above: &Path, is_for_others: bool) -> Result<Self> {
        let mut program = command("disorderfs");
        if is_for_others {
            program.arg("--multi-user=yes");
        }
        program.args(["-f", "-q", "--reverse-dirents=yes", "--pad-blocks=0"]).args([below, above]);
        let mut program = Background::start(&mut program)?;
        let device = |path: &Path| fs::metadata(path).map(|about| about.dev());
        let before = device(below)?;
        let deadline = Instant::now() + MOUNT_LIMIT;
        while device(above).is_ok_and(|now| now == before) {
            if program.has_ended()? || Instant::now() > deadline {
                bail!("disorderfs does not mount {}", above.display());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(Self { above: above.to_owned(), _program: program })
    }
}

impl Drop for Disordered {
    fn drop(&mut self) {
        let by_root = rustix::mount::unmount(&self.above, rustix::mount::UnmountFlags::DETACH);
        if by_root.is_err() {
            let _ = capture(command("fusermount").arg("-uz").arg(&self.above));
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests have no store yet")]
mod tests {
    use super::*;
    use crate::layout::{files_below, remove_tree};

    #[test]
    fn a_copy_has_all_but_what_can_be_made_again() {
        let root = std::env::temp_dir().join(format!("muslin-place-{}", std::process::id()));
        for file in ["app/Cargo.toml", "app/src/main.rs", "app/out/CACHEDIR.TAG", "app/out/x"] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), file).unwrap();
        }
        for file in ["beside/Cargo.toml", "muslin/recipes/a.toml", ".cargo/config.toml"] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), file).unwrap();
        }
        fs::create_dir_all(root.join("app/empty")).unwrap();
        symlink("src", root.join("app/link")).unwrap();
        let package = |name: &str| {
            serde_json::json!({
                "id": name, "name": name, "version": "1.0.0", "license": null, "links": null,
                "source": null, "manifest_path": root.join(name).join("Cargo.toml"),
                "metadata": null, "features": {}, "dependencies": [], "targets": [],
            })
        };
        let metadata: Metadata = serde_json::from_value(serde_json::json!({
            "packages": [package("app"), package("beside")], "workspace_members": [],
            "target_directory": root.join("app/target"), "workspace_root": root.join("app"),
        }))
        .unwrap();
        let sources = Sources::new(&metadata, &root.join("muslin"), vec![]);
        for is_reversed in [false, true] {
            let copy = root.join("copy");
            sources.copy(&copy, is_reversed).unwrap();
            let copied = Sources::within(&copy, &root);
            let files = files_below(&copied).unwrap();
            let files: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
            let expected = [
                ".cargo/config.toml",
                "app/Cargo.toml",
                "app/link",
                "app/src/main.rs",
                "beside/Cargo.toml",
                "muslin/recipes/a.toml",
            ];
            assert_eq!(files, expected);
            assert!(copied.join("app/empty").is_dir());
            remove_tree(&copy).unwrap();
        }
        remove_tree(&root).unwrap();
    }
}
