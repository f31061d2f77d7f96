//! The compilers that autoconf's scripts and CMake call: the driver's, and able to link.
//!
//! Such a script finds out by linking what a system has. For the target it links against a shared
//! library with the names that musl has and nothing behind them, so its answers are true of every
//! target, nothing links a second libc, and Rust is no input; what is linked so is never run. A
//! compiler for this machine, whose programs the build itself runs, links the runtime of the tools.
//! A toolchain that brings a libc links with that.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::gcc;
use super::room::Room;
use super::steps::toolchain_step;
use crate::layout::copy_tree;
use crate::plan::{Plan, Step, Work};
use crate::process::{self, shell_word};
use crate::recipe::{Driver, Product, Stage};
use crate::session::Session;
use crate::target::{HOST, Target};
use crate::toolchain::{ToolNames, musl};

/// The compiler for this machine, on `PATH`.
pub const HOST_CC: &str = "muslin-host-cc";

/// Parts that linkers ask for by name and that have nothing in them: musl's libc has all of it.
const EMPTY_LIBRARIES: [&str; 12] = [
    "m", "pthread", "rt", "dl", "util", "crypt", "resolv", "xnet", "gcc_eh", "gcc_s", "stdc++",
    "c++",
];
const EMPTY_OBJECTS: [&str; 7] =
    ["crti", "crtn", "crtbegin", "crtbeginS", "crtbeginT", "crtend", "crtendS"];
const STARTING_OBJECTS: [&str; 3] = ["crt1", "Scrt1", "rcrt1"];

/// A program without `main` must not link.
const START: &str = "int main();\nvoid *muslin_main = (void *)main;\nvoid _start(void) {}\n";

/// Fills the step's folder of programs.
pub fn prepare(session: &Session, plan: &Plan, step: &Step, room: &Room<'_>) -> Result<()> {
    let library = match &step.work {
        Work::Library(library) => library,
        Work::Part(_, part) if part.stage != Stage::Libc => {
            return gcc::prepare(session, plan, step, room);
        }
        _ => return Ok(()),
    };
    if !library.asks_by_linking() {
        return Ok(());
    }
    let made = toolchain_step(plan, step)?;
    let tree = session.entry(made).outputs();
    let Work::Toolchain(toolchain) = &made.work else { return Ok(()) };
    // One that is made brings a libc, and leaves programs for this machine to the one that made it.
    let is_zig = matches!(toolchain.driver, Driver::Zig { .. });
    let host_is_zig = is_zig || toolchain.making.is_some();
    let programs = &room.folders.programs;
    let names = ToolNames::new(&step.target);
    if is_zig {
        let parts = Parts { room, names: &names, place: "target" };
        parts.empty()?;
        parts.target(&step.target, &tree)?;
    }
    let compiling = driver(session, plan, step, &step.target.triple)?;
    let link = linking(room, &compiling.join(&names.ld), "target", is_zig);
    // By variables a sysroot would get into what scripts write down: so it is given here.
    let dependencies = "-isystem \"$here/../dependencies/include\" \"-L$here/../dependencies/lib\"";
    for name in [&names.cc, &names.cxx] {
        let call = shell_word(&room.seen(&compiling.join(name)).to_string_lossy());
        write(&programs.join(name), &format!("exec {call}{link} {dependencies} \"$@\""))?;
    }
    if library.configure().is_none_or(|recipe| recipe.host_program().is_none()) {
        return Ok(());
    }
    let driver = driver(session, plan, step, HOST)?;
    let host = plan.dependencies(step).find(|it| it.target.triple == HOST);
    let host = ToolNames::new(&host.context("a step without the machine's own target")?.target);
    if host_is_zig {
        // By their paths: `PATH` has the programs for the target.
        let path = |name: &str| room.seen(&driver.join(name)).to_string_lossy().into_owned();
        let own = ToolNames { cc: path(&host.cc), ar: path(&host.ar), ..host.clone() };
        let parts = Parts { room, names: &own, place: "host" };
        parts.empty()?;
        parts.host(session, plan, step)?;
    }
    let link = linking(room, &driver.join(&host.ld), "host", host_is_zig);
    let call = shell_word(&room.seen(&driver.join(&host.cc)).to_string_lossy());
    write(&programs.join(HOST_CC), &format!("exec {call}{link} -static \"$@\""))
}

/// The folder of a driver's programs.
pub(super) fn driver(session: &Session, plan: &Plan, step: &Step, triple: &str) -> Result<PathBuf> {
    let is_it = |it: &&Step| matches!(it.work, Work::Driver(_)) && it.target.triple == triple;
    let driver = plan.dependencies(step).find(is_it);
    let driver = driver.with_context(|| format!("a step without a driver for {triple}"))?;
    Ok(session.entry(driver).outputs().join("bin"))
}

