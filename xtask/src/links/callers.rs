//! Crates that call programs when they are built: those of the machine, or tools that Muslin has.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::metadata::{Metadata, Package};

/// Crates whose work in a build is to call a program that Muslin does not bring.
const CALLERS: [(&str, &str); 5] = [
    ("autotools", "autoconf"),
    ("meson", "meson"),
    ("openssl-src", "perl"),
    ("pyo3-build-config", "python3"),
    ("rdkafka-sys", "bash"),
];

/// Crates whose work in a build is to call tools that Muslin has recipes for.
const CALLERS_OF_TOOLS: [(&str, &[&str]); 14] = [
    ("bindgen", &["libclang"]),
    ("clang-sys", &["libclang"]),
    // Which of the two CMake writes files for is the choice of the crate that calls it.
    ("cmake", &["cmake", "make", "ninja"]),
    ("jemalloc-sys", &["make"]),
    ("make-cmd", &["make"]),
    ("micropb-gen", &["protoc"]),
    ("nasm-rs", &["nasm"]),
    ("pkg-config", &["pkgconf"]),
    ("prost-build", &["protoc"]),
    ("protobuf-codegen", &["protoc"]),
    ("protobuf-parse", &["protoc"]),
    ("protoc", &["protoc"]),
    ("system-deps", &["pkgconf"]),
    ("tikv-jemalloc-sys", &["make"]),
];

/// A package that calls a program of the machine when it is built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Its name.
    pub name: String,
    /// What it calls.
    pub program: String,
    /// The packages that depend on it, by name.
    pub dependents: Vec<String>,
}

/// The part of `cargo metadata`'s answer that says which package needs which.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Need>,
}

#[derive(Clone, Debug, Deserialize)]
struct Need {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Clone, Debug, Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Need {
    fn is_built(&self) -> bool {
        self.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"))
    }
}

impl Resolve {
    /// The ids of the packages that depend on one to be built, tests left out.
    fn dependents<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a str> {
        let needs = move |need: &Need| need.pkg == id && need.is_built();
        let nodes = self.nodes.iter().filter(move |node| node.deps.iter().any(needs));
        nodes.map(|node| node.id.as_str())
    }

    /// The ids of all that building a package takes: not what only its tests need, nor what other
    /// members of its workspace do.
    fn behind<'a>(&'a self, package: &'a str) -> BTreeSet<&'a str> {
        let nodes: BTreeMap<&str, &Node> =
            self.nodes.iter().map(|it| (it.id.as_str(), it)).collect();
        let mut found = BTreeSet::new();
        let mut open = vec![package];
        while let Some(id) = open.pop() {
            if found.insert(id) {
                let needs = nodes.get(id).into_iter().flat_map(|node| &node.deps);
                open.extend(needs.filter(|need| need.is_built()).map(|need| need.pkg.as_str()));
            }
        }
        found
    }
}

/// Who calls a program of the machine when a package is built, and which tools are called, by recipe.
pub fn callers(metadata: &Metadata, package: &Package) -> (Vec<Caller>, Vec<String>) {
    let behind = metadata.resolve.as_ref().map(|resolve| resolve.behind(&package.id));
    let is_behind = |it: &&Package| behind.as_ref().is_none_or(|ids| ids.contains(it.id.as_str()));
    let packages: Vec<_> = metadata.packages.iter().filter(is_behind).collect();
    let names: BTreeSet<&str> = packages.iter().map(|it| it.name.as_str()).collect();
    let dependents = |name: &str| {
        let resolve = metadata.resolve.as_ref();
        let named = packages.iter().filter(|it| it.name == name);
        let ids: BTreeSet<&str> = named
            .flat_map(|it| resolve.into_iter().flat_map(|resolve| resolve.dependents(&it.id)))
            .collect();
        let found = packages.iter().filter(|it| ids.contains(it.id.as_str()));
        found.map(|it| it.name.clone()).collect()
    };
    let caller = |(name, program): &(&str, &str)| Caller {
        name: (*name).to_owned(),
        program: (*program).to_owned(),
        dependents: dependents(name),
    };
    let callers = CALLERS.iter().filter(|(name, _)| names.contains(name)).map(caller);
    let called = CALLERS_OF_TOOLS.iter().filter(|(name, _)| names.contains(name));
    let called: BTreeSet<&str> = called.flat_map(|(_, tools)| *tools).copied().collect();
    (callers.collect(), called.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::Resolve;

    #[test]
    fn what_other_members_and_tests_need_is_not_behind_a_package() {
        let resolve: Resolve = serde_json::from_str(
            r#"{ "nodes": [
                { "id": "app", "deps": [
                    { "pkg": "lib", "dep_kinds": [{ "kind": null }] },
                    { "pkg": "both", "dep_kinds": [{ "kind": "dev" }, { "kind": "build" }] },
                    { "pkg": "mock", "dep_kinds": [{ "kind": "dev" }] } ] },
                { "id": "lib", "deps": [{ "pkg": "app", "dep_kinds": [{ "kind": null }] }] },
                { "id": "both", "deps": [] },
                { "id": "mock", "deps": [{ "pkg": "cmake", "dep_kinds": [{ "kind": null }] }] },
                { "id": "other", "deps": [{ "pkg": "cmake", "dep_kinds": [{ "kind": null }] }] }
            ] }"#,
        )
        .unwrap();
        let found: Vec<_> = resolve.behind("app").into_iter().collect();
        assert_eq!(found, ["app", "both", "lib"]);
        let dependents = |id| resolve.dependents(id).collect::<Vec<_>>();
        assert_eq!(dependents("both"), ["app"]);
        assert_eq!(dependents("mock"), [""; 0], "a test's need is none of a build");
        assert_eq!(dependents("cmake"), ["mock", "other"]);
    }
}
