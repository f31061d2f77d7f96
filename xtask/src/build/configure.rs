//! The builder for libraries with a configure script, autoconf's or OpenSSL's, and make.

use anyhow::{Context as _, Result, bail};

use super::bench::{Bench, Sharing};
use super::room::Folders;
use super::tools::SHELL;
use crate::recipe::Configure;

/// What a recipe never repeats: where things are installed, from the library's own point of view.
/// With `DESTDIR` no path of this machine gets into `.pc` files or strings.
const PREFIX: &str = "--prefix=/usr";

/// Configures, makes, and installs below `install/usr`, whose content becomes `install`.
pub fn build(bench: &Bench<'_>, recipe: &Configure) -> Result<()> {
    // By a relative path, through env(1): OpenSSL writes the path by which it was called into its
    // makefile, where a blank in it would split names.
    let mut script = bench.command("env");
    script.arg(format!("./{}", recipe.script)).arg(PREFIX);
    script.args(recipe.options.iter().map(|option| bench.fill(option)));
    let more = recipe.options_for.get(&bench.target.triple).into_iter().flatten();
    script.args(more.map(|option| bench.fill(option)));
    bench.run(&script, Sharing::Alone)?;
    make(bench, &recipe.make, None)?;
    let Folders { staging, install, .. } = &bench.folders;
    make(bench, &recipe.install, Some(staging))?;
    let installed = staging.join("usr");
    // A link would be followed from here on, out of the sandbox.
    if !installed.symlink_metadata().is_ok_and(|data| data.is_dir()) {
        bail!("{}: make installed nothing below /usr", bench.name);
    }
    std::fs::remove_dir(install).context("the script itself wrote into the install folder")?;
    std::fs::rename(installed, install).context("cannot move what make installed")
}

fn make(bench: &Bench<'_>, targets: &[String], staging: Option<&std::path::Path>) -> Result<()> {
    let mut command = bench.command("make");
    // make takes its shell from no variable of the environment. A bare name, since it splits paths.
    command.arg(format!("SHELL={SHELL}"));
    if let Some(staging) = staging {
        let mut word = std::ffi::OsString::from("DESTDIR=");
        word.push(bench.seen(staging));
        command.arg(word);
    }
    command.args(targets);
    bench.run(&command, Sharing::Jobserver)
}