/// Words for a compiler that has no linker and libraries of its own.
fn linking(room: &Room<'_>, linker: &Path, place: &str, is_needed: bool) -> String {
    if !is_needed {
        return String::new();
    }
    let linker = shell_word(&room.seen(linker).to_string_lossy());
    format!(" --ld-path={linker} \"--sysroot=$here/{place}\"")
}

pub(super) fn write(path: &Path, body: &str) -> Result<()> {
    crate::toolchain::write_program(path, &format!("#!/bin/sh\nhere=${{0%/*}}\n{body}\n"))
}

/// What programs are linked with, in a folder for one compiler.
pub(super) struct Parts<'a> {
    /// The step's room.
    pub room: &'a Room<'a>,
    /// The compiler and archiver that make them.
    pub names: &'a ToolNames,
    /// The folder.
    pub place: &'static str,
}

impl Parts<'_> {
    pub(super) fn lib(&self) -> PathBuf {
        self.room.folders.programs.join(self.place).join("lib")
    }

    /// Runs a program of the driver in the step's room, in the folder of objects.
    pub(super) fn run(&self, program: &str, words: &[&str]) -> Result<()> {
        let mut command = self.room.command(program);
        command.current_dir(self.room.seen(&self.room.folders.objects)).args(words);
        process::capture_ok(&mut self.room.enter(&command)?)
            .context("cannot prepare the linking of a configure script")?;
        Ok(())
    }

    /// Compiles a text, in the folder of objects.
    pub(super) fn compile(&self, source: &str, text: &str, object: &str) -> Result<()> {
        fs::write(self.room.folders.objects.join(source), text)?;
        self.run(&self.names.cc, &["-w", "-c", source, "-o", object])
    }

    pub(super) fn take(&self, made: &str, names: &[&str]) -> Result<()> {
        let made = self.room.folders.objects.join(made);
        for name in names {
            fs::copy(&made, self.lib().join(name))
                .with_context(|| format!("cannot take {name}"))?;
        }
        Ok(fs::remove_file(made)?)
    }

    pub(super) fn empty(&self) -> Result<()> {
        fs::create_dir_all(self.lib())?;
        self.compile("empty.c", "", "empty.o")?;
        let names = EMPTY_OBJECTS.map(|name| format!("{name}.o"));
        self.take("empty.o", &names.each_ref().map(String::as_str))?;
        fs::remove_file(self.room.folders.objects.join("empty.c"))?;
        for name in EMPTY_LIBRARIES.iter().chain(&["gcc"]) {
            fs::write(self.lib().join(format!("lib{name}.a")), b"!<arch>\n")?;
        }
        Ok(())
    }

    /// Names of functions, and no functions.
    fn target(&self, target: &Target, tree: &Path) -> Result<()> {
        self.compile("start.c", START, "start.o")?;
        let names = STARTING_OBJECTS.map(|name| format!("{name}.o"));
        self.take("start.o", &names.each_ref().map(String::as_str))?;
        let symbols = self.room.seen(&tree.join(musl::SYMBOLS)).to_string_lossy().into_owned();
        let macros = musl::macros(target);
        let mut words: Vec<&str> = macros.iter().map(String::as_str).collect();
        words.extend(["-c", &symbols, "-o", "libc.o"]);
        self.run(&self.names.cc, &words)?;
        self.run(&self.names.ld, &["-shared", "-soname", "libc.so", "-o", "libc.so", "libc.o"])?;
        self.run(&self.names.ar, &["rcs", "libc.a", "libc.o"])?;
        self.names_only("libgcc.a", &musl::BUILTINS)?;
        self.names_only("libatomic.a", &musl::ATOMICS)?;
        for name in ["libc.so", "libc.a"] {
            self.take(name, &[name])?;
        }
        for name in ["start.c", "libc.o"] {
            fs::remove_file(self.room.folders.objects.join(name))?;
        }
        Ok(())
    }

    /// An archive with these functions, and nothing behind them.
    fn names_only(&self, archive: &str, names: &[&str]) -> Result<()> {
        let text = names.iter().fold(String::new(), |mut text, name| {
            let _ = writeln!(text, ".globl {name}\n{name}:");
            text
        });
        self.compile("names.s", &text, "names.o")?;
        self.run(&self.names.ar, &["rcs", archive, "names.o"])?;
        self.take(archive, &[archive])?;
        for name in ["names.s", "names.o"] {
            fs::remove_file(self.room.folders.objects.join(name))?;
        }
        Ok(())
    }

    /// The libc that the tools are linked with, and more of it.
    fn host(&self, session: &Session, plan: &Plan, step: &Step) -> Result<()> {
        for dependency in plan.dependencies(step) {
            let Work::Tool(tool) = &dependency.work else { continue };
            let Product::Runtime { lib, .. } = &tool.product else { continue };
            let from = session.entry(dependency).outputs().join("lib");
            if lib == "c" {
                copy_tree(&from, &self.lib())?;
            } else {
                // By a name that a compiler gives to every linker.
                fs::copy(from.join(format!("lib{lib}.a")), self.lib().join("libgcc.a"))?;
            }
        }
        Ok(())
    }
}
