//! `cargo xtask sysroot`: entries → `target/sysroot/<triple>`, a folder to use by hand.
//!
//! A copy, not links into the store: whoever edits it must not be able to change the store.

mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::cli::{self, Global};
use crate::layout::{self, copy_tree, files_below, remove_tree};
use crate::plan::Goal;
use crate::recipe::Recipes;
use crate::session::{Access, Session};
use crate::{build, report};

impl cli::Sysroot {
    /// Builds the libraries and composes them; prints the folder's path.
    pub fn run(self, global: Global) -> Result<()> {
        let session = Session::open(global, Access::Write)?;
        for target in session.targets(&self.platform)? {
            let triple = &target.triple;
            let named = self.named(&session.recipes);
            let (libraries, wish, target_folder, user) = if named.is_empty() {
                let project = session.project(&self.package, triple)?;
                let wanted = project.wanted;
                let user = (project.package.name, project.package.manifest_path);
                (wanted.libraries, wanted.toolchain, project.metadata.target_directory, user)
            } else {
                let whose = if self.all { "all".to_owned() } else { names(&named) };
                let user = (format!("sysroot {whose}"), session.recipes_folder());
                (named, None, layout::target_folder(&session.workspace), user)
            };
            let toolchain = self.platform.toolchain.as_deref().or(wish.as_deref());
            let plan = session.settle(toolchain, &target, Goal::libraries(&libraries))?;
            session.store.keep_root(session.root(&user.0, &user.1, &plan, &[]));
            build::make(&session, &plan)?;
            let place = target_folder.join("sysroot").join(target.name());
            mirror(&session.entry(plan.sysroot()).outputs(), &place)?;
            report::status("Composed", format!("{} ({})", place.display(), names(&libraries)));
            report::event(
                "sysroot",
                serde_json::json!({ "target": triple, "path": place, "libraries": libraries }),
            );
            if let Some(file) = &self.table {
                table::write(&session, &plan, file)?;
            }
            report::data(place.display());
        }
        Ok(())
    }

    /// The libraries that were named, each once.
    fn named(&self, recipes: &Recipes) -> Vec<String> {
        if self.all {
            // What every program is linked with anyway is in no sysroot.
            let is_own = |name: &&String| !recipes.is_runtime_rust(name);
            return recipes.libraries.keys().filter(is_own).cloned().collect();
        }
        let mut libraries = self.libraries.clone();
        libraries.sort();
        libraries.dedup();
        libraries
    }
}

fn names(libraries: &[String]) -> String {
    if libraries.is_empty() { "no libraries".to_owned() } else { libraries.join(", ") }
}

/// Makes `to` the same as `from`: replaced whole by rename, and left alone if it is the same already.
pub fn mirror(from: &Path, to: &Path) -> Result<()> {
    let parent = to.parent().context("a sysroot without a parent folder")?;
    let cannot = || format!("cannot write {}", to.display());
    fs::create_dir_all(parent).with_context(cannot)?;
    // Another process may be at the same place: what it left half-made is not touched meanwhile.
    let _held = layout::hold(parent)?;
    if is_same(from, to) {
        return Ok(());
    }
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let [new, old] = ["new", "old"].map(|word| parent.join(format!(".{name}.{word}")));
    remove_tree(&new).and_then(|()| remove_tree(&old)).with_context(cannot)?;
    copy_tree(from, &new)?;
    if to.exists() {
        fs::rename(to, &old).with_context(cannot)?;
    }
    fs::rename(&new, to).with_context(cannot)?;
    remove_tree(&old).with_context(cannot)
}

fn is_same(from: &Path, to: &Path) -> bool {
    let (Ok(ours), Ok(theirs)) = (files_below(from), files_below(to)) else { return false };
    ours == theirs
        && ours.iter().all(|file| {
            let read = |folder: &Path| fs::read(folder.join(file)).ok();
            read(from).is_some_and(|bytes| Some(bytes) == read(to))
        })
}
