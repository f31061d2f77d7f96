//! Peers for certwatch to talk to, each in a thread that ends with the test.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use openssl::ssl::{NameType, SslAcceptor, SslAcceptorBuilder, SslMethod};

use crate::pki::Identity;

/// A listening peer. Each connection is served in a thread of its own.
pub struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    asked_for: Arc<Mutex<Vec<Option<String>>>>,
}

impl Server {
    /// A TLS server on 127.0.0.1.
    pub fn tls(identity: &Identity) -> Self {
        Self::tls_at(Ipv4Addr::LOCALHOST.into(), identity, |_| ()).expect("listen on 127.0.0.1")
    }

    /// A TLS server with more settings; `None` if the machine lacks the address.
    pub fn tls_at(
        ip: IpAddr,
        identity: &Identity,
        settings: impl FnOnce(&mut SslAcceptorBuilder),
    ) -> Option<Self> {
        let mut builder =
            SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).expect("an acceptor");
        builder.set_private_key(&identity.key).expect("the key");
        builder.set_certificate(&identity.chain[0]).expect("the certificate");
        for certificate in &identity.chain[1..] {
            builder.add_extra_chain_cert(certificate.clone()).expect("an intermediate");
        }
        settings(&mut builder);
        // Noted before the server answers: a client may have what it wants, and leave, before `accept`
        // returns.
        let asked_for = Arc::default();
        let names: Arc<Mutex<Vec<_>>> = Arc::clone(&asked_for);
        builder.set_servername_callback(move |tls, _| {
            let name = tls.servername(NameType::HOST_NAME).map(str::to_string);
            names.lock().expect("the names").push(name);
            Ok(())
        });
        let acceptor = builder.build();
        let serve = move |socket: TcpStream| {
            if let Ok(mut tls) = acceptor.accept(socket) {
                let _ = tls.read(&mut [0; 64]);
            }
        };
        Self::start(ip, serve, asked_for)
    }

    /// A peer on 127.0.0.1 that does with each connection what `serve` does.
    pub fn raw(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self::start(Ipv4Addr::LOCALHOST.into(), serve, Arc::default()).expect("listen on 127.0.0.1")
    }

    fn start(
        ip: IpAddr,
        serve: impl Fn(TcpStream) + Send + Sync + 'static,
        asked_for: Arc<Mutex<Vec<Option<String>>>>,
    ) -> Option<Self> {
        let listener = TcpListener::bind((ip, 0)).ok()?;
        let address = listener.local_addr().expect("the address");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let serve = Arc::new(serve);
        let thread = thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let _ = socket.set_read_timeout(Some(Duration::from_secs(30)));
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(socket));
            }
        });
        Some(Self { address, stop, thread: Some(thread), asked_for })
    }

    /// `127.0.0.1:PORT`, as certwatch writes it.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The names that clients asked for (SNI).
    pub fn asked_for(&self) -> Vec<Option<String>> {
        self.asked_for.lock().expect("the names").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread from `accept`.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads until the client hangs up.
pub fn drain(mut socket: &TcpStream) {
    let mut buffer = [0; 1024];
    while socket.read(&mut buffer).is_ok_and(|count| count > 0) {}
}
