//! What a Rust needs of the machine that it runs on: the loader and the shared libraries of its own
//! programs, and those that build scripts and proc-macros may be linked with.
//!
//! The loader itself is asked, since only it knows where it looks: each distribution has its own
//! folders, caches and variants for newer CPUs. Beside these files it needs `/proc`, by which it finds
//! the libraries that lie next to a program.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use object::elf::FileHeader64;
use object::read::ReadCache;
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{Endianness, FileKind};

use super::{Memory, Rust};
use crate::exit::{Exit, Failure};
use crate::layout::files_below;
use crate::process::{self, side_by_side};

/// The parts of the C library that a program may name or load beside the one that Rust's own programs
/// do; newer C libraries have most of them in one.
const C_LIBRARY: [&str; 8] = [
    "libdl.so.2",
    "libm.so.6",
    "libnss_dns.so.2",
    "libnss_files.so.2",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libutil.so.1",
];

/// Where the loaders of glibc and of musl are told of folders that they would not look in.
const LOADER_FILES: [&str; 2] = ["/etc/ld.so.cache", "/etc/ld-musl-x86_64.path"];

/// Everything outside of Rust's own folders that its cargo, rustc and linker load, and what they make
/// for this machine. Sorted; see [`needed_files`].
pub fn runtime_files(rust: &Rust) -> Result<Vec<PathBuf>> {
    ask_loaders(rust, &programs(rust))
}

/// The same, from memory if nothing of it has changed.
pub fn remembered_files(rust: &Rust, memory: &Memory) -> Result<Vec<PathBuf>> {
    let programs = programs(rust);
    let loaders = LOADER_FILES.map(PathBuf::from);
    let about = [&programs[..], &[rust.sysroot().join("lib")], &loaders].concat();
    let is_as_it_was = |files: &Vec<PathBuf>| {
        files.iter().all(|file| file.canonicalize().is_ok_and(|real| files.contains(&real)))
    };
    memory.recall("loads", &about, is_as_it_was, || ask_loaders(rust, &programs))
}

/// Rust's own programs that are asked.
fn programs(rust: &Rust) -> Vec<PathBuf> {
    let bin = rust.sysroot().join("bin");
    let tools = rust.target_folder(&rust.host).join("bin");
    let required = ["cargo", "rustc"].map(|name| bin.join(name));
    let others = ["rust-lld", "rust-objcopy", "gcc-ld/ld.lld"].map(|name| tools.join(name));
    required
        .into_iter()
        .chain([bin.join("rustdoc")].into_iter().chain(others).filter(|file| file.exists()))
        .collect()
}

fn ask_loaders(rust: &Rust, programs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found: BTreeSet<PathBuf> =
        needed_files(programs, Some(&rust.sysroot().join("lib")))?.into_iter().collect();
    let folders: BTreeSet<_> = found
        .iter()
        .filter(|file| file.file_name().is_some_and(|name| name == "libc.so.6"))
        .filter_map(|file| file.parent().map(Path::to_owned))
        .collect();
    for file in folders.iter().flat_map(|folder| C_LIBRARY.map(|name| folder.join(name))) {
        add(&mut found, file);
    }
    for file in LOADER_FILES {
        add(&mut found, PathBuf::from(file));
    }
    Ok(found.into_iter().collect())
}

/// The loaders and shared libraries of programs: each by the name under which it is looked for and, if
/// that is a link or below one, also by its real path. The programs themselves are not among them; one
/// that is static needs nothing. `own` is a folder of libraries that whoever starts them names. Sorted.
pub fn needed_files(programs: &[PathBuf], own: Option<&Path>) -> Result<Vec<PathBuf>> {
    let lists = side_by_side(programs, |program| needed(program, own));
    let lists = lists.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(lists.into_iter().flatten().collect::<BTreeSet<_>>().into_iter().collect())
}

fn needed(program: &Path, own: Option<&Path>) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let Some(loader) = loader(program)? else { return Ok(found) };
    // All that it says goes by its own folders: no variable of the user's may add to them.
    let mut command = process::command(&loader);
    command.env_clear();
    if let Some(own) = own {
        // rustc starts its `rust-objcopy` so.
        command.arg("--library-path").arg(own);
    }
    command.arg("--list").arg(program);
    let said = process::capture_ok(&mut command).map_err(|error| {
        let message = format!("cannot tell what {} needs: {error:#}", program.display());
        Failure::new(Exit::Failed, message).help("see that it runs; if not, install Rust again")
    })?;
    add(&mut found, loader);
    for library in said.lines().filter_map(library) {
        let library = library.with_context(|| format!("{} cannot run", program.display()))?;
        add(&mut found, library);
    }
    Ok(found)
}

