//! One tar header of 512 bytes: fields of fixed width, parsed strictly. Never reads an owner or a
//! time: nothing here keeps them.

use anyhow::{Context as _, Result, bail};

use super::Block;

/// What a header announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    File,
    HardLink,
    Link,
    Folder,
    Pax,
    Global,
    LongName,
    LongLink,
}

/// The fields that matter.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) kind: Type,
    pub(super) size: u64,
    pub(super) is_executable: bool,
}

impl Header {
    pub(super) fn parse(block: &Block) -> Result<Self> {
        if !has_valid_checksum(block) {
            bail!("its checksum is wrong, or this is no tar");
        }
        let mut name = text(&block[..100]).context("its name")?;
        // Only POSIX headers have a prefix there; GNU's have times.
        if &block[257..263] == b"ustar\0" {
            let prefix = text(&block[345..500]).context("the prefix of its name")?;
            if !prefix.is_empty() {
                name = [prefix.as_slice(), b"/", name.as_slice()].concat();
            }
        }
        let link = text(&block[157..257]).context("its link")?;
        let size = number(&block[124..136]).context("its size")?;
        let mode = number(&block[100..108]).context("its mode")?;
        let kind = Type::of(block[156], &name)?;
        Ok(Self { name, link, kind, size, is_executable: mode & 0o111 != 0 })
    }
}

impl Type {
    fn of(flag: u8, name: &[u8]) -> Result<Self> {
        Ok(match flag {
            // Before POSIX a folder was a file with a slash.
            0 if name.ends_with(b"/") => Self::Folder,
            0 | b'0' | b'7' => Self::File,
            b'1' => Self::HardLink,
            b'2' => Self::Link,
            b'5' => Self::Folder,
            b'x' => Self::Pax,
            b'g' => Self::Global,
            b'L' => Self::LongName,
            b'K' => Self::LongLink,
            b'3' | b'4' => bail!("{} is a device", super::shown(name)),
            b'6' => bail!("{} is a FIFO", super::shown(name)),
            b'S' => bail!("{} is a sparse file", super::shown(name)),
            flag => {
                bail!("{} is of an unknown type, {:?}", super::shown(name), char::from(flag))
            }
        })
    }
}

/// The checksum is the sum of all bytes with its own field taken for spaces. Some old writers
/// summed signed bytes.
pub(super) fn has_valid_checksum(block: &Block) -> bool {
    let Ok(expected) = number(&block[148..156]) else { return false };
    let (mut unsigned, mut signed) = (0_u64, 0_i64);
    for (at, &byte) in block.iter().enumerate() {
        let byte = if (148..156).contains(&at) { b' ' } else { byte };
        unsigned += u64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    expected == unsigned || i64::try_from(expected) == Ok(signed)
}

/// Text up to the first NUL, after which there must be nothing.
fn text(field: &[u8]) -> Result<Vec<u8>> {
    let length = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    if field[length..].iter().any(|&byte| byte != 0) {
        bail!("has bytes after its NUL");
    }
    Ok(field[..length].to_vec())
}

/// Octal digits between spaces and NULs, or GNU's base 256: big-endian with the first bit set.
fn number(field: &[u8]) -> Result<u64> {
    let Some(&first) = field.first() else { return Ok(0) };
    if first & 0x80 != 0 {
        if first & 0x40 != 0 {
            bail!("is negative");
        }
        let mut value = u64::from(first & 0x3f);
        for &byte in &field[1..] {
            value = value
                .checked_mul(256)
                .and_then(|value| value.checked_add(u64::from(byte)))
                .context("is too large for 64 bits")?;
        }
        return Ok(value);
    }
    let mut value = 0_u64;
    let digits = field.iter().skip_while(|&&byte| byte == b' ');
    let mut has_ended = false;
    for &byte in digits {
        match byte {
            b'0'..=b'7' if !has_ended => {
                value = value
                    .checked_mul(8)
                    .and_then(|value| value.checked_add(u64::from(byte - b'0')))
                    .context("is too large for 64 bits")?;
            }
            b' ' | 0 => has_ended = true,
            _ => bail!("is no octal number"),
        }
    }
    Ok(value)
}
