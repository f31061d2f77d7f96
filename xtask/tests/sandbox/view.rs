//! What the script of a library sees of the machine, and what stays when it is gone.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::scratch::{Run, names};
use crate::{Machine, Workshop, probe, process, processes_with};
use xtask::process::env_var;

const MAKEFILE: &[u8] = b"all:\n\t./kinds >> report.h\n\
    install:\n\tmkdir -p $(DESTDIR)/usr/include\n\tcp report.h $(DESTDIR)/usr/include/\n";

/// What kinds of open files make passes on; numbers and the log's name aside.
const KINDS: &[u8] = b"#!/bin/sh\nexec 2>/dev/null\n\
    echo \"kinds=\"$(for file in /proc/self/fd/*; do readlink $file; done | sed 's/:.*//' | grep -v /proc | sort -u)\n";

/// Texts of the machine that anyone may read.
const TEXTS: [&str; 6] = [
    "/etc/hostname",
    "/etc/os-release",
    "/etc/machine-id",
    "/etc/resolv.conf",
    "/usr/include/stdio.h",
    "/sys/class/dmi/id/product_name",
];

/// What the compiler is given; the first two must do.
const INCLUDES: [&str; 8] = [
    "#include <stdio.h>",
    "#include <secret.h>",
    "#include <private.h>",
    "#include <zlib.h>",
    "#include </usr/include/stdio.h>",
    "#include \"/etc/passwd\"",
    "__asm__(\".incbin \\\"/etc/hostname\\\"\");",
    "#include \"../../etc/hostname\"",
];

/// All the variables that there are; `SHLVL` comes from the shell.
const NAMES: &str = "AR CC CFLAGS CXX CXXFLAGS HOME LC_ALL LD MUSLIN_BUILD_FOLDER PATH \
    PKG_CONFIG_LIBDIR PWD RANLIB SHELL SOURCE_DATE_EPOCH STRIP TERM TMPDIR TZ";

/// Everything that listens or runs outside and must not be found.
struct Outside {
    marker: String,
    sleeper: String,
    port: u16,
    socket: PathBuf,
    _listeners: (TcpListener, UnixListener, UnixListener),
    stranger: Child,
}

impl Outside {
    fn new(workshop: &Workshop, name: &str) -> Self {
        let marker = format!("muslin-{name}-{}", std::process::id());
        let sleeper = format!("987{}{}", std::process::id(), name.len());
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        let address = SocketAddr::from_abstract_name(&marker).unwrap();
        let socket = PathBuf::from(format!("/tmp/{marker}.socket"));
        let local = UnixListener::bind(&socket).unwrap();
        let program = workshop.scratch.at("probe");
        fs::write(&program, probe(workshop)).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        // What the probe says where nothing hides the machine: else it would prove nothing.
        let said = |words: [&str; 2]| Run::of(process::command(&program).args(words)).ok().stdout;
        assert_eq!(said(["port", &port.to_string()]), "port=done\n");
        let abstract_ = UnixListener::bind_addr(&address).unwrap();
        assert_eq!(said(["abstract", &marker]), "abstract=done\n");
        assert_eq!(said(["local", socket.to_str().unwrap()]), "local=done\n");
        let stranger = process::command(&program).args(["pause", &marker]).spawn().unwrap();
        let _listeners = (tcp, local, abstract_);
        Self { marker, sleeper, port, socket, _listeners, stranger }
    }

