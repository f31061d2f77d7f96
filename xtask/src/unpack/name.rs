//! Names of entries and targets of links: vetted once, here. Never cleans a name up.

use anyhow::{Result, bail};

use super::limits::Limits;

/// The most characters of a name that an error shows.
const SHOWN_CHARS: usize = 100;

/// A vetted path: relative, no part empty, `.` or `..`. Empty for the archive's own top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EntryName {
    /// The parts with `/` between.
    pub(super) path: String,
    /// Whether it was written with a slash at the end, as folders may be.
    pub(super) is_folder_like: bool,
}

impl EntryName {
    /// Vets a name as it stands in an archive. `./` may begin it, as tar writes it for `tar c .`.
    pub(super) fn vet(bytes: &[u8], limits: &Limits) -> Result<Self> {
        let text = vet_text(bytes, limits)?;
        if text.starts_with('/') {
            bail!("its name is absolute");
        }
        let is_folder_like = text.ends_with('/') || text == ".";
        let text = text.strip_suffix('/').unwrap_or(text);
        let path = text.strip_prefix("./").unwrap_or(text);
        if path == "." {
            return Ok(Self { path: String::new(), is_folder_like });
        }
        for (depth, part) in path.split('/').enumerate() {
            match part {
                "" => bail!("its name has an empty part"),
                "." => bail!("its name has a part `.`"),
                ".." => bail!("its name has a part `..`"),
                _ if part.len() > limits.component_bytes => {
                    bail!("a part of its name is longer than {} bytes", limits.component_bytes)
                }
                _ if depth >= limits.depth => {
                    bail!("its name is deeper than {} folders", limits.depth)
                }
                _ => {}
            }
        }
        Ok(Self { path: path.to_owned(), is_folder_like })
    }
}

/// Vets the target of a symbolic link as text; where it leads is judged when all entries are known.
pub(super) fn vet_target(bytes: &[u8], limits: &Limits) -> Result<String> {
    let text = vet_text(bytes, limits)?;
    if text.starts_with('/') {
        bail!("a link to an absolute path, {}", shown(bytes));
    }
    Ok(text.to_owned())
}

fn vet_text<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str> {
    if bytes.is_empty() {
        bail!("a name is empty");
    }
    if bytes.len() > limits.name_bytes {
        bail!("a name is longer than {} bytes", limits.name_bytes);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { bail!("a name is not UTF-8") };
    if text.contains('\0') {
        bail!("a name has a NUL byte");
    }
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        bail!("a name has a control character, {c:?}");
    }
    Ok(text)
}

/// A name for an error: escaped, and no longer than a line.
pub(super) fn shown(bytes: &[u8]) -> String {
    let lossy = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * SHOWN_CHARS)]);
    let mut text: String = lossy.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
    if lossy.chars().nth(SHOWN_CHARS).is_some() {
        text.push('…');
    }
    format!("`{text}`")
}

/// What a crate says about an archive, which may quote it: without its control characters.
pub(super) fn told(error: impl std::fmt::Display) -> anyhow::Error {
    let text = error.to_string();
    anyhow::Error::msg(text.replace(char::is_control, "?"))
}
