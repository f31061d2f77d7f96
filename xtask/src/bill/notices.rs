//! The notices of the crates in Rust's standard library: Rust ships them as one page of HTML, for all
//! targets together.

use std::fs;
use std::path::Path;

use super::texts::Text;

/// Where the page is in a Rust.
const PAGE: &str = "share/doc/rust/COPYRIGHT-library.html";

/// What each crate's part of it begins with.
const CRATE: &str = "<h3>\u{1f4e6} ";

/// Whether a Rust has that page.
pub fn are_there(sysroot: &Path) -> bool {
    sysroot.join(PAGE).is_file()
}

/// Those of the crates that are in a standard library, by its folder.
pub fn of(sysroot: &Path, std: &Path) -> Vec<Text> {
    let page = fs::read_to_string(sysroot.join(PAGE)).unwrap_or_default();
    let files = fs::read_dir(std).into_iter().flatten().flatten();
    let names: Vec<_> = files.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
    let is_in = |name: &str| {
        let start = format!("lib{}-", name.replace('-', "_"));
        names.iter().any(|file| file.starts_with(&start) && file.ends_with(".rlib"))
    };
    read(&page, &is_in)
}

fn read(page: &str, is_in: &dyn Fn(&str) -> bool) -> Vec<Text> {
    let mut found = Vec::new();
    for part in page.split(CRATE).skip(1) {
        let label = part.split("</h3>").next().unwrap_or_default();
        let name = label.rsplit_once('-').map_or(label, |(name, _)| name);
        if !is_in(name) {
            continue;
        }
        for notice in part.split("<summary><code>").skip(1) {
            let file = notice.split("</code>").next().unwrap_or_default();
            let text = notice.split_once("<pre>").map_or("", |(_, rest)| rest);
            let text = plain(text.split("</pre>").next().unwrap_or_default());
            found.push(Text::new(format!("{file} of its {}", plain(label)), text.as_bytes()));
        }
    }
    found
}

/// Text without what HTML writes otherwise.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        let known = after.split_once(';').and_then(|(name, after)| Some((character(name)?, after)));
        match known {
            Some((character, after)) => {
                text.push(character);
                rest = after;
            }
            None => {
                text.push('&');
                rest = after;
            }
        }
    }
    text + rest
}

fn character(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => char::from_u32(name.strip_prefix('#')?.parse().ok()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_read_for_the_crates_that_are_there() {
        let page = "<h3>x</h3>\n<h3>\u{1f4e6} rustc-demangle-0.1.27</h3><p>License: MIT</p>\n\
                    <summary><code>LICENSE-MIT</code></summary>\n<pre>\nA &#60;a@b&#62; &amp; B\n</pre>\n\
                    <h3>\u{1f4e6} windows-sys-0.60.2</h3><summary><code>LICENSE</code></summary>\
                    <pre>no</pre>";
        let found = read(page, &|name| name == "rustc-demangle");
        let text = "A <a@b> & B".to_owned();
        let name = "LICENSE-MIT of its rustc-demangle-0.1.27".to_owned();
        assert_eq!(found, [Text { name, text }]);
        assert!(read("", &|_| true).is_empty());
        assert_eq!(plain("a &b; &#x; & c"), "a &b; &#x; & c");
    }
}
