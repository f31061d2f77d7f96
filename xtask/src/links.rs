//! Cargo's dependency graph → the C libraries that the app links.
//!
//! Cargo tells what the program links: what a build script or a proc-macro links is the host's
//! business. Never decides how a library is built.

mod callers;
mod cxx;
mod metadata;
mod remembered;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::exit::{Exit, Failure};
use crate::recipe::{Language, Library, Recipes};

pub use callers::{Caller, callers};
pub use cxx::speakers_of_cxx;
pub use metadata::{Metadata, Package, Query, Target, load, load_linked};
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
    /// Whose copy is taken of a library that a crate brings and a recipe has.
    pub prefer: Prefer,
}

/// Whose copy of a library is linked, where a feature of its crate asks for the crate's own and the
/// recipe has a switch that overrules it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Prefer {
    /// What the app's author has chosen stands.
    #[default]
    Crate,
    /// The recipe's.
    Sysroot,
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
    /// Every crate with a library's `links` key.
    pub links: Vec<Link>,
    /// The toolchain that the app's manifest asks for.
    pub toolchain: Option<String>,
    /// What its build sees of the machine, says the app's manifest.
    pub host: HostView,
    /// What its crates compile or link beside the libraries.
    pub language: Language,
    /// Libraries whose crates must be kept from compiling a copy of their own.
    pub overruled: BTreeSet<String>,
}

/// Reads what the app links from its dependency graph. The command line's preference, if it has one,
/// comes before the manifest's.
pub fn discover(
    metadata: &Metadata,
    package: &Package,
    recipes: &Recipes,
    prefer: Option<Prefer>,
) -> Result<Wanted> {
    let mut wishes = wishes(package)?;
    wishes.prefer = prefer.unwrap_or(wishes.prefer);
    check_names(&wishes, package, recipes)?;
    let mut wanted =
        Wanted { toolchain: wishes.toolchain.clone(), host: wishes.host, ..Wanted::default() };
    let mut libraries: BTreeSet<String> = wishes.libraries.add.iter().cloned().collect();
    for reached in metadata.linked_packages() {
        let Some(key) = key_of(reached.package, recipes) else { continue };
        let provision = provision(key, &reached, recipes, &wishes);
        if let Provision::Sysroot(name) = &provision {
            libraries.insert(name.clone());
        }
        if provision == Provision::Bundled(None) && is_no_library(reached.package) {
            continue;
        }
        wanted.links.push(Link {
            key: key.to_owned(),
            crate_name: reached.package.name.clone(),
            crate_version: reached.package.version.clone(),
            provision,
            bundling_features: bundling_features(reached.package),
        });
    }
    // What another library of the sysroot links is there anyway, and two copies of one library in a
    // program are one too many.
    let there = with_dependencies(&libraries, recipes);
    for link in &mut wanted.links {
        let Some(library) = serving(&link.key, recipes) else { continue };
        let Provision::Bundled(Some(feature)) = &link.provision else { continue };
        let (name, is_there) = (&library.name, there.contains(&library.name));
        if (is_there || wishes.prefer == Prefer::Sysroot)
            && has_feature(&library.bundled, &link.crate_name, feature)
        {
            wanted.overruled.insert(name.clone());
            libraries.insert(name.clone());
            link.provision = Provision::Sysroot(name.clone());
        }
    }
    wanted.links.sort_by(|a, b| (&a.key, &a.crate_version).cmp(&(&b.key, &b.crate_version)));
    wanted.language = language(metadata, &wanted, &wishes, recipes);
    wanted.libraries = libraries.into_iter().collect();
    Ok(wanted)
}

/// What is linked beside the libraries. A crate that gets its library from a recipe compiles nothing,
/// and what that library needs, its recipe knows.
fn language(metadata: &Metadata, wanted: &Wanted, wishes: &Wishes, recipes: &Recipes) -> Language {
    let is_skipped = wishes.libraries.skip.iter().any(|name| recipes.is_runtime_cxx(name));
    match metadata.cxx.iter().any(|name| !wanted.is_served(name)) && !is_skipped {
        true => Language::Cxx,
        false => Language::C,
    }
}

/// Libraries with all that they link.
fn with_dependencies(libraries: &BTreeSet<String>, recipes: &Recipes) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut open: Vec<&String> = libraries.iter().collect();
    while let Some(name) = open.pop() {
        if all.insert(name.clone()) {
            open.extend(recipes.libraries.get(name).iter().flat_map(|it| &it.dependencies));
        }
    }
    all
}

/// The library whose recipe serves a `links` key.
fn serving<'r>(key: &str, recipes: &'r Recipes) -> Option<&'r Library> {
    let serves = |library: &&Library| library.links.iter().chain(&library.crates).any(|k| k == key);
    recipes.libraries.values().find(serves)
}

/// By what name a crate's library is known: its `links` key, or, as some have none, its own if a recipe
/// says so.
fn key_of<'p>(package: &'p Package, recipes: &Recipes) -> Option<&'p str> {
    let is_listed = |library: &Library| library.crates.contains(&package.name);
    let by_name = || recipes.libraries.values().any(is_listed).then_some(package.name.as_str());
    package.links.as_deref().or_else(by_name)
}

fn has_feature(table: &BTreeMap<String, Vec<String>>, name: &str, feature: &String) -> bool {
    table.get(name).is_some_and(|features| features.contains(feature))
}

fn provision(
    key: &str,
    reached: &metadata::Reached<'_>,
    recipes: &Recipes,
    wishes: &Wishes,
) -> Provision {
    let recipe = serving(key, recipes);
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
    // The tables that nothing overrules first: such a feature stands, whatever else is on.
    let tables = [&library.always_bundled, &library.bundled];
    let features = tables.into_iter().filter_map(|table| table.get(&reached.package.name));
    let mut on = features.flatten().filter(|feature| reached.features.contains(*feature));
    match on.next() {
        Some(feature) => Provision::Bundled(Some(feature.clone())),
        None => Provision::Sysroot(library.name.clone()),
    }
}

/// Whether a crate for which there is no recipe has a `links` key for no library's sake: there are
/// some, such as rayon-core, that only want to be in a program once.
fn is_no_library(package: &Package) -> bool {
    package.build_dependencies().next().is_none()
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
        .help(
            "it may hold `libraries.add`, `libraries.skip` (lists of names), `toolchain` (a name), \
               `host` (`hidden` or `visible`) and `prefer` (`crate` or `sysroot`)",
        )
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
    /// Whether a crate gets its library from the sysroot.
    pub fn is_served(&self, crate_name: &str) -> bool {
        let served = |link: &&Link| matches!(link.provision, Provision::Sysroot(_));
        self.links.iter().filter(served).any(|link| link.crate_name == crate_name)
    }

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
