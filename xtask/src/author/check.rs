//! `recipe check`: everything that can be said of recipes without building them. What could not be
//! tried is said too, and is no mistake.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{Desk, Subject, fix, inspect, known, paths};
use crate::cli::{Global, RecipeCheck};
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::fetch::{Reach, origin_text};
use crate::plan::Goal;
use crate::recipe::guess::{guess, quote};
use crate::recipe::{Origin, Recipes, Source};
use crate::report;
use crate::session::{Access, Session};

/// What is known of one recipe.
#[derive(Default)]
struct Findings {
    /// Mistakes.
    wrong: Vec<String>,
    /// What was tried and is well.
    well: Vec<String>,
    /// What could not be tried, and why.
    untried: Vec<String>,
}

impl RecipeCheck {
    /// Checks the recipes; a mistake ends with exit code 3.
    pub fn run(self, global: Global) -> Result<()> {
        let mut desk = Desk::open(&global)?;
        let chosen = paths(&desk.files, &self.recipes)?;
        if self.fix {
            fix::run(&mut desk, &chosen, !self.recipes.is_empty())?;
        }
        let recipes = desk.recipes()?;
        let subjects = Subject::all(&recipes);
        let subjects = subjects.iter().filter(|subject| chosen.contains(&subject.file()));
        let session = Session::open(global, Access::Read)?;
        let mut hosts = BTreeMap::new();
        let mut mistakes = 0;
        for subject in subjects {
            let mut findings = Findings::default();
            self.look(&desk, &recipes, subject, &mut hosts, &mut findings)?;
            plan(&session, subject, &mut findings);
            mistakes += findings.wrong.len();
            say(subject, &findings);
        }
        match mistakes {
            0 => Ok(()),
            1 => Err(failure("a recipe has a mistake".to_owned())),
            _ => Err(failure(format!("recipes have {mistakes} mistakes"))),
        }
    }

    fn look(
        &self,
        desk: &Desk,
        recipes: &Recipes,
        subject: &Subject<'_>,
        hosts: &mut BTreeMap<String, String>,
        findings: &mut Findings,
    ) -> Result<()> {
        if subject.license_files.is_empty() {
            let fix = format!("`cargo xtask recipe check --fix {}` looks for it", subject.name);
            let line = format!("no `license-file`: {fix}");
            let is_here = subject.sources.iter().any(|source| desk.fetcher.has(source));
            if is_here { findings.wrong.push(line) } else { findings.untried.push(line) }
        }
        links(desk, recipes, subject, findings);
        for source in subject.sources {
            let place = origin_text(&source.origin);
            if let Some(why) = no_digest(&source.digest) {
                findings.wrong.push(format!("{place}: {why}"));
            }
            if !self.fetch {
                addresses(desk, source, hosts, findings);
            }
            // Unpacking takes seconds: not for all recipes unless asked for.
            if self.recipes.is_empty() && !self.fetch {
                continue;
            }
            match desk.tree(&subject.what(), source, self.fetch) {
                Ok(Some(tree)) => {
                    let wrong = inspect::tree(subject, &tree)?;
                    if wrong.is_empty() {
                        findings.well.push(format!("{place} as the recipe says"));
                    }
                    findings.wrong.extend(wrong.iter().map(|why| format!("{place}: {why}")));
                }
                Ok(None) => findings.untried.push(format!("{place}: not fetched (`--fetch` does)")),
                Err(error) => match Failure::find(&error).map(|failure| failure.exit) {
                    Some(Exit::VerificationFailed) => findings.wrong.push(format!("{error:#}")),
                    _ if desk.fetcher.has(source) => findings.wrong.push(format!("{error:#}")),
                    _ => findings.untried.push(first_reason(&place, &error)),
                },
            }
        }
        Ok(())
    }
}

fn failure(message: String) -> anyhow::Error {
    Failure::new(Exit::RecipeInvalid, message).into()
}

/// Why a place did not serve: its line of an error that may have several.
fn first_reason(place: &str, error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    let reason = text.lines().map(str::trim).find_map(|line| line.strip_prefix(place));
    format!("{place}: {}", reason.map_or(text.as_str(), |reason| reason.trim_start_matches(": ")))
}

