//! Which recipes an app's graph asks for.

mod published;

use std::collections::BTreeMap;

use super::*;
use crate::recipe::{Build, Compile, Library, Outputs};

fn library(name: &str, key: &str, bundled: &[(&str, &str)]) -> (String, Library) {
    let library = Library {
        name: name.into(),
        description: String::new(),
        version: "1".into(),
        license: "MIT".into(),
        license_files: vec![],
        cpe: None,
        links: vec![key.into()],
        crates: vec![],
        versions: BTreeMap::new(),
        bundled: bundled.iter().map(|(c, f)| ((*c).to_owned(), vec![(*f).to_owned()])).collect(),
        language: Language::C,
        always_bundled: BTreeMap::from([(
            "libsqlite3-sys".to_owned(),
            vec!["sqlcipher".to_owned()],
        )]),
        dependencies: vec![],
        tools: vec![],
        sources: vec![],
        patches: vec![],
        build: Build::Compile(Compile::default()),
        outputs: Outputs {
            libs: vec![],
            aliases: vec![],
            objects: vec![],
            include: vec![],
            pkgconfig: vec![],
        },
        env: vec![],
        env_overruling: vec![],
        overrides: BTreeMap::new(),
    };
    (name.into(), library)
}

fn recipes() -> Recipes {
    let libraries =
        [library("sqlite", "sqlite3", &[("libsqlite3-sys", "bundled")]), library("zlib", "z", &[])];
    Recipes { libraries: libraries.into(), ..Recipes::default() }
}

/// A package as cargo prints it: name, links key, build dependencies.
fn package(name: &str, links: Option<&str>, build: &[&str], kind: &str) -> serde_json::Value {
    let dependencies: Vec<_> =
        build.iter().map(|name| serde_json::json!({ "name": name, "kind": "build" })).collect();
    serde_json::json!({
        "id": name, "name": name, "version": "1.0.0", "license": null, "links": links,
        "manifest_path": format!("/x/{name}/Cargo.toml"), "metadata": null,
        "features": { "default": [], "vendored": [] }, "dependencies": dependencies,
        "targets": [{ "name": name, "kind": [kind] }],
    })
}

/// What is linked: names of packages, and the features that are on.
fn metadata(packages: Vec<serde_json::Value>, linked: &[(&str, &[&str])]) -> Metadata {
    let linked: Vec<_> = linked
        .iter()
        .map(|(name, on)| serde_json::json!({ "name": name, "version": "1.0.0", "features": on }))
        .collect();
    serde_json::from_value(serde_json::json!({
        "packages": packages, "workspace_members": ["app"], "linked": linked,
        "target_directory": "/x/target", "workspace_root": "/x",
    }))
    .unwrap()
}

#[test]
fn only_what_is_linked_into_the_program_counts() {
    let packages = vec![
        package("app", None, &["libz-sys"], "bin"),
        package("libsqlite3-sys", Some("sqlite3"), &["pkg-config", "cc"], "lib"),
        package("libz-sys", Some("z"), &["pkg-config", "cc"], "lib"),
        package("pq-sys", Some("pq"), &["pkg-config"], "lib"),
    ];
    let metadata = metadata(packages, &[("app", &[]), ("libsqlite3-sys", &[])]);
    let wanted = discover(&metadata, &metadata.packages[0], &recipes(), None).unwrap();
    assert_eq!(wanted.libraries, ["sqlite"]);
    assert_eq!(wanted.links.len(), 1);
    wanted.require_all().unwrap();
    assert_eq!(metadata.only_what_is_linked().packages.len(), 2);
}

#[test]
fn a_bundled_copy_is_left_to_the_crate() {
    let packages = vec![
        package("app", None, &[], "bin"),
        package("libsqlite3-sys", Some("sqlite3"), &["pkg-config", "cc"], "lib"),
        package("ring", Some("ring_core"), &["cc"], "lib"),
        package("rayon-core", Some("rayon-core"), &[], "lib"),
    ];
    let linked: [(&str, &[&str]); 4] =
        [("app", &[]), ("libsqlite3-sys", &["bundled"]), ("ring", &[]), ("rayon-core", &[])];
    let metadata = metadata(packages, &linked);
    let wanted = discover(&metadata, &metadata.packages[0], &recipes(), None).unwrap();
    assert!(wanted.libraries.is_empty());
    let provisions: Vec<_> = wanted.links.iter().map(|link| link.provision.clone()).collect();
    assert_eq!(provisions, [Provision::Bundled(None), Provision::Bundled(Some("bundled".into()))]);
}

