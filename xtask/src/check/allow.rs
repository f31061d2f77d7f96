//! `allow` of `[package.metadata.muslin]`: checks that may fail, each with the author's reason.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::{Checkup, Outcome};
use crate::check::CHECKS;
use crate::exit::{Exit, Failure};
use crate::links::unknown;

/// What is no program for the target at all cannot be packed, whatever the reason.
const NEVER: &str = "elf";

/// Checks that may fail, and why.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    reasons: BTreeMap<String, String>,
    /// Where they are written.
    place: String,
}

impl Allowed {
    /// Those that a manifest names. Fails if one is no check or has no reason.
    pub fn new(reasons: &BTreeMap<String, String>, manifest: &Path) -> Result<Self> {
        let place = manifest.display().to_string();
        for (name, reason) in reasons {
            if !CHECKS.iter().any(|check| check.name == name) {
                let message = format!("`allow` in {place} names `{name}`, which is no check");
                let names: Vec<String> = CHECKS.iter().map(|check| check.name.to_owned()).collect();
                return Err(unknown(message, name, names.iter()).into());
            }
            if name == NEVER {
                let message = format!("`allow` in {place} names `{name}`, which nothing can allow");
                return Err(Failure::new(Exit::Usage, message)
                    .help("what fails it is no program for the target")
                    .into());
            }
            if reason.trim().is_empty() {
                let message = format!("`allow.{name}` in {place} has no reason");
                return Err(Failure::new(Exit::Usage, message)
                    .help(format!(
                        "write `{name} = \"why it may fail\"`: it stands in manifest.json"
                    ))
                    .into());
            }
        }
        Ok(Self { reasons: reasons.clone(), place })
    }

    /// Lets the checks fail that are named.
    pub fn apply(&self, checkup: &mut Checkup) {
        for result in &mut checkup.results {
            let Some(reason) = self.reasons.get(result.name) else { continue };
            if let Outcome::Failed(finding) = &result.outcome {
                result.outcome = Outcome::Allowed(finding.clone());
                result.reason = Some(reason.trim().to_owned());
            }
        }
    }

    /// In words, each that no program of a target needs: all of them have passed the check.
    pub fn unneeded(&self, checkups: &[&Checkup], target: &str) -> Vec<String> {
        let has_passed = |name: &str| {
            let results = checkups.iter().flat_map(|checkup| &checkup.results);
            let mut outcomes = results.filter(|it| it.name == name).map(|it| &it.outcome);
            outcomes.all(|outcome| matches!(outcome, Outcome::Passed(_)))
        };
        let passed = self.reasons.keys().filter(|name| has_passed(name));
        passed
            .map(|name| {
                let place = &self.place;
                format!(
                    "`allow.{name}` in {place} allows what did not fail for {target}: take it out \
                     if no other target needs it"
                )
            })
            .collect()
    }
}
