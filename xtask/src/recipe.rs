//! Recipes as meant: typed and validated. `manifest` makes them from text; nothing else does.

mod compile;
mod making;
mod rust_std;
mod scripts;
pub mod diagnostic;
pub mod guess;
pub mod load;
pub mod manifest;
pub mod template;

use std::collections::BTreeMap;

pub use compile::{Compile, Content, Group, MadeFile, PkgConfig, is_cxx};
pub use making::{Making, Part, Stage};
pub use rust_std::{RUST_SRC, RustStd};
pub use scripts::{Cmake, Configure, HostBuild};

use crate::digest::Digest;
use crate::target::Target;
use template::Template;

/// Everything in the `recipes/` folder.
#[derive(Clone, Debug, Default)]
pub struct Recipes {
    /// `libraries/<name>.toml` by name.
    pub libraries: BTreeMap<String, Library>,
    /// `toolchains/<name>.toml` by name.
    pub toolchains: BTreeMap<String, Toolchain>,
    /// `tools/<name>.toml` by name.
    pub tools: BTreeMap<String, Tool>,
    /// Rows of `targets.toml` by triple.
    pub targets: BTreeMap<String, Target>,
    /// `std.toml`; only targets whose standard library is built from source need it.
    pub rust_std: Option<RustStd>,
}

impl Recipes {
    /// Whether a library is what some toolchain links C++ with.
    pub fn is_runtime_cxx(&self, name: &str) -> bool {
        self.toolchains.values().any(|toolchain| toolchain.runtime_cxx() == Some(name))
    }

    /// Whether a library is part of the C runtime of targets whose standard library is built from
    /// source.
    pub fn is_runtime_rust(&self, name: &str) -> bool {
        self.rust_std.iter().flat_map(|std| &std.runtime).any(|library| library == name)
    }
}

/// A C library: where its bytes come from, how it is built, what it must bring, whom it serves.
#[derive(Clone, Debug)]
pub struct Library {
    /// The file's name without `.toml`.
    pub name: String,
    /// One line, for `.pc` files and tables.
    pub description: String,
    /// Upstream's version.
    pub version: String,
    /// SPDX expression.
    pub license: String,
    /// Where its text stands.
    pub license_files: Vec<LicenseFile>,
    /// Vendor and product as the list of CPE names has them, by which its vulnerabilities are told:
    /// `openssl:openssl`.
    pub cpe: Option<String>,
    /// The `links` keys of the `-sys` crates that this library serves.
    pub links: Vec<String>,
    /// Crates that it serves although they have no `links` key to know them by.
    pub crates: Vec<String>,
    /// By crate, the beginnings of the versions that fit this library, where not all do: the others
    /// compile their own copy.
    pub versions: BTreeMap<String, Vec<String>>,
    /// Features, by crate, with which that crate compiles its own copy and needs nothing from us, and
    /// which `env`, `env_overruling` and `overrides` together overrule; `*` stands for whatever is on.
    pub bundled: BTreeMap<String, Vec<String>>,
    /// What it is written in.
    pub language: Language,
    /// The same, of features that nothing overrules.
    pub always_bundled: BTreeMap<String, Vec<String>>,
    /// Libraries that it links or includes.
    pub dependencies: Vec<String>,
    /// Tools whose programs the build calls, such as `make`.
    pub tools: Vec<String>,
    /// Where its bytes come from, in the order tried.
    pub sources: Vec<Source>,
    /// Patches in the order applied.
    pub patches: Vec<Patch>,
    /// How it is built.
    pub build: Build,
    /// What it must bring: an allow-list and an assertion.
    pub outputs: Outputs,
    /// Variables that its `-sys` crates read; keys and values are templates.
    pub env: Vec<(Template, Template)>,
    /// Variables that keep such a crate from compiling its own copy although a feature asks for it: set
    /// only where the sysroot's is preferred, since build scripts of the host see most of them too.
    pub env_overruling: Vec<(Template, Template)>,
    /// Cargo's `links` override for crates without a usable switch, by `links` key: keys of
    /// `[target.<triple>.<links>]` with a string or a list of strings.
    pub overrides: BTreeMap<String, BTreeMap<String, OverrideValue>>,
}

/// What code is written in, as far as it matters to whoever compiles or links it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// C and assembly: needs nothing but a libc.
    #[default]
    C,
    /// C++: needs a C++ runtime too.
    Cxx,
}

