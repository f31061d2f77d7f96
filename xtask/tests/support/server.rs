//! A web server on the loopback for tests: counts requests and misbehaves on demand. Speaks just
//! enough HTTP/1.1, one request a connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// `/path`, or a whole address if the server is used as a proxy.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// The value of a header; its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Serves a file properly, with its entity tag; obeys `Range` and `If-Range`.
    File(Vec<u8>, &'static str),
    /// Serves bytes, whatever was asked for.
    Plain(Vec<u8>),
    /// Answers with a status line, header lines and a body.
    Status(&'static str, Vec<String>, Vec<u8>),
    /// Answers a request for a range with other bytes as if they were that range.
    FalseRange(Vec<u8>),
    /// Promises so many bytes, sends those, and closes; with an entity tag.
    Short(usize, Vec<u8>, &'static str),
    /// Promises so many bytes, sends those, and then nothing at all.
    Stall(usize, Vec<u8>),
    /// Sends bytes in pieces of a size with pauses between.
    Drip(Vec<u8>, usize, Duration),
    /// Never stops sending.
    Endless,
    /// Resets the connection without a word.
    Reset,
}

/// A running server; it stops when dropped.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
}

/// The first byte of a client that wants to speak TLS.
const TLS_HANDSHAKE: [u8; 1] = [22];

type Handler = dyn Fn(&Request, usize) -> Reply + Send + Sync;

impl Server {
    /// Starts a server; the handler gets each request and its number, from 0.
    pub fn start(handler: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let stop = Arc::<AtomicBool>::default();
        let handler: Arc<Handler> = Arc::new(handler);
        let (log, ended) = (requests.clone(), stop.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (log, ended, handler) = (log.clone(), ended.clone(), handler.clone());
                // A client that goes away ends its connection with an error, which is its right.
                std::thread::spawn(move || drop(answer(stream, &log, &ended, &*handler)));
            }
        });
        Self { address, requests, stop }
    }

    /// A server that replies the same to everything.
    pub fn always(reply: Reply) -> Self {
        Self::start(move |_, _| reply.clone())
    }

    /// A server that goes through replies and stays with the last.
    pub fn in_turn<const N: usize>(replies: [Reply; N]) -> Self {
        Self::start(move |_, number| replies[number.min(N - 1)].clone())
    }

    /// An address on this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(
    mut stream: TcpStream,
    log: &Mutex<Vec<Request>>,
    ended: &AtomicBool,
    handler: &Handler,
) -> std::io::Result<()> {
    let mut first = [0];
    stream.peek(&mut first)?;
    if first == TLS_HANDSHAKE {
        return stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    }
    let request = read_request(&stream)?;
    let number = {
        let mut log = log.lock().unwrap();
        log.push(request.clone());
        log.len() - 1
    };
    let out = &mut stream;
    match handler(&request, number) {
        Reply::File(body, etag) => serve_file(out, &request, &body, etag)?,
        Reply::Plain(body) => send(out, "200 OK", &[length(body.len())], &body)?,
        Reply::Status(status, mut lines, body) => {
            lines.push(length(body.len()));
            send(out, status, &lines, &body)?;
        }
        Reply::FalseRange(body) => match range_start(&request) {
            Some(start) => serve_range(out, start, start + body.len(), &body)?,
            None => send(out, "200 OK", &[length(body.len())], &body)?,
        },
        Reply::Short(promised, body, etag) => {
            send(out, "200 OK", &[length(promised), format!("ETag: {etag}")], &body)?;
        }
        Reply::Stall(promised, body) => {
            send(out, "200 OK", &[length(promised)], &body)?;
            while !ended.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Reply::Drip(body, piece, pause) => {
            send(out, "200 OK", &[length(body.len())], b"")?;
            for piece in body.chunks(piece) {
                out.write_all(piece)?;
                std::thread::sleep(pause);
            }
        }
        Reply::Endless => {
            send(out, "200 OK", &[], b"")?;
            while !ended.load(Ordering::SeqCst) {
                out.write_all(&[b'x'; 4096])?;
            }
        }
        Reply::Reset => {
            let at_once = Some(Duration::ZERO);
            socket2::SockRef::from(&*out).set_linger(at_once)?;
            return Ok(());
        }
    }
    // Closing with unread bytes would reset the connection and lose the answer.
    stream.shutdown(std::net::Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    std::io::copy(&mut stream.take(1 << 20), &mut std::io::sink()).map(drop)
}

fn read_request(stream: &TcpStream) -> std::io::Result<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(Request { path, headers })
}

fn length(bytes: usize) -> String {
    format!("Content-Length: {bytes}")
}

fn send(out: &mut TcpStream, status: &str, lines: &[String], body: &[u8]) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for line in lines {
        head.push_str(line);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    out.write_all(head.as_bytes())?;
    out.write_all(body)
}

fn range_start(request: &Request) -> Option<usize> {
    request.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

fn serve_range(
    out: &mut TcpStream,
    start: usize,
    total: usize,
    rest: &[u8],
) -> std::io::Result<()> {
    let range = format!("Content-Range: bytes {start}-{}/{total}", total.saturating_sub(1));
    send(out, "206 Partial Content", &[length(rest.len()), range], rest)
}

fn serve_file(
    out: &mut TcpStream,
    request: &Request,
    body: &[u8],
    etag: &str,
) -> std::io::Result<()> {
    let is_same = request.header("if-range").is_none_or(|wanted| wanted == etag);
    match range_start(request).filter(|_| is_same) {
        Some(start) if start < body.len() => serve_range(out, start, body.len(), &body[start..]),
        Some(_) => send(out, "416 Range Not Satisfiable", &[length(0)], b""),
        None => send(out, "200 OK", &[length(body.len()), format!("ETag: {etag}")], body),
    }
}
