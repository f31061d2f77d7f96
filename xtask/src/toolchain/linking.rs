//! A driver that also links: for the app, for `cargo xtask env`, and for use by hand.
//!
//! Rust's own LLD does the linking, whatever compiler calls it, and a C program gets the very crt
//! objects, libc, unwinder and compiler runtime that Rust ships for the target. So a program has one
//! libc and one unwinder by construction. It depends on the Rust at hand, which libraries do not.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use xshell::cmd;

use super::headers::guarded;
use super::self_test::SelfTest;
use super::{BINDGEN_FOLDER, ToolNames, script, write_bindgen_headers, write_program};
use crate::emulator;
use crate::layout::{Entry, Store};
use crate::plan::Step;
use crate::process::{self, shell_word};
use crate::recipe::{Driver, Toolchain};
use crate::rust::Rust;
use crate::target::{Emulator, Target};

/// Bump when the code below makes something else of the same inputs.
const FORMAT: &str = "linking-driver 11";

/// musl has all of these in `libc.a`; empty archives serve those who ask for them by name.
const EMPTY_LIBRARIES: [&str; 8] = ["m", "pthread", "rt", "dl", "util", "crypt", "resolv", "xnet"];

/// The variable with lines `path=name`: the first that matches a path wins.
pub const PATH_MAP_VARIABLE: &str = "MUSLIN_PATH_MAP";
/// The variable that names an object which belongs into every program that cargo links.
pub const OBJECT_VARIABLE: &str = "MUSLIN_OBJECT";

/// The variable that tells a target's linking driver of a sysroot.
pub fn sysroot_variable(target: &Target) -> String {
    format!("MUSLIN_SYSROOT_{}", target.lower())
}

/// Where a linking driver's parts are.
#[derive(Clone, Debug)]
pub struct LinkingDriver {
    /// The folder of its programs.
    pub bin: PathBuf,
    /// Their names.
    pub names: ToolNames,
    /// The name of its entry in the store.
    pub id: String,
    /// The name of the entry with what came of trying it.
    pub tried: String,
}

impl LinkingDriver {
    /// Headers that libclang is to read before the toolchain's.
    pub fn bindgen_headers(&self) -> PathBuf {
        self.bin.with_file_name(BINDGEN_FOLDER)
    }

    /// The full path of one of its programs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}

/// Finds or makes the linking driver for a driver in the store and a Rust, given the toolchain's tree.
/// A new one is tried before anything else is done with it.
pub fn linking_driver(
    store: &Store,
    driver: &Step,
    tree: &Path,
    toolchain: &Toolchain,
    target: &Target,
    rust: &Rust,
) -> Result<LinkingDriver> {
    let lld = rust.lld()?;
    let std = rust.std_entry(&target.triple).map(|entry| format!("std {}\n", entry.id()));
    let pre_image = format!(
        "{FORMAT}\ndriver {} {}\ntarget {}\nstatic-pie {}\nemulator {:?}\nlld {}\nrust {}\n{}{}",
        driver.name,
        driver.fingerprint,
        target.triple,
        target.static_pie,
        target.emulator,
        lld.display(),
        rust.sysroot().display(),
        std.unwrap_or_default(),
        rust.version
    );
    let name = format!("{}-linking-driver", toolchain.name);
    let compiling = store.entry(&driver.name, &driver.version, &driver.fingerprint);
    let entry = store.find_or_make(&name, &toolchain.version, &pre_image, |folder| {
        make(&compiling, toolchain, target, rust, &lld, &folder.join("outputs"))
    })?;
    let bin = entry.outputs().join("bin");
    let libc = rust.self_contained(&target.triple).join("libc.a");
    let tried =
        SelfTest { toolchain, tree, target, bin: &bin, libc: &libc }.entry(store, &entry)?;
    Ok(LinkingDriver {
        bin,
        names: ToolNames::new(target),
        id: entry.id().to_owned(),
        tried: tried.id().to_owned(),
    })
}

fn make(
    compiling: &Entry,
    toolchain: &Toolchain,
    target: &Target,
    rust: &Rust,
    lld: &Path,
    outputs: &Path,
) -> Result<()> {
    let (bin, lib) = (outputs.join("bin"), outputs.join("lib"));
    fs::create_dir_all(&bin)?;
    fs::create_dir_all(&lib)?;
    write_bindgen_headers(outputs)?;
    let tree = format!("../../../{}/outputs/bin", compiling.id());
    let names = ToolNames::new(target);
    for name in [&names.cc, &names.cxx] {
        let text = script(&tree, &call(name, toolchain, target, lld));
        write_program(&bin.join(name), &text)?;
    }
    for name in [&names.ar, &names.ranlib, &names.ld] {
        write_program(&bin.join(name), &script(&tree, &format!("exec \"$tree/{name}\" \"$@\"")))?;
    }
    write_program(&bin.join(&names.strip), &strip_script(rust))?;
    write_program(&bin.join(&names.run), &run_script(target))?;
    if matches!(toolchain.driver, Driver::Zig { .. }) {
        let driver = compiling.outputs().join("bin");
        Runtime { driver, names: &names, rust, triple: &target.triple, lib: &lib }.write()?;
    }
    Ok(())
}

/// Static unless told otherwise: a dynamic musl program would need a loader that no machine has.
const STATIC_BY_DEFAULT: &str = r#"case " $* " in
*" -c "* | *" -S "* | *" -E "* | *" -M "* | *" -MM "* | *" -r "* | *" -shared "* | *" -static "* | *" -static-pie "* | *" -fsyntax-only "*) ;;
*" -no-pie "*) set -- -static "$@" ;;
*) set -- {KIND} "$@" ;;
esac
"#;

