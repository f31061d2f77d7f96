//! What a source tree looks like: its build system, its C files, headers, names and version. All of it
//! is guessed from names and from a few lines of text; a recipe that builds is the proof.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::layout::files_below;

/// The most C files for which a list is worth a try.
const FILES_MAX: usize = 200;

/// How much of a file is looked at.
const TEXT_BYTES: usize = 1 << 20;

/// Folders whose C files are no part of a library.
const ASIDE: [&str; 15] = [
    "test",
    "tests",
    "testing",
    "example",
    "examples",
    "doc",
    "docs",
    "bench",
    "benchmark",
    "contrib",
    "tools",
    "demo",
    "demos",
    "win32",
    "programs",
];

/// A source tree as far as it could be recognised.
#[derive(Debug, Default)]
pub struct Looks {
    /// The build systems that it has files of, such as `configure`.
    pub systems: Vec<&'static str>,
    /// C files that seem to make the library; none if they are too many.
    pub sources: Vec<String>,
    /// Headers that seem to be for others.
    pub headers: Vec<String>,
    /// Names of libraries, without `lib`.
    pub libs: Vec<String>,
    /// Names of `.pc` files.
    pub pkgconfig: Vec<String>,
    /// What a `.pc` file says that it is.
    pub description: Option<String>,
    /// What the tree itself says of its version.
    pub version: Option<String>,
}

/// Files by which build systems are known, the one that takes least first.
const SYSTEMS: [(&str, &str); 6] = [
    ("configure", "configure"),
    ("Configure", "Configure"),
    ("CMakeLists.txt", "cmake"),
    ("meson.build", "meson"),
    ("Makefile", "make"),
    ("configure.ac", "configure.ac"),
];

/// Looks through a tree for a library of this name.
pub fn tree(tree: &Path, name: &str) -> Result<Looks> {
    let files: Vec<String> =
        files_below(tree)?.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let has = |file: &str| files.iter().any(|other| other == file);
    let mut looks = Looks::default();
    looks.systems.extend(SYSTEMS.iter().filter(|(file, _)| has(file)).map(|(_, system)| *system));
    let near: Vec<&String> = files.iter().filter(|path| !is_aside(path)).collect();
    let sources = near.iter().filter(|path| path.ends_with(".c") && !is_program(tree, path));
    looks.sources = sources.map(|path| (*path).clone()).collect();
    if looks.sources.len() > FILES_MAX {
        looks.sources.clear();
    }
    looks.headers = headers(&near, name);
    for path in near.iter().filter(|path| path.ends_with(".pc.in") || path.ends_with(".pc.cmakein"))
    {
        let file = path.rsplit('/').next().unwrap_or(path);
        let stem = file.split(".pc.").next().unwrap_or(file);
        if !stem.ends_with("-uninstalled") {
            looks.pkgconfig.push(stem.to_owned());
        }
        let text = read(&tree.join(path));
        looks.description = looks.description.or_else(|| after(&text, "Description:"));
        looks.libs.extend(linked(&text));
    }
    looks.pkgconfig.sort();
    looks.pkgconfig.dedup();
    for path in near.iter().filter(|path| path.ends_with("Makefile.am")) {
        looks.libs.extend(libtool(&read(&tree.join(path))));
    }
    looks.libs.sort();
    looks.libs.dedup();
    looks.version = after(&read(&tree.join("configure")), "PACKAGE_VERSION=");
    for header in looks.headers.iter().filter(|_| looks.version.is_none()).collect::<Vec<_>>() {
        looks.version = read(&tree.join(header)).lines().find_map(defined);
        if looks.version.is_some() {
            break;
        }
    }
    Ok(looks)
}

