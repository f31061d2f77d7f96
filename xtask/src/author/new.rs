//! `recipe new`: a first recipe out of an archive. It is written only if it is a recipe; what could not
//! be found out is said, one thing a line, and stands in it as a comment.

use std::fs;

use anyhow::{Context as _, Result};

use super::draft::Draft;
use super::recognise::{self, Looks};
use super::{Desk, Tree, known, license};
use crate::cli::{Global, RecipeNew};
use crate::digest::{Digest, parse_hex};
use crate::exit::{Exit, Failure};
use crate::fetch::origin_text;
use crate::layout;
use crate::recipe::diagnostic::{self, File};
use crate::recipe::{Origin, Source, manifest};
use crate::report;

impl RecipeNew {
    /// Fetches, looks, and writes `recipes/libraries/<name>.toml`.
    pub fn run(self, global: &Global) -> Result<()> {
        let mut desk = Desk::open(global)?;
        let path = format!("recipes/libraries/{}.toml", self.name);
        if desk.files.iter().any(|file| file.path == path) {
            return Err(Failure::new(Exit::Usage, format!("{path} is there already"))
                .help(format!("for a new version: `cargo xtask recipe bump {} VERSION`", self.name))
                .into());
        }
        let (mut draft, tree) = self.found(&desk)?;
        let looks = recognise::tree(tree.path(), &self.name)?;
        draft.version = match self
            .version
            .clone()
            .or_else(|| version(&draft.sources))
            .or(looks.version.clone())
        {
            Some(version) => version,
            None => {
                let message = "neither the archive's name nor its files tell the version";
                return Err(Failure::new(Exit::Usage, message).help("name it: `--version`").into());
            }
        };
        self.fill(&mut draft, &looks, &tree)?;
        let text = choose(&desk, &path, &mut draft, &looks)?;
        desk.files.push(File { path: path.clone(), bytes: text.clone().into_bytes() });
        layout::write_atomically(&desk.workspace.join(&path), text.as_bytes())?;
        report::status("Wrote", &path);
        for missing in &draft.missing {
            report::warning(format!("{path}: {missing}"));
        }
        report::note(format!(
            "now: `cargo xtask recipe check {0}`, then `cargo xtask sysroot {0}`, which says what it really makes",
            self.name
        ));
        report::event("recipe", serde_json::json!({ "path": path, "missing": draft.missing }));
        Ok(())
    }

    /// The origins that were named with their digests, and the tree of the first that served.
    fn found(&self, desk: &Desk) -> Result<(Draft, Tree)> {
        let mut draft = Draft::default();
        let mut first = None;
        for origin in self.origins()? {
            let place = origin_text(&origin);
            let is_url = matches!(origin, Origin::Url { .. });
            let mut source = Source {
                origin,
                digest: Digest::sha256_of(b""),
                root: None,
                omit: vec![],
                target: None,
                inner: None,
            };
            let record = self.url_sha256.as_ref().filter(|_| is_url);
            source.digest = match record {
                Some(hex) => parse_hex("sha256", hex)
                    .map_err(|error| Failure::new(Exit::Usage, format!("--url-sha256: {error}")))?,
                None => match desk.fetcher.learn(&self.name, &source.origin)? {
                    Ok(digest) => digest,
                    Err(reason) => {
                        draft.missing.push(format!("{place} is left out: {reason}"));
                        continue;
                    }
                },
            };
            let tree = match desk.tree(&self.name, &source, record.is_some()) {
                Ok(tree) => tree,
                Err(error) if record.is_none() => return Err(error),
                Err(_) => {
                    draft
                        .missing
                        .push(format!("{place}: not seen, so nobody has compared its files"));
                    None
                }
            };
            if let (Origin::Crate { .. }, Some(whole)) = (&source.origin, &tree) {
                read_crate(&mut draft, whole)?;
                source.root = match &self.root {
                    Some(root) => Some(root.clone()),
                    None => recognise::root_in_crate(whole.path())?,
                };
            }
            if first.is_none() && tree.is_some() {
                first = desk.tree(&self.name, &source, false)?;
            }
            draft.sources.push((source, record.is_some()));
        }
        match first {
            Some(tree) => Ok((draft, tree)),
            None => {
                let message = format!(
                    "no origin served anything to look into\n  {}",
                    draft.missing.join("\n  ")
                );
                Err(Failure::new(Exit::Failed, message)
                    .help("a crate or a path in Debian's mirrors may be reached where upstream is not")
                    .into())
            }
        }
    }

    /// In the order in which recipes try them: what is reached everywhere first.
    fn origins(&self) -> Result<Vec<Origin>> {
        let pair = |text: &String| {
            let pair =
                text.split_once(' ').map(|(name, version)| (name.to_owned(), version.to_owned()));
            pair.ok_or_else(|| {
                Failure::new(Exit::Usage, format!("`{text}` is no name and version"))
            })
        };
        let mut origins = Vec::new();
        if let Some(text) = &self.of_crate {
            let (name, version) = pair(text)?;
            origins.push(Origin::Crate { name, version });
        }
        if let Some(text) = &self.pypi {
            let (name, version) = pair(text)?;
            origins.push(Origin::Pypi { name, version, platform: None });
        }
        origins.extend(self.url.clone().map(|url| Origin::Url { url, mirrors: vec![] }));
        origins.extend(self.debian.clone().map(|path| Origin::Debian { path }));
        Ok(origins)
    }

