//! Fingerprints: what changes them and what does not.
//!
//! The plan for the real recipes is written down with all fingerprints and what they are hashed from,
//! one file for each toolchain and target below `tests/plan/`: a change of a recipe shows in review as
//! the lines that it changes, and a change of code that would rebuild the world cannot pass unseen.
//! After a wanted change run the tests with `MUSLIN_BLESS=1` and read the difference.

#[path = "plan/fields.rs"]
mod fields;
#[path = "plan/files.rs"]
mod files;
#[path = "plan/known.rs"]
mod known;
#[path = "plan/std.rs"]
mod std_library;
#[path = "plan/tools.rs"]
mod tools;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use xtask::cli::DEFAULT_TARGET;
use xtask::digest::Digest;
use xtask::layout::{copy_tree, files_below, remove_tree};
use xtask::plan::{Goal, Plan, Request, difference};
use xtask::process::env_var;
use xtask::recipe::{Recipes, Source};

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn golden_folder() -> PathBuf {
    checkout().join("xtask/tests/plan")
}

/// The plan for some libraries as a machine has it whose store is empty.
fn plan(recipes: &Recipes, toolchain: &str, triple: &str, libraries: &[String]) -> Option<Plan> {
    Plan::new(&Request {
        recipes,
        target: &recipes.targets[triple],
        toolchain: &recipes.toolchains[toolchain],
        goal: Goal::libraries(libraries),
        choose: &|_| 0,
    })
    .ok()
}

/// A library of each kind: their fingerprints are kept as text. All of the catalogue would be
/// thousands of lines that nobody reads.
const OF_EACH_KIND: [&str; 6] =
    ["brotli", "libevent", "libjpeg-turbo", "openssl", "sqlite", "zlib"];

/// Plans for a library of each kind, by `<toolchain>/<triple>.txt`.
fn plans(recipes: &Recipes) -> BTreeMap<String, Plan> {
    let libraries = OF_EACH_KIND.map(str::to_owned);
    // Of a toolchain that is made two targets stand for all: those of this machine's kind and another.
    let is_read = |name: &str, triple: &str| {
        recipes.toolchains[name].making.is_none()
            || [DEFAULT_TARGET, "mipsel-unknown-linux-musl"].contains(&triple)
    };
    let pairs = recipes
        .toolchains
        .keys()
        .flat_map(|toolchain| recipes.targets.keys().map(move |triple| (toolchain, triple)))
        .filter(|(toolchain, triple)| is_read(toolchain, triple));
    pairs
        .filter_map(|(toolchain, triple)| {
            let plan = plan(recipes, toolchain, triple, &libraries)?;
            Some((format!("{toolchain}/{triple}.txt"), plan))
        })
        .collect()
}

fn text(plan: &Plan) -> String {
    plan.steps.iter().fold(String::new(), |mut text, step| {
        let _ =
            writeln!(text, "[{} {}]\nfingerprint {}", step.name, step.version, step.fingerprint);
        let _ = writeln!(text, "{}", step.pre_image);
        text
    })
}

