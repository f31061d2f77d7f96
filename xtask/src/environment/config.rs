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

/// The first flag in the configuration that counts in `folder` by which rustc takes another CPU, or
/// more of it, for all Rust code of `triple`. A CPU that is overruled does not count.
pub fn raising_flag(folder: &Path, triple: &str, is_overruled: bool) -> Option<String> {
    let folders = cargo_configuration_folders(folder);
    let texts: Vec<String> = folders.iter().filter_map(|folder| read(folder)).collect();
    texts.iter().find_map(|text| raising_flag_in(text, triple, is_overruled))
}

fn raising_flag_in(text: &str, triple: &str, is_overruled: bool) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    let targets = table.get("target").and_then(toml::Value::as_table).into_iter().flatten();
    let cpu = triple.split('-').next().unwrap_or_default();
    // What holds for all targets or for this kind; conditions are not worked out any further.
    let is_meant = |name: &str| {
        let kinds = ["all()", "unix", "\"linux\"", "\"musl\"", &format!("\"{cpu}\"")];
        name == triple
            || name.starts_with("cfg(")
                && !name.contains("not(")
                && kinds.iter().any(|kind| name.contains(kind))
    };
    let of_targets = targets.filter(|(name, _)| is_meant(name)).filter_map(|(_, it)| it.as_table());
    let build = table.get("build").and_then(toml::Value::as_table);
    let flags = of_targets.chain(build).filter_map(|it| it.get("rustflags")).flat_map(words);
    let raises = |flag: &String| {
        let flag = flag.trim_start_matches("-C").trim_start_matches("--codegen=").trim();
        match flag.split_once('=') {
            Some(("target-cpu", _)) => !is_overruled,
            Some(("target-feature", list)) => {
                list.split(',').any(|it| it.starts_with('+') && it != "+crt-static")
            }
            _ => false,
        }
    };
    flags.into_iter().find(raises)
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
    fn flags_that_raise_the_cpu_are_seen() {
        let triple = "x86_64-unknown-linux-musl";
        let flag = |text: &str| raising_flag_in(text, triple, false);
        for (text, expected) in [
            ("[build]\nrustflags = [\"-C\", \"target-cpu=native\"]", "target-cpu=native"),
            ("[build]\nrustflags = \"-Ctarget-cpu=haswell\"", "-Ctarget-cpu=haswell"),
            (
                "[target.x86_64-unknown-linux-musl]\nrustflags = [\"-Ctarget-feature=-sse3,+avx2\"]",
                "-Ctarget-feature=-sse3,+avx2",
            ),
            (
                "[target.'cfg(target_arch = \"x86_64\")']\nrustflags = \"--codegen=target-cpu=x\"",
                "--codegen=target-cpu=x",
            ),
        ] {
            assert_eq!(flag(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "[build]\nrustflags = \"-Ctarget-feature=+crt-static,-avx --cfg x\"",
            "[target.aarch64-unknown-linux-musl]\nrustflags = \"-Ctarget-cpu=native\"",
            "[target.'cfg(target_arch = \"arm\")']\nrustflags = \"-Ctarget-cpu=native\"",
            "[target.'cfg(not(unix))']\nrustflags = \"-Ctarget-cpu=native\"",
        ] {
            assert_eq!(flag(text), None, "{text}");
        }
        let overruled = "[build]\nrustflags = \"-Ctarget-cpu=haswell\"";
        assert_eq!(raising_flag_in(overruled, triple, true), None);
    }

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
