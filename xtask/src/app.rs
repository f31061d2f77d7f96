//! Sysroot + toolchain + variables → `cargo build` → the app's programs; and what that needs of a
//! network before.

mod headers;
mod inside;
mod profile;
mod relink;
mod room;
mod told;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::advice;
use crate::cli::{self, Global};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::host::Host;
use crate::process::{self, describe_status};
use crate::recipe::Language;
use crate::report;
use crate::session::{Access, Project, Session};
use crate::toolchain::headers::GUARD_VARIABLE;
use crate::toolchain::linking::PATH_MAP_VARIABLE;
pub use inside::{Inside, build, section_of};
pub use told::{Built, Program, Script};

/// How much of cargo's output is kept for advice after a failure.
const KEPT_OUTPUT_BYTES: usize = 1 << 20;

/// What to build of a package.
pub struct Order<'a> {
    /// The package.
    pub project: &'a Project,
    /// Only these binaries; all if empty.
    pub bins: &'a [String],
    /// Cargo's profile.
    pub profile: &'a str,
}

impl cli::Fetch {
    /// Brings everything that `dist` needs from a network.
    pub fn run(self, global: Global) -> Result<()> {
        let session = Session::open(global, Access::Write)?;
        for target in session.targets(&self.platform)? {
            let target = target.for_profile(&self.profile);
            let triple = &target.triple;
            let project = session.project(&self.package, triple)?;
            let plan = session.settle_project(&project, &self.platform, &target)?;
            session.fetch_crates(&project, triple)?;
            let names: Vec<_> =
                plan.steps.iter().filter(|s| s.source.is_some()).map(|s| s.name.as_str()).collect();
            report::status(
                "Fetched",
                format!(
                    "{}, the crates of {} and rust-std for {triple}",
                    names.join(", "),
                    project.package.name
                ),
            );
        }
        Ok(())
    }
}

/// Has cargo build the programs.
fn build_once(
    session: &Session,
    order: &Order<'_>,
    environment: &Environment,
    host: &Host,
) -> Result<Built> {
    let project = order.project;
    relink::forget_other_sysroot(order, environment)?;
    let mut command = project.rust.cargo_in(project.folder());
    command
        .envs(&environment.variables)
        .arg("build")
        .arg("--manifest-path")
        .arg(&project.manifest)
        .args(["--package", &project.package.id, "--target", &environment.target.triple])
        .args(["--profile", order.profile, "--message-format", "json-render-diagnostics"])
        .args(profile::arguments(order))
        .args(&project.features)
        .args(environment.cargo_arguments())
        .args(host.cargo_arguments())
        .args(["--jobs", &session.jobs().to_string()]);
    match order.bins {
        [] => drop(command.arg("--bins")),
        bins => drop(command.args(bins.iter().flat_map(|bin| ["--bin", bin]))),
    }
    // There is no network where it runs: all crates are here.
    command.arg("--offline");
    if project.is_locked() {
        command.arg("--locked");
    }
    style_cargo(&mut command);
    tell_of_host(&mut command, order, environment, host);
    let sees_machine = matches!(host, Host::Visible(_)) || !session.sandbox()?.way().has_view();
    if sees_machine {
        command.env(GUARD_VARIABLE, "1");
    }
    let room = room::Room::new(session, project, environment, host)?;
    let mut command = room.enter(&mut command)?;
    let mut built = Built::default();
    let mut said = Vec::new();
    let status = process::run_streamed(
        &mut command,
        |line| {
            built.hear(line, &project.package.id);
            Ok(())
        },
        |bytes| {
            report::passthrough(bytes);
            if said.len() < KEPT_OUTPUT_BYTES {
                said.extend_from_slice(bytes);
            }
        },
    )?;
    if !status.success() {
        return Err(failure(
            session,
            order,
            &environment.target.triple,
            host,
            status,
            &String::from_utf8_lossy(&said),
        ));
    }
    if sees_machine {
        headers::depended_on(&project.package.name, &built, &environment.target.triple)?;
    }
    built.programs.sort_by(|a, b| a.name.cmp(&b.name));
    built.scripts.extend(overridden(project, environment));
    Ok(built)
}

