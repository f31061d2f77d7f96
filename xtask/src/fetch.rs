//! Source → [`VerifiedArchive`]: only this module can make one.
//!
//! A thing has several sources, each with its own digest. What the store has comes first; then the
//! mirrors that the user named, by digest; then each source's origin, in order. The first place that
//! serves the pinned bytes wins. Every failure is kept, and if all fail all are shown.
//!
//! Nothing is believed that is not hashed: bytes are verified while they stream, published by rename
//! into `downloads-v1/`, and hashed again whenever the store hands them out. What does not match goes
//! to quarantine with a guess at what it is, and the same place is not asked again for it. An
//! interrupted download stays as a partial file, and the next run goes on with it.
//!
//! This module never unpacks, and never names a registry: cargo, pip and apt know their own.

mod adopt;
mod apt;
mod cargo;
mod download;
mod guess;
mod http;
mod learn;
mod limits;
mod mirror;
mod partial;
mod pip;
mod published;
mod refusal;
mod rustup;
mod wanted;

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use reqwest::Url;

pub use self::http::{client, explained};
pub use self::learn::Reach;
pub use self::limits::Limits;
pub use self::mirror::Mirror;
use self::partial::quarantine_place;
pub use self::published::{Release, same_name};
use self::refusal::{Cause, Refusal, all_failed};
pub use self::wanted::origin_text;
use self::wanted::{Wanted, note_refusal};
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::layout::Store;
use crate::process::{cargo_home, env_var, rustup_home};
use crate::recipe::{Origin, Source};
use crate::report;

/// Whether sockets may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// They may.
    Online,
    /// They may not: the store, folders, and cargo's cache are all there is.
    Offline,
}

/// Bytes on this disk that have the pinned digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedArchive {
    path: PathBuf,
    digest: Digest,
    served_by: String,
}

impl VerifiedArchive {
    fn new(path: PathBuf, digest: Digest, served_by: &str) -> Self {
        Self { path, digest, served_by: served_by.to_owned() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it hashes to.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Who served it, also if that was weeks ago: `crate libz-sys 1.1.31`, `url https://…`, `mirror …`.
    pub fn served_by(&self) -> &str {
        &self.served_by
    }

    /// Its name, as the origin has it.
    pub fn file_name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
}

/// `--offline`, and a thing is in no place that needs no network. Callers collect these for exit
/// code 6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// `zlib 1.3.2`.
    pub what: String,
    /// The origins that would be asked: `crate libz-sys 1.1.31`.
    pub origins: Vec<String>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not in the store ({})", self.what, self.origins.join(", "))
    }
}

impl std::error::Error for Missing {}

/// What one place came to: the archive or its refusal. The outer error is for what no other place
/// can help with, such as a full disk.
type Attempt = Result<Result<VerifiedArchive, Refusal>>;

/// Gets archives. All fields but the store are settings that tests and unusual machines change.
pub struct Fetcher {
    store: Store,
    http: http::Http,
    /// Whether sockets may be opened.
    pub network: Network,
    /// Looked into first, in order.
    pub mirrors: Vec<Mirror>,
    /// Where cargo runs, so that the project's cargo configuration applies.
    pub workspace_root: PathBuf,
    /// What is put up with.
    pub limits: Limits,
    /// Cargo itself.
    pub cargo: PathBuf,
    /// Cargo's folder, with its cache of crates.
    pub cargo_home: PathBuf,
    /// rustup's folder, with its installations of Rust.
    pub rustup_home: PathBuf,
    /// Commands that may be a pip, in the order tried.
    pub pips: Vec<Vec<String>>,
    /// apt's configuration.
    pub apt_root: PathBuf,
}

impl Fetcher {
    /// A fetcher with the machine's own cargo, pip and apt.
    pub fn new(
        store: Store,
        network: Network,
        mirrors: Vec<Mirror>,
        workspace_root: &Path,
    ) -> Self {
        let pips: [&[&str]; 3] = [&["python3", "-m", "pip"], &["pip3"], &["pip"]];
        Self {
            store,
            http: http::Http::default(),
            network,
            mirrors,
            workspace_root: workspace_root.to_owned(),
            limits: Limits::default(),
            cargo: env_var("CARGO").unwrap_or_else(|| "cargo".to_owned()).into(),
            cargo_home: cargo_home().unwrap_or_else(|| ".cargo".into()),
            rustup_home: rustup_home().unwrap_or_else(|| ".rustup".into()),
            pips: pips.map(|pip| pip.iter().map(|word| (*word).to_owned()).collect()).into(),
            apt_root: "/etc/apt".into(),
        }
    }

