//! From a target to a TCP connection: looking up the name and trying its addresses.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use super::Failure;
use super::deadline::Deadline;
use crate::outcome::Outcome;
use crate::target::{Host, Target};

/// Connects to the first of the target's addresses that answers.
pub fn connect(target: &Target, deadline: Deadline) -> Result<TcpStream, Failure> {
    let addresses = resolve(target, deadline)?;
    let mut last = None;
    for (index, address) in addresses.iter().enumerate() {
        // Each address gets its share of the time left, so that a dead one cannot use up all of it.
        let left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let attempt =
            deadline.left().and_then(|time| TcpStream::connect_timeout(address, time / left));
        match attempt {
            Ok(socket) => return Ok(socket),
            Err(error) => last = Some((address, error)),
        }
    }
    Err(match last {
        None => Failure::new(Outcome::Unresolved, format!("{} has no address", target.host)),
        Some((address, error)) => explain(*address, &error, deadline),
    })
}

fn explain(address: SocketAddr, error: &io::Error, deadline: Deadline) -> Failure {
    match error.kind() {
        ErrorKind::TimedOut => timeout(&format!("{address} takes no connection"), deadline),
        ErrorKind::ConnectionRefused => {
            Failure::new(Outcome::Unreachable, format!("{address} refuses the connection"))
        }
        _ => Failure::new(Outcome::Unreachable, format!("cannot connect to {address}: {error}")),
    }
}

fn resolve(target: &Target, deadline: Deadline) -> Result<Vec<SocketAddr>, Failure> {
    let name = match &target.host {
        Host::Address(address) => return Ok(vec![SocketAddr::new(*address, target.port)]),
        Host::Name(name) => name.clone(),
    };
    // The system's look-up cannot be interrupted, but it can be left behind in a thread of its own.
    let port = target.port;
    let (sender, receiver) = mpsc::sync_channel(1);
    let look_up = move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Vec::from_iter);
        let _ = sender.send(found);
    };
    let unresolved = |error: io::Error| {
        let message = format!("cannot look up {}: {error}", target.host);
        Failure::new(Outcome::Unresolved, message)
    };
    let slow = || timeout(&format!("the look-up of {} is not answered", target.host), deadline);

    thread::Builder::new().spawn(look_up).map_err(unresolved)?;
    match receiver.recv_timeout(deadline.left().map_err(|_| slow())?) {
        Ok(found) => found.map_err(unresolved),
        Err(RecvTimeoutError::Timeout) => Err(slow()),
        Err(RecvTimeoutError::Disconnected) => Err(unresolved(ErrorKind::Other.into())),
    }
}

/// A failure for want of time.
pub fn timeout(what: &str, deadline: Deadline) -> Failure {
    Failure::new(Outcome::Timeout, format!("{what} within {} s", deadline.limit().as_secs_f32()))
}
