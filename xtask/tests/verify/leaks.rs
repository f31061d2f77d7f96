//! Packages and libraries that put something of the machine into what they make.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::scratch::{Run, Scratch};
use crate::{is_slow_wanted, skip, verdict};

/// Leaks: the binary's name, the variation that must be named, and what the build script puts in.
/// [`NEVER_SEEN`] are those that cannot be, in whatever sandbox.
const LEAKS: [(&str, &str, &str); 10] = [
    ("path", "build-path", "std::env::var(\"CARGO_MANIFEST_DIR\").unwrap()"),
    ("home", "home", "std::env::var(\"HOME\").unwrap_or_default()"),
    ("user", "user", "run(\"id\", \"-u\")"),
    ("mask", "umask", "shell(\"umask\")"),
    ("language", "locale", "std::env::var(\"LC_ALL\").unwrap_or_default()"),
    ("zone", "time-zone", "run(\"date\", \"+%z\")"),
    ("year", "date", "(now.as_secs() / 31_556_952 + 1970).to_string()"),
    ("host", "host-name", "run(\"uname\", \"-n\")"),
    ("cpus", "cpus", "std::thread::available_parallelism().unwrap().to_string()"),
    ("order", "file-order", "listed()"),
];

/// Muslin sets these itself for a build, so there is nothing to leak.
const NEVER_SEEN: [&str; 4] = ["home", "mask", "language", "zone"];

