//! The statement of where programs come from, and its signature.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::has_std;
use crate::scratch::{Run, Scratch, TRIPLE};

fn place(scratch: &Scratch) -> PathBuf {
    scratch.target().join("dist").join(TRIPLE)
}

fn statement(scratch: &Scratch) -> Value {
    serde_json::from_slice(&fs::read(place(scratch).join("provenance.json")).unwrap()).unwrap()
}

#[test]
fn a_statement_says_what_all_files_were_made_of() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("provenance");
    scratch.run(&["dist"]).ok();
    let said = statement(&scratch);
    assert_eq!(said["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(said["predicateType"], "https://slsa.dev/provenance/v1");
    // It speaks of all that lies there, with the sums of the list.
    let sums = fs::read_to_string(place(&scratch).join("SHA256SUMS")).unwrap();
    let subjects = said["subject"].as_array().unwrap();
    let mut lines: Vec<String> = subjects
        .iter()
        .map(|it| {
            let sha256 = it["digest"]["sha256"].as_str().unwrap();
            format!("{sha256}  {}", it["name"].as_str().unwrap())
        })
        .collect();
    lines.sort();
    let mut listed: Vec<&str> =
        sums.lines().filter(|line| !line.ends_with("  provenance.json")).collect();
    listed.sort_unstable();
    assert_eq!(lines, listed);
    assert_eq!(sums.lines().count(), listed.len() + 1);
    let definition = &said["predicate"]["buildDefinition"];
    assert_eq!(definition["externalParameters"]["package"]["name"], "tinyapp");
    assert_eq!(definition["externalParameters"]["target"], TRIPLE);
    assert_eq!(definition["externalParameters"]["profile"], "release");
    let inputs = definition["resolvedDependencies"].as_array().unwrap();
    let names: Vec<_> = inputs.iter().map(|it| it["name"].as_str().unwrap()).collect();
    for name in ["tiny 1.0", "fake 1.0", "Cargo.lock"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    let hex = |it: &Value| it["digest"]["sha256"].as_str().unwrap().len();
    assert!(inputs.iter().all(|it| hex(it) == 64), "{inputs:?}");

    // The same build says the same.
    let file = place(&scratch).join("provenance.json");
    let before = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    scratch.run(&["dist"]).ok();
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_statement_is_held_against_files_and_its_signature() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("signature");
    if xtask::process::find_program("ssh-keygen").is_none() {
        return crate::skip("there is no ssh-keygen");
    }
    let key = |name: &str| {
        let file = scratch.workspace().join(name);
        let mut command = scratch.plain("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&file);
        Run::of(&mut command).ok();
        file
    };
    let (ours, theirs) = (key("ours"), key("theirs"));
    let public = fs::read_to_string(ours.with_extension("pub")).unwrap();
    scratch.write("signers", &format!("release@example.org {public}"));
    let signers = scratch.workspace().join("signers").display().to_string();
    let statement = place(&scratch).join("provenance.json").display().to_string();
    let check = |more: &[&str]| {
        let words: Vec<&str> =
            ["check", "--provenance", &statement].iter().chain(more).copied().collect();
        scratch.run(&words)
    };
    let sign = |key: &PathBuf| scratch.run(&["dist", "--sign", &key.display().to_string()]);

    scratch.run(&["dist"]).ok();
    check(&[]).ok().says("who says so was not asked");
    check(&["--allowed-signers", &signers]).fails(4, &["there is no signature"]);
    sign(&ours).ok();
    let sums = fs::read_to_string(place(&scratch).join("SHA256SUMS")).unwrap();
    assert!(sums.contains("  provenance.json.sig\n"), "{sums}");
    check(&["--allowed-signers", &signers]).ok().says("signed by release@example.org");
    sign(&ours).ok();
    assert_eq!(fs::read_to_string(place(&scratch).join("SHA256SUMS")).unwrap(), sums);
    sign(&theirs).ok();
    check(&["--allowed-signers", &signers]).fails(4, &["no key of the list has signed it"]);
    sign(&ours).ok();

    // A file that was changed, one of another build, a statement that was changed.
    let program = place(&scratch).join("tinyapp").display().to_string();
    check(&[&program]).ok();
    let bytes = fs::read(&program).unwrap();
    fs::write(&program, "changed").unwrap();
    check(&[]).fails(4, &["does not speak of tinyapp"]);
    check(&[&program]).fails(4, &["does not speak of tinyapp"]);
    fs::write(&program, bytes).unwrap();
    let text = fs::read_to_string(&statement).unwrap();
    fs::write(&statement, text.replace("\"release\"", "\"debug\"")).unwrap();
    check(&["--allowed-signers", &signers]).fails(4, &["the signature is not of these bytes"]);
    fs::write(&statement, "{}").unwrap();
    check(&[]).fails(4, &["is no statement of provenance"]);
    scratch.run(&["dist", "--sign", "none"]).fails(2, &["there is no key none"]);
    // Without a key no old signature stays.
    scratch.run(&["dist"]).ok();
    assert!(!place(&scratch).join("provenance.json.sig").exists());
}