/// The loaders and shared libraries of all programs below a folder; none if they are all static.
pub fn needed_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_program = |file: &PathBuf| {
        let mut magic = [0; 4];
        let is_executable =
            file.metadata().is_ok_and(|data| data.permissions().mode() & 0o111 != 0);
        let mut read = || File::open(file)?.read_exact(&mut magic);
        is_executable && !file.is_symlink() && read().is_ok() && magic == *b"\x7fELF"
    };
    let files = files_below(folder)?.into_iter().map(|file| folder.join(file));
    // A library may be executable too; it has no loader, or names its own.
    let programs: Vec<_> =
        files.filter(|file| file.extension().is_none()).filter(is_program).collect();
    needed_files(&programs, None)
}

/// Adds a file by its name and by its real path, if there is such a file.
fn add(found: &mut BTreeSet<PathBuf>, file: PathBuf) {
    if let Ok(real) = file.canonicalize() {
        found.insert(real);
        found.insert(file);
    }
}

/// A library's path, from a line such as `libz.so.1 => /lib/libz.so.1 (0x00007f45)`; an error for one
/// that is missing; nothing for the kernel's own, which has no path.
fn library(line: &str) -> Option<Result<PathBuf>> {
    let line = line.trim();
    let (name, place) = line.split_once(" => ").unwrap_or((line, line));
    if place.contains("not found") || line.starts_with("Error ") {
        return Some(Err(anyhow::anyhow!("its loader says: {line}")));
    }
    // The address stands last; a path may have blanks.
    let path = place.rsplit_once(" (0x").map_or(place, |(path, _)| path);
    match path.starts_with('/') {
        true => Some(Ok(PathBuf::from(path))),
        false if name.starts_with('/') => Some(Ok(PathBuf::from(name))),
        false => None,
    }
}

/// The program that the kernel starts to load another one; `None` for one that is static.
fn loader(program: &Path) -> Result<Option<PathBuf>> {
    let read = || -> Result<Option<PathBuf>> {
        let cache = ReadCache::new(File::open(program)?);
        if FileKind::parse(&cache)? != FileKind::Elf64 {
            anyhow::bail!("it is no ELF file of 64 bits");
        }
        let header = FileHeader64::<Endianness>::parse(&cache)?;
        let endian = header.endian()?;
        for segment in header.program_headers(endian, &cache)? {
            if let Some(name) = segment.interpreter(endian, &cache)? {
                return Ok(Some(PathBuf::from(String::from_utf8(name.to_vec())?)));
            }
        }
        Ok(None)
    };
    read().map_err(|error| {
        let message = format!("cannot read the program {}: {error:#}", program.display());
        Failure::new(Exit::Failed, message)
            .help(
                "use a Rust that rustup installed; a wrapper around one does not say what it needs",
            )
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(line: &str) -> Option<String> {
        library(line).map(|found| match found {
            Ok(path) => path.display().to_string(),
            Err(error) => format!("error: {error}"),
        })
    }

    #[test]
    fn what_loaders_say_is_read() {
        for (line, expected) in [
            ("\tlinux-vdso.so.1 (0x00007f45098d2000)", None),
            (
                "\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f45)",
                Some("/lib/x86_64-linux-gnu/libz.so.1"),
            ),
            ("\tliba.so => /a folder (0)/liba.so (0x00007f45)", Some("/a folder (0)/liba.so")),
            ("\t/lib64/ld-linux-x86-64.so.2 (0x00007f45)", Some("/lib64/ld-linux-x86-64.so.2")),
            (
                "\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f45)",
                Some("/lib/ld-musl-x86_64.so.1"),
            ),
            (
                "\t/lib64/ld-linux-x86-64.so.2 => /usr/lib64/ld-linux-x86-64.so.2 (0x7f45)",
                Some("/usr/lib64/ld-linux-x86-64.so.2"),
            ),
            ("\tlinux-vdso.so.1 =>  (0x00007ffd)", None),
            ("\tlibz.so.1 => not found", Some("error: its loader says: libz.so.1 => not found")),
            ("\tstatically linked", None),
        ] {
            assert_eq!(path(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_program_of_this_machine_has_its_loader_and_libc() {
        let found = needed_files(&[std::env::current_exe().unwrap()], None).unwrap();
        let loads = |name: &str| found.iter().any(|file| file.to_string_lossy().contains(name));
        assert!(loads("/ld-") && found.iter().all(|file| file.is_file()), "{found:?}");
        assert!(
            found.iter().all(|file| found.contains(&file.canonicalize().unwrap())),
            "{found:?}"
        );
    }

    #[test]
    fn a_script_is_no_program_that_says_what_it_needs() {
        let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let error = needed_files(&[text], None).unwrap_err();
        assert!(error.to_string().contains("Cargo.toml"), "{error}");
    }
}
