//! `verify --against`: a colleague's manifest and ours → whether the programs are the same and, where
//! they are not, what was not the same before.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::cli::{self, Global};
use crate::exit::{Exit, Failure};
use crate::report;
use crate::session::{Access, Session};

/// Fields that are no inputs: they are compared as what came out, or say nothing about it.
const OUTPUTS: &str = "executables";
const NO_INPUTS: [&str; 3] = [OUTPUTS, "schema", "sandbox"];

/// Fields by which the parts of a list are told apart, most telling first.
const KEYS: [&str; 3] = ["name", "links", "crate"];

/// What two manifests have different.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Programs: name, and the digests of theirs and ours.
    pub programs: Vec<Row>,
    /// Inputs that are not the same.
    pub inputs: Vec<Row>,
    /// Inputs of which one manifest says nothing, usually an older one.
    pub untold: Vec<String>,
    /// How many programs were compared.
    pub count: usize,
}

/// One line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What.
    pub what: String,
    /// Theirs; nothing if they have none.
    pub theirs: Option<String>,
    /// Ours.
    pub ours: Option<String>,
}

/// Runs the command.
pub fn run(command: &cli::Verify, theirs: &Path, global: Global) -> Result<()> {
    let their_text = read(theirs)?;
    let ours = match &command.manifest {
        Some(file) => read(file)?,
        None => read(&dist(command, global, &their_text)?)?,
    };
    let comparison = compare(&their_text, &ours);
    let rows = |rows: &[Row]| -> Vec<Value> {
        let row = |row: &Row| serde_json::json!({ "what": row.what, "theirs": row.theirs, "ours": row.ours });
        rows.iter().map(row).collect()
    };
    report::event(
        "against",
        serde_json::json!({
            "same": comparison.programs.is_empty(), "programs": rows(&comparison.programs),
            "inputs": rows(&comparison.inputs), "untold": comparison.untold,
        }),
    );
    let text = comparison.text();
    if comparison.programs.is_empty() {
        report::data(text.trim_end());
        return Ok(());
    }
    let mut failure = Failure::new(Exit::VerificationFailed, text.trim_end());
    for help in comparison.help() {
        failure = failure.help(help);
    }
    Err(failure.into())
}

/// Builds for the target of the other manifest, unless one was named.
fn dist(command: &cli::Verify, global: Global, theirs: &Value) -> Result<std::path::PathBuf> {
    let session = Session::open(global, Access::Write)?;
    let mut platform = command.platform.clone();
    let known = theirs["target"].as_str().filter(|triple| session.target(triple).is_ok());
    if let (Some(triple), true) = (known, platform.target.is_empty() && !platform.all_targets) {
        platform.target.push(triple.to_owned());
        let cpu = theirs["target_cpu"].as_str().map(str::to_owned);
        platform.target_cpu = platform.target_cpu.or(cpu);
    }
    let target = session.one_target(&platform, "a manifest is that of")?;
    let order = cli::Dist {
        package: command.package.clone(),
        platform: platform.clone(),
        bin: command.bin.clone(),
        profile: command.profile.clone(),
        out_dir: None,
        only: vec![cli::Product::Programs],
        sign: None,
    };
    Ok(order.run_for(&session, &target)?.place.join("manifest.json"))
}

fn read(file: &Path) -> Result<Value> {
    let place = if file.is_dir() { file.join("manifest.json") } else { file.to_owned() };
    let text =
        fs::read_to_string(&place).with_context(|| format!("cannot read {}", place.display()))?;
    let broken = |why: String| {
        Failure::new(Exit::Usage, format!("{} is no manifest of a build: {why}", place.display()))
            .help("`cargo xtask dist` writes it beside the programs, as `manifest.json`")
    };
    let manifest: Value = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    if !manifest[OUTPUTS].is_array() {
        return Err(broken(format!("it has no `{OUTPUTS}`")).into());
    }
    Ok(manifest)
}

