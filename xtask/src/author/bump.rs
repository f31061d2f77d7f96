//! `recipe bump`: the same recipe for another version. All origins are asked first; then the text is
//! changed at the places of their values, or not at all.

use anyhow::{Context as _, Result};
use toml::de::{DeTable, DeValue};

use super::edit::{Edits, Places, quoted, word};
use super::{Desk, Subject, diff, fix, inspect, paths};
use crate::cli::{Global, RecipeBump};
use crate::digest::{Digest, parse_hex};
use crate::exit::{Exit, Failure};
use crate::fetch::origin_text;
use crate::recipe::{LicenseFile, Origin, Source};
use crate::report;
use crate::unpack::license::read;

/// A source of the new version.
struct Found {
    source: Source,
    /// Whether its bytes are here, or only its digest is.
    is_here: bool,
}

impl RecipeBump {
    /// Asks the origins and rewrites the recipe.
    pub fn run(self, global: &Global) -> Result<()> {
        let mut desk = Desk::open(global)?;
        let path = paths(&desk.files, std::slice::from_ref(&self.name))?.remove(0);
        let recipes = desk.recipes()?;
        let subjects = Subject::all(&recipes);
        let subject = subjects.iter().find(|subject| subject.file() == path);
        let subject = subject.context("a recipe that is not there")?;
        let old = desk.file_mut(&path)?.text().to_owned();
        let what = format!("{} {}", subject.name, self.version);
        let found = self.ask(&desk, subject, &what)?;
        let mut new = self.rewritten(&old, &found)?;
        let licenses = licenses(&desk, subject, &what, &found)?;
        if !licenses.is_empty() {
            new = fix::with_license_files(&new, &licenses)?;
        }
        desk.file_mut(&path)?.bytes = new.clone().into_bytes();
        // What was written must be a recipe; what does not fit the new sources is said, not hidden.
        let recipes = desk.recipes()?;
        let subjects = Subject::all(&recipes);
        for subject in subjects.iter().filter(|subject| subject.file() == path) {
            for source in subject.sources {
                let Some(tree) = desk.tree(&what, source, false)? else { continue };
                for wrong in inspect::tree(subject, &tree)? {
                    report::warning(format!("{}: {wrong}", origin_text(&source.origin)));
                }
            }
            if subject.tool.is_some_and(|tool| !tool.digests.is_empty()) {
                report::note(
                    "`[digest]` pins the old tool: the first build says what the new one is",
                );
            }
        }
        if self.dry_run {
            report::text(&diff::lines(&old, &new));
            report::status("Unchanged", format!("{path} (`--dry-run`)"));
            return Ok(());
        }
        desk.write(&path, &old, &new)?;
        report::note("comments say where the old digests were seen: correct them for the new ones");
        Ok(())
    }

    /// The new sources in the recipe's order; nothing for an origin that is left out.
    fn ask(&self, desk: &Desk, subject: &Subject<'_>, what: &str) -> Result<Vec<Option<Found>>> {
        let mut found = Vec::new();
        let mut reasons = Vec::new();
        for source in subject.sources {
            let asked = match self.next(&source.origin, subject.version) {
                Ok(origin) => self.digest(desk, &Source { origin, ..source.clone() }, what)?,
                Err(reason) => Err(format!("{}: {reason}", origin_text(&source.origin))),
            };
            found.push(asked.map_err(|reason| reasons.push(reason)).ok());
        }
        let is_enough = self.partial && found.iter().any(Option::is_some);
        if reasons.is_empty() || is_enough {
            for reason in &reasons {
                report::warning(format!("left out: {reason}"));
            }
            return Ok(found);
        }
        let message = format!(
            "{what} was not found at every origin, and nothing was written\n  {}",
            reasons.join("\n  ")
        );
        let mut failure = Failure::new(Exit::Failed, message);
        failure = failure.help(
            "`--url-sha256` takes the digest of a file that cannot be reached from a public record",
        );
        if found.iter().any(Option::is_some) {
            failure = failure.help("`--partial` leaves these origins out");
        }
        Err(failure.into())
    }