const BUILD_HEAD: &str = r#"
use std::process::Command;
fn run(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
fn shell(script: &str) -> String {
    let output = Command::new("sh").args(["-c", script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
fn listed() -> String {
    let names = std::fs::read_dir("data").unwrap().map(|item| item.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect::<Vec<_>>().join(" ")
}
"#;

/// An app with one binary for each leak, and one that leaks nothing.
fn leaky(scratch: &Scratch, more: &[(&str, &str)]) {
    let manifest = "[package]\nname = \"leaky\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
                    [profile.release]\nstrip = true\npanic = \"abort\"\n";
    scratch.write("leaky/Cargo.toml", manifest);
    for name in ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf"] {
        scratch.write(&format!("leaky/data/{name}"), "");
    }
    let mut script = format!(
        "{BUILD_HEAD}fn main() {{\nlet now = std::time::SystemTime::now()\
         .duration_since(std::time::UNIX_EPOCH).unwrap(); let _ = now;\n"
    );
    let leaks = LEAKS.iter().map(|(name, _, value)| (*name, *value));
    for (name, value) in leaks.chain([("clean", "String::new()")]).chain(more.iter().copied()) {
        script.push_str(&format!("println!(\"cargo:rustc-env=LEAK_{name}={{}}\", {value});\n"));
        let main = format!("fn main() {{ println!(\"leak: {{}}\", env!(\"LEAK_{name}\")); }}\n");
        scratch.write(&format!("leaky/src/bin/{name}.rs"), &main);
    }
    script.push_str("}\n");
    scratch.write("leaky/build.rs", &script);
}

/// What each file that differs is blamed on.
fn causes(run: &Run) -> BTreeMap<String, Value> {
    let differences = run.events("verify-difference");
    let of = |event: &Value| (event["file"].as_str().unwrap().to_owned(), event.clone());
    differences.iter().map(of).collect()
}

fn verify(scratch: &Scratch, arguments: &[&str]) -> Run {
    let leaky = scratch.workspace().join("leaky");
    let mut all = vec!["verify", "--manifest-path", leaky.to_str().unwrap()];
    all.extend(["--message-format", "json"]);
    all.extend(arguments);
    scratch.run(&all)
}

/// Variations that this machine could do; says loudly which it could not.
fn varied(run: &Run) -> Vec<String> {
    let verdict = verdict(run);
    let mut names = Vec::new();
    for variation in verdict["variations"].as_array().unwrap() {
        let name = variation["name"].as_str().unwrap().to_owned();
        match variation["varied"] == true {
            true => names.push(name),
            false => skip(&format!("a leak of {name}: {}", variation["detail"])),
        }
    }
    names
}

#[test]
fn a_leak_is_found_and_named_and_the_rest_is_not_blamed() {
    if !crate::has_std() {
        return;
    }
    let scratch = Scratch::new("verify-leak");
    leaky(&scratch, &[]);
    let vary =
        ["--app-only", "--vary", "umask,build-path,locale", "--bin", "path", "--bin", "clean"];
    let run = verify(&scratch, &vary).fails(4, &["path: caused by: build path\n", ".rodata at 0x"]);
    let found = causes(&run);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["path"], "{}", run.all());
    assert_eq!(found["path"]["caused_by"], serde_json::json!(["build-path"]));
    let place = &found["path"]["places"][0];
    assert_eq!(place["inside"], ".rodata");
    let text = place["second_text"].as_str().unwrap();
    assert!(text.contains("somewhere else, in a longer"), "{text}");
    // With that held still, nothing differs; but the path is a leak that `dist` refuses by itself.
    let vary = ["--app-only", "--keep", "--vary", "umask", "--bin", "path", "--bin", "clean"];
    let run = verify(&scratch, &vary).fails(5, &["the same bytes, but a check failed"]);
    assert_eq!(verdict(&run)["same"], true);
    for build in ["build-1", "build-2"] {
        let kept = scratch.store().join("verify-v1").join(build).join("dist");
        assert_eq!(crate::scratch::names(&kept), ["clean", "path"]);
    }
}

#[test]
fn every_planted_leak_is_found_and_named() {
    if !is_slow_wanted("planted leaks") {
        return;
    }
    let scratch = Scratch::new("verify-leaks");
    let more = [
        ("noise", "std::env::var(\"MUSLIN_VERIFY_NOISE\").unwrap_or_default()"),
        ("moment", "now.as_nanos().to_string()"),
        ("chance", "std::process::id().to_string()"),
    ];
    leaky(&scratch, &more);
    // The scratch workspace has no sandbox, so that a build sees the user and the host.
    let run = verify(&scratch, &["--app-only"]).fails(4, &["caused by: number of CPUs"]);
    let (varied, found) = (varied(&run), causes(&run));
    assert!(varied.len() >= 8, "{varied:?}");
    let blamed = |name: &str| found.get(name).map(|event| event["caused_by"].clone());
    for (name, variation, _) in LEAKS {
        let is_varied = varied.iter().any(|varied| varied == variation);
        let is_seen = is_varied && !NEVER_SEEN.contains(&name);
        let expected = is_seen.then(|| serde_json::json!([variation]));
        assert_eq!(blamed(name), expected, "{name}: {}", run.all());
    }
    assert_eq!(blamed("noise"), Some(serde_json::json!(["environment"])));
    for name in ["moment", "chance"] {
        assert_eq!(blamed(name), Some(serde_json::json!(["none"])), "{name}");
    }
    assert_eq!(blamed("clean"), None);
    run.says("moment: differs without any variation (time, randomness, or parallelism)");
    // In a sandbox there is neither.
    let bins = ["--bin", "user", "--bin", "host", "--vary", "user,host-name"];
    let run = verify(&scratch, &[&["--app-only", "--sandbox", "require"], &bins[..]].concat());
    match run.stderr.contains("no sandbox can be had here") {
        true => skip("a build that sees neither user nor host: there is no sandbox here"),
        false => drop(run.ok()),
    }
}

#[test]
fn a_library_that_leaks_is_found_down_to_the_symbol() {
    if !crate::has_std() {
        return;
    }
    let scratch = Scratch::new("verify-library");
    let configure = "#!/bin/sh\nset -e\nfor option; do case $option in --prefix=*) prefix=${option#*=};; esac; done\n\
        printf 'const char tiny_banner[] = \"for %s CPUs\";\\n' \"$(nproc)\" > banner.c\n\
        printf 'int tiny_answer(void) { return 1; }\\n' > answer.c\n\
        sed -e \"s|@prefix@|$prefix|g\" -e \"s|@CC@|$CC|\" -e \"s|@AR@|$AR|\" Makefile.in > Makefile\n";
    let makefile = "I = $(DESTDIR)@prefix@\n\
        all:\n\t@CC@ $(CFLAGS) -c answer.c -o answer.o\n\t@CC@ $(CFLAGS) -c banner.c -o banner.o\n\
        \t@AR@ rcs libtiny.a answer.o banner.o\n\
        install: all\n\tmkdir -p \"$(I)/lib\" \"$(I)/include\"\n\tcp libtiny.a \"$(I)/lib\"\n\
        \tcp tiny.h \"$(I)/include\"\n";
    let source = scratch.source(
        "tiny",
        &[
            ("configure", configure),
            ("Makefile.in", makefile),
            ("tiny.h", "int tiny_answer(void);\n"),
        ],
    );
    let recipe = format!(
        "description = \"Leaky\"\nversion = \"1.0\"\nlicense = \"MIT\"\nlinks = [\"tiny\"]\n\
         tools = [\"busybox\", \"make\"]\n{source}[build.configure]\nscript = \"configure\"\n\
         [outputs]\nlibs = [\"tiny\"]\ninclude = [\"tiny.h\"]\n\
         [env]\nTINY_LIB_DIR = \"{{sysroot}}/lib\"\n"
    );
    scratch.write("recipes/libraries/tiny.toml", &recipe);
    scratch.write_tools();
    let aliases = ["sh", "cp", "env", "mkdir", "nproc", "printf", "pwd", "sed"];
    scratch.write("recipes/tools/busybox.toml", &scratch.tool("busybox", &aliases));
    if std::thread::available_parallelism().unwrap().get() == 1 {
        skip("a library that counts CPUs: there is but one");
        return;
    }
    let run = scratch
        .run(&["verify", "--vary", "umask,cpus,locale", "--message-format", "json"])
        .fails(4, &["caused by: number of CPUs", "member banner.o, .rodata", "`tiny_banner`"]);
    let found = causes(&run);
    // The library, and the sysroot that has it; the program links nothing of the banner.
    let names: Vec<_> = found.keys().map(|file| file.split('-').next().unwrap()).collect();
    assert_eq!(names, ["sysroot", "tiny"], "{}", run.all());
    for event in found.values() {
        assert_eq!(event["caused_by"], serde_json::json!(["cpus"]));
        let place = &event["places"][0];
        assert_eq!(place["symbol"], "tiny_banner");
        assert_eq!(place["second_text"], "for 1 CPUs");
    }
}
