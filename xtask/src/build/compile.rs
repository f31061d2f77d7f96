//! The builder for libraries that are a list of C files: no configure, no make.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};

use super::bench::{Bench, Sharing};
use super::room::BASE_FLAGS;
use crate::recipe::{Compile, Language, Library, Toolchain};
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

    fn compiler(&self, recipe: &Compile, source: &str, object: &Path) -> Command {
        let is_cxx = [".cc", ".cpp", ".cxx"].iter().any(|ending| source.ends_with(ending));
        let language = if is_cxx { Language::Cxx } else { Language::C };
        let bench = self.bench;
        let mut command =
            self.command(&toolchain::compiler(self.toolchain, bench.target, language));
        let root = bench.seen(&bench.folders.root);
        command.arg(format!("-ffile-prefix-map={}=/build", root.display()));
        command.args(BASE_FLAGS);
        command.args(recipe.include.iter().map(|folder| format!("-I{folder}")));
        command.arg("-isystem").arg(bench.seen(&bench.folders.dependencies).join("include"));
        for (name, value) in &recipe.defines {
            command.arg(if value.is_empty() {
                format!("-D{name}")
            } else {
                format!("-D{name}={value}")
            });
        }
        command.args(&recipe.flags).arg("-c").arg(source).arg("-o").arg(object);
        command
    }
}

/// Compiles the files, makes the library, and installs it with its headers and a `.pc` file.
pub fn build(direct: &Direct<'_>, library: &Library, recipe: &Compile) -> Result<()> {
    let bench = direct.bench;
    let names = compile_all(direct, recipe, &recipe.sources)?;
    let name = library.outputs.libs.first().context("the recipe names no library")?;
    archive(direct, name, &names)?;
    install_headers(bench, library, recipe)?;
    for name in &library.outputs.pkgconfig {
        let folder = bench.folders.install.join("lib/pkgconfig");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{name}.pc")), pkgconfig(library, name))?;
    }
    Ok(())
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

/// A file's object, without folders: two files of one name in two folders stay apart.
fn object_name(source: &str) -> String {
    let flat = source.replace('/', "_");
    match flat.rsplit_once('.') {
        Some((stem, _)) => format!("{stem}.o"),
        None => format!("{flat}.o"),
    }
}

/// Compiles with as many compilers at once as there are tokens; the step's own is one of them.
/// Returns the names of the objects.
pub fn compile_all(
    direct: &Direct<'_>,
    recipe: &Compile,
    sources: &[String],
) -> Result<Vec<String>> {
    let bench = direct.bench;
    let objects = bench.seen(&bench.folders.objects);
    let names: Vec<String> = sources.iter().map(|source| object_name(source)).collect();
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    let work = |needs_token: bool| -> Result<()> {
        loop {
            let _token = if needs_token { Some(bench.tokens.acquire()?) } else { None };
            let index = next.fetch_add(1, Ordering::Relaxed);
            let failed = failure.lock().is_ok_and(|failure| failure.is_some());
            let (Some(source), false) = (sources.get(index), failed) else { return Ok(()) };
            let command = direct.compiler(recipe, source, &objects.join(&names[index]));
            bench.run(&command, Sharing::Alone)?;
        }
    };
    let keep = |result: Result<()>| {
        if let (Err(error), Ok(mut failure)) = (result, failure.lock()) {
            failure.get_or_insert(error);
        }
    };
    let helpers = bench.jobs.min(sources.len()).saturating_sub(1);
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
    failure.map_or(Ok(names), Err)
}

fn install_headers(bench: &Bench<'_>, library: &Library, recipe: &Compile) -> Result<()> {
    let places: Vec<_> = std::iter::once(bench.folders.source.clone())
        .chain(recipe.include.iter().map(|folder| bench.folders.source.join(folder)))
        .collect();
    for header in &library.outputs.include {
        let Some(found) = places.iter().map(|place| place.join(header)).find(|path| path.exists())
        else {
            bail!(
                "{}: the header `{header}` of `outputs.include` is neither in the source tree nor in a folder of `build.compile.include`",
                library.name
            );
        };
        let target = bench.folders.install.join("include").join(header);
        if found.is_dir() {
            crate::layout::copy_tree(&found, &target)?;
        } else {
            fs::create_dir_all(target.parent().unwrap_or(&bench.folders.install))?;
            fs::copy(&found, &target)?;
        }
    }
    Ok(())
}

fn pkgconfig(library: &Library, name: &str) -> String {
    let libs: Vec<_> = library.outputs.libs.iter().map(|lib| format!("-l{lib}")).collect();
    // The name under which every toolchain has a C++ runtime.
    let private = if library.language == Language::Cxx { "Libs.private: -lstdc++\n" } else { "" };
    format!(
        "prefix=/usr\nlibdir=${{prefix}}/lib\nincludedir=${{prefix}}/include\n\n\
         Name: {name}\nDescription: {}\nVersion: {}\n\
         Libs: -L${{libdir}} {}\n{private}Cflags: -I${{includedir}}\n",
        library.description,
        library.version,
        libs.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::object_name;

    #[test]
    fn objects_of_one_name_stay_apart() {
        let names = ["a.c", "sub/a.c", "sub.x/a.cc", "plain"].map(object_name);
        assert_eq!(names, ["a.o", "sub_a.o", "sub.x_a.o", "plain.o"]);
    }
}
