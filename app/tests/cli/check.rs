//! `certwatch check`: chains that are well, and all the ways in which they are not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use crate::pki::{Identity, Leaf, YEAR, local, root, self_signed};
use crate::run::{Ran, Sandbox, finish};
use crate::server::Server;

/// A sandbox whose `ca.pem` is a CA.
fn with_ca() -> (Sandbox, Identity) {
    let (sandbox, ca) = (Sandbox::new(), root("Test Root"));
    ca.write_pem(&sandbox.folder, "ca.pem");
    (sandbox, ca)
}

fn check(sandbox: &Sandbox, hosts: &[&str]) -> Ran {
    sandbox.run(&[&["check", "--ca-file", "ca.pem", "--json"], hosts].concat())
}

/// Checks `identity` behind 127.0.0.1; asserts the exit code and outcome, and gives the host's object.
#[track_caller]
fn verdict(sandbox: &Sandbox, identity: &Identity, code: i32, outcome: &str) -> Value {
    let server = Server::tls(identity);
    let ran = check(sandbox, &[&server.host()]);
    assert_eq!(ran.code, Some(code), "{ran:?}");
    let report = ran.json()[0].take();
    assert_eq!(report["outcome"], outcome, "{report}");
    report
}

/// The kinds of a report's problems.
fn kinds(report: &Value) -> Vec<&str> {
    let problems = report["problems"].as_array().expect("an array");
    problems.iter().map(|p| p["kind"].as_str().expect("a kind")).collect()
}

