//! The sandbox by hand: `cargo xtask shell STEP` after a failure and without one, and what
//! `--keep-failed=never` leaves.

use std::io;
use std::os::unix::process::CommandExt as _;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

use crate::scratch::Run;
use crate::{Machine, Workshop, process};

/// Writes down what a program sees that could be another thing by hand.
const LOOK: &str = "ls -A / /build /etc /dev /tmp | sort; env | grep -v SHLVL | sort; id; pwd; hostname; \
    umask; ulimit -n; ls /proc | grep -v '^[0-9]'; cut -d' ' -f5,6 /proc/self/mountinfo | sort; \
    test -e /etc/hostname || echo gone; echo x > /build/dependencies/x || echo closed";

const FAILS: &str = "#!/bin/sh\necho changed >> notes\n. ./look > seen\nexit 3\n";

/// How such a script is called.
const COMMAND: &str = "sh ./configure --prefix=/usr --libdir=/usr/lib --build=x86_64-pc-linux-gnu \
    --disable-shared --enable-static --disable-dependency-tracking --host=x86_64-linux-musl";

/// A library whose script looks around and fails.
fn write(workshop: &Workshop) {
    let look = format!("{LOOK}\n");
    let files = [("configure", FAILS.as_bytes()), ("look", look.as_bytes()), ("notes", b"new\n")];
    workshop.configured("looks", &files, "");
}

fn shell(workshop: &Workshop, words: &[&str]) -> String {
    let mut all = vec!["shell", "looks", "--toolchain", "zig", "--"];
    all.extend(words);
    workshop.run(&all).ok().stdout
}

#[test]
fn a_shell_sees_what_the_step_saw() {
    let Some(workshop) = Workshop::new("by-hand", Machine::Whole) else { return };
    write(&workshop);
    let look = ["sh", "-c", ". ./look"];
    let fresh = shell(&workshop, &look);
    assert!(fresh.contains("\ngone\n") && fresh.ends_with("closed\n"), "{fresh}");
    assert_eq!(shell(&workshop, &["cat", "notes"]), "new\n");
    let run = workshop.run(&["sysroot", "looks", "--toolchain", "zig"]);
    let run = run.fails(1, &[&format!("`{COMMAND}` failed with exit code 3")]);
    // As it failed: with what the script has changed, and in the same sandbox.
    assert_eq!(shell(&workshop, &["cat", "notes"]), "new\nchanged\n");
    let seen = shell(&workshop, &["cat", "seen"]);
    assert_eq!(shell(&workshop, &look), seen);
    assert_eq!(fresh, seen);
    // The command that the failure names does the same again.
    run.says(&format!("that command again by hand: cargo xtask shell looks -- {COMMAND}\n"));
    let mut words = vec!["shell", "looks", "--toolchain", "zig", "--"];
    words.extend(COMMAND.split(' '));
    workshop.run(&words).fails(3, &["Entering looks as it failed"]);
    assert_eq!(shell(&workshop, &["cat", "notes"]), "new\nchanged\nchanged\n");
}

#[test]
fn a_tree_that_is_not_kept_is_made_anew() {
    let Some(workshop) = Workshop::new("not-kept", Machine::Whole) else { return };
    write(&workshop);
    let command = ["sysroot", "looks", "--toolchain", "zig", "--keep-failed=never"];
    workshop.run(&command).fails(1, &["failed with exit code 3", "the whole log: "]);
    let [failed] = &workshop.scratch.stored("failed-v1")[..] else { panic!("one folder") };
    let left = crate::scratch::names(&workshop.scratch.store().join("failed-v1").join(failed));
    assert!(!left.iter().any(|name| name == "source"), "{left:?}");
    assert_eq!(shell(&workshop, &["cat", "notes"]), "new\n");
    let look = shell(&workshop, &["sh", "-c", ". ./look"]);
    assert!(look.contains("\ngone\n") && look.ends_with("closed\n"), "{look}");
    assert_eq!(workshop.scratch.stored("tmp"), [""; 0]);
}

/// Linux before 5.9 has no call that closes all files at once; a filter makes this one such.
#[test]
fn open_files_are_closed_on_an_old_kernel_too() {
    let Some(workshop) = Workshop::new("old-kernel", Machine::Whole) else { return };
    write(&workshop);
    let words = ["shell", "looks", "--toolchain", "zig", "--", "sh", "-c", "echo /proc/self/fd/*"];
    let inner = workshop.command(&words);
    let mut command = process::command("sh");
    command.args(["-c", "exec 7< / 8< /etc; exec \"$@\"", "sh"]);
    command.arg(inner.get_program()).args(inner.get_args()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(workshop.scratch.workspace());
    let calls = [(libc::SYS_close_range, vec![])].into_iter().collect();
    let refuse = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let arch = TargetArch::try_from(std::env::consts::ARCH).unwrap();
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, refuse, arch).unwrap();
    let filter: BpfProgram = filter.try_into().unwrap();
    // SAFETY: two system calls between fork and exec.
    #[allow(unsafe_code, reason = "std has no safe way to set a child up before its exec")]
    unsafe {
        command.pre_exec(move || apply_filter(&filter).map_err(|_| io::ErrorKind::Other.into()));
    }
    // The shell opens the folder to read it, and has closed it when it writes the names.
    let said = Run::of(&mut command).ok().stdout;
    assert_eq!(said.replace("/proc/self/fd/", ""), "0 1 2 3\n");
}
