//! Bytes whose digest nobody knows yet, for whoever writes a recipe. They lie in the store by the
//! digest that they turned out to have, so that all else goes its usual way; whether they are the
//! right ones is for the recipe's author to find out. No build comes here.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue, RANGE};

use super::http::Retry;
use super::refusal::Cause;
use super::wanted::{file_name, origin_text};
use super::{Fetcher, Limits, Network, cargo, pip, rustup};
use crate::digest::{Digest, Hasher};
use crate::process;
use crate::recipe::Origin;
use crate::report::{self, Progress};

/// What came of asking an address without wanting its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It serves.
    Yes,
    /// It answers that it does not.
    No(String),
    /// Nobody could be asked, for this reason.
    NotTried(String),
}

impl Fetcher {
    /// Fetches what an origin has now, puts it into the store and tells its SHA-256; the inner error
    /// says why the origin did not serve.
    pub fn learn(&self, what: &str, origin: &Origin) -> Result<Result<Digest, String>> {
        if self.network == Network::Offline {
            return Ok(Err("not asked: `--offline`".to_owned()));
        }
        let place = origin_text(origin);
        report::status("Fetching", format!("{what} ({place})"));
        match origin {
            Origin::Crate { name, version } => {
                match cargo::fetched_files(self, what, name, version)? {
                    Ok(files) => self.keep(&files[0], origin, &place).map(Ok),
                    Err(reason) => Ok(Err(reason)),
                }
            }
            Origin::Pypi { name, version, platform } => {
                let temp = self.store.temp("pip")?;
                let wheel = pip::Wheel { name, version, platform: platform.as_deref() };
                match pip::fetched_files(self, what, &wheel, temp.path())? {
                    Ok(files) => self.keep(&files[0], origin, &place).map(Ok),
                    Err((_, reason)) => Ok(Err(reason)),
                }
            }
            Origin::Url { url, mirrors } => {
                let all = std::iter::once(url).chain(mirrors);
                let all = all.filter_map(|text| text.parse().ok()).collect::<Vec<Url>>();
                self.learn_from(&all, origin, &place)
            }
            Origin::Rustup { version, .. } => {
                let temp = self.store.temp("rustup")?;
                let file = temp.path().join(file_name(origin));
                match rustup::packed(self, what, version, &file)? {
                    Ok(()) => self.keep(&file, origin, &place).map(Ok),
                    Err(reason) => Ok(Err(reason)),
                }
            }
            Origin::Debian { path } => {
                let all = self.debian_addresses(path).into_iter().filter_map(|(_, url)| url);
                self.learn_from(&all.collect::<Vec<Url>>(), origin, &place)
            }
        }
    }

    /// The first of some addresses that serves.
    fn learn_from(
        &self,
        addresses: &[Url],
        origin: &Origin,
        place: &str,
    ) -> Result<Result<Digest, String>> {
        let mut reasons = Vec::new();
        for url in addresses {
            let mut response = match self.http.get(&self.limits, url, &HeaderMap::new()) {
                Ok(response) => response,
                Err(trouble) => {
                    reasons.push(trouble.reason);
                    continue;
                }
            };
            let temp = self.store.temp("learn")?;
            let path = temp.path().join("file");
            let mut file = File::create(&path).context("cannot write to the store")?;
            let _progress = Progress::spinner("Fetching", place);
            let mut limited = io::Read::take(&mut response, self.limits.size_bytes + 1);
            match io::copy(&mut limited, &mut file) {
                Ok(size) if size > self.limits.size_bytes => {
                    reasons.push("sends more than the limit".to_owned());
                }
                Ok(_) => return self.keep(&path, origin, place).map(Ok),
                Err(error) => reasons.push(format!("broke off: {error}")),
            }
            if process::is_interrupted() {
                bail!("interrupted");
            }
        }
        reasons.dedup();
        Ok(Err(if reasons.is_empty() { "has no address".to_owned() } else { reasons.join("; ") }))
    }

    /// A copy of a file becomes the download of its digest.
    fn keep(&self, file: &Path, origin: &Origin, place: &str) -> Result<Digest> {
        let temp = self.store.temp("learn")?;
        let copy = temp.path().join("copy");
        fs::copy(file, &copy).with_context(|| format!("cannot read {}", file.display()))?;
        let mut hasher = Hasher::sha256();
        io::copy(&mut File::open(&copy)?, &mut hasher)?;
        let digest = hasher.finish();
        let name = match origin {
            // pip has chosen among several wheels of the version.
            Origin::Pypi { .. } => file.file_name().map(|it| it.to_string_lossy().into_owned()),
            _ => None,
        };
        let name = name.unwrap_or_else(|| file_name(origin));
        let _lock = self.store.lock_download(&digest, place)?;
        if self.store.download(&digest).is_none() {
            self.store.publish_download(&copy, &digest, &name, place)?;
        }
        Ok(digest)
    }

    /// Whether an address serves a file, asked for its first byte only.
    pub fn reach(&self, url: &str) -> Reach {
        if self.network == Network::Offline {
            return Reach::NotTried("`--offline`".to_owned());
        }
        let Ok(url) = url.parse::<Url>() else { return Reach::No("is no address".to_owned()) };
        let first = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=0-0"))]);
        let limits = Limits { tries: 1, ..self.limits.clone() };
        match self.http.get(&limits, &url, &first) {
            Ok(_) => Reach::Yes,
            Err(trouble) if matches!(trouble.cause, Cause::Absent | Cause::Redirect) => {
                Reach::No(trouble.reason)
            }
            Err(trouble) if trouble.cause == Cause::Server && trouble.retry == Retry::Never => {
                Reach::No(trouble.reason)
            }
            Err(trouble) => Reach::NotTried(trouble.reason),
        }
    }
}
