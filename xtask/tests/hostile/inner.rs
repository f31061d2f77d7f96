//! An archive inside an archive: the same rules for both of them.

use crate::scratch::{Scratch, picture};
use crate::tarball::{Header, Tar};
use xtask::unpack::Part;

/// Unpacks the archive `inner` of an archive; returns the names in the tree, or the error.
fn unpack(bytes: &[u8], inner: &str) -> Result<Vec<String>, String> {
    let scratch = Scratch::new();
    let part = Part { inner: Some(inner), ..Part::default() };
    let result = scratch.unpack_part(bytes, &part);
    assert_eq!(result.is_ok(), scratch.dest().exists());
    result.map_err(|error| error.to_string())?;
    let paths = picture(&scratch.dest()).into_keys();
    Ok(paths.map(|path| path.display().to_string()).filter(|path| !path.is_empty()).collect())
}

fn nested(inner: &[u8]) -> Vec<u8> {
    Tar::new().entry(Header::new("top/inner.tar", b'0'), inner).file("top/other", "other").end()
}

#[test]
fn the_tree_is_that_of_the_archive_inside() {
    let inner = Tar::new().file("tree/a", "a").file("tree/b/c", "c").end();
    assert_eq!(unpack(&nested(&inner), "inner.tar").unwrap(), ["a", "b", "b/c"]);
}

#[test]
fn nothing_is_guessed_and_nothing_hidden() {
    let inner = Tar::new().file("tree/a", "a").end();
    for (name, expected) in [
        ("inner.tar.xz", "there is no file `inner.tar.xz` in it to unpack"),
        ("other", "in other: it is neither a tar"),
        ("../dest", "the archive inside: its name has a part `..`"),
    ] {
        let error = unpack(&nested(&inner), name).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let bad = Tar::new().file("tree/a", "a").link("tree/b", "/etc/passwd").end();
    let error = unpack(&nested(&bad), "inner.tar").unwrap_err();
    assert!(error.contains("in inner.tar") && error.contains("tree/b"), "{error}");
}
