//! `--prefer sysroot` with crates that insist on their own copy: newest releases, and those of the line
//! before, which differ in what they read. Versions at run time and the linker's map are the witnesses.

use std::collections::BTreeMap;
use std::path::Path;

use xtask::recipe::Recipes;

use super::{App, linked};

/// A crate with what asks for its own copy, the archive of the library, the library's recipe, and an
/// expression for the version at run time.
struct Crate {
    dependency: &'static str,
    archive: &'static str,
    recipe: &'static str,
    version: &'static str,
}

const fn entry(
    dependency: &'static str,
    archive: &'static str,
    recipe: &'static str,
    version: &'static str,
) -> Crate {
    Crate { dependency, archive, recipe, version }
}

const NEWEST: [Crate; 11] = [
    entry(
        "bzip2-sys = { version = \"0.1.13\", features = [\"static\"] }",
        "libbz2.a",
        "bzip2",
        BZIP2,
    ),
    entry(
        "c-ares-sys = { version = \"13\", features = [\"vendored\"] }",
        "libcares.a",
        "c-ares",
        CARES,
    ),
    entry(
        "curl-sys = { version = \"0.4\", features = [\"static-curl\"] }",
        "libcurl.a",
        "curl",
        CURL,
    ),
    entry(
        "freetype-sys = { version = \"0.23\", features = [\"bundled\"] }",
        "libfreetype.a",
        "freetype",
        FREETYPE,
    ),
    entry(
        "libgit2-sys = { version = \"0.18.8\", features = [\"vendored\", \"zlib-ng-compat\"] }",
        "libgit2.a",
        "libgit2",
        GIT2,
    ),
    entry("liblzma-sys = { version = \"0.4\", features = [\"static\"] }", "liblzma.a", "xz", LZMA),
    entry(
        "libpng-sys = { version = \"1.1\", features = [\"static\"] }",
        "libpng16.a",
        "libpng",
        PNG,
    ),
    entry(
        "libssh2-sys = { version = \"0.3.4\", features = [\"zlib-ng-compat\"] }",
        "libssh2.a",
        "libssh2",
        SSH2,
    ),
    entry("pcre2-sys = \"0.2\"", "libpcre2-8.a", "pcre2", PCRE2),
    entry("pq-sys = { version = \"0.7\", features = [\"bundled\"] }", "libpq.a", "libpq", PQ),
    entry("zstd-sys = { version = \"2.1\", features = [\"vendored\"] }", "libzstd.a", "zstd", ZSTD),
];

const OLDER: [Crate; 7] = [
    entry(
        "bzip2-sys = { version = \"=0.1.11\", features = [\"static\"] }",
        "libbz2.a",
        "bzip2",
        BZIP2,
    ),
    entry("freetype-sys = \"=0.20.1\"", "libfreetype.a", "freetype", FREETYPE),
    entry(
        "libgit2-sys = { version = \"=0.18.2\", features = [\"vendored\"] }",
        "libgit2.a",
        "libgit2",
        GIT2,
    ),
    entry(
        "libsodium-sys = { version = \"=0.2.7\", features = [\"use-pkg-config\"] }",
        "libsodium.a",
        "libsodium",
        SODIUM,
    ),
    entry("lzma-sys = { version = \"=0.1.20\", features = [\"static\"] }", "liblzma.a", "xz", LZMA),
    entry("pq-sys = { version = \"=0.6.3\", features = [\"bundled\"] }", "libpq.a", "libpq", PQ),
    entry("zstd-sys = \"=2.0.9\"", "libzstd.a", "zstd", ZSTD),
];

const BZIP2: &str = "text(BZ2_bzlibVersion()).split(',').next().unwrap().to_owned()";
const CARES: &str = "text(ares_version(std::ptr::null_mut()))";
const CURL: &str = "text(curl_version()).split(['/', ' ']).nth(1).unwrap().to_owned()";
const FREETYPE: &str = "{ let (mut l, mut v) = (std::ptr::null_mut(), [0i32; 3]); let p = v.as_mut_ptr();\n\
    assert_eq!(FT_Init_FreeType(&mut l), 0); FT_Library_Version(l, p, p.add(1), p.add(2)); dots(&v) }";
const GIT2: &str = "{ let mut v = [0i32; 3]; let p = v.as_mut_ptr();\n\
    git_libgit2_version(p, p.add(1), p.add(2)); dots(&v) }";
const LZMA: &str = "text(lzma_version_string())";
const PNG: &str =
    "{ let v = png_access_version_number(); dots(&[v / 10000, v / 100 % 100, v % 100]) }";
const SSH2: &str = "text(libssh2_version(0))";
const SODIUM: &str = "text(sodium_version_string())";
const PCRE2: &str = "{ let mut room = [0u8; 64]; pcre2_config_8(11, room.as_mut_ptr().cast());\n\
    text(room.as_ptr().cast()).split(' ').next().unwrap().to_owned() }";
const PQ: &str = "{ let v = PQlibVersion(); dots(&[v / 10000, v % 10000]) }";
const ZSTD: &str = "text(ZSTD_versionString())";