/// The folder of a crate that holds a C library: the highest one that has a build system or a licence
/// beside C files, else the one with most C files. `None` if there are none.
pub fn root_in_crate(tree: &Path) -> Result<Option<String>> {
    let files = files_below(tree)?;
    let mut folders: Vec<(bool, usize, usize, PathBuf)> = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "c")) {
        for folder in file.ancestors().skip(1).filter(|it| it.components().count() > 0) {
            match folders.iter_mut().find(|(.., known)| known == folder) {
                Some((_, count, ..)) => *count += 1,
                None => {
                    let place = tree.join(folder);
                    let marks = ["configure", "Configure", "CMakeLists.txt", "LICENSE", "COPYING"];
                    let is_marked = marks.iter().any(|mark| place.join(mark).is_file());
                    let depth = folder.components().count();
                    folders.push((is_marked, 1, depth, folder.to_owned()));
                }
            }
        }
    }
    // A crate's own `src` holds the C library's folder, and perhaps a file of glue.
    folders.retain(|(is_marked, .., folder)| *is_marked || folder != Path::new("src"));
    folders.sort_by_key(|(is_marked, count, depth, folder)| {
        (!is_marked, std::cmp::Reverse(*count), *depth, folder.clone())
    });
    Ok(folders.first().map(|(.., folder)| folder.to_string_lossy().into_owned()))
}

fn is_aside(path: &str) -> bool {
    let mut folders: Vec<&str> = path.split('/').collect();
    folders.pop();
    let is_one = |folder: &str| ASIDE.contains(&folder) || folder.starts_with("fuzz");
    folders.iter().any(|folder| is_one(&folder.to_lowercase()))
}

/// Whether a C file has a `main`, or says by its name that it is a test.
fn is_program(tree: &Path, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let text = read(&tree.join(path));
    let has_main = text.lines().any(|line| {
        let line = line.trim_start_matches("int ").trim_start_matches("extern ");
        line.starts_with("main(") || line.starts_with("main (")
    });
    has_main || ["test", "example", "fuzz"].iter().any(|word| name.starts_with(word))
}

/// All of `include/`, else headers that are called as the library is, else all of the top folder.
fn headers(files: &[&String], name: &str) -> Vec<String> {
    let all: Vec<&str> =
        files.iter().map(|path| path.as_str()).filter(|path| path.ends_with(".h")).collect();
    let bare = name.trim_start_matches("lib");
    let is_called = |path: &&&str| {
        let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".h");
        stem == bare || stem.trim_start_matches("lib") == bare || stem == name
    };
    let choices = [
        all.iter().filter(|path| path.starts_with("include/")).collect::<Vec<_>>(),
        all.iter().filter(is_called).collect(),
        all.iter().filter(|path| !path.contains('/')).collect(),
    ];
    let chosen = choices.into_iter().find(|choice| !choice.is_empty()).unwrap_or_default();
    chosen.into_iter().map(|path| (*path).to_owned()).collect()
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT_BYTES)]).into_owned()
}

/// What stands after a word on its line, without quotes.
fn after(text: &str, word: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(word))?;
    let value = value.trim().trim_matches(['\'', '"']);
    (!value.is_empty() && !value.contains(['$', '@'])).then(|| value.to_owned())
}

/// The version of `#define Z_VERSION "1.2.3"`.
fn defined(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("define")?;
    let mut words = rest.split_whitespace();
    words.next().filter(|name| name.contains("VERSION"))?;
    let version = words.next()?.strip_prefix('"')?.strip_suffix('"')?;
    let is_version = version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.');
    is_version.then(|| version.to_owned())
}

/// The libraries of `Libs: -L${libdir} -lz`.
fn linked(text: &str) -> Vec<String> {
    let libs = text.lines().find_map(|line| line.strip_prefix("Libs:")).unwrap_or_default();
    let names = libs.split_whitespace().filter_map(|word| word.strip_prefix("-l"));
    names.filter(|name| !name.contains(['$', '@'])).map(str::to_owned).collect()
}

/// The libraries of `lib_LTLIBRARIES = libz.la`.
fn libtool(text: &str) -> Vec<String> {
    let lists = text.lines().filter_map(|line| line.strip_prefix("lib_LTLIBRARIES"));
    let words = lists.flat_map(str::split_whitespace);
    let names = words.filter_map(|word| word.strip_prefix("lib")?.strip_suffix(".la"));
    names.filter(|name| !name.contains(['$', '@'])).map(str::to_owned).collect()
}
