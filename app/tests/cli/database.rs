//! The database file: where it is, what is refused, and several certwatches at once.

use std::fs;
use std::process::Stdio;

use rusqlite::Connection;

use crate::pki::{local, root};
use crate::run::{Sandbox, collect, finish};
use crate::server::Server;

#[test]
fn the_flag_precedes_the_variable_precedes_the_data_directory() {
    let sandbox = Sandbox::new();
    let run = |flag: &[&str], vars: &[(&str, &str)]| {
        let mut command = sandbox.bare(&[flag, &["add", "a.example"]].concat());
        command.envs(vars.iter().map(|(name, dir)| (*name, sandbox.folder.join(dir))));
        let ran = finish(&mut command);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    };
    let all = [("HOME", "home"), ("XDG_DATA_HOME", "xdg"), ("CERTWATCH_DB", "var.db")];
    let made = |file: &str| fs::remove_file(sandbox.folder.join(file)).is_ok();
    run(&["--db", "flag.db"], &all);
    assert!(made("flag.db") && !made("var.db"));
    run(&[], &all);
    assert!(made("var.db") && !made("xdg/certwatch/certwatch.db"));
    run(&[], &all[..2]);
    assert!(
        made("xdg/certwatch/certwatch.db") && !made("home/.local/share/certwatch/certwatch.db")
    );
    run(&[], &all[..1]);
    assert!(made("home/.local/share/certwatch/certwatch.db"));
}

#[test]
fn without_home_it_names_the_options() {
    let sandbox = Sandbox::new();
    for args in [&["list"][..], &["add", "a.example"], &["check"], &["history", "a.example"]] {
        finish(&mut sandbox.bare(args)).fails(1, &["HOME", "--db", "CERTWATCH_DB"]);
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let sandbox = Sandbox::new();
    let text = "This is a letter and not a database.\n".repeat(50);
    fs::write(sandbox.db(), &text).expect("write the letter");
    for args in [&["list"][..], &["add", "a.example"], &["check", "127.0.0.1:1"]] {
        sandbox.run(args).fails(1, &["hosts.db is not a certwatch database, or is damaged"]);
    }
    assert_eq!(fs::read_to_string(sandbox.db()).expect("read the letter"), text);
}

#[test]
fn a_database_with_a_damaged_page_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["add", "a.example"]);
    let mut bytes = fs::read(sandbox.db()).expect("read the database");
    // The header stays; the pages of the tables do not.
    let page = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    bytes[page..].fill(0xff);
    fs::write(sandbox.db(), bytes).expect("damage the database");
    sandbox.run(&["list"]).fails(1, &["malformed"]);
}

#[test]
fn a_newer_database_and_a_foreign_one_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["add", "a.example"]);
    let db = Connection::open(sandbox.db()).expect("open the database");
    db.pragma_update(None, "user_version", 99).expect("claim a version");
    sandbox.run(&["list"]).fails(1, &["hosts.db", "version 99", "newer certwatch"]);

    let foreign = sandbox.folder.join("foreign.db");
    let db = Connection::open(foreign).expect("make a database");
    db.execute_batch("CREATE TABLE songs (name TEXT)").expect("make a table");
    sandbox.run(&["--db", "foreign.db", "add", "a.example"]).fails(1, &["another program"]);
}

#[test]
fn a_folder_that_is_not_there_is_a_clear_error() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["--db", "missing/hosts.db", "add", "a.example"]);
    ran.fails(1, &["cannot open the database missing/hosts.db"]);
    sandbox.run(&["--db", ".", "list"]).fails(1, &["cannot open the database ."]);
}

#[test]
fn several_certwatches_share_one_database() {
    let (sandbox, ca) = (Sandbox::new(), root("Test Root"));
    ca.write_pem(&sandbox.folder, "ca.pem");
    let server = Server::tls(&ca.leaf(&local(90)));
    let host = server.host();

    let together = |args: Vec<Vec<&str>>| {
        let start = |args: &Vec<&str>| {
            let mut command = sandbox.command(args);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().expect("start certwatch")
        };
        let children: Vec<_> = args.iter().map(start).collect();
        for ran in children.into_iter().map(collect) {
            assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        }
    };
    // All of them find no database and make it.
    together(vec![vec!["add", &host]; 6]);
    together(vec![vec!["check", "--ca-file", "ca.pem"]; 6]);
    let history = sandbox.run(&["history", &host, "--json"]).json();
    assert_eq!(history.as_array().map(Vec::len), Some(6), "{history}");
}

#[test]
fn findings_are_printed_even_if_the_history_cannot_be_written() {
    let (sandbox, ca) = (Sandbox::new(), root("Test Root"));
    ca.write_pem(&sandbox.folder, "ca.pem");
    let server = Server::tls(&ca.leaf(&local(90)));
    sandbox.ok(&["add", &server.host()]);
    let db = Connection::open(sandbox.db()).expect("open the database");
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON checks
                  BEGIN SELECT RAISE(ABORT, 'as if the disk were full'); END";
    db.execute_batch(refuse).expect("make the trigger");
    let ran = sandbox.run(&["check", "--ca-file", "ca.pem"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.starts_with("ok "), "{ran:?}");
    assert!(ran.err.contains("the history could not be written: as if the disk"), "{ran:?}");
}
