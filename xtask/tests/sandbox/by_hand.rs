//! The sandbox by hand: `cargo xtask shell STEP` after a failure and without one, and what
//! `--keep-failed=never` leaves.

use crate::{Machine, Workshop};

/// Writes down what a program sees that could be another thing by hand.
const LOOK: &str = "ls -A / /build /etc /dev /tmp | sort; env | grep -v SHLVL | sort; id; pwd; hostname; \
    umask; ulimit -n; ls /proc | grep -v '^[0-9]'; cut -d' ' -f5,6 /proc/self/mountinfo | sort; \
    test -e /etc/hostname || echo gone; echo x > /build/dependencies/x || echo closed";

const FAILS: &str = "#!/bin/sh\necho changed >> notes\n. ./look > seen\nexit 3\n";

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
    let run = run.fails(1, &["`env ./configure --prefix=/usr` failed with exit code 3"]);
    // As it failed: with what the script has changed, and in the same sandbox.
    assert_eq!(shell(&workshop, &["cat", "notes"]), "new\nchanged\n");
    let seen = shell(&workshop, &["cat", "seen"]);
    assert_eq!(shell(&workshop, &look), seen);
    assert_eq!(fresh, seen);
    // The command that the failure names does the same again.
    run.says(
        "that command again by hand: cargo xtask shell looks -- env ./configure --prefix=/usr\n",
    );
    let words =
        ["shell", "looks", "--toolchain", "zig", "--", "env", "./configure", "--prefix=/usr"];
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
