//! Outputs that would take something of the machine along, or that are no files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::scratch::Run;
use crate::{Machine, Workshop, probe};

/// Scripts, and the words by which the output that they make is refused.
const REFUSED: [(&str, &str, &str); 9] = [
    (
        "passwd",
        "ln -sf /etc/passwd usr/include/report.h",
        "link to /etc/passwd, which was not installed",
    ),
    ("dangling", "ln -sf nothing usr/include/report.h", "link to nothing, which was not installed"),
    ("upward", "ln -sf ../../../../build.log usr/include/report.h", "was not installed"),
    ("pipe", "rm usr/include/report.h\nmkfifo usr/include/report.h", "neither a file nor a link"),
    ("loop", "ln -sf report.h usr/include/report.h", "was not installed"),
    ("folder", "mkdir usr/f\nln -sf ../f usr/include/report.h", "neither a file nor a link"),
    (
        "huge",
        "truncate=$(dd if=/dev/null of=usr/include/report.h bs=1M seek=2000)",
        "larger than 1024 MiB",
    ),
    ("usr", "mv usr other\nln -s /etc usr", "installed nothing below /usr"),
    (
        "include",
        "rm -r usr/include\nln -s /usr/include usr/include",
        "did not make what its recipe declares",
    ),
];

#[test]
fn an_output_that_leads_out_or_is_no_file_is_refused() {
    let Some(workshop) = Workshop::new("refused", Machine::Whole) else { return };
    for (name, script, words) in REFUSED {
        workshop.scripted(name, script);
        let run = workshop.run(&["sysroot", name, "--toolchain", "zig"]).fails(1, &[words]);
        assert!(!run.stderr.contains("panicked"), "{}", run.all());
        let made = workshop.scratch.stored("entries-v1");
        assert!(!made.iter().any(|entry| entry.starts_with(&format!("{name}-"))), "{made:?}");
    }
}

#[test]
fn an_output_is_a_plain_file_whatever_was_installed() {
    let Some(workshop) = Workshop::new("plain", Machine::Whole) else { return };
    let script = "echo one > usr/include/other.h\nln -sf other.h usr/include/report.h\n\
        chmod 6751 usr/include/other.h\nln usr/include/other.h usr/include/again.h\n";
    workshop.scripted("plain", script);
    workshop.run(&["sysroot", "plain", "--toolchain", "zig"]).ok();
    let file = workshop.output("plain", "include/report.h");
    let data = fs::symlink_metadata(&file).unwrap();
    assert!(data.is_file());
    assert_eq!(data.permissions().mode() & 0o7777, 0o755);
    assert_eq!(fs::read_to_string(&file).unwrap(), "one\n");
}

/// The memory of the xtask is limited, so that a log in memory would be the end of it.
#[test]
fn a_log_without_end_fills_no_memory() {
    let Some(workshop) = Workshop::new("log", Machine::Whole) else { return };
    workshop.scripted("log", "yes 'much ado' | head -c 300000000\necho the last word\nexit 3\n");
    let command = workshop.command(&["sysroot", "log", "--toolchain", "zig"]);
    let mut limited = crate::process::command("sh");
    limited.args(["-c", "ulimit -d 200000; exec \"$@\"", "sh"]);
    limited.arg(command.get_program()).args(command.get_args()).env_clear();
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.current_dir(command.get_current_dir().unwrap());
    let run = Run::of(&mut limited).fails(1, &["exit code 3", "the last word", "the whole log: "]);
    assert!(run.stderr.len() < 10_000, "{}", run.stderr.len());
}

#[test]
fn a_device_is_no_output_even_where_root_made_it() {
    let Some(workshop) = Workshop::new("device", Machine::NoUserNamespaces) else { return };
    let script = "#!/bin/sh\nmkdir -p usr/include\n./probe device usr/include/report.h\n";
    let makefile = "all:\ninstall:\n\tmkdir -p $(DESTDIR)\n\tmv usr $(DESTDIR)/\n";
    let files = [
        ("configure", script.as_bytes()),
        ("Makefile", makefile.as_bytes()),
        ("probe", probe(&workshop)),
    ];
    workshop.configured("device", &files, "");
    let words = ["did not make what its recipe declares"];
    workshop.run(&["sysroot", "device", "--toolchain", "zig"]).fails(1, &words);
}
