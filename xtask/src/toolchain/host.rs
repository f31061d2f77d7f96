//! A pinned compiler and linker for what runs on this machine while an app is built: build scripts,
//! proc-macros, and the C that they bring. With it nothing of the machine's is read but the shared
//! libraries that Rust's own programs load (`rust::runtime`).
//!
//! zig's clang compiles against zig's headers of glibc and Rust's LLD links, as for a target. zig also
//! makes the crt object and, from its lists of symbols, empty shared libraries that stand for those of
//! the machine: of the oldest glibc that Rust supports, so that the result runs wherever Rust does.
//! There is no C++ runtime: to build one takes a minute, and few build scripts link C++.

mod parts;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{script, write_program};
use crate::layout::Store;
use crate::plan::Step;
use crate::process::shell_word;
use crate::recipe::template::Template;
use crate::recipe::{Driver, Toolchain};
use crate::rust::Rust;

/// Bump when the code below, or that of `parts`, makes something else of the same inputs.
const FORMAT: &str = "host-driver 2";

/// The one kind of host that this is for.
const HOST: &str = "x86_64-unknown-linux-gnu";

/// The glibc to link with, and how zig spells that: the oldest that Rust's standard library runs with.
const GLIBC_MINOR: u32 = 17;
const ZIG_TARGET: &str = "x86_64-linux-gnu.2.17";

/// In the order in which `zig cc` passes them to its clang for that target.
const INCLUDE: [&str; 5] = [
    "lib/include",
    "lib/libc/include/x86-linux-gnu",
    "lib/libc/include/generic-glibc",
    "lib/libc/include/x86-linux-any",
    "lib/libc/include/any-linux-any",
];

/// The folder of programs that stand for others, in the entry's outputs.
const STAND_INS: &str = "stand-ins";

