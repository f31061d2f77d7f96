//! The room in which a step works: its folders, what of the machine it sees, its environment.
//!
//! The same for a step that Muslin runs and for one that a user enters by hand. With a view of its
//! own everything has a fixed place: `/build` with the step's folders, `/store` with the toolchain
//! and the tools. Without one the places are the machine's, and the compilers write the fixed ones.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use jobserver::Client;

use super::configure;
use super::tools::Tools;
use crate::layout::files_below;
use crate::plan::{Plan, Step, Work};
use crate::process::{self, CLOCK_OFFSET};
use crate::recipe::{Configure, Driver, Stage};
use crate::rust::runtime::{needed_below, needed_files};
use crate::sandbox::{Access, Sandbox, View};
use crate::session::Session;
use crate::toolchain::{BUILD_FOLDER_VARIABLE, ToolNames};
use crate::unpack::MODIFIED;

/// Flags of every C file of every library: position-independent, because the program is static-pie;
/// in sections, so that the linker drops what is not used; without unwind tables, which a C library
/// needs only for debuggers and which are a tenth of SQLite (measured: 1.42 MB against 1.31 MB).
pub const BASE_FLAGS: [&str; 5] =
    ["-O2", "-fPIC", "-ffunction-sections", "-fdata-sections", "-fno-asynchronous-unwind-tables"];

/// Where a step finds its folders.
const BUILD: &str = "/build";
/// Where it finds entries of the store.
const STORE: &str = "/store";

/// A step's folders, all in one.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The one that holds the others.
    pub root: PathBuf,
    /// The source tree. Only a configure script may write in it.
    pub source: PathBuf,
    /// What is compiled goes here.
    pub objects: PathBuf,
    /// What `make install` installs goes here.
    pub staging: PathBuf,
    /// What the builder installs: `include/` and `lib/` below it.
    pub install: PathBuf,
    /// Outputs of the library's dependencies, composed; nobody may write in it.
    pub dependencies: PathBuf,
    /// What a configure script calls as compilers, and what those link with.
    pub programs: PathBuf,
    /// For temporary files, where there is no view with a `/tmp` of its own.
    pub tmp: PathBuf,
}

impl Folders {
    /// The folders in `root`.
    pub fn new(root: &Path) -> Self {
        let at = |name: &str| root.join(name);
        Self {
            root: root.to_owned(),
            source: at("source"),
            objects: at("objects"),
            staging: at("staging"),
            install: at("install"),
            dependencies: at("dependencies"),
            programs: at("programs"),
            tmp: at("tmp"),
        }
    }

    /// Those that a builder finds empty.
    fn empty(&self) -> [&PathBuf; 5] {
        [&self.objects, &self.staging, &self.install, &self.programs, &self.tmp]
    }

    /// Makes those that are missing; `source` and `dependencies` come from elsewhere.
    pub fn make(&self) -> Result<()> {
        for folder in self.empty() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(())
    }

    /// All of them, when the step is done.
    pub fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.empty().into_iter().chain([&self.source, &self.dependencies])
    }
}

/// A step's room.
pub struct Room<'a> {
    /// Its folders.
    pub folders: Folders,
    sandbox: &'a Sandbox,
    view: View,
    driver: Option<PathBuf>,
    names: ToolNames,
    tools: Tools,
    /// For a step that runs one.
    configure: Option<Configure>,
    /// Whether its compilers are those of its own programs, which link.
    asks_by_linking: bool,
}

