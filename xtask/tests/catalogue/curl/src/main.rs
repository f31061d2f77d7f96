//! Fetches through the crate `curl`: HTTP/1.1 with each encoding of the content, and HTTP/2 inside
//! TLS. The servers are threads that speak just as much of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use curl::Version;
use curl::easy::{Easy, HttpVersion};
use openssl::ssl::{AlpnError, SslAcceptor, SslMethod, SslStream};

const TEXT: &[u8] = b"hello hello hello\n";

/// TEXT, as gzip packs it.
const GZIP: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 87, 200, 64, 144, 92, 0, 59, 124, 138,
    223, 18, 0, 0, 0,
];

#[path = "../../identity.rs"]
mod identity;

pub fn main() {
    let version = Version::get();
    assert_eq!(version.version(), std::env::var("MUSLIN_VERSION").unwrap());
    assert!(!version.vendored(), "the crate's own copy");
    assert!(version.ssl_version().unwrap().starts_with("OpenSSL/3."), "{version:?}");
    assert!(version.feature_http2() && version.feature_ssl() && version.feature_libz());
    assert!(version.feature_brotli() && version.feature_zstd() && version.feature_async_dns());
    assert!(version.feature_ipv6() && version.feature_hsts() && version.feature_altsvc());
    assert!(version.feature_unix_domain_socket());
    let protocols: Vec<_> = version.protocols().collect();
    assert!(
        ["http", "https", "ftp", "wss"].iter().all(|it| protocols.contains(it)),
        "{protocols:?}"
    );
    assert!(!protocols.contains(&"telnet"));

    for (encoding, body) in
        [("identity", TEXT.to_vec()), ("gzip", GZIP.to_vec()), ("br", brotli()), ("zstd", zstd())]
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || http1(&listener, encoding, &body));
        let mut easy = Easy::new();
        easy.url(&format!("http://localhost:{port}/{encoding}")).unwrap();
        easy.accept_encoding("").unwrap();
        assert_eq!(fetch(&mut easy).unwrap(), (200, TEXT.to_vec()), "{encoding}");
        let request = server.join().unwrap();
        assert!(request[0].starts_with(&format!("GET /{encoding} HTTP/1.1")), "{request:?}");
        assert!(request.iter().any(|line| line.contains("gzip, br, zstd")), "{request:?}");
    }
    secure();
}

/// Trusts one certificate, then none.
fn secure() {
    let (key, certificate) = identity::identity();
    let pem = certificate.to_pem().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let mut acceptor = SslAcceptor::mozilla_modern_v5(SslMethod::tls()).unwrap();
        acceptor.set_private_key(&key).unwrap();
        acceptor.set_certificate(&certificate).unwrap();
        acceptor.set_alpn_select_callback(|_, theirs| {
            openssl::ssl::select_next_proto(b"\x02h2", theirs).ok_or(AlpnError::NOACK)
        });
        let acceptor = acceptor.build();
        http2(&mut acceptor.accept(listener.accept().unwrap().0).unwrap());
        // The second client leaves in the handshake or after it: what it says itself is what counts.
        drop(acceptor.accept(listener.accept().unwrap().0));
    });
    let mut easy = Easy::new();
    easy.url(&format!("https://localhost:{port}/")).unwrap();
    easy.http_version(HttpVersion::V2TLS).unwrap();
    easy.ssl_cainfo_blob(&pem).unwrap();
    assert_eq!(fetch(&mut easy).unwrap(), (200, TEXT.to_vec()));
    drop(easy);

    let mut easy = Easy::new();
    easy.url(&format!("https://localhost:{port}/")).unwrap();
    let (_, other) = identity::identity();
    easy.ssl_cainfo_blob(&other.to_pem().unwrap()).unwrap();
    let error = fetch(&mut easy).unwrap_err();
    assert!(error.is_peer_failed_verification(), "{error}");
    server.join().unwrap();
}

fn fetch(easy: &mut Easy) -> Result<(u32, Vec<u8>), curl::Error> {
    let mut body = Vec::new();
    let mut transfer = easy.transfer();
    transfer.write_function(|part| {
        body.extend(part);
        Ok(part.len())
    })?;
    transfer.perform()?;
    drop(transfer);
    Ok((easy.response_code()?, body))
}

/// Answers one request. Returns its lines.
fn http1(listener: &TcpListener, encoding: &str, body: &[u8]) -> Vec<String> {
    let mut stream = listener.accept().unwrap().0;
    let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
    let request: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {length}\r\n\r\n"
    )
    .unwrap();
    stream.write_all(body).unwrap();
    request
}

/// Answers one request, and reads until the client leaves.
fn http2(stream: &mut SslStream<std::net::TcpStream>) {
    assert_eq!(stream.ssl().selected_alpn_protocol(), Some(&b"h2"[..]));
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).unwrap();
    assert!(preface.starts_with(b"PRI * HTTP/2.0"));
    stream.write_all(&frame(4, 0, 0, b"")).unwrap();
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            return;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut body = vec![0; length as usize];
        stream.read_exact(&mut body).unwrap();
        match (head[3], head[4]) {
            (4, 0) => stream.write_all(&frame(4, 1, 0, b"")).unwrap(),
            // Status 200 is number 8 in the table of HPACK.
            (1, _) => {
                stream.write_all(&frame(1, 4, 1, b"\x88")).unwrap();
                stream.write_all(&frame(0, 1, 1, TEXT)).unwrap();
            }
            _ => {}
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u8, body: &[u8]) -> Vec<u8> {
    [&[0, 0, body.len() as u8, kind, flags, 0, 0, 0, stream], body].concat()
}

/// TEXT in a stream of Brotli, not compressed: a block of so many bytes, and an empty last one.
fn brotli() -> Vec<u8> {
    let head = ((TEXT.len() as u32 - 1) << 4) | (1 << 20);
    [&head.to_le_bytes()[..3], TEXT, &[3]].concat()
}

/// TEXT in a frame of Zstandard, not compressed.
fn zstd() -> Vec<u8> {
    let length = TEXT.len() as u8;
    let block = (u32::from(length) << 3) | 1;
    let head = [0x28, 0xb5, 0x2f, 0xfd, 0x20, length];
    [&head, &block.to_le_bytes()[..3], TEXT].concat()
}
