//! The compilers for this machine that make a toolchain's programs: they link musl, the other
//! toolchain's compiler runtime and its C++ library.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::super::compilers::{HOST_CC, Parts, driver, write};
use super::super::room::Room;
use crate::layout::{copy_tree, remove_tree};
use crate::plan::{Plan, Step, Work};
use crate::process::{self, shell_word};
use crate::recipe::{Driver, Stage};
use crate::session::Session;
use crate::target::HOST;
use crate::toolchain::ToolNames;

const HOST_CXX: &str = "muslin-host-c++";
const HOST_AR: &str = "muslin-host-ar";
const HOST_RANLIB: &str = "muslin-host-ranlib";
const HOST_LD: &str = "muslin-host-ld";

/// What scripts are told of them.
pub const VARIABLES: [(&str, &str); 5] =
    [("CC", HOST_CC), ("CXX", HOST_CXX), ("AR", HOST_AR), ("RANLIB", HOST_RANLIB), ("LD", HOST_LD)];

/// The unwinder's interface, as far as a C++ library asks for it. GCC throws nothing, so nothing is to
/// be unwound: whoever tries ends the program.
const UNWINDER: [&str; 13] = [
    "_Unwind_Backtrace",
    "_Unwind_DeleteException",
    "_Unwind_GetCFA",
    "_Unwind_GetGR",
    "_Unwind_GetIP",
    "_Unwind_GetIPInfo",
    "_Unwind_GetLanguageSpecificData",
    "_Unwind_GetRegionStart",
    "_Unwind_RaiseException",
    "_Unwind_Resume",
    "_Unwind_Resume_or_Rethrow",
    "_Unwind_SetGR",
    "_Unwind_SetIP",
];

/// Fills a stage's folder of programs. What they link has no symbols: nobody debugs it.
pub fn prepare(session: &Session, plan: &Plan, step: &Step, room: &Room<'_>) -> Result<()> {
    let bin = driver(session, plan, step, HOST)?;
    let names = ToolNames::new(&of_host(plan, step)?.target);
    let seen = |name: &str| shell_word(&room.seen(&bin.join(name)).to_string_lossy());
    let programs = &room.folders.programs;
    let link = format!(
        "--ld-path={} \"--sysroot=$here/host\" -static -s -isystem \"$here/../dependencies/include\" \
         \"-L$here/../dependencies/lib\"",
        seen(&names.ld)
    );
    for (name, tool) in [(HOST_CC, &names.cc), (HOST_CXX, &names.cxx)] {
        write(&programs.join(name), &format!("exec {} {link} \"$@\"", seen(tool)))?;
    }
    for (name, tool) in [(HOST_AR, &names.ar), (HOST_RANLIB, &names.ranlib), (HOST_LD, &names.ld)] {
        write(&programs.join(name), &format!("exec {} \"$@\"", seen(tool)))?;
    }
    let name = str::to_owned;
    let own = ToolNames {
        cc: name(HOST_CC),
        cxx: name(HOST_CXX),
        ar: name(HOST_AR),
        ranlib: name(HOST_RANLIB),
        ld: name(HOST_LD),
        strip: name("true"),
        run: name("env"),
    };
    let parts = Parts { room, names: &own, place: "host" };
    parts.empty()?;
    let libc = plan.dependencies(step).find(|it| is_libc(it)).context("a stage without a libc")?;
    copy_tree(&session.entry(libc).outputs().join("usr/lib"), &parts.lib())?;
    runtime(&parts, &zig(session, plan, step)?)
}

fn is_libc(step: &Step) -> bool {
    let Work::Part(_, part) = &step.work else { return false };
    part.stage == Stage::Libc && step.target.triple == HOST
}

fn of_host<'p>(plan: &'p Plan, step: &'p Step) -> Result<&'p Step> {
    let is_it = |it: &&Step| matches!(it.work, Work::Driver(_)) && it.target.triple == HOST;
    plan.dependencies(step).find(is_it).context("a stage without a driver for this machine")
}

/// zig's program.
fn zig(session: &Session, plan: &Plan, step: &Step) -> Result<PathBuf> {
    let found = plan.dependencies(step).find_map(|it| match &it.work {
        Work::Toolchain(toolchain) => match &toolchain.driver {
            Driver::Zig { program, .. } => Some(session.entry(it).outputs().join(program)),
            Driver::Gcc { .. } => None,
        },
        _ => None,
    });
    found.context("only zig can make a toolchain")
}

/// What a compiler takes for granted (division of 128 bits and the like): zig compiles its own in
/// seconds. And the unwinder.
fn runtime(parts: &Parts<'_>, zig: &Path) -> Result<()> {
    let room = parts.room;
    let objects = &room.folders.objects;
    let source = zig.with_file_name("lib").join("compiler_rt.zig");
    let mut command = room.command(room.seen(zig));
    command.current_dir(room.seen(objects));
    for name in ["ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"] {
        command.env(name, room.seen(&objects.join("zig-cache")));
    }
    command.args(["build-obj", "-target", "x86_64-linux-musl", "-OReleaseSmall", "-fPIC"]);
    command.args(["-fstrip", "-fno-compiler-rt", "--name", "compiler_rt"]);
    command.arg(room.seen(&source));
    process::capture_ok(&mut room.enter(&command)?)
        .context("cannot make the compiler's runtime for this machine")?;
    let functions = UNWINDER.map(|name| format!("void {name}(void) {{ __builtin_trap(); }}\n"));
    parts.compile("unwinder.c", &functions.concat(), "unwinder.o")?;
    for (archive, object) in [("libgcc.a", "compiler_rt.o"), ("libgcc_eh.a", "unwinder.o")] {
        parts.run(HOST_AR, &["rcs", archive, object])?;
        parts.take(archive, &[archive])?;
        fs::remove_file(objects.join(object))?;
    }
    fs::remove_file(objects.join("unwinder.c"))?;
    remove_tree(&objects.join("zig-cache")).context("cannot remove zig's cache")
}
