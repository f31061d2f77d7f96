//! What `[build.gcc]` of a toolchain means: GCC for one target, made in stages from pinned sources by
//! another toolchain, which is there already. Never more than data: how a stage is made is the
//! builder's matter.

use super::template::Template;
use super::{LicenseFile, Patch, Source};

/// How a toolchain comes to be that no archive brings.
#[derive(Clone, Debug)]
pub struct Making {
    /// The toolchain that compiles it. The tools that libraries call are made with that one, too.
    pub with: String,
    /// Libraries that the compiler itself is linked with; their dependencies come along.
    pub libraries: Vec<String>,
    /// Tools whose programs the stages call, such as `make`.
    pub tools: Vec<String>,
    /// The stages, each after those that it needs.
    pub parts: Vec<Part>,
}

/// One stage, which is an entry of its own in the store.
#[derive(Clone, Debug)]
pub struct Part {
    /// What it is.
    pub stage: Stage,
    /// Its version.
    pub version: String,
    /// Where the texts of its licence stand.
    pub license_files: Vec<LicenseFile>,
    /// Where its bytes come from, in the order tried.
    pub sources: Vec<Source>,
    /// Patches in the order applied.
    pub patches: Vec<Patch>,
    /// Arguments of its configure script, beside those that the builder gives.
    pub options: Vec<Template>,
    /// Folders of the other toolchain's tree with headers of the kernel: for the C library.
    pub headers: Vec<Template>,
    /// What make is to make.
    pub make: Vec<String>,
    /// What make is to install.
    pub install: Vec<String>,
}

/// The stages of a GCC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// musl with its headers and the kernel's: for the target, and for the programs of the toolchain.
    Libc,
    /// Assembler, linker and their like.
    Binutils,
    /// The compiler, and what its programs are linked with.
    Compiler,
}

impl Stage {
    /// Every stage, in order. A later one may need those before it.
    pub const ALL: [Self; 3] = [Self::Libc, Self::Binutils, Self::Compiler];

    /// As in `[build.gcc.<name>]`, and in the name of its step.
    pub fn name(self) -> &'static str {
        match self {
            Self::Libc => "libc",
            Self::Binutils => "binutils",
            Self::Compiler => "compiler",
        }
    }
}
