//! Undeclared inputs fail: for each way in which a build may take something of the machine, or leave
//! something on it, a recipe or an app that tries, in the real sandbox with the real tools.
//!
//! Needs zig and the tools in the store, so it runs with `cargo xtask test` only, and says loudly
//! elsewhere, and where the kernel allows no namespaces, what was skipped.

#[path = "sandbox/app.rs"]
mod app;
#[path = "sandbox/autoconf.rs"]
mod autoconf;
#[path = "sandbox/by_hand.rs"]
mod by_hand;
#[path = "sandbox/clock.rs"]
mod clock;
#[path = "sandbox/compile.rs"]
mod compile;
#[path = "sandbox/ends.rs"]
mod ends;
#[path = "sandbox/outputs.rs"]
mod outputs;
#[path = "support/scratch.rs"]
#[allow(dead_code, reason = "it can do more than is needed here")]
mod scratch;
#[path = "sandbox/view.rs"]
mod view;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use flate2::{Compression, write::GzEncoder};
use scratch::{Run, Scratch, TRIPLE, names};
use xtask::digest::Digest;
use xtask::process::{self, env_var};

/// Says loudly that something was not tested.
fn skip(why: &str) {
    xtask::report::text(&format!("SKIPPED: {why}"));
}

/// How the xtask is kept from having namespaces, if it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    /// It can have what this machine allows.
    Whole,
    /// It is root, and there are no user namespaces.
    NoUserNamespaces,
    /// Parts of its `/proc` are hidden, as in a container: a fresh one is forbidden.
    MaskedProc,
    /// It can have no namespaces at all.
    NoNamespaces,
}

/// What keeps it: user namespaces are counted by the one around them, and root gives his rights up.
const NO_USER_NAMESPACES: &str = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
const MASKED_PROC: &str = "mount -t tmpfs none /proc/irq && exec \"$@\"";
const NO_NAMESPACES: &str = "echo 0 > /proc/sys/user/max_user_namespaces && \
    exec setpriv --bounding-set -all --inh-caps -all \"$@\"";

impl Machine {
    /// The program as it starts on such a machine.
    fn start(self, program: &str) -> Command {
        let script = match self {
            Self::Whole => return process::command(program),
            Self::NoUserNamespaces => NO_USER_NAMESPACES,
            Self::MaskedProc => MASKED_PROC,
            Self::NoNamespaces => NO_NAMESPACES,
        };
        let mut command = process::command("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", program]);
        command
    }

    /// Whether this machine can be made such a one; said loudly if not.
    fn can_be(self, what: &str) -> bool {
        let run = self.start("true").output();
        let can = run.is_ok_and(|output| output.status.success());
        if !can {
            skip(&format!("{what}: this machine cannot be made one of {self:?}"));
        }
        can
    }
}

/// A scratch workspace whose store has the toolchain and the tools of the filled one, and nothing else.
struct Workshop {
    scratch: Scratch,
    machine: Machine,
}

impl Workshop {
    /// `None`, said loudly, where it cannot be had.
    fn new(name: &str, machine: Machine) -> Option<Self> {
        let store = env_var("MUSLIN_STORE").filter(|_| env_var("MUSLIN_TEST_ALL").is_some());
        let Some(store) = store else {
            skip(&format!("{name}: run `cargo xtask test`"));
            return None;
        };
        if !Machine::NoUserNamespaces.can_be(name) || !machine.can_be(name) {
            return None;
        }
        let scratch = Scratch::with_real_recipes(&format!("sandbox-{name}"), "work");
        let filled = Path::new(&store).join("entries-v1");
        link_entries(&filled, &scratch.store().join("entries-v1"));
        let manifest =
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
        scratch.write("app/Cargo.toml", manifest);
        scratch.write("app/src/main.rs", "fn main() {}\n");
        fs::remove_file(scratch.workspace().join("app/Cargo.lock")).unwrap();
        Some(Self { scratch, machine })
    }

