//! `cargo xtask dist`: the whole pipeline, then checked programs → `target/dist/<triple>/`.
//!
//! Takes only [`Checked`] programs: what failed a check cannot be packed.

mod ahead;
mod copies;
mod cpu;
mod manifest;
mod many;
mod pack;
mod papers;
mod push;
mod run;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::app::{self, Built, Inside, Order, Program};
use crate::bill::{Bill, embedded};
use crate::build;
use crate::check::baseline::Baseline;
use crate::check::{
    Allowed, Checked, Expectation, Linking, RunPolicy, TIME_LIMIT, examine, fixed_times,
    forbidden_of_this_machine, oldest_cpu,
};
use crate::cli::{self, Global};
use crate::emulator::Emulator;
use crate::environment::Environment;
use crate::host::Host;
use crate::layout;
use crate::linked::{self, Places, whose};
use crate::package::PackedFile;
use crate::plan::Step;
use crate::process::side_by_side;
use crate::report;
use crate::rust::Memory;
use crate::session::{Access, Project, Session};
use crate::target::Target;
use ahead::Ahead;
use cpu::Cpu;

impl cli::Dist {
    /// Builds, checks and packs for each target.
    pub fn run(self, global: Global) -> Result<()> {
        let session = Session::open(global, Access::Write)?;
        self.run_all(&session).map(drop)
    }

    /// The same; returns the images by name, those for several targets in one.
    pub fn run_all(&self, session: &Session) -> Result<BTreeMap<String, PackedFile>> {
        session.expect_sandbox();
        let targets = session.targets(&self.platform)?;
        let targets: Vec<_> = targets.iter().map(|it| it.for_profile(&self.profile)).collect();
        match &targets[..] {
            [target] => Ok(self.run_for(session, target)?.images),
            targets => many::run(self, session, targets),
        }
    }

    /// The folder of what is packed.
    fn place(&self, session: &Session, project: &Project, target: &Target) -> Result<PathBuf> {
        let place = match &self.out_dir {
            Some(folder) if self.platform.target.len() > 1 || self.platform.all_targets => {
                folder.join(target.name())
            }
            Some(folder) => folder.clone(),
            None => target_folder(session, project).join("dist").join(target.name()),
        };
        Ok(std::path::absolute(&place)?)
    }

    /// The same for one target.
    pub fn run_for(&self, session: &Session, target: &Target) -> Result<Packed> {
        let begin = Instant::now();
        let made = self.make(session, target)?;
        let place = self.place(session, &made.project, target)?;
        let (files, images) = pack::pack(session, target, self, &place, &made)?;
        let packed = Packed { place, made, files, images, time: begin.elapsed() };
        packed.announce(target);
        Ok(packed)
    }

