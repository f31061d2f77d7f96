//! Several processes, and processes that die: this test program starts itself as their child.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};

use super::*;
use server::{Reply, Server};
use xtask::process;

/// Names the store for a child; its presence makes [`child`] do something.
const STORE: &str = "MUSLIN_TEST_STORE";
const URL: &str = "MUSLIN_TEST_URL";

fn body() -> Vec<u8> {
    bytes(60_000)
}

/// Not a test of its own: what the children run.
#[test]
fn child() {
    let (Some(root), Some(url)) = (process::env_var(STORE), process::env_var(URL)) else { return };
    let bench = std::mem::ManuallyDrop::new(Bench { root: root.into() });
    if let Err(error) = bench.fetcher().fetch("thing 1.0", &[&url_source(url, &body())]) {
        panic!("exit {}", xtask::report::error(&error) as u8);
    }
}

/// This program, about to run [`child`]; `before` is a piece of shell that goes first.
fn child_command(bench: &Bench, url: &str, before: &str) -> Command {
    let program = std::env::current_exe().unwrap();
    let script = format!("{before} exec \"$0\" --exact processes::child --nocapture");
    let mut command = process::command("sh");
    command.args(["-c", &script]).arg(program);
    command.env(STORE, &bench.root).env(URL, url);
    command
}

#[test]
fn a_killed_download_is_gone_on_with() {
    let bench = Bench::new("killed");
    // The first request hangs when half is sent; the test kills the child then.
    let half = body()[..30_000].to_vec();
    let server = Server::in_turn([Reply::Stall(60_000, half), Reply::File(body(), "\"a\"")]);
    let source = url_source(server.url("x.tar.gz"), &body());
    let partial = bench.store().partial(&source.digest);
    let mut child = child_command(&bench, &server.url("x.tar.gz"), "")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let has_half = || fs::metadata(&partial).is_ok_and(|data| data.len() == 30_000);
    for _ in 0..1000 {
        if has_half() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(has_half());
    child.kill().unwrap();
    child.wait().unwrap();
    gets(&bench.fetcher(), &source, &body());
    assert_eq!(server.requests()[1].header("range"), Some("bytes=30000-"));
    assert_eq!(server.count(), 2);
}

#[test]
fn of_two_processes_and_two_threads_one_downloads() {
    let bench = Bench::new("together");
    let server = Server::always(Reply::Drip(body(), 10_000, Duration::from_millis(50)));
    let url = server.url("x.tar.gz");
    let commands = [(); 2].map(|()| child_command(&bench, &url, ""));
    std::thread::scope(|scope| {
        for mut command in commands {
            scope.spawn(move || process::capture_ok(&mut command).unwrap());
        }
        for _ in 0..2 {
            scope.spawn(|| gets(&bench.fetcher(), &url_source(url.clone(), &body()), &body()));
        }
    });
    assert_eq!(server.count(), 1);
}

#[test]
fn proxy_variables_are_obeyed() {
    let bench = Bench::new("proxy");
    let proxy = Server::always(Reply::File(body(), "\"a\""));
    let mut command = child_command(&bench, "http://files.invalid/x.tar.gz", "");
    command.env("http_proxy", proxy.url("")).env("no_proxy", "").env("NO_PROXY", "");
    process::capture_ok(&mut command).unwrap();
    assert_eq!(proxy.requests()[0].path, "http://files.invalid/x.tar.gz");
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half_made() {
    let bench = Bench::new("full");
    let server = Server::always(Reply::File(body(), "\"a\""));
    // A limit on the size of files stands in for a disk without room: the write fails alike.
    let limit = "trap '' XFSZ; ulimit -f 16;";
    let mut command = child_command(&bench, &server.url("x.tar.gz"), limit);
    let said = process::capture(&mut command).unwrap();
    assert!(!said.status.success());
    let source = url_source(server.url("x.tar.gz"), &body());
    let partial = bench.store().partial(&source.digest);
    let text = format!("{}{}", said.stdout, said.stderr);
    assert!(text.contains(&format!("cannot write {}", partial.display())), "{text}");
    assert!(text.contains("--store DIR"), "{text}");
    assert!(!bench.fetcher().has(&source));
    gets(&bench.fetcher(), &source, &body());
}

#[test]
fn a_second_fetcher_waits_for_the_first_and_asks_nobody() {
    let bench = Bench::new("waits");
    let (send, receive) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(receive));
    let server = Server::start(move |_, _| {
        let _ = gate.lock().unwrap().recv_timeout(Duration::from_secs(10));
        Reply::File(body(), "\"a\"")
    });
    let source = url_source(server.url("x.tar.gz"), &body());
    std::thread::scope(|scope| {
        let first = scope.spawn(|| gets(&bench.fetcher(), &source, &body()));
        while server.count() == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let second = scope.spawn(|| gets(&bench.fetcher(), &source, &body()));
        std::thread::sleep(Duration::from_millis(50));
        assert!(!first.is_finished() && !second.is_finished());
        send.send(()).unwrap();
    });
    assert_eq!(server.count(), 1);
}
