//! Sends messages between threads and through a socket in the file system, through the crate `zmq`.

fn main() {
    let (major, minor, patch) = zmq::version();
    assert_eq!(format!("{major}.{minor}.{patch}"), std::env::var("MUSLIN_VERSION").unwrap());
    assert_eq!(zmq::has("ipc"), Some(true));
    assert_eq!(zmq::has("curve"), Some(false), "needs libsodium");

    let context = zmq::Context::new();
    for place in ["inproc://answers", "ipc:///tmp/answers"] {
        let answers = context.socket(zmq::REP).unwrap();
        answers.bind(place).unwrap();
        let asks = context.clone();
        let place = place.to_owned();
        let asker = std::thread::spawn(move || {
            let asks = asks.socket(zmq::REQ).unwrap();
            asks.connect(&place).unwrap();
            (0..100u32).all(|n| {
                asks.send(&n.to_le_bytes()[..], 0).unwrap();
                asks.recv_msg(0).unwrap()[..] == (n * 2).to_le_bytes()
            })
        });
        for _ in 0..100 {
            let asked = answers.recv_bytes(0).unwrap();
            let number = u32::from_le_bytes(asked.try_into().unwrap());
            answers.send(&(number * 2).to_le_bytes()[..], 0).unwrap();
        }
        assert!(asker.join().unwrap());
    }

    // Several parts, and a large one, through a pipe of sockets.
    let [from, to] = [zmq::PUSH, zmq::PULL].map(|kind| context.socket(kind).unwrap());
    to.bind("ipc:///tmp/parts").unwrap();
    from.connect("ipc:///tmp/parts").unwrap();
    let large = vec![7; 3_000_000];
    from.send_multipart([b"one".to_vec(), large.clone()], 0).unwrap();
    assert_eq!(to.recv_multipart(0).unwrap(), [b"one".to_vec(), large]);

    // Errors come as such.
    let second = context.socket(zmq::REP).unwrap();
    assert_eq!(second.connect("nothing://x"), Err(zmq::Error::EPROTONOSUPPORT));
    to.set_rcvtimeo(10).unwrap();
    assert_eq!(to.recv_bytes(0), Err(zmq::Error::EAGAIN));
}
