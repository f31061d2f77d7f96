//! The C libraries of a bill: those of the sysroot, and those that crates compile by themselves.

use super::purl::{cpe, purl};
use super::{Bill, Component, Origin, Role, Texts};
use crate::layout::Entry;
use crate::links::{Link, Package, Provision};
use crate::plan::{Plan, Step};
use crate::recipe::{self, Library, Recipes};
use crate::session::{Project, Session};

impl Bill {
    /// Adds the libraries, with what links them: crates, each other, or else the package.
    pub(super) fn add_libraries(&mut self, session: &Session, project: &Project, plan: &Plan) {
        let begin = self.components.len();
        for (step, library) in plan.libraries() {
            let at = self.add(of_recipe(step, library, &session.entry(step)));
            for needed in plan.dependencies(step) {
                let is_it = |it: &Component| {
                    it.role == Role::Library && it.name == needed.name && needed.name != step.name
                };
                if let Some(to) = self.place(is_it) {
                    self.link(at, to);
                }
            }
        }
        for link in &project.wanted.links {
            let is_crate = |it: &Component| {
                it.name == link.crate_name
                    && it.version.as_ref() == Some(&link.crate_version)
                    && matches!(it.role, Role::Crate(_) | Role::Package)
            };
            let Some(from) = self.place(is_crate) else { continue };
            match &link.provision {
                Provision::Sysroot(name) => {
                    let is_it = |it: &Component| it.role == Role::Library && it.name == *name;
                    self.place(is_it).into_iter().for_each(|to| self.link(from, to));
                }
                Provision::Bundled(_) if is_library(link) => {
                    let mut component = bundled(link, &session.recipes);
                    component.texts = below(project, link);
                    let to = self.add(component);
                    self.link(from, to);
                }
                _ => {}
            }
        }
        let needed: Vec<usize> =
            self.components.iter().flat_map(|it| it.needs.iter().copied()).collect();
        for place in begin..self.components.len() {
            if !needed.contains(&place) {
                self.link(0, place);
            }
        }
    }
}

/// A library, or what it is for the target, from its recipe.
pub(super) fn of_recipe(step: &Step, library: &Library, entry: &Entry) -> Component {
    let mut component = Component::new(Role::Library, &step.name, Some(&step.version));
    component.license = Some(library.license.clone());
    component.cpe = library.cpe.as_ref().map(|product| cpe(product, &step.version));
    component.texts = Texts::Folder(entry.licenses());
    component.add_source(step);
    component
}

impl Component {
    /// Says of what bytes it was made, and in the package URL, too.
    pub(super) fn add_source(&mut self, step: &Step) {
        let Some(source) = &step.source else { return };
        let digest = source.digest.hex();
        let checksum = format!("sha256:{digest}");
        let mut qualifiers = vec![("checksum", checksum.as_str())];
        if let recipe::Origin::Url { url, .. } = &source.origin {
            qualifiers.push(("download_url", url));
        }
        self.purl = purl("generic", &self.name, self.version.as_deref(), &qualifiers);
        self.origin = Some(origin(&source.origin));
        self.sha256 = Some(digest);
    }
}

/// Who is said to have served it: what the recipe pins, since a mirror may have served the same bytes.
fn origin(origin: &recipe::Origin) -> Origin {
    match origin {
        recipe::Origin::Url { url, .. } => Origin { words: "url".to_owned(), url: url.clone() },
        recipe::Origin::Crate { name, version } => Origin {
            words: format!("crate {name} {version}"),
            url: purl("cargo", name, Some(version), &[]),
        },
        recipe::Origin::Pypi { name, version, .. } => Origin {
            words: format!("pypi {name} {version}"),
            url: purl("pypi", &name.to_lowercase().replace('_', "-"), Some(version), &[]),
        },
        recipe::Origin::Debian { path } => {
            Origin { words: format!("debian {path}"), url: path.clone() }
        }
        recipe::Origin::Rustup { component, version } => Origin {
            words: format!("rustup {component} {version}"),
            url: purl("generic", component, Some(version), &[]),
        },
    }
}

/// Whether a crate's `links` key means a C library: many crates have one only so that there is one of
/// them in a program, or for a few C files of their own.
fn is_library(link: &Link) -> bool {
    link.library.is_some() || link.crate_name.ends_with("-sys")
}

/// The copy of a library that a crate compiles. Its version is known if the crate's tells it.
fn bundled(link: &Link, recipes: &Recipes) -> Component {
    let name = link.library.as_deref().unwrap_or_else(|| link.name());
    let version = link.crate_version.split_once('+').map(|(_, of_library)| of_library);
    let version = version.map(|text| text.trim_start_matches(|c: char| !c.is_ascii_digit()));
    let version = version.filter(|text| !text.is_empty());
    let mut component = Component::new(Role::Bundled, name, version);
    let recipe = recipes.libraries.get(name);
    component.license = recipe.map(|recipe| recipe.license.clone());
    let product = recipe.and_then(|recipe| recipe.cpe.as_ref());
    component.cpe = product.zip(version).map(|(product, version)| cpe(product, version));
    component.inside = Some(format!("{} {}", link.crate_name, link.crate_version));
    component
}

/// Where the texts of such a copy are.
fn below(project: &Project, link: &Link) -> Texts {
    let is_it = |it: &&Package| it.name == link.crate_name && it.version == link.crate_version;
    let package = project.metadata.packages.iter().find(is_it);
    let folder = package.and_then(|package| package.manifest_path.parent());
    folder.map_or(Texts::None, |folder| Texts::Below(folder.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_copy_is_told_by_its_crates() {
        for (crate_version, expected) in [
            ("2.0.16+zstd.1.5.7", Some("1.5.7")),
            ("0.18.3+1.9.2", Some("1.9.2")),
            ("0.4.84+curl-8.17.0", Some("8.17.0")),
            ("1.1.23", None),
            ("1.0.0+beta", None),
        ] {
            let link = Link {
                key: Some("x".into()),
                crate_name: "x-sys".into(),
                crate_version: crate_version.into(),
                library: None,
                provision: Provision::Bundled(None),
                bundling_features: vec![],
            };
            let component = bundled(&link, &Recipes::default());
            assert_eq!(component.version.as_deref(), expected, "{crate_version}");
            assert!(is_library(&link));
        }
    }
}