    /// Writes the library `leaky`, which looks for all that.
    fn write_library(&self, workshop: &Workshop) {
        let scratch = &workshop.scratch;
        let home = env_var("HOME").unwrap();
        let places = [
            "/home",
            "/root",
            "/usr/include",
            "/usr/lib",
            "/bin/bash",
            "/var",
            "/run",
            "/sys",
            "/opt",
            "/mnt",
            "/usr/share",
            "/dev/tty",
            "/dev/kmsg",
            "/dev/pts",
            &home,
        ];
        let mut places: Vec<String> = places.into_iter().map(str::to_owned).collect();
        places
            .extend([scratch.workspace(), scratch.store()].map(|path| path.display().to_string()));
        let outside = [scratch.workspace(), PathBuf::from(&home), PathBuf::from("/var/tmp")];
        let lines = |items: &[String]| items.join("\n") + "\n";
        let texts = |items: &[&str]| items.join("\n") + "\n";
        let outside = outside.map(|path| path.display().to_string());
        let files = [
            ("port", self.port.to_string()),
            ("marker", format!("{}\n", self.marker)),
            ("sleeper", self.sleeper.clone()),
            ("socket", self.socket.display().to_string()),
            ("places", lines(&places)),
            ("texts", texts(&TEXTS)),
            ("includes", texts(&INCLUDES)),
            ("outside", lines(&outside)),
        ];
        let mut files: Vec<(&str, &[u8])> =
            files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        let script: &[u8] = include_bytes!("probes.sh");
        files.extend([("configure", script), ("kinds", KINDS), ("Makefile", MAKEFILE)]);
        files.push(("probe", probe(workshop)));
        workshop.configured("leaky", &files, "dependencies = [\"secret\"]\n");
        let code =
            "#include \"secret.h\"\n#include \"private.h\"\nint secret(void) { return PRIVATE; }\n";
        let header = "int secret(void);\n";
        let source = scratch.source(
            "secret",
            &[("secret.h", header), ("private.h", "#define PRIVATE 1\n"), ("secret.c", code)],
        );
        let recipe = format!(
            "description = \"Has secrets\"\nversion = \"1.0\"\nlicense = \"MIT\"\n{source}\
             [build.compile]\nsources = [\"secret.c\"]\n\
             [outputs]\nlibs = [\"secret\"]\ninclude = [\"secret.h\"]\n"
        );
        scratch.write("recipes/libraries/secret.toml", &recipe);
    }

    /// Nothing of the build is left: no process, no file.
    fn assert_nothing_is_left(&self, workshop: &Workshop) {
        for word in [&self.sleeper, &format!("stay {}", self.marker)] {
            assert_eq!(processes_with(word), [""; 0]);
        }
        for place in ["/tmp", "/dev/shm", "/var/tmp", "/", "/etc", &env_var("HOME").unwrap()] {
            let left: Vec<_> =
                names(Path::new(place)).into_iter().filter(|name| *name == self.marker).collect();
            assert_eq!(left, [""; 0], "in {place}");
        }
        let store = workshop.scratch.store();
        let files = xtask::layout::files_below(&store).unwrap();
        let left: Vec<_> = files.iter().filter(|file| file.ends_with(&self.marker)).collect();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(workshop.scratch.stored("tmp"), [""; 0]);
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = self.stranger.kill();
        let _ = self.stranger.wait();
        let _ = fs::remove_file(&self.socket);
    }
}

/// What the script wrote down: all values of each name.
struct Found(BTreeMap<String, Vec<String>>);

impl Found {
    fn read(text: &str) -> Self {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
            found.entry(name.to_owned()).or_default().push(value.trim().to_owned());
        }
        Self(found)
    }

    fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    #[track_caller]
    fn is(&self, name: &str, expected: &str) {
        assert_eq!(self.all(name), [expected], "{name} of {:#?}", self.0);
    }

    #[track_caller]
    fn fails(&self, name: &str) {
        assert!(!self.all(name).is_empty(), "nothing of {name}");
        assert!(self.all(name).iter().all(|value| value != "done"), "{name} of {:#?}", self.0);
    }
}

/// A caller with everything about it that could be seen.
fn spoil(command: &Command) -> Command {
    let script = "umask 077; ulimit -S -n 512; ulimit -S -s 1024; trap '' HUP TERM QUIT; \
        exec 7< / 8> /dev/null; exec \"$@\"";
    let mut spoiled = process::command("sh");
    spoiled.args(["-c", script, "sh"]).arg(command.get_program()).args(command.get_args());
    spoiled.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    for name in ["SECRET_TOKEN", "CFLAGS", "CC", "MAKEFLAGS", "CPATH", "PKG_CONFIG_PATH", "ENV"] {
        spoiled.env(name, "/usr/include");
    }
    spoiled.env("LC_ALL", "de_DE.UTF-8").env("LANG", "de_DE.UTF-8").env("TZ", "Asia/Tokyo");
    spoiled.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::piped());
    spoiled
}

