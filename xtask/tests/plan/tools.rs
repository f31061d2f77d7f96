//! Which tools are in a plan, for what they are made, and when they are made.

use xtask::plan::{Goal, Plan, Request, Step, Work};
use xtask::recipe::diagnostic::File;
use xtask::recipe::template::Template;
use xtask::recipe::{Build, HostBuild, Language, Recipes, manifest};

use crate::files::FILES;

const HOST: &str = "x86_64-unknown-linux-musl";
const OTHER: &str = "riscv64gc-unknown-linux-musl";

/// The recipes of the other tests, with a second target, for which `gcc` has an archive too.
fn recipes() -> Recipes {
    let row =
        FILES[0].1.replace("x86_64", "riscv64").replace("riscv64-unknown", "riscv64gc-unknown");
    let archive = "[[source]]\nurl = \"https://gcc.invalid/other.tar.gz\"\ntarget = \"riscv64gc-unknown-linux-musl\"\n\
        sha256 = \"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\"\n[driver.gcc]";
    let file = |(path, text): &(&str, &str)| {
        let text = match *path {
            "recipes/targets.toml" => format!("{text}\n{row}"),
            path if path.ends_with("/gcc.toml") => text.replace("[driver.gcc]", archive),
            _ => (*text).to_owned(),
        };
        File { path: (*path).to_owned(), bytes: text.into_bytes() }
    };
    let files: Vec<File> = FILES.iter().map(file).collect();
    manifest::parse(&files)
        .unwrap_or_else(|found| panic!("{}", xtask::recipe::diagnostic::render(&found, false)))
}

fn plan(recipes: &Recipes, toolchain: &str, triple: &str, libraries: &[&str]) -> Plan {
    let libraries: Vec<String> = libraries.iter().map(|name| (*name).to_owned()).collect();
    Plan::new(&Request {
        recipes,
        target: &recipes.targets[triple],
        toolchain: &recipes.toolchains[toolchain],
        goal: Goal::libraries(&libraries),
        choose: &|_| 0,
    })
    .unwrap()
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.name.as_str()).collect()
}

fn tools(plan: &Plan) -> Vec<&Step> {
    plan.steps.iter().filter(|step| matches!(step.work, Work::Tool(_))).collect()
}

#[test]
fn only_what_a_library_of_the_plan_names_is_in_it() {
    let recipes = recipes();
    let zig = |libraries: &[&str]| plan(&recipes, "zig", HOST, libraries);
    assert_eq!(names(&zig(&["side"])), ["zig", "zig-driver", "side", "sysroot"]);
    let expected = ["zig", "zig-driver", "rt", "make", "base", "sysroot"];
    assert_eq!(names(&zig(&["base"])), expected);
    let expected = ["zig", "zig-driver", "rt", "make", "base", "busybox", "top", "side", "sysroot"];
    assert_eq!(names(&zig(&["top", "side"])), expected);
    let expected =
        ["zig", "zig-driver", "rt", "busybox", "load", "cmake", "make", "late", "sysroot"];
    assert_eq!(names(&zig(&["late"])), expected);
    // A GCC links with the libc that it brings.
    let gcc = plan(&recipes, "gcc", HOST, &["base"]);
    assert_eq!(names(&gcc), ["gcc", "gcc-driver", "make", "base", "sysroot"]);
    // What comes prebuilt has a loader all the same.
    let gcc = plan(&recipes, "gcc", HOST, &["late"]);
    assert!(names(&gcc).contains(&"load") && !names(&gcc).contains(&"rt"));
}

/// Programs that a build runs itself are made by a compiler for the machine that builds.
#[test]
fn a_library_that_makes_programs_for_the_host_has_a_compiler_for_it() {
    let mut recipes = recipes();
    let Build::Configure(top) = &mut recipes.libraries.get_mut("top").unwrap().build else {
        panic!("`top` has no configure script");
    };
    top.host_programs = vec!["gen".to_owned()];
    let drivers_and_runtimes = |toolchain: &str, triple: &str| {
        let plan = plan(&recipes, toolchain, triple, &["top"]);
        let (top, _) = plan.libraries().last().unwrap();
        let wanted = ["driver", "rt"];
        let steps =
            plan.dependencies(top).filter(|it| wanted.iter().any(|end| it.name.ends_with(end)));
        steps.map(|step| format!("{} {}", step.name, step.target.triple)).collect::<Vec<_>>()
    };
    let own = format!("zig-driver {HOST}");
    assert_eq!(drivers_and_runtimes("zig", HOST), [own.clone(), format!("rt {HOST}")]);
    let both = [format!("zig-driver {OTHER}"), own, format!("rt {HOST}")];
    assert_eq!(drivers_and_runtimes("zig", OTHER), both);
    // A GCC has a libc of its own.
    let both = [OTHER, HOST].map(|triple| format!("gcc-driver {triple}"));
    assert_eq!(drivers_and_runtimes("gcc", OTHER), both);
}

