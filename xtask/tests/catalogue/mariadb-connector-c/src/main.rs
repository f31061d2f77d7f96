//! Logs in and asks through the crate `mysqlclient-sys`. The server is a thread that speaks as much of
//! the protocol as that needs, inside TLS; it wants the password in MySQL's way first, then in MariaDB's.

use std::ffi::{CStr, CString, c_char};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::ptr::null;
use std::thread;

use mysqlclient_sys as mysql;
use mysqlclient_sys::mysql_option as option;
use openssl::pkey::{Id, PKey, Private};
use openssl::sha::sha256;
use openssl::sign::Verifier;
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::X509;

/// As long as a seed of Ed25519, so that its key is the one that OpenSSL makes of it.
const PASSWORD: &[u8; 32] = b"correct horse battery staple 123";
const NONCE: &[u8; 20] = b"twenty letters, here";
const SECOND_NONCE: &[u8; 32] = b"and two and thirty letters, here";
const CLIENT_CONNECT_WITH_DB: u32 = 0x8;
const CLIENT_SSL: u32 = 0x800;
const CAPABILITIES: u32 =
    0x1 | CLIENT_CONNECT_WITH_DB | 0x200 | CLIENT_SSL | 0x2000 | 0x8000 | 0x8_0000;
const OK: [u8; 7] = [0, 0, 0, 2, 0, 0, 0];
const END: [u8; 5] = [0xfe, 0, 0, 2, 0];

#[path = "../../identity.rs"]
mod identity;

pub fn main() {
    // SAFETY: the function has no preconditions.
    let version = text(unsafe { mysql::mysql_get_client_info() });
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());

    let (key, certificate) = identity::identity();
    fs::write("/tmp/mysql-ca.pem", certificate.to_pem().unwrap()).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || serve(listener.accept().unwrap().0, &key, &certificate));
    ask(port);
    server.join().unwrap();

    // One of another certificate is not believed.
    let (key, certificate) = identity::identity();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server =
        thread::spawn(move || greet(listener.accept().unwrap().0, &key, &certificate).is_err());
    let error = connect(port).unwrap_err();
    assert!(error.contains("certificate"), "{error}");
    assert!(server.join().unwrap());
}

/// A connection, or what went wrong.
fn connect(port: u16) -> Result<*mut mysql::MYSQL, String> {
    let yes: mysql::my_bool = 1;
    let password = CString::new(PASSWORD.as_slice()).unwrap();
    // SAFETY: texts end with a zero, and each option gets what it is documented to take.
    unsafe {
        let connection = mysql::mysql_init(std::ptr::null_mut());
        mysql::mysql_options(connection, option::MYSQL_OPT_SSL_ENFORCE, (&raw const yes).cast());
        let verify = option::MYSQL_OPT_SSL_VERIFY_SERVER_CERT;
        mysql::mysql_options(connection, verify, (&raw const yes).cast());
        let ca = c"/tmp/mysql-ca.pem".as_ptr();
        mysql::mysql_options(connection, option::MYSQL_OPT_SSL_CA, ca.cast());
        let (host, user, database) = (c"127.0.0.1".as_ptr(), c"me".as_ptr(), c"things".as_ptr());
        let port = port.into();
        let socket = null();
        let done = mysql::mysql_real_connect(
            connection,
            host,
            user,
            password.as_ptr(),
            database,
            port,
            socket,
            0,
        );
        if done.is_null() {
            let error = text(mysql::mysql_error(connection));
            mysql::mysql_close(connection);
            return Err(error);
        }
        Ok(connection)
    }
}

/// A session of the client.
fn ask(port: u16) {
    let connection = connect(port).unwrap();
    // SAFETY: the connection is open, texts end with a zero, and what is freed was made here.
    unsafe {
        let cipher = text(mysql::mysql_get_ssl_cipher(connection));
        assert!(cipher.contains("AES") || cipher.contains("CHACHA"), "TLS: {cipher}");
        assert_eq!(text(mysql::mysql_get_server_info(connection)), "8.4.0");
        let mut escaped = [0; 16];
        let to = escaped.as_mut_ptr();
        let length = mysql::mysql_real_escape_string(connection, to, c"it's".as_ptr(), 4);
        assert_eq!((text(to).as_str(), length), (r"it\'s", 5));
        let query = CString::new(format!("SELECT '{}'", text(to))).unwrap();
        let failed = mysql::mysql_query(connection, query.as_ptr());
        assert_eq!(failed, 0, "{}", text(mysql::mysql_error(connection)));
        let result = mysql::mysql_store_result(connection);
        assert_eq!((mysql::mysql_num_rows(result), mysql::mysql_num_fields(result)), (2, 1));
        assert_eq!(text((*mysql::mysql_fetch_field(result)).name), "answer");
        assert_eq!(text(*mysql::mysql_fetch_row(result)), "it's");
        let second = mysql::mysql_fetch_row(result);
        assert!((*second).is_null() && *mysql::mysql_fetch_lengths(result) == 0, "NULL");
        assert!(mysql::mysql_fetch_row(result).is_null());
        mysql::mysql_free_result(result);
        mysql::mysql_close(connection);
    }
}

