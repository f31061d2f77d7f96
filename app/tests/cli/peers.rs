//! Peers that let no handshake come about: closed, silent, slow, or speaking something else.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use openssl::ssl::{SslVerifyMode, SslVersion};
use serde_json::Value;

use crate::pki::{local, root};
use crate::run::Sandbox;
use crate::server::{Server, drain};

/// Checks `host` with a time limit of two seconds, which must fail with `outcome`.
#[track_caller]
fn failure(host: &str, outcome: &str) -> Value {
    let sandbox = Sandbox::new();
    root("Test Root").write_pem(&sandbox.folder, "ca.pem");
    let ran = sandbox.run(&["check", host, "--ca-file", "ca.pem", "--json", "--timeout", "2"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let report = ran.json()[0].take();
    assert_eq!(report["outcome"], outcome, "{report}");
    report
}

#[track_caller]
fn says(report: &Value, words: &str) {
    let message = report["message"].as_str().expect("a message");
    assert!(message.contains(words), "{words:?} is not in {message:?}");
}

#[test]
fn a_closed_port_is_unreachable() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listen");
    let host = listener.local_addr().expect("the address").to_string();
    drop(listener);
    let report = failure(&host, "unreachable");
    says(&report, "refuses the connection");
    assert_eq!(report["certificates"], Value::Array(vec![]));
    assert!(report["not_after"].is_null() && report["protocol"].is_null(), "{report}");
}

#[test]
fn a_peer_that_never_answers_is_left_after_the_time_limit() {
    let server = Server::raw(|socket| drain(&socket));
    let start = Instant::now();
    let report = failure(&server.host(), "timeout");
    says(&report, "within 2 s");
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_peer_that_dribbles_is_left_after_the_time_limit() {
    // The head of a record of 16 KB, and then a byte now and then.
    let server = Server::raw(|mut socket| {
        let mut going = socket.write_all(&[22, 3, 3, 0x40, 0]).is_ok();
        while going {
            thread::sleep(Duration::from_millis(100));
            going = socket.write_all(&[2]).is_ok();
        }
    });
    let start = Instant::now();
    says(&failure(&server.host(), "timeout"), "handshake");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn plain_http_is_recognised() {
    let server = Server::raw(|mut socket| {
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        drain(&socket);
    });
    says(&failure(&server.host(), "not-tls"), "plain HTTP");
}

#[test]
fn another_protocol_is_quoted_without_its_control_characters() {
    let server = Server::raw(|mut socket| {
        let _ = socket.write_all(b"220 mail\x1b.example ESMTP\r\n");
        drain(&socket);
    });
    says(&failure(&server.host(), "not-tls"), "\"220 mail\\u{1b}.example ESMTP\"");
}

#[test]
fn a_peer_that_hangs_up_is_a_tls_error() {
    let server = Server::raw(drop);
    says(&failure(&server.host(), "tls-error"), "closed the connection");
}

#[test]
fn a_handshake_refused_after_the_certificate_still_tells_its_dates() {
    let identity = root("Somebody").leaf(&local(90));
    let server = Server::tls_at(Ipv4Addr::LOCALHOST.into(), &identity, |settings| {
        let _ = settings.set_max_proto_version(Some(SslVersion::TLS1_2));
        settings.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    });
    let report = failure(&server.expect("a server").host(), "tls-error");
    says(&report, "the handshake failed");
    assert_eq!(report["days_left"], 90);
    assert_eq!(report["problems"][0]["kind"], "untrusted");
}

#[test]
fn a_name_that_cannot_be_is_unresolved() {
    // RFC 6761: `.invalid` is never resolved. Without a network the look-up may only end by the limit.
    let sandbox = Sandbox::new();
    root("Test Root").write_pem(&sandbox.folder, "ca.pem");
    let args = ["check", "nowhere.invalid", "--ca-file", "ca.pem", "--json", "--timeout", "2"];
    let ran = sandbox.run(&args);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let outcome = ran.json()[0]["outcome"].clone();
    assert!(outcome == "unresolved" || outcome == "timeout", "{ran:?}");
}

#[test]
fn silent_peers_are_waited_for_side_by_side() {
    let server = Server::raw(|socket| drain(&socket));
    let sandbox = Sandbox::new();
    root("Test Root").write_pem(&sandbox.folder, "ca.pem");
    // Every 127.x address is this machine, but only 127.0.0.1 is listened on: these are one silent peer
    // and many closed ones, and the order is that of the arguments all the same.
    let hosts: Vec<_> = (1..=20).map(|n| format!("127.0.0.{n}:{}", server.port())).collect();
    let mut args = vec!["check", "--ca-file", "ca.pem", "--json", "--timeout", "1", "--jobs", "4"];
    args.extend(hosts.iter().map(String::as_str));
    let ran = sandbox.run(&args);
    let json = ran.json();
    let reports = json.as_array().expect("an array");
    let got: Vec<_> = reports
        .iter()
        .map(|r| format!("{}:{}", r["host"].as_str().unwrap_or(""), r["port"]))
        .collect();
    assert_eq!(got, hosts);
    assert_eq!(reports[0]["outcome"], "timeout");
    assert!(reports[1..].iter().all(|r| r["outcome"] == "unreachable"), "{json}");
}
