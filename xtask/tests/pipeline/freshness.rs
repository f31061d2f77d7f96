//! What is built again, and what is not.

use std::fs;

use crate::scratch::{Run, Scratch};

fn built(scratch: &Scratch, arguments: &[&str]) -> Vec<String> {
    let mut all = arguments.to_vec();
    all.extend(["--message-format", "json"]);
    let run = scratch.run(&all).ok();
    run.steps().into_iter().filter(|(_, state)| state == "built").map(|(name, _)| name).collect()
}

/// A workspace with `tiny` and `second`, which uses it.
fn two_libraries(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    let code = "#include <tiny.h>\nint second(void) { return tiny_answer(); }\n";
    let recipe = scratch.library("second", "int second(void);\n", code);
    scratch.write("recipes/libraries/second.toml", &format!("dependencies = [\"tiny\"]\n{recipe}"));
    scratch
}

const BOTH: [&str; 3] = ["sysroot", "second", "tiny"];

#[test]
fn a_second_run_builds_nothing_and_a_change_only_what_is_behind_it() {
    let scratch = two_libraries("freshness");
    let all = ["fake", "fake-driver", "second", "sysroot", "tiny"];
    assert_eq!(built(&scratch, &BOTH), all);
    assert_eq!(scratch.compiled_files(), ["one.c", "second.c", "two.c"]);

    scratch.forget();
    assert_eq!(built(&scratch, &BOTH), [""; 0]);
    let recipe = "recipes/libraries/tiny.toml";
    scratch.edit(recipe, "[build.compile]", "# Two files, and\n[build.compile] # no script.");
    assert_eq!(built(&scratch, &BOTH), [""; 0]);
    fs::rename(scratch.workspace(), scratch.at("moved")).unwrap();
    fs::create_dir(scratch.workspace()).unwrap();
    for item in ["recipes", "xtask", "app", "store", "mirror"] {
        fs::rename(scratch.at("moved").join(item), scratch.workspace().join(item)).unwrap();
    }
    assert_eq!(built(&scratch, &BOTH), [""; 0]);
    assert_eq!(scratch.compiled_files(), [""; 0]);

    scratch.edit(
        "recipes/libraries/second.toml",
        "[build.compile]",
        "[build.compile]\nflags = [\"-O1\"]",
    );
    assert_eq!(built(&scratch, &BOTH), ["second", "sysroot"]);
    assert_eq!(scratch.compiled_files(), ["second.c"]);
    scratch.forget();
    scratch.edit(recipe, "TINY_STEP = 2", "TINY_STEP = 3");
    assert_eq!(built(&scratch, &BOTH), ["second", "sysroot", "tiny"]);
    // Back again: the earlier results are still there.
    scratch.edit(recipe, "TINY_STEP = 3", "TINY_STEP = 2");
    assert_eq!(built(&scratch, &BOTH), [""; 0]);
}

#[test]
fn why_names_the_input_that_changed() {
    let scratch = two_libraries("why");
    let add = "\n[package.metadata.muslin]\nlibraries.add = [\"second\"]\n";
    scratch.write_app("app", add);
    scratch.run(&["sysroot"]).ok();
    let why = |step: &str| scratch.run(&["plan", "--why", step]).ok().stdout;
    assert!(why("tiny").starts_with("tiny is fresh: "), "{}", why("tiny"));

    scratch.edit("recipes/libraries/tiny.toml", "TINY_STEP = 2", "TINY_STEP = 3");
    let said = why("tiny");
    assert!(
        said.contains("- define TINY_STEP=2") && said.contains("+ define TINY_STEP=3"),
        "{said}"
    );
    let said = why("second");
    assert!(said.contains("+ step tiny 1.0 ") && said.contains("plan --why tiny"), "{said}");
    let said = why("sysroot");
    assert!(said.contains("+ step second 1.0 "), "{said}");
    assert!(why("fake").starts_with("fake is fresh"), "{}", why("fake"));
    scratch.run(&["plan", "--why", "tinny"]).fails(2, &["no step `tinny`", "did you mean `tiny`?"]);

    let plan = scratch.run(&["plan"]).ok().stdout;
    assert!(
        plan.contains("to build  tiny 1.0 from url") && plan.contains("fresh     fake 1.0"),
        "{plan}"
    );
    scratch.forget();
    let events = scratch.run(&["plan", "--message-format", "json"]).ok().events("plan");
    let states: Vec<_> = events.iter().map(|event| event["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["fresh", "fresh", "to build", "to build", "to build"]);
    assert_eq!(scratch.compiled_files(), [""; 0]);
}

#[test]
fn a_plan_touches_nothing() {
    let scratch = Scratch::new("plan");
    let plan = scratch.run(&["plan"]).ok();
    assert!(
        plan.stdout.contains("to fetch  tiny 1.0 from url https://tiny.invalid/"),
        "{}",
        plan.all()
    );
    scratch.run(&["plan", "--pre-images"]).ok();
    let said = scratch.run(&["plan", "--why", "tiny"]).ok().stdout;
    assert_eq!(said, "tiny was never built in this store\n");
    assert!(!scratch.store().exists());
    assert!(!scratch.target().exists());
}

/// No build script of this app watches the sysroot: cargo alone would keep the old program.
#[test]
fn a_program_is_linked_again_when_a_library_changed_that_no_crate_names() {
    if !crate::has_std() {
        return;
    }
    let scratch = Scratch::new("relink");
    scratch.write_app("app", "[package.metadata.muslin]\nlibraries.add = [\"tiny\"]\n");
    scratch.edit("app/Cargo.toml", "tiny-sys = { path = \"tiny-sys\" }\n", "");
    scratch.write(
        "app/src/main.rs",
        "#[link(name = \"tiny\", kind = \"static\")]\n\
         unsafe extern \"C\" { fn tiny_answer() -> i32; }\n\
         fn main() { println!(\"the answer is {}\", unsafe { tiny_answer() }); }\n",
    );
    let says = || {
        let run = scratch.run(&["dist"]).ok();
        let program = run.stdout.lines().next().unwrap().to_owned();
        Run::of(&mut xtask::process::command(program)).ok().stdout
    };
    assert_eq!(says(), "the answer is 42\n");
    scratch.edit("recipes/libraries/tiny.toml", "TINY_STEP = 2", "TINY_STEP = 3");
    assert_eq!(says(), "the answer is 43\n");
    scratch.edit("recipes/libraries/tiny.toml", "TINY_STEP = 3", "TINY_STEP = 2");
    assert_eq!(says(), "the answer is 42\n");
}
