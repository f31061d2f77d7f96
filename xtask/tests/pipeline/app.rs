//! From an app to checked programs.

use std::fs;
use std::path::Path;

use crate::has_std;
use crate::scratch::{ODD, Run, Scratch, TRIPLE, names};
use xtask::digest::Digest;
use xtask::layout::files_below;
use xtask::process;

#[test]
fn dist_packs_checked_programs_and_builds_them_once() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("dist");
    let run = scratch.run(&["dist"]).ok();
    let place = scratch.target().join("dist").join(TRIPLE);
    let packed = ["tar.gz", "tar.zst", "oci.tar"];
    let [gzip, zstd, image] = &packed.map(|ending| format!("tinyapp-0.3.0-{TRIPLE}.{ending}"));
    let (bill, licenses) = ("sbom.cdx.json", "THIRD-PARTY-LICENSES.txt");
    let statement = "provenance.json";
    let expected: Vec<String> =
        ["tinyapp", bill, licenses, gzip, zstd, image, statement, "manifest.json", "SHA256SUMS"]
            .map(|name| place.join(name).display().to_string())
            .into();
    assert_eq!(run.stdout.lines().collect::<Vec<_>>(), expected);
    assert_eq!(
        names(&place),
        ["SHA256SUMS", licenses, "manifest.json", statement, bill, "tinyapp", image, gzip, zstd]
    );
    let answer = Run::of(&mut process::command(place.join("tinyapp"))).ok().stdout;
    assert_eq!(answer, "the answer is 42\n");
    let mut sums = process::command("sha256sum");
    Run::of(sums.args(["-c", "SHA256SUMS"]).current_dir(&place)).ok();
    check_manifest(&scratch, &place);
    assert_eq!(scratch.compiled_files(), ["one.c", "two.c"]);

    scratch.forget();
    let run = scratch.run(&["dist", "--message-format", "json"]).ok();
    assert!(run.steps().values().all(|state| state == "fresh"), "{:?}", run.steps());
    let program = &run.events("executable")[0];
    assert_eq!(
        (program["name"].as_str(), program["target"].as_str()),
        (Some("tinyapp"), Some(TRIPLE))
    );
    assert_eq!(run.events("manifest").len(), 1);
    assert!(run.events("error").is_empty());

    fs::remove_dir_all(scratch.target()).unwrap();
    scratch.run(&["dist"]).ok();
    assert_eq!(scratch.compiled_files(), [""; 0]);
}

fn check_manifest(scratch: &Scratch, place: &Path) {
    let text = fs::read_to_string(place.join("manifest.json")).unwrap();
    assert!(!text.contains(scratch.workspace().to_str().unwrap()), "{text}");
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["schema"], 1);
    assert_eq!(manifest["package"]["name"], "tinyapp");
    assert_eq!(manifest["package"]["version"], "0.3.0");
    assert_eq!((&manifest["target"], &manifest["profile"]), (&TRIPLE.into(), &"release".into()));
    assert_eq!(manifest["toolchain"]["name"], "fake");
    let library = &manifest["libraries"][0];
    assert_eq!(
        (&library["name"], &library["version"], &library["license"]),
        (&"tiny".into(), &"1.0".into(), &"MIT".into())
    );
    let entry = scratch.entry("tiny");
    let fingerprint = library["fingerprint"].as_str().unwrap();
    assert!(entry.to_str().unwrap().ends_with(&fingerprint[..16]));
    let recipe =
        fs::read_to_string(scratch.workspace().join("recipes/libraries/tiny.toml")).unwrap();
    let digest = library["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    assert!(recipe.contains(digest));
    assert_eq!(library["origin"], "mirror");
    let program = &manifest["executables"][0];
    let bytes = fs::read(place.join("tinyapp")).unwrap();
    assert_eq!(program["sha256"], Digest::sha256_of(&bytes).hex());
    assert_eq!(program["size_bytes"], bytes.len());
    let checks = program["checks"].as_array().unwrap();
    assert!(
        checks.len() >= 5 && checks.iter().all(|check| check["outcome"] != "failed"),
        "{checks:?}"
    );
}

