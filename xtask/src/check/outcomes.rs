//! A file's bytes → how each check ended.

use super::elf::Image;
use super::inside::{self, Program};
use super::traces::{self, Times};
use super::{Expectation, Outcome, RunPolicy};
use super::{baseline, empty_root, hardening, leaks, structure};
use crate::digest::Digest;

/// How many there are.
const COUNT: usize = super::CHECKS.len();

/// A file, and what it is held against.
pub struct Subject<'a> {
    /// Its bytes.
    pub data: &'a [u8],
    /// Their SHA-256.
    pub sha256: &'a Digest,
    /// When it was written.
    pub times: Times,
    /// What it is held against.
    pub expectation: &'a Expectation,
}

impl Subject<'_> {
    /// How each check ended, by name and in the order of [`super::CHECKS`].
    pub fn outcomes(&self, image: &Result<Image, String>) -> [(&'static str, Outcome); COUNT] {
        let (data, expectation) = (self.data, self.expectation);
        let sections = image.as_ref().map_or(&[][..], |image| &image.sections);
        let paths = leaks::check(data, sections, &expectation.forbidden);
        let image = match image {
            Ok(image) => image,
            Err(finding) => return unreadable(finding, &paths),
        };
        let elf = structure::elf(image, expectation.machine, expectation.float_abi);
        let is_program = !matches!(elf, Outcome::Failed(_));
        let of_program = |outcome: &dyn Fn() -> Outcome| match is_program {
            true => outcome(),
            false => no_program(),
        };
        let (program, linking) = (Program { data, image }, &expectation.linking);
        let segments = structure::segments(image);
        let is_apart = !matches!(segments, Outcome::Failed(_));
        let relro = || match is_apart {
            true => hardening::relro(image),
            false => Outcome::Skipped("the `segments` check failed".to_owned()),
        };
        let [empty_root, oldest_cpu] = match is_program {
            true => self.start(image),
            false => [no_program(), no_program()],
        };
        let baseline = || match &expectation.baseline {
            None => Outcome::Skipped("no target is named".to_owned()),
            Some(baseline) => baseline::check_image(data, image, baseline, None),
        };
        [
            ("elf", elf),
            ("static", structure::is_static(image)),
            ("glibc", inside::glibc(image)),
            ("libc", of_program(&|| inside::libc(program, linking))),
            ("unwinder", of_program(&|| inside::unwinder(program))),
            ("pie", of_program(&|| hardening::pie(image, linking))),
            ("relro", of_program(&relro)),
            ("stack", structure::stack(image)),
            ("stack-size", of_program(&|| hardening::stack_size(image, linking))),
            ("segments", segments),
            ("relocations", structure::relocations(image)),
            ("rpath", hardening::rpath(image)),
            ("paths", paths),
            ("build-id", traces::build_id(image)),
            ("timestamp", traces::timestamp(data, &self.times)),
            ("openssl-dir", of_program(&|| inside::openssl_dir(program))),
            ("empty-root", empty_root),
            ("oldest-cpu", oldest_cpu),
            ("baseline", of_program(&baseline)),
        ]
    }

    /// The outcomes of `empty-root` and `oldest-cpu`.
    fn start(&self, image: &Image) -> [Outcome; 2] {
        match &self.expectation.run {
            RunPolicy::Never(reason) => [reason, reason].map(|it| Outcome::Skipped(it.clone())),
            RunPolicy::EmptyRoot { scratch, limit } => {
                let (data, sha256, limit) = (self.data, self.sha256, *limit);
                let memory = self.expectation.memory.as_ref();
                let program = empty_root::Program { data, sha256, image, scratch, limit, memory };
                program.start(self.expectation.oldest_cpu.as_ref())
            }
        }
    }
}

fn no_program() -> Outcome {
    Outcome::Skipped("the `elf` check failed".to_owned())
}

/// What can be said of a file that is no ELF file.
fn unreadable(finding: &str, paths: &Outcome) -> [(&'static str, Outcome); COUNT] {
    super::CHECKS.map(|check| {
        let outcome = match check.name {
            "elf" => Outcome::Failed(finding.to_owned()),
            "paths" => paths.clone(),
            _ => Outcome::Skipped("the file is not a readable ELF file".to_owned()),
        };
        (check.name, outcome)
    })
}
