//! Where a crate of the graph gets its C library from, as its features, its version and the recipes
//! have it.

use std::collections::BTreeMap;

use super::Wishes;
use super::metadata::{Package, Reached};
use crate::recipe::{Library, Recipes};

/// Build dependencies that look for a library on the system.
const SEEKERS: [&str; 4] = ["pkg-config", "vcpkg", "system-deps", "metadeps"];
/// Build dependencies that compile C code.
const COMPILERS: [&str; 4] = ["cc", "cmake", "autotools", "autocfg-cc"];

/// In a recipe, what stands for whatever features are on.
const ANY: &str = "*";

/// Where a crate of the graph gets its C library from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provision {
    /// From the sysroot: this library's recipe serves it.
    Sysroot(String),
    /// The crate compiles its own copy, because of this feature, or because it has nothing else.
    Bundled(Option<String>),
    /// The app's manifest says to leave it.
    Skipped,
    /// It has no recipe, and the crate would look for it on the system.
    Missing,
}

/// One crate of the graph that links a C library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its `links` key; none if it is known to a recipe by its name.
    pub key: Option<String>,
    /// The crate.
    pub crate_name: String,
    /// Its version.
    pub crate_version: String,
    /// The library whose recipe serves it, wherever its copy comes from.
    pub library: Option<String>,
    /// Where the library comes from.
    pub provision: Provision,
    /// Features of the crate that look as if they brought their own copy.
    pub bundling_features: Vec<String>,
}

impl Link {
    /// What it links, in one word: the key, else the recipe.
    pub fn name(&self) -> &str {
        self.key.as_ref().or(self.library.as_ref()).unwrap_or(&self.crate_name)
    }

    /// Whether it compiles its own copy.
    pub fn is_own(&self) -> bool {
        matches!(self.provision, Provision::Bundled(_))
    }

    pub(super) fn order(&self) -> (&str, &str, &str) {
        (self.name(), &self.crate_name, &self.crate_version)
    }
}

/// What is known of a crate when nothing is said of the libraries that other crates link.
pub(super) struct Choice {
    pub link: Link,
    /// Whether the recipe's copy can take the place of the crate's own.
    pub is_overrulable: bool,
}

/// What a crate links; `None` if it links no C library as far as anybody knows.
pub(super) fn choose(reached: &Reached<'_>, recipes: &Recipes, wishes: &Wishes) -> Option<Choice> {
    let package = reached.package;
    let library = serving(package, recipes);
    if library.is_none() && package.links.is_none() {
        return None;
    }
    let mut is_overrulable = false;
    let is_skipped = |name: &String| wishes.libraries.skip.contains(name);
    let provision = if library.is_some_and(|library| is_skipped(&library.name))
        || package.links.as_ref().is_some_and(is_skipped)
    {
        Provision::Skipped
    } else if let Some(library) = library {
        let (provision, may_change) = with_recipe(library, reached);
        is_overrulable = may_change;
        provision
    } else {
        let provision = without_recipe(reached);
        if provision == Provision::Bundled(None) && is_no_library(package) {
            return None;
        }
        provision
    };
    let link = Link {
        key: package.links.clone(),
        crate_name: package.name.clone(),
        crate_version: package.version.clone(),
        library: library.map(|library| library.name.clone()),
        provision,
        bundling_features: bundling_features(package),
    };
    Some(Choice { link, is_overrulable })
}

/// The library whose recipe serves a crate.
fn serving<'r>(package: &Package, recipes: &'r Recipes) -> Option<&'r Library> {
    let has_key =
        |library: &Library| library.links.iter().any(|it| Some(it) == package.links.as_ref());
    let mut libraries = recipes.libraries.values();
    libraries.find(|library| has_key(library) || library.crates.contains(&package.name))
}

/// Where the library comes from, and whether that may change.
fn with_recipe(library: &Library, reached: &Reached<'_>) -> (Provision, bool) {
    let Package { name, version, .. } = reached.package;
    let fits = library.versions.get(name);
    if fits.is_some_and(|starts| !starts.iter().any(|start| begins_with(version, start))) {
        return (Provision::Bundled(None), false);
    }
    // What nothing overrules comes first: such a feature stands, whatever else is on.
    let tables = [(&library.always_bundled, false), (&library.bundled, true)];
    for (table, may_change) in tables {
        if let Some(feature) = asking(table, reached) {
            let named = Some(feature).filter(|feature| *feature != ANY).map(str::to_owned);
            return (Provision::Bundled(named), may_change);
        }
    }
    (Provision::Sysroot(library.name.clone()), false)
}

/// The feature that is on and in a table.
fn asking<'t>(table: &'t BTreeMap<String, Vec<String>>, reached: &Reached<'_>) -> Option<&'t str> {
    let mut listed = table.get(&reached.package.name)?.iter();
    let is_on = |feature: &&String| *feature == ANY || reached.features.contains(*feature);
    listed.find(is_on).map(String::as_str)
}

/// Whether a version is one of those that begin so: `0.18` is the beginning of 0.18.2, not of 0.180.0.
fn begins_with(version: &str, start: &str) -> bool {
    let rest = version.strip_prefix(start);
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

fn without_recipe(reached: &Reached<'_>) -> Provision {
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
    if seeks { Provision::Missing } else { Provision::Bundled(None) }
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
