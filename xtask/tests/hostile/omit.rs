//! What a recipe leaves out of an archive is not unpacked and not judged; everything else is.

use crate::scratch::{Scratch, picture};
use crate::tarball::Tar;
use xtask::unpack::Part;

/// Laid out as toolchains are: an absolute link to where their libc would be installed.
fn toolchain() -> Vec<u8> {
    Tar::new()
        .file("tool/lib/libc.so", "libc")
        .link("tool/lib/ld-musl.so.1", "/lib/libc.so")
        .file("tool/doc/a", "a")
        .file("tool/doc/inner/b", "b")
        .end()
}

/// Names in the tree without what is omitted, or the error.
fn unpack(bytes: &[u8], root: Option<&str>, omit: &[&str]) -> Result<Vec<String>, String> {
    let scratch = Scratch::new();
    let omit: Vec<String> = omit.iter().map(|path| (*path).to_owned()).collect();
    let result = scratch.unpack_part(bytes, &Part { root, omit: &omit, inner: None });
    assert_eq!(result.is_ok(), scratch.dest().exists());
    result.map_err(|error| error.to_string())?;
    let paths = picture(&scratch.dest()).into_keys();
    Ok(paths.map(|path| path.display().to_string()).filter(|path| !path.is_empty()).collect())
}

#[test]
fn what_is_left_out_is_not_there() {
    let error = unpack(&toolchain(), None, &[]).unwrap_err();
    assert!(error.contains("ld-musl.so.1"), "{error}");
    let link = "lib/ld-musl.so.1";
    let all = ["doc", "doc/a", "doc/inner", "doc/inner/b", "lib", "lib/libc.so"];
    assert_eq!(unpack(&toolchain(), None, &[link]).unwrap(), all);
    assert_eq!(
        unpack(&toolchain(), None, &[link, "doc/inner"]).unwrap(),
        [all[0], all[1], all[4], all[5]]
    );
    assert_eq!(unpack(&toolchain(), Some("lib"), &["ld-musl.so.1"]).unwrap(), ["libc.so"]);
}

#[test]
fn what_is_left_out_must_be_there_and_be_the_one_that_is_meant() {
    for (omit, expected) in [
        (["lib/ld-musl.so.1", "lib/nope"], "there is no `lib/nope` in it to leave out"),
        // The archive's own top folder is no part of the tree.
        (
            ["lib/ld-musl.so.1", "tool/doc"],
            "it cannot be told whether `tool/doc/a` is to be left out",
        ),
        (["lib/ld-musl.so.1", "../doc"], "what to leave out: its name has a part `..`"),
    ] {
        let error = unpack(&toolchain(), None, &omit).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    // In an archive with two top folders nothing is stripped, so this would be the wrong one.
    let two = Tar::new().file("a/b", "").file("c/d", "").end();
    let error = unpack(&two, None, &["b"]).unwrap_err();
    assert!(error.contains("it cannot be told whether `a/b`"), "{error}");
}
