//! Whose copy of a C library each crate links: what discovery says, held against what the linker's map
//! shows, which counts.

use serde::Serialize;

use crate::linked::Archive;
use crate::links::{Link, Provision};

/// A crate that links a C library, and whose copy that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Copy<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<&'a str>,
    #[serde(rename = "crate")]
    crate_name: &'a str,
    version: &'a str,
    copy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    library: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature: Option<&'a str>,
}

/// What is said of a crate. `linked` are the archives in each program.
pub fn copy<'a>(link: &'a Link, linked: &[Vec<Archive>]) -> Copy<'a> {
    let (copy, library, feature) = match (&link.provision, witness(link, linked)) {
        (Provision::Skipped | Provision::Missing, _) => ("none", None, None),
        (Provision::Sysroot(_), Some(Whose::Crate)) => ("crate", None, None),
        (Provision::Sysroot(_), _) | (_, Some(Whose::Recipe)) => {
            ("recipe", link.library.as_deref(), None)
        }
        (Provision::Bundled(feature), _) => ("crate", None, feature.as_deref()),
    };
    Copy {
        links: link.key.as_deref(),
        crate_name: &link.crate_name,
        version: &link.crate_version,
        copy,
        library,
        feature,
    }
}

/// A sentence about a crate that did not take the sysroot's library although it was offered.
pub fn surprise(link: &Link, linked: &[Vec<Archive>]) -> Option<String> {
    let Provision::Sysroot(library) = &link.provision else { return None };
    (witness(link, linked)? == Whose::Crate).then(|| {
        format!(
            "{} {} has compiled a copy of its own of {library}, and not linked the recipe's",
            link.crate_name, link.crate_version
        )
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Crate,
    Recipe,
}

/// What the map shows, if it shows one copy and not the other: a crate that links the recipe's may have
/// some C of its own beside it.
fn witness(link: &Link, linked: &[Vec<Archive>]) -> Option<Whose> {
    let own = format!("crate {} {}", link.crate_name, link.crate_version);
    let recipe = format!("recipe {} ", link.library.as_deref()?);
    let any = |is_it: &dyn Fn(&Archive) -> bool| linked.iter().flatten().any(is_it);
    match (
        any(&|it| it.from == own && it.archive.ends_with(".a")),
        any(&|it| it.from.starts_with(&recipe)),
    ) {
        (true, false) => Some(Whose::Crate),
        (false, true) => Some(Whose::Recipe),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(provision: Provision) -> Link {
        Link {
            key: Some("git2".into()),
            crate_name: "libgit2-sys".into(),
            crate_version: "0.17.0".into(),
            library: Some("libgit2".into()),
            provision,
            bundling_features: vec![],
        }
    }

    fn linked(list: &[(&str, &str)]) -> Vec<Vec<Archive>> {
        let archive = |(archive, from): &(&str, &str)| Archive {
            archive: (*archive).into(),
            from: (*from).into(),
            members: 1,
        };
        vec![vec![], list.iter().map(archive).collect()]
    }

    #[test]
    fn the_map_counts_more_than_what_was_planned() {
        let ours = ("libgit2.a", "recipe libgit2 1.9.7");
        let own = ("libgit2.a", "crate libgit2-sys 0.17.0");
        let rust = ("liblibgit2_sys.rlib", "crate libgit2-sys 0.17.0");
        let other = ("libgit2.a", "crate libgit2-sys 0.18.0");
        let offered = link(Provision::Sysroot("libgit2".into()));
        let left = link(Provision::Bundled(Some("vendored".into())));
        for (planned, list, whose, is_surprise) in [
            (&offered, vec![ours, rust], "recipe", false),
            (&offered, vec![rust, other], "recipe", false),
            (&offered, vec![own, rust], "crate", true),
            (&offered, vec![own, ours], "recipe", false),
            (&left, vec![own], "crate", false),
            (&left, vec![], "crate", false),
            (&left, vec![ours, rust], "recipe", false),
        ] {
            let linked = linked(&list);
            let said = copy(planned, &linked);
            assert_eq!(said.copy, whose, "{list:?}");
            assert_eq!(said.library.is_some(), whose == "recipe", "{list:?}");
            assert_eq!(surprise(planned, &linked).is_some(), is_surprise, "{list:?}");
        }
        assert_eq!(copy(&left, &[]).feature, Some("vendored"));
        assert_eq!(copy(&link(Provision::Skipped), &linked(&[own])).copy, "none");
    }
}
