//! The builder for libraries that are lists of C files: no configure, no make.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use anyhow::{Context as _, Result};

use super::bench::{Bench, Sharing};
use super::install;
use super::room::BASE_FLAGS;
use crate::recipe::{Compile, Group, Language, Library, Toolchain, is_cxx};
use crate::toolchain::{self, Call};

/// The compiler and its kin, called by a step directly: with no shell between, a step that only
/// compiles needs no program but those.
pub struct Direct<'a> {
    /// The step's bench.
    pub bench: &'a Bench<'a>,
    /// The toolchain.
    pub toolchain: &'a Toolchain,
    /// Its tree.
    pub tree: PathBuf,
}

impl Direct<'_> {
    /// A command of the toolchain, with the environment of the step.
    pub fn command(&self, call: &Call) -> Command {
        let (program, words) = call.at(&self.bench.seen(&self.tree));
        let mut command = self.bench.command(program);
        command.args(words);
        command
    }

    /// A command for one of `ar` and its kin.
    pub fn binutil(&self, name: &str) -> Command {
        self.command(&toolchain::binutil(self.toolchain, self.bench.target, name))
    }

    fn compiler(&self, recipe: &Compile, unit: &Unit<'_>, object: &Path) -> Command {
        let source = unit.source;
        let language = if is_cxx(source) { Language::Cxx } else { Language::C };
        let bench = self.bench;
        let mut command =
            self.command(&toolchain::compiler(self.toolchain, bench.target, language));
        let root = bench.seen(&bench.folders.root);
        command.arg(format!("-ffile-prefix-map={}=/build", root.display()));
        command.args(BASE_FLAGS);
        let own = unit.group.unwrap_or(&NO_GROUP);
        let folders = own.include.iter().chain(&recipe.include);
        command.args(folders.map(|folder| format!("-I{folder}")));
        command.arg("-isystem").arg(bench.seen(&bench.folders.dependencies).join("include"));
        let mut defines: BTreeMap<_, _> = recipe.defines.iter().collect();
        defines.extend(&own.defines);
        for (name, value) in defines {
            command.arg(if value.is_empty() {
                format!("-D{name}")
            } else {
                format!("-D{name}={value}")
            });
        }
        command.args(&recipe.flags).args(&own.flags);
        command.arg("-c").arg(source).arg("-o").arg(object);
        command
    }
}

static NO_GROUP: LazyLock<Group> = LazyLock::new(Group::default);

/// One call of a compiler.
struct Unit<'a> {
    source: &'a str,
    /// What comes beside the settings of the whole build.
    group: Option<&'a Group>,
    /// The library that the object goes into.
    lib: &'a str,
    /// The object's name, without folders.
    object: String,
}

/// Compiles the files, makes the libraries, and installs them with headers and `.pc` files.
pub fn build<'a>(direct: &Direct<'_>, library: &'a Library, recipe: &'a Compile) -> Result<()> {
    let bench = direct.bench;
    let first = library.outputs.libs.first().context("the recipe names no library")?;
    install::make_files(bench, recipe)?;
    let mut objects = Objects::default();
    let mut units = Vec::new();
    let mut add = |sources: &'a [String], group: Option<&'a Group>, lib: &'a str| {
        let unit = |source: &'a String| Unit { source, group, lib, object: objects.name(source) };
        units.extend(sources.iter().map(unit));
    };
    add(&recipe.sources, None, first);
    for group in recipe.groups.iter().filter(|group| group.is_for(bench.target)) {
        add(&group.sources, Some(group), group.lib.as_ref().unwrap_or(first));
    }
    run_all(direct, recipe, &units)?;
    for name in &library.outputs.libs {
        let own = units.iter().filter(|unit| unit.lib == name);
        archive(direct, name, &own.map(|unit| unit.object.clone()).collect::<Vec<_>>())?;
    }
    install::headers(bench, library, recipe)?;
    install::pkgconfig(bench, library, recipe)
}

/// Makes `lib/lib<name>.a` of objects.
pub fn archive(direct: &Direct<'_>, name: &str, objects: &[String]) -> Result<()> {
    let bench = direct.bench;
    let lib = bench.folders.install.join("lib");
    fs::create_dir_all(&lib)?;
    let mut archive = direct.binutil("ar");
    archive.current_dir(bench.seen(&bench.folders.objects));
    archive.arg("rcs").arg(bench.seen(&lib).join(format!("lib{name}.a"))).args(objects);
    bench.run(&archive, Sharing::Alone)
}

/// Names of objects, each once.
#[derive(Default)]
struct Objects(BTreeSet<String>);

impl Objects {
    /// The name for a file's object, without folders: two files of one name in two folders stay
    /// apart, and so do two objects of one file.
    fn name(&mut self, source: &str) -> String {
        let flat = source.replace('/', "_");
        let stem = flat.rsplit_once('.').map_or(&*flat, |(stem, _)| stem);
        let mut name = format!("{stem}.o");
        for number in 2.. {
            if self.0.insert(name.clone()) {
                break;
            }
            name = format!("{stem}.{number}.o");
        }
        name
    }
}

/// Compiles files with the settings of the whole build. Returns the names of the objects.
pub fn compile_all(
    direct: &Direct<'_>,
    recipe: &Compile,
    sources: &[String],
) -> Result<Vec<String>> {
    let mut objects = Objects::default();
    let unit = |source| Unit { source, group: None, lib: "", object: objects.name(source) };
    let units: Vec<Unit<'_>> = sources.iter().map(String::as_str).map(unit).collect();
    run_all(direct, recipe, &units)?;
    Ok(units.into_iter().map(|unit| unit.object).collect())
}

/// Compiles with as many compilers at once as there are tokens; the step's own is one of them.
fn run_all(direct: &Direct<'_>, recipe: &Compile, units: &[Unit<'_>]) -> Result<()> {
    let bench = direct.bench;
    let objects = bench.seen(&bench.folders.objects);
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    let work = |needs_token: bool| -> Result<()> {
        loop {
            let _token = if needs_token { Some(bench.tokens.acquire()?) } else { None };
            let index = next.fetch_add(1, Ordering::Relaxed);
            let failed = failure.lock().is_ok_and(|failure| failure.is_some());
            let (Some(unit), false) = (units.get(index), failed) else { return Ok(()) };
            let command = direct.compiler(recipe, unit, &objects.join(&unit.object));
            bench.run(&command, Sharing::Alone)?;
        }
    };
    let keep = |result: Result<()>| {
        if let (Err(error), Ok(mut failure)) = (result, failure.lock()) {
            failure.get_or_insert(error);
        }
    };
    let helpers = bench.jobs.min(units.len()).saturating_sub(1);
    std::thread::scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(|| keep(work(true)));
        }
        keep(work(false));
        // Helpers that wait for a token would wait for ever if all tokens were those of steps that
        // wait for theirs: so the step's own goes back until they have seen that nothing is left.
        if helpers > 0 {
            keep(bench.tokens.release_raw().map_err(Into::into));
        }
    });
    if helpers > 0 {
        keep(bench.tokens.acquire_raw().map_err(Into::into));
    }
    let failure = failure.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    failure.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::Objects;

    #[test]
    fn objects_of_one_name_stay_apart() {
        let mut objects = Objects::default();
        let sources = ["a.c", "sub/a.c", "sub.x/a.cc", "plain", "a.S", "a.c"];
        let names = sources.map(|source| objects.name(source));
        assert_eq!(names, ["a.o", "sub_a.o", "sub.x_a.o", "plain.o", "a.2.o", "a.3.o"]);
    }
}
