//! C++ in programs: what its runtime must do, in all ways of linking, and with one unwinder.

use std::fs;
use std::path::Path;

use object::{Object as _, ObjectSymbol as _};

use super::{App, TRIPLE};

const PROFILES: &str = r#"
[build-dependencies]
cc = "1"
[profile.off]
inherits = "release"
lto = "off"
[profile.thin]
inherits = "release"
lto = "thin"
[profile.fat]
inherits = "release"
lto = "fat"
codegen-units = 1
[profile.abort]
inherits = "release"
panic = "abort"
"#;

const BUILD: &str = r#"fn main() {
    cc::Build::new().cpp(true).std("c++20").file("all.cpp").compile("all");
}
"#;

/// An app whose C++ asserts all that is asked of a runtime.
fn all(name: &str) -> Option<App> {
    let app = App::new(name, PROFILES, include_str!("all.rs"))?;
    app.write("build.rs", BUILD);
    app.write("all.cpp", include_str!("all.cpp"));
    Some(app)
}

/// Names of the functions that a program has of its own, each as often as it is there.
fn functions(program: &Path) -> Vec<String> {
    let bytes = fs::read(program).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let defined = file.symbols().filter(|symbol| symbol.is_definition());
    defined.filter_map(|symbol| symbol.name().ok().map(str::to_owned)).collect()
}

#[test]
fn all_of_cxx_works_in_a_static_program() {
    let Some(app) = all("cxx-all") else { return };
    let said = app.dist_and_run(&["--profile", "dev"], &[]);
    let functions = functions(&app.0.join("target").join(TRIPLE).join("debug/cxx-all"));
    assert!(functions.iter().any(|name| name == "__cxa_throw"), "{said}");
    let count = |name: &str| functions.iter().filter(|function| *function == name).count();
    for name in ["_Unwind_RaiseException", "_Unwind_Resume", "_Unwind_Backtrace"] {
        assert_eq!(count(name), 1, "{name}: one unwinder is asked for");
    }
    for name in ["__register_frame_info", "_dl_find_object", "__deregister_frame_info"] {
        assert_eq!(count(name), 0, "{name}: that is GCC's unwinder");
    }
    let manifest = app.0.join("target/dist").join(TRIPLE).join("manifest.json");
    let manifest = fs::read_to_string(manifest).unwrap();
    assert!(manifest.contains("\"libcxx\""), "{manifest}");
}

#[test]
fn all_of_cxx_works_whatever_the_profile() {
    let Some(app) = all("cxx-profiles") else { return };
    for profile in ["off", "thin", "fat", "abort"] {
        app.dist_and_run(&["--profile", profile], &[]);
    }
}

/// The crate `cxx` makes the glue, and turns exceptions into errors.
#[test]
fn the_crate_cxx_works() {
    let manifest = "[dependencies]\ncxx = \"1\"\n[build-dependencies]\ncxx-build = \"1\"\n";
    let main = r#"
#[cxx::bridge]
mod ffi {
    unsafe extern "C++" {
        include!("cxx-crate/side.h");
        fn longest(words: Vec<String>) -> Result<UniquePtr<CxxString>>;
    }
}
fn main() {
    let words = ["a", "longest", "word"].map(str::to_owned).to_vec();
    assert_eq!(ffi::longest(words).unwrap().to_str().unwrap(), "longest");
    assert_eq!(ffi::longest(Vec::new()).err().unwrap().what(), "no words");
}
"#;
    let Some(app) = App::new("cxx-crate", manifest, main) else { return };
    app.write(
        "build.rs",
        "fn main() { cxx_build::bridge(\"src/main.rs\").file(\"side.cc\").std(\"c++17\").compile(\"side\"); }",
    );
    app.write(
        "side.h",
        "#pragma once\n#include <memory>\n#include <string>\n#include \"rust/cxx.h\"\n\
         std::unique_ptr<std::string> longest(rust::Vec<rust::String> words);\n",
    );
    app.write(
        "side.cc",
        r#"#include "cxx-crate/side.h"
#include <algorithm>
#include <stdexcept>
std::unique_ptr<std::string> longest(rust::Vec<rust::String> words) {
    if (words.empty()) throw std::runtime_error("no words");
    auto shorter = [](const rust::String &a, const rust::String &b) { return a.size() < b.size(); };
    return std::make_unique<std::string>(std::string(*std::max_element(words.begin(), words.end(), shorter)));
}
"#,
    );
    app.dist_and_run(&[], &[]);
}

/// Without C++ in the program there is no runtime in the plan; without the runtime it is said in words.
#[test]
fn the_runtime_comes_only_with_cxx() {
    let Some(app) = all("cxx-less") else { return };
    let plan = |app: &App| {
        let output = app.xtask("plan", &["--toolchain", "zig"], &[]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(plan(&app).contains("libcxx"));
    app.write("build.rs", "fn main() { cc::Build::new().file(\"all.c\").compile(\"all\"); }");
    assert!(!plan(&app).contains("libcxx"), "a program without C++");
    app.write("build.rs", BUILD);
    let manifest = fs::read_to_string(app.0.join("Cargo.toml")).unwrap();
    let without = format!("{manifest}[package.metadata.muslin]\nlibraries.skip = [\"libcxx\"]\n");
    app.write("Cargo.toml", &without);
    assert!(!plan(&app).contains("libcxx"), "left out by name");
    let output = app.xtask("dist", &["--toolchain", "zig"], &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("recipe `libcxx` brings it"), "{said}");
}