    /// Builds and checks for one target.
    pub fn make(&self, session: &Session, target: &Target) -> Result<Made> {
        // It starts the emulator, and is not wanted before programs are checked.
        let emulator = std::thread::spawn({
            let target = target.clone();
            move || oldest_cpu(&target)
        });
        let project = session.project(&self.package, &target.triple)?;
        let allowed = Allowed::new(&project.wanted.allow, &project.manifest)?;
        let order = Order { project: &project, bins: &self.bin, profile: &self.profile };
        app::check_order(&order)?;
        let plan = session.settle_project(&project, &self.platform, target)?;
        session.require_crates(&project, &target.triple)?;
        build::make(session, &plan)?;
        let mut environment = Environment::new(session, &plan, &project)?;
        let host = Host::of(session, &project, &plan)?;
        let derived = environment.derived.iter().map(String::as_str).chain(host.entry());
        session.keep_root(&project, &plan, &derived.map(str::to_owned).collect::<Vec<_>>());
        environment.refuse_other_cpu(project.folder())?;
        environment.respect_configuration(project.folder());
        app::hide_paths(&mut environment, session, &project);
        let bill = Bill::of(session, &project, &plan, &environment)?;
        let is_audited = project.wanted.auditable.unwrap_or(true);
        let inside = is_audited.then(|| embedded::section(&bill)).transpose()?;
        let inside = Inside::new(embedded::SECTION, inside, &project, &mut environment)?;
        let scratch = session.store.temp("check")?;
        let emulator = emulator.join().unwrap_or_else(|_| Err("a thread panicked".to_owned()));
        let expectation = expectation(session, &project, target, emulator, scratch.path());
        let names = ahead::programs(&order, target);
        let (built, ahead) = std::thread::scope(|scope| {
            let ahead = scope.spawn(|| Ahead::examine_all(&names, &expectation));
            let built = app::build(session, &order, &environment, &host, &inside);
            (built, ahead.join().unwrap_or_default())
        });
        let built = built?;
        let programs = &built.programs[..];
        if programs.is_empty() {
            bail!(
                "cargo built no binary of `{}`: do its binaries need a feature?",
                project.package.name
            );
        }
        let places = Places::new(session, &project, &plan, &environment);
        let baseline = Baseline::of(target);
        let cpu = Cpu::new(session, &project, &places, &built, &baseline);
        let (checked, linked) = std::thread::scope(|scope| {
            let archives =
                |program: &Program| linked::archives(&places, &built, program, &ahead.maps);
            let linked = scope.spawn(move || side_by_side(programs, archives));
            (check(programs, target, &expectation, &ahead, &cpu, &allowed), linked.join())
        });
        let (checked, Ok(linked)) = (checked?, linked) else { bail!("a thread panicked") };
        let linked = linked.into_iter().collect::<Result<Vec<_>>>()?;
        remember(session, &project, &places, &built, &checked)?;
        let surprises = project.wanted.links.iter().filter_map(|it| copies::surprise(it, &linked));
        surprises.for_each(report::warning);
        let made = manifest::Made { host: &host, programs, linked: &linked, checked: &checked };
        let manifest = manifest::text(session, &project, &plan, &self.profile, &made)?;
        let programs = built.programs.into_iter().zip(checked).collect();
        let outputs = |step: &Step| (step.name.clone(), session.entry(step).outputs());
        let data = plan.data().map(outputs).collect();
        Ok(Made { project, programs, data, bill, linked, manifest })
    }
}

/// What is fit to be packed.
pub struct Made {
    /// The package.
    pub project: Project,
    /// Its programs.
    pub programs: Vec<(Program, Checked)>,
    /// What goes into images: folders, by the recipe's name.
    data: Vec<(String, PathBuf)>,
    /// What it is made of.
    bill: Bill,
    /// For each program the archives that are in it.
    linked: Vec<Vec<linked::Archive>>,
    /// The text of `manifest.json`.
    manifest: String,
}

impl Made {
    fn named_programs(&self) -> Vec<(&str, &Checked)> {
        self.programs.iter().map(|(program, it)| (program.name.as_str(), it)).collect()
    }
}

/// What was packed.
pub struct Packed {
    /// The folder.
    pub place: PathBuf,
    /// The programs in it.
    pub made: Made,
    /// What was made of them.
    pub files: Vec<PackedFile>,
    /// Their images, which are some of these, by name.
    pub images: BTreeMap<String, PackedFile>,
    /// How long it took.
    pub time: Duration,
}

/// Keeps what only the build knows of its programs, for `cargo xtask size`.
fn remember(
    session: &Session,
    project: &Project,
    places: &Places<'_>,
    built: &Built,
    checked: &[Checked],
) -> Result<()> {
    let memory = Memory::new(&session.store, true);
    let package = format!("{} {}", project.package.name, project.package.version);
    let keep = |(program, it): &(&Program, &Checked)| {
        whose::remember(&memory, places, built, program, &package, &it.sha256())
    };
    let pairs: Vec<_> = built.programs.iter().zip(checked).collect();
    side_by_side(&pairs, keep).into_iter().collect()
}

