//! One address: what is tried again, what is refused, and what the store and the quarantine hold.

use super::*;
use server::{Reply, Server};

const HTML: &[u8] = b"<!DOCTYPE html><title>Sign in</title>";

#[test]
fn a_file_is_fetched_once_and_found_again() {
    let bench = Bench::new("once");
    let body = bytes(200_000);
    let server = Server::always(Reply::File(body.clone(), "\"a\""));
    let source = url_source(server.url("dl/thing-1.0.tar.gz?x=1"), &body);
    let fetcher = bench.fetcher();
    assert!(!fetcher.has(&source) && fetcher.stored(&source).unwrap().is_none());
    let first = gets(&fetcher, &source, &body);
    assert_eq!(first.file_name(), "thing-1.0.tar.gz");
    assert_eq!(first.served_by(), format!("url {}", server.url("dl/thing-1.0.tar.gz?x=1")));
    let again = gets(&bench.fetcher(), &source, &body);
    assert_eq!((again, server.count()), (first.clone(), 1));
    assert!(fetcher.has(&source) && fetcher.stored(&source).unwrap() == Some(first));
    assert!(bench.quarantine().is_empty());
    let request = &server.requests()[0];
    assert!(request.header("user-agent").unwrap().starts_with("muslin/"));
    assert_eq!(request.header("range"), None);
}

#[test]
fn other_bytes_go_to_quarantine_and_the_mirror_is_asked() {
    let bench = Bench::new("mismatch");
    let body = bytes(5000);
    let bad = Server::always(Reply::Plain(HTML.to_vec()));
    let good = Server::always(Reply::Plain(body.clone()));
    let mut source = url_source(bad.url("thing.tar.gz"), &body);
    let (exit, text) = fails(&bench.fetcher(), &[&source]);
    assert_eq!((exit, bad.count()), (Exit::VerificationFailed, 1));
    let found = Digest::sha256_of(HTML);
    let aside = format!("{}.found-{}", source.digest.hex(), &found.hex()[..16]);
    for part in ["titled `Sign in`", &source.digest.hex(), &found.hex(), &aside] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(bench.quarantine(), [aside]);

    source.origin =
        Origin::Url { url: bad.url("thing.tar.gz"), mirrors: vec![good.url("mirrored.tar.gz")] };
    let archive = gets(&bench.fetcher(), &source, &body);
    assert_eq!(archive.served_by(), format!("url {}", good.url("mirrored.tar.gz")));
    assert_eq!((bad.count(), good.count()), (2, 1));
}

#[test]
fn what_may_pass_is_tried_again() {
    let body = bytes(3000);
    let status = |line, header: &str| Reply::Status(line, vec![header.to_owned()], vec![]);
    let ways = [
        ("500", status("500 Internal Server Error", "X: y")),
        ("503", status("503 Service Unavailable", "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT")),
        ("429", status("429 Too Many Requests", "Retry-After: 0")),
        ("reset", Reply::Reset),
    ];
    for (name, reply) in ways {
        let bench = Bench::new(&format!("retry-{name}"));
        let ok = Reply::File(body.clone(), "\"a\"");
        let server = Server::in_turn([reply.clone(), reply, ok]);
        gets(&bench.fetcher(), &url_source(server.url("x"), &body), &body);
        assert_eq!(server.count(), 3, "{name}");
    }
}

#[test]
fn what_will_not_pass_is_asked_once() {
    let body = bytes(3000);
    let ways = [
        ("404 Not Found", "X: y", "does not have it (404 Not Found)"),
        ("403 Forbidden", "X: y", "does not let us (403 Forbidden)"),
        ("503 Service Unavailable", "Retry-After: 3600", "asks to come back in 3600 s"),
        ("302 Found", "Location: ftp://a.test/x", "redirects to a `ftp:` address: refused"),
    ];
    for (number, (line, header, words)) in ways.into_iter().enumerate() {
        let bench = Bench::new(&format!("never-{number}"));
        let server = Server::always(Reply::Status(line, vec![header.to_owned()], vec![]));
        let (exit, text) = fails(&bench.fetcher(), &[&url_source(server.url("x"), &body)]);
        assert!(text.contains(words), "{text}");
        assert_eq!((exit, server.count()), (Exit::Failed, 1));
    }
}

#[test]
fn tries_come_to_an_end() {
    let bench = Bench::new("end");
    let server = Server::always(Reply::Status("502 Bad Gateway", vec![], vec![]));
    let (exit, text) = fails(&bench.fetcher(), &[&url_source(server.url("x"), b"x")]);
    assert!(text.contains("answers 502 Bad Gateway (4 tries)"), "{text}");
    assert_eq!((exit, server.count()), (Exit::Failed, 4));
}

#[test]
fn a_dead_server_is_given_up_at_once() {
    let bench = Bench::new("refused");
    let server = Server::always(Reply::Reset);
    let url = server.url("x");
    drop(server);
    // The listener's thread may take a moment to end.
    std::thread::sleep(Duration::from_millis(100));
    let (exit, text) = fails(&bench.fetcher(), &[&url_source(url, b"x")]);
    assert!(text.contains("`127.0.0.1` refuses the connection"), "{text}");
    assert!(text.contains("behind a firewall") && text.contains("--mirror DIR"), "{text}");
    assert_eq!(exit, Exit::Failed);
}