/// The value of one key of a `links` override.
#[derive(Clone, Debug)]
pub enum OverrideValue {
    /// `include = "…"`.
    One(Template),
    /// `rustc-link-lib = ["…"]`.
    Many(Vec<Template>),
}

/// Bytes, and one place to get them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Who serves them.
    pub origin: Origin,
    /// What they must hash to.
    pub digest: Digest,
    /// The folder inside the archive that is the source tree; `None` for an archive's only top folder.
    pub root: Option<String>,
    /// Files, links and folders of the source tree that are not unpacked.
    pub omit: Vec<String>,
    /// For toolchains: the only target that this archive serves; `None` for all.
    pub target: Option<String>,
    /// The archive inside the archive that is meant, where they are nested.
    pub inner: Option<String>,
}

/// A text that a licence asks to be passed on, in a file of the source tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseFile {
    /// Its path in the source tree. The archives of a release differ: of several, the first that is
    /// there counts, and its text must be the same.
    pub paths: Vec<String>,
    /// The first and the last line of the text, from 1; `None` for the whole file.
    pub lines: Option<(usize, usize)>,
    /// What the text must hash to.
    pub digest: Digest,
}

/// Who serves some bytes. No registry host is ever named: each client knows its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// https, upstream first, then mirrors.
    Url {
        /// Upstream's address.
        url: String,
        /// Other addresses of the same bytes.
        mirrors: Vec<String>,
    },
    /// The `.crate` file of a published crate, through cargo.
    Crate {
        /// Its name.
        name: String,
        /// Its exact version.
        version: String,
    },
    /// A wheel, through pip.
    Pypi {
        /// The project's name.
        name: String,
        /// Its exact version.
        version: String,
        /// The platform that the wheel is for, in pip's words, if it is not pip's own.
        platform: Option<String>,
    },
    /// A file below a Debian mirror's root, through the mirrors that apt is configured with.
    Debian {
        /// `pool/main/…`.
        path: String,
    },
    /// A component of a Rust of rustup's that has no programs, as a tar of the files that it installs.
    Rustup {
        /// Its name: `rust-src`.
        component: String,
        /// The release of Rust that it is of.
        version: String,
    },
}

/// A patch file beside the recipes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Its name below `recipes/patches/<library or tool>/`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// How a library is built: a closed set of typed variants, never a script.
#[derive(Clone, Debug)]
pub enum Build {
    /// Lists of C, C++ and assembly files: no configure, no make.
    Compile(Compile),
    /// A configure script, then make.
    Configure(Configure),
    /// CMake, then make.
    Cmake(Cmake),
}

impl Build {
    /// As in `[build.<name>]`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Compile(_) => "compile",
            Self::Configure(_) => "configure",
            Self::Cmake(_) => "cmake",
        }
    }
}

impl Library {
    /// Its configure script, if that is how it is built.
    pub fn configure(&self) -> Option<&Configure> {
        match &self.build {
            Build::Configure(recipe) => Some(recipe),
            Build::Compile(_) | Build::Cmake(_) => None,
        }
    }

    /// Whether its build finds out by linking what a system has, so that it needs compilers that link.
    pub fn asks_by_linking(&self) -> bool {
        match &self.build {
            Build::Configure(recipe) => recipe.is_autoconf(),
            Build::Cmake(_) => true,
            Build::Compile(_) => false,
        }
    }
}

/// What a library must bring: no more, no less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs {
    /// `lib<name>.a` for each.
    pub libs: Vec<String>,
    /// Other names of the first of them, each of which is a copy.
    pub aliases: Vec<String>,
    /// Objects in `lib/` with which programs begin and end: `crt1.o`.
    pub objects: Vec<String>,
    /// Headers or folders of headers below `include/`.
    pub include: Vec<String>,
    /// `lib/pkgconfig/<name>.pc` for each.
    pub pkgconfig: Vec<String>,
}

/// What the builds of libraries call, made by Muslin itself for the machine that builds, so that the
/// machine's own programs take no part.
#[derive(Clone, Debug)]
pub struct Tool {
    /// The file's name without `.toml`.
    pub name: String,
    /// One line.
    pub description: String,
    /// Upstream's version.
    pub version: String,
    /// SPDX expression.
    pub license: String,
    /// Where its text stands.
    pub license_files: Vec<LicenseFile>,
    /// Where its bytes come from, in the order tried.
    pub sources: Vec<Source>,
    /// Patches in the order applied.
    pub patches: Vec<Patch>,
    /// The C files; none of what comes prebuilt.
    pub compile: Compile,
    /// What becomes of the objects, or of what comes prebuilt.
    pub product: Product,
    /// By installed folder, the folders and files of the source tree that are put into it as they are.
    pub copy: BTreeMap<String, Vec<String>>,
    /// Files and folders that it must bring beside the product.
    pub files: Vec<String>,
    /// By toolchain, the SHA-256 of the listing of all that it must be when that has made it.
    pub digests: BTreeMap<String, Digest>,
}

