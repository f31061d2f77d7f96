//! The shape of an address that bytes are fetched from. Never fetches.

use super::words::Wrong;
use crate::recipe::guess::quote;

/// An https address of one file, written so that it can be copied into a browser.
pub fn url(text: &str) -> Result<(), Wrong> {
    let whole = 0..text.len();
    let odd =
        |c: char| c.is_whitespace() || c.is_control() || !c.is_ascii() || "\"<>\\^`".contains(c);
    if let Some((at, c)) = text.char_indices().find(|(_, c)| odd(*c)) {
        let title = "a URL has no blanks or other characters that need escaping";
        return Err(Wrong::new(at..at + c.len_utf8(), title, "not allowed in a URL"));
    }
    if let Some(at) = text.find(['{', '}']) {
        let title = "a URL has no placeholders";
        let label = "write it out, so that it can be copied";
        return Err(Wrong::new(at..at + 1, title, label));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        let title = format!("{} is not a URL", quote(text));
        return Err(Wrong::new(whole, title, "begins with `https://`"));
    };
    if scheme != "https" {
        let label = if scheme == "http" {
            "plain http: anyone on the way can read and change it"
        } else {
            "only https is fetched"
        };
        let wrong = Wrong::new(0..scheme.len(), "a URL must be https", label);
        return Err(wrong.help(format!("write `https://{}`", printable(rest))));
    }
    let start = scheme.len() + 3;
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    host(&rest[..authority], start)?;
    if let Some(at) = rest.find('#') {
        let title = "a URL has no fragment";
        return Err(Wrong::new(start + at..text.len(), title, "a server never sees it"));
    }
    let path = rest[authority..].split('?').next().unwrap_or_default();
    if path.rsplit('/').next().is_none_or(str::is_empty) {
        let title = "a URL names one file";
        let end = start + authority + path.len();
        return Err(Wrong::new(start..end, title, "this is a folder or a site"));
    }
    Ok(())
}

fn host(authority: &str, start: usize) -> Result<(), Wrong> {
    if let Some(at) = authority.find('@') {
        let title = "a URL has no user and password";
        return Err(Wrong::new(start..start + at + 1, title, "recipes are published: no secrets"));
    }
    let (name, port) = authority.split_once(':').unwrap_or((authority, "443"));
    if name.is_empty() {
        return Err(Wrong::new(0..start, "the URL has no host", "a host must follow"));
    }
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(fits)
    };
    if !name.split('.').all(is_label) {
        let title = format!("{} is not a host", quote(name));
        return Err(Wrong::new(start..start + name.len(), title, "labels of letters and digits"));
    }
    if port.parse::<u16>().is_err() {
        let from = start + name.len();
        let end = start + authority.len();
        return Err(Wrong::new(from..end, "the URL's port is no number", "leave it out"));
    }
    Ok(())
}

fn printable(rest: &str) -> String {
    rest.chars().take(120).collect()
}
