//! The builder for tools: C files, linked into a static program, or made what such programs are
//! linked with or others loaded by; or what comes prebuilt. What came out is compared with the digest that the recipe pins.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::bench::{Bench, Sharing};
use super::compile::{self, Direct};
use super::room::Folders;
use super::{outputs, prebuilt, steps};
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::layout::{copy_tree, files_below, tree_listing};
use crate::plan::{Plan, Step, Work};
use crate::recipe::{Product, Tool};
use crate::session::Session;
use crate::{report, toolchain};

/// Makes a tool's outputs.
pub fn make(
    session: &Session,
    plan: &Plan,
    step: &Step,
    tool: &Tool,
    bench: &Bench<'_>,
) -> Result<()> {
    let Folders { root, source, install, .. } = &bench.folders;
    let direct = match &tool.product {
        Product::Prebuilt(None) => None,
        _ => Some(steps::direct(session, plan, step, bench)?),
    };
    let other = other(session, plan, step);
    match (&tool.product, &direct) {
        (Product::Prebuilt(program), _) => prebuilt::put(program.as_ref(), other, &bench.folders)?,
        (_, Some(direct)) => build(direct, tool, other)?,
        (_, None) => {}
    }
    for (folder, from) in &tool.copy {
        for part in from {
            copy(&source.join(part), &install.join(folder))
                .with_context(|| format!("{}: cannot copy `{part}` to `{folder}`", tool.name))?;
        }
    }
    let outputs = root.join("outputs");
    let recipe = format!("recipes/tools/{}.toml", tool.name);
    outputs::take(&tool.name, &recipe, &declared(tool), install, &outputs)?;
    if let Product::Program { path, aliases } = &tool.product {
        let program = outputs.join(path);
        for alias in aliases {
            symlink(program.file_name().unwrap_or_default(), program.with_file_name(alias))?;
        }
    }
    // Files that nobody compiled are what the archive's digest pins.
    direct.map_or(Ok(()), |direct| verify(tool, &direct.toolchain.name, &outputs))
}

/// The tool that a program is linked with, where the toolchain has no libc, or loaded by, and its
/// outputs.
fn other(session: &Session, plan: &Plan, step: &Step) -> Option<(Tool, PathBuf)> {
    plan.dependencies(step).find_map(|dependency| match &dependency.work {
        Work::Tool(tool) => Some((Tool::clone(tool), session.entry(dependency).outputs())),
        _ => None,
    })
}

fn build(direct: &Direct<'_>, tool: &Tool, runtime: Option<(Tool, PathBuf)>) -> Result<()> {
    let bench = direct.bench;
    let names = compile::compile_all(direct, &tool.compile, &tool.compile.sources)?;
    let path = match &tool.product {
        Product::Program { path, .. } | Product::Loader { path } => {
            bench.folders.install.join(path)
        }
        Product::Runtime { lib, objects } => {
            compile::archive(direct, lib, &names)?;
            let names = compile::compile_all(direct, &tool.compile, objects)?;
            for (name, object) in names.iter().zip(starting_objects(tool)) {
                fs::copy(bench.folders.objects.join(name), bench.folders.install.join(object))?;
            }
            return Ok(());
        }
        Product::Prebuilt(_) => return Ok(()),
    };
    fs::create_dir_all(path.parent().unwrap_or(&bench.folders.install))?;
    let call = match &tool.product {
        Product::Loader { .. } => toolchain::loader_linker(direct.toolchain, bench.target),
        _ => toolchain::linker(direct.toolchain, bench.target),
    };
    let mut link = direct.command(&call);
    link.current_dir(bench.seen(&bench.folders.objects)).arg("-o").arg(bench.seen(&path));
    let (before, after) = match &runtime {
        Some((tool, outputs)) => (starting_objects(tool), library(tool, &bench.seen(outputs))),
        None => (vec![], None),
    };
    let place = runtime.map(|(_, outputs)| bench.seen(&outputs)).unwrap_or_default();
    link.args(before.iter().map(|object| place.join(object))).args(&names).args(after);
    bench.run(&link, Sharing::Alone)
}

/// Where a runtime's objects are, below its outputs.
fn starting_objects(tool: &Tool) -> Vec<PathBuf> {
    let Product::Runtime { objects, .. } = &tool.product else { return vec![] };
    let name = |source: &String| {
        let stem = Path::new(source).file_stem().unwrap_or_default().to_string_lossy();
        PathBuf::from(format!("lib/{stem}.o"))
    };
    objects.iter().map(name).collect()
}

fn library(tool: &Tool, outputs: &Path) -> Option<PathBuf> {
    let Product::Runtime { lib, .. } = &tool.product else { return None };
    Some(outputs.join(format!("lib/lib{lib}.a")))
}

/// Puts what is in a folder, or a file, into a folder. Two files of one name are a mistake of the
/// recipe: which one stays would depend on the order.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let is_folder = from.is_dir();
    let name = PathBuf::from(from.file_name().unwrap_or_default());
    let files = if is_folder { files_below(from)? } else { vec![name] };
    if let Some(double) = files.iter().find(|file| to.join(file).exists()) {
        anyhow::bail!("`{}` is there already", double.display());
    }
    if is_folder {
        return copy_tree(from, to);
    }
    fs::create_dir_all(to)?;
    fs::copy(from, to.join(&files[0]))?;
    Ok(())
}

fn declared(tool: &Tool) -> Vec<PathBuf> {
    let mut declared: Vec<PathBuf> = match &tool.product {
        Product::Program { path, .. } => vec![PathBuf::from(path)],
        Product::Runtime { lib, .. } => {
            let archive = PathBuf::from(format!("lib/lib{lib}.a"));
            starting_objects(tool).into_iter().chain([archive]).collect()
        }
        Product::Loader { .. } | Product::Prebuilt(None) => vec![],
        Product::Prebuilt(Some(program)) => vec![PathBuf::from(format!("bin/{}", program.name()))],
    };
    declared.extend(tool.files.iter().map(PathBuf::from));
    declared
}

/// Compares what was made with what the recipe says it is when this toolchain makes it.
fn verify(tool: &Tool, toolchain: &str, outputs: &Path) -> Result<()> {
    let Tool { name, version, .. } = tool;
    let found = Digest::sha256_of(tree_listing(outputs)?.as_bytes());
    let Some(expected) = tool.digests.get(toolchain) else {
        let line = format!("{name} {version} as {toolchain} makes it: {found} is pinned nowhere");
        report::detail("Unpinned", line);
        return Ok(());
    };
    if *expected == found {
        report::detail("Verified", format!("{name} {version}, {found}"));
        return Ok(());
    }
    let message = format!(
        "{name} {version}, made with {toolchain}, is not what its recipe pins\n  expected {expected}\n     \
         found {found}"
    );
    Err(Failure::new(Exit::VerificationFailed, message)
        .help(format!(
            "if its recipe, a patch or the toolchain was changed on purpose: \
             `{toolchain} = \"{}\"` in `[digest]` of recipes/tools/{name}.toml",
            found.hex()
        ))
        .help("else do not use it: something on this machine changed what was compiled")
        .into())
}
