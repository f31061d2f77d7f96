//! The `baseline` check: no code takes more of a CPU than the target promises, unless it asks the CPU
//! first.
//!
//! What is looked at and what is taken for asking stands in docs/baseline.md. It judges what is in a
//! program, and never how a CPU is set.

mod attributes;
mod instructions;
mod survey;
mod x86;

use std::collections::BTreeMap;
use std::ops::Range;

use object::elf::{EM_386, EM_X86_64, PF_X, PT_LOAD};

use super::Outcome;
use super::elf::{self, Image};
use crate::linked::{Owner, Pieces};
use crate::target::Target;
use survey::Survey;
use x86::Features;

/// Bump when the same program would be judged otherwise.
pub const RULES: &str = "baseline 6";

/// At most so many functions are named in a finding.
const NAMES_MAX: usize = 6;

/// What a program's code is held against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// What every CPU of the target has, in the words of its row in `targets.toml` or of rustc.
    pub features: Vec<String>,
    /// The CPU that the command line names in place of the target's own.
    pub cpu: Option<String>,
}

impl Baseline {
    /// That of a target.
    pub fn of(target: &Target) -> Self {
        Self { features: target.baseline.clone(), cpu: target.cpu.clone() }
    }

    /// Why this machine cannot run what was built for a CPU that the command line names; nothing if it
    /// can, or if another one runs it.
    pub fn cannot_run_here(&self) -> Option<String> {
        let cpu = self.cpu.as_ref()?;
        let missing = missing_here(&self.features);
        (!missing.is_empty())
            .then(|| format!("this machine's CPU is no {cpu}: it has no {}", missing.join(", ")))
    }
}

/// Of some features, by rustc's names, those that this machine's CPU lacks.
#[cfg(target_arch = "x86_64")]
fn missing_here(features: &[String]) -> Vec<&str> {
    macro_rules! has {
        ($name:expr, $($known:tt)*) => {
            match $name {
                $($known => std::arch::is_x86_feature_detected!($known),)*
                _ => true,
            }
        };
    }
    let is_here = |name: &str| {
        has!(
            name, "sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "lzcnt" "bmi1" "bmi2" "movbe" "avx" "avx2"
            "fma" "f16c" "aes" "pclmulqdq" "sha" "adx" "gfni" "vaes" "vpclmulqdq" "avx512f" "avx512bw"
            "avx512cd" "avx512dq" "avx512vl" "avx512vbmi" "avx512vnni" "avx512bf16" "avx512fp16"
        )
    };
    features.iter().map(String::as_str).filter(|name| !is_here(name)).collect()
}

/// What is built runs elsewhere.
#[cfg(not(target_arch = "x86_64"))]
fn missing_here(_: &[String]) -> Vec<&str> {
    Vec::new()
}

/// What is known of a program besides its bytes.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Its pieces by the linker's map.
    pub pieces: Pieces,
    /// Whose code asks the CPU although its C code does not, and what says so: `crate blake3 1.8.2`.
    pub asking: BTreeMap<String, String>,
}

/// What the code of a program takes of the CPU. Without evidence it cannot be told whose code it is.
pub fn check(data: &[u8], baseline: &Baseline, evidence: Option<&Evidence>) -> Outcome {
    match elf::read(data) {
        Ok(image) => check_image(data, &image, baseline, evidence),
        Err(_) => Outcome::Skipped("the file is not a readable ELF file".to_owned()),
    }
}

/// The same of a file that has been read.
pub fn check_image(
    data: &[u8],
    image: &Image,
    baseline: &Baseline,
    evidence: Option<&Evidence>,
) -> Outcome {
    let machine = object::elf::Machine(image.machine.elf);
    if machine != EM_X86_64 && machine != EM_386 {
        return attributes::check(data, baseline, evidence);
    }
    let program = Program { data, image };
    let is_64 = image.machine.bits == 64;
    let allowed = allowed(&baseline.features, is_64);
    let promise = match &baseline.cpu {
        Some(cpu) => format!("within {cpu}"),
        None => "within the target's baseline".to_owned(),
    };
    let Some(evidence) = evidence else {
        return alone(&program, is_64, allowed, &promise);
    };
    let survey = survey::of(&program, &evidence.pieces, is_64, allowed);
    let mut judge = Judge { evidence, survey: &survey, bad: Vec::new(), guarded: BTreeMap::new() };
    (0..survey.raised.len()).for_each(|index| judge.look_at(index));
    judge.outcome(&promise)
}

/// What every CPU of a baseline has. Those of 64 bits have what had come before, and so have those of
/// 32 bits with SSE.
fn allowed(features: &[String], is_64: bool) -> Features {
    let named = Features::named(features.iter().map(String::as_str));
    let is_late = is_64 || Features::SSE.without(named).is_empty();
    if is_late { named.and(Features::named(["cmov", "nopl", "mmx"])) } else { named }
}

/// A file and what is known of it.
pub struct Program<'a> {
    data: &'a [u8],
    image: &'a Image,
}

