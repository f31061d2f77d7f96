//! Where a file that was linked comes from: told by the folder that it is in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::app::Built;
use crate::environment::Environment;
use crate::plan::Plan;
use crate::session::{Project, Session};

/// How rustc names the objects of Rust code.
const RUST_OBJECTS: [&str; 3] = [".rcgu.o", ".rmeta", ".dwo"];

/// How many hexadecimal digits rustc and cargo put into a name.
const HASH_DIGITS: usize = 16;

/// Where a file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A recipe's library: its name and version.
    Recipe(String),
    /// What rustc made of a package, by cargo's id: an rlib, which has others' archives packed in.
    Rlib(String),
    /// What a package brings or its build script made.
    Crate(String),
    /// The program's own objects and rustc's temporary ones.
    Program,
    /// Rust's standard library and what it ships for the target.
    Rust,
    /// The C compiler's own.
    Toolchain,
    /// Some other place of this machine.
    Elsewhere,
}

/// The places from which something may get into a program.
pub struct Places<'a> {
    /// The sysroot, and by library the recipe that brings it.
    pub sysroot: PathBuf,
    /// `z` and `zlib 1.3.2`.
    pub libraries: Vec<(String, String)>,
    /// Entries of the store with the compiler and what it links with.
    pub toolchain: Vec<PathBuf>,
    /// The toolchain in words.
    pub toolchain_name: String,
    /// Folders of the Rust that links.
    pub rust: Vec<PathBuf>,
    /// Names of the files of Rust's standard library.
    pub std: Vec<String>,
    /// Their folder.
    pub std_folder: PathBuf,
    /// Folders that cargo writes in.
    pub output: Vec<PathBuf>,
    /// Packages: folder, cargo's id, name and version.
    pub packages: Vec<(PathBuf, String, &'a str, &'a str)>,
}

impl<'a> Places<'a> {
    /// The places of a build.
    pub fn new(
        session: &Session,
        project: &'a Project,
        plan: &Plan,
        environment: &Environment,
    ) -> Self {
        let std_folder = environment.std.join("lib");
        let std = fs::read_dir(&std_folder).into_iter().flatten().flatten();
        let packages = project.metadata.packages.iter().filter_map(|it| {
            let folder = it.manifest_path.parent()?.to_owned();
            Some((folder, it.id.clone(), it.name.as_str(), it.version.as_str()))
        });
        let toolchain = plan.toolchain();
        Self {
            sysroot: environment.sysroot.clone(),
            libraries: libraries(plan),
            toolchain: vec![
                session.entry(toolchain).path().to_owned(),
                session.entry(plan.driver()).path().to_owned(),
                environment.linker.ancestors().nth(3).unwrap_or(&environment.linker).to_owned(),
            ],
            toolchain_name: format!("toolchain {} {}", toolchain.name, toolchain.version),
            rust: [project.rust.folders(), vec![environment.std.clone()]].concat(),
            std: std.map(|file| file.file_name().to_string_lossy().into_owned()).collect(),
            std_folder,
            output: project.metadata.output_folders().map(Path::to_owned).collect(),
            packages: packages.collect(),
        }
    }

    /// A package by cargo's id: `serde 1.0.228`.
    pub fn package(&self, id: &str) -> Option<String> {
        let (_, _, name, version) = self.packages.iter().find(|(_, other, ..)| other == id)?;
        Some(format!("{name} {version}"))
    }

