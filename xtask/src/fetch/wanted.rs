//! What is asked for, in words for people: its name, its origin's name, and what went wrong with it.

use std::cell::RefCell;

use super::partial::Quarantined;
use super::refusal::{Cause, Refusal};
use crate::digest::Digest;
use crate::recipe::{Origin, Source};
use crate::report;

/// What a place is asked for.
#[derive(Clone)]
pub(super) struct Wanted {
    /// For people: `zlib 1.3.2`.
    pub what: String,
    /// What it must hash to.
    pub digest: Digest,
    /// The name it gets in the store.
    pub file_name: String,
    announced: RefCell<String>,
}

impl Wanted {
    /// One source of a thing.
    pub(super) fn new(what: &str, source: &Source) -> Self {
        let file_name = file_name(&source.origin);
        Self {
            what: what.to_owned(),
            digest: source.digest,
            file_name,
            announced: RefCell::default(),
        }
    }

    /// Says once for each place that it serves, or is asked through another program. A place that does
    /// not answer is worth no line: if nobody serves, the error names all.
    pub(super) fn announce(&self, place: &str) {
        if self.announced.replace(place.to_owned()) != place {
            report::status("Fetching", format!("{} ({place})", self.what));
        }
    }
}

/// Keeps why a place did not serve.
pub(super) fn note_refusal(wanted: &Wanted, refusal: Refusal, refusals: &mut Vec<Refusal>) {
    let Refusal { place, reason, .. } = &refusal;
    report::detail("Skipped", format!("{place} for {}: {reason}", wanted.what));
    // A mirror that lacks several digests is told of once.
    if !refusals.contains(&refusal) {
        refusals.push(refusal);
    }
}

/// Warns about bytes that are not the pinned ones, and makes a refusal of it.
pub(super) fn mismatch(wanted: &Wanted, place: &str, aside: &Quarantined) -> Refusal {
    let Quarantined { path, found, size_bytes, guess } = aside;
    let (path, size) = (path.display(), report::human_bytes(*size_bytes));
    let expected = &wanted.digest;
    report::warning(format!(
        "{}: {place} served other bytes than those pinned\n  expected {expected}\n     found {found} ({size})\n     \
         guess {guess}\n      kept {path}",
        wanted.what
    ));
    let reason = format!("expected {expected}, found {found} ({size}): {guess}; kept in {path}");
    Refusal::new(place, Cause::Mismatch, reason)
}

/// An origin in a few words: `crate libz-sys 1.1.31`, `url https://…`.
pub fn origin_text(origin: &Origin) -> String {
    match origin {
        Origin::Url { url, .. } => format!("url {url}"),
        Origin::Crate { name, version } => format!("crate {name} {version}"),
        Origin::Pypi { name, version, .. } => format!("pypi {name} {version}"),
        Origin::Debian { path } => format!("debian {path}"),
        Origin::Rustup { component, version } => format!("rustup {component} {version}"),
    }
}

/// What an origin's file is called, without anything that a file name should not have.
pub(super) fn file_name(origin: &Origin) -> String {
    let name = match origin {
        Origin::Url { url: path, .. } | Origin::Debian { path } => {
            let path = path.split(['?', '#']).next().unwrap_or_default();
            path.rsplit('/').next().unwrap_or_default().to_owned()
        }
        Origin::Crate { name, version } => format!("{name}-{version}.crate"),
        Origin::Pypi { name, version, .. } => format!("{name}-{version}.whl"),
        Origin::Rustup { component, version } => format!("{component}-{version}.tar"),
    };
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "-_.+~".contains(c);
    let name: String = name.chars().map(|c| if is_fit(c) { c } else { '_' }).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "archive".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_fit_for_a_folder() {
        let name = |url: &str| file_name(&Origin::Url { url: url.into(), mirrors: vec![] });
        assert_eq!(name("https://a.test/x/y-1.0+b~1.tar.gz?v=1/2#z"), "y-1.0+b~1.tar.gz");
        assert_eq!(name("https://a.test/x/.hidden"), "hidden");
        assert_eq!(name("https://a.test/a b%20;c"), "a_b_20_c");
        assert_eq!(name("https://a.test/"), "archive");
        assert_eq!(name("https://a.test/.."), "archive");
        let version = "1.0+2".to_owned();
        assert_eq!(file_name(&Origin::Crate { name: "x".into(), version }), "x-1.0+2.crate");
    }
}
