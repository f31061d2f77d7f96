//! Why a handshake failed, in words for people.

use std::io::ErrorKind;

use openssl::ssl::Error;

use super::Failure;
use super::connect::timeout;
use super::deadline::DeadlineStream;
use crate::outcome::Outcome;
use crate::output::clean;

/// The first byte of a TLS record that a server may begin with: an alert or a handshake message.
const TLS_STARTS: [u8; 2] = [21, 22];

/// Turns OpenSSL's error, and what the peer sent before it, into a failure.
pub fn explain(error: &Error, stream: &mut DeadlineStream) -> Failure {
    if let Some(first) = stream.greeting().first()
        && !TLS_STARTS.contains(first)
    {
        return Failure::new(Outcome::NotTls, foreign(stream.read_greeting()));
    }
    if let Some(io) = error.io_error() {
        return match io.kind() {
            ErrorKind::TimedOut => timeout("the handshake is not completed", stream.deadline()),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => closed(),
            _ => Failure::new(Outcome::TlsError, format!("the connection broke: {io}")),
        };
    }
    if stream.ended() {
        return closed();
    }
    let reason = error
        .ssl_error()
        .and_then(|stack| stack.errors().iter().find_map(|e| e.reason()))
        .map_or_else(|| error.to_string(), str::to_string);
    Failure::new(Outcome::TlsError, format!("the handshake failed: {reason}"))
}

fn closed() -> Failure {
    Failure::new(Outcome::TlsError, "the peer closed the connection during the handshake")
}

fn foreign(greeting: &[u8]) -> String {
    if greeting.starts_with(b"HTTP/") {
        return "it speaks plain HTTP, not TLS".into();
    }
    let line = greeting.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    format!("it does not speak TLS; it sent \"{}\"", clean(&String::from_utf8_lossy(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_greeting_is_quoted_up_to_its_line_end() {
        assert!(foreign(b"HTTP/1.1 400 Bad Request\r\n").contains("plain HTTP"));
        assert!(foreign(b"SSH-2.0-x\r\nmore").ends_with("it sent \"SSH-2.0-x\""));
        assert!(foreign(b"\x1b[2J").ends_with("\"\\u{1b}[2J\""));
    }
}
