//! What a registry asks for before it lets anyone in (RFC 9110, section 11.6.1).

/// A way to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// With name and password.
    Basic,
    /// With a token of another server.
    Bearer {
        /// Its address.
        realm: String,
        /// Who the token is for.
        service: Option<String>,
        /// What it allows.
        scope: Option<String>,
    },
}

impl Challenge {
    /// Reads the header `WWW-Authenticate`; nothing if it is another way.
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        let mut rest = rest;
        while let Some((name, tail)) = rest.split_once('=') {
            let (value, after) = match tail.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => tail.split_once(',').map_or((tail, ""), |(value, after)| (value, after)),
            };
            let place = match name.trim().to_ascii_lowercase().as_str() {
                "realm" => &mut realm,
                "service" => &mut service,
                "scope" => &mut scope,
                _ => &mut None,
            };
            *place = Some(value.trim().to_owned());
            rest = after.trim_start().trim_start_matches(',').trim_start();
        }
        Some(Self::Bearer { realm: realm?, service, scope })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        assert_eq!(Challenge::parse("Basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(Challenge::parse("Negotiate"), None);
        assert_eq!(Challenge::parse("Bearer service=\"x\""), None);
        let said = "Bearer realm=\"https://auth.test/token\",service=\"registry.test\", \
                    scope=\"repository:a/b:pull,push\",error=insufficient_scope";
        let Some(Challenge::Bearer { realm, service, scope }) = Challenge::parse(said) else {
            panic!("{said}");
        };
        assert_eq!(realm, "https://auth.test/token");
        assert_eq!(service.as_deref(), Some("registry.test"));
        assert_eq!(scope.as_deref(), Some("repository:a/b:pull,push"));
    }
}
