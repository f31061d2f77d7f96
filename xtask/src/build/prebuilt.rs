//! Programs that are not compiled, but taken from an archive: made to run with their own loader, so
//! that they need none of the machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::room::Folders;
use crate::process;
use crate::recipe::{Prebuilt, Product, Tool};

/// The folder for what is started by a script.
const PRIVATE: &str = "libexec";

/// Installs a program, if there is one; all else is the recipe's to copy.
pub fn put(
    program: Option<&Prebuilt>,
    loader: Option<(Tool, PathBuf)>,
    folders: &Folders,
) -> Result<()> {
    let Some(program) = program else { return Ok(()) };
    let (tool, outputs) = loader.context("a plan without the loader of a program")?;
    let Product::Loader { path } = &tool.product else {
        anyhow::bail!("{} loads no programs", tool.name);
    };
    let name = program.name();
    let file = path.rsplit('/').next().unwrap_or(path);
    let [private, bin] = [PRIVATE, "bin"].map(|folder| folders.install.join(folder));
    fs::create_dir_all(&private)?;
    fs::create_dir_all(&bin)?;
    for (from, to) in [(folders.source.join(&program.program), name), (outputs.join(path), file)] {
        let to = private.join(to);
        process::writing(|| fs::copy(&from, &to))
            .with_context(|| format!("there is no {}", program.program))?;
        executable(&to)?;
    }
    process::writing(|| fs::write(bin.join(name), script(name, file)))?;
    executable(&bin.join(name))
}

/// The program is told the script's name as its own: so it finds its files, and itself, from there.
/// What a variable preloads is for the C library of the machine.
fn script(name: &str, loader: &str) -> String {
    format!(
        "#!/bin/sh\nunset LD_PRELOAD LD_LIBRARY_PATH\nhere=\"${{0%/*}}\"/../{PRIVATE}\n\
         exec \"$here/{loader}\" --library-path \"$here\" --argv0 \"$0\" \"$here/{name}\" \"$@\"\n"
    )
}

fn executable(path: &Path) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}