impl Program<'_> {
    /// The bytes at some addresses, if they are code.
    fn code(&self, range: &Range<u64>) -> Option<&[u8]> {
        let segments = self.image.segments.iter();
        let holds = |it: &&elf::Segment| it.loads_with(PF_X) && it.holds(range.start);
        let segment = segments.filter(|it| it.kind == PT_LOAD).find(holds)?;
        let begin = usize::try_from(segment.offset + (range.start - segment.address)).ok()?;
        let size = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        self.data.get(begin..begin.checked_add(size)?)
    }

    /// The eight bytes at an address, where no program header says that it is code. Memory that begins
    /// as zeros has no bytes in the file: behind the segment's stands something else.
    fn word(&self, address: u64) -> Option<u64> {
        let segments = self.image.segments.iter();
        let holds = |it: &&elf::Segment| it.kind == PT_LOAD && it.holds(address);
        let segment = segments.filter(|it| !it.loads_with(PF_X)).find(holds)?;
        let inside = address - segment.address;
        if inside.checked_add(8)? > segment.file_size_bytes {
            return None;
        }
        let at = usize::try_from(segment.offset + inside).ok()?;
        self.data.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// Addresses of its code as far as sections tell, else of all that is executable.
    fn ranges(&self) -> Vec<Range<u64>> {
        let segments = self.image.segments.iter().filter(|it| it.loads_with(PF_X));
        let of_segment = |segment: &elf::Segment| {
            let whole = segment.address..segment.address.saturating_add(segment.file_size_bytes);
            let end = segment.offset.saturating_add(segment.file_size_bytes);
            let inside = |it: &&elf::Section| {
                it.offset >= segment.offset
                    && it.size_bytes > 0
                    && it.offset.saturating_add(it.size_bytes) <= end
            };
            let sections = self.image.sections.iter().filter(inside).map(|section| {
                let address = segment.address + (section.offset - segment.offset);
                address..address + section.size_bytes
            });
            let sections: Vec<_> = sections.collect();
            if sections.is_empty() { vec![whole] } else { sections }
        };
        segments.flat_map(of_segment).collect()
    }
}

/// A program of which nothing else is known.
fn alone(program: &Program<'_>, is_64: bool, allowed: Features, promise: &str) -> Outcome {
    let (needs, asks) = survey::whole(program, &program.ranges(), is_64);
    let above = needs.without(allowed);
    let names = above.names().join(", ");
    match (above.is_empty(), asks) {
        (true, _) => Outcome::Passed(promise.to_owned()),
        (false, false) => Outcome::Failed(format!(
            "some code takes {names}, which is more than the baseline, and none asks the CPU what it has"
        )),
        (false, true) => Outcome::Skipped(format!(
            "some code takes {names} and some asks the CPU what it has; without the linker's map, which \
             `dist` has, it cannot be told whether they belong together"
        )),
    }
}

/// Sorts what is above the baseline.
struct Judge<'a> {
    evidence: &'a Evidence,
    survey: &'a Survey,
    /// Words about code that does not ask.
    bad: Vec<String>,
    /// By library, what its code takes after it has asked.
    guarded: BTreeMap<&'a str, Features>,
}

impl<'a> Judge<'a> {
    fn look_at(&mut self, index: usize) {
        let raised = &self.survey.raised[index];
        let owner: &'a Owner = &self.evidence.pieces.owners[raised.owner];
        let needs = raised.needs.names().join(", ");
        let name = &raised.name;
        let whose = format!("{} of {}", owner.object, owner.from);
        if owner.is_rust {
            if is_never_special(name) {
                self.bad.push(format!(
                    "`{name}` in {whose} takes {needs}: rustc was told of a newer CPU for all code"
                ));
            } else {
                // rustc lets code take more only in functions that are marked with `target_feature`
                // and that others must not call before they have asked.
                self.accept("Rust code", raised.needs);
            }
            return;
        }
        if self.evidence.asking.contains_key(&owner.from) {
            self.accept(&owner.from, raised.needs);
        } else if !self.survey.asking.contains(&owner.from) {
            self.bad.push(format!(
                "`{name}` in {whose} takes {needs}, and nothing of {} asks the CPU what it has",
                owner.from
            ));
        } else if let Some(caller) = self.survey.caller_from_outside(raised, &self.evidence.pieces)
        {
            let caller = &self.evidence.pieces.owners[caller];
            self.bad.push(format!(
                "`{name}` in {whose} takes {needs}, and is called from {} of {}, which does not ask the \
                 CPU what it has",
                caller.object, caller.from
            ));
        } else {
            self.accept(&owner.from, raised.needs);
        }
    }

    fn accept(&mut self, from: &'a str, needs: Features) {
        let known = self.guarded.entry(from).or_default();
        *known = known.and(needs);
    }

    fn outcome(self, promise: &str) -> Outcome {
        if !self.bad.is_empty() {
            return Outcome::Failed(shortened(self.bad));
        }
        let guarded = self.guarded.iter();
        let guarded: Vec<String> =
            guarded.map(|(from, needs)| format!("{from} ({})", needs.names().join(", "))).collect();
        if guarded.is_empty() {
            return Outcome::Passed(promise.to_owned());
        }
        Outcome::Passed(format!("{promise}; more after asking the CPU: {}", guarded.join("; ")))
    }
}

/// The first of some findings, and how many there are more.
fn shortened(mut findings: Vec<String>) -> String {
    let more = findings.len().saturating_sub(NAMES_MAX);
    findings.truncate(NAMES_MAX);
    findings.extend((more > 0).then(|| format!("and {more} more")));
    findings.join("\n")
}

/// Whether a Rust function can never be marked with `target_feature`, by its name: code that takes
/// more there was compiled for another CPU.
fn is_never_special(name: &str) -> bool {
    name == "main" || ["drop_in_place", "lang_start"].iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests;