    /// Where a file comes from.
    pub fn origin(&self, path: &Path, built: &Built) -> Origin {
        let path = &plain(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // rustc leaves out of an rlib what it has optimised already, in a temporary copy of its name.
        if is_temporary(path) {
            return match built.files.get(&*name) {
                Some(package) => Origin::Rlib(package.clone()),
                None if self.std.iter().any(|file| *file == name) => Origin::Rust,
                None if name.ends_with(".o") => Origin::Program,
                None => Origin::Elsewhere,
            };
        }
        if path.starts_with(&self.sysroot) {
            let lib = name.strip_prefix("lib").and_then(|name| name.strip_suffix(".a"));
            let recipe = self.libraries.iter().find(|(name, _)| Some(name.as_str()) == lib);
            let unnamed = || "sysroot".to_owned();
            return Origin::Recipe(recipe.map_or_else(unnamed, |(_, recipe)| recipe.clone()));
        }
        if self.rust.iter().any(|folder| path.starts_with(folder)) {
            return Origin::Rust;
        }
        if self.toolchain.iter().any(|folder| path.starts_with(folder)) {
            return Origin::Toolchain;
        }
        if self.output.iter().any(|folder| path.starts_with(folder)) {
            return of_output(path, &name, built);
        }
        // The innermost: a package may have others below it.
        let holders = self.packages.iter().filter(|(folder, ..)| path.starts_with(folder));
        match holders.max_by_key(|(folder, ..)| folder.as_os_str().len()) {
            Some((_, id, ..)) => Origin::Crate(id.clone()),
            // By the name that it has without links: a toolchain of rustup may be called by two.
            None => match fs::canonicalize(path) {
                Ok(real) if real != *path => self.origin(&real, built),
                _ => Origin::Elsewhere,
            },
        }
    }
}

/// Whose a file is that cargo, rustc or a build script made.
fn of_output(path: &Path, name: &str, built: &Built) -> Origin {
    let made = built.scripts.iter().find(|script| {
        script.out.as_deref().and_then(Path::parent).is_some_and(|out| path.starts_with(out))
    });
    match (made, built.files.get(name)) {
        (Some(script), _) => Origin::Crate(script.package.clone()),
        (None, Some(package)) => Origin::Rlib(package.clone()),
        (None, None) => Origin::Program,
    }
}

impl Origin {
    /// In words, without a path.
    pub fn words(&self, places: &Places<'_>) -> String {
        match self {
            Self::Recipe(recipe) => format!("recipe {recipe}"),
            Self::Rlib(id) | Self::Crate(id) => {
                let named = places.package(id);
                // `registry+…#name@1.2.3`; what comes before may be a path.
                let unnamed = || id.rsplit('#').next().unwrap_or_default().replace('@', " ");
                format!("crate {}", named.unwrap_or_else(unnamed))
            }
            Self::Program => "program".to_owned(),
            Self::Rust => "rust".to_owned(),
            Self::Toolchain => places.toolchain_name.clone(),
            Self::Elsewhere => "elsewhere".to_owned(),
        }
    }
}

/// By library, the recipe that brings it.
fn libraries(plan: &Plan) -> Vec<(String, String)> {
    let named = plan.libraries().flat_map(|(step, library)| {
        let libs = library.outputs.libs.iter().chain(&library.outputs.aliases);
        libs.map(move |lib| (lib.clone(), format!("{} {}", step.name, step.version)))
    });
    named.collect()
}

/// A path without `.` and `..`, as far as it can be told without looking.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(plain.pop()),
            std::path::Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// Whether a file is in a temporary folder of rustc: `rustcXXXXXX`.
fn is_temporary(path: &Path) -> bool {
    let parent = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    parent.strip_prefix("rustc").is_some_and(|rest| rest.len() == 6)
}

/// Whether a member of an rlib is what rustc made of Rust code.
pub fn is_rust_object(name: &str) -> bool {
    RUST_OBJECTS.iter().any(|ending| name.ends_with(ending))
}

/// `libserde-0123456789abcdef.rlib` without the digits.
pub fn without_hash(name: &str) -> String {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    match stem.rsplit_once('-') {
        Some((short, hash))
            if hash.len() == HASH_DIGITS && hash.bytes().all(|it| it.is_ascii_hexdigit()) =>
        {
            format!("{short}.{ending}")
        }
        _ => name.to_owned(),
    }
}