/// A build for the host before that for the target is an input with all that it says.
#[test]
fn a_build_for_the_host_is_in_the_fingerprint() {
    let mut recipes = recipes();
    let mut with = |host: Option<HostBuild>| {
        let Build::Configure(top) = &mut recipes.libraries.get_mut("top").unwrap().build else {
            panic!("`top` has no configure script");
        };
        top.host = host;
        let plan = plan(&recipes, "zig", HOST, &["top"]);
        let (top, _) = plan.libraries().last().unwrap();
        (top.fingerprint.clone(), plan.dependencies(top).any(|step| step.name == "rt"))
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let build = |option: &str, make: &str, program: &str| HostBuild {
        options: vec![Template::parse(option, &[]).unwrap()],
        make: words(&[make]),
        programs: words(&[program]),
    };
    let (without, is_linked) = with(None);
    assert!(!is_linked, "nothing is linked for the host");
    let mut seen = vec![without];
    for (option, make, program) in
        [("--a", "all", "gen"), ("--b", "all", "gen"), ("--a", "more", "gen"), ("--a", "all", "x")]
    {
        let (fingerprint, is_linked) = with(Some(build(option, make, program)));
        assert!(is_linked && !seen.contains(&fingerprint), "{option} {make} {program}");
        seen.push(fingerprint);
    }
}

#[test]
fn what_cxx_is_linked_with_comes_with_cxx() {
    let recipes = recipes();
    let planned = |toolchain: &str, libraries: &[&str]| {
        let plan = plan(&recipes, toolchain, HOST, libraries);
        (names(&plan).join(" "), plan.runtime_cxx().is_some())
    };
    assert_eq!(planned("zig", &["plus"]), ("zig zig-driver cxx plus sysroot".to_owned(), true));
    assert_eq!(planned("zig", &["cxx"]), ("zig zig-driver cxx sysroot".to_owned(), true));
    // A GCC brings its own, whatever that of another toolchain is called.
    assert_eq!(planned("gcc", &["plus"]), ("gcc gcc-driver plus sysroot".to_owned(), false));
    assert_eq!(planned("gcc", &["cxx"]), ("gcc gcc-driver sysroot".to_owned(), false));
    let app = Plan::new(&Request {
        recipes: &recipes,
        target: &recipes.targets[HOST],
        toolchain: &recipes.toolchains["zig"],
        goal: Goal { language: Language::Cxx, ..Goal::default() },
        choose: &|_| 0,
    });
    assert_eq!(names(&app.unwrap()), ["zig", "zig-driver", "cxx", "sysroot"]);
}

#[test]
fn a_tool_is_made_only_for_a_library_that_is_made() {
    let recipes = recipes();
    let plan = plan(&recipes, "zig", HOST, &["top", "side"]);
    let stale = |fresh: &[&str]| {
        let stale = plan.stale(&|step| fresh.contains(&step.name.as_str()));
        stale.into_iter().map(|index| plan.steps[index].name.as_str()).collect::<Vec<_>>()
    };
    let toolchain = ["zig", "zig-driver"];
    let fresh = [&toolchain[..], &["top", "base"]].concat();
    assert_eq!(stale(&fresh), ["side", "sysroot"]);
    let fresh = [&toolchain[..], &["top", "side"]].concat();
    assert_eq!(stale(&fresh), ["rt", "make", "base", "sysroot"], "only what `base` calls");
    let fresh = [&toolchain[..], &["base", "side"]].concat();
    assert_eq!(stale(&fresh), ["rt", "make", "busybox", "top", "sysroot"]);
    let fresh = [&toolchain[..], &["base", "side", "make", "busybox"]].concat();
    assert_eq!(stale(&fresh), ["top", "sysroot"], "the runtime is only for linking them");
}

#[test]
fn tools_are_made_for_the_machine_that_builds_whatever_the_target() {
    let recipes = recipes();
    for toolchain in ["zig", "gcc"] {
        let here = plan(&recipes, toolchain, HOST, &["top"]);
        let there = plan(&recipes, toolchain, OTHER, &["top"]);
        let prints = |plan: &Plan| {
            let tools = tools(plan);
            assert!(tools.iter().all(|step| step.target.triple == HOST), "{toolchain}");
            tools.iter().map(|step| step.fingerprint.clone()).collect::<Vec<_>>()
        };
        assert_eq!(prints(&here), prints(&there), "the same tools serve both");
        let targets: Vec<_> = there
            .steps
            .iter()
            .filter(|step| matches!(step.work, Work::Driver(_)))
            .map(|step| step.target.triple.as_str())
            .collect();
        assert_eq!(targets, [OTHER, HOST], "{toolchain}");
        for (step, _) in there.libraries() {
            assert_eq!(step.target.triple, OTHER);
            let drivers = there.dependencies(step).filter(|it| matches!(it.work, Work::Driver(_)));
            let drivers: Vec<_> = drivers.map(|it| it.target.triple.as_str()).collect();
            assert_eq!(drivers, [OTHER]);
        }
        // zig's one archive serves both; a GCC is one for each.
        let trees = there.steps.iter().filter(|step| matches!(step.work, Work::Toolchain(_)));
        assert_eq!(trees.count(), if toolchain == "zig" { 1 } else { 2 });
        // Where the targets are one, so are the drivers.
        let drivers = here.steps.iter().filter(|step| matches!(step.work, Work::Driver(_)));
        assert_eq!(drivers.count(), 1);
    }
}