#[test]
fn a_host_without_address_is_no_wait() {
    let bench = Bench::new("dns");
    let mut fetcher = bench.fetcher();
    fetcher.limits.backoff = Duration::from_secs(600);
    // `.invalid` never resolves; a proxy from the environment would answer with an error instead.
    let (exit, text) = fails(&fetcher, &[&url_source("http://no.such.invalid/x".into(), b"x")]);
    assert!(text.contains("url http://no.such.invalid/x: "), "{text}");
    assert_eq!(exit, Exit::Failed);
}

#[test]
fn a_stall_ends_by_itself() {
    let bench = Bench::new("stall");
    let body = bytes(9000);
    let server = Server::always(Reply::Stall(9000, body[..4000].to_vec()));
    let mut fetcher = bench.fetcher();
    fetcher.limits.stall = Duration::from_millis(700);
    fetcher.limits.tries = 2;
    let (_, text) = fails(&fetcher, &[&url_source(server.url("x"), &body)]);
    assert!(text.contains("stalled: not a byte for 0.7 s after 4.0 kB of 9.0 kB"), "{text}");
    assert_eq!(server.count(), 2);
}

#[test]
fn a_server_that_never_answers_is_a_stall_too() {
    let bench = Bench::new("silent");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let mut fetcher = bench.fetcher();
    fetcher.limits.stall = Duration::from_millis(200);
    fetcher.limits.tries = 2;
    let (_, text) = fails(&fetcher, &[&url_source(url, b"x")]);
    assert!(text.contains("stalled: not a byte for 0.2 s (2 tries)"), "{text}");
}

#[test]
fn an_untrusted_connection_is_not_tried_again() {
    let bench = Bench::new("tls");
    let server = Server::always(Reply::Plain(bytes(10)));
    let url = server.url("x").replace("http:", "https:");
    let mut fetcher = bench.fetcher();
    fetcher.limits.backoff = Duration::from_secs(600);
    let (exit, text) = fails(&fetcher, &[&url_source(url, &bytes(10))]);
    assert!(text.contains("SSL_CERT_FILE"), "{text}");
    assert_eq!((exit, server.count()), (Exit::Failed, 0));
}

#[test]
fn a_slow_server_is_no_stall() {
    let bench = Bench::new("drip");
    let body = bytes(4000);
    let server = Server::always(Reply::Drip(body.clone(), 200, Duration::from_millis(75)));
    let mut fetcher = bench.fetcher();
    fetcher.limits.stall = Duration::from_millis(1000);
    gets(&fetcher, &url_source(server.url("x"), &body), &body);
    assert_eq!(server.count(), 1);
}

#[test]
fn a_file_over_the_limit_is_refused_before_and_while_it_comes() {
    let bench = Bench::new("large");
    let big = Reply::Status("200 OK", vec![], bytes(2 << 20));
    for (reply, name) in [(Reply::Endless, "endless"), (big, "announced")] {
        let server = Server::always(reply);
        let (exit, text) = fails(&bench.fetcher(), &[&url_source(server.url("x"), b"x")]);
        assert!(text.contains("sends more than the limit of 1.0 MB"), "{name}: {text}");
        assert_eq!((exit, server.count()), (Exit::Failed, 1));
        assert!(bench.quarantine().is_empty());
    }
}

#[test]
fn redirects_are_followed_but_not_in_circles() {
    let bench = Bench::new("redirects");
    let body = bytes(3000);
    let target = Server::always(Reply::File(body.clone(), "\"a\""));
    let to = target.url("moved/x.tar.gz");
    let server = Server::start(move |request, _| {
        let location = if request.path == "/ring" { "/ring" } else { &to };
        Reply::Status("302 Found", vec![format!("Location: {location}")], vec![])
    });
    let archive = gets(&bench.fetcher(), &url_source(server.url("x.tar.gz"), &body), &body);
    assert_eq!(archive.served_by(), format!("url {}", server.url("x.tar.gz")));
    let (_, text) = fails(&bench.fetcher(), &[&url_source(server.url("ring"), b"x")]);
    assert!(text.contains("redirects more than 10 times"), "{text}");
    assert_eq!(server.count(), 1 + 11);
}

#[test]
fn a_damaged_download_is_put_aside_and_fetched_again() {
    let bench = Bench::new("damaged");
    let body = bytes(3000);
    let server = Server::always(Reply::File(body.clone(), "\"a\""));
    let source = url_source(server.url("x.tar.gz"), &body);
    let fetcher = bench.fetcher();
    let archive = gets(&fetcher, &source, &body);
    fs::write(archive.path(), b"rot").unwrap();
    assert_eq!(fetcher.stored(&source).unwrap(), None);
    assert!(!fetcher.has(&source) && bench.quarantine()[0].contains(".found-"));
    gets(&fetcher, &source, &body);
    fs::write(archive.path(), b"more rot").unwrap();
    gets(&fetcher, &source, &body);
    assert_eq!((server.count(), bench.quarantine().len()), (3, 2));
}
