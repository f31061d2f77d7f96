//! Cargo's dependency graph → the C libraries that the app links.
//!
//! Cargo tells what the program links: what a build script or a proc-macro links is the host's
//! business. Never decides how a library is built.

mod cxx;
mod metadata;
mod remembered;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::exit::{Exit, Failure};
use crate::recipe::{Language, Recipes};

pub use cxx::speakers_of_cxx;
pub use metadata::{Caller, Metadata, Package, Query, Target, load, load_linked};
pub use remembered::Memory;

/// Build dependencies that look for a library on the system.
const SEEKERS: [&str; 4] = ["pkg-config", "vcpkg", "system-deps", "metadeps"];
/// Build dependencies that compile C code.
const COMPILERS: [&str; 4] = ["cc", "cmake", "autotools", "autocfg-cc"];

/// A name that differs in more letters is another name, however long both are.
const GUESS_MAX: usize = 4;

/// What the app's author asks for in `[package.metadata.muslin]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Wishes {
    /// Libraries to add or leave out.
    pub libraries: LibraryWishes,
    /// The toolchain to use.
    pub toolchain: Option<String>,
    /// What the app's build sees of the machine.
    pub host: HostView,
}

/// What an app's build scripts and proc-macros see of the programs, headers and libraries of the
/// machine that builds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum HostView {
    /// None but the shared libraries that Rust's own programs load.
    #[default]
    Hidden,
    /// All of them.
    Visible,
}

/// `libraries.add` and `libraries.skip`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LibraryWishes {
    /// Libraries that no `links` key asks for.
    pub add: Vec<String>,
    /// Libraries (or `links` keys) to leave out.
    pub skip: Vec<String>,
}

/// Where a crate of the graph gets its C library from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provision {
    /// From the sysroot: this library's recipe serves the `links` key.
    Sysroot(String),
    /// The crate compiles its own copy, because of this feature, or because it has nothing else.
    Bundled(Option<String>),
    /// The app's manifest says to leave it.
    Skipped,
    /// It has no recipe, and the crate would look for it on the system.
    Missing,
}

/// One crate of the graph with a `links` key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The key.
    pub key: String,
    /// The crate.
    pub crate_name: String,
    /// Its version.
    pub crate_version: String,
    /// Where the library comes from.
    pub provision: Provision,
    /// Features of the crate that look as if they brought their own copy.
    pub bundling_features: Vec<String>,
}

/// What the app links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Libraries to build, without their dependencies; sorted.
    pub libraries: Vec<String>,
    /// Every crate with a `links` key.
    pub links: Vec<Link>,
    /// The toolchain that the app's manifest asks for.
    pub toolchain: Option<String>,
    /// What its build sees of the machine, says the app's manifest.
    pub host: HostView,
    /// What its crates compile or link beside the libraries.
    pub language: Language,
}

/// Reads what the app links from its dependency graph.
pub fn discover(metadata: &Metadata, package: &Package, recipes: &Recipes) -> Result<Wanted> {
    let wishes = wishes(package)?;
    check_names(&wishes, package, recipes)?;
    let mut wanted =
        Wanted { toolchain: wishes.toolchain.clone(), host: wishes.host, ..Wanted::default() };
    let mut libraries: BTreeSet<&str> = wishes.libraries.add.iter().map(String::as_str).collect();
    for reached in metadata.linked_packages() {
        let Some(key) = &reached.package.links else { continue };
        let provision = provision(key, &reached, recipes, &wishes);
        if let Provision::Sysroot(name) = &provision
            && let Some((name, _)) = recipes.libraries.get_key_value(name)
        {
            libraries.insert(name);
        }
        wanted.links.push(Link {
            key: key.clone(),
            crate_name: reached.package.name.clone(),
            crate_version: reached.package.version.clone(),
            provision,
            bundling_features: bundling_features(reached.package),
        });
    }
    wanted.links.sort_by(|a, b| (&a.key, &a.crate_version).cmp(&(&b.key, &b.crate_version)));
    wanted.language = language(metadata, &wanted, &wishes, recipes);
    wanted.libraries = libraries.into_iter().map(str::to_owned).collect();
    Ok(wanted)
}

/// What is linked beside the libraries. A crate that gets its library from a recipe compiles nothing,
/// and what that library needs, its recipe knows.
fn language(metadata: &Metadata, wanted: &Wanted, wishes: &Wishes, recipes: &Recipes) -> Language {
    let is_served = |name: &String| {
        let served = |link: &&Link| matches!(link.provision, Provision::Sysroot(_));
        wanted.links.iter().filter(served).any(|link| link.crate_name == *name)
    };
    let is_skipped = wishes.libraries.skip.iter().any(|name| recipes.is_runtime_cxx(name));
    match metadata.cxx.iter().any(|name| !is_served(name)) && !is_skipped {
        true => Language::Cxx,
        false => Language::C,
    }
}

