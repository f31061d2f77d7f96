//! CMake's toolchain file for a linking driver and a sysroot: a small entry of its own, since each
//! sysroot has another. Paths in it are relative to itself, so a store can be moved.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::ToolNames;
use super::linking::LinkingDriver;
use crate::layout::{Entry, Store};
use crate::target::Target;

/// The file's name in the entry's outputs.
pub const FILE: &str = "toolchain.cmake";

/// Finds or makes the entry with the toolchain file.
pub fn toolchain_file(
    store: &Store,
    linking: &LinkingDriver,
    sysroot: &Entry,
    target: &Target,
) -> Result<Entry> {
    let text = text(target, linking, sysroot.id());
    store.find_or_make("cmake", &target.triple, &text, |folder| {
        Ok(fs::write(folder.join("outputs").join(FILE), &text)?)
    })
}

/// The text of the file for a library's step: its programs are on `PATH`, and all that it may find is
/// in one folder.
pub fn step_file(target: &Target, dependencies: &Path) -> String {
    let names = ToolNames::new(target);
    let mut text = head(target);
    for (variable, name) in programs(&names).into_iter().filter(|(name, _)| *name != "STRIP") {
        let _ = writeln!(text, "set(CMAKE_{variable} {name})");
    }
    text + &root(&dependencies.to_string_lossy())
}

fn head(target: &Target) -> String {
    let processor = target.triple.split('-').next().unwrap_or_default();
    format!(
        "# Made by Muslin: CMake for {}\n\
         set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR {processor})\n",
        target.triple
    )
}

fn programs(names: &ToolNames) -> [(&'static str, &String); 6] {
    [
        ("C_COMPILER", &names.cc),
        ("CXX_COMPILER", &names.cxx),
        ("ASM_COMPILER", &names.cc),
        ("AR", &names.ar),
        ("RANLIB", &names.ranlib),
        ("STRIP", &names.strip),
    ]
}

fn text(target: &Target, linking: &LinkingDriver, sysroot: &str) -> String {
    let mut text = head(target);
    text.push_str(
        "get_filename_component(MUSLIN_ENTRIES \"${CMAKE_CURRENT_LIST_DIR}/../..\" ABSOLUTE)\n",
    );
    for (variable, name) in programs(&linking.names) {
        let _ = writeln!(
            text,
            "set(CMAKE_{variable} \"${{MUSLIN_ENTRIES}}/{}/outputs/bin/{name}\")",
            linking.id
        );
    }
    text + &root(&format!("${{MUSLIN_ENTRIES}}/{sysroot}/outputs"))
}

/// Without a root the host's headers and libraries would be found.
fn root(folder: &str) -> String {
    let mut text = format!(
        "set(CMAKE_FIND_ROOT_PATH \"{folder}\")\nset(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)\n"
    );
    for kind in ["LIBRARY", "INCLUDE", "PACKAGE"] {
        let _ = writeln!(text, "set(CMAKE_FIND_ROOT_PATH_MODE_{kind} ONLY)");
    }
    text.push_str(
        "set(ENV{PKG_CONFIG_LIBDIR} \"${CMAKE_FIND_ROOT_PATH}/lib/pkgconfig\")\n\
         unset(ENV{PKG_CONFIG_PATH})\n",
    );
    text
}