/// Sets the variables by which a build knows what it has of the machine.
fn tell_of_host(
    command: &mut std::process::Command,
    order: &Order<'_>,
    environment: &Environment,
    host: &Host,
) {
    let compilers = environment.linker.parent().unwrap_or(Path::new("/"));
    for (name, value) in host.variables(order.project.rust.sysroot(), compilers) {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

/// What overrides say in the place of build scripts: cargo does not tell of those.
fn overridden(project: &Project, environment: &Environment) -> Vec<Script> {
    let linked = project.metadata.linked_packages().filter_map(|reached| {
        let table = environment.overrides.get(reached.package.links.as_ref()?)?;
        Some((reached.package, table))
    });
    let script = |(package, table): (&crate::links::Package, &BTreeMap<String, toml::Value>)| {
        let words = |key: &str| -> Vec<String> {
            let list = table.get(key).and_then(toml::Value::as_array).into_iter().flatten();
            list.filter_map(|word| word.as_str().map(str::to_owned)).collect()
        };
        let folders = words("rustc-link-search");
        Script {
            package: package.id.clone(),
            libs: words("rustc-link-lib"),
            folders: folders.iter().map(|path| told::folder(path)).collect(),
            out: None,
        }
    };
    linked.map(script).collect()
}

/// Fails, before anything is fetched, if the package has no such binary, or one that its features
/// leave out.
pub fn check_order(order: &Order<'_>) -> Result<()> {
    let package = &order.project.package;
    let known: Vec<String> = package.binaries().map(|target| target.name.clone()).collect();
    if known.is_empty() {
        return Err(no_binary(package).into());
    }
    for bin in order.bins {
        if !known.contains(bin) {
            let message = format!("package `{}` has no binary `{bin}`", package.name);
            return Err(crate::links::unknown(message, bin, known.iter()).into());
        }
    }
    check_features(order)
}

/// What a package has instead of a binary, and what to do.
fn no_binary(package: &crate::links::Package) -> Failure {
    let kinds: Vec<&str> =
        package.targets.iter().flat_map(|target| &target.kind).map(String::as_str).collect();
    let what = ["proc-macro", "lib", "rlib", "cdylib", "dylib", "staticlib", "example"];
    let what = what.into_iter().find(|kind| kinds.contains(kind)).unwrap_or("nothing");
    let name = &package.name;
    let message = format!("package `{name}` has no binary, only {what}: `dist` ships programs");
    let failure = Failure::new(Exit::Usage, message);
    match what {
        "proc-macro" => failure.help(
            "a proc-macro runs inside of rustc, on the machine that builds: name a package that uses it",
        ),
        "cdylib" | "dylib" => failure
            .help(
                "a shared library needs a loader and a libc where it is used, and musl's target links \
                 all statically: add `[[bin]]`, or `crate-type = [\"staticlib\"]` for programs in other \
                 languages",
            )
            .help("`cargo xtask exec -- cargo build --target …` builds a staticlib against the sysroot"),
        _ => failure
            .help("name a package with a program: `-p`, `--manifest-path` or `--crate`")
            .help("`cargo xtask exec -- cargo build --target …` builds anything else against the sysroot"),
    }
}

/// Cargo builds a binary with `required-features` only if they are on: it fails for one that was
/// named, and leaves out the others without a word.
fn check_features(order: &Order<'_>) -> Result<()> {
    let package = &order.project.package;
    let on = order.project.metadata.features_of(package);
    let lacks = |target: &&crate::links::Target| {
        target.required_features.iter().any(|feature| !on.contains(feature))
    };
    let asked =
        |target: &&crate::links::Target| order.bins.is_empty() || order.bins.contains(&target.name);
    let lacking: Vec<_> = package.binaries().filter(asked).filter(lacks).collect();
    let Some(first) = lacking.first() else { return Ok(()) };
    let is_partial = order.bins.is_empty() && lacking.len() < package.binaries().count();
    let names: Vec<_> = lacking.iter().map(|target| target.name.as_str()).collect();
    let features = first.required_features.join(",");
    if is_partial {
        report::note(format!(
            "left out, for want of features: {} (`--features {features}`)",
            names.join(", ")
        ));
        return Ok(());
    }
    let message = format!("`{}` needs the features `{features}`", names.join("`, `"));
    Err(Failure::new(Exit::Usage, message).help(format!("add `--features {features}`")).into())
}

/// Cargo's own look, also through a pipe.
fn style_cargo(command: &mut std::process::Command) {
    command.env("CARGO_TERM_COLOR", if report::has_color() { "always" } else { "never" });
    if report::is_live() {
        command.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "80");
    }
    if !report::is_verbose() && report::is_quiet() {
        command.arg("--quiet");
    }
}

fn failure(
    session: &Session,
    order: &Order<'_>,
    triple: &str,
    host: &Host,
    status: std::process::ExitStatus,
    said: &str,
) -> anyhow::Error {
    if process::is_interrupted() {
        return anyhow::anyhow!("interrupted while cargo built {}", order.project.package.name);
    }
    if let Some(failure) = headers::refused(&order.project.package.name, said) {
        return failure.into();
    }
    let needs_network = session.global.offline && said.contains("--offline");
    let is_usage = said.contains("profile `") && said.contains("is not defined");
    let exit = match (needs_network, is_usage) {
        (true, _) => Exit::Offline,
        (false, true) => Exit::Usage,
        (false, false) => Exit::Failed,
    };
    let name = &order.project.package.name;
    let message = format!("`cargo build` of {name} {}", describe_status(status));
    let mut failure = Failure::new(exit, message);
    let wanted = &order.project.wanted;
    let is_wanted = |name: &String| {
        let is_runtime = session.recipes.is_runtime_cxx(name);
        wanted.libraries.contains(name) || (wanted.language == Language::Cxx && is_runtime)
    };
    let context = advice::Context {
        target: triple.to_owned(),
        libraries: session
            .recipes
            .libraries
            .values()
            .filter(|library| !session.recipes.is_runtime_rust(&library.name))
            .map(|library| advice::KnownLibrary {
                recipe: library.name.clone(),
                links: library.links.clone(),
                libs: [&library.outputs.libs[..], &library.outputs.aliases].concat(),
                pkgconfig: library.outputs.pkgconfig.clone(),
                is_in_sysroot: is_wanted(&library.name),
            })
            .collect(),
    };
    failure.help.extend(advice::advice(said, &context));
    if order.project.is_locked() && said.contains("could not compile") {
        failure.help.push(format!(
            "the crates in the Cargo.lock that {name} was published with may be too old for this Rust: \
             `--ignore-lock` passes over it and resolves them anew"
        ));
    }
    let is_hidden = matches!(host, Host::Hidden { .. });
    if is_hidden && said.contains("failed to run custom build command") {
        failure.help.push(
            "build scripts see none of this machine's programs, headers and libraries; for those that \
             need some: `--host visible`, or `host = \"visible\"` in `[package.metadata.muslin]`"
                .to_owned(),
        );
    }
    failure.into()
}

/// Tells the compilers to write fixed names for this machine's folders.
pub fn hide_paths(environment: &mut Environment, session: &Session, project: &Project) {
    let mut lines = Vec::new();
    for (path, name) in path_map(session, project) {
        let path = path.to_string_lossy();
        environment.rustflags.push(format!("--remap-path-prefix={path}={name}"));
        lines.push(format!("{path}={name}"));
    }
    lines.reverse();
    environment.variables.insert(PATH_MAP_VARIABLE.to_owned(), lines.join("\n"));
}

/// Flags that keep this machine's paths out of the program: longest first, since the last that
/// matches wins and a folder inside another must not be mapped by the outer one.
fn path_map(session: &Session, project: &Project) -> Vec<(PathBuf, String)> {
    let home = process::env_var("HOME").map(PathBuf::from);
    let mut map = vec![
        (project.rust.sysroot().to_owned(), "/rust".to_owned()),
        (project.metadata.workspace_root.clone(), "/app".to_owned()),
        (project.metadata.target_directory.clone(), "/target".to_owned()),
        (session.store.root().to_owned(), "/muslin".to_owned()),
    ];
    map.extend(process::cargo_home().map(|home| (home, "/cargo".to_owned())));
    map.extend(project.metadata.linked_packages().filter_map(|linked| place_of(linked.package)));
    let home = home.filter(|home| home.parent().is_some());
    map.extend(home.map(|home| (home, "/home".to_owned())));
    map.sort_by(|(a, _), (b, _)| (a.as_os_str().len(), a).cmp(&(b.as_os_str().len(), b)));
    map.dedup_by(|a, b| a.0 == b.0);
    map
}

/// A crate's folder and its name in the program. Cargo names the folder of a registry's crates for the
/// place that it has them from: a mirror, a bundle; and a repository's crates lie elsewhere once they
/// are vendored. That is no difference to the program.
fn place_of(package: &crate::links::Package) -> Option<(PathBuf, String)> {
    package.source.as_ref()?;
    let folder = package.manifest_path.parent()?;
    let all = folder.parent()?;
    match all.parent().is_some_and(|it| it.ends_with("registry/src")) {
        true => Some((all.to_owned(), "/crates".to_owned())),
        false => Some((folder.to_owned(), format!("/crates/{}-{}", package.name, package.version))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_program_is_told_with_a_way_out() {
        let said = |kinds: &[&str]| {
            let package: crate::links::Package = serde_json::from_value(serde_json::json!({
                "id": "x", "name": "x", "version": "1.0.0", "license": null, "links": null,
                "manifest_path": "/x/Cargo.toml", "metadata": null, "features": {},
                "dependencies": [], "targets": [{ "name": "x", "kind": kinds }],
            }))
            .unwrap();
            let failure = no_binary(&package);
            assert_eq!(failure.exit, Exit::Usage);
            format!("{}\n{}", failure.message, failure.help.join("\n"))
        };
        for (kinds, what, way_out) in [
            (&["proc-macro"][..], "only proc-macro", "runs inside of rustc"),
            (&["cdylib"], "only cdylib", "staticlib"),
            (&["dylib"], "only dylib", "staticlib"),
            (&["cdylib", "rlib"], "only rlib", "--crate"),
            (&["staticlib"], "only staticlib", "exec"),
        ] {
            let said = said(kinds);
            assert!(said.contains(what) && said.contains(way_out), "{said}");
        }
    }
}
