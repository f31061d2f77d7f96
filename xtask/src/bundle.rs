//! `cargo xtask bundle` and `unbundle`: all that `dist --offline` needs, in one file, for a machine that
//! never had a network.
//!
//! The file is a plain tar, so that the first step needs no Muslin: the xtask itself must be compiled
//! before it can run, and its crates are in the bundle. They are a *local registry* of cargo, which
//! holds every crate against Cargo.lock before it compiles it. Everything else counts only after
//! `unbundle` has hashed it.
//!
//! ```text
//! muslin-bundle.json            the first member: what this is, and the SHA-256 of every other
//! README.txt                    the two commands
//! muslin/config.toml            cargo's configuration for the first one
//! muslin/sources/<id>.toml      a git repository or another registry that crates come from
//! muslin/vendor/<id>/           its crates, as `cargo vendor` makes them
//! muslin/registry/              cargo's local registry: <crate>-<version>.crate, index/, and a line of
//!                               the index beside each crate, so that registries can be joined
//! downloads/<digest>/<file>     as in the store, with <digest>.origin
//! rust-std/lib/rustlib/         the target's standard library, as in the Rust installation
//! entries/<entry>.tar           with --with-entries: what was built
//! ```
//!
//! Equal inputs give equal bytes: members are sorted, and have no times or owners.

mod crates;
mod manifest;
mod pack;
mod registry;
mod rust_std;
mod take;
mod vendored;
mod verify;

use std::path::Path;

use anyhow::Result;

use crate::cli::{self, DEFAULT_TARGET, Global};
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::layout::{Store, workspace_root};
use crate::plan::Plan;
use crate::process::shell_word;
use crate::report::{self, human_bytes};
use crate::rust::Rust;
use crate::session::{Access, Project, Session};
use crate::{build, layout, stdlib};
use manifest::{Facts, Planned};
use pack::Pieces;

impl cli::Bundle {
    /// Fetches what is missing, and writes the file.
    pub fn run(self, global: Global) -> Result<()> {
        if self.package.published.is_some() {
            let message = "a bundle carries what lies in a folder, and no published crate";
            return Err(Failure::new(Exit::Usage, message)
                .help("unpack the crate, and name its Cargo.toml with `--manifest-path`")
                .into());
        }
        let session = Session::open(global, Access::Write)?;
        let scratch = session.store.temp("bundle")?;
        let mut pieces = Pieces::new(scratch.path());
        let (mut plans, mut projects) = (Vec::new(), Vec::new());
        let mut targets = Vec::new();
        for target in session.targets(&self.platform)? {
            let triple = &target.triple;
            targets.push(triple.clone());
            let project = session.project(&self.package, triple)?;
            let plan = session.settle_project(&project, &self.platform, &target)?;
            add_plan(&session, &plan, self.with_entries, &mut pieces)?;
            let std = rust_std::planned(&session, &plan, &project.rust)?;
            match &std {
                None => rust_std::add(&project.rust, triple, &mut pieces)?,
                Some(_) if self.with_entries => {
                    let built = stdlib::find_or_make(&session, &plan, &project)?;
                    built.iter().try_for_each(|entry| pieces.add_entry(entry))?;
                }
                Some(_) => {}
            }
            plans.push(Planned::of(&plan, std));
            projects.push(project);
        }
        let Some(project) = projects.first() else { return Ok(()) };
        let crates = add_crates(&session, project, scratch.path(), &mut pieces)?;
        pieces.add_text("README.txt", &journey(Path::new("FILE"), None, &targets));
        let facts = Facts {
            muslin: env!("CARGO_PKG_VERSION").to_owned(),
            rust: project.rust.version.clone(),
            package: project.package.name.clone(),
            package_version: project.package.version.clone(),
            plans,
        };
        let (size_bytes, sha256) = pieces.write(facts, &self.file)?;
        report::status(
            "Bundled",
            format!(
                "{} ({}): all that {} and the xtask need, {crates} crates",
                self.file.display(),
                human_bytes(size_bytes),
                project.package.name
            ),
        );
        report::note(format!(
            "on the other machine:\n{}",
            journey(&self.file, Some(&sha256), &targets).trim_end()
        ));
        report::event(
            "bundle",
            serde_json::json!({
                "path": self.file, "size_bytes": size_bytes, "sha256": sha256.hex(), "crates": crates,
                "targets": targets, "with_entries": self.with_entries,
            }),
        );
        report::data(self.file.display());
        Ok(())
    }
}