const DECLARED: &str = r#"
use std::ffi::{CStr, c_char, c_void};
unsafe extern "C" {
    fn BZ2_bzlibVersion() -> *const c_char;
    fn ares_version(number: *mut i32) -> *const c_char;
    fn curl_version() -> *const c_char;
    fn FT_Init_FreeType(library: *mut *mut c_void) -> i32;
    fn FT_Library_Version(library: *mut c_void, a: *mut i32, b: *mut i32, c: *mut i32);
    fn git_libgit2_version(a: *mut i32, b: *mut i32, c: *mut i32) -> i32;
    fn lzma_version_string() -> *const c_char;
    fn png_access_version_number() -> i32;
    fn libssh2_version(at_least: i32) -> *const c_char;
    fn sodium_version_string() -> *const c_char;
    fn pcre2_config_8(what: u32, place: *mut c_void) -> i32;
    fn PQlibVersion() -> i32;
    fn ZSTD_versionString() -> *const c_char;
}
fn text(p: *const c_char) -> String { unsafe { CStr::from_ptr(p) }.to_str().unwrap().to_owned() }
fn dots(v: &[i32]) -> String { v.iter().map(i32::to_string).collect::<Vec<_>>().join(".") }
"#;

/// A program that asserts the version of each library.
fn program(crates: &[Crate], versions: &BTreeMap<String, String>) -> String {
    let (mut head, mut body) = ("#![allow(dead_code)]\n".to_owned(), String::new());
    for it in crates {
        let name = it.dependency.split(' ').next().unwrap();
        let rust = name.replace('-', "_");
        head += &format!("extern crate {rust};\n");
        let (expected, version) = (&versions[it.recipe], it.version);
        body += &format!("    assert_eq!(unsafe {{ {version} }}, \"{expected}\", \"{name}\");\n");
    }
    format!("{head}{DECLARED}fn main() {{\n{body}}}\n")
}

fn links_ours(name: &str, crates: &[Crate], more: &str) -> Option<serde_json::Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let recipes = Recipes::load(root).unwrap().libraries.into_values();
    let versions: BTreeMap<_, _> = recipes.map(|it| (it.name, it.version)).collect();
    let dependencies: Vec<_> = crates.iter().map(|it| it.dependency).collect();
    let manifest = format!("[dependencies]\n{}\n{more}", dependencies.join("\n"));
    let app = App::new(name, &manifest, &program(crates, &versions))?;
    app.dist_and_run(&["--profile", "dev", "--prefer", "sysroot"], &[]);
    let manifest = app.manifest("target");
    let from = linked::origins(&manifest);
    let copies = manifest["copies"].as_array().unwrap();
    for it in crates {
        let name = it.dependency.split(' ').next().unwrap();
        let origin = format!("recipe {} {}", it.recipe, versions[it.recipe]);
        assert!(from.contains(&(it.archive.to_owned(), origin)), "{name}: {from:?}");
        let own = from.iter().find(|(archive, from)| {
            archive.ends_with(".a") && from.starts_with(&format!("crate {name} "))
        });
        assert_eq!(own, None, "{name} has compiled something: {from:?}");
        let copy = copies.iter().find(|copy| copy["crate"] == name);
        let copy = copy.unwrap_or_else(|| panic!("{name} is not in {copies:?}"));
        assert_eq!(
            (&copy["copy"], &copy["library"]),
            (&"recipe".into(), &it.recipe.into()),
            "{name}"
        );
    }
    Some(manifest)
}

/// All but those that nothing overrules, which keep their own copy, and the manifest says so.
#[test]
fn the_sysroots_copy_takes_the_place_of_every_crates() {
    let more = "lmdb-master-sys = \"0.2\"\n";
    let Some(manifest) = links_ours("prefer-newest", &NEWEST, more) else { return };
    let copies = manifest["copies"].as_array().unwrap();
    let lmdb = copies.iter().find(|copy| copy["crate"] == "lmdb-master-sys").unwrap();
    assert_eq!((&lmdb["copy"], lmdb.get("links")), (&"crate".into(), None));
}

#[test]
fn older_releases_link_the_sysroots_copy_too() {
    links_ours("prefer-older", &OLDER, "");
}

/// It compiles a file of its own beside the library, and asks for that by another of its names.
#[test]
fn a_crate_with_c_of_its_own_still_links_the_recipes_library() {
    let main = "fn main() { assert!(ncurses::longname().is_empty()); }\n";
    let Some(app) = App::new("own-c", "[dependencies]\nncurses = \"6\"\n", main) else { return };
    let said = app.dist_and_run(&["--profile", "dev"], &[]);
    let manifest = app.manifest("target");
    let from = linked::origins(&manifest);
    let is_from = |whose: &str| from.iter().any(|(_, origin)| origin.starts_with(whose));
    assert!(is_from("recipe ncurses ") && is_from("crate ncurses "), "{from:?}");
    assert_eq!(manifest["copies"][0]["copy"], "recipe", "{said}");
    assert!(!said.contains("warning: ncurses"), "{said}");
}