/// A text of the library's.
fn text(text: *const c_char) -> String {
    // SAFETY: all that are given here end with a zero, and live as long as the connection.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned()
}

/// The server's side of one session.
fn serve(stream: TcpStream, key: &PKey<Private>, certificate: &X509) {
    let mut stream = greet(stream, key, certificate).unwrap();

    let login = read(&mut stream, 2);
    let mut words = login[32..].splitn(2, |&byte| byte == 0);
    assert_eq!(words.next(), Some(&b"me"[..]));
    let rest = words.next().unwrap();
    assert_eq!((rest[0], &rest[1..33]), (32, &proof()[..]), "of the password, in MySQL's way");
    assert!(rest[33..].starts_with(b"things\0caching_sha2_password\0"));
    let again = [b"\xfeclient_ed25519\0", &SECOND_NONCE[..]].concat();
    write(&mut stream, 3, &again);
    let signature = read(&mut stream, 4);
    let key = PKey::private_key_from_raw_bytes(PASSWORD, Id::ED25519).unwrap();
    let mut verifier = Verifier::new_without_digest(&key).unwrap();
    assert!(verifier.verify_oneshot(&signature, SECOND_NONCE).unwrap(), "in MariaDB's way");
    write(&mut stream, 5, &OK);

    assert_eq!(read(&mut stream, 0), b"\x03SELECT 'it\\'s'");
    write(&mut stream, 1, &[1]);
    // One column of type VAR_STRING.
    let names = b"\x03def\0\0\0\x06answer\0\x0c";
    write(&mut stream, 2, &[&names[..], &[45, 0, 16, 0, 0, 0, 253, 0, 0, 0, 0, 0]].concat());
    write(&mut stream, 3, &END);
    write(&mut stream, 4, b"\x04it's");
    write(&mut stream, 5, &[0xfb]);
    write(&mut stream, 6, &END);
    assert_eq!(read(&mut stream, 0), [1], "the client's farewell");
}

/// Up to TLS, or the error of a client that does not believe the certificate.
fn greet(
    mut stream: TcpStream,
    key: &PKey<Private>,
    certificate: &X509,
) -> Result<openssl::ssl::SslStream<TcpStream>, openssl::ssl::HandshakeError<TcpStream>> {
    let [low, high] = [CAPABILITIES as u16, (CAPABILITIES >> 16) as u16].map(u16::to_le_bytes);
    let mut greeting = b"\x0a8.4.0\0\x07\0\0\0".to_vec();
    greeting.extend_from_slice(&NONCE[..8]);
    greeting.push(0);
    greeting.extend(low);
    greeting.extend([45, 2, 0]);
    greeting.extend(high);
    greeting.push(21);
    greeting.extend([0; 10]);
    greeting.extend_from_slice(&NONCE[8..]);
    greeting.extend(b"\0caching_sha2_password\0");
    write(&mut stream, 0, &greeting);
    let request = read(&mut stream, 1);
    let wanted = u32::from_le_bytes(request[..4].try_into().unwrap());
    let needed = CLIENT_SSL | CLIENT_CONNECT_WITH_DB;
    assert_eq!((request.len(), wanted & needed), (32, needed), "it asks for TLS");
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_private_key(key).unwrap();
    acceptor.set_certificate(certificate).unwrap();
    acceptor.build().accept(stream)
}

/// What shows that the client knows the password without telling it.
fn proof() -> [u8; 32] {
    let once = sha256(PASSWORD);
    let salted = [&sha256(&once)[..], NONCE].concat();
    let mask = sha256(&salted);
    std::array::from_fn(|at| once[at] ^ mask[at])
}

fn write(stream: &mut impl Write, number: u8, body: &[u8]) {
    let mut packet = (body.len() as u32).to_le_bytes();
    packet[3] = number;
    stream.write_all(&[&packet[..], body].concat()).unwrap();
}

fn read(stream: &mut impl Read, number: u8) -> Vec<u8> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[3], number, "packets are numbered");
    head[3] = 0;
    let mut body = vec![0; u32::from_le_bytes(head) as usize];
    stream.read_exact(&mut body).unwrap();
    body
}
