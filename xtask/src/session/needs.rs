//! All that a package needs before it can be built: the plan with its bytes, its crates, and Rust's
//! standard library for the target.

use std::path::Path;

use anyhow::Result;

use super::{Project, Session};
use crate::cli;
use crate::exit::{Exit, Failure};
use crate::fetch::{Missing, VerifiedArchive};
use crate::layout::Root;
use crate::plan::Plan;
use crate::process;
use crate::recipe::RustStd;
use crate::rust::from_source::{self, Archives};
use crate::target::Target;

impl Session {
    /// The plan of a package's libraries, with everything fetched that building them takes, and the
    /// target's standard library in place. Offline, one error lists all that is missing.
    pub fn settle_project(
        &self,
        project: &Project,
        platform: &cli::Platform,
        target: &Target,
    ) -> Result<Plan> {
        self.require_static(&project.rust, target)?;
        let toolchain = project.toolchain(platform);
        let target = &self.choose_std(project, toolchain, target)?;
        if let Some(std) = from_source::recipe(&self.recipes, target)? {
            from_source::require_release(std, &project.rust, &target.triple)?;
        }
        let plan = self
            .settle(toolchain, target, project.goal())
            .map_err(|error| self.all_misses(project, target, error))?;
        self.keep_root(project, &plan, &[]);
        self.settle_std(project, &plan)?;
        Ok(plan)
    }

    /// Sees to it that the target's standard library is there, or all that it is built from.
    fn settle_std(&self, project: &Project, plan: &Plan) -> Result<()> {
        let Some(std) = from_source::recipe(&self.recipes, &plan.target)? else {
            return project.rust.require_std(&plan.target.triple, self.global.offline);
        };
        if from_source::is_built(&self.store, std, &project.rust, plan) {
            return Ok(());
        }
        self.fetch_std(std).map(drop)
    }

    /// The bytes of a standard library that is built from source.
    pub fn fetch_std(&self, std: &RustStd) -> Result<Archives> {
        from_source::fetch(std, &self.fetcher)?.map_err(|missing| offline_misses(&missing))
    }

    /// Sees to it that the crates of a package are here, unless they were at the last time.
    pub fn require_crates(&self, project: &Project, triple: &str) -> Result<()> {
        let mut linked = project.metadata.linked_packages();
        if project.is_remembered && linked.all(|reached| reached.package.manifest_path.exists()) {
            return Ok(());
        }
        self.fetch_crates(project, triple)
    }

    /// Notes in the store what a package's plan uses, and entries derived from it, if they are known.
    pub fn keep_root(&self, project: &Project, plan: &Plan, derived: &[String]) {
        let package = &project.package;
        self.store.keep_root(self.root(&package.name, &package.manifest_path, plan, derived));
    }

    /// What a plan uses of the store.
    pub fn root(&self, package: &str, manifest: &Path, plan: &Plan, derived: &[String]) -> Root {
        let with_source = plan.steps.iter().filter_map(|step| Some((step, step.source.as_ref()?)));
        let of_steps = with_source
            .map(|(step, source)| (source.digest.hex(), format!("{}-{}", step.name, step.version)));
        let std = from_source::recipe(&self.recipes, &plan.target).ok().flatten();
        let of_std = std.into_iter().flat_map(from_source::sources).flat_map(|(what, sources)| {
            sources.into_iter().map(move |it| (it.digest.hex(), what.replace(' ', "-")))
        });
        Root {
            package: package.to_owned(),
            manifest: manifest.to_owned(),
            target: plan.target.triple.clone(),
            steps: plan.steps.iter().map(|step| self.entry(step).id().to_owned()).collect(),
            derived: derived.iter().cloned().collect(),
            downloads: of_steps.chain(of_std).collect(),
        }
    }

    /// The bytes of every step of a plan, also of those whose result is there; and of a standard library
    /// that is built from source.
    pub fn archives(&self, plan: &Plan) -> Result<Vec<VerifiedArchive>> {
        let (mut archives, mut missing) = (Vec::new(), Vec::new());
        for step in &plan.steps {
            let Some(source) = &step.source else { continue };
            let what = format!("{} {}", step.name, step.version);
            match self.fetcher.fetch(&what, &[source]) {
                Ok((_, archive)) => archives.push(archive),
                Err(error) => missing.push(error.downcast::<Missing>()?),
            }
        }
        if let Some(std) = from_source::recipe(&self.recipes, &plan.target)? {
            match from_source::fetch(std, &self.fetcher)? {
                Ok(found) => archives.extend(found.all()),
                Err(more) => missing.extend(more),
            }
        }
        if missing.is_empty() { Ok(archives) } else { Err(offline_misses(&missing)) }
    }

    /// Brings the crates of a package.
    pub fn fetch_crates(&self, project: &Project, triple: &str) -> Result<()> {
        let mut command = project.rust.cargo_in(project.folder());
        command.args(["fetch", "--manifest-path"]).arg(&project.manifest);
        command.args(["--target", triple]);
        if self.global.offline {
            command.arg("--offline");
        }
        let captured = process::capture(&mut command)?;
        if captured.status.success() {
            return Ok(());
        }
        let (exit, why) = if self.global.offline {
            (Exit::Offline, "crates of the app are missing")
        } else {
            (Exit::Failed, "cargo cannot fetch the crates of the app")
        };
        let said = process::last_lines(captured.stderr.trim(), 12);
        Err(Failure::new(exit, format!("{why}:\n{said}")).into())
    }

    /// An error that lists what is missing offline, with what the later stages would miss too.
    fn all_misses(
        &self,
        project: &Project,
        target: &Target,
        error: anyhow::Error,
    ) -> anyhow::Error {
        let triple = &target.triple;
        let is_miss = |failure: &&Failure| failure.exit == Exit::Offline;
        let Some(first) = Failure::find(&error).filter(is_miss) else { return error };
        let mut message = first.message.clone();
        if self.fetch_crates(project, triple).is_err() {
            message.push_str(&format!("\n  crates of {}", project.package.name));
        }
        match from_source::recipe(&self.recipes, target) {
            Ok(Some(std)) => {
                // Whether its result is there can be known only when the plan is final.
                let missing = from_source::fetch(std, &self.fetcher).ok().and_then(Result::err);
                for one in missing.into_iter().flatten() {
                    message.push_str(&format!("\n  {} ({})", one.what, one.origins.join("; ")));
                }
            }
            _ if !project.rust.has_std(triple) => {
                message.push_str(&format!("\n  Rust's standard library for {triple} (rustup)"));
            }
            _ => {}
        }
        Failure { exit: Exit::Offline, message, help: first.help.clone() }.into()
    }
}

/// One error for all that is missing offline.
pub(super) fn offline_misses(missing: &[Missing]) -> anyhow::Error {
    let mut list: Vec<_> =
        missing.iter().map(|one| format!("  {} ({})", one.what, one.origins.join("; "))).collect();
    list.sort();
    let message = format!("offline, and the store has not:\n{}", list.join("\n"));
    Failure::new(Exit::Offline, message)
        .help("`cargo xtask fetch` brings all of it while there is a network")
        .into()
}
