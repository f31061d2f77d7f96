//! A check that may fail, because the app's manifest says why.

use super::App;

/// Asks for a stack that can be executed.
const BUILD: &str = "fn main() { println!(\"cargo:rustc-link-arg=-Wl,-z,execstack\"); }\n";

#[test]
fn a_check_may_fail_with_the_reason_of_the_apps_author() {
    let main = "fn main() { println!(\"well\"); }\n";
    let Some(app) = App::new("allowed", "", main) else { return };
    app.write("build.rs", BUILD);
    let head = std::fs::read_to_string(app.0.join("Cargo.toml")).unwrap();
    let dist = |allow: &str| {
        let table = format!("{head}[package.metadata.muslin.allow]\n{allow}\n");
        app.write("Cargo.toml", &table);
        let output = app.xtask("dist", &["--only", "programs"], &[]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };

    let (code, said) = dist("stck = \"why\"");
    assert!(code == Some(2) && said.contains("did you mean `stack`?"), "{said}");
    assert!(!said.contains("Compiling"), "{said}");
    let (code, said) = dist("rpath = \"there is none\"");
    assert!(code == Some(5) && said.contains("stack: the stack is executable"), "{said}");
    assert!(said.contains("→ assemble with `-Wa,--noexecstack`"), "{said}");

    let (code, said) = dist("stack = \"a JIT\"\nrpath = \"there is none\"");
    assert_eq!(code, Some(0), "{said}");
    for words in ["allowed to fail: stack", "(a JIT)", "allows what did not fail for x86_64"] {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
    let manifest = app.manifest("target");
    let checks = manifest["executables"][0]["checks"].as_array().unwrap();
    let stack = checks.iter().find(|check| check["name"] == "stack").unwrap();
    assert_eq!((&stack["outcome"], &stack["reason"]), (&"allowed".into(), &"a JIT".into()));
    let rpath = checks.iter().find(|check| check["name"] == "rpath").unwrap();
    assert!(rpath["outcome"] == "ok" && rpath.get("reason").is_none());
    assert!(manifest["executables"][0]["libc"].as_str().unwrap().starts_with("musl 1."));
}
