//! What object files say of themselves: the attributes that assemblers and compilers write for ARM and
//! RISC-V, the flags of MIPS, and for all others their instructions. The program's own are the linker's
//! summary, and LLD takes those of ARM from its first object only, so each object is asked where it can
//! still be found.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use object::read::archive::ArchiveFile;
use object::{
    Architecture, Endianness, FileFlags, Object as _, ObjectSection as _, ObjectSymbol as _,
};

use super::{Baseline, Evidence, instructions};
use crate::check::Outcome;
use crate::linked::Owner;

/// ARM's architectures by the number of `Tag_CPU_arch` (the ABI's addenda, table 5), as far as
/// Linux runs on them.
const ARM: [&str; 18] = [
    "pre-v4",
    "v4",
    "v4t",
    "v5t",
    "v5te",
    "v5tej",
    "v6",
    "v6kz",
    "v6t2",
    "v6k",
    "v7",
    "v6-m",
    "v6s-m",
    "v7e-m",
    "v8",
    "v8-r",
    "v8-m.base",
    "v8-m.main",
];
/// Which of them have all that an older one has, oldest first.
const ARM_ORDER: [&str; 12] =
    ["pre-v4", "v4", "v4t", "v5t", "v5te", "v5tej", "v6", "v6k", "v6kz", "v6t2", "v7", "v8"];
/// By the number of `Tag_FP_arch`.
const ARM_FPU: [&str; 9] = [
    "none",
    "vfpv1",
    "vfpv2",
    "vfpv3",
    "vfpv3-d16",
    "vfpv4",
    "vfpv4-d16",
    "fp-armv8",
    "fp-armv8-d16",
];
/// From the least to the most.
const ARM_FPU_ORDER: [&str; 9] = [
    "none",
    "vfpv1",
    "vfpv2",
    "vfpv3-d16",
    "vfpv3",
    "vfpv4-d16",
    "vfpv4",
    "fp-armv8-d16",
    "fp-armv8",
];
const TAG_CPU_ARCH: u64 = 6;
const TAG_FP_ARCH: u64 = 10;
const TAG_ADVANCED_SIMD: u64 = 12;
const TAG_RISCV_ARCH: u64 = 5;
/// Names by which C code asks for the CPU's features, and where OpenSSL keeps them.
const QUESTIONS: [&str; 8] = [
    "getauxval",
    "__hwcap",
    "__auxv",
    "OPENSSL_armcap_P",
    "OPENSSL_loongarch_hwcap_P",
    "OPENSSL_ppccap_P",
    "OPENSSL_s390xcap_P",
    "__aarch64_have_lse_atomics",
];
/// The first four bits of a MIPS header's flags.
const MIPS: [(&str, u32); 11] = [
    ("mips1", 0),
    ("mips2", 1),
    ("mips3", 2),
    ("mips4", 3),
    ("mips5", 4),
    ("mips32", 5),
    ("mips64", 6),
    ("mips32r2", 7),
    ("mips64r2", 8),
    ("mips32r6", 9),
    ("mips64r6", 10),
];

/// What one object says that it takes.
#[derive(Debug, PartialEq, Eq)]
enum Says {
    /// ARM: the architecture, the FPU, NEON.
    Arm { arch: u64, fpu: u64, neon: u64 },
    /// MIPS: the architecture.
    Mips(u32),
    /// Others: what their instructions take.
    Instructions(BTreeSet<&'static str>),
    /// RISC-V: the text, such as `rv64i2p1_m2p0`.
    Riscv(String),
}

/// Holds all objects of a program against the baseline; without evidence the program alone.
pub fn check(data: &[u8], baseline: &Baseline, evidence: Option<&Evidence>) -> Outcome {
    let mut promised = baseline.clone();
    if let Some(cpu) = promised.cpu.take() {
        let file = object::File::parse(data).ok();
        let told = file.and_then(|it| instructions::of_cpu(&it, &cpu, &baseline.features));
        let Some(features) = told else {
            let words = format!("what {cpu} has stands in no words that object files use");
            return Outcome::Skipped(words);
        };
        promised.features = features;
    }
    let baseline = &promised;
    let Some(evidence) = evidence else {
        return match says(data).map(|said| (above(&said, baseline), said)) {
            Some((Some(above), Says::Instructions(_))) => Outcome::Skipped(format!(
                "its code takes {above}; whether that asks the CPU first cannot be told without the \
                 linker's map, which `dist` has"
            )),
            Some((None, Says::Instructions(_))) => {
                Outcome::Passed("all of its code keeps within the target's baseline".to_owned())
            }
            None => Outcome::Skipped("the program does not say what its code takes".to_owned()),
            Some((Some(above), _)) => Outcome::Failed(format!("it says that it takes {above}")),
            Some((None, _)) => Outcome::Skipped(
                "the program says that it keeps within the baseline; its objects cannot be asked \
                 without the linker's map, which `dist` has"
                    .to_owned(),
            ),
        };
    };
    let judge = Judge::new(baseline, evidence);
    judge.outcome()
}

struct Judge<'a> {
    asked: usize,
    bad: Vec<String>,
    guarded: BTreeMap<&'a str, String>,
}

