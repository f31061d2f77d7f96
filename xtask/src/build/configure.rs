//! The builder for libraries with a configure script, autoconf's or OpenSSL's, and make.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::bench::{Bench, Sharing};
use super::compilers::HOST_CC;
use super::room::Folders;
use super::tools::{PKG_CONFIG, SHELL};
use crate::layout::{files_below, remove_tree};
use crate::process;
use crate::recipe::{Configure, HostBuild};
use crate::toolchain::ToolNames;

/// What a recipe never repeats: where things are installed, from the library's own point of view.
/// With `DESTDIR` no path of this machine gets into `.pc` files or strings.
const PREFIX: &str = "--prefix=/usr";

/// This machine in its static form, in GNU's words.
const HOST_GNU: &str = "x86_64-linux-musl";

/// The rest of it for autoconf. A script that is told of two kinds of machines, in different words,
/// never runs what it has linked: so no answer depends on the machine that builds.
const AUTOCONF: [&str; 5] = [
    "--libdir=/usr/lib",
    "--build=x86_64-pc-linux-gnu",
    "--disable-shared",
    "--enable-static",
    "--disable-dependency-tracking",
];

/// Answers to autoconf's own tests that would have to run a program, true of musl. For some of them
/// scripts assume the worst, and then replace the function.
const ANSWERS: [(&str, &str); 17] = [
    ("ac_cv_func_calloc_0_nonnull", "yes"),
    ("ac_cv_func_chown_works", "yes"),
    ("ac_cv_func_closedir_void", "no"),
    ("ac_cv_func_fork_works", "yes"),
    ("ac_cv_func_getgroups_works", "yes"),
    ("ac_cv_func_lstat_dereferences_slashed_symlink", "yes"),
    ("ac_cv_func_lstat_empty_string_bug", "no"),
    ("ac_cv_func_malloc_0_nonnull", "yes"),
    ("ac_cv_func_memcmp_working", "yes"),
    ("ac_cv_func_mmap_fixed_mapped", "yes"),
    ("ac_cv_func_realloc_0_nonnull", "yes"),
    ("ac_cv_func_stat_empty_string_bug", "no"),
    ("ac_cv_func_strcoll_works", "yes"),
    ("ac_cv_func_strtod", "yes"),
    ("ac_cv_func_utime_null", "yes"),
    ("ac_cv_func_vfork_works", "yes"),
    ("ac_cv_func_working_mktime", "yes"),
];

/// What autoconf's scripts are told by variables. Arguments would be written down by some.
pub fn variables(
    recipe: &Configure,
    names: &ToolNames,
    has_pkg_config: bool,
) -> Vec<(String, String)> {
    let mut variables = vec![("LD", names.ld.clone())];
    // Nothing is stripped: that is for whoever links the program.
    variables.push(("STRIP", "true".to_owned()));
    if has_pkg_config {
        variables.push(("PKG_CONFIG", PKG_CONFIG.to_owned()));
    }
    if recipe.host_program().is_some() {
        variables.extend(["CC_FOR_BUILD", "BUILD_CC"].map(|name| (name, HOST_CC.to_owned())));
    }
    variables.extend(ANSWERS.map(|(name, answer)| (name, answer.to_owned())));
    let own = recipe.cache.iter().map(|(name, answer)| (name.clone(), answer.clone()));
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(own).collect()
}

/// Configures, makes, and installs below `install/usr`, whose content becomes `install`.
pub fn build(bench: &Bench<'_>, recipe: &Configure) -> Result<()> {
    if let Some(host) = &recipe.host {
        build_for_host(bench, recipe, host)?;
    }
    let mut script = script(bench, recipe);
    script.args(recipe.options.iter().map(|option| bench.fill(option)));
    if recipe.target_options {
        script.args(bench.target.options.get(bench.name).into_iter().flatten());
    }
    bench.run(&script, Sharing::Alone)?;
    make(bench, &recipe.make, None)?;
    make(bench, &recipe.install, Some(&bench.folders.staging))?;
    take_installed(bench)
}