    /// Where the new version should be.
    fn next(&self, origin: &Origin, old: &str) -> Result<Origin, String> {
        let pair = |text: &str| {
            let pair =
                text.split_once(' ').map(|(name, version)| (name.to_owned(), version.to_owned()));
            pair.ok_or_else(|| format!("`{text}` is no name and version"))
        };
        let carried = |text: &str| carry(text, old, &self.version);
        match origin {
            Origin::Url { url, mirrors } => {
                let new = self.url.clone().or_else(|| carried(url));
                let url = new.ok_or(
                    "its address does not hold the version: name the new one with `--url`",
                )?;
                Ok(Origin::Url {
                    url,
                    mirrors: mirrors.iter().filter_map(|it| carried(it)).collect(),
                })
            }
            Origin::Crate { .. } => match &self.of_crate {
                Some(text) => pair(text).map(|(name, version)| Origin::Crate { name, version }),
                None => Err("which crate has the new version? Name it with `--crate`".to_owned()),
            },
            Origin::Pypi { name, version, platform } => {
                let (name, version) = match &self.pypi {
                    Some(text) => pair(text)?,
                    None if version == old => (name.clone(), self.version.clone()),
                    None => {
                        return Err(
                            "its version is another: name the new one with `--pypi`".to_owned()
                        );
                    }
                };
                Ok(Origin::Pypi { name, version, platform: platform.clone() })
            }
            Origin::Rustup { component, .. } => {
                Ok(Origin::Rustup { component: component.clone(), version: self.version.clone() })
            }
            Origin::Debian { path } => match self.debian.clone().or_else(|| carried(path)) {
                Some(path) => Ok(Origin::Debian { path }),
                None => Err("its path does not hold the version: name the new one with `--debian`"
                    .to_owned()),
            },
        }
    }

    /// The digest of what an origin serves now, or the one that a public record has for it.
    fn digest(&self, desk: &Desk, source: &Source, what: &str) -> Result<Result<Found, String>> {
        let place = origin_text(&source.origin);
        if let (Origin::Url { .. }, Some(hex)) = (&source.origin, &self.url_sha256) {
            let digest = parse_hex("sha256", hex);
            let digest = digest
                .map_err(|error| Failure::new(Exit::Usage, format!("--url-sha256: {error}")))?;
            let source = Source { digest, ..source.clone() };
            let is_here = desk.fetcher.fetch(what, &[&source]).is_ok();
            if !is_here {
                report::warning(format!("{place}: not seen; its digest is as `--url-sha256` says"));
            }
            return Ok(Ok(Found { source, is_here }));
        }
        let learned = desk.fetcher.learn(what, &source.origin)?;
        Ok(match learned {
            Ok(digest) => Ok(Found { source: Source { digest, ..source.clone() }, is_here: true }),
            Err(reason) => Err(format!("{place}: {reason}")),
        })
    }

    /// The text with the new version, origins and digests.
    fn rewritten(&self, old: &str, found: &[Option<Found>]) -> Result<String> {
        let places = Places::new(old)?;
        let mut edits = Edits::new(old);
        let version = places.value("version").context("a recipe without a version")?;
        edits.replace(version.span(), quoted(&self.version));
        let tables = places.tables("source");
        for ((header, table), found) in tables.into_iter().zip(found) {
            match found {
                Some(found) => put(&mut edits, table, &found.source),
                None => edits.remove_block(header.start),
            }
        }
        Ok(edits.finish())
    }
}

/// Puts a source's values where the old ones stand.
fn put(edits: &mut Edits<'_>, table: &DeTable<'_>, source: &Source) {
    let mut replace = |key: &str, text: &str| {
        if let Some((place, _)) = word(table, key) {
            edits.replace(place, quoted(text));
        }
    };
    match &source.origin {
        Origin::Url { url, .. } => replace("url", url),
        Origin::Crate { name, version } => replace("crate", &format!("{name} {version}")),
        Origin::Pypi { name, version, .. } => replace("pypi", &format!("{name} {version}")),
        Origin::Debian { path } => replace("debian", path),
        Origin::Rustup { component, version } => {
            replace("rustup", &format!("{component} {version}"));
        }
    }
    if let Origin::Url { mirrors, .. } = &source.origin
        && let Some(value) = table.get("mirrors")
    {
        let DeValue::Array(items) = value.get_ref() else { return };
        match items.len() == mirrors.len() {
            true => items.iter().zip(mirrors).for_each(|(item, new)| {
                edits.replace(item.span(), quoted(new));
            }),
            false => {
                let list: Vec<String> = mirrors.iter().map(|it| quoted(it)).collect();
                edits.replace(value.span(), format!("[{}]", list.join(", ")));
            }
        }
    }
    for kind in ["sha256", "sha512"] {
        if let Some((key, value)) = table.get_key_value(kind) {
            // The new one is a SHA-256 whatever the old one was.
            edits.replace(key.span(), source.digest.kind());
            edits.replace(value.span(), quoted(&source.digest.hex()));
        }
    }
}

