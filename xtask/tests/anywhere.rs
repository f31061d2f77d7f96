//! Programs as `dist` packs them, in the barest surroundings that a Linux machine can have: as the only
//! process with nothing else on the disk, on a disk that cannot be written, without input, without a
//! time zone, without calls that came later than Linux 2.6.18, and alone on a real kernel.
//!
//! They run with `MUSLIN_TEST_ALL=1` (as `cargo xtask test` sets it), with the store of MUSLIN_STORE;
//! what needs a kernel's package and QEMU's machines, with MUSLIN_TEST_SLOW=1. Each says what it did
//! not run.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test drives the program from outside"
)]

#[path = "anywhere/boot.rs"]
mod boot;
#[path = "programs/tls.rs"]
mod tls;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tls::{Identity, Server};
use xtask::layout::remove_tree;
use xtask::process::env_var;

const README: &str = include_str!("../../README.md");

/// What each program says if it is well, and how it is asked.
const PROGRAMS: [(&str, &str, &str); 3] = [
    ("hello", "", "Hello, world!\n"),
    ("hello-sqlite", "", "Europa circles Jupiter\nTitan circles Saturn\nTriton circles Neptune\n"),
    ("certwatch", "--version", "certwatch 0.1.0\n"),
];

fn checkout() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A folder with the sample app's programs, made once; nothing, said loudly, where that is not wanted.
fn programs() -> Option<&'static Path> {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    if env_var("MUSLIN_TEST_ALL").is_none() || env_var("MUSLIN_STORE").is_none() {
        eprintln!("NOT RUN: it needs MUSLIN_TEST_ALL=1 and a store in MUSLIN_STORE");
        return None;
    }
    Some(MADE.get_or_init(|| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("anywhere/app");
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.current_dir(checkout()).args(["dist", "--only", "programs", "--out-dir"]).arg(&out);
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("targets/target");
        let output = command.env("CARGO_TARGET_DIR", target).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        out
    }))
}

/// A folder that has the programs in it, and nothing else.
fn bare(name: &str) -> Option<PathBuf> {
    let from = programs()?;
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("anywhere").join(name);
    remove_tree(&root).unwrap();
    fs::create_dir_all(&root).unwrap();
    for (program, ..) in PROGRAMS {
        fs::copy(from.join(program), root.join(program)).unwrap();
    }
    Some(root)
}

/// Runs a line of shell in namespaces of its own, of which it is the first process; nothing, said
/// loudly, where the machine has none for us.
fn alone(line: &str, root: &Path) -> Option<Output> {
    for user in [&["--user", "--map-root-user"][..], &[]] {
        let mut command = Command::new("unshare");
        command.args(user).args(["--mount", "--pid", "--net", "--ipc", "--uts", "--fork"]);
        let tried =
            Command::new(command.get_program()).args(command.get_args()).arg("true").status();
        if tried.is_ok_and(|status| status.success()) {
            command
                .args(["sh", "-c", &format!("PATH=$PATH:/usr/sbin:/sbin; {line}")])
                .env("ROOT", root)
                .stdin(Stdio::null());
            return Some(command.output().unwrap());
        }
    }
    eprintln!("NOT RUN: `unshare` makes no namespaces here");
    None
}

/// Each program says what it should; `$RUN` in the line is what starts it.
#[track_caller]
fn all_are_well(name: &str, line: &str) {
    let Some(root) = bare(name) else { return };
    for (program, arguments, expected) in PROGRAMS {
        let run = format!("$(command -v chroot) \"$ROOT\" /{program} {arguments}");
        let Some(output) = alone(&line.replace("$RUN", &run), &root) else { return };
        let said = String::from_utf8_lossy(&output.stdout);
        let is_well = output.status.success() && said.ends_with(expected);
        assert!(is_well, "{name}: {program}: {output:?}");
    }
}

#[test]
fn they_run_as_the_only_process_with_nothing_else_on_the_disk() {
    // No `/proc`, no `/dev`, no `/etc`, no `/tmp`.
    all_are_well("empty", "exec $RUN");
}

#[test]
fn they_run_where_nothing_can_be_written() {
    let line =
        "mount --bind \"$ROOT\" \"$ROOT\" && mount -o remount,bind,ro \"$ROOT\" && exec $RUN";
    all_are_well("read-only", line);
}

#[test]
fn they_run_without_input_and_errors() {
    // Rust's standard library opens `/dev/null` in their place, and stops where there is none.
    let null = "mkdir -p \"$ROOT/dev\" && touch \"$ROOT/dev/null\" && \
        mount --bind /dev/null \"$ROOT/dev/null\"";
    all_are_well("closed", &format!("{null} && exec $RUN <&- 2>&-"));
}

#[test]
fn they_run_without_an_environment_and_with_a_strange_one() {
    all_are_well("no-environment", "exec env -i $RUN");
    let strange = "exec env TZ=Nowhere/Never LANG=xx_YY.none LC_ALL=? HOME=/none TMPDIR=/none $RUN";
    all_are_well("strange-environment", strange);
}

/// The oldest kernel whose calls suffice; what the README says of it is held against this.
#[test]
fn the_calls_of_linux_2_6_18_suffice() {
    const OLDEST: &str = "2.6.18";
    if cfg!(not(target_arch = "x86_64")) {
        return eprintln!("NOT RUN: the table of calls is that of x86_64");
    }
    let Some(folder) = programs() else { return };
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("anywhere/kernel");
    remove_tree(&work).unwrap();
    fs::create_dir_all(&work).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.current_dir(checkout()).args(["check", "--kernel", OLDEST]);
        command.arg(folder.join(program)).arg("--").args(arguments).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for (program, arguments, expected) in PROGRAMS {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        assert!(run(program, &words).ends_with(expected));
    }
    // A handshake of TLS, and what a database remembers of it.
    let identity = Identity::in_folder(&work);
    let server = Server::of_folder(&work, &identity);
    let database = work.join("db").to_str().unwrap().to_owned();
    let certwatch = |words: &[&str]| {
        let words: Vec<&str> = ["--db", &database].iter().chain(words).copied().collect();
        run("certwatch", &words)
    };
    certwatch(&["add", &server.address]);
    let certificate = identity.certificate.to_str().unwrap();
    let checked = certwatch(&["check", "--within", "1", "--ca-file", certificate]);
    assert!(checked.starts_with("ok"), "{checked}");
    assert!(certwatch(&["list"]).contains("ok"));
    assert!(README.contains(&format!("Linux {OLDEST}")), "the README says otherwise");
}
