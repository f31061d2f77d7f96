//! Without a network, a home, or a place to write: it works, or one clear line says what to do.

use std::fs;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::Command;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use crate::scratch::{Run, Scratch};
use crate::{has_std, skip};

/// Has the kernel kill whoever asks for a socket that is not a local one: the program and all that
/// it starts.
fn without_sockets(command: &mut Command) -> &mut Command {
    let filter = filter();
    // SAFETY: between fork and exec, a system call each; nothing is allocated.
    #[allow(unsafe_code, reason = "std has no safe way to set a child up before its exec")]
    unsafe {
        command
            .pre_exec(move || apply_filter(&filter).map_err(|_| std::io::ErrorKind::Other.into()))
    }
}

fn filter() -> BpfProgram {
    let local = u64::from(libc::AF_UNIX.unsigned_abs());
    let other = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, local).unwrap();
    let rules = [(libc::SYS_socket, vec![SeccompRule::new(vec![other]).unwrap()])];
    let arch = TargetArch::try_from(std::env::consts::ARCH).unwrap();
    let kill = SeccompAction::KillProcess;
    let filter = SeccompFilter::new(rules.into_iter().collect(), SeccompAction::Allow, kill, arch);
    filter.unwrap().try_into().unwrap()
}

#[test]
fn offline_opens_no_socket() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("sockets");
    scratch.run(&["fetch"]).ok();
    // The filter works: who looks for a mirror on a server is killed.
    let mut asking = scratch.told(env!("CARGO_BIN_EXE_xtask"));
    asking.args(["fetch", "--mirror", "http://127.0.0.1:9/", "--store"]).arg(scratch.at("empty"));
    let run = Run::of(without_sockets(&mut asking));
    assert_eq!(run.status.signal(), Some(libc::SIGSYS), "{}", run.all());

    for command in ["fetch", "plan", "sysroot", "dist", "dist"] {
        Run::of(without_sockets(&mut scratch.command(&[command, "--offline"]))).ok();
    }
    // Neither when something is missing.
    let mut missing = scratch.told(env!("CARGO_BIN_EXE_xtask"));
    missing.args(["dist", "--offline", "--store"]).arg(scratch.at("other"));
    Run::of(without_sockets(&mut missing))
        .fails(6, &["offline, and the store has not:", "tiny 1.0"]);
}

#[test]
fn a_machine_without_any_network_is_enough() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("no-network");
    scratch.run(&["fetch"]).ok();
    let Some(run) = unshared(&scratch, "-n", &["dist", "--offline"], "") else { return };
    run.ok();
}

/// Runs the xtask in namespaces of its own, as their root, after a line of shell; nothing where the
/// machine forbids that.
fn unshared(scratch: &Scratch, flags: &str, arguments: &[&str], before: &str) -> Option<Run> {
    let can = Run::of(scratch.plain("unshare").args(["-r", flags, "true"])).status.success();
    if !can {
        skip("this machine lets nobody make namespaces");
        return None;
    }
    let script = format!("{before} exec \"$@\"");
    let mut command = scratch.told("unshare");
    command.args(["-r", flags, "sh", "-ec", &script, "sh", env!("CARGO_BIN_EXE_xtask")]);
    Some(Run::of(command.args(arguments)))
}

#[test]
fn cargo_may_have_an_empty_home_or_one_that_nobody_can_write() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("cargo-home");
    let home = scratch.at("cargo");
    fs::create_dir(&home).unwrap();
    let freeze = format!(
        "mount --bind '{0}' '{0}'; mount -o remount,bind,ro '{0}'; export CARGO_HOME='{0}' HOME='{0}';",
        home.display()
    );
    let mirror = scratch.mirror();
    let arguments = ["--mirror", mirror.to_str().unwrap(), "dist"];
    if let Some(run) = unshared(&scratch, "-m", &arguments, &freeze) {
        run.ok();
    }
    Run::of(scratch.command(&["dist"]).env("CARGO_HOME", &home)).ok();
}

#[test]
fn no_home_is_needed_where_the_store_has_a_place() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("homeless");
    Run::of(scratch.command(&["dist"]).env_remove("HOME")).ok();
    let mut command = scratch.command(&["sysroot", "tiny"]);
    let words =
        ["there is no place for the store: HOME is not set", "`--store DIR` or MUSLIN_STORE"];
    Run::of(command.env_remove("HOME").env_remove("MUSLIN_STORE")).fails(2, &words);
    let mut command = scratch.command(&["sysroot", "tiny"]);
    let words = ["cannot write to the store /proc/.cache/muslin", "`--store DIR` or MUSLIN_STORE"];
    Run::of(command.env("HOME", "/proc").env_remove("MUSLIN_STORE")).fails(1, &words);
}

#[test]
fn a_checkout_may_be_on_a_file_system_that_nobody_can_write() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("read-only");
    let freeze = format!(
        "mount --bind '{0}' '{0}'; mount -o remount,bind,ro '{0}'; export MUSLIN_STORE='{1}' CARGO_TARGET_DIR='{2}';",
        scratch.workspace().display(),
        scratch.at("store").display(),
        scratch.at("target").display(),
    );
    let mirror = scratch.mirror();
    let arguments = ["--mirror", mirror.to_str().unwrap(), "dist"];
    // Cargo has to write the lock file that is not there.
    let Some(run) = unshared(&scratch, "-m", &arguments, &freeze) else { return };
    run.fails(1, &["Cargo.lock", "Read-only file system"]);
    scratch.run(&["dist"]).ok();
    let lock = scratch.target().join("muslin/Cargo.lock");
    fs::copy(lock, scratch.workspace().join("app/Cargo.lock")).unwrap();
    unshared(&scratch, "-m", &arguments, &freeze).unwrap().ok();
    assert!(scratch.at("target/dist").is_dir());
}
