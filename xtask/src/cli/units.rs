//! Sizes and ages as people write them on the command line: `2GiB`, `30d`.

use std::str::FromStr;
use std::time::Duration;

/// Units of sizes, the longer names first.
const SIZES: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// Units of ages.
const AGES: [(&str, u64); 5] =
    [("s", 1), ("min", 60), ("h", 60 * 60), ("d", 24 * 60 * 60), ("w", 7 * 24 * 60 * 60)];

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(pub Duration);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text, &SIZES, "a size is a number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB")
            .map(Self)
    }
}

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = parse(text, &AGES, "an age is a number and s, min, h, d or w")?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

fn parse(text: &str, units: &[(&str, u64)], rule: &str) -> Result<u64, String> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (&text[..at], text[at..].trim_start());
    let factor = units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let product =
        number.parse::<u64>().ok().zip(factor).and_then(|(n, factor)| n.checked_mul(factor));
    product.ok_or_else(|| rule.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_are_read_and_nothing_is_guessed() {
        assert_eq!("2GiB".parse(), Ok(Size(2 << 30)));
        assert_eq!("1500 MB".parse(), Ok(Size(1_500_000_000)));
        assert_eq!("0B".parse(), Ok(Size(0)));
        assert_eq!("30d".parse(), Ok(Age(Duration::from_secs(30 * 86_400))));
        for wrong in ["", "2", "2G", "GiB", "-1B", "1.5GB", "99999999999TB", "2 d d"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
        for wrong in ["30", "30m", "d", "1y"] {
            assert!(wrong.parse::<Age>().is_err(), "{wrong}");
        }
    }
}
