//! Adding, listing, removing; the history; usage; and what the small programs print.

use std::fs::OpenOptions;
use std::io::Read;
use std::process::Stdio;

use serde_json::json;

use crate::pki::{local, root};
use crate::run::{Sandbox, collect, finish, program};
use crate::server::Server;

#[test]
fn hosts_are_added_listed_and_removed() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.ok(&["list"]), "");
    assert!(!sandbox.db().exists(), "reading makes no database");
    let added = sandbox.ok(&["add", "B.example", "[::1]:8443", "a.example:8443"]);
    assert_eq!(added, "added b.example:443\nadded [::1]:8443\nadded a.example:8443\n");
    assert_eq!(sandbox.ok(&["add", "b.example:443"]), "already there: b.example:443\n");

    let list = sandbox.ok(&["list"]);
    let lines: Vec<_> = list.lines().map(|l| l.split_once(' ').unwrap_or_default()).collect();
    let hosts: Vec<_> = lines.iter().map(|l| l.0).collect();
    assert_eq!(hosts, ["[::1]:8443", "a.example:8443", "b.example:443"]);
    assert!(lines.iter().all(|l| l.1.trim() == "never checked"), "{list}");

    assert_eq!(sandbox.ok(&["remove", "b.example"]), "removed b.example:443\n");
    let left = sandbox.run(&["list", "--json"]).json();
    let first = &left[0];
    assert_eq!(left.as_array().map(Vec::len), Some(2));
    assert_eq!((&first["last_check"], &first["port"]), (&json!(null), &json!(8443)));
    assert!(first["added"].as_str().is_some_and(|t| t.ends_with('Z')), "{left}");
}

#[test]
fn an_unknown_host_can_neither_be_removed_nor_has_it_a_history() {
    let sandbox = Sandbox::new();
    sandbox.run(&["remove", "a.example"]).fails(1, &["not remembered: a.example:443"]);
    sandbox.ok(&["add", "b.example"]);
    let ran = sandbox.run(&["remove", "a.example", "b.example", "c.example:1"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), "removed b.example:443\n"));
    assert!(ran.err.contains("not remembered: a.example:443, c.example:1"), "{ran:?}");
    sandbox.run(&["history", "b.example"]).fails(1, &["b.example:443 is not remembered"]);
}