    /// Texts and names.
    fn fill(&self, draft: &mut Draft, looks: &Looks, tree: &Tree) -> Result<()> {
        draft.description = looks.description.clone().unwrap_or_else(|| {
            draft.missing.push("`description`: say in one line what it is".to_owned());
            format!("The library {}", self.name)
        });
        draft.license_files = license::find(tree.path(), "", &looks.headers)?;
        let guesses = draft.license_files.iter().map(|file| {
            let text = crate::unpack::license::read(tree.path(), &file.paths, file.lines);
            text.ok().and_then(|text| license::guess(&text))
        });
        let guess: Option<Vec<&str>> = guesses.collect();
        draft.license = match guess.filter(|guess| !guess.is_empty()) {
            Some(guess) => {
                draft.missing.push(format!(
                    "`license`: guessed from the text: is it `{}`?",
                    guess.join(" AND ")
                ));
                guess.join(" AND ")
            }
            None => {
                draft
                    .missing
                    .push("`license`: its text is none of the common ones: name it".to_owned());
                "LicenseRef-unknown".to_owned()
            }
        };
        if draft.license_files.is_empty() {
            draft.missing.push("`license-file`: no file looks like a licence".to_owned());
        }
        if draft.links.is_none() {
            let bare = self.name.trim_start_matches("lib");
            draft.links =
                known::keys().find(|key| *key == self.name || *key == bare).map(str::to_owned);
        }
        if draft.links.is_none() {
            draft.missing.push("`links`: no crate is known for it".to_owned());
        }
        draft.libs.clone_from(&looks.libs);
        // The one that is called as the library is comes first.
        let bare = self.name.trim_start_matches("lib");
        draft.libs.sort_by_key(|lib| lib != bare);
        if draft.libs.is_empty() {
            let lib = self.name.trim_start_matches("lib").to_owned();
            draft
                .missing
                .push(format!("`outputs.libs`: guessed from the name: does it make lib{lib}.a?"));
            draft.libs.push(lib);
        }
        draft.headers.clone_from(&looks.headers);
        if draft.headers.is_empty() {
            draft.missing.push("`outputs.include`: no header was found".to_owned());
        }
        draft.pkgconfig.clone_from(&looks.pkgconfig);
        Ok(())
    }
}

/// What the crate's own manifest says.
fn read_crate(draft: &mut Draft, tree: &Tree) -> Result<()> {
    let manifest = tree.path().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).context("a crate without a manifest")?;
    let package = text.parse::<toml::Table>().ok().and_then(|table| table.get("package").cloned());
    let links = package.as_ref().and_then(|it| it.get("links")?.as_str().map(str::to_owned));
    draft.links = links;
    Ok(())
}

/// The text with the first way to build that this tree has and that recipes know.
fn choose(desk: &Desk, path: &str, draft: &mut Draft, looks: &Looks) -> Result<String> {
    let mut refusal = None;
    for way in draft.ways(looks) {
        let text = draft.text(&way);
        let mut files = desk.files.clone();
        files.push(File { path: path.to_owned(), bytes: text.clone().into_bytes() });
        match manifest::parse(&files) {
            Ok(_) => {
                draft.missing.extend(way.missing.clone());
                return Ok(text);
            }
            Err(mistakes) => {
                let said = diagnostic::render(&mistakes, report::has_color());
                refusal = Some(said);
            }
        }
    }
    let has = match &looks.systems[..] {
        [] => "no build system and no C files that could be listed".to_owned(),
        systems => format!("only files of {}", systems.join(", ")),
    };
    let mut message = format!("no recipe was written: the source tree has {has}");
    if let Some(said) = refusal {
        message.push_str(&format!("\n\n{said}"));
    }
    let mut failure = Failure::new(Exit::Failed, message);
    if looks.systems.contains(&"configure.ac") {
        failure = failure.help(
            "it has `configure.ac` and no `configure`: upstream's release archive mostly has that",
        );
    }
    Err(failure.help("write a `[build.compile]` that lists the C files").into())
}

/// The version in the names of archives: `zlib-1.3.2.tar.xz`, `x_1.2.orig.tar.gz`, `zstd-sys 2.1+zstd.1.5.7`.
fn version(sources: &[(Source, bool)]) -> Option<String> {
    sources.iter().find_map(|(source, _)| match &source.origin {
        Origin::Url { url, .. } => in_name(url.rsplit('/').next()?),
        Origin::Debian { path } => {
            let version = path.rsplit('/').next()?.split_once('_')?.1.split(".orig").next()?;
            let version = version.rsplit("really").next()?.split(['+', '~']).next()?;
            Some(version.trim_end_matches(".dfsg").trim_end_matches(".ds").to_owned())
        }
        Origin::Crate { version, .. } => {
            let upstream = version.split_once('+')?.1;
            Some(upstream.trim_start_matches(|c: char| !c.is_ascii_digit()).to_owned())
        }
        Origin::Pypi { version, .. } | Origin::Rustup { version, .. } => Some(version.clone()),
    })
}

fn in_name(name: &str) -> Option<String> {
    let stem = [".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst", ".tgz", ".zip"];
    let stem = stem.iter().find_map(|ending| name.strip_suffix(ending))?;
    let start = stem.find(|c: char| c.is_ascii_digit())?;
    let version =
        stem.rsplit('-').next().filter(|last| last.starts_with(|c: char| c.is_ascii_digit()));
    Some(version.unwrap_or(&stem[start..]).to_owned())
}

#[cfg(test)]
mod tests {
    use super::in_name;

    #[test]
    fn versions_are_read_from_names() {
        assert_eq!(in_name("zlib-1.3.2.tar.xz").as_deref(), Some("1.3.2"));
        assert_eq!(in_name("v1.10.0.tar.gz").as_deref(), Some("1.10.0"));
        assert_eq!(in_name("sqlite-autoconf-3540000.tar.gz").as_deref(), Some("3540000"));
        assert_eq!(in_name("latest.tar.gz"), None);
    }
}
