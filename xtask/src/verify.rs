//! `cargo xtask verify`: builds twice, with everything different that must make no difference, and
//! compares every byte. Where bytes differ it says which, and builds again until it knows why.
//!
//! `--against` compares with the manifest of a build made elsewhere. docs/reproducible.md says what is
//! promised and how to read what is printed. It never looks at the package's own target folder.

mod against;
mod blame;
mod builds;
mod compare;
mod diagnose;
mod machine;
mod place;
mod say;
mod vary;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::app::{self, Order};
use crate::build;
use crate::cli::{self, Global};
use crate::exit::{Exit, Failure};
use crate::links;
use crate::plan::Plan;
use crate::report;
use crate::session::{Access, Project, Session};
use crate::target::Target;
use blame::{Cause, blame};
use builds::{Build, Builds};
use compare::{Comparison, owner};
use machine::Machine;
use place::Sources;
use vary::Variations;

impl cli::Verify {
    /// Verifies for each target.
    pub fn run(self, global: Global) -> Result<()> {
        if let Some(theirs) = &self.against {
            return against::run(&self, theirs, global);
        }
        let wanted = vary::parse(&self.vary)?;
        let session = Session::open(global, Access::Write)?;
        for target in session.targets(&self.platform)? {
            self.run_for(&session, &target.for_profile(&self.profile), &wanted)?;
        }
        Ok(())
    }

    fn run_for(&self, session: &Session, target: &Target, wanted: &Variations) -> Result<()> {
        let triple = target.triple.as_str();
        let project = session.project(&self.package, triple)?;
        app::check_order(&Order { project: &project, bins: &self.bin, profile: &self.profile })?;
        let plan = session.settle_project(&project, &self.platform, target)?;
        session.fetch_crates(&project, triple)?;
        let given = self.given(session, &plan)?;
        let work = match self.keep {
            true => Work::Kept(session.store.kept_builds()?),
            false => Work::Passing(session.store.temp("verify")?),
        };
        let cargo = || project.rust.cargo();
        let machine = Machine::explore(wanted, work.path(), &cargo, session.jobs())?;
        for (variation, can) in &machine.can {
            if let Err(why) = can {
                report::warning(format!("not varied: {}: {why}", variation.words()));
            }
        }
        let mut builds = Builds {
            session,
            project: &project,
            triple,
            arguments: self.arguments(&plan, &project),
            profile: &self.profile,
            machine: &machine,
            sources: sources(session, &project, triple)?,
            work: work.path(),
            count: 0,
        };
        let first = builds.run(&Variations::new(), &given)?;
        let second = builds.run(&machine.in_force(), &given)?;
        let (one, two) = papers_if_both(&first, &second);
        let comparison = one.compare(&two)?;
        let causes = find_causes(&mut builds, &plan, &first, &comparison)?;
        let title = format!("{} for {triple}", project.package.name);
        say::table(&comparison, &machine);
        say::events(triple, &comparison, &causes, &machine);
        if let Work::Kept(place) = &work {
            report::note(format!("the builds are in {}", place.display()));
        }
        conclude(&title, &comparison, &causes, first, second)
    }

    /// Entries that are not made again, with everything else that the builds need in the store.
    fn given(&self, session: &Session, plan: &Plan) -> Result<Vec<PathBuf>> {
        if self.app_only {
            build::make(session, plan)?;
            // Tools of libraries that are here need not be.
            let entries = plan.steps.iter().map(|step| session.entry(step));
            let here = entries.filter(|entry| entry.exists());
            return Ok(here.map(|entry| entry.path().to_owned()).collect());
        }
        // The entry may be here and its bytes no longer.
        for step in &plan.steps {
            if step.source.as_ref().is_some_and(|source| !session.fetcher.has(source)) {
                let what = format!("{} {}", step.name, step.version);
                session.fetcher.fetch(&what, &session.sources(step))?;
            }
        }
        Ok(Vec::new())
    }

    /// The arguments of `dist` that say what is built.
    fn arguments(&self, plan: &Plan, project: &Project) -> Vec<String> {
        let mut all = vec!["--toolchain".to_owned(), plan.toolchain().name.clone()];
        all.extend(["--package".to_owned(), project.package.name.clone()]);
        all.extend(["--profile".to_owned(), self.profile.clone()]);
        all.extend(self.bin.iter().flat_map(|bin| ["--bin".to_owned(), bin.clone()]));
        let cpu = self.platform.target_cpu.iter();
        all.extend(cpu.flat_map(|cpu| ["--target-cpu".to_owned(), cpu.clone()]));
        all.extend(project.features.iter().cloned());
        all
    }
}

