//! The crates of a bill: the package, and all that cargo links into its programs.

use anyhow::Result;

use super::lock::Checksums;
use super::purl::purl;
use super::{Bill, Component, Origin, Role, Source, Texts};
use crate::links::Package;
use crate::rust::Memory;
use crate::session::{Project, Session};

/// How cargo's ids of the registry that it knows by itself end or begin, over git and over https.
const OWN_REGISTRY: [&str; 2] =
    [concat!("crates", ".io-index"), concat!("sparse+https://index.crates", ".io/")];

impl Bill {
    /// Adds the package and its crates. Cargo's tree begins with the package.
    pub(super) fn add_crates(&mut self, session: &Session, project: &Project) -> Result<()> {
        let memory = Memory::new(&session.store, true);
        let checksums = Checksums::of(&project.metadata.workspace_root, &memory)?;
        let metadata = &project.metadata;
        // A package that cargo did not tell of leaves a gap: places in the list are counted with it.
        let mut places = Vec::new();
        for linked in &metadata.linked {
            let is_it = |it: &&Package| it.name == linked.name && it.version == linked.version;
            let package = metadata.packages.iter().find(is_it);
            places.push(package.map(|it| self.add(component(project, it, &checksums))));
        }
        for (from, linked) in places.iter().zip(&metadata.linked) {
            for to in linked.needs.iter().filter_map(|need| *places.get(*need)?) {
                from.iter().for_each(|from| self.link(*from, to));
            }
        }
        Ok(())
    }
}

fn component(project: &Project, package: &Package, checksums: &Checksums) -> Component {
    let Package { name, version, .. } = package;
    let source = source(package.source.as_deref());
    let is_root = package.id == project.package.id;
    let role = if is_root { Role::Package } else { Role::Crate(source) };
    let mut component = Component::new(role, name, Some(version));
    component.purl = match (package.source.as_deref(), source) {
        (Some(id), Source::Git) => purl("cargo", name, Some(version), &[("vcs_url", &vcs_url(id))]),
        (Some(id), Source::OtherRegistry) => {
            let url = id.split_once('+').map_or(id, |(_, url)| url);
            purl("cargo", name, Some(version), &[("repository_url", url)])
        }
        _ => purl("cargo", name, Some(version), &[]),
    };
    component.license = package.license.as_deref().map(spdx);
    component.authors.clone_from(&package.authors);
    let id = package.source.as_deref().unwrap_or_default();
    component.sha256 = checksums.get(name, version, id).cloned();
    // Of a published crate cargo knows only the folder that it was unpacked to.
    if let Some(published) = project.published.as_ref().filter(|_| is_root) {
        component.sha256 = published.digest.strip_prefix("sha256:").map(str::to_owned);
    }
    component.origin = match source {
        Source::Git => Some(Origin { words: "git".to_owned(), url: vcs_url(id) }),
        _ => None,
    };
    let folder = package.manifest_path.parent().unwrap_or(&package.manifest_path);
    let is_ours = project.metadata.workspace_members.contains(&package.id);
    component.texts = match is_ours {
        true => Texts::None,
        false => Texts::Crate(folder.to_owned(), package.license_file.clone()),
    };
    component
}

/// A slash is how `OR` was once written.
fn spdx(license: &str) -> String {
    license.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ")
}

fn source(id: Option<&str>) -> Source {
    match id {
        None => Source::Local,
        Some(id) if id.starts_with("git+") => Source::Git,
        Some(id) if id.ends_with(OWN_REGISTRY[0]) || id == OWN_REGISTRY[1] => Source::Registry,
        Some(_) => Source::OtherRegistry,
    }
}

/// `git+https://host/repository?branch=main#commit` with the commit alone.
fn vcs_url(id: &str) -> String {
    let (address, commit) = id.split_once('#').unwrap_or((id, ""));
    let address = address.split('?').next().unwrap_or_default();
    if commit.is_empty() { address.to_owned() } else { format!("{address}@{commit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_tells_where_crates_come_from() {
        let index = format!("registry+https://example.com/rust-lang/{}", OWN_REGISTRY[0]);
        for (id, expected) in [
            (None, Source::Local),
            (Some("git+https://example.com/x?rev=1#1234"), Source::Git),
            (Some(index.as_str()), Source::Registry),
            (Some(OWN_REGISTRY[1]), Source::Registry),
            (Some("sparse+https://example.com/index/"), Source::OtherRegistry),
        ] {
            assert_eq!(source(id), expected, "{id:?}");
        }
        let id = "git+https://example.com/x?branch=main#0123";
        assert_eq!(vcs_url(id), "git+https://example.com/x@0123");
        assert_eq!(spdx("MIT/Apache-2.0"), "MIT OR Apache-2.0");
    }
}