/// Makes `leaky` twice, as called by two; returns what it saw.
fn report(workshop: &Workshop, outside: &Outside) -> Found {
    outside.write_library(workshop);
    let begin = Instant::now();
    let command = workshop.command(&["sysroot", "leaky", "--toolchain", "zig", "-v"]);
    Run::of(&mut spoil(&command)).ok();
    assert!(begin.elapsed().as_secs() < 300, "it has waited for what was left running");
    outside.assert_nothing_is_left(workshop);
    let text = fs::read_to_string(workshop.output("leaky", "include/report.h")).unwrap();
    Found::read(&text)
}

/// What holds wherever the programs are kept apart at all.
fn assert_common(found: &Found) {
    found.is("input", "0");
    found.is("terminal", "not a tty");
    assert_eq!(found.all("compiles"), &INCLUDES[..2]);
    found.is("dependencies", "./include/secret.h ./lib/libsecret.a");
    found.is("locale", "C UTC UTC");
    found.is("limits", "0022 4096 4096 8192 0");
    // Beside these a script of this name has autoconf's answers.
    let is_answer = |name: &&str| name.starts_with("ac_cv_");
    let names =
        found.all("names")[0].split(' ').filter(|name| *name != "SHLVL" && !is_answer(name));
    let names = names.collect::<Vec<_>>().join(" ");
    assert_eq!(names, NAMES);
    for name in ["port", "local", "abstract", "vsock", "ring", "name", "root", "device", "openat"] {
        found.fails(name);
    }
    found.fails("controlling");
    found.is("pair", "done");
    for name in ["wrote", "linked", "first"] {
        assert_eq!(found.all(name), [""; 0], "{:#?}", found.0);
    }
    for name in ["source", "scratch"] {
        found.is(name, "written");
    }
    // /dev/null is stdin, and one of the files that make was told to be silent by.
    found.is("kinds", "/dev/null pipe");
}

/// What holds with a view of its own.
fn assert_view(found: &Found, user: &str) {
    assert_common(found);
    found.is("files", "0 1 2 3");
    found.is("host", "localhost localhost x86_64");
    found.is("user", user);
    found.is("home", "~root");
    found.is("slash", "bin build dev etc proc store tmp usr");
    found.is("etc", "group hosts passwd");
    found.is("dev", "fd full null random shm stderr stdin stdout urandom zero");
    found.is("tmp", "");
    found.is("groups", "/");
    for name in ["exists", "read"] {
        assert_eq!(found.all(name), [""; 0]);
    }
}

/// What holds with a `/proc` of its own.
fn assert_proc(found: &Found) {
    found.is("proc", "self thread-self");
    found.is("processes", "0");
}

#[test]
fn a_script_sees_nothing_of_the_machine_and_leaves_nothing_on_it() {
    let Some(workshop) = Workshop::new("view", Machine::Whole) else { return };
    let outside = Outside::new(&workshop, "view");
    let found = report(&workshop, &outside);
    assert_view(&found, "1000 1000 builder builder 1000");
    assert_proc(&found);
}

/// The machine's own `/proc` is shown there; but nobody's secrets are, and it cannot be written.
#[test]
fn nor_in_a_container_that_hides_parts_of_proc() {
    let Some(workshop) = Workshop::new("masked", Machine::MaskedProc) else { return };
    let outside = Outside::new(&workshop, "masked");
    let found = report(&workshop, &outside);
    assert_view(&found, "1000 1000 builder builder 1000");
    assert!(found.all("proc")[0].contains("cpuinfo"), "{:?}", found.all("proc"));
}

#[test]
fn nor_where_root_has_no_user_namespaces() {
    let Some(workshop) = Workshop::new("root", Machine::NoUserNamespaces) else { return };
    let outside = Outside::new(&workshop, "root");
    let found = report(&workshop, &outside);
    assert_view(&found, "0 0 builder builder 0");
    assert_proc(&found);
}

#[test]
fn nor_is_anything_read_or_left_where_there_are_no_namespaces() {
    let Some(workshop) = Workshop::new("landlock", Machine::NoNamespaces) else { return };
    let outside = Outside::new(&workshop, "landlock");
    let found = report(&workshop, &outside);
    assert_common(&found);
    // What lies beside the machine's libraries stays readable: see `sandbox/landlock.rs`.
    let is_known = |file: &String| file == "/etc/os-release";
    assert!(found.all("read").iter().all(is_known), "{:?}", found.all("read"));
}