    /// The xtask about to run on this machine; it must have a view of its own if it can.
    fn command(&self, arguments: &[&str]) -> Command {
        let inner = self.scratch.command(arguments);
        let mut command = self.machine.start(env!("CARGO_BIN_EXE_xtask"));
        command.args(inner.get_args()).env_clear().current_dir(self.scratch.workspace());
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let policy = if self.machine == Machine::NoNamespaces { "auto" } else { "require" };
        command.env("MUSLIN_SANDBOX", policy);
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        Run::of(&mut self.command(arguments))
    }

    /// Writes a library with a configure script. It brings `report.h`, and what else is named.
    fn configured(&self, name: &str, files: &[(&str, &[u8])], recipe: &str) {
        let source = archive(&self.scratch, name, files);
        let text = format!(
            "description = \"Leaks\"\nversion = \"1.0\"\nlicense = \"MIT\"\n\
             tools = [\"busybox\", \"make\"]\n{recipe}{source}\
             [build.configure]\nscript = \"configure\"\n[outputs]\ninclude = [\"report.h\"]\n"
        );
        self.scratch.write(&format!("recipes/libraries/{name}.toml"), &text);
    }

    /// Writes a library whose script is this, and whose makefile installs what the script left in
    /// `usr/`.
    fn scripted(&self, name: &str, script: &str) {
        let script = format!(
            "#!/bin/sh\nset -e\nmkdir -p usr/include\necho > usr/include/report.h\n{script}"
        );
        let makefile = "all:\ninstall:\n\tmkdir -p $(DESTDIR)\n\tmv usr $(DESTDIR)/\n";
        let files = [("configure", script.as_bytes()), ("Makefile", makefile.as_bytes())];
        self.configured(name, &files, "");
    }

    /// A file of a library's outputs.
    #[track_caller]
    fn output(&self, name: &str, file: &str) -> PathBuf {
        self.scratch.entry(name).join("outputs").join(file)
    }
}

/// Makes a store's entries those of another, as well.
fn link_entries(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in names(from) {
        symlink(from.join(&name), to.join(&name)).unwrap();
    }
}

/// Puts an archive behind the mirror, scripts and programs executable; returns a `[[source]]` for it.
fn archive(scratch: &Scratch, name: &str, files: &[(&str, &[u8])]) -> String {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        let is_program = [&b"#!"[..], b"\x7fELF"].iter().any(|start| bytes.starts_with(start));
        header.set_size(bytes.len() as u64);
        header.set_mode(if is_program { 0o755 } else { 0o644 });
        builder.append_data(&mut header, format!("{name}/{path}"), *bytes).unwrap();
    }
    let bytes = builder.into_inner().unwrap().finish().unwrap();
    let digest = Digest::sha256_of(&bytes).hex();
    fs::write(scratch.mirror().join(&digest), bytes).unwrap();
    format!("[[source]]\nurl = \"https://{name}.invalid/x.tar.gz\"\nsha256 = \"{digest}\"\n")
}

/// A program for what a shell cannot ask, made once by the driver that links.
fn probe(workshop: &Workshop) -> &'static [u8] {
    static PROBE: OnceLock<Vec<u8>> = OnceLock::new();
    PROBE.get_or_init(|| {
        workshop.scratch.write("probe.c", include_str!("sandbox/probe.c"));
        let compile = format!("\"$CC_{}\" -static probe.c -o probe", TRIPLE.replace('-', "_"));
        let arguments = ["exec", "--toolchain", "zig", "--", "sh", "-c", &compile];
        Run::of(&mut workshop.scratch.command(&arguments)).ok();
        fs::read(workshop.scratch.workspace().join("probe")).unwrap()
    })
}

/// Processes of this machine that have such a word in their command line.
fn processes_with(word: &str) -> Vec<String> {
    let read = |pid: String| {
        let line = fs::read(Path::new("/proc").join(&pid).join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(word).then(|| format!("{pid} {line}"))
    };
    names(Path::new("/proc")).into_iter().filter_map(read).collect()
}