#[test]
fn checks_of_remembered_hosts_make_their_history() {
    let (sandbox, ca) = (Sandbox::new(), root("Test Root"));
    ca.write_pem(&sandbox.folder, "ca.pem");
    let servers = [90, -1].map(|days| Server::tls(&ca.leaf(&local(days))));
    let [good, bad] = servers.each_ref().map(Server::host);
    sandbox.ok(&["add", &good]);
    assert_eq!(sandbox.run(&["history", &good, "--json"]).json(), json!([]));

    // The one that is not remembered is checked as well, but leaves no trace.
    let ran = sandbox.run(&["check", &good, &bad, "--ca-file", "ca.pem", "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let json = ran.json();
    assert_eq!((&json[0]["remembered"], &json[1]["remembered"]), (&json!(true), &json!(false)));
    sandbox.run(&["history", &bad]).fails(1, &["not remembered"]);

    sandbox.ok(&["check", "--ca-file", "ca.pem"]);
    drop(servers);
    assert_eq!(sandbox.run(&["check", "--ca-file", "ca.pem"]).code, Some(1));

    let history = sandbox.run(&["history", &good, "--json"]).json();
    let outcomes: Vec<_> =
        history.as_array().expect("an array").iter().map(|c| &c["outcome"]).collect();
    assert_eq!(outcomes, ["unreachable", "ok", "ok"]);
    assert_eq!(history[2]["issuer"], "CN=Test Root, O=certwatch tests");
    assert_eq!(history[2]["not_after"], json[0]["not_after"]);
    assert_eq!(history[2]["time"], json[0]["checked"]);
    assert!(history[0]["not_after"].is_null() && history[0]["issuer"].is_null(), "{history}");

    let text = sandbox.ok(&["history", &good]);
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.lines().last().is_some_and(|l| l.ends_with("CN=Test Root, O=certwatch tests")));
    let list = sandbox.run(&["list", "--json"]).json();
    assert_eq!(list[0]["last_check"], history[0]);

    sandbox.ok(&["remove", &good]);
    sandbox.ok(&["add", &good]);
    assert_eq!(sandbox.ok(&["history", &good]), "", "the history went with the host");
}

#[test]
fn checking_nothing_is_a_failure_that_says_what_to_do() {
    let sandbox = Sandbox::new();
    sandbox.run(&["check"]).fails(1, &["no hosts are remembered", "certwatch add"]);
    sandbox.ok(&["add", "a.example"]);
    sandbox.ok(&["remove", "a.example"]);
    sandbox.run(&["check", "--json"]).fails(1, &["no hosts are remembered"]);
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let sandbox = Sandbox::new();
    for args in [
        &[][..],
        &["frobnicate"],
        &["add"],
        &["remove"],
        &["history"],
        &["add", "https://a.example/"],
        &["add", "a.example:0"],
        &["add", "a.example:99999"],
        &["add", "a example"],
        &["add", "[::1"],
        &["check", "a.example", "--within", "soon"],
        &["check", "a.example", "--within", "-1"],
        &["check", "a.example", "--timeout", "0"],
        &["check", "a.example", "--jobs", "0"],
        &["list", "--within", "3"],
    ] {
        // clap ends what it has to say by naming the help.
        sandbox.run(args).fails(2, &["--help"]);
    }
    assert!(!sandbox.db().exists());
    sandbox.run(&["add", "https://a.example/"]).fails(2, &["without a scheme or a path"]);
}

#[test]
fn help_and_version_are_no_errors_and_tell_the_exit_codes() {
    let sandbox = Sandbox::new();
    let help = sandbox.ok(&["--help"]);
    for words in ["Exit codes:", "CERTWATCH_DB", "history", "check"] {
        assert!(help.contains(words), "{words:?} is not in {help}");
    }
    let check = sandbox.ok(&["check", "--help"]);
    for words in ["self-signed", "SSL_CERT_FILE", "certificates [subject, issuer"] {
        assert!(check.contains(words), "{words:?} is not in {check}");
    }
    assert_eq!(sandbox.ok(&["--version"]), format!("certwatch {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let sandbox = Sandbox::new();
    // Far more than a pipe holds, so that certwatch is still writing when the reader leaves.
    let hosts: Vec<_> =
        (0..4000).map(|n| format!("host-{n}.with-a-rather-long-name.example")).collect();
    let args: Vec<_> = ["add"].into_iter().chain(hosts.iter().map(String::as_str)).collect();
    sandbox.ok(&args);
    for args in [&["list"][..], &["list", "--json"]] {
        let mut command = sandbox.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("start certwatch");
        let mut pipe = child.stdout.take().expect("the pipe");
        pipe.read_exact(&mut [0; 10]).expect("ten bytes");
        drop(pipe);
        let ran = collect(child);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    }
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["add", "a.example"]);
    let full = OpenOptions::new().write(true).open("/dev/full").expect("open /dev/full");
    let mut command = sandbox.command(&["list"]);
    let child = command.stdin(Stdio::null()).stdout(full).stderr(Stdio::piped()).spawn();
    collect(child.expect("start certwatch")).fails(1, &["cannot write to standard output"]);
}

#[test]
fn the_small_programs_print_what_they_should() {
    let hello = finish(&mut program(env!("CARGO_BIN_EXE_hello")));
    assert_eq!((hello.code, hello.out.as_str()), (Some(0), "Hello, world!\n"));
    let sqlite = finish(&mut program(env!("CARGO_BIN_EXE_hello-sqlite")));
    assert_eq!(sqlite.code, Some(0), "{sqlite:?}");
    let rows = "Europa circles Jupiter\nTitan circles Saturn\nTriton circles Neptune\n";
    assert_eq!(sqlite.out, format!("SQLite {}\n{rows}", rusqlite::version()));
}
