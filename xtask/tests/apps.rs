//! Small apps with real published crates, through the whole of `cargo xtask dist`.
//!
//! They need a store and the registry, so they run with `MUSLIN_TEST_ALL=1` (as `cargo xtask test` sets
//! it) and with the store of `MUSLIN_STORE`; without, each says that it did not run.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test drives the program from outside"
)]

#[path = "apps/allowed.rs"]
mod allowed;
#[path = "apps/baseline.rs"]
mod baseline;
#[path = "apps/bindgen.rs"]
mod bindgen;
#[path = "apps/called.rs"]
mod called;
#[path = "apps/cxx.rs"]
mod cxx;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[path = "apps/headers.rs"]
mod headers;
#[path = "support/image_registry.rs"]
mod image_registry;
#[path = "apps/images.rs"]
mod images;
#[path = "apps/linked.rs"]
mod linked;
#[path = "apps/prefer.rs"]
mod prefer;
#[path = "apps/published.rs"]
mod published;
#[path = "apps/versions.rs"]
mod versions;

const TRIPLE: &str = "x86_64-unknown-linux-musl";

/// A folder with an app in it, removed in the end.
struct App(PathBuf);

impl Drop for App {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether such tests can run here; says so, loudly, if not.
fn may_run(name: &str) -> bool {
    let is_on = std::env::var_os("MUSLIN_TEST_ALL").is_some();
    let may = is_on && std::env::var_os("MUSLIN_STORE").is_some();
    if !may {
        eprintln!("NOT RUN: `{name}` needs MUSLIN_TEST_ALL=1 and a store in MUSLIN_STORE");
    }
    may
}

impl App {
    /// An app of this name; `None`, loudly, where such tests cannot run.
    fn new(name: &str, manifest: &str, main: &str) -> Option<Self> {
        if !may_run(name) {
            return None;
        }
        let root = std::env::temp_dir().join(format!("muslin-app-{name}-{}", std::process::id()));
        let app = Self(root);
        let head = format!(
            "[workspace]\n[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"
        );
        app.write("Cargo.toml", &format!("{head}{manifest}"));
        app.write("src/main.rs", main);
        Some(app)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn xtask(&self, command: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .current_dir(checkout)
            .arg(command)
            .arg("--manifest-path")
            .arg(self.0.join("Cargo.toml"))
            .args(arguments)
            .env_remove("CARGO_TARGET_DIR")
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }

    /// Builds the app and runs its program, which must say that all is well.
    fn dist_and_run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.xtask("dist", arguments, variables);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let program = String::from_utf8_lossy(&output.stdout).lines().next().unwrap().to_owned();
        let output = Command::new(&program).output().unwrap();
        assert!(output.status.success(), "{program}: {output:?}");
        said
    }

