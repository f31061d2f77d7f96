//! A guess at what some bytes are that should have been an archive. Looks at bytes only.

/// How much of a file's beginning a guess needs.
pub(super) const HEAD_BYTES: usize = 1024;

/// Beginnings that tell a format, with the endings of the names that promise it.
const FORMATS: &[(&[u8], &str, &[&str])] = &[
    (b"\x1f\x8b", "gzip", &[".gz", ".tgz", ".crate"]),
    (b"\xfd7zXZ\0", "xz", &[".xz", ".txz"]),
    (b"BZh", "bzip2", &[".bz2", ".tbz2", ".tbz"]),
    (b"\x28\xb5\x2f\xfd", "zstd", &[".zst", ".tzst"]),
    (b"LZIP", "lzip", &[".lz"]),
    (b"PK\x03\x04", "zip", &[".zip", ".whl"]),
    (b"!<arch>\n", "ar (a Debian package or a static library)", &[".deb", ".a"]),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip", &[".7z"]),
    (b"\x7fELF", "ELF (a program)", &[]),
    (b"-----BEGIN PGP", "PGP (a signature or key)", &[".asc", ".sig"]),
    (b"%PDF", "PDF", &[]),
];

/// What the bytes are in all likelihood, as half a sentence.
/// `head` is the beginning, `size` all of it, `name` what the file should be called.
pub(super) fn guess(head: &[u8], size: u64, name: &str) -> String {
    if size == 0 {
        return "it is empty".to_owned();
    }
    if let Some(text) = guess_text(head) {
        return text;
    }
    let found = FORMATS.iter().find(|(magic, ..)| head.starts_with(magic));
    let promised =
        FORMATS.iter().find(|(.., endings)| endings.iter().any(|ending| name.ends_with(ending)));
    match (found, promised) {
        (Some((_, is, _)), Some((_, should, _))) if is == should => format!(
            "it is {is} as it should be, but not the pinned bytes: cut off, damaged, \
             or made anew upstream (archives that a server generates do change)"
        ),
        (Some((_, is, _)), Some((_, should, _))) => {
            format!("it is {is}, not {should}: perhaps the same files, packed in another way")
        }
        (Some((_, is, _)), None) => format!("it is {is}"),
        (None, _) if is_tar(head) => {
            "it is an uncompressed tar: something on the way unpacked it".to_owned()
        }
        (None, _) if head.iter().all(|byte| *byte == 0) => {
            "it begins with zeros only: a disk or a cache lost the bytes".to_owned()
        }
        (None, _) => "it is nothing that is known here".to_owned(),
    }
}

fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

fn guess_text(head: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The head may end inside a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let lower = text.to_ascii_lowercase();
    let is_text = !text.is_empty() && !text.contains('\0');
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        let title = title(text).map(|title| format!(" titled `{title}`")).unwrap_or_default();
        return Some(format!(
            "it is a web page{title}: a proxy or mirror served a login or error page"
        ));
    }
    if text.starts_with("version https://git-lfs.") {
        return Some("it is a git-lfs pointer, not the file that it stands for".to_owned());
    }
    let first = text.lines().next().unwrap_or_default();
    let first: String = first.chars().filter(|c| !c.is_control()).take(60).collect();
    if text.starts_with("<?xml") || text.starts_with("<Error") {
        return Some("it is an XML document: most likely a file server's error message".to_owned());
    }
    if text.starts_with('{') || text.starts_with('[') {
        return Some(format!("it is JSON, most likely an error message: `{first}`"));
    }
    is_text.then(|| format!("it is text that begins with `{first}`"))
}

/// The title of a web page, if it is in the head and short enough to show.
fn title(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let begin = lower.find("<title>")? + "<title>".len();
    let length = lower[begin..].find("</title>")?;
    let title: String =
        text[begin..begin + length].split_whitespace().collect::<Vec<_>>().join(" ");
    let clean: String = title.chars().filter(|c| !c.is_control()).take(60).collect();
    (!clean.is_empty()).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(head: &[u8], name: &str, words: &str) {
        let text = guess(head, head.len() as u64, name);
        assert!(text.contains(words), "{text}");
    }

    #[test]
    fn what_proxies_and_mirrors_serve_is_recognised() {
        is(b"", "x.tar.gz", "empty");
        is(b"\n<!DOCTYPE HTML><head><TITLE>Please\n log in</TITLE>", "x", "titled `Please log in`");
        is("\u{feff}<html>".as_bytes(), "x.gz", "web page:");
        is(b"{\"error\": \"denied\"}", "x.gz", "JSON");
        is(b"<?xml version=\"1.0\"?><Error>", "x.gz", "XML");
        is(b"version https://git-lfs.github.com/spec/v1\noid", "x.gz", "git-lfs");
        is(b"Access denied\nby rule 7", "x.gz", "begins with `Access denied`");
    }

    #[test]
    fn other_packings_and_damage_are_told_apart() {
        is(b"\xfd7zXZ\0\0", "x.tar.gz", "it is xz, not gzip");
        is(b"\x1f\x8b\x08", "x.crate", "it is gzip as it should be");
        is(b"\x1f\x8b\x08", "x", "it is gzip");
        is(b"\0\0\0\0", "x.zip", "zeros");
        is(b"\x01\x02\xff", "x.zip", "nothing that is known");
        let mut tar = vec![b'a'; 100];
        tar.resize(257, 0);
        tar.extend_from_slice(b"ustar\x0000");
        tar.resize(512, 0xff);
        is(&tar, "x.tar.gz", "uncompressed tar");
    }
}