/// The sysroot's copy takes the place of a crate's where it is preferred or there anyway, unless the
/// feature is one that nothing overrules.
#[test]
fn a_bundled_copy_can_be_overruled() {
    let packages = vec![
        package("app", None, &[], "bin"),
        package("libsqlite3-sys", Some("sqlite3"), &["pkg-config", "cc"], "lib"),
    ];
    let find = |features: &[&str], muslin: serde_json::Value, prefer: Option<Prefer>| {
        let mut packages = packages.clone();
        packages[0]["metadata"] = serde_json::json!({ "muslin": muslin });
        let metadata = metadata(packages, &[("app", &[]), ("libsqlite3-sys", features)]);
        discover(&metadata, &metadata.packages[0], &recipes(), prefer).unwrap()
    };
    let sysroot = || serde_json::json!({ "prefer": "sysroot" });
    let bundled = Provision::Bundled(Some("bundled".to_owned()));
    let ours = Provision::Sysroot("sqlite".to_owned());
    for (muslin, prefer, provision) in [
        (serde_json::json!({}), None, &bundled),
        (serde_json::json!({}), Some(Prefer::Sysroot), &ours),
        (sysroot(), None, &ours),
        (sysroot(), Some(Prefer::Crate), &bundled),
        (serde_json::json!({ "libraries": { "add": ["sqlite"] } }), None, &ours),
    ] {
        let wanted = find(&["bundled"], muslin.clone(), prefer);
        assert_eq!(wanted.links[0].provision, *provision, "{muslin} {prefer:?}");
        assert_eq!(wanted.overruled.contains("sqlite"), *provision == ours);
        assert_eq!(wanted.libraries.contains(&"sqlite".to_owned()), *provision == ours);
    }
    let wanted = find(&["bundled", "sqlcipher"], sysroot(), None);
    assert_eq!(wanted.links[0].provision, Provision::Bundled(Some("sqlcipher".to_owned())));
    assert!(wanted.libraries.is_empty());
    let wanted = find(&[], sysroot(), None);
    assert!(wanted.overruled.is_empty() && wanted.libraries == ["sqlite"]);
}

#[test]
fn a_library_that_nothing_brings_is_reported_with_the_ways_out() {
    let packages = vec![
        package("app", None, &[], "bin"),
        package("pq-sys", Some("pq"), &["pkg-config"], "lib"),
    ];
    let mut metadata = metadata(packages, &[("app", &[]), ("pq-sys", &["static"])]);
    let find = |metadata: &Metadata| discover(metadata, &metadata.packages[0], &recipes(), None);
    let error = find(&metadata).unwrap().require_all().unwrap_err();
    let failure = Failure::find(&error).unwrap();
    assert!(failure.message.contains("`pq` for pq-sys 1.0.0"), "{}", failure.message);
    let help = failure.help.join("\n");
    for way in ["vendored", "recipes/libraries/pq.toml", "libraries.skip = [\"pq\"]"] {
        assert!(help.contains(way), "{help}");
    }
    metadata.packages[0].metadata = Some(serde_json::json!({
        "muslin": { "libraries": { "skip": ["pq"], "add": ["zlib"] }, "toolchain": "zig" }
    }));
    let wanted = find(&metadata).unwrap();
    wanted.require_all().unwrap();
    metadata.linked[1].features.push("vendored".into());
    find(&metadata).unwrap().require_all().unwrap();
    assert_eq!((wanted.libraries, wanted.toolchain), (vec!["zlib".into()], Some("zig".into())));
}

