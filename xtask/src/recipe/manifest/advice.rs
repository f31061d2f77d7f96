//! What an unknown key was probably meant to be: a typo, another system's word, or a key that
//! stands in the wrong table. Only words, no rules.

use crate::recipe::guess::guess;

/// The key that an unknown one was probably meant to be, and what to say about it.
pub fn advice(word: &str, keys: &[&'static str]) -> (Option<&'static str>, String) {
    let lower = word.to_lowercase();
    let synonym = SYNONYMS.iter().find(|(other, key)| *other == lower && keys.contains(key));
    let meant = synonym.map(|(_, key)| *key).or_else(|| guess(word, keys.iter().copied()));
    if let Some(meant) = meant {
        return (Some(meant), format!("did you mean `{meant}`?"));
    }
    // A tool's build knows no such way.
    let is_elsewhere = keys != ["compile", "prebuilt"];
    match HOMES.iter().find(|(other, _)| *other == lower && is_elsewhere) {
        Some((_, home)) => (None, format!("`{lower}` {home}")),
        None => (None, String::new()),
    }
}

/// What other systems call our keys.
const SYNONYMS: [(&str, &str); 16] = [
    ("checksum", "sha256"),
    ("hash", "sha256"),
    ("digest", "sha256"),
    ("depends", "dependencies"),
    ("requires", "dependencies"),
    ("licence", "license"),
    ("spdx", "license"),
    ("summary", "description"),
    ("files", "sources"),
    ("args", "options"),
    ("configure-flags", "options"),
    ("cflags", "flags"),
    ("headers", "include"),
    ("includes", "include"),
    ("mirror", "mirrors"),
    ("strip-prefix", "root"),
];

/// Where keys belong that are often written in the wrong table.
const HOMES: [(&str, &str); 22] = [
    ("name", "is not written: the file's name is the name"),
    ("md5", "is too weak to pin anything: use `sha256` or `sha512`"),
    ("sha1", "is too weak to pin anything: use `sha256` or `sha512`"),
    ("description", "stands at the top, before the first `[table]`"),
    ("version", "stands at the top, before the first `[table]`"),
    ("license", "stands at the top, before the first `[table]`"),
    ("links", "stands at the top, before the first `[table]`"),
    ("dependencies", "stands at the top, before the first `[table]`"),
    ("tools", "stands at the top, before the first `[table]`"),
    ("patches", "stands at the top, before the first `[table]`"),
    ("url", "belongs in a `[[source]]`"),
    ("crate", "belongs in a `[[source]]`"),
    ("pypi", "belongs in a `[[source]]`"),
    ("debian", "belongs in a `[[source]]`"),
    ("sha256", "belongs in a `[[source]]`"),
    ("sha512", "belongs in a `[[source]]`"),
    ("root", "belongs in a `[[source]]`"),
    ("compile", "is written `[build.compile]`"),
    ("configure", "is written `[build.configure]`"),
    ("defines", "is written `[build.compile.defines]`"),
    ("libs", "belongs in `[outputs]`"),
    ("pkgconfig", "belongs in `[outputs]`"),
];
