//! Runs that end in the middle, and runs that meet.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::scratch::{Run, Scratch};

/// The library `slow` says when its build has begun, and ends when it may.
pub fn slow(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    let (started, go) = (scratch.at("started"), scratch.at("go"));
    let configure = format!(
        "#!/bin/sh\necho begun >> '{}'\nwhile [ ! -e '{}' ]; do sleep 0.05; done\n",
        started.display(),
        go.display()
    );
    let makefile =
        "install:\n\tmkdir -p $(DESTDIR)/usr/include\n\techo > $(DESTDIR)/usr/include/slow.h\n";
    let source = scratch.source("slow", &[("configure", &configure), ("Makefile", makefile)]);
    let recipe = format!(
        "description = \"Slow\"\nversion = \"1.0\"\nlicense = \"MIT\"\ndependencies = [\"tiny\"]\n\
         tools = [\"busybox\", \"make\"]\n{source}[build.configure]\nscript = \"configure\"\ninstall = [\"install\"]\n\
         make = [\"install\"]\n[outputs]\ninclude = [\"slow.h\"]\n"
    );
    scratch.write("recipes/libraries/slow.toml", &recipe);
    scratch.write_tools();
    scratch
}

pub fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_there() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn begun(scratch: &Scratch) -> usize {
    fs::read_to_string(scratch.at("started")).unwrap_or_default().lines().count()
}

/// Starts a run; what it says goes to a file beside the workspace.
pub fn start(scratch: &Scratch, log: &str) -> Child {
    let log = fs::File::create(scratch.at(log)).unwrap();
    let mut command = scratch.command(&["sysroot", "slow"]);
    command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Processes that work below a folder.
fn processes_below(folder: &Path) -> Vec<Pid> {
    let ids = crate::scratch::names(Path::new("/proc"));
    let works_there = |id: &&i32| {
        let current = fs::read_link(format!("/proc/{id}/cwd"));
        current.is_ok_and(|current| current.starts_with(folder))
    };
    let ids: Vec<i32> = ids.iter().filter_map(|name| name.parse().ok()).collect();
    ids.iter().filter(works_there).filter_map(|id| Pid::from_raw(*id)).collect()
}

/// The next run carries on: neither `tiny` nor the tools are compiled again, nothing is left over.
fn carries_on(scratch: &Scratch) {
    const ALL: [&str; 4] = ["one.c", "pass.c", "pass.c", "two.c"];
    assert_eq!(scratch.compiled_files(), ALL);
    fs::write(scratch.at("go"), "").unwrap();
    let run = scratch.run(&["sysroot", "slow", "--message-format", "json"]).ok();
    let steps = run.steps();
    assert_eq!((steps["tiny"].as_str(), steps["slow"].as_str()), ("fresh", "built"));
    assert_eq!(scratch.compiled_files(), ALL);
    assert_eq!(scratch.stored("tmp"), [""; 0]);
    assert_eq!(scratch.stored("failed-v1"), [""; 0]);
}

#[test]
fn ctrl_c_leaves_nothing_half_made() {
    for (name, number) in [("int", Signal::INT), ("term", Signal::TERM)] {
        let scratch = slow(&format!("ctrl-c-{name}"));
        let mut child = start(&scratch, "log");
        wait_for("the build", || begun(&scratch) == 1);
        assert!(!processes_below(&scratch.store()).is_empty());
        signal(&child, number);
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(number.as_raw()), "{status}");
        assert_eq!(processes_below(&scratch.store()), []);
        assert_eq!(scratch.stored("tmp"), [""; 0]);
        let said = fs::read_to_string(scratch.at("log")).unwrap();
        assert!(!said.contains("error"), "{said}");
        carries_on(&scratch);
    }
}

#[test]
fn a_killed_run_is_swept_up_after() {
    let scratch = slow("killed");
    let mut child = start(&scratch, "log");
    wait_for("the build", || begun(&scratch) == 1);
    child.kill().unwrap();
    child.wait().unwrap();
    // Nobody can end the children of a process that is killed outright; here they would wait for ever.
    for process in processes_below(&scratch.store()) {
        let _ = kill_process(process, Signal::KILL);
    }
    assert_eq!(scratch.stored("tmp").len(), 1);
    carries_on(&scratch);
}

#[test]
fn of_two_runs_at_once_one_builds_and_one_waits() {
    let scratch = slow("two");
    let mut first = start(&scratch, "first");
    wait_for("the build", || begun(&scratch) == 1);
    let mut second = start(&scratch, "second");
    let says = || fs::read_to_string(scratch.at("second")).unwrap_or_default();
    wait_for("the second run", || {
        says().contains("Waiting for another process that makes slow-1.0-")
    });
    fs::write(scratch.at("go"), "").unwrap();
    for child in [&mut first, &mut second] {
        let status = child.wait().unwrap();
        assert!(status.success(), "{status}: {}", says());
    }
    assert_eq!(begun(&scratch), 1);
    assert_eq!(scratch.stored("tmp"), [""; 0]);
}

#[test]
fn two_libraries_of_many_files_do_not_wait_for_each_others_tokens() {
    let scratch = Scratch::new("tokens");
    for name in ["left", "right"] {
        let files: Vec<(String, String)> =
            (0..6).map(|i| (format!("{i}.c"), format!("int {name}_{i};\n"))).collect();
        let files: Vec<_> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let source = scratch.source(name, &files);
        let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
        let recipe = format!(
            "description = \"Many files\"\nversion = \"1.0\"\nlicense = \"MIT\"\n{source}\
             [build.compile]\nsources = {names:?}\n[outputs]\nlibs = [\"{name}\"]\n"
        );
        scratch.write(&format!("recipes/libraries/{name}.toml"), &recipe);
    }
    let mut command = scratch.command(&["sysroot", "left", "right", "--jobs", "2"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut status = None;
    let deadline = Instant::now() + Duration::from_secs(60);
    while status.is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
        status = child.try_wait().unwrap();
    }
    let _ = child.kill();
    child.wait().unwrap();
    assert!(status.is_some_and(|status| status.success()), "{status:?}");
    assert_eq!(scratch.compiled_files().len(), 12);
}

#[test]
fn the_result_of_a_step_is_kept_when_another_fails() {
    let scratch = Scratch::new("kept");
    scratch.write("recipes/libraries/bad.toml", &scratch.library("bad", "", "#error no\n"));
    scratch.run(&["sysroot", "bad", "tiny", "--jobs", "2"]).fails(1, &["building bad 1.0 failed"]);
    scratch.forget();
    scratch.run(&["sysroot", "tiny"]).ok();
    let compiled = scratch.compiled_files();
    assert!(compiled.is_empty() || compiled == ["one.c", "two.c"], "half of tiny: {compiled:?}");
    scratch.forget();
    Run::of(&mut scratch.command(&["sysroot", "tiny"])).ok();
    assert_eq!(scratch.compiled_files(), [""; 0]);
}