/// What to do on the other machine. The hash is what ties the file there to the one made here: inside
/// of it nothing can vouch for the standard library and the built entries but the bundle itself.
fn journey(file: &Path, sha256: Option<&Digest>, targets: &[String]) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    let name = shell_word(&name);
    let first = sha256.map_or_else(
        || format!("Compare `sha256sum {name}` with what `cargo xtask bundle` printed.\n"),
        |digest| format!("  echo '{}  '{name} | sha256sum --check\n", digest.hex()),
    );
    let is_default = targets == [DEFAULT_TARGET];
    let named = targets.iter().filter(|_| !is_default).map(|it| format!(" --target {it}"));
    let named: String = named.collect();
    format!(
        "In a checkout of the same commit, with the same Rust, and no network:\n\n{first}  \
         mkdir -p ~/.cargo && tar -xf {name} -C ~/.cargo muslin\n  \
         cargo --config ~/.cargo/muslin/config.toml xtask unbundle {name}\n\n\
         Then `cargo xtask dist --offline{named}` works as it is.\n"
    )
}

/// The bytes of a plan's steps, and what they built.
fn add_plan(
    session: &Session,
    plan: &Plan,
    with_entries: bool,
    pieces: &mut Pieces<'_>,
) -> Result<()> {
    for archive in session.archives(plan)? {
        let digest = archive.digest().hex();
        pieces.add_file(&format!("downloads/{digest}/{}", archive.file_name()), archive.path())?;
        pieces
            .add_text(&format!("downloads/{digest}.origin"), &format!("{}\n", archive.served_by()));
    }
    if with_entries {
        build::make(session, plan)?;
        for entry in plan.steps.iter().map(|step| session.entry(step)).filter(layout::Entry::exists)
        {
            pieces.add_entry(&entry)?;
        }
    }
    Ok(())
}

/// The crates of the app's workspace and of the xtask's; returns how many.
fn add_crates(
    session: &Session,
    project: &Project,
    scratch: &Path,
    pieces: &mut Pieces<'_>,
) -> Result<usize> {
    let offline = session.global.offline;
    let mut workspaces = vec![(project.metadata.workspace_root.clone(), project.rust.clone())];
    if workspaces[0].0 != session.workspace && session.workspace.join("Cargo.toml").exists() {
        let rust = Rust::of_package(&session.workspace, &session.workspace, None)?;
        workspaces.push((session.workspace.clone(), rust));
    }
    let (mut crates, mut origins, mut count) = (Vec::new(), Vec::new(), 0);
    for (number, (root, rust)) in workspaces.iter().enumerate() {
        let (own, others) = crates::of_workspace(rust, root, offline)?;
        crates.extend(own);
        count += others.len();
        let scratch = scratch.join(format!("vendor-{number}"));
        origins.extend(vendored::add(rust, root, offline, &others, &scratch, pieces)?);
    }
    vendored::refuse_two_of_a_name(&origins)?;
    crates.sort();
    crates.dedup();
    for one in &crates {
        pieces.add_file(&format!("{}/{}.crate", registry::FOLDER, one.id()), &one.file)?;
        pieces.add_text(&format!("{}/{}.json", registry::FOLDER, one.id()), &one.line);
    }
    for (path, text) in registry::index(crates.iter().map(|one| one.line.as_str())) {
        pieces.add_text(&format!("{}/{path}", registry::FOLDER), &text);
    }
    origins.sort();
    origins.dedup();
    pieces.add_text(registry::CONFIG, &registry::configuration("muslin", &origins));
    Ok(crates.len() + count)
}

impl cli::Unbundle {
    /// Verifies all of the file, then takes it in.
    pub fn run(self, global: Global) -> Result<()> {
        let workspace = workspace_root()?;
        let root = global.store.clone().map_or_else(Store::default_root, Ok)?;
        let store = Store::open(&root)?;
        let _in_use = store.hold_in_common()?;
        let rust = Rust::of_package(&workspace, &workspace, None)?;
        let verified = verify::verify(&store, &self.file, &rust, &workspace)?;
        take::take(&store, verified, &rust, &self.file)
    }
}
