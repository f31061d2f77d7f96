//! A program is linked again when the libraries that it links are others.
//!
//! Cargo sees that by build scripts, which watch the variables that name the sysroot. A package that
//! names a library without such a crate (`libraries.add`) has none, and would stay as it was.

use std::fs;

use anyhow::{Context as _, Result};

use super::{Order, profile};
use crate::environment::Environment;
use crate::layout::write_atomically;
use crate::process;

/// Takes away what cargo made of the package with another sysroot.
pub fn forget_other_sysroot(order: &Order<'_>, environment: &Environment) -> Result<()> {
    let (project, triple) = (order.project, &environment.target.triple);
    let entry = environment.sysroot.parent().and_then(|entry| entry.file_name());
    let now = entry.context("a sysroot outside of the store")?.to_string_lossy().into_owned();
    let target = environment.target.name();
    let name = format!("sysroot-{}-{target}-{}", project.package.name, order.profile);
    let note = project.metadata.target_directory.join("muslin").join(name);
    let before = fs::read_to_string(&note).ok();
    if before.as_ref() == Some(&now) {
        return Ok(());
    }
    if before.is_some() {
        let mut command = project.rust.cargo_in(project.folder());
        command.args(["clean", "--offline", "--quiet", "--package", &project.package.id]);
        command.args(["--target", triple, "--profile", order.profile, "--manifest-path"]);
        command.arg(&project.manifest).args(profile::arguments(order));
        process::capture_ok(&mut command).context("cannot take away a program to link it again")?;
    }
    fs::create_dir_all(note.parent().context("no folder")?)?;
    write_atomically(&note, now.as_bytes())
        .with_context(|| format!("cannot write {}", note.display()))
}
