//! A download by address: verified while streaming, resumed after an interruption, tried again only
//! for what may pass by itself. Knows nothing of origins and mirrors.

use std::io::Read as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use reqwest::Url;
use reqwest::blocking::Response;
use reqwest::header::{
    CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE,
};

use super::http::{Retry, Trouble, judge_body, shown};
use super::partial::{Partial, Validators};
use super::refusal::{Cause, Refusal};
use super::wanted::{Wanted, mismatch};
use super::{Attempt, Fetcher, Limits, VerifiedArchive};
use crate::process;
use crate::report::{self, Progress};

/// A try that brings this much more than any before it starts the count of tries anew.
const HEADWAY_BYTES: u64 = 1 << 20;

/// How one request ended.
enum Ended {
    /// The server is done.
    Whole,
    /// The bytes so far are of no use to this server: begin anew.
    Anew,
    /// Trouble.
    Broken(Trouble),
}

/// Downloads the wanted bytes from an address; `place` is how people call it.
pub(super) fn download(fetcher: &Fetcher, wanted: &Wanted, url: &Url, place: &str) -> Attempt {
    let mut partial = Partial::open(&fetcher.store, &wanted.digest)?;
    let mut tries = Tries { limits: &fetcher.limits, count: 0, furthest: partial.size_bytes() };
    // A file made of pieces that fails at the end is no mismatch yet, for nobody knows which piece is
    // to blame: it is downloaded whole, once.
    let mut may_restart = true;
    loop {
        // A run may have died between the last byte and publishing, or a server have promised more
        // bytes than there are.
        if partial.is_complete() {
            let path = partial.publish(&wanted.file_name, place)?;
            return Ok(Ok(VerifiedArchive::new(path, wanted.digest, place)));
        }
        let ended = request(fetcher, wanted, url, place, &mut partial)?;
        if partial.is_complete() {
            continue;
        }
        match ended {
            Ended::Whole | Ended::Anew if may_restart && partial.has_old_bytes() => {
                report::detail("Restarting", format!("{}: its parts do not fit", wanted.what));
                partial.restart()?;
                may_restart = false;
            }
            Ended::Anew => {
                partial.discard();
                let reason = "serves another part of the file than it was asked for";
                return Ok(Err(Refusal::new(place, Cause::Server, reason)));
            }
            Ended::Whole => {
                let aside = partial.quarantine(&wanted.file_name)?;
                return Ok(Err(mismatch(wanted, place, &aside)));
            }
            Ended::Broken(trouble) => {
                if trouble.cause == Cause::TooLarge {
                    partial.discard();
                    return Ok(Err(Refusal::new(place, trouble.cause, trouble.reason)));
                }
                if let Some(refusal) = tries.after(trouble, place, partial.size_bytes())? {
                    return Ok(Err(refusal));
                }
            }
        }
    }
}

/// Counts the tries at one place.
struct Tries<'a> {
    limits: &'a Limits,
    count: u32,
    furthest: u64,
}

impl Tries<'_> {
    /// Waits for the next try, or says why there is none.
    fn after(&mut self, trouble: Trouble, place: &str, size_bytes: u64) -> Result<Option<Refusal>> {
        self.count = if size_bytes >= self.furthest + HEADWAY_BYTES { 1 } else { self.count + 1 };
        self.furthest = self.furthest.max(size_bytes);
        let allowed = match trouble.retry {
            Retry::Never => 1,
            Retry::Once => self.limits.tries.min(2),
            Retry::Backoff | Retry::After(_) => self.limits.tries,
        };
        if self.count >= allowed {
            let mut reason = trouble.reason;
            if self.count > 1 {
                reason.push_str(&format!(" ({} tries)", self.count));
            }
            return Ok(Some(Refusal::new(place, trouble.cause, reason)));
        }
        let pause = match trouble.retry {
            Retry::After(pause) => pause,
            _ => self.limits.backoff * 2_u32.saturating_pow(self.count - 1),
        };
        let wait = report::human_duration(pause);
        report::detail("Retrying", format!("{place} in {wait}: {}", trouble.reason));
        pause_unless_interrupted(pause)?;
        Ok(None)
    }
}

