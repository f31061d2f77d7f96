//! What the builder `compile` does beside compiling: the files that a configure script would have
//! written, and what an installer would have put into place.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::bench::Bench;
use crate::layout::files_below;
use crate::recipe::template::Template;
use crate::recipe::{Compile, Content, Language, Library, MadeFile, PkgConfig};

/// Endings of what is installed of a folder of headers.
const HEADERS: [&str; 6] = ["h", "hh", "hpp", "hxx", "inc", "ipp"];

/// Makes the files of `build.compile.files` in the source tree.
pub fn make_files(bench: &Bench<'_>, recipe: &Compile) -> Result<()> {
    for (path, file) in &recipe.files {
        make(bench, path, file).with_context(|| format!("`{path}` of `build.compile.files`"))?;
    }
    Ok(())
}

fn make(bench: &Bench<'_>, path: &str, file: &MadeFile) -> Result<()> {
    let tree = &bench.folders.source;
    let place = tree.join(path);
    match (place.symlink_metadata().is_ok(), file.replace) {
        (true, false) => bail!("is in the source tree already: `replace = true` if that is meant"),
        (false, true) => bail!("is not in the source tree: there is nothing to replace"),
        _ => {}
    }
    let bytes = match &file.content {
        Content::Text(text) => text.clone().into_bytes(),
        Content::From { path, values } => {
            let from = tree.join(path);
            let bytes = fs::read(&from).with_context(|| format!("cannot read its `{path}`"))?;
            if values.is_empty() { bytes } else { fill_in(bench, bytes, values)?.into_bytes() }
        }
    };
    if file.replace {
        // A link would lead the bytes elsewhere.
        fs::remove_file(&place)?;
    }
    fs::create_dir_all(place.parent().unwrap_or(tree))?;
    fs::write(&place, bytes).context("cannot be written")
}

fn fill_in(
    bench: &Bench<'_>,
    bytes: Vec<u8>,
    values: &BTreeMap<String, Template>,
) -> Result<String> {
    let text = String::from_utf8(bytes).context("the file is no text")?;
    if let Some(word) = values.keys().find(|word| !text.contains(*word)) {
        bail!("{word:?} of its `values` is not in the file");
    }
    let values: Vec<_> = values.iter().map(|(word, value)| (&**word, bench.fill(value))).collect();
    Ok(replaced(&text, &values))
}

/// Puts values in the place of words, in one pass: a value is not searched again. Of two words that
/// begin alike the longer one counts.
fn replaced(text: &str, values: &[(&str, String)]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let here = values.iter().filter(|(word, _)| rest.starts_with(word));
        if let Some((word, value)) = here.max_by_key(|(word, _)| word.len()) {
            result.push_str(value);
            rest = &rest[word.len()..];
        } else {
            result.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    result
}

/// Installs the headers: what `build.compile.headers` places, and of the rest what is found under its
/// own name in the tree or in a folder of `include`.
pub fn headers(bench: &Bench<'_>, library: &Library, recipe: &Compile) -> Result<()> {
    let tree = &bench.folders.source;
    for (to, from) in &recipe.headers {
        let path = tree.join(from);
        if !path.exists() {
            bail!(
                "{}: `{from}` of `build.compile.headers` is not in the source tree",
                library.name
            );
        }
        install(bench, &path, to)?;
    }
    let folders = recipe.groups.iter().flat_map(|group| &group.include).chain(&recipe.include);
    let places: Vec<PathBuf> =
        std::iter::once(tree.clone()).chain(folders.map(|folder| tree.join(folder))).collect();
    for header in &library.outputs.include {
        let inside = |to: &String| Path::new(to).starts_with(header);
        if recipe.headers.keys().any(inside) {
            continue;
        }
        let Some(found) = places.iter().map(|place| place.join(header)).find(|path| path.exists())
        else {
            bail!(
                "{}: the header `{header}` of `outputs.include` is neither in the source tree nor in a folder of `build.compile.include`: say where with `build.compile.headers`",
                library.name
            );
        };
        install(bench, &found, header)?;
    }
    Ok(())
}

/// Copies a header, or the headers of a folder and of the folders in it.
fn install(bench: &Bench<'_>, from: &Path, to: &str) -> Result<()> {
    let target = bench.folders.install.join("include").join(to);
    let mut found = vec![PathBuf::new()];
    if from.is_dir() {
        found = files_below(from)?;
        found
            .retain(|file| file.extension().is_some_and(|it| HEADERS.iter().any(|end| it == *end)));
    }
    for file in found {
        // Joining nothing would end the path with a slash.
        let is_folder = !file.as_os_str().is_empty();
        let (from, to) = if is_folder {
            (from.join(&file), target.join(&file))
        } else {
            (from.to_owned(), target.clone())
        };
        fs::create_dir_all(to.parent().unwrap_or(&bench.folders.install))?;
        fs::copy(&from, &to).with_context(|| format!("cannot install {}", to.display()))?;
    }
    Ok(())
}

/// Writes the `.pc` files.
pub fn pkgconfig(bench: &Bench<'_>, library: &Library, recipe: &Compile) -> Result<()> {
    for name in &library.outputs.pkgconfig {
        let folder = bench.folders.install.join("lib/pkgconfig");
        fs::create_dir_all(&folder)?;
        let said = recipe.pkgconfig.get(name).cloned().unwrap_or_default();
        fs::write(folder.join(format!("{name}.pc")), pc_file(library, name, &said))?;
    }
    Ok(())
}

fn pc_file(library: &Library, name: &str, said: &PkgConfig) -> String {
    let libs = if said.libs.is_empty() { &library.outputs.libs } else { &said.libs };
    let libs: Vec<_> = libs.iter().map(|lib| format!("-l{lib}")).collect();
    let cflags: String = said.cflags.iter().map(|flag| format!(" {flag}")).collect();
    let mut private = said.libs_private.clone();
    if library.language == Language::Cxx {
        // The name under which every toolchain has a C++ runtime.
        private.push("-lstdc++".to_owned());
    }
    let line = |key: &str, words: &[String], between: &str| match words {
        [] => String::new(),
        words => format!("{key}: {}\n", words.join(between)),
    };
    format!(
        "prefix=/usr\nlibdir=${{prefix}}/lib\nincludedir=${{prefix}}/include\n\n\
         Name: {name}\nDescription: {}\nVersion: {}\n{}{}\
         Libs: -L${{libdir}} {}\n{}Cflags: -I${{includedir}}{cflags}\n",
        library.description,
        said.version.as_ref().unwrap_or(&library.version),
        line("Requires", &said.requires, ", "),
        line("Requires.private", &said.requires_private, ", "),
        libs.join(" "),
        line("Libs.private", &private, " "),
    )
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn a_value_takes_the_place_of_the_longest_word() {
        let values = [("@A", "1".to_owned()), ("@AB@", "@A".to_owned()), ("é", "e".to_owned())];
        assert_eq!(replaced("x @AB@ @A@ é ü", &values), "x @A 1@ e ü");
    }
}
