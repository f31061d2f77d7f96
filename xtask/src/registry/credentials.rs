//! Credentials that `podman login` and `docker login` have kept.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::process::{self, env_var};
use crate::report;

/// What Docker's own registry is called in its files.
const DOCKER: [&str; 2] = ["docker.io", "https://index.docker.io/v1/"];

/// A user name and a password or token.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    /// As the header `Authorization` has it.
    pub fn basic(&self) -> String {
        let Self { user, password } = self;
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    /// Who it is.
    pub fn user(&self) -> &str {
        &self.user
    }
}

/// Those for a registry, from the first file that has some.
pub fn find(registry: &str) -> Result<Option<Credentials>> {
    for file in files() {
        let Ok(bytes) = fs::read(&file) else { continue };
        let place = || format!("cannot make sense of {}", file.display());
        let config: Value = serde_json::from_slice(&bytes).with_context(place)?;
        let found = in_config(&config, registry, &ask_helper).with_context(place)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Where they may be, in the order in which podman looks.
fn files() -> Vec<PathBuf> {
    let below = |variable: &str, file: &str| env_var(variable).map(|it| Path::new(&it).join(file));
    let places = [
        env_var("REGISTRY_AUTH_FILE").map(PathBuf::from),
        below("XDG_RUNTIME_DIR", "containers/auth.json"),
        below("XDG_CONFIG_HOME", "containers/auth.json"),
        below("HOME", ".config/containers/auth.json"),
        below("DOCKER_CONFIG", "config.json"),
        below("HOME", ".docker/config.json"),
    ];
    places.into_iter().flatten().collect()
}

/// Those that a file has for a registry, or that a program gives which it names.
fn in_config(
    config: &Value,
    registry: &str,
    ask: &dyn Fn(&str, &str) -> Result<Option<Credentials>>,
) -> Result<Option<Credentials>> {
    let mut names = vec![registry];
    if registry == DOCKER[0] {
        names.push(DOCKER[1]);
    }
    for name in names {
        let helper = &config["credHelpers"][name];
        if let Some(helper) = helper.as_str() {
            return ask(helper, name);
        }
        let entry = &config["auths"][name];
        if let Some(text) = entry["auth"].as_str().filter(|text| !text.is_empty()) {
            return decode(text).map(Some).with_context(|| format!("`auths` of {name}"));
        }
        if let (true, Some(store)) = (entry.is_object(), config["credsStore"].as_str()) {
            return ask(store, name);
        }
    }
    Ok(None)
}

fn decode(text: &str) -> Result<Credentials> {
    let text = String::from_utf8(STANDARD.decode(text.trim())?)?;
    let (user, password) = text.split_once(':').context("there is no password")?;
    let password = password.trim_end_matches('\0');
    Ok(Credentials { user: user.to_owned(), password: password.to_owned() })
}

/// Asks a program of Docker's kind of credential helpers: a name in, JSON out.
fn ask_helper(helper: &str, registry: &str) -> Result<Option<Credentials>> {
    let program = format!("docker-credential-{helper}");
    let (from, mut to) = std::io::pipe()?;
    to.write_all(registry.as_bytes())?;
    drop(to);
    let said = process::capture_fed(process::command(&program).arg("get"), from)
        .with_context(|| format!("cannot ask {program} for the credentials of {registry}"))?;
    if !said.status.success() {
        // Whether it has none or cannot say, the registry decides what that means.
        report::note(format!("{program} gives none for {registry}: {}", said.stdout.trim()));
        return Ok(None);
    }
    let said: Value =
        serde_json::from_str(&said.stdout).with_context(|| format!("{program} says no JSON"))?;
    let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
    Ok(Some(Credentials { user: text("Username"), password: text("Secret") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(config: &str, registry: &str) -> Result<Option<(String, String)>> {
        let config = serde_json::from_str(config).unwrap();
        let ask = |helper: &str, registry: &str| {
            Ok(Some(Credentials { user: helper.to_owned(), password: registry.to_owned() }))
        };
        Ok(in_config(&config, registry, &ask)?.map(|it| (it.user, it.password)))
    }

    #[test]
    fn files_of_podman_and_docker_are_understood() {
        let config = r#"{
            "auths": {
                "a.test:5000": { "auth": "bWU6czplY3JldA==" },
                "https://index.docker.io/v1/": { "auth": "bWU6eA==" },
                "kept.test": {},
                "bad.test": { "auth": "bWU=" }
            },
            "credHelpers": { "b.test": "vault" },
            "credsStore": "desktop"
        }"#;
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(look(config, "a.test:5000").unwrap(), pair("me", "s:ecret"));
        assert_eq!(look(config, "docker.io").unwrap(), pair("me", "x"));
        assert_eq!(look(config, "b.test").unwrap(), pair("vault", "b.test"));
        assert_eq!(look(config, "kept.test").unwrap(), pair("desktop", "kept.test"));
        assert_eq!(look(config, "none.test").unwrap(), None);
        assert!(look(config, "bad.test").is_err());
        assert_eq!(look("{}", "a.test:5000").unwrap(), None);
    }
}
