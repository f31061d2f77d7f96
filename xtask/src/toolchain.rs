//! The programs that call a toolchain for one target: `<triple>-cc`, `-c++`, `-ar`, `-ranlib`…
//!
//! Whatever the toolchain, they have the same names and take the same arguments, so nothing behind
//! this module knows which one it is. They are small shell scripts that find the toolchain by a path
//! relative to themselves, so a store can be moved; they start no other process before the compiler.
//! Never fetches, unpacks, or decides which toolchain is used.

mod call;
pub mod cmake;
pub mod headers;
pub mod host;
pub mod linking;
pub mod musl;
pub mod self_test;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::plan::GCC_C_STANDARD;
use crate::process::{self, shell_word};
use crate::recipe::template::{Placeholder, Template};
use crate::recipe::{Driver, Language, Toolchain};
use crate::target::Target;
pub use call::Call;

/// The variable by which a step tells the compiler where it builds, so that the path is mapped to
/// `/build` in what comes out. A variable and not a flag, because OpenSSL writes its flags into its
/// library.
pub const BUILD_FOLDER_VARIABLE: &str = "MUSLIN_BUILD_FOLDER";

/// The folder of a driver's outputs with the headers that are for libclang alone.
pub const BINDGEN_FOLDER: &str = "bindgen";

/// Names of the driver's programs for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolNames {
    /// The C compiler.
    pub cc: String,
    /// The C++ compiler.
    pub cxx: String,
    /// The archiver.
    pub ar: String,
    /// The archive indexer.
    pub ranlib: String,
    /// The stripper: only beside a linking driver.
    pub strip: String,
    /// The linker.
    pub ld: String,
    /// What runs a program in the emulator: only beside a linking driver.
    pub run: String,
}

impl ToolNames {
    /// The names for a target.
    pub fn new(target: &Target) -> Self {
        let name = |tool: &str| format!("{}-{tool}", target.triple);
        Self {
            cc: name("cc"),
            cxx: name("c++"),
            ar: name("ar"),
            ranlib: name("ranlib"),
            strip: name("strip"),
            ld: name("ld"),
            run: name("run"),
        }
    }
}

/// Writes the driver's programs into `bin`, which must exist. `tree` is the toolchain's tree as seen
/// from `bin`, such as `../../../zig-0.17.1-0123456789abcdef/outputs`.
pub fn write_driver(toolchain: &Toolchain, target: &Target, tree: &str, bin: &Path) -> Result<()> {
    let names = ToolNames::new(target);
    let compile = [(&names.cc, Language::C), (&names.cxx, Language::Cxx)];
    for (name, language) in compile {
        let call = compiler(toolchain, target, language).for_shell();
        let text = script(
            tree,
            &format!(
                "exec {call} \
                 ${{{BUILD_FOLDER_VARIABLE}:+\"-ffile-prefix-map=${BUILD_FOLDER_VARIABLE}=/build\"}} \"$@\""
            ),
        );
        write_program(&bin.join(name), &text)?;
    }
    for (name, tool) in [(&names.ar, "ar"), (&names.ranlib, "ranlib"), (&names.ld, "ld")] {
        let call = binutil(toolchain, target, tool).for_shell();
        write_program(&bin.join(name), &script(tree, &format!("exec {call} \"$@\"")))?;
    }
    Ok(())
}

