//! Package URLs and CPE names: how tools that look for vulnerabilities know a component.

use std::fmt::Write as _;

/// A package URL. Qualifiers come in the order of their names.
pub fn purl(kind: &str, name: &str, version: Option<&str>, qualifiers: &[(&str, &str)]) -> String {
    let mut text = format!("pkg:{kind}/{}", encoded(name));
    if let Some(version) = version {
        let _ = write!(text, "@{}", encoded(version));
    }
    let mut qualifiers = qualifiers.to_vec();
    qualifiers.sort_unstable();
    for (index, (key, value)) in qualifiers.iter().enumerate() {
        let mark = if index == 0 { '?' } else { '&' };
        let _ = write!(text, "{mark}{key}={}", encoded(value));
    }
    text
}

/// Percent-encoded as package URLs ask: colons and slashes stay.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' | b'/' => {
                all.push(char::from(byte));
            }
            _ => {
                let _ = write!(all, "%{byte:02X}");
            }
        }
        all
    })
}

/// The CPE 2.3 name of a version of what a recipe calls `vendor:product`.
pub fn cpe(product: &str, version: &str) -> String {
    let escaped = version.chars().fold(String::new(), |mut all, c| {
        if !c.is_ascii_alphanumeric() && !"._-".contains(c) {
            all.push('\\');
        }
        all.push(c);
        all
    });
    format!("cpe:2.3:a:{product}:{escaped}:*:*:*:*:*:*:*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelt_as_their_specifications_ask() {
        let qualifiers = [("download_url", "https://x.y/a b"), ("checksum", "sha256:0f")];
        assert_eq!(
            purl("generic", "libx++", Some("1.0+2"), &qualifiers),
            "pkg:generic/libx%2B%2B@1.0%2B2?checksum=sha256:0f&download_url=https://x.y/a%20b"
        );
        assert_eq!(purl("cargo", "serde", Some("1.0.0"), &[]), "pkg:cargo/serde@1.0.0");
        assert_eq!(purl("generic", "z", None, &[]), "pkg:generic/z");
        assert_eq!(
            cpe("openssl:openssl", "3.6.3+1"),
            "cpe:2.3:a:openssl:openssl:3.6.3\\+1:*:*:*:*:*:*:*"
        );
    }
}