/// The same for a target: what a build script links is of the kind that rustc's programs are.
fn static_by_default(target: &Target) -> String {
    let kind = if target.static_pie { "-static-pie" } else { "-static" };
    STATIC_BY_DEFAULT.replace("{KIND}", kind)
}

/// The CPU of the machine that builds is no promise of any other's: what was compiled for it would
/// differ with the machine, and end in SIGILL elsewhere. As for any flag that a compiler does not know,
/// a build script that only tries it out goes on without it.
const NO_NATIVE: &str = r#"case " $* " in
*" -march=native "* | *" -mcpu=native "* | *" -mtune=native "*)
    echo 'muslin: native is the CPU of the machine that builds: leave the flag out, or name a CPU with --target-cpu' >&2
    exit 1
    ;;
esac
"#;

/// The ending of the map that the linker writes beside a program.
pub const MAP_ENDING: &str = ".map";

/// Where cargo links, the linker writes down beside the program what got into it: its own evidence,
/// which changes no byte of the program. And behind all that crates name come the other libraries of
/// the sysroot, since a crate often names its own library only, and not what that one needs. Nothing
/// is taken of them that is not asked for.
fn where_cargo_links(target: &Target) -> String {
    format!(
        r#"out=
last=
for word; do
    [ "$last" != -o ] || out=$word
    last=$word
done
case "$out" in
*/deps/*.o) ;;
*/deps/*)
    set -- "$@" -Xlinker "-Map=$out{MAP_ENDING}"
    for lib in "${{{}-/nonexistent}}"/lib/lib*.a "$here"/../lib/libatomic.a; do
        [ ! -e "$lib" ] || set -- "$@" "$lib"
    done
    [ -z "${OBJECT_VARIABLE}" ] || set -- "$@" "${OBJECT_VARIABLE}"
    ;;
esac
"#,
        sysroot_variable(target)
    )
}

/// What the compiler is told by variables and not by flags, because OpenSSL for one writes its flags
/// into its library, and these have this machine's paths: the sysroot, and the names that paths get.
fn told_by_variables(target: &Target) -> String {
    format!(
        r#"sysroot=${}
[ -z "$sysroot" ] || set -- "$@" -isystem "$sysroot/include" "-L$sysroot/lib"
if [ -n "${PATH_MAP_VARIABLE}" ]; then
    IFS='
'
    set -f
    for pair in ${PATH_MAP_VARIABLE}; do set -- "-ffile-prefix-map=$pair" "$@"; done
fi
"#,
        sysroot_variable(target)
    )
}

/// A script that calls a driver's compiler, and links with LLD.
fn call(name: &str, toolchain: &Toolchain, target: &Target, lld: &Path) -> String {
    let (path, folder) = (lld.to_string_lossy(), lld.parent().unwrap_or(lld).to_string_lossy());
    let flags = match &toolchain.driver {
        Driver::Zig { .. } => {
            format!("--sysroot=\"$here/..\" --ld-path={}", shell_word(&path))
        }
        Driver::Gcc { .. } => format!("-fuse-ld=lld -B{}", shell_word(&folder)),
    };
    let call = format!("\"$tree/{name}\" {flags}");
    format!(
        "{NO_NATIVE}{}{}{}{}exec {call} \"$@\"",
        static_by_default(target),
        where_cargo_links(target),
        told_by_variables(target),
        guarded(&toolchain.driver, &call),
    )
}

/// LLVM's objcopy from Rust's own tools strips in place, as `strip` does.
fn strip_script(rust: &Rust) -> String {
    let tool = rust.sysroot().join("lib/rustlib").join(&rust.host).join("bin/rust-objcopy");
    format!(
        "#!/bin/sh\nLD_LIBRARY_PATH={} exec {} --strip-all \"$@\"\n",
        shell_word(&rust.sysroot().join("lib").to_string_lossy()),
        shell_word(&tool.to_string_lossy())
    )
}

/// Runs a program of the target on its oldest CPU. Cargo's `runner` is called where tests run, long
/// after anything was found out, so the script itself finds the emulator or says that there is none.
fn run_script(target: &Target) -> String {
    let Emulator { program, cpu, since } = &target.emulator;
    let [first, second] = emulator::names(&target.emulator);
    let (triple, how) = (&target.triple, emulator::HOW_TO_GET);
    let too_old = since.as_ref().map_or_else(String::new, |since| {
        let mut parts = since.split('.').chain(["0"]);
        let [major, minor] = [(); 2].map(|()| parts.next().unwrap_or("0"));
        format!(
            r#"    version=$("$emulator" --version)
    version=${{version#*version }}
    major=${{version%%.*}} minor=${{version#*.}}
    minor=${{minor%%.*}}
    if [ "$major" -lt {major} ] || {{ [ "$major" -eq {major} ] && [ "$minor" -lt {minor} ]; }}; then
        echo "error: {program} is $major.$minor, and only {since} has all that {triple} takes" >&2
        exit 126
    fi
"#
        )
    });
    format!(
        r#"#!/bin/sh
for name in {first} {second}; do
    emulator=$(command -v "$name") || continue
{too_old}    exec "$emulator" -cpu {} "$@"
done
echo "error: programs for {triple} run here only in {program}, which is not installed" >&2
echo "help: {}" >&2
exit 127
"#,
        shell_word(cpu),
        how.replace('`', "'")
    )
}

/// Rust's C runtime, put where clang looks for one below its sysroot.
struct Runtime<'a> {
    /// The driver that compiles.
    driver: PathBuf,
    names: &'a ToolNames,
    rust: &'a Rust,
    triple: &'a str,
    /// The folder to fill.
    lib: &'a Path,
}

impl Runtime<'_> {
    fn write(&self) -> Result<()> {
        let from = self.rust.self_contained(self.triple);
        let cannot = || format!("cannot read {}", from.display());
        for file in fs::read_dir(&from).with_context(cannot)? {
            let file = file?;
            fs::copy(file.path(), self.lib.join(file.file_name()))?;
        }
        // The names that a GCC-like driver asks for in a static link.
        symlink("crtbegin.o", self.lib.join("crtbeginT.o"))?;
        symlink("libunwind.a", self.lib.join("libgcc_eh.a"))?;
        let [cc, ar] = [&self.names.cc, &self.names.ar].map(|name| self.driver.join(name));
        compiler_runtime(self.rust, self.triple, (&cc, &[]), (&ar, &[]), self.lib)?;
        self.atomics(&cc, &ar)?;
        for name in EMPTY_LIBRARIES {
            fs::write(self.lib.join(format!("lib{name}.a")), b"!<arch>\n")?;
        }
        Ok(())
    }
}

impl Runtime<'_> {
    /// `libatomic.a`: what Rust's compiler runtime leaves out, since Rust has no such type where the CPU
    /// cannot do it. C has.
    fn atomics(&self, cc: &Path, ar: &Path) -> Result<()> {
        let shell = process::shell()?;
        let (source, object) = (self.lib.join("atomic.c"), self.lib.join("atomic.o"));
        let archive = self.lib.join("libatomic.a");
        fs::write(&source, include_str!("atomic.c"))?;
        let flags = ["-std=c11", "-O2", "-fPIC", "-ffunction-sections", "-c"];
        process::capture_ok(&mut cmd!(shell, "{cc} {flags...} {source} -o {object}").into())?;
        process::capture_ok(&mut cmd!(shell, "{ar} rcs {archive} {object}").into())?;
        fs::remove_file(&source)?;
        Ok(fs::remove_file(&object)?)
    }
}

/// A program and its first arguments.
pub(super) type Call<'a> = (&'a Path, &'a [&'a str]);

/// `libgcc.a` is Rust's compiler runtime. Its unwind tables name Rust's personality routine, which
/// a C program has not got; nothing in there unwinds, so a trap stands in for it.
pub(super) fn compiler_runtime(
    rust: &Rust,
    triple: &str,
    (cc, compile): Call<'_>,
    (ar, archiver): Call<'_>,
    lib: &Path,
) -> Result<()> {
    let folder = rust.target_folder(triple).join("lib");
    let builtins = fs::read_dir(&folder)?
        .flatten()
        .find(|file| {
            let name = file.file_name().to_string_lossy().into_owned();
            name.starts_with("libcompiler_builtins-") && name.ends_with(".rlib")
        })
        .with_context(|| format!("no libcompiler_builtins in {}", folder.display()))?;
    let archive = lib.join("libgcc.a");
    fs::copy(builtins.path(), &archive)?;
    let (source, object) = (lib.join("personality.c"), lib.join("rust_eh_personality.o"));
    fs::write(&source, "void rust_eh_personality(void) { __builtin_trap(); }\n")?;
    let shell = process::shell()?;
    process::capture_ok(&mut cmd!(shell, "{cc} {compile...} -c {source} -o {object}").into())?;
    process::capture_ok(&mut cmd!(shell, "{ar} {archiver...} rs {archive} {object}").into())?;
    fs::remove_file(&source)?;
    fs::remove_file(&object)?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests have no store yet")]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::layout::remove_tree;
    use crate::recipe::Recipes;

    /// Runs the runner with only these programs on `PATH`: exit code, and all that it says.
    fn ran(target: &Target, programs: &[(&str, &str)]) -> (Option<i32>, String) {
        let name = format!("muslin-runner-{}-{}", std::process::id(), programs.len());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in programs {
            write_program(&folder.join(name), text).unwrap();
        }
        let script: PathBuf = folder.join("run");
        write_program(&script, &run_script(target)).unwrap();
        let mut command = process::command("/bin/sh");
        let command = command.arg(&script).args(["program", "a b"]).env("PATH", &folder);
        let captured = process::capture(command).unwrap();
        remove_tree(&folder).unwrap();
        (captured.status.code(), captured.stdout + &captured.stderr)
    }

    #[test]
    fn the_runner_finds_the_emulator_or_says_that_there_is_none() {
        const QEMU: &str = "#!/bin/sh\n[ \"$1\" != --version ] || { echo 'qemu-x version 8.1.5 (D)'; exit; }\n\
                            echo \"$2 $3 $4\"\nexit 5\n";
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let recipes = Recipes::load(checkout).unwrap();
        let mut target = recipes.targets["armv7-unknown-linux-musleabihf"].clone();
        target.emulator.since = None;
        let (code, said) = ran(&target, &[]);
        assert!(code == Some(127) && said.contains("which is not installed"), "{said}");
        let program = target.emulator.program.clone();
        let cpu = target.emulator.cpu.clone();
        assert_eq!(ran(&target, &[(&program, QEMU)]), (Some(5), format!("{cpu} program a b\n")));
        for (since, is_well) in [("8.1", true), ("7", true), ("8.2", false), ("9", false)] {
            target.emulator.since = Some(since.to_owned());
            let (code, said) = ran(&target, &[(&program, QEMU)]);
            assert_eq!(code, Some(if is_well { 5 } else { 126 }), "{since}: {said}");
            assert!(is_well || said.contains("8.1, and only"), "{said}");
        }
    }
}