/// Compares two manifests.
pub fn compare(theirs: &Value, ours: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    let [their_programs, our_programs] = [theirs, ours].map(programs);
    for name in union(&their_programs, &our_programs) {
        comparison.count += 1;
        let row = Row {
            what: name.clone(),
            theirs: their_programs.get(&name).cloned(),
            ours: our_programs.get(&name).cloned(),
        };
        if row.theirs != row.ours {
            comparison.programs.push(row);
        }
    }
    let [their_inputs, our_inputs] = [theirs, ours].map(inputs);
    for what in union(&their_inputs, &our_inputs) {
        let row = Row {
            theirs: their_inputs.get(&what).cloned(),
            ours: our_inputs.get(&what).cloned(),
            what,
        };
        let field = row.what.split([' ', '.']).next().unwrap_or_default();
        let is_untold = [theirs, ours].iter().any(|manifest| manifest.get(field).is_none());
        if is_untold {
            comparison.untold.push(row.what);
        } else if row.theirs != row.ours {
            comparison.inputs.push(row);
        }
    }
    comparison
}

fn union(one: &BTreeMap<String, String>, two: &BTreeMap<String, String>) -> Vec<String> {
    let mut all: Vec<_> = one.keys().chain(two.keys()).cloned().collect();
    all.sort();
    all.dedup();
    all
}

fn programs(manifest: &Value) -> BTreeMap<String, String> {
    let list = manifest[OUTPUTS].as_array().into_iter().flatten();
    list.map(|program| (plain(&program["name"]), plain(&program["sha256"]))).collect()
}

/// Every input with its value: `toolchain.version`, `libraries openssl.digest`.
fn inputs(manifest: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, value) in manifest.as_object().into_iter().flatten() {
        if !NO_INPUTS.contains(&name.as_str()) {
            flatten(name.clone(), value, &mut found);
        }
    }
    found
}

fn flatten(name: String, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                flatten(format!("{name}.{field}"), value, found);
            }
        }
        Value::Array(list) if list.iter().any(Value::is_object) => {
            for part in list {
                let key = KEYS.iter().find_map(|key| part.get(*key)).map(plain).unwrap_or_default();
                flatten(format!("{name} {key}"), part, found);
            }
        }
        // `commit-date: 2026-04-14` is a field in everything but its form.
        Value::Array(list) if list.iter().skip(1).any(|line| plain(line).contains(": ")) => {
            for line in list.iter().map(plain) {
                if let Some((field, value)) = line.split_once(": ") {
                    found.insert(format!("{name}.{field}"), value.to_owned());
                }
            }
        }
        Value::Array(list) if list.is_empty() => {}
        Value::Array(list) => {
            found.insert(name, list.iter().map(plain).collect::<Vec<_>>().join(" "));
        }
        other => drop(found.insert(name, plain(other))),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Comparison {
    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let count = self.count;
        if self.programs.is_empty() {
            let _ = writeln!(text, "the same programs: {count} of {count} have the same bytes");
            if !self.inputs.is_empty() {
                text.push_str("although these inputs are not the same:\n");
                text.push_str(&table(&self.inputs));
            }
        } else {
            let differing = self.programs.len();
            let _ = writeln!(text, "{differing} of {count} programs are not the same");
            text.push_str(&table(&self.programs));
            if self.inputs.is_empty() {
                text.push_str("all inputs that the manifests tell of are the same\n");
            } else {
                text.push_str("these inputs are not the same:\n");
                text.push_str(&table(&self.inputs));
            }
        }
        if !self.untold.is_empty() {
            let _ = writeln!(text, "only one manifest tells of: {}", self.untold.join(", "));
        }
        text
    }

    /// What to do about programs that differ.
    fn help(&self) -> Vec<String> {
        if !self.inputs.is_empty() {
            return vec!["build both from the same inputs, then compare again".to_owned()];
        }
        vec![
            "what a manifest does not tell of may be it: the app's own sources and its \
             .cargo/config.toml (are both of the same commit, with nothing changed?), its build \
             scripts, variables that it reads"
                .to_owned(),
            "`cargo xtask verify` builds twice here, and names what makes a difference".to_owned(),
        ]
    }
}

/// Rows with theirs and ours below each other: digests are long.
fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.what.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for row in rows {
        for (what, side, value) in
            [(row.what.as_str(), "theirs", &row.theirs), ("", "ours", &row.ours)]
        {
            let value = value.as_deref().unwrap_or("(none)");
            let _ = writeln!(text, "  {what:<width$}  {side:<6}  {value}");
        }
    }
    text
}

#[cfg(test)]
mod tests;
