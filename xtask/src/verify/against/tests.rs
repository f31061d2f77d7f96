//! Manifests side by side, and what is said of them.

use serde_json::json;

use super::*;

fn manifest() -> Value {
    json!({
        "schema": 1, "muslin": "0.1.0", "target": "x86_64-unknown-linux-musl", "profile": "release",
        "package": { "name": "shop", "version": "1.0.0", "license": null },
        "features": ["--features", "tls"], "rustc": "rustc 1.95.0",
        "rustc_version": ["rustc 1.95.0", "host: x86_64-unknown-linux-gnu", "LLVM version: 22.1.0"],
        "toolchain": { "name": "zig", "version": "0.17.0", "digest": "sha256:aa", "fingerprint": "01" },
        "libraries": [
            { "name": "openssl", "version": "3.6.3", "digest": "sha256:bb", "fingerprint": "02" },
            { "name": "zlib", "version": "1.3.2", "digest": "sha256:cc", "fingerprint": "03" },
        ],
        "bundled": [{ "links": "ring_core", "crate": "ring", "version": "0.17.14" }],
        "executables": [
            { "name": "shop", "size_bytes": 10, "sha256": "11", "checks": [] },
            { "name": "till", "size_bytes": 20, "sha256": "22", "checks": [] },
        ],
    })
}

#[test]
fn the_same_is_the_same() {
    let comparison = compare(&manifest(), &manifest());
    assert_eq!(comparison.text(), "the same programs: 2 of 2 have the same bytes\n");
}

#[test]
fn what_was_not_the_same_before_is_told() {
    let mut theirs = manifest();
    theirs["executables"][0]["sha256"] = "33".into();
    theirs["rustc_version"][2] = "LLVM version: 21.0.0".into();
    theirs["libraries"] = json!([
        { "name": "zlib", "version": "1.3.1", "digest": "sha256:dd", "fingerprint": "04" },
    ]);
    theirs["bundled"] = json!([]);
    theirs.as_object_mut().unwrap().remove("muslin");
    let expected = "\
1 of 2 programs are not the same
  shop  theirs  33
        ours    11
these inputs are not the same:
  bundled ring_core.crate        theirs  (none)
                                 ours    ring
  bundled ring_core.links        theirs  (none)
                                 ours    ring_core
  bundled ring_core.version      theirs  (none)
                                 ours    0.17.14
  libraries openssl.digest       theirs  (none)
                                 ours    sha256:bb
  libraries openssl.fingerprint  theirs  (none)
                                 ours    02
  libraries openssl.name         theirs  (none)
                                 ours    openssl
  libraries openssl.version      theirs  (none)
                                 ours    3.6.3
  libraries zlib.digest          theirs  sha256:dd
                                 ours    sha256:cc
  libraries zlib.fingerprint     theirs  04
                                 ours    03
  libraries zlib.version         theirs  1.3.1
                                 ours    1.3.2
  rustc_version.LLVM version     theirs  21.0.0
                                 ours    22.1.0
only one manifest tells of: muslin
";
    let comparison = compare(&theirs, &manifest());
    assert_eq!(comparison.text(), expected);
    assert_eq!(comparison.help().len(), 1);
}

#[test]
fn equal_inputs_with_other_outputs_are_said_plainly() {
    let mut theirs = manifest();
    theirs["executables"][1]["sha256"] = "44".into();
    theirs["executables"].as_array_mut().unwrap().remove(0);
    let expected = "\
2 of 2 programs are not the same
  shop  theirs  (none)
        ours    11
  till  theirs  44
        ours    22
all inputs that the manifests tell of are the same
";
    let comparison = compare(&theirs, &manifest());
    assert_eq!(comparison.text(), expected);
    let help = comparison.help().concat();
    assert!(help.contains("cargo xtask verify") && help.contains("sources"), "{help}");
}

#[test]
fn other_inputs_with_the_same_outputs_are_told_too() {
    let mut theirs = manifest();
    theirs["toolchain"]["digest"] = "sha256:ff".into();
    let text = compare(&theirs, &manifest()).text();
    assert!(
        text.starts_with("the same programs: 2 of 2") && text.contains("toolchain.digest"),
        "{text}"
    );
}
