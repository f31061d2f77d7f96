//! What the `tar` crate lets pass in a header: bytes behind a NUL, numbers that wrap around or are
//! none, kinds that have no place in a source tree. Never judges a name: see `name`.

use anyhow::{Context as _, Result, bail};
use tar::{EntryType, Header};

use super::shown;

/// Vets the fields that matter; owners and times do not, as nothing here keeps them.
pub(super) fn header(header: &Header) -> Result<()> {
    let old = header.as_old();
    text(&old.name).context("its name")?;
    text(&old.linkname).context("its link")?;
    match header.as_ustar() {
        Some(ustar) => text(&ustar.prefix).context("the prefix of its name")?,
        None if header.as_bytes()[257..].starts_with(b"ustar\0") => bail!("its version is unknown"),
        None => {}
    }
    number(&old.size).context("its size")?;
    number(&old.mode).context("its mode")
}

/// What an entry is: a regular file, a link of either kind or a folder.
pub(super) fn kind(header: &Header) -> Result<EntryType> {
    let name = header.path_bytes();
    Ok(match header.entry_type() {
        // Before POSIX a folder was a file with a slash.
        EntryType::Regular if header.as_bytes()[156] == 0 && name.ends_with(b"/") => {
            EntryType::Directory
        }
        EntryType::Continuous => EntryType::Regular,
        kind @ (EntryType::Regular | EntryType::Link | EntryType::Symlink) => kind,
        EntryType::Directory => EntryType::Directory,
        EntryType::Char | EntryType::Block => bail!("{} is a device", shown(&name)),
        EntryType::Fifo => bail!("{} is a FIFO", shown(&name)),
        EntryType::GNUSparse => bail!("{} is a sparse file", shown(&name)),
        other => {
            bail!("{} is of an unknown type, {:?}", shown(&name), char::from(other.as_byte()))
        }
    })
}

/// Text up to the first NUL, after which there must be nothing.
fn text(field: &[u8]) -> Result<()> {
    let mut rest = field.iter().skip_while(|&&byte| byte != 0);
    if rest.any(|&byte| byte != 0) {
        bail!("has bytes after its NUL");
    }
    Ok(())
}

/// Octal digits between spaces and NULs, or GNU's base 256, of which the crate takes 64 bits.
fn number(field: &[u8]) -> Result<()> {
    if field[0] & 0x80 != 0 {
        if field[0] & 0x40 != 0 {
            bail!("is negative");
        }
        let low_at = field.len().saturating_sub(8).max(1);
        if field[0] != 0x80 || field[1..low_at].iter().any(|&byte| byte != 0) {
            bail!("is too large for 64 bits");
        }
        return Ok(());
    }
    let is_filler = |byte: &u8| matches!(byte, b' ' | 0);
    let digits = field.trim_ascii_start();
    let length = digits.iter().position(is_filler).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(length);
    if !digits.iter().all(|byte| matches!(byte, b'0'..=b'7')) || !rest.iter().all(is_filler) {
        bail!("is no octal number");
    }
    Ok(())
}
