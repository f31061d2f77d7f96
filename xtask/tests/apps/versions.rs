//! Versions of `-sys` crates that differ in what they read: each must link the recipe's library.

use super::{App, linked};

/// A crate, a version, and what differs in it.
struct Case {
    name: &'static str,
    version: &'static str,
    main: &'static str,
    archive: &'static str,
    origin: &'static str,
}

const OPENSSL: &str =
    "fn main() { assert_eq!(unsafe { openssl_sys::OpenSSL_version_num() } >> 20, 0x306); }";
const ZLIB: &str = "fn main() { let v = unsafe { std::ffi::CStr::from_ptr(libz_sys::zlibVersion()) };\n\
    assert_eq!(v.to_str(), Ok(\"1.3.2\")); }";
const SQLITE: &str = "fn main() { let v = unsafe { std::ffi::CStr::from_ptr(libsqlite3_sys::sqlite3_libversion()) };\n\
    assert_eq!(v.to_str(), Ok(\"3.54.0\")); }";

const fn case(
    name: &'static str,
    version: &'static str,
    main: &'static str,
    archive: &'static str,
    origin: &'static str,
) -> Case {
    Case { name, version, main, archive, origin }
}

const CASES: [Case; 10] = [
    // Before 0.9.109 no arm for OpenSSL 4; from 0.9.118 on it has one, and reads the headers anew.
    case("openssl-sys", "=0.9.104", OPENSSL, "libcrypto.a", "recipe openssl 3.6.3"),
    case("openssl-sys", "0.9.118", OPENSSL, "libcrypto.a", "recipe openssl 3.6.3"),
    // A success of pkg-config is enough.
    case("libz-sys", "=1.1.12", ZLIB, "libz.a", "recipe zlib 1.3.2"),
    // A copy of its own whenever target and host differ.
    case("libz-sys", "=1.1.20", ZLIB, "libz.a", "recipe zlib 1.3.2"),
    // A test program that must link; LIBZ_SYS_STATIC at run time.
    case("libz-sys", "=1.1.23", ZLIB, "libz.a", "recipe zlib 1.3.2"),
    // The same, LIBZ_SYS_STATIC when the script is compiled.
    case("libz-sys", "1.1.31", ZLIB, "libz.a", "recipe zlib 1.3.2"),
    // No word on the oldest SQLite that will do.
    case("libsqlite3-sys", "=0.28.0", SQLITE, "libsqlite3.a", "recipe sqlite 3.54.0"),
    case("libsqlite3-sys", "=0.30.1", SQLITE, "libsqlite3.a", "recipe sqlite 3.54.0"),
    // From 3.14 on, from 3.45.3 on.
    case("libsqlite3-sys", "=0.35.0", SQLITE, "libsqlite3.a", "recipe sqlite 3.54.0"),
    case("libsqlite3-sys", "=0.40.0", SQLITE, "libsqlite3.a", "recipe sqlite 3.54.0"),
];

/// The crate as it is, and with the feature that asks for its own copy, which is overruled.
fn links_ours(case: &Case, feature: Option<&str>) {
    let features = feature.map(|it| format!(", features = [\"{it}\"]")).unwrap_or_default();
    let name = format!("v-{}-{}", case.name, case.version.replace(['=', '.'], "-"));
    let manifest =
        format!("[dependencies]\n{} = {{ version = \"{}\"{features} }}\n", case.name, case.version);
    let Some(app) = App::new(&name, &manifest, case.main) else { return };
    let said = app.dist_and_run(&["--profile", "dev", "--prefer", "sysroot"], &[]);
    let from = linked::origins(&app.manifest("target"));
    let ours = (case.archive.to_owned(), case.origin.to_owned());
    assert!(from.contains(&ours), "{} {}: {from:?}\n{said}", case.name, case.version);
    let others = from.iter().filter(|(archive, _)| *archive == case.archive).count();
    assert_eq!(others, 1, "{} {}: two copies: {from:?}", case.name, case.version);
}

fn all_of(name: &str, feature: &str) {
    for case in CASES.iter().filter(|case| case.name == name) {
        links_ours(case, None);
        links_ours(case, Some(feature));
    }
}

#[test]
fn versions_of_openssl_sys() {
    all_of("openssl-sys", "vendored");
}

#[test]
fn versions_of_libz_sys() {
    all_of("libz-sys", "static");
}

#[test]
fn versions_of_libsqlite3_sys() {
    all_of("libsqlite3-sys", "bundled");
}