#[test]
fn a_valid_chain_is_ok_and_the_json_has_the_documented_shape() {
    let (sandbox, ca) = with_ca();
    let server = Server::tls(&ca.leaf(&local(90)));
    let ran = check(&sandbox, &[&server.host()]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");

    let report = ran.json()[0].take();
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<_> = value.as_object().expect("an object").keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(
        keys(&report).join(" "),
        "address ca certificates checked days_left host issuer message not_after outcome port \
         problems protocol remembered"
    );
    assert_eq!(
        keys(&report["certificates"][0]).join(" "),
        "issuer names not_after not_before sent serial subject used"
    );
    assert_eq!(report["host"], "127.0.0.1");
    assert_eq!(report["port"], server.port());
    assert_eq!(report["remembered"], false);
    assert_eq!(report["outcome"], "ok");
    assert_eq!(report["message"], "90 days left");
    assert_eq!(report["days_left"], 90);
    assert_eq!(report["issuer"], "CN=Test Root, O=certwatch tests");
    assert_eq!(report["protocol"], "TLSv1.3");
    assert_eq!(report["ca"], "ca.pem");
    assert_eq!(report["problems"], json!([]));
    assert_eq!(report["not_after"], report["certificates"][0]["not_after"]);

    let leaf = &report["certificates"][0];
    assert_eq!(leaf["subject"], "CN=leaf, O=certwatch tests");
    assert_eq!(leaf["names"], json!(["127.0.0.1", "localhost"]));
    assert_eq!((&leaf["sent"], &leaf["used"]), (&json!(true), &json!(true)));
    let root = &report["certificates"][1];
    assert_eq!(root["subject"], "CN=Test Root, O=certwatch tests");
    assert_eq!(root["sent"], false);
}

#[test]
fn an_end_within_the_limit_has_its_own_exit_code() {
    let (sandbox, ca) = with_ca();
    let report = verdict(&sandbox, &ca.leaf(&local(12)), 3, "expiring");
    assert_eq!(report["message"], "12 days left");

    let server = Server::tls(&ca.leaf(&local(12)));
    let within = |days| {
        let host = server.host();
        sandbox.run(&["check", &host, "--ca-file", "ca.pem", "--within", days]).code
    };
    assert_eq!((within("12"), within("13")), (Some(0), Some(3)));
}

#[test]
fn an_intermediate_that_ends_soon_counts_and_is_named() {
    let (sandbox, ca) = with_ca();
    let chain = ca.intermediate("Middle", 5).leaf(&local(90));
    assert_eq!(chain.chain.len(), 2);
    let report = verdict(&sandbox, &chain, 3, "expiring");
    assert_eq!(report["message"], "5 days left for CN=Middle, O=certwatch tests");
    assert_eq!(report["certificates"][1]["not_after"], report["not_after"]);
}

#[test]
fn a_certificate_sent_needlessly_does_not_count() {
    let (sandbox, ca) = with_ca();
    let mut identity = ca.leaf(&local(90));
    identity.chain.push(ca.intermediate("Needless", -3).chain[0].clone());
    let report = verdict(&sandbox, &identity, 0, "ok");
    let used: Vec<_> = report["certificates"].as_array().expect("an array").iter().collect();
    assert_eq!(used[1]["subject"], "CN=Needless, O=certwatch tests");
    assert_eq!((&used[1]["sent"], &used[1]["used"]), (&json!(true), &json!(false)));
}

#[test]
fn an_expired_certificate_fails_and_its_dates_are_told() {
    let (sandbox, ca) = with_ca();
    let report = verdict(&sandbox, &ca.leaf(&local(-3)), 1, "expired");
    assert_eq!(report["days_left"], -3);
    let end = report["not_after"].as_str().expect("a time");
    assert_eq!(report["message"], format!("CN=leaf, O=certwatch tests ended {end}"));
    assert_eq!(kinds(&report), ["expired"]);
}

#[test]
fn an_expired_intermediate_fails_too() {
    let (sandbox, ca) = with_ca();
    let chain = ca.intermediate("Middle", -1).leaf(&local(90));
    let report = verdict(&sandbox, &chain, 1, "expired");
    assert!(report["message"].as_str().is_some_and(|m| m.starts_with("CN=Middle,")), "{report}");
}

#[test]
fn a_certificate_of_tomorrow_fails() {
    let (sandbox, ca) = with_ca();
    let leaf = ca.leaf(&Leaf { cn: "leaf", names: &["127.0.0.1"], from: 2, to: 90 });
    let report = verdict(&sandbox, &leaf, 1, "not-yet-valid");
    assert_eq!(kinds(&report), ["not-yet-valid"]);
}

#[test]
fn a_certificate_for_another_host_fails_and_says_for_which_it_is() {
    let (sandbox, ca) = with_ca();
    let leaf =
        ca.leaf(&Leaf { cn: "leaf", names: &["other.example", "192.0.2.7"], from: -1, to: 90 });
    let report = verdict(&sandbox, &leaf, 1, "wrong-host");
    let message = report["message"].as_str().expect("words");
    assert!(message.ends_with("is for other.example, 192.0.2.7, not for 127.0.0.1"), "{message}");
    assert_eq!(report["days_left"], 90);
}

#[test]
fn a_name_must_be_among_the_certificates_names() {
    let (sandbox, ca) = with_ca();
    // The common name has not counted for years.
    for names in [&["127.0.0.1"][..], &["other.example"], &["localhost.example", "*.localhost"]] {
        let server = Server::tls(&ca.leaf(&Leaf { cn: "localhost", names, from: -1, to: 90 }));
        let ran = check(&sandbox, &[&format!("localhost:{}", server.port())]);
        let report = ran.json()[0].take();
        assert_eq!((ran.code, &report["outcome"]), (Some(1), &json!("wrong-host")), "{report}");
        assert_eq!(kinds(&report), ["wrong-host"]);
    }
}

#[test]
fn a_self_signed_certificate_fails_unless_it_is_trusted() {
    let (sandbox, _) = with_ca();
    let identity = self_signed(&local(90));
    let report = verdict(&sandbox, &identity, 1, "self-signed");
    assert_eq!(kinds(&report), ["self-signed"]);
    assert_eq!(report["days_left"], 90);

    identity.write_pem(&sandbox.folder, "ca.pem");
    verdict(&sandbox, &identity, 0, "ok");
}

#[test]
fn a_chain_of_an_unknown_ca_fails_with_or_without_its_root() {
    let (sandbox, _) = with_ca();
    let stranger = root("Stranger");
    let mut identity = stranger.leaf(&local(90));
    let report = verdict(&sandbox, &identity, 1, "untrusted");
    assert_eq!(kinds(&report), ["untrusted"], "{report}");
    assert_eq!(report["issuer"], "CN=Stranger, O=certwatch tests");
    assert_eq!(report["days_left"], 90);

    identity.chain.push(stranger.chain[0].clone());
    let report = verdict(&sandbox, &identity, 1, "untrusted");
    assert_eq!(
        report["message"],
        "CN=Stranger, O=certwatch tests is not among the CA certificates"
    );
}

#[test]
fn all_that_is_wrong_is_listed() {
    let (sandbox, _) = with_ca();
    let identity =
        self_signed(&Leaf { cn: "leaf", names: &["other.example"], from: -YEAR, to: -1 });
    let report = verdict(&sandbox, &identity, 1, "expired");
    let mut all = kinds(&report);
    all.sort_unstable();
    assert_eq!(all, ["expired", "self-signed", "wrong-host"]);
}

#[test]
fn a_name_is_asked_for_and_an_address_is_not() {
    let (sandbox, ca) = with_ca();
    let server = Server::tls(&ca.leaf(&local(90)));
    let name = format!("localhost:{}", server.port());
    let ran = check(&sandbox, &[&name, &server.host()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mut asked = server.asked_for();
    asked.sort();
    assert_eq!(asked, [None, Some("localhost".into())]);
}

#[test]
fn an_ipv6_address_is_checked_against_the_certificates_addresses() {
    let (sandbox, ca) = with_ca();
    let ip = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let leaf = |name| ca.leaf(&Leaf { cn: "leaf", names: &[name], from: -1, to: 90 });
    let Some(server) = Server::tls_at(ip, &leaf("::1"), |_| ()) else {
        eprintln!("this machine has no IPv6: not tested");
        return;
    };
    let ran = check(&sandbox, &[&server.host()]);
    assert_eq!((ran.code, ran.json()[0]["host"].clone()), (Some(0), json!("::1")), "{ran:?}");

    let other = Server::tls_at(ip, &leaf("::2"), |_| ()).expect("listen on ::1");
    let ran = check(&sandbox, &[&other.host()]);
    assert_eq!((ran.code, ran.json()[0]["outcome"].clone()), (Some(1), json!("wrong-host")));
}

#[test]
fn one_failure_outweighs_what_only_expires_and_the_order_is_as_given() {
    let (sandbox, ca) = with_ca();
    let identities = [12, -1, 90].map(|days| ca.leaf(&local(days)));
    let servers = identities.each_ref().map(Server::tls);
    let hosts = servers.each_ref().map(Server::host);
    let hosts = hosts.each_ref().map(String::as_str);
    let ran = check(&sandbox, &[&hosts[..], &hosts[..1]].concat());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let json = ran.json();
    let reports = json.as_array().expect("an array");
    let ports: Vec<_> = reports.iter().map(|r| r["port"].clone()).collect();
    assert_eq!(ports, servers.each_ref().map(|s| json!(s.port())), "once each, in order");
    let outcomes: Vec<_> = reports.iter().map(|r| r["outcome"].clone()).collect();
    assert_eq!(outcomes, ["expiring", "expired", "ok"]);
}

#[test]
fn the_text_has_a_line_for_each_host_and_the_chain_when_asked() {
    let (sandbox, ca) = with_ca();
    let server = Server::tls(&ca.leaf(&local(90)));
    let host = server.host();
    let line = sandbox.ok(&["check", &host, "--ca-file", "ca.pem"]);
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.starts_with(&format!("ok            {host} ")), "{line}");
    assert!(line.ends_with(" 90 days left\n"), "{line}");

    let long = sandbox.ok(&["check", &host, "--ca-file", "ca.pem", "--verbose"]);
    assert!(long.starts_with("CA certificates from ca.pem (--ca-file): 1\n"), "{long}");
    assert!(long.contains("1 CN=Test Root, O=certwatch tests: "), "{long}");
}

#[test]
fn without_any_environment_a_named_host_is_still_checked() {
    let (sandbox, ca) = with_ca();
    let leaf = ca.leaf(&local(90));
    let server = Server::tls_at(Ipv4Addr::LOCALHOST.into(), &leaf, |_| ()).expect("a server");
    let ran = finish(&mut sandbox.bare(&["check", &server.host(), "--ca-file", "ca.pem"]));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
}