    /// Whether the store has a source's bytes. Cheap: looks at names only.
    pub fn has(&self, source: &Source) -> bool {
        self.store.download(&source.digest).is_some()
    }

    /// The source's bytes from the store, hashed again. Damaged ones go to quarantine, as if they had
    /// never been there.
    pub fn stored(&self, source: &Source) -> Result<Option<VerifiedArchive>> {
        if let Some(found) = self.verified(&source.digest)? {
            return Ok(Some(found));
        }
        if !self.has(source) {
            return Ok(None);
        }
        let what = origin_text(&source.origin);
        let _lock = self.store.lock_download(&source.digest, &what)?;
        self.stored_locked(source)
    }

    /// The same for who holds the lock of the digest.
    fn stored_locked(&self, source: &Source) -> Result<Option<VerifiedArchive>> {
        let digest = &source.digest;
        if let Some(found) = self.verified(digest)? {
            return Ok(Some(found));
        }
        let Some(path) = self.store.download(digest) else { return Ok(None) };
        let found = hash(digest, &path)?;
        let place = quarantine_place(&self.store, digest, &found);
        fs::rename(&path, &place).with_context(|| format!("cannot write {}", place.display()))?;
        report::warning(format!(
            "the store's {} is damaged and will be fetched again\n  expected {digest}\n     found {found}\n      \
             kept {}",
            path.display(),
            place.display()
        ));
        Ok(None)
    }

    fn verified(&self, digest: &Digest) -> Result<Option<VerifiedArchive>> {
        let Some(path) = self.store.download(digest) else { return Ok(None) };
        if hash(digest, &path)? != *digest {
            return Ok(None);
        }
        let origin = fs::read_to_string(self.store.download_origin(digest)).unwrap_or_default();
        let served_by = match origin.trim() {
            "" => "store",
            origin => origin,
        };
        Ok(Some(VerifiedArchive::new(path, *digest, served_by)))
    }

    /// Gets a thing from the first of its sources that the store has, else from the first place that
    /// serves it; the number is that of the source. `what` is for people: `zlib 1.3.2`.
    pub fn fetch(&self, what: &str, sources: &[&Source]) -> Result<(usize, VerifiedArchive)> {
        self.fetch_first(what, sources).map_err(|error| self.advise(error))
    }

    /// Adds what to do to an error that is about room on the disk.
    fn advise(&self, error: anyhow::Error) -> anyhow::Error {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let kind =
            error.chain().find_map(|it| it.downcast_ref::<std::io::Error>()).map(|it| it.kind());
        match kind {
            Some(StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem) => {
                let place = self.store.root().display();
                Failure::new(Exit::Failed, format!("{error:#}"))
                    .help(format!("make room for the store {place}, or name another with `--store DIR` or MUSLIN_STORE"))
                    .into()
            }
            _ => error,
        }
    }

    fn fetch_first(&self, what: &str, sources: &[&Source]) -> Result<(usize, VerifiedArchive)> {
        for (index, source) in sources.iter().enumerate() {
            if let Some(found) = self.stored(source)? {
                return Ok((index, found));
            }
        }
        let mut refusals = Vec::new();
        for (index, source) in sources.iter().enumerate() {
            if sources[..index].iter().any(|earlier| earlier.digest == source.digest) {
                continue;
            }
            let ask = |wanted: &Wanted| self.ask_mirrors(wanted, &mut refusals);
            if let Some(found) = self.under_lock(what, source, ask)? {
                return Ok((index, found));
            }
        }
        for (index, source) in sources.iter().enumerate() {
            let ask = |wanted: &Wanted| match self.network {
                Network::Online => self.ask_origin(wanted, &source.origin, &mut refusals),
                Network::Offline => self.ask_locally(wanted, &source.origin),
            };
            if let Some(found) = self.under_lock(what, source, ask)? {
                return Ok((index, found));
            }
        }
        if self.network == Network::Offline {
            let origins = sources.iter().map(|source| origin_text(&source.origin)).collect();
            return Err(Missing { what: what.to_owned(), origins }.into());
        }
        let digests: Vec<_> = sources.iter().map(|source| source.digest.hex()).collect();
        Err(all_failed(what, &digests, &refusals).into())
    }

