//! The checks for which `dist` knows more of a program than its bytes: `baseline`, `libc`, `unwinder`, by
//! the linker's map, the sources of its crates, what the app's author says.
//!
//! Going through all of its code takes longer than all other checks, so the answer is kept in the
//! store, for these bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use memchr::memmem;
use serde::{Deserialize, Serialize};

use crate::app::{Built, Program};
use crate::check::baseline::{Baseline, Evidence, RULES, check};
use crate::check::inside::by_map::{self, Inside};
use crate::check::{Checkup, Outcome};
use crate::digest::Digest;
use crate::linked::{self, Places};
use crate::rust::Memory;
use crate::session::{Project, Session};
use crate::toolchain::self_test::libc_version;

/// In the Rust source of a crate, what asks the CPU what it has.
const QUESTIONS: [&str; 5] =
    ["_feature_detected!", "cpufeatures::new!", "arch::x86_64::__cpuid", "raw_cpuid", "getauxval"];

/// Limits of what is read of one crate: files, folders inside each other, bytes of a file.
const FILES_MAX: usize = 2000;
const DEPTH_MAX: usize = 8;
const FILE_SIZE_MAX_BYTES: u64 = 4 << 20;

/// What is known of a program by more than its bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Insight {
    baseline: Outcome,
    inside: Inside,
}

/// What the programs of a build are held against.
pub struct Cpu<'a> {
    /// The build.
    pub project: &'a Project,
    /// Where its parts are from.
    pub places: &'a Places<'a>,
    /// What cargo said.
    pub built: &'a Built,
    /// The baseline.
    pub baseline: &'a Baseline,
    memory: Memory,
}

impl<'a> Cpu<'a> {
    /// Those of a build.
    pub fn new(
        session: &Session,
        project: &'a Project,
        places: &'a Places<'a>,
        built: &'a Built,
        baseline: &'a Baseline,
    ) -> Self {
        let memory = Memory::new(&session.store, true);
        Self { project, places, built, baseline, memory }
    }

    /// Puts what is known in the place of what the bytes alone tell.
    pub fn complete(&self, program: &Program, checkup: &mut Checkup) -> Result<()> {
        let Insight { baseline, inside } = self.insight(program, &checkup.sha256)?;
        checkup.replace("baseline", baseline);
        checkup.replace("libc", inside.libc);
        checkup.replace("unwinder", inside.unwinder);
        checkup.replace_fact("malloc", &inside.malloc);
        Ok(())
    }

    /// What is known of a program with these bytes.
    fn insight(&self, program: &Program, sha256: &Digest) -> Result<Insight> {
        let said = &self.project.wanted.asks_cpu;
        let rules = [RULES, by_map::RULES].join("\n");
        let question = format!("{rules}\n{sha256}\n{:?}\n{said:?}", self.baseline);
        self.memory.recall(
            &question,
            &[],
            |_| true,
            || {
                let cannot = || format!("cannot read {}", program.path.display());
                let data = fs::read(&program.path).with_context(cannot)?;
                let pieces = linked::pieces(self.places, self.built, program)?;
                let inside = Inside::of(&pieces, libc_version);
                let asking = self.asking(pieces.owners.iter().map(|owner| owner.from.as_str()));
                let evidence = Evidence { pieces, asking };
                let baseline = check(&data, self.baseline, Some(&evidence));
                Ok(Insight { baseline, inside })
            },
        )
    }

    /// Of these crates and recipes, those that ask the CPU by their Rust half, or as the app's author
    /// says.
    fn asking<'s>(&self, names: impl Iterator<Item = &'s str>) -> BTreeMap<String, String> {
        let names: BTreeSet<&str> = names.collect();
        let of = |name: &&str| {
            let word = name.split(' ').nth(1)?;
            let reason = self.project.wanted.asks_cpu.get(word).cloned();
            let reason = reason.or_else(|| {
                let package = self.project.metadata.packages.iter().find(|package| {
                    **name == format!("crate {} {}", package.name, package.version)
                })?;
                let folder = package.manifest_path.parent()?;
                asks(folder, &mut 0, 0).then(|| "its Rust code asks".to_owned())
            });
            Some(((*name).to_owned(), reason?))
        };
        names.iter().filter_map(of).collect()
    }
}

/// Whether the Rust source below a folder asks the CPU. Links are not followed.
fn asks(folder: &Path, files: &mut usize, depth: usize) -> bool {
    for item in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (item.path(), item.file_name());
        let Ok(kind) = item.file_type() else { continue };
        if kind.is_dir() && depth < DEPTH_MAX && name != "target" && name != "tests" {
            if asks(&path, files, depth + 1) {
                return true;
            }
            continue;
        }
        // What a build script asks is the machine that builds.
        let is_rust = path.extension().is_some_and(|it| it == "rs") && name != "build.rs";
        let is_small = || item.metadata().is_ok_and(|it| it.len() <= FILE_SIZE_MAX_BYTES);
        if !kind.is_file() || !is_rust || *files >= FILES_MAX || !is_small() {
            continue;
        }
        *files += 1;
        let Ok(text) = fs::read(&path) else { continue };
        if QUESTIONS.iter().any(|question| memmem::find(&text, question.as_bytes()).is_some()) {
            return true;
        }
    }
    false
}