/// The folder of all builds.
enum Work {
    /// It stays.
    Kept(PathBuf),
    /// It goes.
    Passing(crate::layout::TempFolder),
}

impl Work {
    fn path(&self) -> &std::path::Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(folder) => folder.path(),
        }
    }
}

/// What has to be copied to build the package elsewhere. What a session remembers of a graph is only
/// what is linked, so cargo is asked.
fn sources(session: &Session, project: &Project, triple: &str) -> Result<Sources> {
    let query = links::Query {
        manifest: &project.manifest,
        triple,
        features: &project.features,
        offline: true,
        locked: false,
    };
    let mut cargo = project.rust.cargo();
    cargo.current_dir(project.folder());
    let metadata = links::load(&mut cargo, &query).context("cannot tell what to copy")?;
    let left_out = vec![session.store.root().to_owned()];
    Ok(Sources::new(&metadata, &session.workspace, left_out))
}

/// A build whose programs failed a check has no manifest to compare.
fn papers_if_both(first: &Build, second: &Build) -> (compare::Outputs, compare::Outputs) {
    if first.failed_check.is_none() && second.failed_check.is_none() {
        return (first.outputs.clone(), second.outputs.clone());
    }
    (first.outputs.without_papers(), second.outputs.without_papers())
}

/// Builds on until the cause of each difference is known. Entries that were the same are taken from
/// the first build, so that usually only the app is built.
fn find_causes(
    builds: &mut Builds<'_>,
    plan: &Plan,
    first: &Build,
    comparison: &Comparison,
) -> Result<BTreeMap<String, Cause>> {
    let files: BTreeSet<String> = comparison.different.keys().cloned().collect();
    let variations = builds.machine.in_force();
    if files.is_empty() || variations.is_empty() {
        return Ok(files.into_iter().map(|file| (file, Cause::Nothing)).collect());
    }
    report::status("Looking", "for the cause: building again under parts of the variations");
    let given = same_entries(plan, first, &files);
    let outputs = first.outputs.without_papers();
    blame(&files, &variations, &mut |part| {
        let again = builds.run(part, &given)?;
        let differing = outputs.labels_that_differ(&again.outputs.without_papers())?;
        // Entries that were given are not made, and so not missing.
        Ok(&differing & &files)
    })
}

/// The entries of the first build that came out the same in the second, with all that they are made of.
fn same_entries(plan: &Plan, first: &Build, files: &BTreeSet<String>) -> Vec<PathBuf> {
    let differing: BTreeSet<&str> = files.iter().map(|file| owner(file)).collect();
    let mut is_same: Vec<bool> = Vec::new();
    let mut entries = Vec::new();
    for step in &plan.steps {
        let digits = &step.fingerprint[..16];
        let id = format!("{}-{}-{digits}", step.name, step.version);
        let same = !differing.contains(id.as_str())
            && step.dependencies.iter().all(|dependency| is_same[*dependency]);
        is_same.push(same);
        let entry = first.entries.join(&id);
        if same && entry.exists() {
            entries.push(entry);
        }
    }
    entries
}

fn conclude(
    title: &str,
    comparison: &Comparison,
    causes: &BTreeMap<String, Cause>,
    first: Build,
    second: Build,
) -> Result<()> {
    if !comparison.different.is_empty() {
        let message = say::differences(title, comparison, causes);
        let failure = Failure::new(Exit::VerificationFailed, message);
        return Err(failure
            .help("docs/reproducible.md says how to read this, and what usually helps")
            .into());
    }
    if let Some(said) = first.failed_check.or(second.failed_check) {
        let message = format!("{title}: the same bytes, but a check failed\n{said}");
        return Err(Failure::new(Exit::CheckFailed, message).into());
    }
    let total = comparison.total();
    report::status(
        "Verified",
        format!(
            "{title}: {} files, {}, the same bytes twice",
            total.files,
            report::human_bytes(total.bytes)
        ),
    );
    Ok(())
}
