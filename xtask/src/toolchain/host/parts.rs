//! What is linked into a program for this machine, or stands for what it will load: crt objects, empty
//! shared libraries with glibc's symbols and the unwinder's, and Rust's compiler runtime.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::super::linking::compiler_runtime;
use super::{HOST, ZIG_TARGET};
use crate::layout::{files_below, remove_tree};
use crate::process;
use crate::rust::Rust;

/// The shared libraries that zig makes: their names in its cache, by which programs ask for them
/// at run time, and the name of the loader, which is one of them.
const SHARED: [&str; 7] = [
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libutil.so.1",
];
const LOADER: (&str, &str) = ("libld.so.2", "ld-linux-x86-64.so.2");

/// glibc's own `libc.so` is such a text, too: parts of the C library are linked into each program.
const LIBC: &str = "INPUT(libc.so.6 libc_nonshared.a AS_NEEDED(ld-linux-x86-64.so.2))\n";
/// Likewise GCC's.
const LIBGCC_S: &str = "INPUT(libgcc_s.so.1 -lgcc)\n";

/// What a crt must do for shared libraries: name them for `atexit`, and end what they began.
const CRT_BEGIN_SHARED: &str = "\
__attribute__((visibility(\"hidden\"))) void *__dso_handle = &__dso_handle;
void __cxa_finalize(void *) __attribute__((weak));
__attribute__((destructor)) static void finalize(void) {
    if (__cxa_finalize) __cxa_finalize(__dso_handle);
}
";
const CRT_BEGIN: &str = "__attribute__((visibility(\"hidden\"))) void *__dso_handle = 0;\n";
const CRT_EMPTY: &str = "";

/// The unwinder's interface with the versions that GCC gave it, oldest first. The unwinder itself is
/// that of the machine, which rustc loads, too.
const UNWINDER: [(&str, &[&str]); 4] = [
    (
        "GCC_3.0",
        &[
            "_Unwind_DeleteException",
            "_Unwind_Find_FDE",
            "_Unwind_ForcedUnwind",
            "_Unwind_GetDataRelBase",
            "_Unwind_GetGR",
            "_Unwind_GetIP",
            "_Unwind_GetLanguageSpecificData",
            "_Unwind_GetRegionStart",
            "_Unwind_GetTextRelBase",
            "_Unwind_RaiseException",
            "_Unwind_Resume",
            "_Unwind_SetGR",
            "_Unwind_SetIP",
            "__deregister_frame",
            "__deregister_frame_info",
            "__register_frame",
            "__register_frame_info",
        ],
    ),
    (
        "GCC_3.3",
        &[
            "_Unwind_Backtrace",
            "_Unwind_FindEnclosingFunction",
            "_Unwind_GetCFA",
            "_Unwind_Resume_or_Rethrow",
        ],
    ),
    ("GCC_3.3.1", &["__gcc_personality_v0"]),
    ("GCC_4.2.0", &["_Unwind_GetIPInfo"]),
];

/// Fills `outputs/lib` of a folder, which becomes the driver's entry.
pub fn write(tree: &Path, program: &str, rust: &Rust, folder: &Path) -> Result<()> {
    let lib = folder.join("outputs/lib");
    // Empty, for pkg-config.
    fs::create_dir_all(lib.join("pkgconfig"))?;
    let work = Work { zig: tree.join(program), folder: folder.join("work"), lib };
    fs::create_dir_all(&work.folder)?;
    work.libc()?;
    work.crt()?;
    work.unwinder()?;
    let clang = ["clang", &format!("--target={HOST}"), "--no-default-config"];
    compiler_runtime(rust, HOST, (&work.zig, &clang), (&work.zig, &["ar"]), &work.lib)?;
    remove_tree(&work.folder)?;
    Ok(())
}

/// Where the parts are made.
struct Work {
    zig: PathBuf,
    /// For what does not stay.
    folder: PathBuf,
    /// The folder to fill.
    lib: PathBuf,
}

