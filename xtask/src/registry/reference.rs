//! `registry/name:tag`.

use std::str::FromStr;

use anyhow::{Result, bail};

/// What people call Docker's registry, and the host that speaks the protocol for it.
const DOCKER: [&str; 2] = ["docker.io", "registry-1.docker.io"];

/// An image in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// A host, with its port if it has one.
    pub registry: String,
    /// The path there.
    pub repository: String,
    /// The name of one image there.
    pub tag: String,
}

impl FromStr for Reference {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some((registry, rest)) = text.split_once('/') else {
            bail!("`{text}` names no registry: `registry.example.org/team/name:1.0` does");
        };
        let is_host = registry.contains(['.', ':']) || registry == "localhost";
        if !is_host {
            bail!("`{registry}` is no host: `docker.io/{text}` would be Docker's registry");
        }
        let Some((repository, tag)) = rest.split_once(':') else {
            bail!("`{text}` has no tag: `{text}:1.0` has");
        };
        let is_part = |part: &str| {
            let ends = |it: Option<u8>| {
                it.is_some_and(|it| it.is_ascii_digit() || it.is_ascii_lowercase())
            };
            ends(part.bytes().next())
                && ends(part.bytes().last())
                && part.bytes().all(|it| {
                    it.is_ascii_digit() || it.is_ascii_lowercase() || b"._-".contains(&it)
                })
        };
        if let Some(part) = repository.split('/').find(|part| !is_part(part)) {
            bail!(
                "`{part}` is no part of a name: small letters, digits, and `.`, `_`, `-` between them"
            );
        }
        let is_word = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
        let is_tag = tag.bytes().next().is_some_and(is_word)
            && tag.len() <= 128
            && tag.bytes().all(|it| is_word(it) || b".-".contains(&it));
        if !is_tag {
            bail!(
                "`{tag}` is no tag: at most 128 letters, digits, `_`, and behind the first `.`, `-`"
            );
        }
        let short = registry == DOCKER[0] && !repository.contains('/');
        let repository =
            if short { format!("library/{repository}") } else { repository.to_owned() };
        Ok(Self { registry: registry.to_owned(), repository, tag: tag.to_owned() })
    }
}

impl Reference {
    /// The host that speaks the protocol.
    pub fn host(&self) -> &str {
        if self.registry == DOCKER[0] { DOCKER[1] } else { &self.registry }
    }

    /// Whether the registry is on this machine.
    pub fn is_here(&self) -> bool {
        let host = match self.registry.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|it| it.is_ascii_digit()) => host,
            _ => &self.registry,
        };
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_three_parts() {
        let read = |text: &str| text.parse::<Reference>().map_err(|error| error.to_string());
        let it = read("localhost:5000/team/hello-1:v1.0_2").unwrap();
        assert_eq!(it.registry, "localhost:5000");
        assert_eq!((it.repository.as_str(), it.tag.as_str()), ("team/hello-1", "v1.0_2"));
        assert!(it.is_here());
        assert!(read("127.0.0.1:5000/x:1").unwrap().is_here());
        assert!(read("[::1]:5000/x:1").unwrap().is_here());
        let docker = read("docker.io/hello:1").unwrap();
        assert_eq!((docker.host(), docker.repository.as_str()), (DOCKER[1], "library/hello"));
        assert!(!docker.is_here());
        for (wrong, why) in [
            ("hello", "names no registry"),
            ("team/hello:1", "is no host"),
            ("r.test/hello", "has no tag"),
            ("r.test/Hello:1", "`Hello` is no part of a name"),
            ("r.test/a//b:1", "`` is no part of a name"),
            ("r.test/../b:1", "`..` is no part of a name"),
            ("r.test/a:", "is no tag"),
            ("r.test/a:.x", "is no tag"),
            ("r.test/a:1@sha256:00", "is no tag"),
        ] {
            let said = read(wrong).unwrap_err();
            assert!(said.contains(why), "{wrong}: {said}");
        }
    }
}
