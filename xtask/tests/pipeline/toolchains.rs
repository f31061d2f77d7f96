//! `cargo xtask toolchain`: what it lists, what it writes, and that this comes back as it was.

use std::fs;

use xtask::digest::Digest;
use xtask::layout::tree_listing;

use crate::scratch::{Scratch, TRIPLE};

/// The recipe of a toolchain whose only archive is one for this target, with that digest.
fn recipe(name: &str, digest: &str, target: &str) -> String {
    format!(
        "description = \"{name}\"\nversion = \"2.0\"\nlicense = \"MIT\"\n\
         [[source]]\ntarget = \"{target}\"\nurl = \"https://{name}.invalid/x.tar.xz\"\n\
         sha256 = \"{digest}\"\n[driver.gcc]\nprefix = \"bin/{{target}}-\"\n"
    )
}

#[test]
fn an_exported_toolchain_comes_back_as_it_was() {
    let scratch = Scratch::new("export");
    let export = |file: &str| {
        let run = scratch.run(&["toolchain", "export", "fake", file]).ok();
        run.says("in recipes/toolchains/musl-cross.toml:");
        let bytes = fs::read(scratch.workspace().join(file)).unwrap();
        let digest = Digest::sha256_of(&bytes).hex();
        assert!(run.stdout.starts_with(&format!("{digest}  ")), "{}", run.stdout);
        (bytes, digest)
    };
    let (bytes, digest) = export("one.tar.xz");
    assert_eq!(export("other name.tar.xz").1, digest, "the same bytes each time");
    // Served as a company would, and used under another name.
    fs::write(scratch.mirror().join(&digest), bytes).unwrap();
    scratch.write("recipes/toolchains/hosted.toml", &recipe("hosted", &digest, TRIPLE));
    scratch.forget();
    let run = scratch.run(&["sysroot", "tiny", "--toolchain", "hosted"]).ok();
    run.says("Toolchain hosted 2.0");
    assert_eq!(scratch.compiled_files(), ["one.c", "two.c"]);
    let listing = |name: &str| tree_listing(&scratch.entry(name).join("outputs")).unwrap();
    assert_eq!(listing("hosted-2.0"), listing("fake-1.0"));
}

#[test]
fn only_a_gcc_is_exported_and_only_for_a_target_that_it_has() {
    let scratch = Scratch::new("export-refused");
    let digest = "1".repeat(64);
    let other = "aarch64-unknown-linux-musl";
    scratch.write("recipes/toolchains/cross.toml", &recipe("cross", &digest, other));
    scratch.run(&["toolchain", "export", "cross", "x.tar.xz"]).fails(
        2,
        &["toolchain `cross` has no archive for x86_64-unknown-linux-musl", "no digest of one"],
    );
    scratch
        .run(&["toolchain", "export", "nope", "x.tar.xz"])
        .fails(2, &["there is no toolchain `nope`"]);
    let zig = "description = \"z\"\nversion = \"1\"\nlicense = \"MIT\"\n\
               [[source]]\nurl = \"https://z.invalid/z\"\nsha256 = \"1111111111111111111111111111111111111111111111111111111111111112\"\n\
               [driver.zig]\nprogram = \"zig\"\ninclude = [\"lib\"]\n";
    scratch.write("recipes/toolchains/zig.toml", zig);
    scratch.run(&["toolchain", "export", "zig", "x.tar.xz"]).fails(2, &["zig is no GCC"]);
    assert!(!scratch.workspace().join("x.tar.xz").exists());
}

#[test]
fn the_list_says_what_there_is_and_why() {
    let scratch = Scratch::new("toolchain-list");
    let other = "aarch64-unknown-linux-musl";
    scratch.write("recipes/toolchains/cross.toml", &recipe("cross", &"1".repeat(64), other));
    let run = scratch.run(&["toolchain", "list"]).ok();
    let says = |text: &str, expected: &str| assert!(text.contains(expected), "{text}");
    says(&run.stdout, "cross 2.0: no digest on record; cannot be chosen for this target");
    says(&run.stdout, "targets: aarch64-unknown-linux-musl\n    in the store for: none");
    says(&run.stdout, "fake 1.0: to fetch; tried first");
    scratch.run(&["sysroot", "tiny"]).ok();
    let run = scratch.run(&["toolchain", "list"]).ok();
    says(&run.stdout, "fake 1.0: in the store; chosen");
    let run =
        scratch.run(&["toolchain", "list", "--target", other, "--message-format", "json"]).ok();
    says(&run.stdout, r#""targets":["aarch64-unknown-linux-musl"]"#);
}
