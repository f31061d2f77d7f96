//! Finds the texts of licences in a source tree, and guesses what they are. Guesses are for the author
//! to judge: nothing here says that a licence is the right one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::digest::Digest;
use crate::recipe::LicenseFile;
use crate::unpack::license;

/// How much of a file is read for a guess.
const HEAD_BYTES: usize = 8 << 10;

/// Names of files that hold a licence and nothing else, by how they begin, the likeliest first.
const NAMES: [&str; 6] = ["license", "licence", "copying", "copyright", "unlicense", "artistic"];

/// Words of licences in the comment above some code.
const WORDS: [&str; 6] = [
    "permission is hereby granted",
    "permission is granted",
    "permission to use",
    "redistribution and use",
    "disclaims copyright",
    "public domain",
];

/// Licences by words that all stand in their texts and in none before them.
const KNOWN: &[(&str, &[&str])] = &[
    ("Apache-2.0", &["apache license", "version 2.0", "terms and conditions for use"]),
    ("LGPL-3.0-or-later", &["gnu lesser general public license", "version 3, 29 june"]),
    ("LGPL-2.1-or-later", &["gnu lesser general public license", "version 2.1, february"]),
    ("LGPL-2.0-or-later", &["gnu library general public license", "version 2, june"]),
    ("GPL-3.0-or-later", &["gnu general public license", "version 3, 29 june"]),
    ("GPL-1.0-or-later", &["gnu general public license", "version 1, february"]),
    ("GPL-2.0-or-later", &["gnu general public license", "version 2, june"]),
    ("MPL-2.0", &["mozilla public license", "version 2.0"]),
    ("BSL-1.0", &["boost software license"]),
    ("Unlicense", &["free and unencumbered software"]),
    ("blessing", &["may you do good and not evil"]),
    ("bzip2-1.0.6", &["julian r seward", "altered source versions must be plainly marked"]),
    ("libpng-2.0", &["png reference library license version 2"]),
    ("Zlib", &["altered source versions must be plainly marked"]),
    ("Artistic-1.0-Perl", &["the \"artistic license\""]),
    ("PostgreSQL", &["postgresql", "without a written agreement"]),
    ("BSD-3-Clause", &["redistribution and use in source and binary", "endorse or promote"]),
    ("BSD-2-Clause", &["redistribution and use in source and binary"]),
    ("curl", &["copyright and permission notice", "daniel stenberg"]),
    ("MIT", &["permission is hereby granted, free of charge"]),
    ("ISC", &["permission to use, copy, modify, and", "provided that the above copyright notice"]),
    ("0BSD", &["permission to use, copy, modify, and", "with or without fee is hereby granted"]),
];

/// The SPDX identifier of a text, if it is one of the common ones. What the text cannot tell, such as
/// whether a later version of it may be used, is guessed too.
pub fn guess(text: &[u8]) -> Option<&'static str> {
    let head = String::from_utf8_lossy(&text[..text.len().min(HEAD_BYTES)]).to_lowercase();
    // A comment's stars stand at the beginnings of lines.
    let words: Vec<&str> =
        head.split_whitespace().filter(|word| !word.chars().all(|c| "*/#;".contains(c))).collect();
    let text = words.join(" ");
    let fits = |(_, parts): &&(&str, &[&str])| parts.iter().all(|part| text.contains(part));
    KNOWN.iter().find(fits).map(|(id, _)| *id)
}

