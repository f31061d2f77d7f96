//! The builder for libraries that are a list of C files: no configure, no make.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};

use super::bench::{Bench, Sharing};
use super::room::BASE_FLAGS;
use crate::recipe::Compile;

/// Compiles the files, makes the library, and installs it with its headers and a `.pc` file.
pub fn build(bench: &Bench<'_>, recipe: &Compile) -> Result<()> {
    let objects = bench.seen(&bench.folders.objects);
    let names: Vec<String> = recipe.sources.iter().map(|source| object_name(source)).collect();
    compile_all(bench, recipe, &objects, &names)?;
    let library = bench.library.outputs.libs.first().context("the recipe names no library")?;
    let lib = bench.folders.install.join("lib");
    fs::create_dir_all(lib.join("pkgconfig"))?;
    let mut archive = bench.command(&bench.names.ar);
    let file = bench.seen(&lib).join(format!("lib{library}.a"));
    archive.current_dir(&objects).arg("rcs").arg(file).args(&names);
    bench.run(&archive, Sharing::Alone)?;
    install_headers(bench, recipe)?;
    for name in &bench.library.outputs.pkgconfig {
        fs::write(lib.join("pkgconfig").join(format!("{name}.pc")), pkgconfig(bench, name))?;
    }
    Ok(())
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
fn compile_all(
    bench: &Bench<'_>,
    recipe: &Compile,
    objects: &Path,
    names: &[String],
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    let work = |needs_token: bool| -> Result<()> {
        loop {
            let _token = if needs_token { Some(bench.tokens.acquire()?) } else { None };
            let index = next.fetch_add(1, Ordering::Relaxed);
            let failed = failure.lock().is_ok_and(|failure| failure.is_some());
            let (Some(source), false) = (recipe.sources.get(index), failed) else { return Ok(()) };
            let command = compiler(bench, recipe, source, &objects.join(&names[index]));
            bench.run(&command, Sharing::Alone)?;
        }
    };
    let keep = |result: Result<()>| {
        if let (Err(error), Ok(mut failure)) = (result, failure.lock()) {
            failure.get_or_insert(error);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..bench.jobs.min(recipe.sources.len()) {
            scope.spawn(|| keep(work(true)));
        }
        keep(work(false));
    });
    failure.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).map_or(Ok(()), Err)
}

fn compiler(bench: &Bench<'_>, recipe: &Compile, source: &str, object: &Path) -> Command {
    let is_cxx = [".cc", ".cpp", ".cxx"].iter().any(|ending| source.ends_with(ending));
    let mut command = bench.command(if is_cxx { &bench.names.cxx } else { &bench.names.cc });
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

fn install_headers(bench: &Bench<'_>, recipe: &Compile) -> Result<()> {
    let places: Vec<_> = std::iter::once(bench.folders.source.clone())
        .chain(recipe.include.iter().map(|folder| bench.folders.source.join(folder)))
        .collect();
    for header in &bench.library.outputs.include {
        let Some(found) = places.iter().map(|place| place.join(header)).find(|path| path.exists())
        else {
            bail!(
                "{}: the header `{header}` of `outputs.include` is neither in the source tree nor in a folder of `build.compile.include`",
                bench.library.name
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

fn pkgconfig(bench: &Bench<'_>, name: &str) -> String {
    let library = bench.library;
    let libs: Vec<_> = library.outputs.libs.iter().map(|lib| format!("-l{lib}")).collect();
    format!(
        "prefix=/usr\nlibdir=${{prefix}}/lib\nincludedir=${{prefix}}/include\n\n\
         Name: {name}\nDescription: {}\nVersion: {}\n\
         Libs: -L${{libdir}} {}\nCflags: -I${{includedir}}\n",
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