/// A text with another version in the place of the old one, in any of the forms that names of archives
/// have; nothing if it is not there.
fn carry(text: &str, old: &str, new: &str) -> Option<String> {
    let forms: [fn(&str) -> Option<String>; 4] = [
        |version| Some(version.to_owned()),
        |version| Some(version.replace('.', "_")),
        |version| Some(version.replace('.', "-")),
        // SQLite's way: 3.54.0 is 3540000.
        |version| {
            let parts: Option<Vec<u32>> =
                version.split('.').map(|part| part.parse().ok()).collect();
            let parts = parts.filter(|parts| parts.len() == 3)?;
            Some(format!("{}{:02}{:02}00", parts[0], parts[1], parts[2]))
        },
    ];
    // A folder of a minor version goes along: …/1.24/x-1.24.5.tar.xz.
    let minor = |version: &str| version.rsplit_once('.').map(|(minor, _)| format!("/{minor}/"));
    let found = forms.iter().find_map(|form| {
        let (old, new) = (form(old)?, form(new)?);
        text.contains(&old).then(|| text.replace(&old, &new))
    })?;
    Some(match (minor(old), minor(new)) {
        (Some(old), Some(new)) => found.replace(&old, &new),
        _ => found,
    })
}

/// The recipe's texts of licences as the new sources have them.
fn licenses(
    desk: &Desk,
    subject: &Subject<'_>,
    what: &str,
    found: &[Option<Found>],
) -> Result<Vec<LicenseFile>> {
    let mut files = subject.license_files.to_vec();
    for found in found.iter().flatten().filter(|found| found.is_here) {
        let place = origin_text(&found.source.origin);
        let tree = desk.tree(what, &found.source, false)?;
        let tree = tree.with_context(|| format!("{place} is gone from the store"))?;
        for (file, old) in files.iter_mut().zip(subject.license_files) {
            let text = read(tree.path(), &file.paths, file.lines);
            match text.map(|text| Digest::sha256_of(&text)) {
                Ok(digest) if digest == file.digest => {}
                Ok(digest) if file.digest == old.digest => {
                    let name = file.paths.join("` or `");
                    report::warning(format!(
                        "{place}: the text in `{name}` is another than before: read it, and `license` after it"
                    ));
                    file.digest = digest;
                }
                Ok(_) => {
                    report::warning(format!("{place}: its text of the licence is one of its own"));
                }
                Err(why) => report::warning(format!("{place}: {why}")),
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::carry;

    #[test]
    fn versions_in_names_are_carried_over() {
        for (text, old, new, expected) in [
            ("https://h/zlib-1.3.2.tar.xz", "1.3.2", "1.3.3", Some("https://h/zlib-1.3.3.tar.xz")),
            ("https://h/v1.3.2/z-1.3.2.tgz", "1.3.2", "1.4", Some("https://h/v1.4/z-1.4.tgz")),
            (
                "https://h/1.24/x-1.24.5.tgz",
                "1.24.5",
                "1.26.0",
                Some("https://h/1.26/x-1.26.0.tgz"),
            ),
            ("https://h/R_2_6_4/x.tgz", "2.6.4", "2.7.0", Some("https://h/R_2_7_0/x.tgz")),
            (
                "https://h/sqlite-autoconf-3540000.tar.gz",
                "3.54.0",
                "3.54.1",
                Some("https://h/sqlite-autoconf-3540100.tar.gz"),
            ),
            ("https://h/latest.tgz", "1.0", "1.1", None),
        ] {
            assert_eq!(carry(text, old, new).as_deref(), expected, "{text}");
        }
    }
}