impl<'a> Room<'a> {
    /// The room of a library's or tool's step, with its folders in `root`.
    pub fn new(session: &'a Session, plan: &Plan, step: &Step, root: &Path) -> Result<Self> {
        let sandbox = session.sandbox()?;
        let folders = Folders::new(root);
        let mut view = View::default();
        for folder in [&folders.objects, &folders.staging, &folders.install] {
            view.show(folder, &in_build(&folders, folder), Access::Write);
        }
        view.show(&folders.source, &in_build(&folders, &folders.source), source_access(step));
        if !sandbox.way().has_view() {
            // Compilers make temporary files, where an assembler's file is preprocessed.
            view.show_here(&folders.tmp, Access::Write);
        }
        let dependencies = &folders.dependencies;
        view.show(dependencies, &in_build(&folders, dependencies), Access::Read);
        let (configure, asks_by_linking) = match &step.work {
            Work::Library(library) => (library.configure().cloned(), library.asks_by_linking()),
            Work::Part(..) => (None, true),
            _ => (None, false),
        };
        if asks_by_linking {
            let programs = &folders.programs;
            view.show(programs, &in_build(&folders, programs), Access::Read);
        }
        let (mut driver, mut prebuilt) = (None, Vec::new());
        for dependency in plan.dependencies(step) {
            let entry = session.entry(dependency);
            match &dependency.work {
                Work::Library(_) | Work::Sysroot => continue,
                Work::Driver(_) if dependency.target.triple == step.target.triple => {
                    driver = Some(entry.outputs().join("bin")).filter(|_| has_driver(step));
                }
                Work::Driver(_) | Work::Tool(_) | Work::Part(..) => {}
                Work::Toolchain(toolchain) => {
                    if matches!(toolchain.driver, Driver::Gcc { .. }) {
                        prebuilt.push(entry.outputs());
                    }
                }
            }
            // Entries stand side by side as in the store: they find each other by relative paths.
            view.show(entry.path(), &Path::new(STORE).join(entry.id()), Access::Read);
        }
        let tools = Tools::of(session, plan, step);
        for tree in prebuilt {
            show_runtime(&mut view, &tree, tools.has_shell())?;
        }
        for (name, program) in tools.fixed_places() {
            let program = view.seen(&program);
            view.link(name, program);
        }
        let names = ToolNames::new(&step.target);
        Ok(Self { folders, sandbox, view, driver, names, tools, configure, asks_by_linking })
    }

    /// Shows a tool that the step itself does not call.
    pub fn lend(&mut self, session: &Session, tool: &Step) {
        let entry = session.entry(tool);
        let bin = entry.outputs().join("bin");
        if !self.tools.folders.contains(&bin) {
            self.view.show(entry.path(), &Path::new(STORE).join(entry.id()), Access::Read);
            self.tools.folders.push(bin);
        }
    }

    /// Lets programs have the terminal: for a shell.
    pub fn keep_terminal(&mut self) {
        self.view.keep_terminal();
    }

    /// Lets programs have the open files of a jobserver: no others.
    pub fn keep_jobserver(&mut self, tokens: &Client) {
        self.view.keep_open(files_of_jobserver(tokens));
    }

