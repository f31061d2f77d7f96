//! Logs in and asks through the crate `pq-sys`. The server is a thread that speaks as much of
//! PostgreSQL's protocol as that needs, inside TLS.

use std::ffi::{CStr, CString, c_char};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use openssl::ssl::{SslAcceptor, SslMethod};

const PASSWORD: &str = "correct horse";

#[path = "../../identity.rs"]
mod identity;

pub fn main() {
    // SAFETY: the function has no preconditions.
    let version = unsafe { pq_sys::PQlibVersion() };
    let version = format!("{}.{}", version / 10_000, version % 10_000);
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || serve(listener.accept().unwrap().0));
    let settings = format!(
        "hostaddr=127.0.0.1 port={port} user=me password='{PASSWORD}' dbname=things sslmode=require"
    );
    ask(&settings);
    server.join().unwrap();
    hash();
}

/// A session of the client.
fn ask(settings: &str) {
    let settings = CString::new(settings).unwrap();
    // SAFETY: texts end with a zero, and what is freed was made here.
    unsafe {
        let connection = pq_sys::PQconnectdb(settings.as_ptr());
        let error = text(pq_sys::PQerrorMessage(connection));
        assert_eq!(pq_sys::PQstatus(connection), pq_sys::ConnStatusType::CONNECTION_OK, "{error}");
        assert_eq!(pq_sys::PQsslInUse(connection), 1);
        assert_eq!(pq_sys::PQserverVersion(connection), 180_006);
        let escaped = pq_sys::PQescapeLiteral(connection, c"it's".as_ptr(), 4);
        assert_eq!(text(escaped), "'it''s'");
        let query = CString::new(format!("SELECT {}", text(escaped))).unwrap();
        let result = pq_sys::PQexec(connection, query.as_ptr());
        let status = pq_sys::PQresultStatus(result);
        assert_eq!(status, pq_sys::ExecStatusType::PGRES_TUPLES_OK);
        assert_eq!((pq_sys::PQntuples(result), pq_sys::PQnfields(result)), (1, 1));
        assert_eq!(text(pq_sys::PQfname(result, 0)), "answer");
        assert_eq!(text(pq_sys::PQgetvalue(result, 0, 0)), "it's");
        pq_sys::PQclear(result);
        pq_sys::PQfreemem(escaped.cast());
        pq_sys::PQfinish(connection);
    }
}

/// A password is hashed as the server would, with 4096 rounds of SHA-256 and a random salt.
fn hash() {
    // SAFETY: texts end with a zero; for this algorithm no connection is needed.
    unsafe {
        let connection = pq_sys::PQconnectStart(c"hostaddr=127.0.0.1 port=1".as_ptr());
        let algorithm = c"scram-sha-256".as_ptr();
        let hashed = pq_sys::PQencryptPasswordConn(
            connection,
            c"secret".as_ptr(),
            c"me".as_ptr(),
            algorithm,
        );
        let hashed = text(hashed);
        assert!(hashed.starts_with("SCRAM-SHA-256$4096:") && hashed.len() > 100, "{hashed}");
        pq_sys::PQfinish(connection);
    }
}

/// # Safety
/// The text must end with a zero.
unsafe fn text(text: *const c_char) -> String {
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned()
}

/// The server's side of one session.
fn serve(mut stream: TcpStream) {
    let mut request = [0; 8];
    stream.read_exact(&mut request).unwrap();
    assert_eq!(request, [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f], "it asks for TLS");
    stream.write_all(b"S").unwrap();
    let (key, certificate) = identity::identity();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.set_certificate(&certificate).unwrap();
    let mut stream = acceptor.build().accept(stream).unwrap();

    let start = read(&mut stream, 4);
    assert_eq!(start[..4], [0, 3, 0, 0]);
    let words: Vec<_> = start[4..].split(|&byte| byte == 0).collect();
    assert!(words.windows(2).any(|two| two == [&b"user"[..], b"me"]));
    assert!(words.windows(2).any(|two| two == [&b"database"[..], b"things"]));
    write(&mut stream, b'R', &3u32.to_be_bytes());
    let password = message(&mut stream, b'p');
    assert_eq!(password, format!("{PASSWORD}\0").as_bytes());
    write(&mut stream, b'R', &0u32.to_be_bytes());
    write(&mut stream, b'S', b"server_version\x0018.6\0");
    write(&mut stream, b'S', b"client_encoding\0UTF8\0");
    write(&mut stream, b'S', b"standard_conforming_strings\0on\0");
    write(&mut stream, b'Z', b"I");

    assert_eq!(message(&mut stream, b'Q'), b"SELECT 'it''s'\0");
    // One column of type text.
    let mut columns = b"\0\x01answer\0".to_vec();
    columns.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]);
    write(&mut stream, b'T', &columns);
    write(&mut stream, b'D', b"\0\x01\0\0\0\x04it's");
    write(&mut stream, b'C', b"SELECT 1\0");
    write(&mut stream, b'Z', b"I");
    assert_eq!(message(&mut stream, b'X'), b"");
}

fn write(stream: &mut impl Write, kind: u8, body: &[u8]) {
    let mut message = vec![kind];
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    stream.write_all(&message).unwrap();
}

fn message(stream: &mut impl Read, expected: u8) -> Vec<u8> {
    let mut kind = [0];
    stream.read_exact(&mut kind).unwrap();
    assert_eq!(char::from(kind[0]), char::from(expected));
    read(stream, 4)
}

/// What follows a length that counts itself.
fn read(stream: &mut impl Read, counted: usize) -> Vec<u8> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut body = vec![0; u32::from_be_bytes(length) as usize - counted];
    stream.read_exact(&mut body).unwrap();
    body
}
