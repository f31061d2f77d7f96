//! `cargo xtask plan`: what `dist` would do, step by step, and why. Touches nothing.

use anyhow::Result;

use crate::cli::{self, Global};
use crate::fetch;
use crate::links::{self, Link, Provision};
use crate::plan::{Plan, Step, difference};
use crate::report;
use crate::session::{Access, Session};

impl cli::Plan {
    /// Prints the plan, or why one step is stale.
    pub fn run(self, global: Global) -> Result<()> {
        let session = Session::open(global, Access::Read)?;
        for target in session.targets(&self.platform)? {
            let project = session.project(&self.package, &target.triple)?;
            let named = project.toolchain(&self.platform);
            let target = session.known_std(&project, named, &target)?;
            let triple = &target.triple;
            let plan = session.plan(named, &target, project.goal())?;
            if let Some(step) = &self.why {
                let answer = why(&session, &plan, step)?;
                report::event("why", serde_json::json!({ "step": step, "message": answer }));
                report::data(answer.trim_end());
            } else if self.pre_images && !report::is_json() {
                report::output(&pre_images(&plan));
            } else {
                report::data(format!("{} for {triple}", project.package.name));
                print(&session, &plan);
                print_bundled(&project.wanted.links);
            }
        }
        Ok(())
    }
}

fn print(session: &Session, plan: &Plan) {
    let stale = plan.stale(&|step| session.entry(step).exists());
    for (index, step) in plan.steps.iter().enumerate() {
        let (state, detail) = state(session, step, stale.contains(&index));
        report::data(format!("  {state:<9} {} {}{detail}", step.name, step.version));
        report::event(
            "plan",
            serde_json::json!({ "target": plan.target.triple, "step": step.name,
                "version": step.version, "state": state, "fingerprint": step.fingerprint,
                "pre_image": step.pre_image,
                "origin": step.source.as_ref().map(|s| fetch::origin_text(&s.origin)) }),
        );
    }
}

fn print_bundled(links: &[Link]) {
    for link in links {
        if let Provision::Bundled(Some(feature)) = &link.provision {
            report::data(format!(
                "  bundled   {} ({} {} has feature `{feature}` on)",
                link.name(),
                link.crate_name,
                link.crate_version
            ));
            report::event(
                "bundled",
                serde_json::json!({ "links": link.key, "crate": link.crate_name,
                    "version": link.crate_version, "feature": feature }),
            );
        }
    }
}

fn state(session: &Session, step: &Step, is_stale: bool) -> (&'static str, String) {
    if !is_stale {
        // A tool that no stale library calls may be missing.
        let is_there = session.entry(step).exists();
        return (if is_there { "fresh" } else { "unneeded" }, String::new());
    }
    match &step.source {
        Some(source) if !session.fetcher.has(source) => {
            ("to fetch", format!(" from {}, then to build", fetch::origin_text(&source.origin)))
        }
        Some(source) => ("to build", format!(" from {}", fetch::origin_text(&source.origin))),
        None => ("to build", String::new()),
    }
}

fn pre_images(plan: &Plan) -> String {
    let text = |step: &Step| {
        format!(
            "[{} {}]\nfingerprint {}\n{}\n",
            step.name, step.version, step.fingerprint, step.pre_image
        )
    };
    plan.steps.iter().map(text).collect()
}

/// Compares a step's inputs with those of the nearest entry of that name in the store.
fn why(session: &Session, plan: &Plan, name: &str) -> Result<String> {
    let Some(step) = plan.steps.iter().find(|step| step.name == name) else {
        let names: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
        return Err(
            links::unknown(format!("the plan has no step `{name}`"), name, names.iter()).into()
        );
    };
    let entry = session.entry(step);
    if entry.exists() {
        return Ok(format!("{name} is fresh: {}\n", entry.path().display()));
    }
    let nearest = session
        .store
        .entries_of(name)
        .into_iter()
        .filter_map(|entry| {
            let old = entry.pre_image()?;
            // An entry of another kind or target is no earlier form of this step.
            let is_same = |key: &str| line(&old, key) == line(&step.pre_image, key);
            (is_same("name ") && is_same("target "))
                .then(|| (entry, difference(&old, &step.pre_image)))
        })
        .min_by_key(|(_, lines)| lines.len());
    Ok(match nearest {
        None => format!("{name} was never built in this store\n"),
        Some((entry, lines)) => format!(
            "{name} is stale: since {} these inputs changed\n{}\n{}",
            entry.id(),
            lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"),
            hint(&lines)
        ),
    })
}

fn line<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find(|line| line.starts_with(key))
}

fn hint(lines: &[String]) -> String {
    let step = lines.iter().find_map(|line| line.strip_prefix("+ step "));
    let name = step.and_then(|text| text.split(' ').next());
    name.map_or_else(String::new, |name| {
        format!("a step before it changed: `cargo xtask plan --why {name}`\n")
    })
}