/// What a program says that must run well.
#[track_caller]
fn answer(program: &Path) -> String {
    Run::of(&mut process::command(program)).ok().stdout
}

#[test]
fn an_app_elsewhere_is_built_and_only_its_target_folder_is_written() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("elsewhere");
    let app = scratch.at("elsewhere");
    fs::rename(scratch.workspace().join("app"), &app).unwrap();
    let mut lock = process::command(process::env_var("CARGO").unwrap());
    Run::of(lock.args(["generate-lockfile", "--offline"]).current_dir(&app)).ok();
    let before = files_below(&app).unwrap();
    let out = scratch.at("out");
    let arguments =
        ["dist", "--manifest-path", app.to_str().unwrap(), "--out-dir", out.to_str().unwrap()];
    scratch.run(&arguments).ok();
    assert_eq!(answer(&out.join("tinyapp")), "the answer is 42\n");
    scratch.run(&["dist", "--manifest-path", app.join("Cargo.toml").to_str().unwrap()]).ok();
    assert!(app.join("target/dist").join(TRIPLE).join("tinyapp").exists());
    scratch.run(&["sysroot", "--manifest-path", app.to_str().unwrap()]).ok();
    assert!(app.join("target/sysroot").join(TRIPLE).join("lib/libtiny.a").exists());
    fs::remove_dir_all(app.join("target")).unwrap();
    assert_eq!(files_below(&app).unwrap(), before);
}

