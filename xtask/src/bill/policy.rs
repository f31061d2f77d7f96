//! Which licences are well: what the app's `deny.toml` says, as far as it is about licences, and
//! `[package.metadata.muslin.licenses]`. Nothing is forbidden where there is no such file.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::spdx::Expression;
use super::{Component, Role};
use crate::exit::{Exit, Failure};
use crate::session::Project;

/// Where cargo-deny looks, in a folder.
const FILES: [&str; 3] = ["deny.toml", ".deny.toml", ".cargo/deny.toml"];

#[derive(Deserialize)]
struct File {
    licenses: Option<Licenses>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
    clarify: Vec<Clarification>,
}

/// A crate that may have other licences. What cargo-deny calls a crate is any component here.
#[derive(Debug, Deserialize)]
struct Exception {
    #[serde(rename = "crate", alias = "name")]
    name: String,
    allow: Vec<String>,
}

/// What a crate's licence is in truth.
#[derive(Debug, Deserialize)]
struct Clarification {
    #[serde(rename = "crate", alias = "name")]
    name: String,
    expression: String,
}

/// What is said of a part whose licence only its text tells.
const NO_LICENSE: &str = "no SPDX expression";

/// What is well.
#[derive(Debug, Default)]
pub struct Policy {
    file: Option<PathBuf>,
    licenses: Licenses,
    /// By component, the file with its licence's text.
    pub texts: BTreeMap<String, PathBuf>,
}

impl Policy {
    /// That of an app.
    pub fn of(project: &Project) -> Result<Self> {
        let wishes = &project.wanted.licenses;
        let folders = [project.folder(), &project.metadata.workspace_root];
        let files = folders.into_iter().flat_map(|folder| FILES.map(|name| folder.join(name)));
        let mut policy = Self::default();
        // What the authors of a published crate allow themselves is not what its users do.
        let mut files = files.filter(|file| project.published.is_none() && file.is_file());
        if let Some(file) = files.next() {
            let bad = |error: &dyn std::fmt::Display| {
                let message = format!("cannot read {}: {error}", file.display());
                Failure::new(Exit::Usage, message)
                    .help("it is cargo-deny's configuration, of which `dist` reads `[licenses]`")
            };
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let read: File = toml::from_str(&text).map_err(|error| bad(&error))?;
            if let Some(mut licenses) = read.licenses {
                licenses.allow.extend(wishes.allow.iter().cloned());
                policy.licenses = licenses;
                policy.file = Some(file);
            }
        }
        for (name, path) in &wishes.texts {
            let path = project.folder().join(path);
            if !path.is_file() {
                let place = project.manifest.display();
                let message = format!(
                    "`licenses.texts` in {place} names {}, which is not there",
                    path.display()
                );
                return Err(Failure::new(Exit::Usage, message).into());
            }
            policy.texts.insert(name.clone(), path);
        }
        Ok(policy)
    }

    /// The expression of a component, as it is to be read.
    pub fn expression<'a>(&'a self, component: &'a Component) -> Option<&'a str> {
        let is_it = |it: &&Clarification| is_named(&it.name, component);
        let clarified = self.licenses.clarify.iter().find(is_it).map(|it| it.expression.as_str());
        clarified.or(component.license.as_deref())
    }

    /// Whether a licence is well for a component.
    pub fn allows(&self, license: &str, component: &Component) -> bool {
        let exceptions = self.licenses.exceptions.iter().filter(|it| is_named(&it.name, component));
        let mut allowed = exceptions.flat_map(|it| &it.allow).chain(&self.licenses.allow);
        self.file.is_none() || allowed.any(|it| it == license)
    }

    /// Fails if there is a list and the licence of a component cannot be met with what is on it. What
    /// Rust brings is in every program in Rust, and no such list is about it.
    pub fn require(&self, components: &[&Component]) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let is_bad = |component: &&&Component| {
            let expression = self.expression(component);
            let read = expression.and_then(Expression::read);
            let is_well = |name: &str| self.allows(name, component);
            let is_met = read.is_some_and(|it| it.met_by(&is_well).is_some());
            // Of a crate's own copy nobody has said anything; the crate itself is looked at.
            let is_known = expression.is_some() || component.role != Role::Bundled;
            !is_met && is_known && component.role != Role::Runtime
        };
        let bad: Vec<_> = components.iter().filter(is_bad).collect();
        let Some(first) = bad.first() else { return Ok(()) };
        let lines: Vec<_> = bad
            .iter()
            .map(|it| format!("  {}: {}", it.label(), self.expression(it).unwrap_or(NO_LICENSE)))
            .collect();
        let message = format!(
            "the programs have parts whose licences {} does not allow:\n{}",
            file.display(),
            lines.join("\n")
        );
        let failure = Failure::new(Exit::CheckFailed, message);
        Err(self.with_advice(failure, first).into())
    }

    fn with_advice(&self, failure: Failure, component: &Component) -> Failure {
        let name = &component.name;
        let read = self.expression(component).and_then(Expression::read);
        let Some(read) = read else {
            return failure.help(format!(
                "read it, and say there what it is: `[[licenses.clarify]]` with `crate = \"{name}\"` \
                 and an SPDX expression"
            ));
        };
        let mut lacking = read.names();
        lacking.retain(|license| !self.allows(license, component));
        let list = lacking.join("\", \"");
        failure
            .help(format!(
                "if you meet its terms: add \"{list}\" to `allow` under `[licenses]` there, or for this \
                 one alone `exceptions = [{{ crate = \"{name}\", allow = [\"{list}\"] }}]`"
            ))
            .help("or to `licenses.allow` under `[package.metadata.muslin]`: cargo-deny knows no C libraries")
    }
}

/// `name`, or `name@version` of which we take the name.
fn is_named(name: &str, component: &Component) -> bool {
    name.split(['@', ':']).next() == Some(&component.name)
}
