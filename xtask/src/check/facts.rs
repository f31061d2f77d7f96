//! What is told of a program without a judgement: who made it, whose `malloc` it has.

use serde::Serialize;

use super::elf::Image;
use super::inside::{self, Program};

/// Behind this many makers come no more that anyone wants to read.
const MAKERS_MAX: usize = 8;

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Its stable name.
    pub name: &'static str,
    /// What is known.
    pub value: String,
}

/// All facts of a program, always in the same order.
pub fn of(data: &[u8], image: &Image) -> Vec<Fact> {
    let program = Program { data, image };
    let mut facts = vec![
        Fact { name: "malloc", value: inside::malloc(program) },
        Fact { name: "symbols", value: symbols(image) },
    ];
    if let Some(value) = inside::openssl(data) {
        facts.push(Fact { name: "openssl", value });
    }
    let makers = makers(data, image);
    if !makers.is_empty() {
        facts.push(Fact { name: "made by", value: makers.join(", ") });
    }
    facts
}

fn symbols(image: &Image) -> String {
    let has_debug = image.sections.iter().any(|section| section.name == ".debug_info");
    let symbols = match &image.symbols {
        None => "stripped".to_owned(),
        Some(names) => format!("{} names", names.len()),
    };
    if has_debug { format!("{symbols}, debug information") } else { symbols }
}

/// Compilers and linkers, by the section in which they say that they were there.
fn makers(data: &[u8], image: &Image) -> Vec<String> {
    let Some(section) = image.sections.iter().find(|section| section.name == ".comment") else {
        return Vec::new();
    };
    let bytes = usize::try_from(section.offset).ok().and_then(|begin| {
        data.get(begin..begin.checked_add(usize::try_from(section.size_bytes).ok()?)?)
    });
    let mut makers = Vec::new();
    for text in bytes.unwrap_or_default().split(|byte| *byte == 0) {
        let text = String::from_utf8_lossy(text);
        let maker = maker(&text);
        if !maker.is_empty() && !makers.contains(&maker) && makers.len() < MAKERS_MAX {
            makers.push(maker);
        }
    }
    makers
}

/// `LLD 22.1.2` of `Linker: LLD 22.1.2 (…)`, `GCC 9.4.0` of `GCC: (GNU) 9.4.0`.
fn maker(text: &str) -> String {
    let text = text.trim();
    if let Some((_, version)) = text.strip_prefix("GCC: (").and_then(|text| text.split_once(") ")) {
        return format!("GCC {version}");
    }
    let text = text.strip_prefix("Linker: ").unwrap_or(text).replace(" version ", " ");
    let text = text.split(" (").next().unwrap_or_default();
    // Some files of assembly name themselves there.
    if text.contains(".S,") { String::new() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers_are_named_shortly() {
        for (text, expected) in [
            ("GCC: (Debian 12.2.0-14) 12.2.0", "GCC 12.2.0"),
            ("Linker: LLD 22.1.2 (/checkout/src 1cb4e38)", "LLD 22.1.2"),
            ("rustc version 1.95.0 (59807616e 2026-04-14)", "rustc 1.95.0"),
            ("clang version 22.1.8", "clang 22.1.8"),
            ("aes-s390x.S, 1.1", ""),
            ("", ""),
        ] {
            assert_eq!(maker(text), expected);
        }
    }
}
