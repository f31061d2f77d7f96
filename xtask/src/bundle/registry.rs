//! Cargo's local registry: where a bundle's crates live on the machine that has no network.
//!
//! It is in cargo's own folder, since cargo has to find it before any xtask can run. Never is a
//! configuration changed that already says where crates come from, unless it is our own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::vendored::{self, Origin};
use crate::exit::{Exit, Failure};
use crate::layout::{remove_tree, write_atomically};
use crate::{process, report};

/// Below cargo's folder, and in a bundle.
pub const FOLDER: &str = "muslin/registry";

/// The configuration for the first command; the path is the same in a bundle and below cargo's folder.
pub const CONFIG: &str = "muslin/config.toml";

/// The name of the source in cargo's configuration. All of ours begin like it.
const SOURCE: &str = "muslin-bundle";

/// How the names of our sources begin.
const OURS: &str = "muslin-";

#[derive(Deserialize)]
struct Line {
    name: String,
    vers: String,
    cksum: String,
}

/// What makes cargo take crates from bundles, in `muslin` or what that folder's whole path is.
pub fn configuration(muslin: &str, origins: &[Origin]) -> String {
    let folder = toml::Value::String(format!("{muslin}/registry"));
    let first = format!(
        "# Made by `cargo xtask unbundle`: crates come from bundles. Remove it where there is a network.\n\
         [source.crates-io]\nreplace-with = \"{SOURCE}\"\n\
         [source.{SOURCE}]\nlocal-registry = {folder}\n"
    );
    origins.iter().fold(first, |text, origin| {
        format!("{text}{}", origin.configuration(&format!("{muslin}/vendor")))
    })
}

/// The files of the index, by path in the registry, made of lines.
pub fn index<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let mut sorted: Vec<(String, String, &str)> = lines
        .filter_map(|text| {
            let line: Line = serde_json::from_str(text).ok()?;
            Some((place(&line.name), line.vers, text))
        })
        .collect();
    sorted.sort();
    let mut files = BTreeMap::<String, String>::new();
    for (place, _, text) in sorted {
        files.entry(place).or_default().push_str(text);
    }
    files
}

/// Where cargo looks a crate up.
fn place(name: &str) -> String {
    let lower = name.to_lowercase();
    let (first, two) = (lower.get(..1), (lower.get(..2), lower.get(2..4)));
    match (lower.len(), first, two) {
        (1 | 2, ..) => format!("index/{}/{lower}", lower.len()),
        (3, Some(first), _) => format!("index/3/{first}/{lower}"),
        (_, _, (Some(a), Some(b))) => format!("index/{a}/{b}/{lower}"),
        _ => format!("index/{lower}"),
    }
}

/// Name, version and checksum of a line, if it is one.
pub fn read_line(text: &str) -> Option<(String, String, String)> {
    let line: Line = serde_json::from_str(text.strip_suffix('\n')?).ok()?;
    Some((line.name, line.vers, line.cksum))
}

/// The registry of this account.
pub struct Registry {
    home: PathBuf,
}

impl Registry {
    /// That of cargo's folder.
    pub fn of_cargo() -> Result<Self> {
        let home = process::cargo_home().ok_or_else(|| {
            Failure::new(Exit::Usage, "there is no place for crates: HOME is not set")
                .help("name one with CARGO_HOME")
        })?;
        Ok(Self { home: std::path::absolute(home)? })
    }

    /// The file of a crate or of its line, by its name.
    pub fn file(&self, name: &str) -> PathBuf {
        self.place(FOLDER).join(name)
    }

    /// Where a path below cargo's folder is.
    pub fn place(&self, path: &str) -> PathBuf {
        self.home.join(path)
    }

    /// Makes the index anew from the lines beside the crates, those of earlier bundles too, and makes
    /// cargo use it.
    pub fn activate(&self) -> Result<()> {
        let folder = self.home.join(FOLDER);
        let cannot = || format!("cannot read {}", folder.display());
        let mut lines = Vec::new();
        for file in fs::read_dir(&folder).with_context(cannot)? {
            let path = file?.path();
            if path.extension().is_some_and(|end| end == "json")
                && path.with_extension("crate").exists()
            {
                lines.push(fs::read_to_string(&path).with_context(cannot)?);
            }
        }
        for (path, text) in index(lines.iter().map(String::as_str)) {
            write_atomically(&folder.join(path), text.as_bytes())?;
        }
        let origins = vendored::origins_in(&self.home.join(vendored::ORIGINS));
        let first = configuration("muslin", &origins);
        write_atomically(&self.home.join(CONFIG), first.as_bytes())?;
        self.configure(&origins)
    }

    /// Notes where crates come from that are in a bundle; an older bundle's for the same origin have had
    /// their time.
    pub fn replace_origin(&self, id: &str, file: &Path) -> Result<()> {
        let folder = self.home.join(vendored::ORIGINS);
        let text = fs::read_to_string(file)?;
        let origin = Origin::parse(id, &text).context("the origin of crates cannot be read")?;
        write_atomically(&folder.join(format!("{id}.toml")), text.as_bytes())?;
        for old in vendored::origins_in(&folder) {
            if old.name == origin.name && old.id != origin.id {
                let file = folder.join(format!("{}.toml", old.id));
                let cannot = || format!("cannot remove {}", file.display());
                fs::remove_file(&file).with_context(cannot)?;
                remove_tree(&self.home.join(vendored::FOLDER).join(&old.id))?;
            }
        }
        Ok(())
    }

