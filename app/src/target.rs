//! What the user names: a host and a port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The port when none is named.
pub const DEFAULT_PORT: u16 = 443;

/// A host name (lower case, without a final dot) or an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name, to be looked up and sent as SNI.
    Name(String),
    /// An address, matched against the certificate's IP addresses.
    Address(IpAddr),
}

/// A host and a port, written `example.org:443`, `192.0.2.1:443` or `[2001:db8::1]:443`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The host.
    pub host: Host,
    /// The TCP port, never 0.
    pub port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            return Err("only HOST or HOST:PORT is wanted, without a scheme or a path".into());
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (inside, after) = rest.split_once(']').ok_or("the closing ']' is missing")?;
            let host = Host::Address(IpAddr::V6(ipv6(inside)?));
            return match after.strip_prefix(':') {
                Some(port) => Ok(Self { host, port: parse_port(port)? }),
                None if after.is_empty() => Ok(Self { host, port: DEFAULT_PORT }),
                None => Err("only ':PORT' may follow the ']'".into()),
            };
        }
        match text.matches(':').count() {
            0 => Ok(Self { host: text.parse()?, port: DEFAULT_PORT }),
            1 => {
                let (host, port) = text.split_once(':').unwrap_or((text, ""));
                Ok(Self { host: host.parse()?, port: parse_port(port)? })
            }
            _ => Ok(Self { host: Host::Address(IpAddr::V6(ipv6(text)?)), port: DEFAULT_PORT }),
        }
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.is_empty() {
            return Err("the host is missing".into());
        }
        if !name.is_ascii() {
            return Err("write the name in its ASCII form (xn--…)".into());
        }
        if name.len() > 253 {
            return Err("the name is longer than 253 characters".into());
        }
        let mut last = "";
        for label in name.split('.') {
            check_label(label)?;
            last = label;
        }
        // The resolver would read `127.1` or `0x7f.1` as an address, which no certificate can name.
        if last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") {
            let example = Ipv4Addr::new(192, 0, 2, 1);
            return Err(format!("it looks like an address but is none such as {example}"));
        }
        Ok(Self::Name(name))
    }
}

fn check_label(label: &str) -> Result<(), String> {
    if label.is_empty() {
        return Err("the name has an empty part between dots".into());
    }
    if label.len() > 63 {
        return Err(format!("'{label}' is longer than 63 characters"));
    }
    if let Some(odd) =
        label.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '-' || *c == '_'))
    {
        return Err(format!("a host name cannot hold {odd:?}"));
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(format!("'{label}' starts or ends with '-'"));
    }
    Ok(())
}

fn parse_port(text: &str) -> Result<u16, String> {
    // `u16::from_str` would take `+443` too.
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err(format!("the port '{text}' is not a number from 1 to 65535")),
    }
}

fn ipv6(text: &str) -> Result<Ipv6Addr, String> {
    if text.contains('%') {
        return Err("an address with a zone (%…) cannot be checked".into());
    }
    text.parse().map_err(|_| format!("'{text}' is not an IPv6 address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        match text.parse::<Target>() {
            Ok(target) => target.to_string(),
            Err(error) => panic!("{text}: {error}"),
        }
    }

    #[test]
    fn hosts_and_ports_get_one_spelling() {
        assert_eq!(canonical("Example.ORG"), "example.org:443");
        assert_eq!(canonical("example.org.:8443"), "example.org:8443");
        assert_eq!(canonical("_x.a-b.example"), "_x.a-b.example:443");
        assert_eq!(canonical("192.0.2.7:1"), "192.0.2.7:1");
        assert_eq!(canonical("::1"), "[::1]:443");
        assert_eq!(canonical("[0:0::1]"), "[::1]:443");
        assert_eq!(canonical("[2001:DB8::1]:8443"), "[2001:db8::1]:8443");
    }

    #[test]
    fn the_canonical_form_reads_back_as_itself() {
        for text in ["example.org:1", "192.0.2.1:443", "[::1]:65535"] {
            assert_eq!(canonical(text), text);
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = "a".repeat(64);
        let deep = "abcdefg.".repeat(32) + "org";
        for text in [
            "",
            ":443",
            ".",
            "a..b",
            "-a.org",
            "a-.org",
            "a b",
            "https://example.org/",
            "example.org/",
            "example.org:",
            "example.org:0",
            "example.org:65536",
            "example.org:+1",
            "example.org:x",
            "[::1",
            "[::1]443",
            "[::1]:",
            "[example.org]:443",
            "::1::2",
            "fe80::1%eth0",
            "bücher.example",
            "127.1",
            "1.2.3.256",
            "a.0x1",
            "user@example.org",
            &long,
            &deep,
        ] {
            assert!(text.parse::<Target>().is_err(), "{text:?} was accepted");
        }
    }
}