impl Work {
    /// Runs zig with an empty environment: variables can change what clang does.
    fn zig(&self, arguments: &[&str]) -> Result<()> {
        let mut command = process::command(&self.zig);
        command.env_clear().current_dir(&self.folder).args(arguments);
        for (name, folder) in [("ZIG_GLOBAL_CACHE_DIR", "cache"), ("ZIG_LOCAL_CACHE_DIR", "local")]
        {
            command.env(name, self.folder.join(folder));
        }
        process::capture_ok(&mut command).context("cannot prepare the linker of build scripts")?;
        Ok(())
    }

    /// Lets zig link a program, and takes from its cache what it made for that. Its own compiler
    /// runtime, which takes twenty seconds to build, is not needed.
    fn libc(&self) -> Result<()> {
        fs::write(self.folder.join("main.c"), "int main(void) { return 0; }\n")?;
        self.zig(&[
            "build-exe",
            "-target",
            ZIG_TARGET,
            "-OReleaseSmall",
            "-fPIE",
            "-lc",
            "-fno-compiler-rt",
            "-fno-ubsan-rt",
            "-femit-bin=main",
            "main.c",
        ])?;
        let made = files_below(&self.folder.join("cache"))?;
        let take = |from: &str, to: &str| -> Result<()> {
            let file = made.iter().find(|file| file.file_name().is_some_and(|name| name == from));
            let file = file.with_context(|| format!("zig made no {from}"))?;
            fs::copy(self.folder.join("cache").join(file), self.lib.join(to))?;
            Ok(())
        };
        take("Scrt1.o", "Scrt1.o")?;
        take("libc_nonshared.a", "libc_nonshared.a")?;
        take(LOADER.0, LOADER.1)?;
        for name in SHARED {
            take(name, name)?;
            let short = name.split_once(".so.").map_or(name, |(short, _)| short);
            if short != "libc" {
                symlink(name, self.lib.join(format!("{short}.so")))?;
            }
        }
        fs::write(self.lib.join("libc.so"), LIBC)?;
        Ok(())
    }

    /// The crt objects that a GCC-like driver names. That of zig has all that matters.
    fn crt(&self) -> Result<()> {
        symlink("Scrt1.o", self.lib.join("crt1.o"))?;
        for (name, text) in [
            ("crti.o", CRT_EMPTY),
            ("crtn.o", CRT_EMPTY),
            ("crtbegin.o", CRT_BEGIN),
            ("crtbeginS.o", CRT_BEGIN_SHARED),
            ("crtend.o", CRT_EMPTY),
            ("crtendS.o", CRT_EMPTY),
        ] {
            fs::write(self.folder.join("crt.c"), text)?;
            self.compile("crt.c", &self.lib.join(name))?;
        }
        Ok(())
    }

    fn compile(&self, source: &str, object: &Path) -> Result<()> {
        let target = format!("--target={HOST}");
        let object = object.to_string_lossy();
        self.zig(&[
            "clang",
            &target,
            "--no-default-config",
            "-O2",
            "-fPIC",
            "-c",
            source,
            "-o",
            &object,
        ])
    }

    /// A shared library that only has names: it stands for the machine's.
    fn unwinder(&self) -> Result<()> {
        let (mut code, mut map, mut older) = (String::from(".text\n"), String::new(), "");
        for (version, names) in UNWINDER {
            let _ = writeln!(map, "{version} {{ global: {}; }} {older};", names.join("; "));
            older = version;
            for name in names {
                let _ = writeln!(code, ".globl {name}\n.type {name}, @function\n{name}: ret");
            }
        }
        code.push_str(".section .note.GNU-stack,\"\",@progbits\n");
        fs::write(self.folder.join("unwinder.s"), code)?;
        fs::write(self.folder.join("unwinder.map"), map)?;
        let object = self.folder.join("unwinder.o");
        self.compile("unwinder.s", &object)?;
        let shared = self.lib.join("libgcc_s.so.1").to_string_lossy().into_owned();
        let [name, map] = ["--soname=libgcc_s.so.1", "--version-script=unwinder.map"];
        self.zig(&["ld.lld", "-shared", name, map, "unwinder.o", "-o", &shared])?;
        fs::write(self.lib.join("libgcc_s.so"), LIBGCC_S)?;
        Ok(())
    }
}
