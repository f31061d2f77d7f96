//! Checks that are made while cargo looks whether there is anything to build: of the programs of the
//! last run, which mostly are those of this one. What a check says is said of bytes, and counts only
//! for a program that has those bytes when cargo has ended.

use std::fs;
use std::path::PathBuf;

use crate::app::{Order, Program};
use crate::check::{Checkup, Expectation, examine};
use crate::digest::Digest;
use crate::layout::Stamp;
use crate::linked::Map;
use crate::process::side_by_side;
use crate::target::Target;

/// Where cargo would put the programs.
pub fn programs(order: &Order<'_>, target: &Target) -> Vec<PathBuf> {
    let folder = match order.profile {
        "dev" | "test" => "debug",
        "bench" => "release",
        profile => profile,
    };
    let folder = order.project.metadata.target_directory.join(&target.triple).join(folder);
    let names = order.project.package.binaries().map(|it| &it.name);
    let asked = names.filter(|name| order.bins.is_empty() || order.bins.contains(name));
    asked.map(|name| folder.join(name)).filter(|file| file.is_file()).collect()
}

/// What was found out about the programs of the last run.
#[derive(Debug, Default)]
pub struct Ahead {
    /// What each file was when it was checked, if that can be told later, and what was found.
    checkups: Vec<(Option<Stamp>, Checkup)>,
    /// How they were linked.
    pub maps: Vec<Map>,
}

impl Ahead {
    /// Looks at those that can be read.
    pub fn examine_all(programs: &[PathBuf], expectation: &Expectation) -> Self {
        let looks = side_by_side(programs, |program| {
            let stamp = Stamp::settled(program);
            let checkup = examine(program, expectation).ok().map(|checkup| (stamp, checkup));
            Ok((checkup, Map::of(program).ok()))
        });
        let (checkups, maps): (Vec<_>, Vec<_>) = looks.into_iter().flatten().unzip();
        Self {
            checkups: checkups.into_iter().flatten().collect(),
            maps: maps.into_iter().flatten().collect(),
        }
    }

    /// What was found out about a program, if it has not changed since.
    pub fn of(&self, program: &Program) -> Option<Checkup> {
        let path = &program.path;
        let (stamp, found) = self.checkups.iter().find(|(_, checkup)| checkup.path == *path)?;
        let is_same = || {
            let now = Stamp::of(path);
            now.is_some() && now == *stamp
                || fs::read(path).is_ok_and(|bytes| Digest::sha256_of(&bytes) == found.sha256)
        };
        is_same().then(|| found.clone())
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests have no store yet")]
mod tests {
    use super::*;
    use crate::check::{Linking, RunPolicy};

    #[test]
    fn a_checkup_counts_for_the_bytes_that_were_checked() {
        let file = std::env::temp_dir().join(format!("muslin-ahead-{}", std::process::id()));
        let run = RunPolicy::Never("not here".to_owned());
        let expectation = Expectation {
            machine: None,
            float_abi: None,
            baseline: None,
            linking: Linking::Any,
            fixed_times: Vec::new(),
            forbidden: Vec::new(),
            run,
            oldest_cpu: Err(String::new()),
            memory: None,
        };
        let program = Program { name: "x".to_owned(), path: file.clone() };
        fs::write(&file, "one").unwrap();
        let ahead = Ahead::examine_all(&[file.clone(), file.join("none")], &expectation);
        assert_eq!(ahead.of(&program).unwrap(), ahead.checkups[0].1);
        fs::write(&file, "two").unwrap();
        assert!(ahead.of(&program).is_none());
        fs::write(&file, "one").unwrap();
        assert!(ahead.of(&program).is_some());
        let other = Program { name: "y".to_owned(), path: file.join("none") };
        assert!(ahead.of(&other).is_none());
        fs::remove_file(&file).unwrap();
    }
}