/// The call of a compiler for a target. Paths of the toolchain become `/toolchain` in what it makes;
/// those of the build are the caller's to map.
pub fn compiler(toolchain: &Toolchain, target: &Target, language: Language) -> Call {
    let fill = |template: &Template| template.render(|placeholder| fill(placeholder, target));
    let call = match &toolchain.driver {
        Driver::Gcc { prefix } => {
            let program = |tool: &str| Call::new(format!("{}{tool}", fill(prefix)));
            match language {
                Language::C => program("gcc").arg(format!("-std={GCC_C_STANDARD}")),
                Language::Cxx => program("g++"),
            }
        }
        Driver::Zig { program, include, include_cxx, flags_cxx, .. } => {
            // clang itself, without zig's caching front: as fast as the host's own compiler. Without
            // the front nobody tells it where headers are, so all of them are named, and the host's
            // are out of reach.
            let mut call = Call::new(program.as_str())
                .arg("clang")
                .arg(format!("--target={}", target.llvm))
                .args(&["--no-default-config", "-nostdinc", "-Qunused-arguments"]);
            if language == Language::Cxx {
                call = call.args(&["--driver-mode=g++", "-nostdinc++"]).args(flags_cxx);
            }
            let cxx = include_cxx.iter().filter(|_| language == Language::Cxx);
            cxx.chain(include).fold(call, |call, folder| {
                call.arg("-isystem").tree("", format!("/{}", fill(folder)))
            })
        }
    };
    call.args(&target.cflags).tree("-ffile-prefix-map=", "=/toolchain")
}

/// The call of `ar`, `ranlib` or `ld`.
pub fn binutil(toolchain: &Toolchain, target: &Target, tool: &str) -> Call {
    match &toolchain.driver {
        Driver::Gcc { prefix } => {
            let prefix = prefix.render(|placeholder| fill(placeholder, target));
            Call::new(format!("{prefix}{tool}"))
        }
        Driver::Zig { program, .. } => {
            Call::new(program.as_str()).arg(if tool == "ld" { "ld.lld" } else { tool })
        }
    }
}

/// The call that links objects and archives into a static program; `-o` and they are to follow. With
/// a toolchain that names a runtime its objects and archives are among those, else the compiler
/// brings a libc.
pub fn linker(toolchain: &Toolchain, target: &Target) -> Call {
    match &toolchain.driver {
        Driver::Gcc { .. } => compiler(toolchain, target, Language::C).args(&[
            "-static",
            "-Wl,--gc-sections",
            "-Wl,--build-id=none",
        ]),
        Driver::Zig { .. } => {
            let flags = ["-static", "--gc-sections", "--build-id=none", "-z", "noexecstack"];
            binutil(toolchain, target, "ld").args(&flags)
        }
    }
}

/// The call that links objects into a C library which loads programs; `-o` and they are to follow.
pub fn loader_linker(toolchain: &Toolchain, target: &Target) -> Call {
    let flags = ["-shared", "--gc-sections", "--build-id=none", "-Bsymbolic-functions"];
    // Where the kernel enters musl's.
    let start = ["-e", "_dlstart", "-z", "noexecstack"];
    match &toolchain.driver {
        Driver::Gcc { .. } => compiler(toolchain, target, Language::C).args(&[
            "-shared",
            "-nostdlib",
            "-Wl,--gc-sections,--build-id=none,-Bsymbolic-functions,-e,_dlstart",
        ]),
        Driver::Zig { .. } => binutil(toolchain, target, "ld").args(&flags).args(&start),
    }
}

fn fill(placeholder: Placeholder, target: &Target) -> String {
    match placeholder {
        Placeholder::Gnu => target.gnu.clone(),
        Placeholder::ZigLibc => target.zig_libc.clone(),
        Placeholder::ZigKernel => target.zig_kernel.clone(),
        _ => target.triple.clone(),
    }
}

/// A script that knows `$here`, its own folder, and `$tree`.
fn script(tree: &str, body: &str) -> String {
    format!("#!/bin/sh\nhere=${{0%/*}}\ntree=\"$here\"/{}\n{body}\n", shell_word(tree))
}

/// Writes headers that libclang reads before the toolchain's, into a folder of a driver's outputs.
fn write_bindgen_headers(outputs: &Path) -> Result<()> {
    let folder = outputs.join(BINDGEN_FOLDER);
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("immintrin.h"), include_str!("toolchain/immintrin.h")))
        .with_context(|| format!("cannot write into {}", folder.display()))
}

/// Writes a script that can be run.
pub fn write_program(path: &Path, text: &str) -> Result<()> {
    process::writing(|| fs::write(path, text))
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
        .with_context(|| format!("cannot write {}", path.display()))
}
