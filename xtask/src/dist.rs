//! `cargo xtask dist`: the whole pipeline, then checked programs → `target/dist/<triple>/`.
//!
//! Takes only [`Checked`] programs: what failed a check cannot be packed.

mod ahead;
mod copies;
mod manifest;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::app::host::Host;
use crate::app::{self, Order, Program};
use crate::build;
use crate::check::{
    Checked, Expectation, RunPolicy, TIME_LIMIT, examine, forbidden_of_this_machine, oldest_cpu,
};
use crate::cli::{self, Global};
use crate::digest::Digest;
use crate::environment::Environment;
use crate::layout::{self, copy_atomically, write_atomically};
use crate::linked::{self, Places};
use crate::plan::Plan;
use crate::process::side_by_side;
use crate::report;
use crate::session::{Access, Project, Session};
use crate::target::Target;
use ahead::Ahead;

impl cli::Dist {
    /// Builds, checks and packs for each target.
    pub fn run(self, global: Global) -> Result<()> {
        let session = Session::open(global, Access::Write)?;
        session.expect_sandbox();
        for triple in self.platform.triples() {
            self.run_for(&session, &session.target(&triple)?)?;
        }
        Ok(())
    }

    /// The folder of what is packed.
    fn place(&self, session: &Session, project: &Project, target: &Target) -> Result<PathBuf> {
        let place = match &self.out_dir {
            Some(folder) if self.platform.triples().len() > 1 => folder.join(&target.triple),
            Some(folder) => folder.clone(),
            None => target_folder(session, project).join("dist").join(&target.triple),
        };
        Ok(std::path::absolute(&place)?)
    }

    /// The same for one target; returns the folder of what was packed.
    pub fn run_for(&self, session: &Session, target: &Target) -> Result<PathBuf> {
        let begin = Instant::now();
        let project = session.project(&self.package, &target.triple)?;
        let order = Order { project: &project, bins: &self.bin, profile: &self.profile };
        app::check_order(&order)?;
        let plan = session.settle_project(&project, &self.platform, target)?;
        session.require_crates(&project, &target.triple)?;
        build::make(session, &plan)?;
        let mut environment = Environment::new(session, &plan, &project)?;
        let host = Host::of(session, &project, &plan)?;
        let derived = environment.derived.iter().map(String::as_str).chain(host.entry());
        session.keep_root(&project, &plan, &derived.map(str::to_owned).collect::<Vec<_>>());
        environment.respect_configuration(project.folder());
        app::hide_paths(&mut environment, session, &project);
        let place = self.place(session, &project, target)?;
        let scratch = session.store.temp("check")?;
        let expectation = expectation(session, &project, target, scratch.path());
        let names = ahead::programs(&order, target);
        let (built, ahead) = std::thread::scope(|scope| {
            let ahead = scope.spawn(|| Ahead::examine_all(&names, &expectation));
            (app::build(session, &order, &environment, &host), ahead.join().unwrap_or_default())
        });
        let built = built?;
        let programs = &built.programs;
        if programs.is_empty() {
            bail!(
                "cargo built no binary of `{}`: do its binaries need a feature?",
                project.package.name
            );
        }
        let places = Places::new(session, &project, &plan, &environment);
        let (checked, linked) = std::thread::scope(|scope| {
            let archives =
                |program: &Program| linked::archives(&places, &built, program, &ahead.maps);
            let linked = scope.spawn(move || side_by_side(programs, archives));
            (check(programs, &expectation, &ahead), linked.join())
        });
        let (checked, Ok(linked)) = (checked?, linked) else { bail!("a thread panicked") };
        let linked = linked.into_iter().collect::<Result<Vec<_>>>()?;
        let surprises = project.wanted.links.iter().filter_map(|it| copies::surprise(it, &linked));
        surprises.for_each(report::warning);
        let made = manifest::Made { host: &host, programs, linked: &linked, checked: &checked };
        let text = manifest::text(session, &project, &plan, &self.profile, &made)?;
        pack(&place, programs, &checked, &text)?;
        announce(&place, programs, &checked, &plan, begin);
        Ok(place)
    }
}

/// Below which folder the result goes: a published crate's target folder is deep in ours.
fn target_folder(session: &Session, project: &Project) -> PathBuf {
    match &project.published {
        Some(_) => layout::target_folder(&session.workspace),
        None => project.metadata.target_directory.clone(),
    }
}

