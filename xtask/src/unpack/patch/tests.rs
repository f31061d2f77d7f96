//! Patches that apply, and patches that must not.
#![allow(clippy::disallowed_methods, reason = "tests have no store")]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::MODIFIED;
use super::apply_patch;

struct Scratch(PathBuf);

impl Scratch {
    fn new(files: &[(&str, &str)]) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("muslin-patch-{}-{number}", std::process::id());
        let scratch = Self(std::env::temp_dir().join(name));
        for (path, text) in files {
            let path = scratch.0.join("tree").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        scratch
    }

    fn apply(&self, text: &str) -> Result<(), String> {
        apply_patch(&self.0.join("tree"), "0001-x.patch", text).map_err(|error| error.to_string())
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.0.join("tree").join(path)).ok()
    }

    /// All paths, so that left-overs show.
    fn listing(&self) -> Vec<PathBuf> {
        crate::layout::files_below(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const ABC: &str = "a\nb\nc\nd\ne\n";

const CHANGE: &str = "\
From: somebody
Subject: why

---
 f | 2 +-
diff --git a/f b/f
index 123..456 100644
--- a/f
+++ b/f\t2024-01-01
@@ -2,3 +2,4 @@ context
 b
-c
+C
+CC
 d
--\u{20}
2.40
";

#[test]
fn a_change_applies_and_keeps_mode_and_time() {
    let scratch = Scratch::new(&[("f", ABC)]);
    let path = scratch.0.join("tree/f");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    scratch.apply(CHANGE).unwrap();
    assert_eq!(scratch.read("f").unwrap(), "a\nb\nC\nCC\nd\ne\n");
    let data = fs::metadata(path).unwrap();
    assert_eq!((data.mode() & 0o7777, data.mtime()), (0o755, MODIFIED));
    assert_eq!(scratch.listing().len(), 1);
}

#[test]
fn hunks_may_have_moved_and_the_nearest_place_counts() {
    let moved = format!("{}{ABC}", "new\n".repeat(30));
    let scratch = Scratch::new(&[("f", &format!("{moved}{moved}"))]);
    scratch.apply(CHANGE).unwrap();
    assert_eq!(scratch.read("f").unwrap(), format!("{}{moved}", moved.replace("c\n", "C\nCC\n")));
}

#[test]
fn files_come_and_go() {
    let scratch = Scratch::new(&[("gone", "x\n"), ("stays", "s\n")]);
    let text = "\
diff --git a/deep/er/new b/deep/er/new
new file mode 100755
--- /dev/null
+++ b/deep/er/new
@@ -0,0 +1,2 @@
+one
+two
\\ No newline at end of file
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
";
    scratch.apply(text).unwrap();
    assert_eq!(scratch.read("deep/er/new").unwrap(), "one\ntwo");
    assert_eq!(scratch.read("gone"), None);
    let mode = |path| fs::metadata(scratch.0.join("tree").join(path)).unwrap().mode() & 0o777;
    assert_eq!((mode("deep/er/new"), mode("deep")), (0o755, 0o755));
    assert!(scratch.apply(text).unwrap_err().contains("there already"));
}

#[test]
fn a_missing_line_end_is_part_of_the_line() {
    let scratch = Scratch::new(&[("f", "a\nb")]);
    let wrong = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n";
    assert!(scratch.apply(wrong).unwrap_err().contains("hunk 1 (line 1) does not fit: line 2"));
    let right = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n";
    scratch.apply(right).unwrap();
    assert_eq!(scratch.read("f").unwrap(), "a\nc\n");
}

#[test]
fn one_bad_hunk_and_nothing_changes() {
    let scratch = Scratch::new(&[("f", ABC), ("g", ABC)]);
    let text = CHANGE.replace("--\u{20}\n2.40\n", "")
        + "--- a/g\n+++ b/g\n@@ -1,2 +1,2 @@\n a\n-b\n+B\n@@ -4,2 +4,2 @@\n d\n-x\n+X\n";
    let error = scratch.apply(&text).unwrap_err();
    let expected = "cannot apply 0001-x.patch: g: hunk 2 (line 4) does not fit: line 5 should be `x`, but is `e`";
    assert_eq!(error, expected);
    assert_eq!(
        (scratch.read("f").unwrap().as_str(), scratch.read("g").unwrap().as_str()),
        (ABC, ABC)
    );
    assert_eq!(scratch.listing().len(), 2);
}

#[test]
fn two_diffs_of_one_file_follow_each_other() {
    let scratch = Scratch::new(&[("f", "a\n")]);
    let step = |old, new| format!("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-{old}\n+{new}\n");
    scratch.apply(&(step("a", "b") + &step("b", "c"))).unwrap();
    assert_eq!(scratch.read("f").unwrap(), "c\n");
}

#[test]
fn nothing_is_touched_outside_or_behind_a_link() {
    let scratch = Scratch::new(&[("f", ABC), ("dir/f", ABC), ("../outside", "x\n")]);
    symlink("..", scratch.0.join("tree/up")).unwrap();
    symlink("f", scratch.0.join("tree/link")).unwrap();
    let change = |path: &str| format!("--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-x\n+y\n");
    let add = |path: &str| format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+y\n");
    let cases = [
        (change("../outside"), "part `..`"),
        (change("up/outside"), "links are not followed"),
        (change("link"), "links are not followed"),
        (add("up/new"), "links are not followed"),
        (add("link"), "links are not followed"),
        (change("/etc/passwd"), "absolute"),
        ("--- /etc/passwd\n+++ /etc/passwd\n@@ -1 +1 @@\n-x\n+y\n".to_owned(), "names no file"),
        (change("dir"), "no file"),
        (add("f/new"), "Not a directory"),
        (change("missing"), "no such file"),
    ];
    for (text, expected) in cases {
        let error = scratch.apply(&text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
    assert_eq!(fs::read_to_string(scratch.0.join("outside")).unwrap(), "x\n");
    assert_eq!(scratch.listing().len(), 5);
}

#[test]
fn what_is_not_understood_is_refused() {
    let scratch = Scratch::new(&[("f", ABC)]);
    let cases = [
        ("", "no hunks"),
        ("prose only\n", "no hunks"),
        ("@@ -1 +1 @@\n-a\n+b\n", "a hunk without a file"),
        ("--- a/f\n+++ b/f\n@@ -1,9 +1 @@\n-a\n", "the hunk is cut"),
        ("--- a/f\n+++ b/f\n@@ -1 +1 @@\n*a\n", "begins with none"),
        ("--- a/f\n+++ b/f\n@@ -x +1 @@\n-a\n", "makes no sense"),
        ("--- a/f\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n", "a rename"),
        ("diff --git a/f b/g\nrename from f\nrename to g\n", "`rename from`"),
        ("diff --git a/f b/f\nGIT binary patch\n", "`GIT binary patch`"),
        ("--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "not all of its lines"),
        ("--- f\n+++ f\n@@ -1 +1 @@\n-a\n+b\n", "no first part"),
        ("--- a/f\n+++ b/f\n@@ -3 +3 @@\n-c\n+C\n@@ -1 +1 @@\n-a\n+A\n", "behind"),
        ("--- a/f\n+++ b/f\n@@ -99,0 +99 @@\n+z\n", "does not fit"),
        ("--- a/f\n+++ b/f\n@@ -18446744073709551615 +1 @@\n-z\n+y\n", "does not fit"),
    ];
    for (text, expected) in cases {
        let error = scratch.apply(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
    assert_eq!(scratch.read("f").unwrap(), ABC);
}
