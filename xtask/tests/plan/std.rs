//! A standard library that is built from source: what it counts by, and where its parts are in a plan.

use xtask::plan::Plan;
use xtask::recipe::{Recipes, RustStd};
use xtask::rust::{Rust, from_source};

use super::{checkout, plan};

type Change = fn(&mut RustStd);

const S390X: &str = "s390x-unknown-linux-musl";

fn text(recipes: &Recipes, rust: &Rust, plan: &Plan) -> String {
    from_source::pre_image(recipes.rust_std.as_ref().unwrap(), rust, plan)
}

#[test]
fn it_counts_by_all_that_it_is_made_of() {
    let recipes = Recipes::load(checkout()).unwrap();
    let rust = Rust::of_package(checkout(), checkout(), None).unwrap();
    let plan_of = |recipes: &Recipes, triple| plan(recipes, "zig", triple, &[]).unwrap();
    let old = text(&recipes, &rust, &plan_of(&recipes, S390X));
    let changes: [(&str, Change); 6] = [
        ("source", |std| std.sources[0].digest = std.sources[1].digest),
        ("patch", |std| std.patches[1].text.push('\n')),
        ("patch", |std| drop(std.patches.pop())),
        ("crate", |std| std.crates[2].digest = std.sources[1].digest),
        ("flag", |std| std.rustflags.push("--cfg=more".to_owned())),
        ("step", |std| drop(std.runtime.pop())),
    ];
    for (key, change) in changes {
        let mut changed = recipes.clone();
        change(changed.rust_std.as_mut().unwrap());
        let new = text(&changed, &rust, &plan_of(&changed, S390X));
        let lines = xtask::plan::difference(&old, &new);
        let is_it = |line: &String| line.get(2..).is_some_and(|it| it.starts_with(key));
        assert!(!lines.is_empty() && lines.iter().all(is_it), "{key}: {lines:?}");
    }
    let mut patched = recipes.clone();
    patched.libraries.get_mut("libc").unwrap().patches.pop();
    assert_ne!(old, text(&patched, &rust, &plan_of(&patched, S390X)), "another libc");
    let mut other = rust.clone();
    other.version.push_str("another commit\n");
    assert_ne!(old, text(&recipes, &other, &plan_of(&recipes, S390X)), "another rustc");
    let mips = plan_of(&recipes, "mips-unknown-linux-musl");
    assert_ne!(old, text(&recipes, &rust, &mips), "another target");
}

#[test]
fn its_c_runtime_is_made_and_in_no_sysroot() {
    let recipes = Recipes::load(checkout()).unwrap();
    let zlib = ["zlib".to_owned()];
    let plan = plan(&recipes, "zig", S390X, &zlib).unwrap();
    let names: Vec<_> = plan.runtime_rust().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["libc", "libunwind"]);
    let composed: Vec<_> = plan.dependencies(plan.sysroot()).map(|step| &step.name).collect();
    assert_eq!(composed, ["zlib"]);
    // Also where nothing but the sysroot is stale.
    let stale = plan.stale(&|step| step.name != "sysroot" && step.name != "libc");
    let stale: Vec<_> = stale.iter().map(|index| plan.steps[*index].name.as_str()).collect();
    assert!(stale.contains(&"libc"), "{stale:?}");
    let x86 = super::plan(&recipes, "zig", "x86_64-unknown-linux-musl", &zlib).unwrap();
    assert_eq!(x86.runtime_rust().count(), 0);
}

/// They come with the sources, so they must be those of them.
#[test]
fn the_runtime_s_sources_are_those_that_are_here_anyway() {
    let recipes = Recipes::load(checkout()).unwrap();
    let pins = |name: &str| -> Vec<_> {
        let sources = &recipes.libraries[name].sources;
        sources.iter().map(|source| (source.origin.clone(), source.digest)).collect()
    };
    assert_eq!(pins("libunwind"), pins("libcxx"));
    let musl = &recipes.tools["musl"].sources;
    let musl: Vec<_> = musl.iter().map(|source| (source.origin.clone(), source.digest)).collect();
    assert_eq!(pins("libc"), musl);
    assert_eq!(recipes.libraries["libc"].version, recipes.tools["musl"].version);
}
