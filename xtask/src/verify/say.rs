//! What `verify` found, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::blame::Cause;
use super::compare::{Amount, Comparison, Difference, Side};
use super::diagnose::Finding;
use super::machine::Machine;
use crate::report::{self, human_bytes};

/// How many files, and how many places in each, are shown.
const SHOWN_FILES: usize = 20;
const SHOWN_PLACES: usize = 3;

impl Comparison {
    /// Everything that was compared.
    pub fn total(&self) -> Amount {
        self.amounts.values().fold(Amount::default(), |sum, amount| Amount {
            files: sum.files + amount.files,
            bytes: sum.bytes + amount.bytes,
        })
    }
}

/// What was compared, and what was different around the two builds.
pub fn table(comparison: &Comparison, machine: &Machine) {
    let mut text = String::from("compared:\n");
    let of_programs = |name: &&String| *name == "programs";
    let width = comparison.amounts.keys().map(String::len).max().unwrap_or_default();
    let mut rows: Vec<_> = comparison.amounts.iter().collect();
    rows.sort_by_key(|(name, _)| !of_programs(name));
    for (name, Amount { files, bytes }) in rows {
        let _ = writeln!(text, "  {name:<width$}  {files:>6} files  {:>10}", human_bytes(*bytes));
    }
    text.push_str("varied:\n");
    for (variation, can) in &machine.can {
        let words = variation.words();
        let _ = match can {
            Ok(how) => writeln!(text, "  {words:<26}  {how}"),
            Err(why) => writeln!(text, "  {words:<26}  NOT VARIED: {why}"),
        };
    }
    if machine.can.is_empty() {
        text.push_str("  nothing\n");
    }
    report::data(text.trim_end());
}

/// The same, and what differs, as JSON.
pub fn events(
    triple: &str,
    comparison: &Comparison,
    causes: &BTreeMap<String, Cause>,
    machine: &Machine,
) {
    for (file, difference) in &comparison.different {
        let places: Vec<_> = places(difference)
            .iter()
            .map(|finding| {
                serde_json::json!({
                    "inside": finding.inside, "offset": finding.offset, "symbol": finding.symbol,
                    "first": finding.bytes[0], "second": finding.bytes[1],
                    "first_text": finding.texts[0], "second_text": finding.texts[1],
                })
            })
            .collect();
        let cause = causes.get(file).unwrap_or(&Cause::Unknown);
        report::event(
            "verify-difference",
            serde_json::json!({
                "target": triple, "file": file, "what": what(difference), "places": places,
                "caused_by": cause.names(), "cause": cause.text(),
            }),
        );
    }
    let variations: Vec<_> = machine
        .can
        .iter()
        .map(|(variation, can)| {
            let (is_varied, text) = match can {
                Ok(how) => (true, how),
                Err(why) => (false, why),
            };
            serde_json::json!({ "name": variation.name(), "varied": is_varied, "detail": text })
        })
        .collect();
    let total = comparison.total();
    report::event(
        "verified",
        serde_json::json!({
            "target": triple, "same": comparison.different.is_empty(), "files": total.files,
            "bytes": total.bytes, "variations": variations,
        }),
    );
}

fn places(difference: &Difference) -> &[Finding] {
    match difference {
        Difference::Bytes(findings) => findings,
        _ => &[],
    }
}

fn what(difference: &Difference) -> String {
    match difference {
        Difference::OnlyIn(Side::First) => "only the first build has it".to_owned(),
        Difference::OnlyIn(Side::Second) => "only the second build has it".to_owned(),
        Difference::Kind(one, two) => format!("{one}; in the second build {two}"),
        Difference::Bytes(_) => "other bytes".to_owned(),
    }
}

/// Places worth a look: those with a text, if there are any, else the first few.
fn shown(places: &[Finding]) -> &[Finding] {
    let telling = places.iter().take_while(|finding| finding.is_telling()).count();
    let count = if telling == 0 { SHOWN_PLACES } else { telling };
    &places[..count.min(SHOWN_PLACES).min(places.len())]
}

/// What differs, where, and why.
pub fn differences(
    title: &str,
    comparison: &Comparison,
    causes: &BTreeMap<String, Cause>,
) -> String {
    let count = comparison.different.len();
    let total = comparison.total().files;
    let verb = if count == 1 { "is" } else { "are" };
    let mut text =
        format!("{title}: {count} of {total} files {verb} not the same in a second build");
    for (file, difference) in comparison.different.iter().take(SHOWN_FILES) {
        let cause = causes.get(file).unwrap_or(&Cause::Unknown).text();
        let _ = write!(text, "\n  {file}: {cause}");
        let places = places(difference);
        if places.is_empty() {
            let _ = write!(text, "\n    {}", what(difference));
        }
        let shown = shown(places);
        for finding in shown {
            let _ = write!(text, "\n    {}", finding.text().replace('\n', "\n    "));
        }
        match places.len() - shown.len() {
            0 => {}
            1 => text.push_str("\n    and in 1 more place"),
            more => drop(write!(text, "\n    and in {more} more places")),
        }
    }
    if let Some(more @ 1..) = count.checked_sub(SHOWN_FILES) {
        let _ = write!(text, "\n  and {more} more files");
    }
    text
}