#[test]
fn the_plan_for_the_real_recipes_is_as_written_down() {
    let plans = plans(&Recipes::load(checkout()).unwrap());
    assert!(plans.contains_key("zig/x86_64-unknown-linux-musl.txt"), "{:?}", plans.keys());
    let bless = env_var("MUSLIN_BLESS").is_some();
    let mut wrong = String::new();
    for (name, plan) in &plans {
        let path = golden_folder().join(name);
        let (found, expected) = (text(plan), fs::read_to_string(&path).unwrap_or_default());
        if bless {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &found).unwrap();
        } else if found != expected {
            let lines = difference(&expected, &found).join("\n");
            let _ = writeln!(wrong, "==== tests/plan/{name}\n{lines}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nIs it meant? Then MUSLIN_BLESS=1 writes it down.");
    let written = files_below(&golden_folder()).unwrap();
    for file in written.iter().filter(|file| file.extension().is_some_and(|it| it == "txt")) {
        assert!(plans.contains_key(file.to_str().unwrap()), "{} is of no plan", file.display());
    }
}

/// Its headers are those of the toolchain: another version would not fit them.
#[test]
fn a_cxx_runtime_is_made_from_the_archives_of_its_toolchain() {
    let recipes = Recipes::load(checkout()).unwrap();
    let mut count = 0;
    for toolchain in recipes.toolchains.values() {
        let Some(name) = toolchain.runtime_cxx() else { continue };
        let runtime = &recipes.libraries[name];
        let pins = |sources: &[Source]| -> Vec<_> {
            sources.iter().map(|source| (source.origin.clone(), source.digest)).collect()
        };
        assert_eq!(pins(&runtime.sources), pins(&toolchain.sources), "{name}");
        assert_eq!(runtime.version, toolchain.version, "{name}");
        count += 1;
    }
    assert_eq!(count, 1);
}

#[test]
fn a_fingerprint_is_the_hash_of_what_is_shown() {
    for plan in plans(&Recipes::load(checkout()).unwrap()).values() {
        for step in &plan.steps {
            let hash = Digest::sha256_of(step.pre_image.as_bytes()).hex();
            assert_eq!(step.fingerprint, hash, "{}", step.name);
        }
    }
}

#[test]
fn another_folder_changes_no_fingerprint() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plan-elsewhere/a b/ü");
    remove_tree(&place).unwrap();
    copy_tree(&checkout().join("recipes"), &place.join("recipes")).unwrap();
    let [here, there] = [checkout(), &place].map(|root| plans(&Recipes::load(root).unwrap()));
    assert!(!here.is_empty());
    let texts = |plans: &BTreeMap<String, Plan>| plans.values().map(text).collect::<Vec<_>>();
    assert_eq!(texts(&here), texts(&there));
    remove_tree(&place).unwrap();
}

/// The example of docs/targets.md, in a copy of the recipes: all of the catalogue can be planned for it,
/// and the plans of other targets are what they were.
#[test]
fn a_row_is_all_that_a_new_target_needs() {
    let text_of = |path: &Path| fs::read_to_string(path).unwrap();
    let walk = text_of(&checkout().join("docs/targets.md"));
    let (_, row) = walk.split_once("```toml\n").expect("a row");
    let (row, _) = row.split_once("```").expect("its end");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plan-row");
    remove_tree(&place).unwrap();
    copy_tree(&checkout().join("recipes"), &place.join("recipes")).unwrap();
    let table = place.join("recipes/targets.toml");
    fs::write(&table, format!("{}\n{row}", text_of(&table))).unwrap();
    let [before, after] = [checkout(), &place].map(|root| Recipes::load(root).unwrap());
    let mut added = after.targets.keys().filter(|triple| !before.targets.contains_key(*triple));
    let (Some(triple), None) = (added.next(), added.next()) else { panic!("one more target") };
    let all: Vec<String> = after.libraries.keys().cloned().collect();
    let plan = plan(&after, "zig", triple, &all).expect("a plan");
    assert!(all.iter().all(|name| plan.steps.iter().any(|step| step.name == *name)));
    let texts = |plans: &BTreeMap<String, Plan>| plans.values().map(text).collect::<Vec<_>>();
    let mut others = plans(&after);
    others.retain(|name, _| !name.contains(triple));
    assert_eq!(texts(&plans(&before)), texts(&others));
    remove_tree(&place).unwrap();
}

#[test]
fn a_step_comes_after_all_that_it_sees() {
    for (name, plan) in plans(&Recipes::load(checkout()).unwrap()) {
        for (index, step) in plan.steps.iter().enumerate() {
            assert!(step.dependencies.iter().all(|before| *before < index), "{name} {}", step.name);
        }
        assert!(plan.stale(&|_| true).is_empty());
        assert_eq!(plan.stale(&|_| false).len(), plan.steps.len());
    }
}
