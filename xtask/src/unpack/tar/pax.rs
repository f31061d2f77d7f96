//! Pax extension headers: `<length> <key>=<value>\n`, again and again. Takes the three keys that
//! change what an entry is, refuses sparse files, ignores the rest (owners, times, attributes).

use anyhow::{Context as _, Result, bail};

/// What an extension says about an entry.
#[derive(Debug, Default)]
pub(super) struct Extension {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
}

impl Extension {
    pub(super) fn parse(mut data: &[u8]) -> Result<Self> {
        let mut extension = Self::default();
        while !data.is_empty() {
            let (record, rest) = split_record(data)?;
            let at =
                record.iter().position(|&byte| byte == b'=').context("a record without `=`")?;
            let (key, value) = (&record[..at], &record[at + 1..]);
            match key {
                b"path" => set(&mut extension.path, value.to_vec(), value)?,
                b"linkpath" => set(&mut extension.link, value.to_vec(), value)?,
                b"size" => set(&mut extension.size, parse_size(value)?, value)?,
                _ if key.starts_with(b"GNU.sparse.") => bail!("a sparse file"),
                b"" => bail!("a record without a key"),
                _ => {}
            }
            data = rest;
        }
        Ok(extension)
    }

    /// Whether it changes nothing that matters here.
    pub(super) fn is_plain(&self) -> bool {
        self.path.is_none() && self.link.is_none() && self.size.is_none()
    }
}

fn set<T>(place: &mut Option<T>, value: T, text: &[u8]) -> Result<()> {
    if text.is_empty() {
        bail!("a record without a value");
    }
    // POSIX lets the last one win, but not every reader does.
    if place.replace(value).is_some() {
        bail!("the same record twice");
    }
    Ok(())
}

/// Splits the first record off and checks that it is as long as it says.
fn split_record(data: &[u8]) -> Result<(&[u8], &[u8])> {
    let digits = data.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let length = parse_size(&data[..digits]).context("the length of a record")?;
    let length = usize::try_from(length)?;
    // At least a space, a `=` and a line end.
    if length < digits + 3 || length > data.len() {
        bail!("a record with a wrong length");
    }
    let (record, rest) = data.split_at(length);
    match &record[digits..] {
        [b' ', text @ .., b'\n'] => Ok((text, rest)),
        _ => bail!("a record with a wrong length"),
    }
}

fn parse_size(digits: &[u8]) -> Result<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        bail!("a size that is no number");
    }
    let text = std::str::from_utf8(digits)?;
    text.parse().ok().context("a size too large for 64 bits")
}
