//! Two files that differ → where: archive member, ELF section, offset, symbol, and the text around.
//!
//! Bytes may be anything: what cannot be read as an archive or an ELF file is compared as it is.

use std::fmt::Write as _;

use object::read::archive::ArchiveFile;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind};

/// How many differing bytes are shown.
const SHOWN_BYTES: usize = 16;
/// How much text is shown before and behind the first of them.
const CONTEXT_BYTES: usize = 56;
/// Shorter runs of printable bytes are no text.
const TEXT_MIN_BYTES: usize = 4;

/// A place at which two files differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The archive's member and the ELF section, as far as there are such; may be empty.
    pub inside: String,
    /// Offset of the first differing byte, in the section or in the file.
    pub offset: u64,
    /// The symbol at that place.
    pub symbol: Option<String>,
    /// The bytes from there on, in both.
    pub bytes: [String; 2],
    /// The text around, in both; empty where there is none.
    pub texts: [String; 2],
    /// How little this says to a person: the lowest is shown first.
    rank: u8,
}

impl Finding {
    fn new(inside: String, offset: usize, one: &[u8], two: &[u8]) -> Self {
        let texts = [one, two].map(|data| text_around(data, offset));
        let bytes = [one, two].map(|data| hex(data, offset));
        // A text that tells nothing apart is no help.
        let is_text = texts[0] != texts[1] && texts.iter().any(|text| text.len() >= TEXT_MIN_BYTES);
        let texts = if is_text { texts } else { [String::new(), String::new()] };
        Self { inside, offset: offset as u64, symbol: None, bytes, texts, rank: 2 }
    }

    /// Whether it shows a text that somebody wrote, next to which the rest says nothing.
    pub fn is_telling(&self) -> bool {
        self.rank == 0
    }

    /// For people: a line on where, and the two sides below it.
    pub fn text(&self) -> String {
        let mut text = match self.inside.as_str() {
            "" => format!("at {:#x}", self.offset),
            inside => format!("{inside} at {:#x}", self.offset),
        };
        if let Some(symbol) = &self.symbol {
            let _ = write!(text, ", in `{symbol}`");
        }
        let [one, two] = &self.bytes;
        let _ = write!(text, ": {one} against {two}");
        if !self.texts.iter().all(String::is_empty) {
            let _ =
                write!(text, "\n  first:  \"{}\"\n  second: \"{}\"", self.texts[0], self.texts[1]);
        }
        text
    }
}

/// All places, most telling first: one for each section of each archive member.
pub fn diagnose(one: &[u8], two: &[u8]) -> Vec<Finding> {
    let mut findings = archives(one, two).or_else(|| elves(one, two)).unwrap_or_default();
    if findings.is_empty() {
        findings
            .extend(first_difference(one, two).map(|at| Finding::new(String::new(), at, one, two)));
    }
    findings.sort_by_key(|finding| finding.rank);
    findings
}

/// Offset of the first byte that is not the same, or where the shorter one ends.
fn first_difference(one: &[u8], two: &[u8]) -> Option<usize> {
    let common = one.iter().zip(two).position(|(a, b)| a != b);
    common.or_else(|| (one.len() != two.len()).then(|| one.len().min(two.len())))
}

fn members(data: &[u8]) -> Option<Vec<(String, &[u8])>> {
    let archive = ArchiveFile::parse(data).ok()?;
    let members = archive.members().map(|member| {
        let member = member.ok()?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        Some((name, member.data(data).ok()?))
    });
    members.collect()
}

fn archives(one: &[u8], two: &[u8]) -> Option<Vec<Finding>> {
    let (ones, twos) = (members(one)?, members(two)?);
    let names = |list: &[(String, &[u8])]| list.iter().map(|m| m.0.clone()).collect::<Vec<_>>();
    let (names_of_one, names_of_two) = (names(&ones), names(&twos));
    if let Some(at) = names_of_one.iter().zip(&names_of_two).position(|(a, b)| a != b) {
        let offset = first_difference(one, two)?;
        let mut finding = Finding::new("the order of members".to_owned(), offset, one, two);
        finding.texts = [&names_of_one, &names_of_two].map(|names| names[at].clone());
        finding.rank = 0;
        return Some(vec![finding]);
    }
    if ones.len() != twos.len() {
        let offset = first_difference(one, two)?;
        let inside = format!("{} and {} members", ones.len(), twos.len());
        return Some(vec![Finding::new(inside, offset, one, two)]);
    }
    let mut findings = Vec::new();
    for ((name, a), (_, b)) in ones.into_iter().zip(twos).filter(|((_, a), (_, b))| a != b) {
        for mut finding in diagnose(a, b) {
            finding.inside = match finding.inside.as_str() {
                "" => format!("member {name}"),
                inside => format!("member {name}, {inside}"),
            };
            findings.push(finding);
        }
    }
    if findings.is_empty() {
        let offset = first_difference(one, two)?;
        findings.push(Finding::new("a member's header".to_owned(), offset, one, two));
    }
    Some(findings)
}

