//! `manifest.json`: what was built, from what, with what, and what the checks said.
//!
//! `docs/manifest.md` documents it. Nothing in it depends on the time, the user or the folder: two
//! machines that took the same origins write the same bytes.

use anyhow::Result;
use serde::Serialize;

use super::copies::{self, Copy};
use crate::app::Program;
use crate::check::Checked;
use crate::digest::Digest;
use crate::host::Host;
use crate::linked::Archive;
use crate::plan::{Plan, Step, Work};
use crate::rust::from_source;
use crate::session::{Project, Session};

/// Raised when a field changes its meaning or goes away; new fields do not raise it.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Manifest<'a> {
    schema: u32,
    muslin: &'static str,
    package: Package<'a>,
    target: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_cpu: Option<&'a str>,
    profile: &'a str,
    features: &'a [String],
    lockfile: Option<String>,
    rustc: &'a str,
    rustc_version: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    std: Option<StandardLibrary>,
    toolchain: Input<'a>,
    driver: &'a str,
    sandbox: &'a str,
    host: String,
    tools: Vec<Input<'a>>,
    libraries: Vec<Input<'a>>,
    bundled: Vec<Bundled<'a>>,
    copies: Vec<Copy<'a>>,
    sysroot: &'a str,
    executables: Vec<Executable<'a>>,
}

#[derive(Serialize)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    license: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<Source<'a>>,
}

/// Where a published crate comes from.
#[derive(Serialize)]
struct Source<'a> {
    origin: String,
    digest: &'a str,
    locked: bool,
}

/// Something fetched and built by a recipe.
#[derive(Serialize)]
struct Input<'a> {
    name: &'a str,
    version: &'a str,
    license: &'a str,
    origin: String,
    digest: String,
    fingerprint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<String>,
}

/// Rust's standard library, built from source.
#[derive(Serialize)]
struct StandardLibrary {
    version: String,
    origin: String,
    fingerprint: String,
}

/// A C library that a crate compiles by itself.
#[derive(Serialize)]
struct Bundled<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<&'a str>,
    #[serde(rename = "crate")]
    crate_name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Executable<'a> {
    name: &'a str,
    size_bytes: u64,
    sha256: String,
    libc: &'a str,
    unwinder: &'a str,
    malloc: &'a str,
    linked: &'a [Archive],
    checks: Vec<Check<'a>>,
}

#[derive(Serialize)]
struct Check<'a> {
    name: &'a str,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// What came out, and how.
pub struct Made<'a> {
    /// What the build had of the machine.
    pub host: &'a Host,
    /// The programs.
    pub programs: &'a [Program],
    /// For each of them the archives that are in it.
    pub linked: &'a [Vec<Archive>],
    /// The same, checked.
    pub checked: &'a [Checked],
}

/// The manifest's text.
pub fn text(
    session: &Session,
    project: &Project,
    plan: &Plan,
    profile: &str,
    made: &Made<'_>,
) -> Result<String> {
    let toolchain = match &plan.toolchain().work {
        Work::Toolchain(recipe) => recipe.license.as_str(),
        _ => "",
    };
    let links = &project.wanted.links;
    let bundled = links.iter().filter(|link| link.is_own()).map(|link| Bundled {
        links: link.key.as_deref(),
        crate_name: &link.crate_name,
        version: &link.crate_version,
    });
    let executables = made.programs.iter().zip(made.linked).zip(made.checked);
    let executables = executables.map(|((program, linked), checked)| Executable {
        linked,
        name: &program.name,
        size_bytes: checked.size_bytes(),
        sha256: checked.sha256().hex(),
        libc: checked.said("libc"),
        unwinder: checked.said("unwinder"),
        malloc: checked.said("malloc"),
        checks: checked
            .checks()
            .map(|(name, outcome, reason)| Check { name, outcome, reason })
            .collect(),
    });
    let package = &project.package;
    let manifest = Manifest {
        schema: SCHEMA,
        muslin: env!("CARGO_PKG_VERSION"),
        package: Package {
            name: &package.name,
            version: &package.version,
            license: package.license.as_deref(),
            published: project.published.as_ref().map(|it| Source {
                origin: origin(&it.origin),
                digest: &it.digest,
                locked: it.is_locked,
            }),
        },
        target: &plan.target.triple,
        target_cpu: plan.target.cpu.as_deref(),
        profile,
        features: &project.features,
        lockfile: lockfile(project),
        rustc: project.rust.short_version(),
        rustc_version: project.rust.version.lines().collect(),
        std: standard_library(session, project, plan)?,
        toolchain: input(session, plan.toolchain(), toolchain),
        driver: &plan.driver().fingerprint,
        sandbox: session.sandbox()?.way().word(),
        host: made.host.describe(),
        tools: tools(session, plan).collect(),
        libraries: plan.libraries().map(|(step, l)| input(session, step, &l.license)).collect(),
        bundled: bundled.collect(),
        copies: links.iter().map(|link| copies::copy(link, made.linked)).collect(),
        sysroot: &plan.sysroot().fingerprint,
        executables: executables.collect(),
    };
    // These types cannot fail to be written.
    Ok(serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n")
}

/// The tools that took part, as far as the store has them.
fn tools<'a>(session: &'a Session, plan: &'a Plan) -> impl Iterator<Item = Input<'a>> {
    plan.steps.iter().filter_map(|step| match &step.work {
        Work::Tool(tool) if session.entry(step).exists() => {
            Some(input(session, step, &tool.license))
        }
        _ => None,
    })
}

/// The digest of the Cargo.lock with which the app was built.
fn lockfile(project: &Project) -> Option<String> {
    let file = project.metadata.workspace_root.join("Cargo.lock");
    std::fs::read(file).ok().map(|bytes| Digest::sha256_of(&bytes).to_string())
}

fn input<'a>(session: &Session, step: &'a Step, license: &'a str) -> Input<'a> {
    Input {
        name: &step.name,
        version: &step.version,
        license,
        origin: origin(session.entry(step).origin().as_deref().unwrap_or("unknown")),
        digest: step.source.as_ref().map(|source| source.digest.to_string()).unwrap_or_default(),
        fingerprint: &step.fingerprint,
        sandbox: session.entry(step).sandbox(),
    }
}

/// Who served something; of a mirror that is a folder its name is this machine's business.
fn origin(served_by: &str) -> String {
    if served_by.starts_with("mirror /") { "mirror".to_owned() } else { served_by.to_owned() }
}

/// Nothing if rustup brings it: then it is part of Rust.
fn standard_library(
    session: &Session,
    project: &Project,
    plan: &Plan,
) -> Result<Option<StandardLibrary>> {
    let Some(std) = from_source::recipe(&session.recipes, &plan.target)? else { return Ok(None) };
    let pre_image = from_source::pre_image(std, &project.rust, plan);
    let entry = from_source::entry(&session.store, std, &pre_image);
    Ok(Some(StandardLibrary {
        version: std.version.clone(),
        origin: entry.origin().unwrap_or_default(),
        fingerprint: Digest::sha256_of(pre_image.as_bytes()).hex(),
    }))
}