    /// The manifest that the last `dist` wrote.
    fn manifest(&self, target: &str) -> serde_json::Value {
        let file = self.0.join(target).join("dist").join(TRIPLE).join("manifest.json");
        serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }
}

const RAW: &str = r#"
[dependencies]
openssl-sys = { version = "0.9", features = ["vendored"] }
libsqlite3-sys = "0.35"
libz-sys = "=1.1.22"
"#;

const RAW_MAIN: &str = r#"
use std::ffi::CStr;
#[cfg(not(from_the_app))]
compile_error!("the app's own flags were lost");
// What crates on top of libsqlite3-sys call, by features that are on or off.
unsafe extern "C" {
    fn sqlite3_unlock_notify();
    fn sqlite3_preupdate_hook();
    fn sqlite3_column_database_name();
    fn sqlite3session_create();
    fn sqlite3_load_extension(db: usize, file: usize, entry: usize, message: usize) -> i32;
}
fn main() {
    assert_eq!(unsafe { sqlite3_load_extension(0, 0, 0, 0) }, 1);
    let functions: [unsafe extern "C" fn(); 4] = [
        sqlite3_unlock_notify,
        sqlite3_preupdate_hook,
        sqlite3_column_database_name,
        sqlite3session_create,
    ];
    std::hint::black_box(functions);
    let text = |p| unsafe { CStr::from_ptr(p) }.to_str().unwrap().to_owned();
    assert_eq!(unsafe { openssl_sys::OpenSSL_version_num() } >> 20, 0x306);
    assert_eq!(unsafe { text(libsqlite3_sys::sqlite3_libversion()) }, "3.54.0");
    assert_eq!(unsafe { text(libz_sys::zlibVersion()) }, "1.3.2");
    let thread = std::thread::spawn(|| std::panic::catch_unwind(|| panic!("caught")).is_err());
    assert!(thread.join().unwrap());
}
"#;

/// All three libraries come from recipes, whatever the crates' versions and features, the app's
/// configuration and the machine's variables say; and nothing is left in the app's folder.
#[test]
fn libraries_come_from_recipes_in_spite_of_all() {
    let Some(app) = App::new("raw", RAW, RAW_MAIN) else { return };
    app.write(
        ".cargo/config.toml",
        "[build]\nrustflags = [\"--cfg\", \"from_the_app\"]\ntarget-dir = \"out\"\n\
         [target.x86_64-unknown-linux-musl]\nlinker = \"musl-gcc\"\n",
    );
    let polluted = [
        ("CFLAGS", "-nonsense"),
        ("TARGET_CFLAGS", "-nonsense"),
        ("RUSTFLAGS", "-Cnonsense"),
        ("CC", "false"),
        ("OPENSSL_LIB_DIR", "/nonexistent"),
        ("OPENSSL_INCLUDE_DIR", "/nonexistent"),
        ("SQLITE3_LIB_DIR", "/nonexistent"),
        ("LIBZ_SYS_STATIC", "1"),
        ("CARGO_BUILD_TARGET", "wasm32-unknown-unknown"),
    ];
    let said = app.dist_and_run(&["--profile", "dev"], &polluted);
    assert!(!app.has("Cargo.lock") && app.has("out/muslin/Cargo.lock"), "{said}");
    assert!(!said.contains("calls perl"), "{said}");
    let from = linked::origins(&app.manifest("out"));
    for (archive, origin) in [
        ("libsqlite3.a", "recipe sqlite 3.54.0"),
        ("libz.a", "recipe zlib 1.3.2"),
        ("libcrypto.a", "recipe openssl 3.6.3"),
        ("libc.a", "rust"),
    ] {
        assert!(from.contains(&(archive.to_owned(), origin.to_owned())), "{archive}: {from:?}");
    }
    let folder = app.0.join("out").join(TRIPLE).join("debug/build");
    for built in fs::read_dir(folder).unwrap().flatten() {
        let objects = fs::read_dir(built.path().join("out")).into_iter().flatten().flatten();
        let compiled: Vec<_> = objects.map(|file| file.file_name()).collect();
        let is_c = compiled.iter().any(|name| name.to_string_lossy().ends_with(".a"));
        assert!(!is_c, "C was compiled in {}: {compiled:?}", built.path().display());
    }
}

/// What only another platform, a test, a build script or another member wants does not count.
#[test]
fn only_what_the_program_links_is_wanted() {
    let manifest = r#"
[features]
default = ["db"]
db = ["dep:libsqlite3-sys"]
[[bin]]
name = "wanted"
path = "src/main.rs"
[[bin]]
name = "with-db"
path = "src/main.rs"
required-features = ["db"]
[dependencies]
libsqlite3-sys = { version = "0.35", optional = true }
[target.'cfg(windows)'.dependencies]
pq-sys = "0.7"
[dev-dependencies]
pq-sys = "0.7"
[build-dependencies]
libsqlite3-sys = { version = "0.35", features = ["bundled"] }
"#;
    let Some(app) = App::new("wanted", manifest, "fn main() {}") else { return };
    let plan = |arguments: &[&str]| {
        let output = app.xtask("plan", arguments, &[]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(plan(&[]).contains("sqlite 3.54.0"));
    assert!(!plan(&["--no-default-features"]).contains("sqlite"));
    assert!(!app.has("Cargo.lock") && !app.has("target"), "a plan touches nothing");
    let output = app.xtask("dist", &["--no-default-features", "--bin", "with-db"], &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("--features db"), "{said}");
}

/// A library without a recipe is reported before anything is built, unless the crate brings it.
#[test]
fn a_library_that_nobody_brings_is_reported_first() {
    let manifest = "[dependencies]\nnobody-sys = { path = \"nobody-sys\" }\n";
    let Some(app) = App::new("nobody", manifest, "fn main() {}") else { return };
    app.write(
        "nobody-sys/Cargo.toml",
        "[package]\nname = \"nobody-sys\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlinks = \"nobody\"\n\
         [dependencies]\nopenssl-sys = { version = \"0.9\", optional = true }\n\
         [build-dependencies]\npkg-config = \"0.3\"\n[features]\nbundled = [\"dep:openssl-sys\"]\n",
    );
    app.write("nobody-sys/build.rs", "fn main() {}\n");
    app.write("nobody-sys/src/lib.rs", "");
    let output = app.xtask("dist", &[], &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("`nobody` for nobody-sys") && said.contains("`bundled`"), "{said}");
    let text = fs::read_to_string(app.0.join("Cargo.toml")).unwrap();
    let bundled = text.replace("-sys\" }", "-sys\", features = [\"bundled\"] }");
    app.write("Cargo.toml", &bundled);
    let output = app.xtask("plan", &[], &[]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("openssl"), "its copy links OpenSSL");
}

const CMAKE_MAIN: &str = r#"
use libz_ng_sys::{Z_OK, compress, compressBound, uncompress, zlibVersion};
fn main() {
    let text = "the same words again and ".repeat(1000);
    let mut packed = vec![0; unsafe { compressBound(text.len()) }];
    let mut length = packed.len();
    let code = unsafe { compress(packed.as_mut_ptr(), &mut length, text.as_ptr(), text.len()) };
    assert!(code == Z_OK && length < text.len() / 10);
    let mut back = vec![0; text.len()];
    let mut size = back.len();
    let code = unsafe { uncompress(back.as_mut_ptr(), &mut size, packed.as_ptr(), length) };
    assert!(code == Z_OK && back == text.as_bytes());
    let version = unsafe { std::ffi::CStr::from_ptr(zlibVersion()) };
    assert!(version.to_str().unwrap().starts_with("2."), "{version:?}");
}
"#;

/// CMake, make and all that they call are Muslin's own: nothing of the machine is seen.
#[test]
fn a_crate_that_calls_cmake_has_one() {
    let manifest = "[dependencies]\nlibz-ng-sys = \"1\"\n";
    let Some(app) = App::new("with-cmake", manifest, CMAKE_MAIN) else { return };
    let said = app.dist_and_run(&["--toolchain", "zig"], &[("CMAKE", "/nonexistent")]);
    assert!(!said.contains("sees this machine's"), "{said}");
    let record = fs::read_to_string(app.0.join("target/dist").join(TRIPLE).join("manifest.json"));
    assert!(record.unwrap().contains("\"hidden\""));
}

/// libclang is a recipe's; it sees the headers of the target or those of the pinned glibc.
#[test]
fn bindgen_binds_the_target_s_headers_and_never_the_machine_s() {
    let Some(app) = App::new("with-bindgen", bindgen::MANIFEST, bindgen::MAIN) else { return };
    bindgen::FILES.iter().for_each(|(name, text)| app.write(name, text));
    let user = [
        ("LIBCLANG_PATH", "/nonexistent"),
        ("BINDGEN_EXTRA_CLANG_ARGS", "-isystem/usr/include"),
        ("BINDGEN_EXTRA_CLANG_ARGS_x86_64-unknown-linux-musl", "-isystem/usr/include"),
    ];
    let said = app.dist_and_run(&["--toolchain", "zig"], &user);
    assert!(!said.contains("sees this machine's"), "{said}");
    // Where the machine's headers can be seen, they are not looked at.
    let entries = Path::new(&std::env::var_os("MUSLIN_STORE").unwrap()).join("entries-v1");
    let mut names = fs::read_dir(&entries).unwrap().flatten().map(|entry| entry.path());
    let is_libclang = |path: &PathBuf| path.join("outputs/lib/libclang.so").exists();
    let libclang = names.find(is_libclang).unwrap();
    fs::copy(libclang.join("outputs/lib/libclang.so"), app.0.join("libclang.so")).unwrap();
    let variables = [("LIBCLANG_PATH", app.0.to_str().unwrap())];
    let visible = ["--toolchain", "zig", "--host", "visible", "--no-default-features"];
    let said = app.dist_and_run(&visible, &variables);
    assert!(said.contains("sees this machine's"), "{said}");
}

const ASKS_GIT: &str = r#"
fn main() {
    let output = std::process::Command::new("git").args(["rev-parse", "HEAD"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let is_repository = std::path::Path::new(".git").exists();
    let words = if is_repository { "`--host visible`" } else { "fatal: not a git repository" };
    assert!(said.contains(words), "{said}");
    assert!(output.stdout.is_empty() && output.status.code() == Some(128));
}
"#;

/// A build script that asks for the commit learns that there is none, and does not give up.
#[test]
fn git_answers_as_it_does_outside_of_a_repository() {
    let Some(app) = App::new("asks-git", "build = \"ask.rs\"\n", "fn main() {}") else { return };
    app.write("ask.rs", ASKS_GIT);
    app.dist_and_run(&["--toolchain", "zig", "--profile", "dev"], &[]);
    app.write(".git/HEAD", "ref: refs/heads/main\n");
    app.write("ask.rs", &format!("// Now there is one.\n{ASKS_GIT}"));
    app.dist_and_run(&["--toolchain", "zig", "--profile", "dev"], &[]);
}

const JPEG_MAIN: &str = r#"
use turbojpeg::{Image, PixelFormat, Subsamp, compress, decompress};
fn main() {
    let pixel = |i: usize| [(i % 64) as u8 * 4, (i / 64) as u8 * 4, 128];
    let pixels: Vec<u8> = (0..64 * 64).flat_map(pixel).collect();
    let [width, height] = [64, 64];
    let image = Image { pixels: &pixels[..], width, pitch: 192, height, format: PixelFormat::RGB };
    let jpeg = compress(image, 95, Subsamp::None).unwrap();
    assert!(jpeg.starts_with(&[0xff, 0xd8]) && jpeg.len() < pixels.len() / 4);
    let back = decompress(&jpeg, PixelFormat::RGB).unwrap();
    let far = back.pixels.iter().zip(&pixels).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(far < 16, "{far}");
    assert!(decompress(&jpeg[..40], PixelFormat::RGB).is_err());
}
"#;

/// A library that only CMake builds, linked by the crate that would compile its own copy.
#[test]
fn a_library_built_with_cmake_is_linked() {
    let manifest = "[dependencies]\nturbojpeg = { version = \"1\", default-features = false }\n";
    let Some(app) = App::new("with-jpeg", manifest, JPEG_MAIN) else { return };
    app.dist_and_run(&["--toolchain", "zig"], &[("TURBOJPEG_SOURCE", "vendor")]);
    let record = fs::read_to_string(app.0.join("target/dist").join(TRIPLE).join("manifest.json"));
    assert!(record.unwrap().contains("\"libjpeg-turbo\""));
}
