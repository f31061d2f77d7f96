//! One HTTP request with its redirects: who may be asked, and what each kind of trouble means.
//! Never writes to disk and never tries again: that is `download`'s part.

use std::error::Error as _;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::blocking::{Client, ClientBuilder, Response};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{StatusCode, Url, redirect};

use super::Limits;
use super::refusal::Cause;

const USER_AGENT: &str = concat!("muslin/", env!("CARGO_PKG_VERSION"));
const REDIRECTS_MAX: usize = 10;
/// A certificate error lists every name that the certificate has.
const REASON_CHARS: usize = 120;

/// Why a request brought nothing.
#[derive(Debug)]
pub(super) struct Trouble {
    /// In half a sentence.
    pub reason: String,
    /// Of what kind.
    pub cause: Cause,
    /// Whether it may pass by itself.
    pub retry: Retry,
}

/// Whether trouble may pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    /// It will not: the same request would end in the same way.
    Never,
    /// It may, but rarely does, and trying is slow: once more at most.
    Once,
    /// It may, after a pause that grows.
    Backoff,
    /// The server said after how long.
    After(Duration),
}

impl Trouble {
    pub(super) fn new(cause: Cause, retry: Retry, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), cause, retry }
    }
}

/// The clients, each made when first needed: loading the machine's certificates takes a while.
#[derive(Default)]
pub(super) struct Http {
    general: OnceLock<Result<Client, String>>,
    without_certificates: OnceLock<Result<Client, String>>,
    loopback: OnceLock<Result<Client, String>>,
}

impl Http {
    /// Sends a GET and follows redirects. The answer has status 200, 206 or 416; all else is trouble.
    pub(super) fn get(
        &self,
        limits: &Limits,
        url: &Url,
        headers: &HeaderMap,
    ) -> Result<Response, Trouble> {
        let mut url = url.clone();
        for hop in 0..=REDIRECTS_MAX {
            let client = self.client_for(limits, &url)?;
            let request = client.get(url.clone()).headers(headers.clone());
            let response = request.send().map_err(|error| judge_error(limits, &url, &error))?;
            let status = response.status();
            if !status.is_redirection() || !response.headers().contains_key(LOCATION) {
                return judge_status(limits, status, response.headers()).map(|()| response);
            }
            let location = response.headers().get(LOCATION).map(HeaderValue::as_bytes);
            let location = String::from_utf8_lossy(location.unwrap_or_default()).into_owned();
            url = next_hop(&url, &location, hop)
                .map_err(|reason| Trouble::new(Cause::Redirect, Retry::Never, reason))?;
        }
        unreachable!("next_hop refuses the last one")
    }

    fn client_for(&self, limits: &Limits, url: &Url) -> Result<&Client, Trouble> {
        let made = if is_loopback(url) && url.scheme() == "http" {
            // As in curl's and Go's practice, what is on this machine is not asked for elsewhere.
            self.loopback.get_or_init(|| build(base(limits).no_proxy().tls_certs_only([])))
        } else {
            self.general.get_or_init(|| build(base(limits)))
        };
        // A bare container has no certificates; plain http, as Debian's mirrors speak, needs none.
        let made = if made.is_err() && url.scheme() == "http" {
            self.without_certificates.get_or_init(|| build(base(limits).tls_certs_only([])))
        } else {
            made
        };
        made.as_ref().map_err(|reason| Trouble::new(Cause::Certificate, Retry::Never, reason))
    }
}

/// A client for other requests than fetching, to one address; it follows no redirects.
pub fn client(url: &Url) -> Result<Client, String> {
    let http = Http::default();
    let client = http.client_for(&Limits::default(), url).cloned();
    client.map_err(|trouble| trouble.reason)
}

/// Why such a request brought no answer.
pub fn explained(url: &Url, error: &reqwest::Error) -> anyhow::Error {
    let Trouble { reason, .. } = judge_error(&Limits::default(), url, error);
    anyhow::anyhow!("{}: {reason}", shown(url))
}