#[test]
fn a_wrong_wish_is_a_usage_error_with_a_guess() {
    let packages = vec![package("app", None, &[], "bin")];
    let mut metadata = metadata(packages, &[("app", &[])]);
    for (table, word) in [
        (serde_json::json!({ "libraries": { "add": ["sqlit"] } }), "did you mean `sqlite`?"),
        (serde_json::json!({ "librarys": {} }), "`libraries.add`"),
    ] {
        metadata.packages[0].metadata = Some(serde_json::json!({ "muslin": table }));
        let error = discover(&metadata, &metadata.packages[0], &recipes(), None).unwrap_err();
        let failure = Failure::find(&error).unwrap();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.help.join("\n").contains(word), "{failure:?}");
    }
}

#[test]
fn a_guess_is_near_or_an_abridgement() {
    let known = ["x86_64-unknown-linux-musl".to_owned()];
    let guesses = |name: &str| {
        let help = unknown(String::new(), name, known.iter()).help;
        help.iter().any(|line| line.starts_with("did you mean"))
    };
    assert!(guesses("x86_64-linux-musl") && guesses("x86-64-unknown-linux-musl"));
    assert!(!guesses("aarch64-unknown-linux-musl"));
}

#[test]
fn a_crate_that_speaks_of_cxx_counts_unless_a_recipe_serves_it() {
    let packages = vec![
        package("app", None, &[], "bin"),
        package("libz-sys", Some("z"), &["cc"], "lib"),
        package("glue", None, &["cc"], "lib"),
    ];
    let mut metadata = metadata(packages, &[("app", &[]), ("libz-sys", &[]), ("glue", &[])]);
    let language = |metadata: &Metadata| {
        discover(metadata, &metadata.packages[0], &recipes(), None).unwrap().language
    };
    assert_eq!(language(&metadata), Language::C);
    metadata.cxx = vec!["libz-sys".into()];
    assert_eq!(language(&metadata), Language::C);
    metadata.cxx.push("glue".into());
    assert_eq!(language(&metadata), Language::Cxx);
}

/// A crate without a `links` key is known by its name; one whose version does not fit keeps its own copy,
/// and is not told of the library, which may be there for another crate.
#[test]
fn crates_are_known_by_name_and_version() {
    let (name, mut pcre2) = library("pcre2", "unused", &[("pcre2-sys", "*")]);
    pcre2.crates = vec!["pcre2-sys".into()];
    pcre2.versions = BTreeMap::from([("pcre2-sys".into(), vec!["1.0".into(), "2".into()])]);
    let mut recipes = recipes();
    recipes.libraries.insert(name, pcre2);
    let find = |version: &str, muslin: serde_json::Value| {
        let mut app = package("app", None, &[], "bin");
        app["metadata"] = serde_json::json!({ "muslin": muslin });
        let mut sys = package("pcre2-sys", None, &["cc", "pkg-config"], "lib");
        sys["version"] = version.into();
        let mut metadata = metadata(vec![app, sys], &[("app", &[]), ("pcre2-sys", &[])]);
        metadata.linked[1].version = version.to_owned();
        discover(&metadata, &metadata.packages[0], &recipes, None).unwrap()
    };
    let nothing = || serde_json::json!({});
    let added = || serde_json::json!({ "libraries": { "add": ["pcre2"] } });
    let own = Provision::Bundled(None);
    let ours = Provision::Sysroot("pcre2".to_owned());
    for (version, muslin, provision) in [
        // The star stands for features that nobody named.
        ("1.0.0", nothing(), &own),
        ("1.0.0", added(), &ours),
        ("1.0.0", serde_json::json!({ "prefer": "sysroot" }), &ours),
        ("1.0", added(), &ours),
        ("2.7.1+x", added(), &ours),
        ("1.00.1", added(), &own),
        ("1.1.0", added(), &own),
        ("20.0.0", added(), &own),
        ("1.0.0", serde_json::json!({ "libraries": { "skip": ["pcre2"] } }), &Provision::Skipped),
    ] {
        let wanted = find(version, muslin.clone());
        let [link] = &wanted.links[..] else { panic!("{:?}", wanted.links) };
        assert_eq!(link.provision, *provision, "{version} {muslin}");
        assert_eq!((link.key.as_deref(), link.name()), (None, "pcre2"));
        assert_eq!(wanted.is_left_alone("pcre2"), *provision == own, "{version} {muslin}");
    }
    assert!(!find("1.0.0", nothing()).is_left_alone("zlib"), "no crate of it is there");
}
