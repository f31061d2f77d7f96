//! Where the CA certificates are taken from, and what is said when there are none.

use std::fs;

use serde_json::Value;

use crate::pki::{local, root};
use crate::run::{Ran, Sandbox, finish};
use crate::server::Server;

/// Checks `host` with these variables set to paths in the sandbox.
fn check(sandbox: &Sandbox, host: &str, flags: &[&str], vars: &[(&str, &str)]) -> Ran {
    let mut command = sandbox.command(&[&["check", host, "--json"], flags].concat());
    command.envs(vars.iter().map(|(name, file)| (*name, sandbox.folder.join(file))));
    finish(&mut command)
}

/// The file name of the CA certificates that a run used.
fn used(ran: &Ran) -> String {
    match &ran.json()[0]["ca"] {
        Value::String(path) => path.rsplit('/').next().unwrap_or_default().to_string(),
        other => panic!("no path: {other}"),
    }
}

#[test]
fn the_flag_precedes_the_variables() {
    let (sandbox, ca) = (Sandbox::new(), root("Test Root"));
    ca.write_pem(&sandbox.folder, "good.pem");
    root("Stranger").write_pem(&sandbox.folder, "other.pem");
    fs::create_dir(sandbox.folder.join("certs")).expect("make a folder");
    ca.write_pem(&sandbox.folder, "certs/any-name.pem");
    let server = Server::tls(&ca.leaf(&local(90)));
    let host = server.host();

    let both = [("SSL_CERT_FILE", "other.pem"), ("SSL_CERT_DIR", "certs")];
    let by_flag = check(&sandbox, &host, &["--ca-file", "good.pem"], &both);
    assert_eq!((by_flag.code, used(&by_flag)), (Some(0), "good.pem".into()));
    let by_file = check(&sandbox, &host, &[], &both);
    assert_eq!((by_file.code, used(&by_file)), (Some(1), "other.pem".into()));
    let by_folder = check(&sandbox, &host, &[], &both[1..]);
    assert_eq!((by_folder.code, used(&by_folder)), (Some(0), "certs".into()));
}

#[test]
fn a_bundle_holds_many() {
    let (sandbox, ca) = (Sandbox::new(), root("Test Root"));
    let one = fs::read(ca.write_pem(&sandbox.folder, "one.pem")).expect("read it");
    let other = root("Stranger").write_pem(&sandbox.folder, "other.pem");
    let other = fs::read(other).expect("read it");
    let bundle = [b"# The first\n", &other[..], b"# Twice\n", &one, &one].concat();
    fs::write(sandbox.folder.join("bundle.pem"), bundle).expect("write the bundle");
    let server = Server::tls(&ca.leaf(&local(90)));
    let text = sandbox.ok(&["check", &server.host(), "--ca-file", "bundle.pem", "-v"]);
    assert!(text.starts_with("CA certificates from bundle.pem (--ca-file): 2\n"), "{text}");
}

#[test]
fn a_named_file_that_does_not_serve_is_an_error() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.folder.join("blank.pem"), "nothing\n").expect("write the file");
    let host = "127.0.0.1:1";
    check(&sandbox, host, &["--ca-file", "no.pem"], &[])
        .fails(1, &["no.pem (--ca-file)", "No such file"]);
    check(&sandbox, host, &["--ca-file", "blank.pem"], &[]).fails(1, &["no PEM certificate"]);
    check(&sandbox, host, &[], &[("SSL_CERT_FILE", "no.pem")])
        .fails(1, &["no.pem (SSL_CERT_FILE)", "No such file"]);
}

#[test]
fn when_there_are_none_at_all_it_says_where_it_looked_and_what_helps() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.folder.join("empty")).expect("make a folder");
    let folders = format!("{0}/empty:{0}/missing", sandbox.folder.display());
    let ran = check(&sandbox, "127.0.0.1:1", &[], &[("SSL_CERT_DIR", &folders)]);
    ran.fails(
        1,
        &[
            "no CA certificates found",
            "/empty: no file in it holds a PEM certificate",
            "/missing: not there",
            "--ca-file or SSL_CERT_FILE",
        ],
    );
}
