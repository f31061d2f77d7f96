//! The `paths` check: texts of the machine that built a program and that must not be in its bytes.
//!
//! It finds what leaked and where; it never decides how to prevent it, and does not look into
//! compressed debug sections.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use memchr::memmem;

use super::Outcome;
use super::elf::Section;
use crate::process::env_var;

/// Shown around a finding, on each side.
const CONTEXT_BYTES: usize = 48;
/// A shorter host name is in any program by chance.
const HOST_NAME_MIN_BYTES: usize = 4;
/// Names that many machines have and many programs say.
const GENERIC_NAMES: &[&str] = &[
    "(none)",
    "alpine",
    "archlinux",
    "buildkitsandbox",
    "builder",
    "centos",
    "codespaces",
    "container",
    "debian",
    "default",
    "desktop",
    "docker",
    "fedora",
    "home",
    "host",
    "hostname",
    "laptop",
    "linux",
    "localdomain",
    "localhost",
    "machine",
    "main",
    "master",
    "nixos",
    "node",
    "penguin",
    "raspberrypi",
    "root",
    "runner",
    "sandbox",
    "server",
    "test",
    "ubuntu",
    "unknown",
    "user",
    "vagrant",
    "worker",
    "build",
];

/// A text that must not be in a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forbidden {
    /// What it is, in words: `the home folder`, `the store`, `the host's name`.
    pub what: &'static str,
    /// The text.
    pub text: OsString,
    /// How it is recognised.
    pub kind: ForbiddenKind,
}

/// How a forbidden text is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForbiddenKind {
    /// A path, and all below it; a path of one part (`/root`) only with something below it.
    Path,
    /// A whole word.
    Word,
}

impl Forbidden {
    /// A path.
    pub fn path(what: &'static str, path: impl Into<OsString>) -> Self {
        Self { what, text: path.into(), kind: ForbiddenKind::Path }
    }

    /// A word.
    pub fn word(what: &'static str, word: impl Into<OsString>) -> Self {
        Self { what, text: word.into(), kind: ForbiddenKind::Word }
    }

    /// The text to look for, or why there is none.
    fn needle(&self) -> Result<&[u8], String> {
        let text = self.text.as_bytes();
        match self.kind {
            ForbiddenKind::Path => match without_last_slashes(text) {
                text @ [b'/', _, _, ..] => Ok(text),
                _ => Err(format!("{} is not specific enough to look for", self.what)),
            },
            ForbiddenKind::Word => {
                let lower = text.to_ascii_lowercase();
                if GENERIC_NAMES.iter().any(|name| name.as_bytes() == lower) {
                    Err(format!("{} is a name that many machines have", self.what))
                } else if text.len() < HOST_NAME_MIN_BYTES {
                    Err(format!("{} is too short to look for", self.what))
                } else {
                    Ok(text)
                }
            }
        }
    }

    /// Whether the needle found at `begin..end` stands for itself, not inside another name.
    fn is_hit(&self, data: &[u8], begin: usize, end: usize) -> bool {
        let before = begin.checked_sub(1).map(|index| data[index]);
        let after = data.get(end).copied();
        match self.kind {
            // What comes before says nothing: compilers store texts one after another without a gap.
            ForbiddenKind::Path if after == Some(b'/') => !is_in_proc(&data[..begin]),
            ForbiddenKind::Path => {
                let parts = data[begin..end].iter().filter(|byte| **byte == b'/').count();
                parts > 1 && !after.is_some_and(is_name_byte)
            }
            ForbiddenKind::Word => {
                let is_word = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric());
                !is_word(before) && !is_word(after)
            }
        }
    }
}

fn without_last_slashes(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    &text[..end]
}

/// `/proc/self/root/…` is no home folder of root.
fn is_in_proc(before: &[u8]) -> bool {
    let tail = &before[before.len().saturating_sub(24)..];
    tail.windows(6).any(|window| window == b"/proc/")
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'@' | 0x80..)
}