impl<'a> Judge<'a> {
    /// Asks all objects that are not Rust's, for which rustc's own rules hold.
    fn new(baseline: &Baseline, evidence: &'a Evidence) -> Self {
        // Each file is read once, whatever is in it of a program.
        let mut files: BTreeMap<_, Vec<(&'a Owner, Option<&'a str>)>> = BTreeMap::new();
        for owner in evidence.pieces.owners.iter().filter(|owner| !owner.is_rust) {
            let Some((file, member)) = &owner.place else { continue };
            files.entry(file).or_default().push((owner, member.as_deref()));
        }
        let mut asking: BTreeSet<&str> = evidence.asking.keys().map(String::as_str).collect();
        let mut above_it = Vec::new();
        let mut asked = 0;
        for (file, owners) in files {
            let Ok(data) = fs::read(file) else { continue };
            let members = members(&data);
            for (owner, member) in owners {
                let object = match member {
                    None => Some(&data[..]),
                    Some(name) => members.get(name).copied(),
                };
                let Some(object) = object else { continue };
                asking.extend(asks(object).then_some(owner.from.as_str()));
                let Some(said) = says(object) else { continue };
                asked += 1;
                above_it.extend(above(&said, baseline).map(|above| (owner, above)));
            }
        }
        let mut judge = Self { asked, bad: Vec::new(), guarded: BTreeMap::new() };
        for (owner, above) in above_it {
            if asking.contains(owner.from.as_str()) {
                judge.guarded.insert(&owner.from, above);
                continue;
            }
            judge.bad.push(format!(
                "{} of {} says that it takes {above}, and nothing of {} asks the CPU what it has",
                owner.object, owner.from, owner.from
            ));
        }
        judge
    }

    fn outcome(self) -> Outcome {
        if !self.bad.is_empty() {
            return Outcome::Failed(super::shortened(self.bad));
        }
        let guarded = self.guarded.iter().map(|(from, above)| format!("{from} ({above})"));
        let guarded = guarded.collect::<Vec<_>>().join("; ");
        let more = match guarded.is_empty() {
            true => String::new(),
            false => format!("; more after asking the CPU: {guarded}"),
        };
        match self.asked {
            0 => Outcome::Skipped("no object of C or assembly says what its code takes".to_owned()),
            count => Outcome::Passed(format!(
                "{count} objects of C and assembly say that they keep within the target's \
                 baseline{more}"
            )),
        }
    }
}

/// An archive's members by name; none if it is no archive.
fn members(data: &[u8]) -> BTreeMap<String, &[u8]> {
    let Ok(archive) = ArchiveFile::parse(data) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for member in archive.members().filter_map(Result::ok) {
        if let Ok(bytes) = member.data(data) {
            found.insert(String::from_utf8_lossy(member.name()).into_owned(), bytes);
        }
    }
    found
}

/// Whether an object asks for the CPU's features, or for what somebody has found out of them.
fn asks(object: &[u8]) -> bool {
    let Ok(file) = object::File::parse(object) else { return false };
    let mut names = file.symbols().filter_map(|symbol| symbol.name().ok());
    names.any(|name| QUESTIONS.contains(&name))
}

/// What an object or program says of itself; nothing if it says nothing.
fn says(object: &[u8]) -> Option<Says> {
    let file = object::File::parse(object).ok()?;
    let FileFlags::Elf { e_flags, .. } = file.flags() else { return None };
    let section = |name: &str| file.section_by_name(name).and_then(|it| it.data().ok());
    let is_big = file.endianness() == Endianness::Big;
    match file.architecture() {
        Architecture::Mips | Architecture::Mips64 => Some(Says::Mips(e_flags.0 >> 28)),
        Architecture::Arm => {
            let tags = attributes(section(".ARM.attributes")?, "aeabi", is_big)?;
            let number = |tag| tags.iter().find(|(it, ..)| *it == tag).map_or(0, |(_, it, _)| *it);
            let (arch, fpu) = (number(TAG_CPU_ARCH), number(TAG_FP_ARCH));
            Some(Says::Arm { arch, fpu, neon: number(TAG_ADVANCED_SIMD) })
        }
        Architecture::Riscv32 | Architecture::Riscv64 => {
            let tags = attributes(section(".riscv.attributes")?, "riscv", is_big)?;
            let (.., text) = tags.into_iter().find(|(tag, ..)| *tag == TAG_RISCV_ARCH)?;
            Some(Says::Riscv(text))
        }
        _ => instructions::features(&file).map(Says::Instructions),
    }
}

/// A tag, its number, its text.
type Tag = (u64, u64, String);

