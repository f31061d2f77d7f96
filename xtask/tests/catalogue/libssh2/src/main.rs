//! Exchanges keys with a small SSH server through the crate `ssh2`. The server is a thread that can do
//! just that: it proves its Ed25519 key to the client, and hangs up.

use std::ffi::CStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;

use openssl::derive::Deriver;
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;
use ssh2::{CheckResult, ErrorCode, HashType, HostKeyType, KnownHostFileKind, MethodType, Session};

unsafe extern "C" {
    fn libssh2_version(required: i32) -> *const std::ffi::c_char;
}

const SERVER: &str = "SSH-2.0-muslin";

pub fn main() {
    // SAFETY: the function returns a constant text.
    let version = unsafe { CStr::from_ptr(libssh2_version(0)) };
    assert_eq!(version.to_str().unwrap(), std::env::var("MUSLIN_VERSION").unwrap());

    let key = PKey::generate_ed25519().unwrap();
    let session = exchange(&key, &key);
    assert_eq!(session.methods(MethodType::Kex), Some("curve25519-sha256"));
    assert_eq!(session.methods(MethodType::CryptCs), Some("aes256-gcm@openssh.com"));
    assert_eq!(session.methods(MethodType::CompCs), Some("zlib"), "it was built with zlib");
    let (blob, kind) = session.host_key().unwrap();
    assert!(blob == host_key(&key) && matches!(kind, HostKeyType::Ed25519));
    let digest = openssl::sha::sha256(&host_key(&key));
    assert_eq!(session.host_key_hash(HashType::Sha256), Some(&digest[..]));

    // Known hosts are remembered by that key.
    let mut known = session.known_hosts().unwrap();
    let line =
        format!("example.org ssh-ed25519 {}\n", openssl::base64::encode_block(&host_key(&key)));
    known.read_str(&line, KnownHostFileKind::OpenSSH).unwrap();
    assert!(matches!(known.check("example.org", blob), CheckResult::Match));
    assert!(matches!(known.check("example.com", blob), CheckResult::NotFound));
    let other = host_key(&PKey::generate_ed25519().unwrap());
    assert!(matches!(known.check("example.org", &other), CheckResult::Mismatch));

    // A server that shows one key and signs with another is none to talk to.
    let session = exchange(&key, &PKey::generate_ed25519().unwrap());
    assert!(!session.authenticated());
}

/// Connects to a server that shows the first key and signs with the second, as far as it goes.
fn exchange(shown: &PKey<Private>, signing: &PKey<Private>) -> Session {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let is_honest = shown.public_eq(signing);
    let (shown, signing) = (shown.clone(), signing.clone());
    let server = thread::spawn(move || serve(listener.accept().unwrap().0, &shown, &signing));
    let mut session = Session::new().unwrap();
    session.set_compress(true);
    let stream = TcpStream::connect(address).unwrap();
    session.set_tcp_stream(stream.try_clone().unwrap());
    let error = session.handshake().unwrap_err();
    stream.shutdown(Shutdown::Both).unwrap();
    let got_keys = server.join().unwrap();
    assert_eq!(got_keys, is_honest, "{error}");
    let expected = if is_honest {
        libssh2_sys::LIBSSH2_ERROR_SOCKET_RECV
    } else {
        libssh2_sys::LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE
    };
    assert_eq!(error.code(), ErrorCode::Session(expected), "{error}");
    session
}

/// The server's side. Returns whether the client took the new keys into use.
fn serve(stream: TcpStream, shown: &PKey<Private>, signing: &PKey<Private>) -> bool {
    let mut output = stream.try_clone().unwrap();
    let mut input = BufReader::new(stream);
    let mut client = String::new();
    input.read_line(&mut client).unwrap();
    assert!(client.starts_with("SSH-2.0-libssh2_"), "{client}");
    write!(output, "{SERVER}\r\n").unwrap();

    let ours = offer();
    output.write_all(&packet(&ours)).unwrap();
    let theirs = read_packet(&mut input).unwrap();
    let init = read_packet(&mut input).unwrap();
    assert_eq!((theirs[0], init[0], init.len()), (20, 30, 1 + 4 + 32));
    let client_point = &init[5..];

    let point = PKey::generate_x25519().unwrap();
    let peer = PKey::public_key_from_raw_bytes(client_point, Id::X25519).unwrap();
    let mut deriver = Deriver::new(&point).unwrap();
    deriver.set_peer(&peer).unwrap();
    let secret = deriver.derive_to_vec().unwrap();
    let point = point.raw_public_key().unwrap();

    let parts = [client.trim_end().as_bytes(), SERVER.as_bytes(), &theirs, &ours];
    let mut hashed: Vec<u8> = parts.iter().flat_map(|part| string(part)).collect();
    for part in [&host_key(shown)[..], client_point, &point, &number(&secret)] {
        hashed.extend(string(part));
    }
    let hash = openssl::sha::sha256(&hashed);
    let signature =
        Signer::new_without_digest(signing).unwrap().sign_oneshot_to_vec(&hash).unwrap();
    let mut reply = vec![31];
    reply.extend(string(&host_key(shown)));
    reply.extend(string(&point));
    reply.extend(string(&[string(b"ssh-ed25519"), string(&signature)].concat()));
    output.write_all(&packet(&reply)).unwrap();
    output.write_all(&packet(&[21])).unwrap();
    let got_keys = read_packet(&mut input).is_some_and(|packet| packet == [21]);
    // It hangs up politely: with bytes unread, the client would see an error instead of the end.
    let _ = output.shutdown(Shutdown::Write);
    std::io::copy(&mut input, &mut std::io::sink()).unwrap();
    got_keys
}

/// What the server can do: one of each.
fn offer() -> Vec<u8> {
    let mut offer = vec![20];
    offer.extend([9; 16]);
    let crypt = "aes256-gcm@openssh.com";
    let mac = "hmac-sha2-256";
    for names in
        ["curve25519-sha256", "ssh-ed25519", crypt, crypt, mac, mac, "zlib", "zlib", "", ""]
    {
        offer.extend(string(names.as_bytes()));
    }
    offer.extend([0; 5]);
    offer
}

fn host_key(key: &PKey<Private>) -> Vec<u8> {
    [string(b"ssh-ed25519"), string(&key.raw_public_key().unwrap())].concat()
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// A positive number has no zeros in front but one before a set bit.
fn number(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|&byte| byte != 0).unwrap();
    let sign: &[u8] = if bytes[start] >= 0x80 { &[0] } else { &[] };
    [sign, &bytes[start..]].concat()
}

fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 16 - (payload.len() + 5) % 8;
    let mut packet = ((payload.len() + padding + 1) as u32).to_be_bytes().to_vec();
    packet.push(padding as u8);
    packet.extend(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

/// The payload of a packet; none if the other side has left.
fn read_packet(input: &mut impl Read) -> Option<Vec<u8>> {
    let mut head = [0; 5];
    input.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes(head[..4].try_into().unwrap()) as usize;
    let mut rest = vec![0; length - 1];
    input.read_exact(&mut rest).ok()?;
    rest.truncate(rest.len() - usize::from(head[4]));
    Some(rest)
}