fn pause_unless_interrupted(pause: Duration) -> Result<()> {
    let end = Instant::now() + pause;
    loop {
        if process::is_interrupted() {
            bail!("interrupted");
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        sleep(left.min(Duration::from_millis(50)));
    }
}

/// Sends one request and takes in what it brings.
fn request(
    fetcher: &Fetcher,
    wanted: &Wanted,
    url: &Url,
    place: &str,
    partial: &mut Partial,
) -> Result<Ended> {
    let headers = resume_headers(partial, url);
    let asking = Progress::spinner("Fetching", format!("{} ({place})", wanted.what));
    let response = match fetcher.http.get(&fetcher.limits, url, &headers) {
        Ok(response) => response,
        Err(trouble) => return Ok(Ended::Broken(trouble)),
    };
    drop(asking);
    let asked_part = headers.contains_key(RANGE);
    match response.status().as_u16() {
        416 => return Ok(Ended::Anew),
        206 if asked_part && first_byte(response.headers()) == Some(partial.size_bytes()) => {}
        206 if asked_part => return Ok(Ended::Anew),
        206 => {
            let reason = "serves a part where the whole was asked for";
            return Ok(Ended::Broken(Trouble::new(Cause::Server, Retry::Never, reason)));
        }
        _ => partial.restart()?,
    }
    let text = |name: HeaderName| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let (etag, last_modified) = (text(ETAG), text(LAST_MODIFIED));
    partial.begin(&Validators { url: shown(url), etag, last_modified })?;
    wanted.announce(place);
    take_body(fetcher, wanted, response, partial)
}

/// Asks for the rest only. The bytes are known by their digest, so a part from another place is as
/// good; `If-Range` spares a useless download where the same place has told its version before.
fn resume_headers(partial: &Partial, url: &Url) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if partial.size_bytes() == 0 {
        return headers;
    }
    if let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", partial.size_bytes())) {
        headers.insert(RANGE, range);
    }
    let validators = partial.validators().filter(|validators| validators.url == shown(url));
    let if_range = validators.as_ref().and_then(Validators::if_range);
    if let Some(value) = if_range.and_then(|value| HeaderValue::from_str(value).ok()) {
        headers.insert(IF_RANGE, value);
    }
    headers
}

/// The first byte in `Content-Range: bytes 100-199/200`.
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let range = text.trim().strip_prefix("bytes")?.trim_start();
    range.split('-').next()?.trim().parse().ok()
}

fn take_body(
    fetcher: &Fetcher,
    wanted: &Wanted,
    mut response: Response,
    partial: &mut Partial,
) -> Result<Ended> {
    let limit = fetcher.limits.size_bytes;
    let total = response.content_length().map(|rest| partial.size_bytes().saturating_add(rest));
    if total.is_some_and(|total| total > limit) {
        return Ok(too_large(limit));
    }
    let progress = Progress::bytes(&wanted.what, total, partial.size_bytes());
    let mut buffer = vec![0; 64 << 10];
    loop {
        if process::is_interrupted() {
            bail!("interrupted");
        }
        let count = match response.read(&mut buffer) {
            Ok(0) => return Ok(Ended::Whole),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let mut trouble = judge_body(&fetcher.limits, &error);
                let got = report::human_bytes(partial.size_bytes());
                let of = total.map(report::human_bytes).map(|total| format!(" of {total}"));
                trouble.reason.push_str(&format!(" after {got}{}", of.unwrap_or_default()));
                return Ok(Ended::Broken(trouble));
            }
        };
        if partial.size_bytes() + count as u64 > limit {
            return Ok(too_large(limit));
        }
        partial.append(&buffer[..count])?;
        progress.advance(count as u64);
    }
}

fn too_large(limit: u64) -> Ended {
    let reason = format!("sends more than the limit of {}", report::human_bytes(limit));
    Ended::Broken(Trouble::new(Cause::TooLarge, Retry::Never, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_of_a_range_is_read_strictly() {
        let of = |text: &'static str| {
            first_byte(&HeaderMap::from_iter([(CONTENT_RANGE, HeaderValue::from_static(text))]))
        };
        assert_eq!(of("bytes 100-199/200"), Some(100));
        assert_eq!(of("bytes 0-*/*"), Some(0));
        assert_eq!(of("bytes */200"), None);
        assert_eq!(of("lines 1-2/3"), None);
        assert_eq!(first_byte(&HeaderMap::new()), None);
    }
}
