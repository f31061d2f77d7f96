//! Interrupted downloads: what is asked for next, and what is believed.

use super::*;
use server::{Reply, Server};

const HALF: usize = 40_000;

fn body() -> Vec<u8> {
    bytes(2 * HALF)
}

/// A bench whose store holds the first half of the body, as a run leaves it that was cut off.
fn interrupted(name: &str, server: &Server) -> (Bench, Source) {
    let bench = Bench::new(name);
    let source = url_source(server.url("x.tar.gz"), &body());
    let mut fetcher = bench.fetcher();
    fetcher.limits.tries = 1;
    let (exit, text) = fails(&fetcher, &[&source]);
    assert!(text.contains("broke off"), "{text}");
    assert_eq!(exit, Exit::Failed);
    let partial = format!("{}.partial", source.digest.hex());
    assert_eq!(bench.quarantine(), [partial.clone(), format!("{partial}.json")]);
    (bench, source)
}

fn short() -> Reply {
    Reply::Short(2 * HALF, body()[..HALF].to_vec(), "\"a\"")
}

#[track_caller]
fn ranges(server: &Server) -> Vec<(Option<String>, Option<String>)> {
    let text = |value: Option<&str>| value.map(str::to_owned);
    let requests = server.requests();
    let pairs = requests.iter().map(|it| (text(it.header("range")), text(it.header("if-range"))));
    pairs.collect()
}

fn part(if_range: Option<&str>) -> (Option<String>, Option<String>) {
    (Some(format!("bytes={HALF}-")), if_range.map(str::to_owned))
}

#[test]
fn the_next_run_asks_for_the_rest() {
    let server = Server::in_turn([short(), Reply::File(body(), "\"a\"")]);
    let (bench, source) = interrupted("next-run", &server);
    gets(&bench.fetcher(), &source, &body());
    assert_eq!(ranges(&server), [(None, None), part(Some("\"a\""))]);
    assert!(bench.quarantine().is_empty());
}

#[test]
fn the_same_run_goes_on_too() {
    let bench = Bench::new("same-run");
    let server = Server::in_turn([short(), Reply::Reset, Reply::File(body(), "\"a\"")]);
    gets(&bench.fetcher(), &url_source(server.url("x"), &body()), &body());
    assert_eq!(ranges(&server), [(None, None), part(Some("\"a\"")), part(Some("\"a\""))]);
}

#[test]
fn a_changed_file_or_a_server_without_ranges_begins_anew() {
    for (name, reply) in
        [("etag", Reply::File(body(), "\"b\"")), ("no-range", Reply::Plain(body()))]
    {
        let server = Server::in_turn([short(), reply]);
        let (bench, source) = interrupted(name, &server);
        gets(&bench.fetcher(), &source, &body());
        assert_eq!(server.count(), 2, "{name}");
    }
}

#[test]
fn another_place_finishes_what_one_began() {
    let server = Server::always(short());
    let (bench, mut source) = interrupted("other-place", &server);
    let other = Server::always(Reply::File(body(), "\"z\""));
    source.origin = Origin::Url { url: other.url("y.tar.gz"), mirrors: vec![] };
    gets(&bench.fetcher(), &source, &body());
    assert_eq!(ranges(&other), [part(None)]);
}

#[test]
fn parts_that_do_not_fit_cost_one_whole_download_and_no_blame() {
    let server =
        Server::in_turn([short(), Reply::FalseRange(vec![7; HALF]), Reply::File(body(), "\"a\"")]);
    let (bench, source) = interrupted("misfit", &server);
    gets(&bench.fetcher(), &source, &body());
    assert_eq!(ranges(&server), [(None, None), part(Some("\"a\"")), (None, None)]);
    assert!(bench.quarantine().is_empty());
}

#[test]
fn a_whole_download_that_differs_is_blamed_at_once() {
    let server = Server::in_turn([short(), Reply::Plain(bytes(100))]);
    let (bench, source) = interrupted("differs", &server);
    let (exit, text) = fails(&bench.fetcher(), &[&source]);
    assert!(text.contains("it is gzip as it should be"), "{text}");
    assert_eq!((exit, server.count()), (Exit::VerificationFailed, 2));
}

#[test]
fn a_part_that_is_too_long_begins_anew() {
    let server = Server::always(Reply::File(body(), "\"a\""));
    let bench = Bench::new("too-long");
    let source = url_source(server.url("x"), &body());
    fs::write(bench.store().partial(&source.digest), vec![1; 3 * HALF]).unwrap();
    gets(&bench.fetcher(), &source, &body());
    assert_eq!(server.count(), 2);
}

#[test]
fn a_complete_part_needs_no_request() {
    let server = Server::always(Reply::Reset);
    let bench = Bench::new("complete");
    let source = url_source(server.url("x"), &body());
    fs::write(bench.store().partial(&source.digest), body()).unwrap();
    gets(&bench.fetcher(), &source, &body());
    assert_eq!(server.count(), 0);
}

#[test]
fn a_server_that_promises_too_much_is_forgiven_if_the_bytes_are_right() {
    let server = Server::always(Reply::Short(3 * HALF, body(), "\"a\""));
    let bench = Bench::new("promise");
    gets(&bench.fetcher(), &url_source(server.url("x"), &body()), &body());
    assert_eq!(server.count(), 1);
}

#[test]
fn a_server_that_promises_too_little_serves_other_bytes() {
    let server = Server::always(Reply::Short(HALF, body(), "\"a\""));
    let bench = Bench::new("too-little");
    let (exit, text) = fails(&bench.fetcher(), &[&url_source(server.url("x.tar.gz"), &body())]);
    assert!(text.contains("(40.0 kB): it is gzip as it should be"), "{text}");
    assert_eq!((exit, server.count()), (Exit::VerificationFailed, 1));
}
