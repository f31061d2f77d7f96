//! A socket on which no wait lasts beyond one moment, however the peer spreads its bytes.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How many of the peer's first bytes are kept, to say what it speaks when that is not TLS.
const GREETING: usize = 48;

/// The moment by which everything must be over.
#[derive(Clone, Copy)]
pub struct Deadline {
    end: Instant,
    limit: Duration,
}

impl Deadline {
    /// The deadline `limit` from now.
    pub fn after(limit: Duration) -> Self {
        Self { end: Instant::now() + limit, limit }
    }

    /// The time left, never zero: an error once there is none.
    pub fn left(self) -> io::Result<Duration> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    /// The whole time there was.
    pub fn limit(self) -> Duration {
        self.limit
    }
}

/// A TCP stream with a deadline; it also notes how the peer behaved.
pub struct DeadlineStream {
    socket: TcpStream,
    deadline: Deadline,
    greeting: Vec<u8>,
    ended: bool,
}

impl DeadlineStream {
    /// `socket`, to be used until `deadline`.
    pub fn new(socket: TcpStream, deadline: Deadline) -> Self {
        Self { socket, deadline, greeting: Vec::new(), ended: false }
    }

    /// The first bytes that the peer sent.
    pub fn greeting(&self) -> &[u8] {
        &self.greeting
    }

    /// Reads what has come of the greeting beyond the few bytes that told OpenSSL enough.
    pub fn read_greeting(&mut self) -> &[u8] {
        let wanted = GREETING.saturating_sub(self.greeting.len());
        let mut more = [0; GREETING];
        // Whatever goes wrong here, there is a greeting already; `read` appends to it.
        let wait = self.deadline.left().map(|left| left.min(Duration::from_millis(200)));
        if let (Ok(wait), Some(buffer)) = (wait, more.get_mut(..wanted)) {
            let patient = mem::replace(&mut self.deadline, Deadline::after(wait));
            let _ = self.read(buffer);
            self.deadline = patient;
        }
        &self.greeting
    }

    /// Whether the peer has closed its side.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The deadline.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }
}

/// A socket whose time limit ran out says "would block"; OpenSSL would take that as "try again".
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::WouldBlock { ErrorKind::TimedOut.into() } else { error }
}

impl Read for DeadlineStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.deadline.left()?))?;
        let count = self.socket.read(buffer).map_err(timed_out)?;
        self.ended |= count == 0 && !buffer.is_empty();
        let wanted = GREETING.saturating_sub(self.greeting.len()).min(count);
        self.greeting.extend(buffer.iter().take(wanted));
        Ok(count)
    }
}

impl Write for DeadlineStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.deadline.left()?))?;
        self.socket.write(buffer).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    #[test]
    fn a_peer_that_dribbles_is_left_at_the_deadline() -> io::Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let peer = thread::spawn(move || {
            if let Ok((mut socket, _)) = listener.accept() {
                while socket.write_all(b"x").is_ok() {
                    thread::sleep(Duration::from_millis(20));
                }
            }
        });
        let start = Instant::now();
        let deadline = Deadline::after(Duration::from_millis(300));
        let mut stream = DeadlineStream::new(TcpStream::connect(address)?, deadline);
        let mut byte = [0];
        let error = loop {
            match stream.read(&mut byte) {
                Ok(count) => {
                    assert_eq!(count, 1);
                    assert!(start.elapsed() < Duration::from_secs(20), "it never ended");
                }
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(stream.greeting().starts_with(b"xx"));
        drop(stream);
        assert!(peer.join().is_ok());
        Ok(())
    }
}
