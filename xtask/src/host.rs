//! What build scripts and proc-macros of an app have of the machine that builds: a pinned compiler
//! and tools, and the shared libraries that Rust's own programs load. Or, where that cannot be, all.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::plan::{Plan, Work};
use crate::process;
use crate::report;
use crate::sandbox::{Access, View};
use crate::session::{Project, Session};
use crate::toolchain::host::{HostDriver, HostLinking, MACHINE_VARIABLES, host_driver};

/// Where this machine has programs and what they need to run.
const OF_THE_MACHINE: [&str; 8] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/ld.so.cache"];

/// Where scripts look for their interpreters.
const FIXED_PLACES: [(&str, &str); 2] = [("/bin/sh", "sh"), ("/usr/bin/env", "env")];

/// Where crates look for a libclang.
const LIBCLANG_PATH: &str = "LIBCLANG_PATH";

/// Where crates look for a protoc and for the files that come with it, and where it has them.
const OF_PROTOC: [(&str, &str); 2] = [("PROTOC", "bin/protoc"), ("PROTOC_INCLUDE", "include")];

/// Variables by which the user tells crates of the machine's programs and its libclang.
const OF_PROGRAMS: [&str; 8] = [
    LIBCLANG_PATH,
    "CLANG_PATH",
    "CMAKE",
    "LIBCLANG_STATIC_PATH",
    "LLVM_CONFIG_PATH",
    "NASM",
    "PROTOC",
    "PROTOC_INCLUDE",
];

/// What an app's build has of the machine.
pub enum Host {
    /// Nothing but these.
    Hidden {
        /// Who compiles and links for this machine.
        driver: HostDriver,
        /// The entry of the toolchain that it calls, which may be another one than the target's.
        compiler: PathBuf,
        /// Folders of the tools' programs, each in its entry's outputs.
        tools: Vec<PathBuf>,
        /// The folder of a libclang, if a crate asks for one.
        libclang: Option<PathBuf>,
        /// Shared libraries of this machine.
        runtime: Vec<PathBuf>,
    },
    /// Its programs, headers and libraries; why, in words.
    Visible(String),
}

impl Host {
    /// Decides for a project, and makes what is needed. The plan's steps must be in the store.
    pub fn of(session: &Session, project: &Project, plan: &Plan) -> Result<Self> {
        let why = match &project.sees_host {
            Some(why) => why.clone(),
            None => {
                let step = plan.host_toolchain();
                let Work::Toolchain(toolchain) = &step.work else {
                    anyhow::bail!("a plan without a toolchain");
                };
                match host_driver(&session.store, step, toolchain, &project.rust)? {
                    HostLinking::Machine(why) => why,
                    HostLinking::Pinned(driver) => {
                        let runtime = project.runtime.get()?.clone();
                        let (mut tools, mut libclang) = (Vec::new(), None);
                        for tool in plan.tools() {
                            let outputs = session.entry(tool).outputs();
                            match &tool.work {
                                Work::Tool(tool) if tool.product.is_program() => {
                                    tools.push(outputs.join("bin"));
                                }
                                _ => libclang = Some(outputs.join("lib")),
                            }
                        }
                        let compiler = session.entry(step).path().to_owned();
                        return Ok(Self::Hidden { driver, compiler, tools, libclang, runtime });
                    }
                }
            }
        };
        report::note(format!("the app's build sees this machine's programs and libraries: {why}"));
        Ok(Self::Visible(why))
    }

    /// Shows a build what it has of the machine.
    pub fn show(&self, view: &mut View) -> Result<()> {
        match self {
            Self::Visible(_) => {
                for path in OF_THE_MACHINE.map(Path::new).into_iter().filter(|path| path.exists()) {
                    view.show_here(path, Access::Read);
                }
            }
            Self::Hidden { driver, compiler, tools, libclang, runtime } => {
                for path in runtime.iter().chain([compiler]) {
                    view.show_here(path, Access::Read);
                }
                for folder in tools.iter().chain(libclang).chain([&driver.bin]) {
                    let entry = folder.ancestors().nth(2).context("a tool outside of the store")?;
                    view.show_here(entry, Access::Read);
                }
                for (place, name) in FIXED_PLACES {
                    if let Some(program) = find(tools, name) {
                        view.link(place, program);
                    }
                }
            }
        }
        Ok(())
    }

    /// Variables for the build, to be set (or not to be there). `target` is the folder of the target's
    /// compiler: the last on `PATH`, where configure scripts look for `<triple>-ar` and the like.
    pub fn variables(&self, rust: &Path, target: &Path) -> Vec<(String, Option<String>)> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let Self::Hidden { driver, tools, libclang, .. } = self else {
            let path = process::env_var("PATH").map(|path| format!("{path}:{}", text(target)));
            return path.map(|path| ("PATH".to_owned(), Some(path))).into_iter().collect();
        };
        let folders = std::iter::once(rust.join("bin")).chain(tools.iter().cloned());
        let folders = folders.chain([driver.stand_ins.clone(), target.to_owned()]);
        let path: Vec<String> = folders.map(|folder| text(&folder)).collect();
        let mut variables: Vec<_> =
            MACHINE_VARIABLES.iter().map(|name| ((*name).to_owned(), None)).collect();
        variables.push(("PATH".to_owned(), Some(path.join(":"))));
        variables.extend(OF_PROGRAMS.map(|name| (name.to_owned(), None)));
        let libclang = libclang.iter().map(|folder| (LIBCLANG_PATH.to_owned(), Some(text(folder))));
        variables.extend(libclang);
        variables.extend(protoc(tools).map(|(name, path)| (name.to_owned(), Some(text(&path)))));
        // nasm-rs knows no variable with a triple in it for who makes archives of its objects.
        let archiver = find(tools, "nasm").map(|_| text(&driver.archiver()));
        variables.extend(archiver.map(|archiver| ("AR".to_owned(), Some(archiver))));
        let told = driver.variables.iter();
        variables.extend(told.map(|(name, value)| (name.clone(), Some(value.clone()))));
        variables
    }

    /// What cargo is told of it.
    pub fn cargo_arguments(&self) -> &[String] {
        match self {
            Self::Hidden { driver, .. } => &driver.cargo_arguments,
            Self::Visible(_) => &[],
        }
    }

    /// The name of the entry that it has in the store.
    pub fn entry(&self) -> Option<&str> {
        match self {
            Self::Hidden { driver, .. } => Some(&driver.id),
            Self::Visible(_) => None,
        }
    }

    /// In one word and the reason, for manifests.
    pub fn describe(&self) -> String {
        match self {
            Self::Hidden { .. } => "hidden".to_owned(),
            Self::Visible(why) => format!("visible: {why}"),
        }
    }
}

/// What a build is told of a protoc, if there is one among the tools.
fn protoc(folders: &[PathBuf]) -> impl Iterator<Item = (&'static str, PathBuf)> {
    let outputs = find(folders, "protoc").and_then(|it| Some(it.ancestors().nth(2)?.to_owned()));
    outputs.into_iter().flat_map(|outputs| OF_PROTOC.map(|(name, at)| (name, outputs.join(at))))
}

fn find(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(name)).find(|program| program.exists())
}