    /// Adds our lines to cargo's configuration, unless it says already where crates come from.
    fn configure(&self, origins: &[Origin]) -> Result<()> {
        // Where both are, cargo reads the one without an ending.
        let old = self.home.join("config");
        let file = if old.exists() { old } else { self.home.join("config.toml") };
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", file.display()));
            }
        };
        let ours = configuration(&self.home.join("muslin").to_string_lossy(), origins);
        match joined(&text, &ours) {
            Joined::There => Ok(()),
            Joined::Text(text) => {
                write_atomically(&file, text.as_bytes())?;
                report::status(
                    "Configured",
                    format!("{}: crates come from bundles", file.display()),
                );
                Ok(())
            }
            Joined::Impossible => {
                let file = file.display();
                let message = format!(
                    "{file} says already where crates come from, so it is left as it is: \
                     cargo will not find those of the bundle"
                );
                let lines = ours.trim_end().replace('\n', "\n  ");
                Err(Failure::new(Exit::Failed, message)
                    .help(format!("put these lines there instead:\n  {lines}"))
                    .into())
            }
        }
    }
}

enum Joined {
    There,
    Text(String),
    Impossible,
}

fn joined(text: &str, ours: &str) -> Joined {
    let (Ok(now), Ok(wanted)) = (text.parse::<toml::Table>(), ours.parse::<toml::Table>()) else {
        return Joined::Impossible;
    };
    let sources =
        |table: &toml::Table| table.get("source").and_then(toml::Value::as_table).cloned();
    let now = sources(&now).unwrap_or_default();
    let wanted = sources(&wanted).unwrap_or_default();
    let missing: toml::Table =
        wanted.into_iter().filter(|(name, value)| now.get(name) != Some(value)).collect();
    let mut joined = text.to_owned();
    for name in missing.keys().filter(|name| now.contains_key(*name)) {
        // An earlier bundle had another commit of it. It stands there as we have written it, or it is
        // not ours.
        let replaced = now[name].get("replace-with").and_then(toml::Value::as_str);
        let is_ours = replaced.is_some_and(|it| it.starts_with(OURS) && it != SOURCE);
        let old = text_of([(name.clone(), now[name].clone())].into_iter().collect());
        match is_ours && joined.contains(&old) {
            true => joined = joined.replacen(&old, "", 1),
            false => return Joined::Impossible,
        }
    }
    if missing.is_empty() {
        return Joined::There;
    }
    let added = match now.contains_key(SOURCE) {
        false => ours.to_owned(),
        true => text_of(missing),
    };
    if !joined.is_empty() {
        joined.push_str(if joined.ends_with('\n') { "\n" } else { "\n\n" });
    }
    joined.push_str(&added);
    if joined.parse::<toml::Table>().is_ok() { Joined::Text(joined) } else { Joined::Impossible }
}

/// Some sources in cargo's configuration.
fn text_of(sources: toml::Table) -> String {
    toml::to_string(&toml::Table::from_iter([("source".to_owned(), sources.into())]))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_added_to_and_never_changed() {
        let ours = configuration("/x y", &[]);
        let Joined::Text(alone) = joined("", &ours) else { panic!("not added") };
        assert_eq!(alone, ours);
        assert!(matches!(joined(&alone, &ours), Joined::There));
        let theirs = "[net]\noffline = true";
        let Joined::Text(both) = joined(theirs, &ours) else { panic!("not added") };
        assert!(both.starts_with(theirs) && both.ends_with(&ours), "{both}");
        for other in [
            "[source.crates-io]\nreplace-with = \"mirror\"\n",
            "source = {}\n",
            "torn",
            &configuration("/elsewhere", &[]),
        ] {
            assert!(matches!(joined(other, &ours), Joined::Impossible), "{other}");
        }
    }

    #[test]
    fn what_an_earlier_bundle_has_said_of_an_origin_is_replaced() {
        let origin = |id: &str| {
            Origin::parse(id, "[source.\"git+file:///b\"]\ngit = \"file:///b\"\n").unwrap()
        };
        let with = |origins: &[Origin]| configuration("/x", origins);
        let of = |joined: Joined| match joined {
            Joined::Text(text) => text,
            _ => panic!("not changed"),
        };
        let (one, two) = (origin("0123456789abcdef"), origin("fedcba9876543210"));
        let theirs = "# mine\n[net]\noffline = true\n";
        let first = of(joined(theirs, &with(&[])));
        let second = of(joined(&first, &with(std::slice::from_ref(&one))));
        assert!(second.starts_with(&first) && second.contains(&one.id), "{second}");
        assert!(matches!(joined(&second, &with(std::slice::from_ref(&one))), Joined::There));
        let third = of(joined(&second, &with(std::slice::from_ref(&two))));
        let table: toml::Table = third.parse().unwrap();
        assert_eq!(
            table["source"]["git+file:///b"]["replace-with"].as_str(),
            Some("muslin-fedcba9876543210")
        );
        assert!(third.starts_with(theirs), "{third}");
        let foreign = second.replace("muslin-0123456789abcdef", "company");
        assert!(matches!(joined(&foreign, &with(&[two])), Joined::Impossible));
    }

    #[test]
    fn an_index_has_a_file_for_each_name_and_a_line_for_each_version() {
        let line = |name: &str, vers: &str| {
            format!("{{\"name\":\"{name}\",\"vers\":\"{vers}\",\"cksum\":\"00\"}}\n")
        };
        let lines = [
            line("Serde_x", "2.0.0"),
            line("a", "1.0.0"),
            line("Serde_x", "1.0.0"),
            line("abc", "1.0.0"),
        ];
        let files = index(lines.iter().map(String::as_str));
        let expected: Vec<_> =
            ["index/1/a", "index/3/a/abc", "index/se/rd/serde_x"].map(str::to_owned).into();
        assert_eq!(files.keys().cloned().collect::<Vec<_>>(), expected);
        assert_eq!(files["index/se/rd/serde_x"], format!("{}{}", lines[2], lines[0]));
    }
}
