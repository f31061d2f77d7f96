//! The driver for this machine: what build scripts and proc-macros are compiled and linked with.
//!
//! Most needs zig in the store and the registry's crates, so it runs with `cargo xtask test` only, and
//! says loudly elsewhere that it was skipped.

#[path = "host/app.rs"]
mod app;
#[path = "host/view.rs"]
mod view;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use view::View;
use xtask::layout::{Store, files_below, remove_tree};
use xtask::plan::{Goal, Plan, Request};
use xtask::process::{self, env_var, shell_word};
use xtask::recipe::Recipes;
use xtask::rust::Rust;
use xtask::toolchain::host::{HostDriver, HostLinking, host_driver};
use xtask::toolchain::linking::linking_driver;

const TRIPLE: &str = "x86_64-unknown-linux-musl";

fn skip(why: &str) {
    xtask::report::text(&format!("SKIPPED: {why}"));
}

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The Rust of this machine, and a plan for no library with a toolchain, by what a store has.
fn plan(toolchain: &str, store: &Store) -> (Recipes, Plan, Rust) {
    let recipes = Recipes::load(checkout()).unwrap();
    let has = |step: &xtask::plan::Step| {
        store.entry(&step.name, &step.version, &step.fingerprint).exists()
    };
    let plan = Plan::new(&Request {
        recipes: &recipes,
        target: &recipes.targets[TRIPLE],
        toolchain: &recipes.toolchains[toolchain],
        goal: Goal::default(),
        choose: &|steps| steps.iter().position(has).unwrap_or(0),
    });
    let rust = Rust::of_package(checkout(), checkout(), None).unwrap();
    (recipes, plan.unwrap(), rust)
}

/// A folder for a test, empty, gone when dropped unless the test failed.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("host {name}"));
        remove_tree(&folder).unwrap();
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = remove_tree(&self.0);
        }
    }
}

/// The store that `cargo xtask test` has filled, if it is that which runs us.
fn filled_store(what: &str) -> Option<Store> {
    let root = env_var("MUSLIN_STORE").filter(|_| env_var("MUSLIN_TEST_ALL").is_some());
    if root.is_none() {
        skip(&format!("{what}: run `cargo xtask test`"));
    }
    let rust = Rust::of_package(checkout(), checkout(), None).unwrap();
    if root.is_some() && rust.host != "x86_64-unknown-linux-gnu" {
        skip(&format!("{what}: this Rust is one for {}", rust.host));
        return None;
    }
    root.map(|root| Store::open(Path::new(&root)).unwrap())
}

/// The driver in a store that has zig.
fn pinned(store: &Store) -> HostDriver {
    let (recipes, plan, rust) = plan("zig", store);
    match host_driver(store, plan.toolchain(), &recipes.toolchains["zig"], &rust).unwrap() {
        HostLinking::Pinned(driver) => driver,
        HostLinking::Machine(why) => panic!("{why}"),
    }
}

#[test]
fn where_there_is_no_pinned_driver_the_reason_is_said() {
    let folder = Folder::new("reasons");
    let store = Store::open(&folder.0).unwrap();
    for (toolchain, host, word) in
        [("musl-cross", None, "musl-cross"), ("zig", Some(TRIPLE), TRIPLE)]
    {
        let (recipes, plan, mut rust) = plan(toolchain, &store);
        rust.host = host.map_or(rust.host, str::to_owned);
        let linking =
            host_driver(&store, plan.toolchain(), &recipes.toolchains[toolchain], &rust).unwrap();
        let HostLinking::Machine(why) = linking else { panic!("{toolchain} {host:?}") };
        assert!(why.contains(word), "{why}");
    }
}

/// An entry is the same wherever its store is, and however often it is made.
#[test]
fn the_driver_is_the_same_in_every_store() {
    let Some(store) = filled_store("the host's driver") else { return };
    let first = pinned(&store);
    let folder = Folder::new("anöther store");
    let other = Store::open(&folder.0).unwrap();
    let (_, plan, _) = plan("zig", &store);
    let tree = plan.toolchain();
    let [from, to] =
        [&store, &other].map(|s| s.entry(&tree.name, &tree.version, &tree.fingerprint));
    fs::create_dir_all(to.path().parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(from.path(), to.path()).unwrap();
    let second = pinned(&other);
    assert_eq!(first.id, second.id);
    let [old, new] = [&first, &second].map(|driver| driver.bin.parent().unwrap().to_owned());
    let files = files_below(&old).unwrap();
    assert_eq!(files, files_below(&new).unwrap());
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        assert_eq!(
            fs::read(old.join(&file)).unwrap(),
            fs::read(new.join(&file)).unwrap(),
            "{file:?}"
        );
    }
}