    /// The path under which the step's programs find a folder or file.
    pub fn seen(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.folders.root) {
            Ok(_) if self.sandbox.way().has_view() => in_build(&self.folders, path),
            _ => self.sandbox.seen(&self.view, path),
        }
    }

    /// A command with the environment of the step, in the source tree.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = process::command(program);
        command.current_dir(self.seen(&self.folders.source));
        command.env_clear().envs(self.environment());
        if let Some(recipe) = self.configure.as_ref().filter(|recipe| recipe.is_autoconf()) {
            // What it names stands in the first line of scripts that are made, where only a path will do.
            command.env_remove("CONFIG_SHELL");
            command.envs(configure::variables(recipe, &self.names, self.tools.has_pkg_config()));
        }
        command
    }

    /// The command that runs such a command here.
    pub fn enter(&self, command: &Command) -> Result<Command> {
        self.sandbox.wrap(&self.view, command)
    }

    /// All that a step's programs see.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let text = |path: &Path| self.seen(path).to_string_lossy().into_owned();
        let own = self.asks_by_linking.then_some(&self.folders.programs);
        let programs = own.into_iter().chain(&self.driver).chain(&self.tools.folders);
        let path = programs.map(|folder| text(folder)).collect::<Vec<_>>().join(":");
        let tmp =
            if self.sandbox.way().has_view() { "/tmp".to_owned() } else { text(&self.folders.tmp) };
        let more = self.configure.iter().flat_map(|recipe| recipe.flags.iter().map(String::as_str));
        let flags = BASE_FLAGS.into_iter().chain(more).collect::<Vec<_>>().join(" ");
        let mut variables = vec![
            ("PATH", path),
            // Nobody's: a program that wants one finds none.
            ("HOME", text(&self.folders.root.join("homeless"))),
            ("TMPDIR", tmp),
            ("LC_ALL", "C".to_owned()),
            ("TZ", "UTC".to_owned()),
            ("TERM", "dumb".to_owned()),
            ("SOURCE_DATE_EPOCH", MODIFIED.to_string()),
            (BUILD_FOLDER_VARIABLE, text(&self.folders.root)),
            ("CC", self.names.cc.clone()),
            ("CXX", self.names.cxx.clone()),
            ("AR", self.names.ar.clone()),
            ("RANLIB", self.names.ranlib.clone()),
            ("CFLAGS", flags.clone()),
            ("CXXFLAGS", flags),
            ("PKG_CONFIG_LIBDIR", text(&self.folders.dependencies.join("lib/pkgconfig"))),
        ];
        variables.extend(self.tools.environment(text));
        variables.extend(process::env_var(CLOCK_OFFSET).map(|seconds| (CLOCK_OFFSET, seconds)));
        variables
    }
}

fn in_build(folders: &Folders, path: &Path) -> PathBuf {
    match path.strip_prefix(&folders.root) {
        Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from(BUILD),
        Ok(rest) => Path::new(BUILD).join(rest),
        Err(_) => path.to_owned(),
    }
}

/// Whether a step's compiler is the driver for its target. One that makes a compiler calls none, and
/// must not take the driver's programs for those that it makes.
fn has_driver(step: &Step) -> bool {
    !matches!(&step.work, Work::Part(_, part) if part.stage != Stage::Libc)
}

/// A prebuilt GCC may load shared libraries of this machine, as its other programs do, or be called
/// by scripts.
fn show_runtime(view: &mut View, tree: &Path, has_shell: bool) -> Result<()> {
    const SHELL: &str = "/bin/sh";
    let mut files = needed_below(tree)?;
    let is_script =
        |file: &PathBuf| fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"#!/bin/sh"));
    let mut programs =
        files_below(&tree.join("bin"))?.into_iter().map(|file| tree.join("bin").join(file));
    if !has_shell && programs.any(|file| is_script(&file)) {
        files.push(PathBuf::from(SHELL));
        files.extend(needed_files(&[PathBuf::from(SHELL)], None)?);
    }
    for file in files {
        view.show_here(&file, Access::Read);
    }
    Ok(())
}

/// A configure script builds in its own tree, so that one is the step's own, to be written to.
fn source_access(step: &Step) -> Access {
    match &step.work {
        Work::Library(library) if library.configure().is_some() => Access::Write,
        // What was generated before the release is touched when all files have one time.
        Work::Part(..) => Access::Write,
        _ => Access::Read,
    }
}

/// The open files of a jobserver, which make inherits: the only ones.
fn files_of_jobserver(tokens: &Client) -> Vec<i32> {
    let mut probe = process::command("make");
    tokens.configure_make(&mut probe);
    let told = probe.get_envs().find(|(name, _)| *name == "MAKEFLAGS");
    let flags = told.and_then(|(_, value)| value?.to_str().map(str::to_owned)).unwrap_or_default();
    let pair = flags.split(' ').find_map(|word| word.strip_prefix("--jobserver-auth="));
    pair.into_iter()
        .flat_map(|pair| pair.split(','))
        .filter_map(|number| number.parse().ok())
        .collect()
}