/// What this machine must not leave in a program: the home folder, cargo's and rustup's where they
/// are elsewhere, the host's name, and what the caller adds (the store, the workspace, the target
/// folder).
pub fn forbidden_of_this_machine(extra: &[(&'static str, PathBuf)]) -> Vec<Forbidden> {
    let mut all: Vec<_> =
        extra.iter().map(|(what, path)| Forbidden::path(what, path.clone())).collect();
    for (what, variable) in [
        ("the home folder", "HOME"),
        ("cargo's home", "CARGO_HOME"),
        ("rustup's home", "RUSTUP_HOME"),
    ] {
        all.extend(env_var(variable).map(|path| Forbidden::path(what, path)));
    }
    let name = rustix::system::uname().nodename().to_bytes().to_vec();
    let short = name.split(|byte| *byte == b'.').next().unwrap_or_default().to_vec();
    if short != name {
        all.push(Forbidden::word("the host's short name", OsString::from_vec(short)));
    }
    all.push(Forbidden::word("the host's name", OsString::from_vec(name)));
    all
}

/// Looks for every forbidden text.
pub fn check(data: &[u8], sections: &[Section], forbidden: &[Forbidden]) -> Outcome {
    // Longest first, so that a path in the store is not also reported as one in the home folder.
    let mut wanted: Vec<_> = forbidden.iter().collect();
    wanted.sort_by_key(|item| std::cmp::Reverse(item.text.len()));
    let (mut findings, mut unusable, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for item in &wanted {
        let needle = match item.needle() {
            Ok(needle) => needle,
            Err(reason) => {
                unusable.push(reason);
                continue;
            }
        };
        let hits: Vec<usize> = memmem::find_iter(data, needle)
            .filter(|begin| item.is_hit(data, *begin, begin + needle.len()))
            .filter(|begin| seen.insert(*begin))
            .collect();
        if let Some(first) = hits.first() {
            findings.push(finding(item, data, sections, *first, hits.len()));
        }
    }
    let looked_for = wanted.len() - unusable.len();
    let but =
        if unusable.is_empty() { String::new() } else { format!(" ({})", unusable.join("; ")) };
    if !findings.is_empty() {
        Outcome::Failed(findings.join("\n"))
    } else if looked_for == 0 {
        Outcome::Skipped(format!("nothing to look for{but}"))
    } else {
        Outcome::Passed(format!("none of {looked_for} texts found{but}"))
    }
}

fn finding(
    item: &Forbidden,
    data: &[u8],
    sections: &[Section],
    first: usize,
    count: usize,
) -> String {
    let times = match count {
        1 => "once".to_owned(),
        more => format!("{more} times, first"),
    };
    let offset = first as u64;
    let holds = |section: &&Section| {
        offset.checked_sub(section.offset).is_some_and(|inside| inside < section.size_bytes)
    };
    let section = match sections.iter().find(holds) {
        Some(section) => format!(" in {}", section.name),
        None => String::new(),
    };
    let what = item.what;
    let text = item.text.display();
    let around = context(data, first);
    format!("{what} ({text}) is in the bytes {times} at offset {first:#x}{section}: \"{around}\"")
}

/// The printable text around an offset.
fn context(data: &[u8], offset: usize) -> String {
    let is_printable = |byte: &u8| matches!(byte, b' '..=b'~');
    let before = data[..offset].iter().rev().take(CONTEXT_BYTES).take_while(|b| is_printable(b));
    let begin = offset - before.count();
    let after = data[offset..].iter().take(2 * CONTEXT_BYTES).take_while(|b| is_printable(b));
    String::from_utf8_lossy(&data[begin..offset + after.count()]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(item: &Forbidden, data: &[u8]) -> bool {
        matches!(check(data, &[], std::slice::from_ref(item)), Outcome::Failed(_))
    }

    #[test]
    fn a_path_is_found_whatever_stands_before_it() {
        let home = Forbidden::path("the home folder", "/home/ann/");
        for text in ["/home/ann/x", "/home/ann", "abc/home/ann/x", "/home/ann\0", "/home/ann:/b"] {
            assert!(hits(&home, text.as_bytes()), "{text}");
        }
        for text in ["/home/anna/x", "/home/ann.old", "/home/an", "home/ann/x"] {
            assert!(!hits(&home, text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_path_of_one_part_counts_only_with_something_below() {
        let root = Forbidden::path("the home folder", "/root");
        assert!(
            hits(&root, b"x/root/.cargo") && !hits(&root, b"/root") && !hits(&root, b"/rooted/")
        );
        assert!(!hits(&root, b"/proc/self/root/etc"));
        for text in ["/", "", "/x", "relative"] {
            let item = Forbidden::path("the home folder", text);
            assert!(item.needle().is_err(), "{text}");
        }
    }

    #[test]
    fn a_host_name_is_a_whole_word_and_not_a_generic_one() {
        let name = Forbidden::word("the host's name", "apollo7");
        assert!(
            hits(&name, b"ann@apollo7.") && !hits(&name, b"apollo77") && !hits(&name, b"xapollo7")
        );
        for text in ["ubuntu", "LocalHost", "abc", ""] {
            let outcome = check(b"abc ubuntu", &[], &[Forbidden::word("the host's name", text)]);
            assert!(matches!(outcome, Outcome::Skipped(_)), "{text}");
        }
    }

    #[test]
    fn a_finding_says_how_often_where_and_in_what() {
        let sections = [Section { name: ".rodata".into(), offset: 2, size_bytes: 60 }];
        let forbidden =
            [Forbidden::path("home", "/home/ann"), Forbidden::path("the store", "/home/ann/store")];
        let data = b"\0\0see /home/ann/store/a.c!\0/home/ann/store/b\0";
        let outcome = check(data, &sections, &forbidden);
        let expected = "the store (/home/ann/store) is in the bytes 2 times, first at offset 0x6 in .rodata: \"see /home/ann/store/a.c!\"";
        assert_eq!(outcome, Outcome::Failed(expected.to_owned()));
    }
}
