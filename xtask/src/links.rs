//! Cargo's dependency graph → the C libraries that the app links.
//!
//! Cargo tells what the program links: what a build script or a proc-macro links is the host's
//! business. Never decides how a library is built.

mod callers;
mod cxx;
mod metadata;
mod packing;
mod provision;
mod remembered;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::exit::{Exit, Failure};
use crate::recipe::{Language, Recipes};

pub use callers::{Caller, callers};
pub use cxx::speakers_of_cxx;
pub use metadata::{Metadata, Package, Query, Target, load};
pub use packing::{ArchiveWishes, CERTIFICATES, ImageWishes, Port};
pub use provision::{Link, Provision};
pub use remembered::Memory;
pub use tree::{Linked, load_linked};

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
    /// By crate or recipe whose code asks the CPU what it has before it takes more, though that cannot
    /// be seen: how.
    pub asks_cpu: BTreeMap<String, String>,
    /// By check of finished programs that may fail: why.
    pub allow: BTreeMap<String, String>,
    /// What goes into archives beside the programs.
    pub archive: ArchiveWishes,
    /// What images hold, and how they start.
    pub image: ImageWishes,
    /// Whether programs tell what they are made of; they do if nothing is said.
    pub auditable: Option<bool>,
    /// Whose licences are well.
    pub licenses: LicenseWishes,
}

/// What is said of licences beside `deny.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LicenseWishes {
    /// SPDX identifiers that are allowed, too.
    pub allow: Vec<String>,
    /// By component, the file with its licence's text, from the package's Cargo.toml on.
    pub texts: BTreeMap<String, String>,
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

/// What the app links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Libraries to build, without their dependencies; sorted.
    pub libraries: Vec<String>,
    /// Every crate with a library's `links` key, and those without one that a recipe serves.
    pub links: Vec<Link>,
    /// The toolchain that the app's manifest asks for.
    pub toolchain: Option<String>,
    /// What its build sees of the machine, says the app's manifest.
    pub host: HostView,
    /// Whose code asks the CPU what it has, says the app's manifest, and how.
    pub asks_cpu: BTreeMap<String, String>,
    /// By check of its programs that may fail, says the app's manifest, and why.
    pub allow: BTreeMap<String, String>,
    /// What its crates compile or link beside the libraries.
    pub language: Language,
    /// Libraries whose crates must be kept from compiling a copy of their own.
    pub overruled: BTreeSet<String>,
    /// What goes into archives beside the programs.
    pub archive: ArchiveWishes,
    /// What images hold, and how they start.
    pub image: ImageWishes,
    /// Tools, by recipe, that are files for images.
    pub data: Vec<String>,
    /// Whether programs tell what they are made of.
    pub auditable: Option<bool>,
    /// Whose licences are well.
    pub licenses: LicenseWishes,
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
    let mut wanted = Wanted {
        toolchain: wishes.toolchain.clone(),
        host: wishes.host,
        asks_cpu: wishes.asks_cpu.clone(),
        allow: wishes.allow.clone(),
        archive: wishes.archive.clone(),
        data: wishes.image.data(metadata),
        image: wishes.image.clone(),
        auditable: wishes.auditable,
        licenses: wishes.licenses.clone(),
        ..Wanted::default()
    };
    let mut libraries: BTreeSet<String> = wishes.libraries.add.iter().cloned().collect();
    let mut overrulable = Vec::new();
    for reached in metadata.linked_packages() {
        let Some(choice) = provision::choose(&reached, recipes, &wishes) else { continue };
        if let Provision::Sysroot(name) = &choice.link.provision {
            libraries.insert(name.clone());
        }
        if choice.is_overrulable {
            overrulable.push(wanted.links.len());
        }
        wanted.links.push(choice.link);
    }
    // What another library of the sysroot links is there anyway, and two copies of one library in a
    // program are one too many.
    let there = with_dependencies(&libraries, recipes);
    for index in overrulable {
        let link = &mut wanted.links[index];
        let Some(name) = link.library.clone() else { continue };
        if there.contains(&name) || wishes.prefer == Prefer::Sysroot {
            wanted.overruled.insert(name.clone());
            libraries.insert(name.clone());
            link.provision = Provision::Sysroot(name);
        }
    }
    wanted.links.sort_by(|a, b| a.order().cmp(&b.order()));
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
               `host` (`hidden` or `visible`), `prefer` (`crate` or `sysroot`), `asks-cpu` and `allow` \
               (tables of names with reasons), `archive` (`include`, a list of paths; `auto`), `image` \
               (docs/packages.md has its keys), `auditable` (`false`) and `licenses` (`allow`, a list; \
               `texts`, a table of paths)",
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
        if recipes.is_runtime_rust(name) {
            let message =
                format!("`libraries.add` names `{name}`, which every program has already");
            return Err(Failure::new(Exit::Usage, message)
                .help("Rust's standard library is linked with it: take it out")
                .into());
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
    /// Whether a crate compiles its own copy although its `links` key is one that a recipe serves.
    pub fn keeps_own(&self, key: &str) -> bool {
        let mut own = self.links.iter().filter(|link| link.is_own());
        own.any(|link| link.key.as_deref() == Some(key))
    }

    /// Whether all crates that a library serves compile their own copies, and there are some.
    pub fn is_left_alone(&self, library: &str) -> bool {
        let mut crates = self.links.iter().filter(|it| it.library.as_deref() == Some(library));
        crates.clone().next().is_some() && crates.all(Link::is_own)
    }

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
                let text =
                    format!("`{}` for {} {}", link.name(), link.crate_name, link.crate_version);
                (link.name(), text)
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
            .help(format!("or write recipes/libraries/{}.toml with `links = [\"{}\"]`", first.name(), first.name()))
            .help(format!(
                "or, if it is not needed after all, `libraries.skip = [\"{}\"]` under `[package.metadata.muslin]`",
                first.name()
            ))
            .into())
    }
}

#[cfg(test)]
mod tests;
