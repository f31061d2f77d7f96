//! Hashes of bytes: parsing, printing and computing them. Never decides what to do about a mismatch.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha512};

/// The hash that some bytes must have. Records of upstream projects use either kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// 32 bytes, 64 lower-case hexadecimal digits.
    Sha256([u8; 32]),
    /// 64 bytes, 128 lower-case hexadecimal digits.
    Sha512([u8; 64]),
}

impl Digest {
    /// The SHA-256 of bytes in memory.
    pub fn sha256_of(bytes: &[u8]) -> Self {
        Self::Sha256(Sha256::digest(bytes).into())
    }

    /// The field that holds it in a recipe: `sha256` or `sha512`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Sha512(_) => "sha512",
        }
    }

    /// Lower-case hexadecimal digits, without the kind.
    pub fn hex(&self) -> String {
        let bytes: &[u8] = match self {
            Self::Sha256(bytes) => bytes,
            Self::Sha512(bytes) => bytes,
        };
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The SHA-256 of all that comes from a reader.
    pub fn sha256_of_all(mut reader: impl Read) -> io::Result<Self> {
        let mut hasher = Hasher::sha256();
        io::copy(&mut reader, &mut hasher)?;
        Ok(hasher.finish())
    }

    /// Hashes a stream to its end with the kind of this digest.
    pub fn of_same_kind(&self, reader: impl Read) -> io::Result<Self> {
        let mut hasher = Hasher::like(self);
        let mut reader = reader;
        io::copy(&mut reader, &mut hasher)?;
        Ok(hasher.finish())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a text is no digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// It has the wrong number of digits: (expected, found).
    Length(usize, usize),
    /// It has upper-case digits.
    Case,
    /// It has a character that is no hexadecimal digit.
    Character(char),
    /// The kind before the colon is not known.
    Kind(String),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(expected, found) => {
                write!(f, "expected {expected} hexadecimal digits, found {found}")
            }
            Self::Case => f.write_str("hexadecimal digits must be lower-case"),
            Self::Character(c) => write!(f, "{c:?} is not a hexadecimal digit"),
            Self::Kind(kind) => write!(f, "unknown kind of digest `{kind}`"),
        }
    }
}

impl std::error::Error for ParseError {}

/// Parses the digits of a digest whose kind is known from the field's name (`sha256`, `sha512`).
pub fn parse_hex(kind: &str, text: &str) -> Result<Digest, ParseError> {
    let mut bytes = [0; 64];
    let length = match kind {
        "sha256" => 32,
        "sha512" => 64,
        other => return Err(ParseError::Kind(other.to_owned())),
    };
    if let Some(bad) = text.chars().find(|c| !c.is_ascii_hexdigit()) {
        return Err(ParseError::Character(bad));
    }
    if text.len() != 2 * length {
        return Err(ParseError::Length(2 * length, text.len()));
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(ParseError::Case);
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(pair).unwrap_or_default();
        *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
    }
    let mut short = [0; 32];
    short.copy_from_slice(&bytes[..32]);
    Ok(if length == 32 { Digest::Sha256(short) } else { Digest::Sha512(bytes) })
}

impl FromStr for Digest {
    type Err = ParseError;

    /// Parses `sha256:…` or `sha512:…`, the form that [`fmt::Display`] prints.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (kind, hex) = text.split_once(':').unwrap_or(("sha256", text));
        parse_hex(kind, hex)
    }
}

/// Hashes what is written to it.
#[derive(Clone)]
pub enum Hasher {
    /// Makes a [`Digest::Sha256`].
    Sha256(Sha256),
    /// Makes a [`Digest::Sha512`].
    Sha512(Sha512),
}

impl Hasher {
    /// A hasher for SHA-256.
    pub fn sha256() -> Self {
        Self::Sha256(Sha256::new())
    }

    /// A hasher of the same kind as a digest.
    pub fn like(digest: &Digest) -> Self {
        match digest {
            Digest::Sha256(_) => Self::Sha256(Sha256::new()),
            Digest::Sha512(_) => Self::Sha512(Sha512::new()),
        }
    }

    /// The digest of all that was written.
    pub fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::Sha256(hasher.finalize().into()),
            Self::Sha512(hasher) => Digest::Sha512(hasher.finalize().into()),
        }
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn empty_input_has_the_published_digest() {
        assert_eq!(Digest::sha256_of(b"").hex(), EMPTY);
        assert_eq!(format!("sha256:{EMPTY}").parse(), Ok(Digest::sha256_of(b"")));
        let sha512 = Hasher::Sha512(Sha512::new()).finish();
        assert_eq!(sha512.to_string().parse(), Ok(sha512));
        assert!(sha512.hex().starts_with("cf83e1357eefb8bd"));
    }

    #[test]
    fn each_mistake_has_its_own_error() {
        assert_eq!(parse_hex("sha256", &EMPTY[1..]), Err(ParseError::Length(64, 63)));
        assert_eq!(parse_hex("sha256", &EMPTY.to_uppercase()), Err(ParseError::Case));
        assert_eq!(parse_hex("sha256", &EMPTY.replace('e', "g")), Err(ParseError::Character('g')));
        assert_eq!(parse_hex("md5", EMPTY), Err(ParseError::Kind("md5".into())));
    }
}
