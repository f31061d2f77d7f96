//! Programs that speak with the network: here, with the loopback.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::built::{Built, Program};
use crate::tls::{Identity, Server};

/// How long a server may take to listen, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port of the loopback at which nobody listens.
pub fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn xh() {
    let program = Program {
        name: "xh",
        version: "0.26.3",
        arguments: &["--no-default-features", "--features", "native-tls"],
        needs: &["openssl"],
    };
    let Some(built) = program.build() else { return };
    built.links("xh", &["oniguruma: libonig.a", "openssl: libcrypto.a", "openssl: libssl.a"]);
    built.has_copies_of(&[]);
    let identity = Identity::in_folder(&built.root);
    built.write("site/answer.json", "{\"cloth\":\"muslin\",\"threads\":[1,2]}");
    let server = Server::of_folder(&built.root.join("site"), &identity);
    let url = format!("https://{}/answer.json", server.address);
    let told = built.run("xh", &["--ignore-stdin", "--verify", "/cert.pem", "--print", "hb", &url]);
    assert!(told.contains("200 ok") && told.contains("muslin"), "{told}");
    let coloured = built.run(
        "xh",
        &[
            "--ignore-stdin",
            "--verify",
            "/cert.pem",
            "--pretty=all",
            "--response-mime=application/json",
            "-b",
            &url,
        ],
    );
    assert!(coloured.contains("\x1b[") && coloured.contains("threads"), "{coloured}");
    // Whom nobody vouches for is not believed.
    let told = built.refuse("xh", &["--ignore-stdin", &url]);
    assert!(told.contains("certificate verify failed"), "{told}");
    built.done("HTTPS by native-tls from a loopback server, JSON coloured; a stranger refused");
}

/// A server that listens at a port; ended when dropped.
struct Serving(Child);

impl Serving {
    /// Starts it and waits until it listens.
    fn start(built: &Built, port: u16, arguments: &[&str]) -> Self {
        let mut command = built.command("miniserve");
        command.args(["--interfaces", "127.0.0.1", "--port", &port.to_string()]).args(arguments);
        let mut it = Self(command.stdout(Stdio::null()).spawn().unwrap());
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(it.0.try_wait().unwrap().is_none(), "miniserve has ended: {arguments:?}");
            assert!(started.elapsed() < PATIENCE, "miniserve does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        it
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A request, and the head and the body of the answer.
fn get(port: u16, path: &str, header: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    let request =
        format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n{header}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let (head, body) = (String::from_utf8_lossy(&answer[..end]).to_lowercase(), &answer[end + 4..]);
    let is_chunked = head.contains("transfer-encoding: chunked");
    let body = if is_chunked { joined(body) } else { body.to_vec() };
    (head, body)
}

/// What was sent in chunks, each behind its length.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.windows(2).position(|bytes| bytes == b"\r\n") {
        let length = std::str::from_utf8(&chunks[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            break;
        }
        body.extend_from_slice(&chunks[end + 2..][..length]);
        chunks = &chunks[end + 2 + length + 2..];
    }
    body
}

#[test]
fn miniserve() {
    let program =
        Program { name: "miniserve", version: "0.35.0", arguments: &[], needs: &["openssl"] };
    let Some(built) = program.build() else { return };
    built.links("miniserve", &["zstd: libzstd.a"]);
    let text = "warp and weft and ".repeat(1000);
    built.write("folder/cloth.txt", &text);
    built.write("folder/inner/thread.txt", "fine");

    let port = closed_port();
    let serving =
        Serving::start(&built, port, &["--enable-tar-gz", "--compress-response", "/folder"]);
    let (head, body) = get(port, "/cloth.txt", "");
    assert!(head.starts_with("http/1.0 200") && body == text.as_bytes(), "{head}");
    let (head, body) = get(port, "/", "Accept-Encoding: zstd\r\n");
    assert!(head.contains("content-encoding: zstd"), "{head}");
    let mut page = String::new();
    ruzstd::decoding::StreamingDecoder::new(&body[..]).unwrap().read_to_string(&mut page).unwrap();
    assert!(page.contains("cloth.txt") && page.contains("inner"), "{page}");
    let (_, body) = get(port, "/inner/?download=tar_gz", "");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&body[..]));
    let mut texts =
        archive.entries().unwrap().map(|entry| io::read_to_string(entry.unwrap()).unwrap());
    assert!(texts.any(|text| text == "fine"), "the folder as an archive");
    drop(serving);

    let identity = Identity::in_folder(&built.root);
    let port = closed_port();
    let arguments = ["--tls-cert", "/cert.pem", "--tls-key", "/key.pem", "/folder"];
    let _serving = Serving::start(&built, port, &arguments);
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-verify_return_error", "-connect"])
        .arg(format!("127.0.0.1:{port}"))
        .arg("-CAfile")
        .arg(&identity.certificate)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = client.stdin.take().unwrap();
    stdin.write_all(b"GET /inner/thread.txt HTTP/1.0\r\n\r\n").unwrap();
    let answer = io::read_to_string(client.stdout.take().unwrap()).unwrap();
    drop(stdin);
    client.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.0 200") && answer.ends_with("fine"), "{answer}");
    built.done("a folder served: a file, a page in zstd, an archive; and with TLS");
}
