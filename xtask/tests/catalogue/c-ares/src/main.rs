//! Asks a name server through the crate `c-ares`: one of its own, on the loopback interface.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::mpsc;
use std::time::Duration;

use c_ares::{Channel, Error, EventSys, Options};

pub fn main() {
    let (version, _) = c_ares::version();
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());

    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    std::thread::spawn(move || serve(&server));

    // An empty root has no files that it could read the servers from.
    let mut options = Options::new();
    options.set_event_thread(EventSys::Epoll);
    options.set_timeout(Duration::from_secs(20)).set_tries(1);
    let mut channel = Channel::with_options(options).unwrap();
    channel.set_servers([&address]).unwrap();

    let (sender, answers) = mpsc::channel();
    let to = sender.clone();
    channel.query_a("known.example", move |result| {
        let found = result.map(|found| found.iter().map(|it| (it.ipv4(), it.ttl())).collect());
        to.send(("known", found)).unwrap();
    });
    let to = sender.clone();
    channel.query_a("unknown.example", move |result| {
        to.send(("unknown", result.map(|_| Vec::new()))).unwrap();
    });
    channel.query_a(&"long.".repeat(60), move |result| {
        sender.send(("long", result.map(|_| Vec::new()))).unwrap();
    });
    let mut answers: Vec<(&str, Result<Vec<(Ipv4Addr, i32)>, Error>)> =
        (0..3).map(|_| answers.recv_timeout(Duration::from_secs(60)).unwrap()).collect();
    answers.sort_by_key(|answer| answer.0);
    assert_eq!(answers[0], ("known", Ok(vec![(Ipv4Addr::new(192, 0, 2, 7), 77)])));
    assert_eq!(answers[1].1, Err(Error::EBADNAME), "a name of 300 letters");
    assert_eq!(answers[2], ("unknown", Err(Error::ENOTFOUND)));
    channel.queue_wait_empty(Some(Duration::from_secs(60))).unwrap();
}

/// Knows one name.
fn serve(server: &UdpSocket) {
    let mut query = [0; 1500];
    loop {
        let (length, from) = server.recv_from(&mut query).unwrap();
        // After the header of twelve bytes: the name, ended by an empty part, its type and class.
        let name = query[12..length].iter().position(|&byte| byte == 0).unwrap();
        let question = &query[12..12 + name + 5];
        let is_known = question.to_ascii_lowercase().starts_with(b"\x05known\x07example\0");
        let mut answer = query[..2].to_vec();
        answer.extend([0x81, if is_known { 0x80 } else { 0x83 }]);
        answer.extend([0, 1, 0, u8::from(is_known), 0, 0, 0, 0]);
        answer.extend(question);
        if is_known {
            // The name again, an address, of the internet, 77 seconds, four bytes.
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 77, 0, 4, 192, 0, 2, 7]);
        }
        server.send_to(&answer, from).unwrap();
    }
}
