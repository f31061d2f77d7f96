//! One step: prepares its folder, does its work, publishes what came out.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use jobserver::Client;

use super::bench::Bench;
use super::compile::Direct;
use super::room::{Folders, Room};
use super::{cmake, compile, compilers, configure, gcc, outputs, tool};
use crate::cli::Keep;
use crate::exit::{Exit, Failure};
use crate::layout::{TempFolder, remove_tree};
use crate::plan::{Plan, Step, Work};
use crate::process;
use crate::recipe::{Build, Library, Patch};
use crate::session::Session;
use crate::{report, toolchain, unpack};

/// Makes a step's entry, unless another process just did.
pub fn make(session: &Session, plan: &Plan, step: &Step, tokens: &Client) -> Result<()> {
    let entry = session.entry(step);
    let _lock = session.store.lock(&entry)?;
    if entry.exists() {
        return Ok(());
    }
    let begin = Instant::now();
    let temp = session.store.temp(&step.name)?;
    let root = temp.path();
    match &step.work {
        Work::Toolchain(recipe) if recipe.making.is_some() => {
            report::status("Composing", format!("{} {}", step.name, step.version));
            gcc::compose(session, plan, step, root)?;
        }
        Work::Toolchain(_) => {
            report::status("Unpacking", format!("{} {}", step.name, step.version));
            unpack_source(session, step, &root.join("outputs"), root)?;
        }
        Work::Driver(recipe) => {
            let bin = root.join("outputs/bin");
            fs::create_dir_all(&bin)?;
            let tree =
                format!("../../../{}/outputs", session.entry(toolchain_step(plan, step)?).id());
            toolchain::write_driver(recipe, &step.target, &tree, &bin)?;
        }
        Work::Library(_) | Work::Tool(_) | Work::Part(..) => {
            if let Err(error) = build(session, plan, step, root, tokens) {
                return Err(keep_failed(session, plan, step, temp, error));
            }
        }
        Work::Sysroot => {
            outputs::compose(&libraries(session, plan, step), &root.join("outputs"))?;
        }
    }
    fs::write(root.join("fingerprint.txt"), &step.pre_image)?;
    fs::write(root.join("seconds.txt"), format!("{:.2}\n", begin.elapsed().as_secs_f64()))?;
    entry.publish(temp)?;
    // What an earlier failure left for the post-mortem has served its time.
    let failed = session.store.failed(&entry);
    remove_tree(&failed).with_context(|| format!("cannot remove {}", failed.display()))
}

/// Unpacks the step's archive, and keeps in the entry who served it and the texts of its licences.
fn unpack_source(session: &Session, step: &Step, to: &Path, entry: &Path) -> Result<()> {
    let source = step.source.as_ref().context("a step without a source")?;
    let what = format!("{} {}", step.name, step.version);
    let (_, archive) = session.fetcher.fetch(&what, &[source])?;
    let part = unpack::Part {
        root: source.root.as_deref(),
        omit: &source.omit,
        inner: source.inner.as_deref(),
    };
    unpack::unpack_archive(&archive, &part, to).with_context(|| format!("cannot unpack {what}"))?;
    fs::write(entry.join("origin.txt"), archive.served_by())?;
    let (recipe, licenses) = match &step.work {
        Work::Toolchain(it) => ("toolchains", &it.license_files),
        Work::Library(it) => ("libraries", &it.license_files),
        Work::Tool(it) => ("tools", &it.license_files),
        Work::Part(_, it) => ("toolchains", &it.license_files),
        _ => return Ok(()),
    };
    let name = if let Work::Part(toolchain, _) = &step.work { toolchain } else { &step.name };
    let recipe = format!("recipes/{recipe}/{name}.toml");
    unpack::license::keep(&what, &recipe, licenses, to, &entry.join("licenses"))?;
    Ok(())
}

/// Makes a library or a tool, and leaves nothing of its folder but what the entry keeps.
fn build(session: &Session, plan: &Plan, step: &Step, root: &Path, tokens: &Client) -> Result<()> {
    let label = step.label();
    report::status("Building", &label);
    let _progress = report::Progress::spinner("Building", &label);
    let mut room = Room::new(session, plan, step, root)?;
    room.keep_jobserver(tokens);
    room.folders.make()?;
    fill(session, plan, step, &room)?;
    fs::write(root.join("sandbox.txt"), session.sandbox()?.way().word())?;
    let bench = Bench::new(step, room, tokens, session.jobs())?;
    match &step.work {
        Work::Library(library) => make_library(session, plan, step, library, &bench)?,
        Work::Tool(recipe) => tool::make(session, plan, step, recipe, &bench)?,
        Work::Part(_, part) => gcc::make(session, plan, step, part, &bench)?,
        _ => {}
    }
    let folders = bench.folders.clone();
    drop(bench);
    for folder in folders.all() {
        remove_tree(folder)?;
    }
    Ok(())
}

