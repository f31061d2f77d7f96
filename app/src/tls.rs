//! One connection to one host: what chain it presents, and what is wrong with it.

pub mod chain;
mod connect;
mod deadline;
mod handshake;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use openssl::ssl::{Ssl, SslContext, SslMethod, SslStream, SslVerifyMode};
use openssl::x509::store::X509Store;
use openssl::x509::verify::X509CheckFlags;

use crate::outcome::Outcome;
use crate::target::{Host, Target};
use chain::{Certificate, Problem, Verification};
use deadline::{Deadline, DeadlineStream};

/// Connects to hosts; may be used by several threads at once.
pub struct Prober {
    context: SslContext,
    timeout: Duration,
}

/// All that one connection told.
#[derive(Debug, Default)]
pub struct Probe {
    /// The address that took the connection.
    pub address: Option<SocketAddr>,
    /// The TLS version agreed on, such as `TLSv1.3`.
    pub protocol: Option<String>,
    /// The host's certificate, the others it sent, and those from the CA certificates that complete it.
    pub chain: Vec<Certificate>,
    /// What is wrong with the chain.
    pub problems: Vec<Problem>,
    /// Why the connection or the handshake ended early. There may be a chain nevertheless.
    pub failure: Option<Failure>,
}

/// Why a connection or handshake did not come about.
#[derive(Debug)]
pub struct Failure {
    /// The kind of failure.
    pub outcome: Outcome,
    /// What happened, in words.
    pub message: String,
}

impl Failure {
    fn new(outcome: Outcome, message: impl Into<String>) -> Self {
        Self { outcome, message: message.into() }
    }
}

impl Prober {
    /// A prober that trusts the certificates in `store` and spends at most `timeout` on a host.
    pub fn new(store: X509Store, timeout: Duration) -> Result<Self> {
        let mut builder =
            SslContext::builder(SslMethod::tls_client()).context("cannot start OpenSSL")?;
        builder.set_cert_store(store);
        Ok(Self { context: builder.build(), timeout })
    }

    /// Connects to `target`, reads its chain and hangs up.
    pub fn probe(&self, target: &Target) -> Probe {
        let deadline = Deadline::after(self.timeout);
        let mut probe = Probe::default();
        let socket = match connect::connect(target, deadline) {
            Ok(socket) => socket,
            Err(failure) => {
                probe.failure = Some(failure);
                return probe;
            }
        };
        probe.address = socket.peer_addr().ok();
        if let Err(error) =
            self.read_chain(target, DeadlineStream::new(socket, deadline), &mut probe)
        {
            probe.failure = Some(Failure::new(Outcome::TlsError, format!("{error:#}")));
        }
        probe
    }

    /// Makes the handshake and fills in `probe`; an error is OpenSSL failing, not the peer.
    fn read_chain(&self, target: &Target, stream: DeadlineStream, probe: &mut Probe) -> Result<()> {
        let verification = Verification::default();
        let mut ssl = Ssl::new(&self.context)?;
        name_peer(&mut ssl, &target.host)?;
        // The callback notes what is wrong and lets the handshake go on, so that all of it is seen.
        let notes = verification.clone();
        ssl.set_verify_callback(SslVerifyMode::PEER, move |good, context| {
            if !good {
                notes.note(context);
            }
            true
        });

        let mut tls = SslStream::new(ssl, stream)?;
        let handshake = tls.connect();
        probe.chain = chain::read(tls.ssl())?;
        probe.problems = verification.problems(target, &probe.chain);
        match handshake {
            Ok(()) => {
                probe.protocol = Some(tls.ssl().version_str().to_string());
                // Politeness only; the chain is read.
                let _ = tls.shutdown();
            }
            Err(error) => probe.failure = Some(handshake::explain(&error, tls.get_mut())),
        }
        Ok(())
    }
}

/// Tells OpenSSL whom to ask for (SNI) and whose certificate is to be expected.
fn name_peer(ssl: &mut Ssl, host: &Host) -> Result<()> {
    match host {
        Host::Name(name) => {
            ssl.set_hostname(name)?;
            // Like browsers: the common name no longer counts.
            let flags = X509CheckFlags::NO_PARTIAL_WILDCARDS | X509CheckFlags::NEVER_CHECK_SUBJECT;
            let expected = ssl.param_mut();
            expected.set_hostflags(flags);
            expected.set_host(name)?;
        }
        // SNI is for names only (RFC 6066).
        Host::Address(address) => ssl.param_mut().set_ip(*address)?,
    }
    Ok(())
}