fn provision(
    key: &str,
    reached: &metadata::Reached<'_>,
    recipes: &Recipes,
    wishes: &Wishes,
) -> Provision {
    let recipe = recipes.libraries.values().find(|library| library.links.iter().any(|k| k == key));
    let name = recipe.map_or(key, |library| library.name.as_str());
    if wishes.libraries.skip.iter().any(|skipped| skipped == name || skipped == key) {
        return Provision::Skipped;
    }
    let Some(library) = recipe else {
        let mut on = bundling_features(reached.package).into_iter();
        // `static` often means "link the system's static library", so it proves nothing.
        let brings = |f: &String| reached.features.contains(f) && !f.starts_with("static");
        if let Some(feature) = on.find(brings) {
            return Provision::Bundled(Some(feature));
        }
        let builds_with = |names: &[&str]| {
            reached.package.build_dependencies().any(|dependency| names.contains(&dependency))
        };
        let seeks = builds_with(&SEEKERS) && !builds_with(&COMPILERS);
        return if seeks { Provision::Missing } else { Provision::Bundled(None) };
    };
    let bundling = library.bundled.get(&reached.package.name);
    let feature =
        bundling.into_iter().flatten().find(|feature| reached.features.contains(*feature));
    match feature {
        Some(feature) => Provision::Bundled(Some(feature.clone())),
        None => Provision::Sysroot(library.name.clone()),
    }
}

fn bundling_features(package: &Package) -> Vec<String> {
    let looks_bundling = |name: &&String| {
        ["bundled", "vendored", "static", "source", "src"].iter().any(|word| name.starts_with(word))
    };
    package.features.keys().filter(looks_bundling).cloned().collect()
}

/// Reads `[package.metadata.muslin]`.
fn wishes(package: &Package) -> Result<Wishes> {
    let Some(table) = package.metadata.as_ref().and_then(|metadata| metadata.get("muslin")) else {
        return Ok(Wishes::default());
    };
    serde_json::from_value(table.clone()).map_err(|error| {
        let place = package.manifest_path.display();
        Failure::new(
            Exit::Usage,
            format!("`[package.metadata.muslin]` in {place} cannot be read: {error}"),
        )
        .help("it may hold `libraries.add`, `libraries.skip` (lists of names) and `toolchain` (a name)")
        .into()
    })
}

fn check_names(wishes: &Wishes, package: &Package, recipes: &Recipes) -> Result<()> {
    for name in &wishes.libraries.add {
        if !recipes.libraries.contains_key(name) {
            let place = package.manifest_path.display();
            let message = format!("`libraries.add` in {place} names `{name}`, which has no recipe");
            return Err(unknown(message, name, recipes.libraries.keys()).into());
        }
    }
    Ok(())
}

/// A usage error about a name that is not in a table: guesses the typo and lists the table.
pub fn unknown<'a>(
    message: String,
    name: &str,
    known: impl Iterator<Item = &'a String>,
) -> Failure {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let near = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(distance, candidate)| {
            *distance <= (candidate.len().max(3) / 3).min(GUESS_MAX) || is_abridged(name, candidate)
        })
        .min();
    let mut failure = Failure::new(Exit::Usage, message);
    if let Some((_, guess)) = near {
        failure = failure.help(format!("did you mean `{guess}`?"));
    }
    failure.help(format!("there are: {}", known.join(", ")))
}

/// Whether a name has only parts that the other has too: `x86_64-linux-musl`.
fn is_abridged(name: &str, full: &str) -> bool {
    name.contains('-') && name.split('-').all(|part| full.split('-').any(|other| other == part))
}

impl Wanted {
    /// Fails, before anything is built, if a crate needs a library that nothing provides.
    pub fn require_all(&self) -> Result<()> {
        let missing: Vec<_> =
            self.links.iter().filter(|link| link.provision == Provision::Missing).collect();
        let Some(first) = missing.first() else { return Ok(()) };
        let lines: BTreeMap<_, _> = missing
            .iter()
            .map(|link| {
                let text = format!("`{}` for {} {}", link.key, link.crate_name, link.crate_version);
                (link.key.as_str(), text)
            })
            .collect();
        let list = lines.into_values().collect::<Vec<_>>().join(", ");
        let mut failure = Failure::new(
            Exit::Failed,
            format!(
                "no recipe brings the C library {list}, and the crate would look for it on this machine"
            ),
        );
        for link in missing.iter().filter(|link| !link.bundling_features.is_empty()) {
            let features = link.bundling_features.join("`, `");
            failure = failure.help(format!(
                "let the crate compile its own copy: {} has the feature `{features}`",
                link.crate_name
            ));
        }
        Err(failure
            .help(format!("or write recipes/libraries/{}.toml with `links = [\"{}\"]`", first.key, first.key))
            .help(format!(
                "or, if it is not needed after all, `libraries.skip = [\"{}\"]` under `[package.metadata.muslin]`",
                first.key
            ))
            .into())
    }
}

#[cfg(test)]
mod tests;