fn base(limits: &Limits) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(HeaderMap::from_iter([(
            ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        )]))
        .connect_timeout(limits.connect)
        // In the blocking client this limits the wait for the headers and then each read.
        .timeout(limits.stall)
        .redirect(redirect::Policy::none())
        .referer(false)
}

fn build(builder: ClientBuilder) -> Result<Client, String> {
    // Somebody else's choice of a provider in this process is as good: only the first one counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    builder
        .build()
        .map_err(|error| format!("cannot prepare encrypted connections: {}", deepest(&error)))
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str().unwrap_or_default() {
        "localhost" => true,
        host => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
    }
}

/// Where a redirect leads, or why it is not followed. `hop` counts those before it.
fn next_hop(from: &Url, location: &str, hop: usize) -> Result<Url, String> {
    if hop >= REDIRECTS_MAX {
        return Err(format!("redirects more than {REDIRECTS_MAX} times"));
    }
    let to = from
        .join(location)
        .map_err(|_| format!("redirects to `{location}`, which is no address"))?;
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => Ok(to),
        ("https", "http") => {
            Err(format!("redirects from https to plain http ({}): refused", shown(&to)))
        }
        (_, scheme) => Err(format!("redirects to a `{scheme}:` address: refused")),
    }
}

fn judge_status(limits: &Limits, status: StatusCode, headers: &HeaderMap) -> Result<(), Trouble> {
    let said = match status.canonical_reason() {
        Some(words) => format!("{} {words}", status.as_u16()),
        None => status.as_u16().to_string(),
    };
    let trouble = |cause, retry, reason| Err(Trouble::new(cause, retry, reason));
    match status.as_u16() {
        200 | 206 | 416 => Ok(()),
        404 | 410 => trouble(Cause::Absent, Retry::Never, format!("does not have it ({said})")),
        401 | 403 | 407 => {
            trouble(Cause::Server, Retry::Never, format!("does not let us ({said})"))
        }
        408 | 429 | 500 | 502..=599 => match retry_after(headers) {
            Some(pause) if pause > limits.retry_after_max => trouble(
                Cause::Server,
                Retry::Never,
                format!("answers {said} and asks to come back in {} s", pause.as_secs()),
            ),
            Some(pause) => trouble(Cause::Server, Retry::After(pause), format!("answers {said}")),
            None => trouble(Cause::Server, Retry::Backoff, format!("answers {said}")),
        },
        _ => trouble(Cause::Server, Retry::Never, format!("answers {said}")),
    }
}

/// The seconds in `Retry-After`; its other form, a date, is left to our own pauses.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn judge_error(limits: &Limits, url: &Url, error: &reqwest::Error) -> Trouble {
    let deepest = deepest(error);
    let host = url.host_str().unwrap_or_default();
    let is_tls = chain(error).any(|cause| cause.is::<rustls::Error>());
    if is_tls {
        return Trouble::new(
            Cause::Certificate,
            Retry::Never,
            format!("no trusted connection: {deepest}"),
        );
    }
    // No name server is the usual state behind a firewall: waiting would only make that slow.
    if error.is_dns() || deepest.contains("failed to lookup address") {
        let why = deepest.rsplit(": ").next().unwrap_or_default();
        let reason = format!("no such host: `{host}` ({why})");
        return Trouble::new(Cause::Unreachable, Retry::Never, reason);
    }
    if error.is_connect() && error.is_timeout() {
        let reason = format!("`{host}` does not answer within {}", seconds(limits.connect));
        return Trouble::new(Cause::Unreachable, Retry::Once, reason);
    }
    if error.is_timeout() {
        let reason = format!("stalled: not a byte for {}", seconds(limits.stall));
        return Trouble::new(Cause::Unreachable, Retry::Backoff, reason);
    }
    let io_kind = chain(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind)
        .last();
    match io_kind {
        Some(std::io::ErrorKind::ConnectionRefused) => {
            let reason = format!("`{host}` refuses the connection");
            Trouble::new(Cause::Unreachable, Retry::Never, reason)
        }
        _ if error.is_builder() => Trouble::new(Cause::Server, Retry::Never, deepest),
        _ => Trouble::new(Cause::Server, Retry::Backoff, format!("broke off: {deepest}")),
    }
}