/// The tags of a whole file in a section of attributes: `A`, then for each vendor a length, its name
/// and lists; each list has its kind (1 is the whole file), a length and tags.
fn attributes(data: &[u8], vendor: &str, is_big: bool) -> Option<Vec<Tag>> {
    let length = |data: &[u8]| {
        let bytes = *data.first_chunk()?;
        let number = if is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        usize::try_from(number).ok()
    };
    let mut rest = data.strip_prefix(b"A")?;
    let mut tags = Vec::new();
    while !rest.is_empty() {
        let size = length(rest)?;
        let mut part = rest.get(4..size)?;
        rest = rest.get(size..)?;
        let name = take_text(&mut part)?;
        while name == vendor && !part.is_empty() {
            let whole = part;
            let kind = take_number(&mut part)?;
            let head = whole.len() - part.len() + 4;
            let size = length(part)?;
            let mut list = whole.get(head..size)?;
            part = whole.get(size..)?;
            while kind == 1 && !list.is_empty() {
                tags.push(take_tag(&mut list, vendor)?);
            }
        }
    }
    Some(tags)
}

/// Whether a tag has a number or a text can be told by itself: ARM's of the early ones by name.
fn take_tag(list: &mut &[u8], vendor: &str) -> Option<Tag> {
    let tag = take_number(list)?;
    let is_text = match (vendor, tag) {
        ("aeabi", 4 | 5) => true,
        ("aeabi", 0..32) => false,
        (_, tag) => tag % 2 == 1,
    };
    // Compatibility has both.
    let number = if !is_text || tag == 32 { take_number(list)? } else { 0 };
    let text = if is_text || tag == 32 { take_text(list)? } else { String::new() };
    Some((tag, number, text))
}

fn take_number(data: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = data.split_first()?;
        *data = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_text(data: &mut &[u8]) -> Option<String> {
    let end = data.iter().position(|byte| *byte == 0)?;
    let text = String::from_utf8_lossy(&data[..end]).into_owned();
    *data = &data[end + 1..];
    Some(text)
}

/// In words, what is more than the baseline; nothing if all is within.
fn above(said: &Says, baseline: &Baseline) -> Option<String> {
    let words = || baseline.features.iter().map(String::as_str);
    match said {
        Says::Arm { arch, fpu, neon } => {
            let name = |list: &[&'static str], index: u64| {
                let index = usize::try_from(index).ok();
                index.and_then(|index| list.get(index).copied()).unwrap_or("unknown")
            };
            let (arch, fpu) = (name(&ARM, *arch), name(&ARM_FPU, *fpu));
            let is_more = |order: &[&str], it: &str| {
                let place = |word: &str| order.iter().position(|known| *known == word);
                let limit = words().filter_map(place).max().unwrap_or(0);
                place(it).is_none_or(|place| place > limit)
            };
            let mut more = Vec::new();
            more.extend(is_more(&ARM_ORDER, arch).then(|| format!("ARM{arch}")));
            more.extend(is_more(&ARM_FPU_ORDER, fpu).then(|| fpu.to_owned()));
            let has_neon = *neon == 0 || words().any(|word| word == "neon");
            more.extend((!has_neon).then(|| "neon".to_owned()));
            (!more.is_empty()).then(|| more.join(", "))
        }
        Says::Mips(number) => {
            let find = |word: &str| MIPS.iter().find(|(name, _)| *name == word).map(|(_, it)| *it);
            let limit = words().find_map(find)?;
            let name =
                MIPS.iter().find(|(_, it)| it == number).map_or("unknown", |(name, _)| *name);
            // Before the sixth revision each has all of those with fewer bits or an earlier number.
            let is_64 = |number: u32| matches!(number, 2..=4 | 6 | 8 | 10);
            let is_within = *number <= limit && (is_64(limit) || !is_64(*number));
            (!is_within).then(|| name.to_owned())
        }
        Says::Instructions(features) => {
            let is_more = |it: &&str| !words().any(|word| instructions::covers(word, it));
            let more: Vec<&str> = features.iter().copied().filter(is_more).collect();
            (!more.is_empty()).then(|| more.join(", "))
        }
        Says::Riscv(text) => {
            let more: Vec<_> =
                extensions(text).filter(|it| !words().any(|word| word == it)).collect();
            (!more.is_empty()).then(|| more.join(", "))
        }
    }
}

/// The extensions in `rv64i2p1_m2p0_zicsr2p0`, without their versions and without those that are but
/// names for parts of others.
fn extensions(text: &str) -> impl Iterator<Item = String> {
    let text = text.trim_start_matches("rv64").trim_start_matches("rv32");
    let names = text.split('_').map(|part| {
        let version = part.rfind('p').filter(|at| {
            let digits =
                |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
            let name = part[..*at].trim_end_matches(|c: char| c.is_ascii_digit());
            digits(&part[at + 1..]) && digits(&part[name.len()..*at])
        });
        let end = version.map_or(part.len(), |at| {
            part[..at].trim_end_matches(|c: char| c.is_ascii_digit()).len()
        });
        part[..end].to_owned()
    });
    const PARTS: [&str; 8] =
        ["zicsr", "zifencei", "zmmul", "zaamo", "zalrsc", "zca", "zcd", "zicntr"];
    names.filter(|name| !PARTS.contains(&name.as_str()))
}

#[cfg(test)]
mod tests;