const LIBRARY: &str = "\
#include <stdio.h>
#include <stdlib.h>
static void bye(void) { puts(\"the library ends\"); }
int begin(void) { return atexit(bye); }
";

const MAIN: &str = "\
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
int main(int count, char **words) {
    void *library = dlopen(words[1], RTLD_NOW);
    int (*begin)(void) = library ? (int (*)(void))dlsym(library, \"begin\") : 0;
    if (!begin || begin() || dlclose(library)) return 1;
    printf(\"the program ends with %g\\n\", sqrt(count * 2));
    return 0;
}
";

/// What configure scripts of a crate's C library do, without rustc's help: programs of both kinds, and
/// a shared library that ends what it began when it is closed.
#[test]
fn c_and_cxx_by_hand() {
    let Some(store) = filled_store("C for the host") else { return };
    let driver = pinned(&store);
    let folder = Folder::new("by hand");
    for (name, text) in [
        ("library.c", LIBRARY),
        ("main.c", MAIN),
        (
            "odd.cpp",
            "#include <vector>\n#include <mutex>\nstd::vector<int> some(3);\nstd::once_flag once;\n",
        ),
    ] {
        fs::write(folder.0.join(name), text).unwrap();
    }
    let run = |program: &Path, arguments: &[&str]| {
        let output =
            process::command(program).args(arguments).current_dir(&folder.0).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let tool = |name: &str| driver.bin.join(format!("x86_64-unknown-linux-gnu-{name}"));
    run(&tool("cc"), &["-shared", "-fPIC", "library.c", "-o", "library.so"]);
    for kind in ["-pie", "-no-pie"] {
        run(&tool("cc"), &["-Wall", "-Werror", kind, "main.c", "-lm", "-ldl", "-o", "main"]);
        let text = run(&folder.0.join("main"), &["./library.so"]);
        assert_eq!(text, "the library ends\nthe program ends with 2\n", "{kind}");
    }
    run(&tool("c++"), &["-Wall", "-Werror", "-c", "odd.cpp", "-o", "odd.o"]);
    run(&tool("ar"), &["rcs", "libodd.a", "odd.o"]);
    run(&tool("ranlib"), &["libodd.a"]);
    // Names that are the target's or everyone's would change how the target is compiled for.
    assert!(driver.variables.keys().all(|name| name.ends_with("_x86_64_unknown_linux_gnu")));
}

/// What cargo is run with inside of a view.
fn cargo(rust: &Rust, variables: &[(String, String)], arguments: &[&str]) -> String {
    let words =
        variables.iter().map(|(name, value)| format!("export {name}={}", shell_word(value)));
    let exports = words.collect::<Vec<_>>().join("\n");
    let cargo = rust.sysroot().join("bin/cargo").to_string_lossy().into_owned();
    let call: Vec<_> = [cargo.as_str(), "build", "--offline", "--target", TRIPLE]
        .into_iter()
        .chain(arguments.iter().copied())
        .map(shell_word)
        .collect();
    format!("{exports}\n{}", call.join(" "))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn build_scripts_and_macros_need_nothing_of_this_machine() {
    let Some(store) = filled_store("a build without the host's compiler") else { return };
    let driver = pinned(&store);
    let (recipes, plan, rust) = plan("zig", &store);
    let step = plan.toolchain();
    let tree = store.entry(&step.name, &step.version, &step.fingerprint).outputs();
    let toolchain = &recipes.toolchains["zig"];
    let linking =
        linking_driver(&store, plan.driver(), &tree, toolchain, &plan.target, &rust).unwrap();
    let folder = Folder::new("äpp");
    let place = folder.0.join("app");
    app::write(&place);
    let fetched = rust.cargo().arg("fetch").current_dir(&place).output().unwrap();
    assert!(fetched.status.success(), "{}", said(&fetched));
    let home = process::cargo_home().unwrap();
    let (read_only, writable) = ([rust.sysroot(), store.root()], [place.as_path(), &home]);
    let view = match View::new(folder.0.join("root"), &rust, &read_only, &writable) {
        Ok(view) => view,
        Err(why) => return skip(&format!("a build without the host's compiler: {why}")),
    };

    let bin = rust.sysroot().join("bin");
    let tool = |name: &str| linking.path(name).to_string_lossy().into_owned();
    let mut variables = vec![
        ("PATH".to_owned(), format!("{}:/bin", bin.display())),
        ("CARGO_HOME".to_owned(), home.to_string_lossy().into_owned()),
        ("CC_x86_64_unknown_linux_musl".to_owned(), tool(&linking.names.cc)),
        ("AR_x86_64_unknown_linux_musl".to_owned(), tool(&linking.names.ar)),
    ];
    let go = format!("cd {}\n", shell_word(&place.to_string_lossy()));
    let target = format!("target.{TRIPLE}.linker={:?}", tool(&linking.names.cc));
    let mut arguments = vec!["--config", &target];
    let run = |variables: &[_], arguments: &[&str]| {
        view.command(&format!("{go}{}", cargo(&rust, variables, arguments))).output().unwrap()
    };

    // Inside there is no compiler, no header, no library to link with; so without ours nothing links.
    let nothing = "for file in /usr/include /usr/lib/gcc /bin/cc /usr/bin /usr/lib/*/crt1.o /lib/*/libc.a; do \
                   [ ! -e \"$file\" ] || { echo \"$file\"; exit 1; }; done";
    let output = view.command(nothing).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let output = run(&variables, &arguments);
    assert!(
        !output.status.success() && said(&output).contains("not-this-one"),
        "{}",
        said(&output)
    );

    variables.extend(driver.variables.clone());
    arguments.extend(driver.cargo_arguments.iter().map(String::as_str));
    let output = run(&variables, &arguments);
    assert!(output.status.success(), "{}", said(&output));
    let program = place.join("target").join(TRIPLE).join("debug/app");
    let output = process::command(&program).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("libc 2.") && text.ends_with(" native 42 spell 42\n"), "{text}");

    // A panic crosses from the proc-macro's library into rustc.
    arguments.extend(["--features", "explode"]);
    let output = run(&variables, &arguments);
    assert!(!output.status.success() && said(&output).contains("boom 42"), "{}", said(&output));
}