/// What a failed read of a body means; always worth another try.
pub(super) fn judge_body(limits: &Limits, error: &std::io::Error) -> Trouble {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>());
    if inner.is_some_and(reqwest::Error::is_timeout) {
        let reason = format!("stalled: not a byte for {}", seconds(limits.stall));
        return Trouble::new(Cause::Server, Retry::Backoff, reason);
    }
    let why = inner.map_or_else(|| error.to_string(), deepest);
    Trouble::new(Cause::Server, Retry::Backoff, format!("broke off: {why}"))
}

/// The causes of an error, outermost first. An I/O error hides what it wraps from `source`.
fn chain<'a>(
    error: &'a reqwest::Error,
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let now = next?;
        let wrapped = now.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => now.source(),
        };
        Some(now)
    })
}

/// The innermost cause: the outer ones repeat the address or say "error sending request".
fn deepest(error: &reqwest::Error) -> String {
    let text = chain(error).last().map_or_else(|| error.to_string(), ToString::to_string);
    match text.char_indices().nth(REASON_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn seconds(duration: Duration) -> String {
    crate::report::human_duration(duration)
}

/// An address for people: without the user name and password that it may hold.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn redirects_never_lead_from_https_to_http() {
        let secure = url("https://a.test/x/y");
        assert_eq!(next_hop(&secure, "/z", 0), Ok(url("https://a.test/z")));
        assert_eq!(next_hop(&secure, "https://b.test/", 9), Ok(url("https://b.test/")));
        let refused = next_hop(&secure, "http://u:p@b.test/z", 0).unwrap_err();
        assert_eq!(refused, "redirects from https to plain http (http://b.test/z): refused");
        assert!(next_hop(&secure, "file:///etc/passwd", 0).unwrap_err().contains("`file:`"));
        assert!(next_hop(&secure, "http://[", 0).unwrap_err().contains("no address"));
        let plain = url("http://a.test/x");
        assert_eq!(next_hop(&plain, "https://a.test/x", 0), Ok(url("https://a.test/x")));
        assert_eq!(next_hop(&plain, "y", 3), Ok(url("http://a.test/y")));
        assert!(next_hop(&plain, "y", 10).unwrap_err().contains("more than 10"));
    }

    #[test]
    fn only_what_may_pass_by_itself_is_tried_again() {
        let limits = Limits::default();
        let retry = |code: u16, after: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(after) = after {
                headers.insert(RETRY_AFTER, HeaderValue::from_static(after));
            }
            let status = StatusCode::from_u16(code).unwrap();
            judge_status(&limits, status, &headers).unwrap_err().retry
        };
        for code in [400, 401, 403, 404, 410, 451, 501] {
            assert_eq!(retry(code, None), Retry::Never, "{code}");
        }
        for code in [408, 429, 500, 502, 503, 504, 520] {
            assert_eq!(retry(code, None), Retry::Backoff, "{code}");
        }
        assert_eq!(retry(429, Some("7")), Retry::After(Duration::from_secs(7)));
        assert_eq!(retry(503, Some("Fri, 31 Dec 1999 23:59:59 GMT")), Retry::Backoff);
        assert_eq!(retry(503, Some("86400")), Retry::Never);
    }

    #[test]
    fn loopback_is_known_by_address_and_name() {
        for local in ["http://127.0.0.1:80/", "http://[::1]/", "http://localhost/"] {
            assert!(is_loopback(&url(local)), "{local}");
        }
        assert!(!is_loopback(&url("http://localhost.test/")));
    }
}
