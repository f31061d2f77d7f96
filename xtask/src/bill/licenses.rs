//! `THIRD-PARTY-LICENSES.txt`: the texts that go with programs, of all that is linked into them. Equal
//! texts stand once, with the list of those who have them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::policy::Policy;
use super::texts::{self, Text};
use super::{Bill, Component, Role, Source, Texts, notices};
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::report;
use crate::session::Project;

/// Bump when the same components are written otherwise.
pub const FORMAT: &str = "licenses 1";

/// A line between texts.
const RULE_WIDTH: usize = 80;

impl Bill {
    /// What the texts are made of, to tell whether they have to be made anew: a crate of a registry,
    /// an entry of the store and a Rust never change in their place.
    pub fn licenses_pre_image(&self, project: &Project) -> Result<String> {
        let policy = Policy::of(project)?;
        let mut text = format!("{FORMAT}\n{policy:?}\n");
        for file in policy.texts.values() {
            let _ = writeln!(text, "{}", Digest::sha256_of(&fs::read(file)?).hex());
        }
        for component in self.passed_on() {
            let Component { role, license, authors, texts, .. } = component;
            let _ = writeln!(
                text,
                "{} {role:?} {license:?} {authors:?} {texts:?} {:?}",
                component.label(),
                changeable(component)?
            );
        }
        Ok(text)
    }

    /// The text of the file. Fails if a licence is not allowed, or has no text.
    pub fn licenses(&self, project: &Project) -> Result<String> {
        let policy = Policy::of(project)?;
        let parts: Vec<_> = self.passed_on().collect();
        policy.require(&parts)?;
        let (mut found, mut lacking) = (Vec::new(), Vec::new());
        for component in &parts {
            let texts = texts::of(component, &policy)?;
            let may_lack = component.role == Role::Bundled;
            if texts.is_empty() && !may_lack {
                lacking.push(*component);
            }
            found.push((*component, texts));
        }
        if !lacking.is_empty() {
            let failure = no_text(&lacking);
            if project.published.is_none() {
                return Err(failure.into());
            }
            // Who installs somebody's program cannot mend it.
            report::warning(failure);
        }
        Ok(compose(&self.components[0], &found, &policy))
    }

    /// What is in the programs and somebody else's. What is on this disk without a licence is the
    /// user's own.
    fn passed_on(&self) -> impl Iterator<Item = &Component> {
        let is_own = |it: &Component| it.role == Role::Crate(Source::Local) && it.license.is_none();
        self.components
            .iter()
            .filter(move |it| it.role != Role::Tool && !is_own(it) && it.texts != Texts::None)
    }

    /// Whether this Rust has no notices of what its standard library is made of.
    pub fn lacks_notices(&self) -> bool {
        self.components.iter().any(|it| match &it.texts {
            Texts::Rust { sysroot, .. } => !notices::are_there(sysroot),
            _ => false,
        })
    }
}

/// The texts of what is on this disk, which may be changed there, or named by the user.
fn changeable(component: &Component) -> Result<Vec<Text>> {
    match component.role {
        Role::Crate(Source::Local) => texts::of(component, &Policy::default()),
        _ => Ok(Vec::new()),
    }
}

fn no_text(lacking: &[&Component]) -> Failure {
    let lines: Vec<_> = lacking
        .iter()
        .map(|it| {
            let license = it.license.as_deref().unwrap_or("no licence is named");
            format!("  {} ({license})", it.label())
        })
        .collect();
    let message = format!(
        "the programs have parts whose licence has no text to be passed on with them:\n{}",
        lines.join("\n")
    );
    Failure::new(Exit::CheckFailed, message)
        .help(format!(
            "get it from its authors and name the file under `[package.metadata.muslin]`: \
             `licenses.texts = {{ {} = \"licenses/{0}.txt\" }}`",
            lacking[0].name
        ))
        .help("`--only programs` packs without it")
}

fn compose(root: &Component, found: &[(&Component, Vec<Text>)], policy: &Policy) -> String {
    let title = format!("Third-party software in {}", root.label());
    let mut text = format!("{title}\n{}\n\n", "=".repeat(title.chars().count()));
    text.push_str("Its programs are made of these parts, whose licences follow.\n\n");
    let mut rows: Vec<(String, &str)> = found
        .iter()
        .map(|(it, _)| (it.label(), policy.expression(it).unwrap_or("see its text")))
        .collect();
    rows.sort_unstable();
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    for (label, license) in &rows {
        let _ = writeln!(text, "  {label:width$}  {license}");
    }
    text.push_str(
        "\nWhere it says \"the standard text\", the part came without a file of its licence: it is the\n\
         text of the SPDX list, with the authors that the part names.\n",
    );
    // By the words alone: the same licence is often broken into other lines.
    let mut groups = BTreeMap::<String, (Vec<String>, &str)>::new();
    for (component, texts) in found {
        for Text { name, text } in texts {
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let group = groups.entry(words).or_insert_with(|| (Vec::new(), text));
            group.0.push(format!("{} ({name})", component.label()));
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.iter_mut().for_each(|(who, _)| who.sort_unstable());
    groups.sort_unstable();
    for (who, licence) in groups {
        let rule = "-".repeat(RULE_WIDTH);
        let _ = write!(text, "\n{rule}\n{}\n{rule}\n\n{licence}\n", who.join("\n"));
    }
    text
}

/// The name of the file.
pub const FILE: &str = "THIRD-PARTY-LICENSES.txt";

/// Where it is kept for those who pack it: it is made once, wherever it goes.
pub fn place(project: &Project, target: &str) -> PathBuf {
    let name = format!("licenses-{}-{target}.txt", project.package.name);
    project.metadata.target_directory.join("muslin").join(name)
}