/// Below which folder `dist/<triple>` is: a published crate's target folder is deep in ours.
pub fn target_folder(session: &Session, project: &Project) -> PathBuf {
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
    oldest_cpu: Result<Emulator, String>,
    scratch: &Path,
) -> Expectation {
    Expectation {
        machine: Some(target.machine),
        float_abi: Some(target.float_abi),
        // `cpu` knows more, and looks later.
        baseline: None,
        oldest_cpu,
        linking: Linking::of(target),
        fixed_times: fixed_times(),
        forbidden: forbidden_of_this_machine(&[
            ("the store", session.store.root().to_owned()),
            ("the workspace", project.metadata.workspace_root.clone()),
            ("the target folder", project.metadata.target_directory.clone()),
        ]),
        run: match Baseline::of(target).cannot_run_here() {
            Some(reason) => RunPolicy::Never(reason),
            None => RunPolicy::EmptyRoot { scratch: scratch.to_owned(), limit: TIME_LIMIT },
        },
        memory: Some(Memory::new(&session.store, true)),
    }
}

/// Checks every program that was not checked as it is while cargo ran; the findings of all of them
/// are shown at once.
fn check(
    programs: &[Program],
    target: &Target,
    expectation: &Expectation,
    ahead: &Ahead,
    cpu: &Cpu<'_>,
    allowed: &Allowed,
) -> Result<Vec<Checked>> {
    let (mut checked, mut failure) = (Vec::new(), None::<crate::exit::Failure>);
    let checkup = |program: &Program| {
        let looked_at = ahead.of(program).map_or_else(|| examine(&program.path, expectation), Ok);
        let mut checkup = looked_at?;
        let is_elf = checkup.results[0].outcome.word() == "ok";
        if is_elf {
            cpu.complete(program, &mut checkup)?;
        }
        allowed.apply(&mut checkup);
        Ok(checkup)
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
    if let Some(failure) = failure {
        return Err(failure.into());
    }
    let checkups: Vec<_> = checked.iter().map(Checked::checkup).collect();
    allowed.unneeded(&checkups, &target.name()).iter().for_each(report::warning);
    Ok(checked)
}

impl Packed {
    /// Says what was packed, and where.
    fn announce(&self, target: &Target) {
        let place = &self.place;
        for (program, checked) in &self.made.programs {
            let (passed, tail) = summed_up(checked);
            let size = report::human_bytes(checked.size_bytes());
            let said = format!("{} ({size}, {passed} checks passed{tail})", program.name);
            report::status("Checked", said);
            for (check, finding, reason) in checked.allowed() {
                let said = format!("`{check}` of {}: {finding} ({reason})", program.name);
                report::status("Allowed", said);
            }
        }
        let time = report::human_duration(self.time);
        report::status("Packed", format!("{} in {time}", place.display()));
        for (program, checked) in &self.made.programs {
            let path = place.join(&program.name);
            report::event(
                "executable",
                serde_json::json!({
                    "target": target.triple, "name": program.name, "path": path,
                    "size_bytes": checked.size_bytes(), "sha256": checked.sha256().hex(),
                    "checks": checked.checkup().results,
                }),
            );
            report::data(path.display());
        }
        let manifest = place.join("manifest.json");
        let event = serde_json::json!({ "target": target.triple, "path": manifest });
        report::event("manifest", event);
        for file in &self.files {
            report::event(
                "package",
                serde_json::json!({ "target": target.triple, "path": file.path,
                    "size_bytes": file.size_bytes, "sha256": file.sha256.hex() }),
            );
            report::data(file.path.display());
        }
        for name in ["manifest.json", "SHA256SUMS"] {
            report::data(place.join(name).display());
        }
    }
}

/// How many checks passed, which may fail, and which could not be made: in words that go on, or nothing.
fn summed_up(checked: &Checked) -> (usize, String) {
    let named = |wanted: &str| -> Vec<&str> {
        let results = checked.checks().filter(|(_, word, _)| *word == wanted);
        results.map(|(name, ..)| name).collect()
    };
    let tail = [("allowed to fail", "allowed"), ("not looked at", "skipped")]
        .map(|(words, outcome)| (words, named(outcome).join(", ")))
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .fold(String::new(), |text, (words, names)| format!("{text}, {words}: {names}"));
    (named("ok").len(), tail)
}