fn make_library(
    session: &Session,
    plan: &Plan,
    step: &Step,
    library: &Library,
    bench: &Bench<'_>,
) -> Result<()> {
    match &library.build {
        Build::Compile(recipe) => {
            compile::build(&direct(session, plan, step, bench)?, library, recipe)?;
        }
        Build::Configure(recipe) => configure::build(bench, recipe)?,
        Build::Cmake(recipe) => cmake::build(bench, recipe)?,
    }
    let recipe = format!("recipes/libraries/{}.toml", library.name);
    let declared = outputs::of_library(library);
    let Folders { root, install, .. } = &bench.folders;
    let lib = |name: &String| install.join(format!("lib/lib{name}.a"));
    if let Some(first) = library.outputs.libs.first() {
        for alias in &library.outputs.aliases {
            fs::copy(lib(first), lib(alias))
                .with_context(|| format!("cannot make lib{alias}.a"))?;
        }
    }
    outputs::take(&library.name, &recipe, &declared, install, &root.join("outputs"))
}

/// Fills a step's folders with all that it starts from.
pub fn fill(session: &Session, plan: &Plan, step: &Step, room: &Room<'_>) -> Result<()> {
    let folders = &room.folders;
    unpack_source(session, step, &folders.source, &folders.root)?;
    let patches: &[Patch] = match &step.work {
        Work::Library(library) => &library.patches,
        Work::Tool(tool) => &tool.patches,
        Work::Part(_, part) => &part.patches,
        _ => &[],
    };
    for patch in patches {
        unpack::patch::apply_patch(&folders.source, &patch.name, &patch.text)?;
    }
    outputs::compose(&libraries(session, plan, step), &folders.dependencies)?;
    compilers::prepare(session, plan, step, room)
}

/// Names and outputs of the libraries that a step sees.
fn libraries(session: &Session, plan: &Plan, step: &Step) -> Vec<(String, PathBuf)> {
    plan.dependencies(step)
        .filter(|step| matches!(step.work, Work::Library(_)))
        .map(|step| (step.name.clone(), session.entry(step).outputs()))
        .collect()
}

pub(super) fn toolchain_step<'p>(plan: &'p Plan, step: &'p Step) -> Result<&'p Step> {
    let mut steps = plan.dependencies(step);
    steps.find(|it| matches!(it.work, Work::Toolchain(_))).context("a step without a toolchain")
}

/// A step's toolchain, to be called without a shell.
pub(super) fn direct<'a>(
    session: &Session,
    plan: &'a Plan,
    step: &'a Step,
    bench: &'a Bench<'a>,
) -> Result<Direct<'a>> {
    let made = toolchain_step(plan, step)?;
    let Work::Toolchain(toolchain) = &made.work else { bail!("a step without a toolchain") };
    Ok(Direct { bench, toolchain, tree: session.entry(made).outputs() })
}

/// Keeps the folder of a failed step, replacing that of an earlier failure, and says how to go on.
fn keep_failed(
    session: &Session,
    plan: &Plan,
    step: &Step,
    temp: TempFolder,
    error: anyhow::Error,
) -> anyhow::Error {
    if process::is_interrupted() {
        return error;
    }
    let kept = session.store.failed(&session.entry(step));
    let before = temp.path().to_string_lossy().into_owned();
    if session.global.keep_failed == Keep::Never {
        for folder in Folders::new(temp.path()).all() {
            let _ = remove_tree(folder);
        }
    }
    if let Err(problem) = temp.keep_as(&kept) {
        return error.context(format!("the failed step's folder could not be kept: {problem:#}"));
    }
    let (exit, message, mut help) = match error.downcast_ref::<Failure>() {
        Some(failure) => (failure.exit, failure.message.clone(), failure.help.clone()),
        None => (
            Exit::Failed,
            format!("building {} {} failed: {error:#}", step.name, step.version),
            vec![],
        ),
    };
    // Without a view of its own the step has named its folder, which has moved since.
    for line in &mut help {
        *line = line.replace(&before, &kept.to_string_lossy());
    }
    help.insert(0, format!("the whole log: {}", kept.join("build.log").display()));
    // A tool is made for the sake of a library, and a stage for that of a toolchain.
    let mut libraries = plan.libraries().map(|(library, _)| library);
    let needs = |library: &&Step| plan.dependencies(library).any(|it| std::ptr::eq(it, step));
    let name = match &step.work {
        Work::Part(..) => step.options(),
        Work::Tool(_) => {
            let named = libraries.find(needs).unwrap_or(step);
            format!(" {}{}", named.name, named.options())
        }
        _ => format!(" {}{}", step.name, step.options()),
    };
    help.push(format!("the step again: cargo xtask sysroot{name}"));
    Failure { exit, message, help }.into()
}
