//! CMake's toolchain file for a linking driver and a sysroot: a small entry of its own, since each
//! sysroot has another. Paths in it are relative to itself, so a store can be moved.

use std::fmt::Write as _;
use std::fs;

use anyhow::Result;

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

fn text(target: &Target, linking: &LinkingDriver, sysroot: &str) -> String {
    let processor = target.triple.split('-').next().unwrap_or_default();
    let names = &linking.names;
    let mut text = format!(
        "# Made by Muslin: CMake for {}\n\
         get_filename_component(MUSLIN_ENTRIES \"${{CMAKE_CURRENT_LIST_DIR}}/../..\" ABSOLUTE)\n\
         set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR {processor})\n",
        target.triple
    );
    for (variable, name) in [
        ("C_COMPILER", &names.cc),
        ("CXX_COMPILER", &names.cxx),
        ("ASM_COMPILER", &names.cc),
        ("AR", &names.ar),
        ("RANLIB", &names.ranlib),
        ("STRIP", &names.strip),
    ] {
        let _ = writeln!(
            text,
            "set(CMAKE_{variable} \"${{MUSLIN_ENTRIES}}/{}/outputs/bin/{name}\")",
            linking.id
        );
    }
    // Without a root the host's headers and libraries would be found.
    let _ = writeln!(
        text,
        "set(CMAKE_FIND_ROOT_PATH \"${{MUSLIN_ENTRIES}}/{sysroot}/outputs\")\n\
         set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)"
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