/// Makes what was installed below `staging/usr` the content of `install`.
pub fn take_installed(bench: &Bench<'_>) -> Result<()> {
    let Folders { staging, install, .. } = &bench.folders;
    let installed = staging.join("usr");
    // A link would be followed from here on, out of the sandbox.
    if !installed.symlink_metadata().is_ok_and(|data| data.is_dir()) {
        bail!("{}: make installed nothing below /usr", bench.name);
    }
    fs::remove_dir(install).context("the script itself wrote into the install folder")?;
    fs::rename(installed, install).context("cannot move what make installed")?;
    without_dependencies(bench)
}

/// Configures and makes for this machine, beside the source tree, and puts the programs on `PATH`.
fn build_for_host(bench: &Bench<'_>, recipe: &Configure, host: &HostBuild) -> Result<()> {
    let place = bench.folders.objects.join("host");
    fs::create_dir(&place)?;
    let here = |mut command: Command| {
        command.current_dir(bench.seen(&place)).env("CC", HOST_CC).env("CFLAGS", "-O1");
        command
    };
    let mut script = here(bench.command(SHELL));
    script.arg(format!("../../source/{}", recipe.script)).arg(PREFIX).args(AUTOCONF);
    // Nor here does an answer depend on this machine.
    script.arg(format!("--host={HOST_GNU}"));
    script.args(host.options.iter().map(|option| bench.fill(option)));
    bench.run(&script, Sharing::Alone)?;
    let mut command = here(make_command(bench));
    command.args(&host.make);
    bench.run(&command, Sharing::Jobserver)?;
    for program in &host.programs {
        let (made, name) = (place.join(program), program.rsplit('/').next().unwrap_or(program));
        if !made.symlink_metadata().is_ok_and(|data| data.is_file()) {
            bail!("{}: the build for this machine made no {program}", bench.name);
        }
        process::writing(|| fs::copy(&made, bench.folders.programs.join(name)))
            .with_context(|| format!("cannot copy {program}"))?;
    }
    remove_tree(&place).context("cannot remove the build for this machine")
}

/// The script with what a recipe never repeats.
fn script(bench: &Bench<'_>, recipe: &Configure) -> Command {
    if recipe.is_autoconf() {
        // By the shell's name: on `PATH` it is that of the tools, even where there is no view.
        let mut script = bench.command(SHELL);
        script.arg(format!("./{}", recipe.script)).arg(PREFIX).args(AUTOCONF);
        script.arg(format!("--host={}", bench.target.gnu));
        return script;
    }
    // By a relative path, through env(1): OpenSSL writes the path by which it was called into its
    // makefile, where a blank in it would split names.
    let mut script = bench.command("env");
    script.arg(format!("./{}", recipe.script)).arg(PREFIX);
    script
}

/// make, told its shell: it takes that from no variable of the environment. A bare name, since it
/// splits paths.
pub fn make_command(bench: &Bench<'_>) -> Command {
    let mut command = bench.command("make");
    command.arg(format!("SHELL={SHELL}"));
    command
}

fn make(bench: &Bench<'_>, targets: &[String], staging: Option<&std::path::Path>) -> Result<()> {
    let mut command = make_command(bench);
    if let Some(staging) = staging {
        let mut word = std::ffi::OsString::from("DESTDIR=");
        word.push(bench.seen(staging));
        command.arg(word);
    }
    command.args(targets);
    bench.run(&command, Sharing::Jobserver)
}

/// Scripts that asked pkg-config write the folder of the dependencies into their own `.pc` files; in a
/// sysroot all of them are below one prefix.
fn without_dependencies(bench: &Bench<'_>) -> Result<()> {
    let folder = bench.folders.install.join("lib/pkgconfig");
    if !folder.is_dir() {
        return Ok(());
    }
    let place = bench.seen(&bench.folders.dependencies).to_string_lossy().into_owned();
    for file in files_below(&folder)? {
        let path = folder.join(file);
        // A link, or something that is no text, is judged with the other outputs.
        if !path.symlink_metadata()?.is_file() {
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else { continue };
        if text.contains(&place) {
            // pkgconf says the folder by way of the `.pc` file that it found there.
            let by_way = format!("{place}/lib/pkgconfig/../..");
            let text = text.replace(&by_way, "${prefix}").replace(&place, "${prefix}");
            fs::write(&path, text)?;
        }
    }
    Ok(())
}