/// Digests that somebody has put in to be done with it.
fn no_digest(digest: &Digest) -> Option<&'static str> {
    let hex = digest.hex();
    if *digest == Digest::sha256_of(b"") {
        return Some("this is the digest of an empty file");
    }
    let digits: BTreeSet<char> = hex.chars().collect();
    (digits.len() < 4).then_some("this is no digest of anything")
}

/// Whether some published crate has each key; a key that nobody knows may be new or misspelt.
fn links(desk: &Desk, recipes: &Recipes, subject: &Subject<'_>, findings: &mut Findings) {
    let Some(library) = subject.library else { return };
    for key in &library.links {
        let crates = known::crates_with(key, &desk.fetcher.cargo_home);
        if !crates.is_empty() {
            findings.well.push(format!("links {key} ({})", crates.join(", ")));
            continue;
        }
        let others: Vec<&str> =
            recipes.libraries.values().flat_map(|it| it.links.iter()).map(String::as_str).collect();
        let meant = guess(key, known::keys().filter(|known| !others.contains(known)));
        match meant {
            Some(meant) => findings.wrong.push(format!(
                "`links`: no crate is known that links {}; did you mean {}?",
                quote(key),
                quote(meant)
            )),
            None => findings.untried.push(format!(
                "links {key}: no crate in the table or in cargo's folder has it, and registries cannot be asked by key"
            )),
        }
    }
}

/// Whether addresses serve; a host that was not reached once is not asked again.
fn addresses(
    desk: &Desk,
    source: &Source,
    hosts: &mut BTreeMap<String, String>,
    findings: &mut Findings,
) {
    let Origin::Url { url, mirrors } = &source.origin else { return };
    for url in std::iter::once(url).chain(mirrors) {
        let host = url.split('/').nth(2).unwrap_or_default().to_owned();
        let reach = match hosts.get(&host) {
            Some(why) => Reach::NotTried(why.clone()),
            None => desk.fetcher.reach(url),
        };
        match reach {
            Reach::Yes => findings.well.push(format!("{url} serves")),
            Reach::No(why) => findings.wrong.push(format!("{url} {why}")),
            Reach::NotTried(why) => {
                findings.untried.push(format!("{url}: {why}"));
                hosts.insert(host, why);
            }
        }
    }
}

/// Whether there is a plan for it, for each target; and whether it was built here.
fn plan(session: &Session, subject: &Subject<'_>, findings: &mut Findings) {
    if subject.library.is_none() {
        return;
    }
    let libraries = [subject.name.to_owned()];
    for target in session.recipes.targets.values() {
        let goal = Goal::libraries(&libraries);
        match session.plan(None, target, goal) {
            Err(error) => findings.wrong.push(format!("{}: {error:#}", target.triple)),
            Ok(plan) => {
                let mut steps = plan.libraries();
                let step = steps.find(|(step, _)| step.name == subject.name);
                if step.is_some_and(|(step, _)| session.entry(step).exists()) {
                    findings.well.push(format!("built for {}", target.triple));
                } else {
                    findings.untried.push(format!("not built here for {}", target.triple));
                }
            }
        }
    }
}

fn say(subject: &Subject<'_>, findings: &Findings) {
    let file = subject.file();
    for why in &findings.wrong {
        report::warning(format!("{file}: {why}"));
    }
    let wrong = match findings.wrong.len() {
        0 => String::new(),
        1 => ", 1 mistake".to_owned(),
        count => format!(", {count} mistakes"),
    };
    let (well, untried) = (findings.well.len(), findings.untried.len());
    report::status(
        "Checked",
        format!("{}: {well} well, {untried} not tried{wrong}", subject.what()),
    );
    for line in &findings.well {
        report::detail("Well", line);
    }
    for line in &findings.untried {
        report::status("Not tried", line);
    }
    report::event(
        "recipe-check",
        serde_json::json!({
            "recipe": file,
            "wrong": findings.wrong,
            "well": findings.well,
            "untried": findings.untried,
        }),
    );
}