/// What a tool's objects become, or what it is if there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Product {
    /// A static program.
    Program {
        /// Where it is installed: `bin/make`.
        path: String,
        /// Other names for it, beside it.
        aliases: Vec<String>,
    },
    /// What programs are linked with where a toolchain has only the headers of a libc.
    Runtime {
        /// `lib/lib<name>.a`.
        lib: String,
        /// More C and assembly files, each of them a `lib/<stem>.o` that every program begins with.
        objects: Vec<String>,
    },
    /// A C library that loads programs which are not static: what comes prebuilt runs nowhere else.
    Loader {
        /// Where it is installed: `lib/ld-musl-x86_64.so.1`.
        path: String,
    },
    /// Taken from the archive as it is.
    Prebuilt(Option<Prebuilt>),
}

/// A program that is not compiled. A static one stands in `bin/`. One that has to be loaded stands in
/// `libexec/` beside its loader and the shared libraries that the recipe copies there, and a script in
/// `bin/` starts it: so neither needs anything of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prebuilt {
    /// The program in the archive; it keeps its name.
    pub program: String,
    /// The tool that loads it; none for a static program.
    pub loader: Option<String>,
}

impl Prebuilt {
    /// The name by which it is called.
    pub fn name(&self) -> &str {
        self.program.rsplit('/').next().unwrap_or(&self.program)
    }
}

impl Product {
    /// Whether there is a program in `bin/`.
    pub fn is_program(&self) -> bool {
        matches!(self, Self::Program { .. } | Self::Prebuilt(Some(_)))
    }
}

/// Names by which a build knows what every configure script needs: a shell with its programs, and make.
pub const CONFIGURE_TOOLS: [&str; 2] = ["busybox", "make"];

/// The same for CMake.
pub const CMAKE_TOOLS: [&str; 3] = ["busybox", "cmake", "make"];

/// A compiler and libc bundle.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The file's name without `.toml`.
    pub name: String,
    /// One line.
    pub description: String,
    /// Its version.
    pub version: String,
    /// SPDX expression of its main parts.
    pub license: String,
    /// Where their texts stand.
    pub license_files: Vec<LicenseFile>,
    /// Where its bytes come from, in the order tried.
    pub sources: Vec<Source>,
    /// How it is called.
    pub driver: Driver,
    /// How it is made, if no archive has it as it is; `sources` are then those of the compiler.
    pub making: Option<Making>,
}

/// How a toolchain's programs are called.
#[derive(Clone, Debug)]
pub enum Driver {
    /// A GCC cross toolchain: `<prefix>gcc`, `<prefix>g++`, `<prefix>ar`…
    Gcc {
        /// Path of a tool without its last part, such as `bin/{gnu}-`; `{target}` and `{gnu}` are filled in.
        prefix: Template,
    },
    /// The clang and LLVM tools inside zig's one executable.
    Zig {
        /// The executable, relative to the tree.
        program: String,
        /// Folders of system headers in order; `{zig-libc}` and `{zig-kernel}` are filled in.
        include: Vec<Template>,
        /// Folders of C++ headers, which come before those.
        include_cxx: Vec<Template>,
        /// Flags for C++ only: how the C++ library was configured.
        flags_cxx: Vec<String>,
        /// The tool that programs are linked with: the tree has no libc, only its headers.
        runtime: Option<String>,
        /// What programs that builds make for themselves are linked with beside it.
        runtime_more: Option<String>,
        /// The library that C++ is linked with: the tree has none, only its sources.
        runtime_cxx: Option<String>,
    },
}

impl Toolchain {
    /// The library that C++ is linked with, if it is to be built and not part of the tree.
    pub fn runtime_cxx(&self) -> Option<&str> {
        match &self.driver {
            Driver::Gcc { .. } => None,
            Driver::Zig { runtime_cxx, .. } => runtime_cxx.as_deref(),
        }
    }
}
