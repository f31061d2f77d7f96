//! The `debian` origin: a path below the mirrors that apt is configured with. Reads apt's lists;
//! never runs apt, and needs no Debian.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::Url;

use super::http::shown;

/// The mirrors that apt is configured with, the likeliest first, each once.
pub(super) fn mirrors(apt_root: &Path) -> Vec<Url> {
    let mut addresses = Vec::new();
    for file in list_files(apt_root) {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let is_deb822 = file.extension().is_some_and(|extension| extension == "sources");
        addresses.extend(if is_deb822 { parse_deb822(&text) } else { parse_list(&text) });
    }
    let listed = addresses.into_iter().flat_map(|address| match mirror_file(&address) {
        Some(file) => parse_mirror_file(&fs::read_to_string(file).unwrap_or_default()),
        None => vec![address],
    });
    in_order(listed)
}

fn list_files(apt_root: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(apt_root.join("sources.list.d"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|file| file.path())
        .filter(|file| file.extension().is_some_and(|e| e == "list" || e == "sources"))
        .collect();
    files.sort();
    files.insert(0, apt_root.join("sources.list"));
    files
}

/// Addresses in the one-line format: `deb [option=value …] address suite component…`.
fn parse_list(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let line = line.split('#').next()?.trim();
            let (kind, rest) = line.split_once(char::is_whitespace)?;
            if !matches!(kind, "deb" | "deb-src") {
                return None;
            }
            let rest = rest.trim_start();
            let rest = match rest.strip_prefix('[') {
                Some(options) => options.split_once(']')?.1.trim_start(),
                None => rest,
            };
            rest.split_whitespace().next().map(str::to_owned)
        })
        .collect()
}

/// Addresses in the paragraph format (deb822): `URIs:` of each paragraph that is enabled.
fn parse_deb822(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut paragraph = Paragraph::default();
    // A comment does not end a paragraph; an empty line does.
    for line in text.lines().filter(|line| !line.starts_with('#')).chain([""]) {
        if line.trim().is_empty() {
            let done = std::mem::take(&mut paragraph);
            if !done.is_disabled {
                found.extend(done.addresses);
            }
        } else {
            paragraph.take_in(line);
        }
    }
    found
}

/// What counts of a paragraph.
#[derive(Default)]
struct Paragraph {
    addresses: Vec<String>,
    is_disabled: bool,
    in_uris: bool,
}

impl Paragraph {
    fn take_in(&mut self, line: &str) {
        let value = if line.starts_with([' ', '\t']) {
            line
        } else {
            let Some((field, value)) = line.split_once(':') else { return };
            self.in_uris = field.trim().eq_ignore_ascii_case("URIs");
            if field.trim().eq_ignore_ascii_case("Enabled") {
                let value = value.trim().to_ascii_lowercase();
                self.is_disabled =
                    matches!(value.as_str(), "no" | "false" | "off" | "0" | "without");
            }
            value
        };
        if self.in_uris {
            self.addresses.extend(value.split_whitespace().map(str::to_owned));
        }
    }
}

/// The file behind `mirror+file:/etc/apt/mirrors/debian.list`, as on cloud images.
fn mirror_file(address: &str) -> Option<PathBuf> {
    let path = address.strip_prefix("mirror+file:")?;
    Some(Path::new("/").join(path.trim_start_matches('/')))
}

/// Addresses in a file of mirrors: one a line, then perhaps a tab and its properties.
fn parse_mirror_file(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

/// http and https only, each once. A pool of the distribution itself before other people's
/// repositories, and security updates last: their pools hold little.
fn in_order(addresses: impl IntoIterator<Item = String>) -> Vec<Url> {
    let mut mirrors: Vec<Url> = Vec::new();
    for address in addresses {
        let Ok(mut url) = address.parse::<Url>() else { continue };
        if !matches!(url.scheme(), "http" | "https") {
            continue;
        }
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
        if !mirrors.contains(&url) {
            mirrors.push(url);
        }
    }
    mirrors.sort_by_key(|url| {
        let last = url.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        (shown(url).contains("security"), last != "debian")
    });
    mirrors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_entries() {
        let text = "# deb http://commented.test/debian x main\n\
                    deb http://a.test/debian bookworm main # note\n\
                    deb [ arch=amd64 signed-by=/k.gpg ] https://b.test/debian/ bookworm main\n\
                    deb [trusted=yes]http://c.test/x ./\n\
                    deb-src\thttp://d.test/debian bookworm main\n\
                    rpm http://e.test/ x\ndeb\ndeb [broken http://f.test\n";
        let expected = [
            "http://a.test/debian",
            "https://b.test/debian/",
            "http://c.test/x",
            "http://d.test/debian",
        ];
        assert_eq!(parse_list(text), expected);
    }

    #[test]
    fn paragraphs() {
        let text = "Types: deb\n# URIs: http://commented.test\nURIs: http://a.test/debian\n  https://b.test/debian\n\
                    # in between\n\thttp://c.test/debian\nSuites: bookworm\n  http://not-a-uri.test\n\n\n\
                    Enabled: no\nURIs: http://disabled.test/debian\n\n\
                    uris: http://d.test/1 http://d.test/2\nenabled: yes\n";
        let expected = [
            "http://a.test/debian",
            "https://b.test/debian",
            "http://c.test/debian",
            "http://d.test/1",
            "http://d.test/2",
        ];
        assert_eq!(parse_deb822(text), expected);
        assert!(parse_deb822("").is_empty());
    }

    #[test]
    fn the_likeliest_mirror_comes_first_and_none_twice() {
        let addresses = [
            "http://a.test/debian-security",
            "http://security.b.test/debian",
            "https://c.test/node_20.x",
            "http://d.test/debian",
            "http://d.test/debian/",
            "cdrom:[Debian]/",
            "ftp://e.test/debian",
            "https://f.test/debian",
        ];
        let order: Vec<_> = in_order(addresses.map(str::to_owned)).iter().map(shown).collect();
        let expected = [
            "http://d.test/debian/",
            "https://f.test/debian/",
            "https://c.test/node_20.x/",
            "http://security.b.test/debian/",
            "http://a.test/debian-security/",
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn files_of_mirrors() {
        let file = mirror_file("mirror+file:///etc/apt/mirrors/debian.list");
        assert_eq!(file, Some("/etc/apt/mirrors/debian.list".into()));
        assert_eq!(mirror_file("http://a.test/"), None);
        let text = "# x\nhttps://a.test/debian\tpriority:1\n\n";
        assert_eq!(parse_mirror_file(text), ["https://a.test/debian"]);
    }
}
