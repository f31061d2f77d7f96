//! What is found in a map, and what is refused.

#![allow(clippy::disallowed_methods, reason = "tests have no store yet")]

use std::fmt::Write as _;

use super::*;
use crate::layout::remove_tree;

/// A folder with a target folder, a sysroot and the machine's own libraries in it.
struct Scene {
    root: PathBuf,
    built: Built,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = remove_tree(&self.root);
    }
}

impl Scene {
    fn new(name: &str) -> Self {
        let root =
            std::env::temp_dir().join(format!("muslin-linked-{name}-{}", std::process::id()));
        let scene = Self { root, built: Built::default() };
        scene.archive("sysroot/lib/libz.a", &["inflate.o", "crc32.o"]);
        scene.archive("usr/lib/libz.a", &["inflate.o", "adler32.o"]);
        scene
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// An archive with empty members.
    fn archive(&self, path: &str, members: &[&str]) {
        let mut text = String::from("!<arch>\n");
        for member in members {
            let _ = writeln!(
                text,
                "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`",
                format!("{member}/"),
                0,
                0,
                0,
                644,
                0
            );
        }
        self.write(path, text.as_bytes());
    }

    fn places(&self) -> Places<'static> {
        Places {
            sysroot: self.at("sysroot"),
            libraries: vec![("z".into(), "zlib 1.3.2".into())],
            toolchain: vec![self.at("zig")],
            toolchain_name: "toolchain zig 1".into(),
            rust: vec![self.at("rust")],
            std: vec!["libstd-0123456789abcdef.rlib".into()],
            std_folder: PathBuf::from("/rust/lib"),
            output: vec![self.at("target")],
            packages: vec![(self.at("crates/z-sys"), "z#1".into(), "libz-sys", "1.0.0")],
        }
    }

    /// What the archives are in a program whose map has these lines.
    fn archives(&self, inputs: &[&str]) -> Result<Vec<Archive>> {
        let mut map = "     VMA      LMA     Size Align Out     In      Symbol\n".to_owned();
        for input in inputs {
            let path = self.at(input);
            let _ = writeln!(
                map,
                "     4c0      4c0       2c     4         {}:(.text)",
                path.display()
            );
        }
        self.write("target/release/deps/my_app-1f", b"program");
        self.write("target/release/deps/my_app-1f.map", map.as_bytes());
        let path = self.at("target/release/my-app");
        let _ = fs::remove_file(&path);
        fs::hard_link(self.at("target/release/deps/my_app-1f"), &path).unwrap();
        archives(&self.places(), &self.built, &Program { name: "my-app".into(), path }, &[])
    }

    /// A crate's rlib, and the folder that its build script points at.
    fn with_crate(mut self, folder: &str) -> Self {
        self.built.files.insert("liblibz_sys-0123456789abcdef.rlib".into(), "z#1".into());
        self.built.scripts = vec![Script {
            package: "z#1".into(),
            libs: vec!["static=z".into()],
            folders: vec![self.at(folder)],
            out: Some(self.at("target/release/build/z-1f/out")),
        }];
        self
    }
}

fn entry(archive: &str, from: &str, members: usize) -> Archive {
    Archive { archive: archive.into(), from: from.into(), members }
}

#[test]
fn every_archive_has_an_origin() {
    let scene = Scene::new("origins").with_crate("target/release/build/z-1f/out");
    let found = scene.archives(&[
        "target/release/deps/my_app-1f.my_app.0-cgu.0.rcgu.o",
        "target/release/deps/rustcAbC123/symbols.o",
        "sysroot/lib/libz.a(inflate.o)",
        "sysroot/lib/../lib/libz.a(crc32.o)",
        "rust/lib/self-contained/crt1.o",
        "rust/lib/self-contained/libc.a(exit.lo)",
        "target/release/deps/rustcAbC123/libstd-0123456789abcdef.rlib(std-1f.std.0-cgu.0.rcgu.o)",
        "zig/lib/libc++.a(new.o)",
        "target/release/build/z-1f/out/libz.a(inflate.o)",
        "crates/z-sys/prebuilt/libextra.a(extra.o)",
    ]);
    let found = found.unwrap();
    assert_eq!(
        found,
        [
            entry("libc++.a", "toolchain zig 1", 1),
            entry("libc.a", "rust", 1),
            entry("libextra.a", "crate libz-sys 1.0.0", 1),
            entry("libstd.rlib", "rust", 1),
            entry("libz.a", "crate libz-sys 1.0.0", 1),
            entry("libz.a", "recipe zlib 1.3.2", 2),
        ]
    );
}

const RLIB: &str = "target/release/deps/rustcAbC123/liblibz_sys-0123456789abcdef.rlib";

#[test]
fn what_is_packed_into_an_rlib_is_told_by_the_build_script() {
    let inputs =
        ["(inflate.o)", "(libz_sys-1f.libz_sys.0-cgu.0.rcgu.o)"].map(|it| format!("{RLIB}{it}"));
    let inputs = inputs.each_ref().map(String::as_str);
    let rust = entry("liblibz_sys.rlib", "crate libz-sys 1.0.0", 1);
    let scene = Scene::new("packed").with_crate("sysroot/lib");
    let found = scene.archives(&inputs).unwrap();
    assert_eq!(found, [rust, entry("libz.a", "recipe zlib 1.3.2", 1)]);
    drop(scene);
    // Nobody names an archive: the objects are the crate's.
    let found = Scene::new("own").with_crate("nowhere").archives(&inputs).unwrap();
    assert_eq!(found, [entry("liblibz_sys.rlib", "crate libz-sys 1.0.0", 2)]);
}

#[test]
fn a_library_of_the_machine_is_refused_wherever_it_hides() {
    let refused = |scene: &Scene, inputs: &[&str]| {
        let error = scene.archives(inputs).unwrap_err();
        let failure = Failure::find(&error).unwrap();
        assert_eq!(failure.exit, Exit::CheckFailed);
        assert!(failure.message.contains("usr/lib/libz.a"), "{}", failure.message);
    };
    let scene = Scene::new("foreign").with_crate("usr/lib");
    refused(&scene, &["usr/lib/libz.a(inflate.o)"]);
    refused(&scene, &["sysroot/../usr/lib/libz.a(inflate.o)"]);
    let packed = format!("{RLIB}(adler32.o)");
    refused(&scene, &[&packed]);
    // Another crate's script points there, and none names the library.
    let mut scene = Scene::new("foreign-other").with_crate("usr/lib");
    scene.built.scripts[0].package = "other#1".into();
    scene.built.scripts[0].libs.clear();
    refused(&scene, &[&packed]);
    let error = scene.archives(&["usr/lib/crt9.o"]).unwrap_err();
    assert!(error.to_string().contains("crt9.o"), "objects are no exception: {error}");
}

#[test]
fn a_program_without_a_map_is_an_error() {
    let scene = Scene::new("none");
    scene.archives(&[]).unwrap();
    fs::remove_file(scene.at("target/release/deps/my_app-1f.map")).unwrap();
    let path = scene.at("target/release/my-app");
    let program = Program { name: "my-app".into(), path };
    let error = archives(&scene.places(), &scene.built, &program, &[]).unwrap_err();
    assert!(error.to_string().contains("no map"), "{error}");
}