/// The texts in a tree that a recipe with this SPDX expression (empty if it is not known) should
/// name: files of the top folder, else the comment above one of some headers.
pub fn find(tree: &Path, spdx: &str, headers: &[String]) -> Result<Vec<LicenseFile>> {
    let mut found = Vec::new();
    for name in names(tree)? {
        let Ok(text) = license::read(tree, std::slice::from_ref(&name), None) else { continue };
        let guess = guess(&text);
        let digest = Digest::sha256_of(&text);
        found.push((guess, LicenseFile { paths: vec![name], lines: None, digest }));
    }
    let parts: BTreeSet<&str> = spdx.split([' ', '(', ')']).collect();
    // "Or later" and "only" have one text.
    let stem = |id: &str| id.trim_end_matches("-or-later").trim_end_matches("-only").to_owned();
    let is_named = |guess: &Option<&str>| {
        guess.is_some_and(|guess| parts.iter().any(|part| stem(part) == stem(guess)))
    };
    let named: Vec<_> = found.iter().filter(|(guess, _)| is_named(guess)).cloned().collect();
    let chosen = if named.is_empty() { found } else { named };
    // Files of one text are one; of several that nothing tells apart, the likeliest name counts.
    let mut files: Vec<LicenseFile> = Vec::new();
    for (guess, file) in chosen {
        let is_same = |other: &LicenseFile| other.digest == file.digest;
        if !files.iter().any(is_same) && (files.is_empty() || is_named(&guess)) {
            files.push(file);
        }
    }
    if files.is_empty() {
        files.extend(headers.iter().find_map(|header| above_code(tree, header)));
    }
    Ok(files)
}

/// Files that hold a licence by their names, the likeliest first: of the top folder, and of where a
/// wheel keeps them.
fn names(tree: &Path) -> Result<Vec<String>> {
    let mut folders = vec![String::new()];
    for item in fs::read_dir(tree)? {
        let name = item?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".dist-info") {
            folders.push(format!("{name}/licenses/"));
            folders.push(format!("{name}/"));
        }
    }
    let mut found = Vec::new();
    for folder in folders {
        for item in fs::read_dir(tree.join(&folder)).into_iter().flatten() {
            let name = item?.file_name().to_string_lossy().into_owned();
            let lower = name.to_lowercase();
            let rank = NAMES.iter().position(|start| lower.starts_with(start));
            let is_code = [".c", ".h", ".py", ".pl"].iter().any(|ending| lower.ends_with(ending));
            let path = format!("{folder}{name}");
            if let Some(rank) = rank.filter(|_| !is_code && tree.join(&path).is_file()) {
                found.push((rank, path));
            }
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, name)| name).collect())
}

/// The comment above the code of a file, if it speaks of a licence: without the marks around it.
fn above_code(tree: &Path, path: &str) -> Option<LicenseFile> {
    let paths = vec![path.to_owned()];
    let text = license::read(tree, &paths, None).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let start = text.lines().position(|line| line.trim_start().starts_with("/*"))?;
    let end = start + text.lines().skip(start).position(|line| line.contains("*/"))?;
    let comment: Vec<&str> = text.lines().skip(start).take(end + 1 - start).collect();
    let said = comment.join(" ").to_lowercase();
    if !WORDS.iter().any(|word| said.contains(word)) {
        return None;
    }
    let lines = Some((start + 1, end + 1));
    let digest = Digest::sha256_of(&license::read(tree, &paths, lines).ok()?);
    Some(LicenseFile { paths, lines, digest })
}

/// `license-file` as a recipe has it.
pub fn written(files: &[LicenseFile]) -> String {
    let one = |file: &LicenseFile| {
        let paths: Vec<String> = file.paths.iter().map(|path| super::edit::quoted(path)).collect();
        let path = match &paths[..] {
            [only] => only.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let lines = file.lines.map(|(first, last)| format!("lines = \"{first}-{last}\", "));
        let lines = lines.unwrap_or_default();
        format!("{{ path = {path}, {lines}sha256 = \"{}\" }}", file.digest.hex())
    };
    match files {
        [only] => one(only),
        several => {
            let lines: String =
                several.iter().map(|file| format!("    {},\n", one(file))).collect();
            format!("[\n{lines}]")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::guess;

    #[test]
    fn common_texts_are_known() {
        for (text, id) in [
            ("Permission is hereby granted, free\n * of charge, to any person", "MIT"),
            ("Altered source versions must be plainly marked as such", "Zlib"),
            ("GNU GENERAL PUBLIC LICENSE\n   Version 2, June 1991", "GPL-2.0-or-later"),
            (
                "Redistribution and use in source and binary forms\nendorse or promote products",
                "BSD-3-Clause",
            ),
            ("** May you do good and not evil.", "blessing"),
        ] {
            assert_eq!(guess(text.as_bytes()), Some(id), "{text}");
        }
        assert_eq!(guess(b"All rights reserved"), None);
    }
}