fn elves(one: &[u8], two: &[u8]) -> Option<Vec<Finding>> {
    let (first, second) = (object::File::parse(one).ok()?, object::File::parse(two).ok()?);
    let mut others: Vec<_> = second.sections().collect();
    let mut findings = Vec::new();
    for section in first.sections() {
        let name = section.name().unwrap_or("?");
        let Some(at) = others.iter().position(|other| other.name() == Ok(name)) else {
            findings.push(missing(name, "second", &section));
            continue;
        };
        let twin = others.remove(at);
        // A section without bytes, such as `.bss`, has none to compare.
        let (Ok(a), Ok(b)) = (section.data(), twin.data()) else { continue };
        let Some(offset) = first_difference(a, b) else { continue };
        let mut finding = Finding::new(name.to_owned(), offset, a, b);
        finding.symbol = symbol_at(&first, &section, offset as u64);
        finding.rank = rank(section.kind(), &finding);
        findings.push(finding);
    }
    findings
        .extend(others.iter().map(|other| missing(other.name().unwrap_or("?"), "first", other)));
    Some(findings)
}

/// A section that only one of the two has.
fn missing<'d>(name: &str, side: &str, section: &impl object::ObjectSection<'d>) -> Finding {
    let inside = format!("section {name}, which the {side} has not,");
    let mut finding = Finding::new(inside, 0, section.data().unwrap_or_default(), &[]);
    finding.rank = 1;
    finding
}

/// Text that people wrote first, then data and code, then what follows from those.
fn rank(kind: SectionKind, finding: &Finding) -> u8 {
    let has_text = finding.texts.iter().any(|text| !text.is_empty());
    match kind {
        SectionKind::ReadOnlyData | SectionKind::ReadOnlyString | SectionKind::Data if has_text => {
            0
        }
        SectionKind::ReadOnlyData
        | SectionKind::ReadOnlyString
        | SectionKind::ReadOnlyDataWithRel
        | SectionKind::Data => 2,
        SectionKind::Text => 3,
        _ if has_text => 4,
        _ => 5,
    }
}

/// The nearest symbol that begins at or before an offset of a section and does not end before it.
fn symbol_at<'d>(
    file: &object::File<'d>,
    section: &impl object::ObjectSection<'d>,
    offset: u64,
) -> Option<String> {
    let address = section.address().checked_add(offset)?;
    let symbols = file.symbols().filter(|symbol| symbol.section_index() == Some(section.index()));
    let holds = |begin: u64, size: u64| {
        address.checked_sub(begin).is_some_and(|inside| inside < size.max(1))
    };
    let names = symbols.filter(|symbol| holds(symbol.address(), symbol.size()));
    let named = names.filter(|symbol| symbol.name().is_ok_and(|name| !name.is_empty()));
    let nearest = named.max_by_key(|symbol| symbol.address())?;
    nearest.name().ok().map(str::to_owned)
}

fn hex(data: &[u8], offset: usize) -> String {
    let bytes = data.get(offset..).unwrap_or_default();
    let mut words: Vec<_> =
        bytes.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect();
    if bytes.is_empty() {
        words.push("nothing".to_owned());
    } else if bytes.len() > SHOWN_BYTES {
        words.push("…".to_owned());
    }
    words.join(" ")
}

/// The printable text around an offset.
fn text_around(data: &[u8], offset: usize) -> String {
    let is_printable = |byte: &u8| matches!(byte, b' '..=b'~' | 0x80..);
    let offset = offset.min(data.len());
    let before = data[..offset].iter().rev().take(CONTEXT_BYTES).take_while(|b| is_printable(b));
    let begin = offset - before.count();
    let after = data[offset..].iter().take(CONTEXT_BYTES).take_while(|b| is_printable(b));
    let text = String::from_utf8_lossy(&data[begin..offset + after.count()]).into_owned();
    // Bytes of a number above 0x7f are no letters.
    let is_text = !text.contains('\u{fffd}');
    if is_text { text } else { text.trim_matches('\u{fffd}').replace('\u{fffd}', "?") }
}

#[cfg(test)]
mod tests;