#[test]
fn the_app_s_manifest_adds_and_skips_libraries_and_names_the_toolchain() {
    let scratch = Scratch::new("wishes");
    scratch.write("recipes/libraries/more.toml", &scratch.library("more", "", "int more;\n"));
    scratch.write("recipes/toolchains/second.toml", &scratch.fake_toolchain("second"));
    let wishes =
        "libraries.add = [\"more\"]\nlibraries.skip = [\"tiny\"]\ntoolchain = \"second\"\n";
    scratch.write_app("app", &format!("[package.metadata.muslin]\n{wishes}"));
    let steps = |arguments: &[&str]| {
        let mut all = vec!["plan", "--message-format", "json"];
        all.extend_from_slice(arguments);
        let events = scratch.run(&all).ok().events("plan");
        let names = events.iter().map(|event| event["step"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(steps(&[]), ["second", "second-driver", "more", "sysroot"]);
    // The command line has the last word.
    assert_eq!(steps(&["--toolchain", "fake"])[0], "fake");
    scratch.write_app("app", "");
    assert_eq!(steps(&[]), ["fake", "fake-driver", "tiny", "sysroot"]);
}

#[test]
fn with_the_environment_plain_cargo_links_against_the_sysroot() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::in_folders("env", ODD);
    let app = scratch.workspace().join("app");
    let program = scratch.target().join(TRIPLE).join("debug/tinyapp");
    let cargo = process::env_var("CARGO").unwrap();
    let has_linked = || {
        assert_eq!(answer(&program), "the answer is 42\n");
        fs::remove_file(&program).unwrap();
    };

    // For a shell; and there the compiler alone finds the library's header.
    let file = scratch.workspace().join("env.sh");
    fs::write(&file, scratch.run(&["env"]).ok().stdout).unwrap();
    let lower = TRIPLE.replace('-', "_");
    let script = format!(
        "set -e\n. \"$0\"\n\"$CARGO\" build --offline --target {TRIPLE}\n\
         echo '#include <tiny.h>' > target/probe.c\n\
         eval \"\\\"\\$CC_{lower}\\\" $CFLAGS_{lower}\" -c target/probe.c -o target/probe.o\n"
    );
    Run::of(scratch.plain("sh").args(["-c", &script]).arg(&file).current_dir(&app)).ok();
    has_linked();

    let build = "cd app && touch src/main.rs && \"$CARGO\" build --offline --target \"$0\"";
    scratch.run(&["exec", "--", "sh", "-c", build, TRIPLE]).ok();
    has_linked();

    let fragment = scratch.run(&["env", "--format", "cargo"]).ok().stdout;
    scratch.write("app/.cargo/config.toml", &fragment);
    let build = ["build", "--offline", "--target", TRIPLE];
    Run::of(scratch.plain(&cargo).args(build).current_dir(&app)).ok();
    has_linked();

    let json = scratch.run(&["env", "--format", "json"]).ok().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let lib = json["TINY_LIB_DIR"].as_str().unwrap();
    assert!(Path::new(lib).join("libtiny.a").exists(), "{lib}");
}

#[test]
fn paths_may_have_blanks_and_letters_of_all_kinds() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::in_folders("paths", ODD);
    let run = scratch.run(&["dist", "--profile", "dev", "-j1"]).ok();
    let place = scratch.target().join("dist").join(TRIPLE);
    assert!(run.stdout.starts_with(place.to_str().unwrap()), "{}", run.all());
    assert_eq!(answer(&place.join("tinyapp")), "the answer is 42\n");
    // Only the app's path is odd: its flags are quoted, and the cc crate must know.
    let plain = scratch.at("plain-store");
    scratch.run(&["--store", plain.to_str().unwrap(), "dist"]).ok();
    // The driver finds the toolchain from where it is: a store can be moved.
    let moved = scratch.at("moved store");
    fs::rename(scratch.store(), &moved).unwrap();
    let run =
        scratch.run(&["--store", moved.to_str().unwrap(), "sysroot", "--message-format", "json"]);
    assert!(run.ok().steps().values().all(|state| state == "fresh"));
    scratch.write("recipes/libraries/more.toml", &scratch.library("more", "", "int more;\n"));
    scratch.run(&["--store", moved.to_str().unwrap(), "sysroot", "more"]).ok();
}

#[test]
fn exec_ends_as_its_command_does() {
    let scratch = Scratch::new("exec");
    scratch.run(&["exec", "--", "sh", "-c", "exit 7"]).fails(7, &[]);
    let run = scratch.run(&["exec", "--", "sh", "-c", "kill -9 $$"]);
    assert_eq!(run.status.code(), Some(128 + 9), "{}", run.all());
    scratch.run(&["exec", "--", "no-such-program"]).fails(1, &["cannot start `no-such-program`"]);
    scratch.run(&["exec"]).fails(2, &["<COMMAND>"]);
    scratch
        .run(&["env", "--target", TRIPLE, "--target", "other"])
        .fails(2, &["variables are those of one target"]);
}

#[test]
fn check_tells_a_portable_program_from_one_of_this_machine() {
    let scratch = Scratch::new("check");
    let xtask = env!("CARGO_BIN_EXE_xtask");
    let run = scratch.run(&["check", xtask]);
    if !cfg!(target_env = "musl") {
        let run = run.fails(5, &["not static and portable"]);
        let line = run.stdout.lines().find(|line| line.starts_with("  static ")).unwrap();
        assert!(line.contains("FAILED") && line.contains("interpreter"), "{line}");
    }
    let file = scratch.workspace().join("recipes/targets.toml");
    scratch.run(&["check", file.to_str().unwrap()]).fails(5, &["targets.toml"]);
    scratch.run(&["check", "nowhere"]).fails(1, &["cannot read nowhere"]);
}

#[test]
fn a_toolchain_that_cannot_be_had_gives_way_to_the_next() {
    let scratch = Scratch::new("preference");
    let fake = "recipes/toolchains/fake.toml";
    let text = fs::read_to_string(scratch.workspace().join(fake)).unwrap();
    fs::remove_file(scratch.workspace().join(fake)).unwrap();
    scratch.write("recipes/toolchains/zig.toml", &text);
    // Of these bytes there is no copy anywhere.
    let digest = text.split("sha256 = \"").nth(1).unwrap().split('"').next().unwrap();
    let other = text.replace(digest, &"0".repeat(64));
    scratch.write("recipes/toolchains/musl-cross.toml", &other);
    let run = scratch.run(&["sysroot", "tiny"]).ok();
    run.says("Toolchain zig 1.0 (musl-cross cannot be had: ");
    // Once it is there, it is not asked for again.
    let run = scratch.run(&["sysroot", "tiny"]).ok();
    run.says("Toolchain zig 1.0\n");
}
