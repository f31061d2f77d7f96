//! Which crates of the program compile or link C++: read from their build scripts.
//!
//! Cargo's graph does not tell, and whoever waits for the linker's complaint has built everything for
//! nothing. A crate that is named without need costs one machine half a minute, once, and a program not
//! a byte: so a word in a build script is enough.

use std::fs;
use std::path::Path;

use super::metadata::{Metadata, Package};

/// Crates that are, or make, the glue between Rust and C++.
const GLUE: [&str; 6] =
    ["autocxx-build", "cpp_build", "cxx", "cxx-build", "cxx-qt-build", "link-cplusplus"];

/// What a build script says that compiles C++ with the crate `cc`, or links it.
const WORDS: [&str; 6] = [".cpp(", "stdc++", "libc++", "=c++", "static:c++", "cpp_link_stdlib("];

/// What it says to turn that off.
const DENIALS: [&str; 2] = [".cpp(false)", ".cpp_link_stdlib(None)"];

/// Names, in the program's graph, of packages that compile or link C++.
pub fn speakers_of_cxx(metadata: &Metadata) -> Vec<String> {
    let linked = metadata.linked_packages().map(|reached| reached.package);
    let speakers = linked.filter(|package| speaks_cxx(package, metadata));
    let mut names: Vec<String> = speakers.map(|package| package.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

fn speaks_cxx(package: &Package, metadata: &Metadata) -> bool {
    let is_glue = |name: &str| GLUE.contains(&name);
    let Some(script) = package.build_script() else { return is_glue(&package.name) };
    is_glue(&package.name)
        || package.build_dependencies().any(is_glue)
        || script_speaks(script, &package.manifest_path)
        || sources_of(package, metadata).any(file_speaks)
}

/// The crates with a library's sources and how to compile them, such as `zeromq-src`.
fn sources_of<'m>(package: &Package, metadata: &'m Metadata) -> impl Iterator<Item = &'m Path> {
    let names: Vec<String> = package.build_dependencies().map(str::to_owned).collect();
    let is_one = move |other: &&Package| other.name.ends_with("src") && names.contains(&other.name);
    let is_lib = |kinds: &[String]| kinds.iter().any(|kind| kind == "lib");
    let packages = metadata.packages.iter().filter(is_one);
    packages.flat_map(move |it| {
        it.targets.iter().filter(move |t| is_lib(&t.kind)).map(|target| target.src_path.as_path())
    })
}

/// A build script in a folder of its own may be several files.
fn script_speaks(script: &Path, manifest: &Path) -> bool {
    let folder = script.parent().filter(|folder| Some(*folder) != manifest.parent());
    let beside =
        folder.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let is_rust = |path: &std::path::PathBuf| path.extension().is_some_and(|it| it == "rs");
    file_speaks(script)
        || beside.map(|file| file.path()).filter(is_rust).any(|path| file_speaks(&path))
}

fn file_speaks(file: &Path) -> bool {
    fs::read_to_string(file).is_ok_and(|text| speaks(&text))
}

fn speaks(text: &str) -> bool {
    let denied = |line: &&str| DENIALS.iter().any(|denial| line.contains(denial));
    let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    code.filter(|line| !denied(line)).any(|line| WORDS.iter().any(|word| line.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::speaks;

    #[test]
    fn a_build_script_that_compiles_or_links_cxx_is_known_by_its_words() {
        for text in [
            "fn main() {\n    cc::Build::new()\n        .cpp(true)\n        .file(\"a.cc\");\n}",
            "println!(\"cargo:rustc-link-lib=stdc++\");",
            "println!(\"cargo::rustc-link-lib=static:+whole-archive=c++\");",
            "let name = if apple { \"c++\" } else { \"libc++\" };",
        ] {
            assert!(speaks(text), "{text}");
        }
        for text in [
            "cc::Build::new().file(\"a.c\").compile(\"a\");",
            "// links stdc++ on other systems",
            "cc::Build::new().cpp(false).compile(\"a\");",
        ] {
            assert!(!speaks(text), "{text}");
        }
    }
}