    /// Asks for a source's bytes while nobody else does, unless they came while we waited for that.
    fn under_lock(
        &self,
        what: &str,
        source: &Source,
        ask: impl FnOnce(&Wanted) -> Result<Option<VerifiedArchive>>,
    ) -> Result<Option<VerifiedArchive>> {
        let _lock = self.store.lock_download(&source.digest, what)?;
        if let Some(found) = self.stored_locked(source)? {
            return Ok(Some(found));
        }
        let found = ask(&Wanted::new(what, source))?;
        if let Some(VerifiedArchive { served_by, digest, .. }) = &found {
            report::detail("Verified", format!("{what} ({served_by}) {digest}"));
        }
        Ok(found)
    }

    fn ask_mirrors(
        &self,
        wanted: &Wanted,
        refusals: &mut Vec<Refusal>,
    ) -> Result<Option<VerifiedArchive>> {
        let allowed = |mirror: &&Mirror| self.network == Network::Online || mirror.is_local();
        for mirror in self.mirrors.iter().filter(allowed) {
            match mirror.serve(self, wanted)? {
                Ok(found) => return Ok(Some(found)),
                Err(refusal) => note_refusal(wanted, refusal, refusals),
            }
        }
        Ok(None)
    }

    fn ask_locally(&self, wanted: &Wanted, origin: &Origin) -> Result<Option<VerifiedArchive>> {
        let place = origin_text(origin);
        match origin {
            Origin::Crate { name, version } => {
                cargo::from_cache(self, wanted, name, version, &place)
            }
            Origin::Rustup { version, .. } => rustup::installed(self, wanted, version, &place),
            _ => Ok(None),
        }
    }

    fn ask_origin(
        &self,
        wanted: &Wanted,
        origin: &Origin,
        refusals: &mut Vec<Refusal>,
    ) -> Result<Option<VerifiedArchive>> {
        let place = origin_text(origin);
        let mut noted = |attempt: Result<VerifiedArchive, Refusal>| {
            Ok(attempt.map_err(|it| note_refusal(wanted, it, refusals)).ok())
        };
        let addresses = match origin {
            Origin::Crate { name, version } => {
                if let Some(found) = self.ask_locally(wanted, origin)? {
                    return Ok(Some(found));
                }
                wanted.announce(&place);
                return noted(cargo::through_cargo(self, wanted, name, version, &place)?);
            }
            Origin::Pypi { name, version, platform } => {
                wanted.announce(&place);
                let wheel = pip::Wheel { name, version, platform: platform.as_deref() };
                return noted(pip::through_pip(self, wanted, &wheel, &place)?);
            }
            Origin::Rustup { version, .. } => {
                return noted(rustup::through_rustup(self, wanted, version, &place)?);
            }
            Origin::Url { url, mirrors } => {
                let all = std::iter::once(url).chain(mirrors);
                all.map(|text| (format!("url {text}"), text.parse::<Url>().ok())).collect()
            }
            Origin::Debian { path } => self.debian_addresses(path),
        };
        for (place, url) in addresses {
            let Some(url) = url else {
                let refusal = Refusal::new(&place, Cause::Server, "is no address");
                note_refusal(wanted, refusal, refusals);
                continue;
            };
            match download::download(self, wanted, &url, &place)? {
                Ok(found) => return Ok(Some(found)),
                Err(refusal) => note_refusal(wanted, refusal, refusals),
            }
        }
        if let (Origin::Debian { .. }, true) = (origin, apt::mirrors(&self.apt_root).is_empty()) {
            let reason = format!("{} names no http(s) mirror", self.apt_root.display());
            note_refusal(wanted, Refusal::new(&place, Cause::NoApt, reason), refusals);
        }
        Ok(None)
    }

    fn debian_addresses(&self, path: &str) -> Vec<(String, Option<Url>)> {
        let mirrors = apt::mirrors(&self.apt_root);
        let place = |mirror: &Url| format!("debian {path} at {}", http::shown(mirror));
        mirrors.iter().map(|mirror| (place(mirror), mirror.join(path).ok())).collect()
    }
}

fn hash(digest: &Digest, path: &Path) -> Result<Digest> {
    File::open(path)
        .and_then(|file| digest.of_same_kind(file))
        .with_context(|| format!("cannot read {}", path.display()))
}
