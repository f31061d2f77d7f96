//! A build whose Muslin is gone, or was told to go, is gone with all that it has started.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Machine, Workshop, processes_with};

fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_there() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A library whose script never ends, and has left another process; `first` and `second` are how long
/// they sleep, by which they are found.
fn begun(workshop: &Workshop, first: &str, second: &str) -> Child {
    workshop.scripted("endless", &format!("sleep {first} &\nsleep {second}\n"));
    let mut command = workshop.command(&["sysroot", "endless"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the script", || {
        !processes_with(&format!("sleep {first}")).is_empty()
            && !processes_with(&format!("sleep {second}")).is_empty()
    });
    child
}

fn leaves_nothing(machine: Machine, name: &str) {
    let Some(workshop) = Workshop::new(name, machine) else { return };
    for (number, signal) in [Signal::KILL, Signal::INT, Signal::TERM].into_iter().enumerate() {
        let [first, second] =
            [1, 2].map(|which| format!("{}{which}{number}", 400_000 + std::process::id()));
        let mut child = begun(&workshop, &first, &second);
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(signal.as_raw()));
        wait_for("the end of the script", || {
            processes_with(&first).is_empty() && processes_with(&second).is_empty()
        });
    }
}

#[test]
fn a_step_ends_with_muslin() {
    leaves_nothing(Machine::Whole, "ends");
}

#[test]
fn a_step_ends_with_muslin_where_root_has_no_user_namespaces() {
    leaves_nothing(Machine::NoUserNamespaces, "ends-root");
}

#[test]
fn a_step_ends_with_muslin_where_there_are_no_namespaces() {
    leaves_nothing(Machine::NoNamespaces, "ends-landlock");
}
