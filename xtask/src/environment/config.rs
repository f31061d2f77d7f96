//! What an app's own `.cargo/config.toml` says that ours would silence.
//!
//! Cargo takes rustc's flags from one place only: with flags in `target.<triple>.rustflags`, where
//! ours are, it passes over `build.rustflags`, and an app that says `--cfg tokio_unstable` there
//! would no longer compile. So those are put before ours. Everything else cargo merges by itself.

use std::fs;
use std::path::Path;

use crate::process::cargo_configuration_folders;

/// The flags of `build.rustflags` that cargo would use for `triple` in `folder`, were ours not there.
pub fn silenced_rustflags(folder: &Path, triple: &str) -> Vec<String> {
    let folders = cargo_configuration_folders(folder);
    // The nearest file counts most, so it comes last.
    let texts: Vec<String> = folders.iter().rev().filter_map(|folder| read(folder)).collect();
    from_texts(&texts, triple)
}

/// Cargo prefers the file without an ending where both are there.
fn read(folder: &Path) -> Option<String> {
    ["config", "config.toml"].iter().find_map(|name| fs::read_to_string(folder.join(name)).ok())
}

fn from_texts(texts: &[String], triple: &str) -> Vec<String> {
    // A file that cannot be read is cargo's to report.
    let tables: Vec<toml::Table> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    let flags = |keys: &[&str]| -> Vec<String> {
        tables.iter().filter_map(|table| look_up(table, keys)).flat_map(words).collect()
    };
    // With flags of its own for the target the app has silenced them itself.
    if !flags(&["target", triple, "rustflags"]).is_empty() {
        return Vec::new();
    }
    flags(&["build", "rustflags"])
}

fn look_up<'a>(table: &'a toml::Table, keys: &[&str]) -> Option<&'a toml::Value> {
    let (last, path) = keys.split_last()?;
    path.iter().try_fold(table, |table, key| table.get(*key)?.as_table())?.get(*last)
}

/// A list of words, or one string with blanks between them.
fn words(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        toml::Value::Array(list) => {
            list.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_for_all_targets_are_kept_unless_the_app_has_some_for_this_one() {
        let home = "[build]\nrustflags = \"-Copt-level=1  -g\"\n".to_owned();
        let app =
            "[build]\nrustflags = [\"--cfg\", \"a b\"]\n[target.t]\nlinker = \"x\"\n".to_owned();
        let own = "[target.t]\nrustflags = [\"-Cx\"]\n".to_owned();
        let broken = "[build\n".to_owned();
        let flags = from_texts(&[home.clone(), broken, app.clone()], "t");
        assert_eq!(flags, ["-Copt-level=1", "-g", "--cfg", "a b"]);
        assert!(from_texts(&[home, app, own], "t").is_empty());
    }
}