/// What stands for git, which build scripts ask for the commit that they build: it answers as git does
/// outside of a repository. There is none around a published crate, and some build scripts give up
/// where there is no git at all.
const GIT: &str = "\
#!/bin/sh
folder=$PWD
while [ -n \"$folder\" ]; do
    if [ -e \"$folder/.git\" ]; then
        echo 'fatal: this build has no git; with `--host visible` it has that of the machine' >&2
        exit 128
    fi
    folder=${folder%/*}
done
echo 'fatal: not a git repository (or any of the parent directories): .git' >&2
exit 128
";

/// Variables by which the user tells crates of the machine's own compiler and libraries. They must be
/// unset beside a pinned driver: flags of all such variables are added up.
pub const MACHINE_VARIABLES: [&str; 13] = [
    "HOST_AR",
    "HOST_ARFLAGS",
    "HOST_CC",
    "HOST_CFLAGS",
    "HOST_CMAKE_TOOLCHAIN_FILE",
    "HOST_CXX",
    "HOST_CXXFLAGS",
    "HOST_CXXSTDLIB",
    "HOST_PKG_CONFIG_LIBDIR",
    "HOST_PKG_CONFIG_PATH",
    "HOST_PKG_CONFIG_SYSROOT_DIR",
    "HOST_RANLIB",
    "HOST_RANLIBFLAGS",
];

/// Who compiles and links for this machine.
#[derive(Clone, Debug)]
pub enum HostLinking {
    /// A driver in the store.
    Pinned(HostDriver),
    /// The machine's own `cc`, with its headers and libraries; why, in words.
    Machine(String),
}

/// A driver for this machine.
#[derive(Clone, Debug)]
pub struct HostDriver {
    /// The name of its entry in the store.
    pub id: String,
    /// The folder of its programs.
    pub bin: PathBuf,
    /// The folder of programs that stand for some of the machine's: for `PATH`.
    pub stand_ins: PathBuf,
    /// What crates that compile C for this machine are told; each name has the host's triple in it, so
    /// that nothing for the target is touched.
    pub variables: BTreeMap<String, String>,
    /// What cargo is told of the linker: `--config`, value. With `--target`, cargo takes a host's
    /// linker for build scripts and proc-macros, but not a host's flags.
    pub cargo_arguments: Vec<String>,
}

/// Finds or makes the driver, given the step of a toolchain's tree in the store.
pub fn host_driver(
    store: &Store,
    tree: &Step,
    toolchain: &Toolchain,
    rust: &Rust,
) -> Result<HostLinking> {
    let Driver::Zig { program, include_cxx, flags_cxx, .. } = &toolchain.driver else {
        let name = &toolchain.name;
        return Ok(HostLinking::Machine(format!("{name} cannot compile for this machine")));
    };
    if rust.host != HOST {
        return Ok(HostLinking::Machine(format!("this Rust is one for {}", rust.host)));
    }
    let lld = rust.lld()?;
    let pre_image = format!(
        "{FORMAT}\ntoolchain {} {}\nlld {}\nrust {}\n{}",
        tree.name,
        tree.fingerprint,
        lld.display(),
        rust.sysroot().display(),
        rust.version
    );
    let name = format!("{}-host-driver", toolchain.name);
    let tree = store.entry(&tree.name, &tree.version, &tree.fingerprint);
    let entry = store.find_or_make(&name, &toolchain.version, &pre_image, |folder| {
        let calls = Calls { tree: tree.id(), program, include_cxx, flags_cxx, lld: &lld };
        calls.write(&folder.join("outputs/bin"))?;
        let stand_ins = folder.join("outputs").join(STAND_INS);
        fs::create_dir_all(&stand_ins)?;
        write_program(&stand_ins.join("git"), GIT)?;
        parts::write(&tree.outputs(), program, rust, folder)
    })?;
    Ok(HostLinking::Pinned(HostDriver::new(entry.id(), &entry.outputs(), &tree.outputs())))
}

impl HostDriver {
    fn new(id: &str, outputs: &Path, tree: &Path) -> Self {
        let bin = outputs.join("bin");
        let lower = HOST.replace('-', "_");
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let mut variables: BTreeMap<_, _> =
            [("CC", "cc"), ("CXX", "c++"), ("AR", "ar"), ("RANLIB", "ranlib")]
                .map(|(variable, tool)| (format!("{variable}_{lower}"), text(program(&bin, tool))))
                .into();
        // A library of the machine that pkg-config finds could not be linked: better it finds none.
        variables.insert(format!("PKG_CONFIG_LIBDIR_{lower}"), text(outputs.join("lib/pkgconfig")));
        variables.insert(format!("PKG_CONFIG_PATH_{lower}"), String::new());
        let bindgen = format!("BINDGEN_EXTRA_CLANG_ARGS_{lower}");
        variables.insert(bindgen, bindgen_arguments(tree));
        let linker = toml::Value::String(text(program(&bin, "cc")));
        let cargo_arguments = vec!["--config".to_owned(), format!("target.{HOST}.linker={linker}")];
        let stand_ins = outputs.join(STAND_INS);
        Self { id: id.to_owned(), bin, stand_ins, variables, cargo_arguments }
    }
}

/// Makes libclang see the headers that the compiler sees.
fn bindgen_arguments(tree: &Path) -> String {
    let folder = |it| shell_word(&format!("-isystem{}", tree.join(it).display()));
    let folders = INCLUDE.map(folder).join(" ");
    format!("--target={HOST} -nostdinc -D__GLIBC_MINOR__={GLIBC_MINOR} {folders}")
}

fn program(bin: &Path, tool: &str) -> PathBuf {
    bin.join(format!("{HOST}-{tool}"))
}

/// What the driver's programs call.
struct Calls<'a> {
    /// The entry of the toolchain's tree.
    tree: &'a str,
    program: &'a str,
    include_cxx: &'a [Template],
    flags_cxx: &'a [String],
    lld: &'a Path,
}

impl Calls<'_> {
    fn write(&self, bin: &Path) -> Result<()> {
        fs::create_dir_all(bin)?;
        let tree = format!("../../../{}/outputs", self.tree);
        let zig = format!("exec \"$tree/{}\"", self.program);
        for (tool, words) in [
            ("cc", format!("clang{}{}", self.target(), headers(&INCLUDE))),
            ("c++", format!("clang{}{}", self.target(), self.cxx())),
            ("ar", "ar".to_owned()),
            ("ranlib", "ranlib".to_owned()),
        ] {
            let text = script(&tree, &format!("{zig} {words} \"$@\""));
            write_program(&program(bin, tool), &text)?;
        }
        Ok(())
    }

    fn target(&self) -> String {
        format!(
            " --target={HOST} --no-default-config -nostdinc -Qunused-arguments \
             -D__GLIBC_MINOR__={GLIBC_MINOR} --sysroot=\"$here/..\" --ld-path={} \
             \"-ffile-prefix-map=$tree=/toolchain\"",
            shell_word(&self.lld.to_string_lossy())
        )
    }

    /// As for a target, but that the C library is not musl.
    fn cxx(&self) -> String {
        let mut words = " --driver-mode=g++ -nostdinc++".to_owned();
        for flag in self.flags_cxx {
            let flag = match flag.as_str() {
                "-D_LIBCPP_HAS_MUSL_LIBC=1" => "-D_LIBCPP_HAS_MUSL_LIBC=0",
                other => other,
            };
            let _ = write!(words, " {}", shell_word(flag));
        }
        let folders = self.include_cxx.iter().map(|folder| folder.render(|_| String::new()));
        words + &headers(&folders.collect::<Vec<_>>()) + &headers(&INCLUDE)
    }
}

fn headers(folders: &[impl AsRef<str>]) -> String {
    folders.iter().fold(String::new(), |mut words, folder| {
        let _ = write!(words, " -isystem \"$tree/{}\"", folder.as_ref());
        words
    })
}
