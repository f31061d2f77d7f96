//! What got into a program: told by the linker's map, and refused if it is the machine's.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::App;

/// Archives in the first program of a manifest, and whose each is.
pub fn origins(manifest: &serde_json::Value) -> BTreeSet<(String, String)> {
    let linked = manifest["executables"][0]["linked"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    linked.iter().map(|it| (text(&it["archive"]), text(&it["from"]))).collect()
}

/// A static library of this machine, in a folder that is none of the build's.
fn foreign_library() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("muslin-foreign-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("foreign.c"), "int foreign(void) { return 42; }\n").unwrap();
    for words in [
        ["cc", "-c", "-fPIC", "foreign.c", "-oforeign.o"].as_slice(),
        &["ar", "crs", "libforeign.a", "foreign.o"],
    ] {
        let status = Command::new(words[0]).args(&words[1..]).current_dir(&folder).status();
        assert!(status.unwrap().success(), "{words:?}");
    }
    folder
}

const MAIN: &str = "unsafe extern \"C\" { fn foreign() -> i32; }\n\
    fn main() { assert_eq!(unsafe { foreign() }, 42); }\n";

/// A program with a library of the machine in it is no program to ship: whether a build script of its
/// own points there, or one of a crate, which packs the library into its rlib; with or without LTO.
#[test]
fn a_library_of_the_machine_is_an_error() {
    let profile = "[profile.lean]\ninherits = \"release\"\nlto = \"fat\"\n";
    let Some(app) = App::new("foreign", profile, MAIN) else { return };
    let folder = foreign_library();
    let script = |folder: &str| {
        format!(
            "fn main() {{ println!(\"cargo:rustc-link-search=native={folder}\\n\
             cargo:rustc-link-lib=static=foreign\"); }}"
        )
    };
    let refuse = |profile: &str| {
        let output = app.xtask("dist", &["--sandbox", "off", "--profile", profile], &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(5), "{said}");
        assert!(said.contains(&format!("{}/libforeign.a", folder.display())), "{said}");
    };
    app.write("build.rs", &script(&folder.to_string_lossy()));
    refuse("dev");
    fs::remove_file(app.0.join("build.rs")).unwrap();
    let manifest = fs::read_to_string(app.0.join("Cargo.toml")).unwrap();
    let manifest = format!("{manifest}[dependencies]\nmiddle = {{ path = \"middle\" }}\n");
    app.write("Cargo.toml", &manifest);
    app.write("src/main.rs", "fn main() { assert_eq!(middle::answer(), 42); }\n");
    app.write(
        "middle/Cargo.toml",
        "[package]\nname = \"middle\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    app.write("middle/build.rs", &script(&folder.to_string_lossy()));
    app.write(
        "middle/src/lib.rs",
        "unsafe extern \"C\" { fn foreign() -> i32; }\npub fn answer() -> i32 { unsafe { foreign() } }\n",
    );
    refuse("dev");
    refuse("lean");
    // The same library inside of the crate is the crate's own.
    fs::copy(folder.join("libforeign.a"), app.0.join("middle/libforeign.a")).unwrap();
    app.write("middle/build.rs", &script(&app.0.join("middle").to_string_lossy()));
    app.dist_and_run(&["--profile", "lean"], &[]);
    let from = origins(&app.manifest("target"));
    let own = ("libforeign.a".to_owned(), "crate middle 0.1.0".to_owned());
    assert!(from.contains(&own), "{from:?}");
    fs::remove_dir_all(&folder).unwrap();
}

/// What the app's author chose stands, unless the sysroot's copy is preferred.
#[test]
fn the_preferred_copy_is_linked() {
    let manifest = "[dependencies]\nlibz-sys = { version = \"1.1\", features = [\"static\"] }\n\
        libsqlite3-sys = { version = \"0.35\", features = [\"bundled\"] }\n";
    let main = "use std::ffi::CStr;\nfn main() {\n\
        let text = |p| unsafe { CStr::from_ptr(p) }.to_str().unwrap().to_owned();\n\
        println!(\"{} {}\", text(unsafe { libz_sys::zlibVersion() }), \
        text(unsafe { libsqlite3_sys::sqlite3_libversion() } as _));\n}\n";
    let Some(app) = App::new("prefer", manifest, main) else { return };
    let run = |arguments: &[&str]| {
        app.dist_and_run(&[arguments, &["--profile", "dev"]].concat(), &[]);
        let manifest = app.manifest("target");
        let copies: Vec<_> = manifest["copies"].as_array().unwrap().clone();
        let copies: Vec<_> =
            copies.iter().map(|it| it["copy"].as_str().unwrap().to_owned()).collect();
        (origins(&manifest), copies)
    };
    let has = |from: &BTreeSet<(String, String)>, archive: &str, whose: &str| {
        from.iter().any(|(name, origin)| name == archive && origin.starts_with(whose))
    };
    let (from, copies) = run(&["--prefer", "sysroot"]);
    assert!(has(&from, "libz.a", "recipe zlib"), "{from:?}");
    assert!(has(&from, "libsqlite3.a", "recipe sqlite"), "{from:?}");
    assert_eq!(copies, ["recipe", "recipe"]);
    let (from, copies) = run(&[]);
    assert!(has(&from, "libz.a", "crate libz-sys"), "{from:?}");
    assert!(has(&from, "libsqlite3.a", "crate libsqlite3-sys"), "{from:?}");
    assert_eq!(copies, ["crate", "crate"]);
}