/// What each program is held against.
fn expectation(
    session: &Session,
    project: &Project,
    target: &Target,
    scratch: &Path,
) -> Expectation {
    Expectation {
        machine: Some(target.machine),
        oldest_cpu: oldest_cpu(target),
        forbidden: forbidden_of_this_machine(&[
            ("the store", session.store.root().to_owned()),
            ("the workspace", project.metadata.workspace_root.clone()),
            ("the target folder", project.metadata.target_directory.clone()),
        ]),
        run: RunPolicy::EmptyRoot { scratch: scratch.to_owned(), limit: TIME_LIMIT },
    }
}

/// Checks every program that was not checked as it is while cargo ran; the findings of all of them
/// are shown at once.
fn check(programs: &[Program], expectation: &Expectation, ahead: &Ahead) -> Result<Vec<Checked>> {
    let (mut checked, mut failure) = (Vec::new(), None::<crate::exit::Failure>);
    let checkup = |program: &Program| match ahead.of(program) {
        Some(checkup) => Ok(checkup),
        None => examine(&program.path, expectation),
    };
    for checkup in side_by_side(programs, checkup) {
        match checkup?.into_checked() {
            Ok(program) => checked.push(program),
            Err(found) => match &mut failure {
                Some(failure) => {
                    failure.message = format!("{}\n{}", failure.message, found.message);
                }
                None => failure = Some(found),
            },
        }
    }
    failure.map_or(Ok(checked), |failure| Err(failure.into()))
}

/// Puts the programs, their manifest and their sums in place. What an earlier run put there and this
/// one did not make is removed; nothing else is touched.
fn pack(place: &Path, programs: &[Program], checked: &[Checked], manifest: &str) -> Result<()> {
    fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
    let both: Vec<_> = programs.iter().zip(checked).collect();
    for copied in side_by_side(&both, |(program, it)| copy(it, &place.join(&program.name))) {
        copied?;
    }
    let sum = |(program, it): &(&Program, &Checked)| (program.name.clone(), it.sha256().hex());
    let mut sums: Vec<_> = both.iter().map(sum).collect();
    write_atomically(&place.join("manifest.json"), manifest.as_bytes())?;
    sums.push(("manifest.json".to_owned(), Digest::sha256_of(manifest.as_bytes()).hex()));
    sums.sort();
    let list = place.join("SHA256SUMS");
    let stale: Vec<PathBuf> = fs::read_to_string(&list)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once("  ").map(|(_, name)| name.to_owned()))
        .filter(|name| !name.contains('/') && !sums.iter().any(|(kept, _)| kept == name))
        .map(|name| place.join(name))
        .collect();
    let text = sums.iter().fold(String::new(), |mut text, (name, sum)| {
        let _ = writeln!(text, "{sum}  {name}");
        text
    });
    write_atomically(&list, text.as_bytes())?;
    for file in stale {
        fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    Ok(())
}

/// Puts a program in place, if it is not there yet.
fn copy(checked: &Checked, target: &Path) -> Result<()> {
    let hash = || fs::read(target).map(|bytes| Digest::sha256_of(&bytes));
    let mut copied = hash().ok();
    if copied != Some(checked.sha256()) {
        copy_atomically(checked.path(), target)?;
        copied = Some(hash()?);
    }
    fs::set_permissions(target, fs::metadata(checked.path())?.permissions())?;
    if copied != Some(checked.sha256()) {
        bail!("{} changed while it was packed", checked.path().display());
    }
    Ok(())
}

fn announce(place: &Path, programs: &[Program], checked: &[Checked], plan: &Plan, begin: Instant) {
    for (program, checked) in programs.iter().zip(checked) {
        let passed = checked.checks().filter(|(_, word)| *word == "ok").count();
        let skipped: Vec<_> =
            checked.checks().filter(|(_, word)| *word != "ok").map(|(name, _)| name).collect();
        let tail = match &skipped[..] {
            [] => String::new(),
            names => format!(", not looked at: {}", names.join(", ")),
        };
        report::status(
            "Checked",
            format!(
                "{} ({}, {passed} checks passed{tail})",
                program.name,
                report::human_bytes(checked.size_bytes())
            ),
        );
    }
    report::status(
        "Packed",
        format!("{} in {}", place.display(), report::human_duration(begin.elapsed())),
    );
    for (program, checked) in programs.iter().zip(checked) {
        let path = place.join(&program.name);
        report::event(
            "executable",
            serde_json::json!({
                "target": plan.target.triple, "name": program.name, "path": path,
                "size_bytes": checked.size_bytes(), "sha256": checked.sha256().hex(),
                "checks": checked.checkup().results,
            }),
        );
        report::data(path.display());
    }
    let manifest = place.join("manifest.json");
    report::event(
        "manifest",
        serde_json::json!({ "target": plan.target.triple, "path": manifest }),
    );
    for name in ["manifest.json", "SHA256SUMS"] {
        report::data(place.join(name).display());
    }
}
