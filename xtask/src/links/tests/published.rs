//! What the real recipes make of published crates: whose copy is linked as the app's author left it, and
//! whose if the sysroot's is preferred.

use std::path::Path;

use super::*;

const OURS: &str = "recipe";
const OWN: &str = "crate";

/// A crate, its version, its `links` key (or nothing), features that are on, whose copy it links by
/// default and whose with `prefer = "sysroot"`.
type Case =
    (&'static str, &'static str, &'static str, &'static [&'static str], &'static str, &'static str);

const CASES: &[Case] = &[
    ("libz-sys", "1.1.31", "z", &[], OURS, OURS),
    ("libz-sys", "1.1.31", "z", &["static"], OWN, OURS),
    ("libz-sys", "1.1.12", "z", &["zlib-ng"], OWN, OURS),
    ("libz-ng-sys", "1.1.32", "z-ng", &[], OURS, OURS),
    ("bzip2-sys", "0.1.13+1.0.8", "bzip2", &["static"], OWN, OURS),
    ("liblzma-sys", "0.4.9", "lzma", &["static"], OWN, OURS),
    ("lzma-sys", "0.1.20", "lzma", &["static"], OWN, OURS),
    ("zstd-sys", "2.0.16+zstd.1.5.7", "zstd", &["zstdmt"], OURS, OURS),
    ("zstd-sys", "2.1.3+zstd.1.5.7", "zstd", &["vendored"], OWN, OURS),
    ("zstd-sys", "2.1.3+zstd.1.5.7", "zstd", &["seekable", "vendored"], OWN, OWN),
    ("lz4-sys", "1.11.1+lz4-1.10.0", "lz4", &[], OURS, OURS),
    ("brotli-sys", "0.3.2", "brotli", &[], OURS, OURS),
    ("brotlic-sys", "0.2.2", "", &[], OWN, OWN),
    ("openssl-sys", "0.9.118", "openssl", &["vendored"], OURS, OURS),
    ("libsodium-sys-stable", "1.24.3", "sodium", &["use-pkg-config"], OURS, OURS),
    ("libssh2-sys", "0.3.4", "ssh2", &["zlib-ng-compat"], OURS, OURS),
    ("libgit2-sys", "0.18.8+1.9.7", "git2", &["vendored"], OWN, OURS),
    ("libgit2-sys", "0.18.8+1.9.7", "git2", &["zlib-ng-compat"], OWN, OURS),
    ("libgit2-sys", "0.18.8+1.9.7", "git2", &["unstable-sha256"], OWN, OWN),
    ("libgit2-sys", "0.17.0+1.8.1", "git2", &[], OWN, OWN),
    ("libgit2-sys", "0.180.0+9.9.9", "git2", &["vendored"], OWN, OWN),
    ("curl-sys", "0.4.91+curl-8.22.0", "curl", &["static-curl"], OWN, OURS),
    ("curl-sys", "0.4.91+curl-8.22.0", "curl", &["static-curl", "rustls"], OWN, OWN),
    ("libsqlite3-sys", "0.40.0", "sqlite3", &["bundled"], OWN, OURS),
    ("libsqlite3-sys", "0.40.0", "sqlite3", &["bundled", "bundled-sqlcipher"], OWN, OWN),
    ("pq-sys", "0.7.8", "pq", &["bundled", "bundled_without_openssl"], OWN, OURS),
    ("pq-src", "0.3.14+libpq-18.6", "pq_sys_src", &["with-openssl"], OWN, OURS),
    ("c-ares-sys", "13.0.0", "cares", &["vendored"], OWN, OURS),
    ("freetype-sys", "0.23.0", "freetype", &["bundled"], OWN, OURS),
    ("libpng-sys", "1.1.11", "png", &["static"], OWN, OURS),
    ("libwebp-sys2", "0.1.11", "webp", &["static", "mux"], OWN, OWN),
    ("libwebp-sys2", "0.2.0", "", &["mux"], OURS, OURS),
    ("libwebp-sys", "0.14.4", "", &[], OWN, OWN),
    ("turbojpeg-sys", "1.2.0", "turbojpeg", &["cmake"], OURS, OURS),
    ("mozjpeg-sys", "2.2.4", "jpeg", &[], OWN, OWN),
    ("pcre2-sys", "0.2.10", "", &[], OURS, OURS),
    ("onig_sys", "69.9.3", "onig", &[], OURS, OURS),
    ("onig_sys", "69.9.3", "onig", &["print-debug"], OWN, OWN),
    ("expat-sys", "2.1.6", "expat", &[], OURS, OURS),
    ("libxml", "0.3.23", "", &[], OURS, OURS),
    ("lmdb-rkv-sys", "0.11.2", "", &[], OURS, OURS),
    ("lmdb-rkv-sys", "0.11.2", "", &["mdb_idl_logn_10"], OWN, OURS),
    ("lmdb-master-sys", "0.2.6", "", &[], OWN, OWN),
    ("libffi-sys", "4.2.2", "ffi", &[], OURS, OURS),
    ("libevent-sys", "0.4.0", "event", &["bundled"], OWN, OWN),
    ("libuv-sys2", "1.53.1", "uv", &[], OWN, OWN),
    ("gmp-mpfr-sys", "1.7.1", "gmp", &["mpfr"], OWN, OWN),
    ("zmq-sys", "0.11.0", "zmq", &["vendored"], OURS, OURS),
    ("rdkafka-sys", "4.10.0+2.12.1", "rdkafka", &["static-linking"], OWN, OURS),
    ("rdkafka-sys", "4.10.0+2.12.1", "rdkafka", &["gssapi"], OWN, OWN),
    ("sasl2-sys", "0.1.22+2.1.28", "sasl2", &[], OURS, OURS),
    ("sasl2-sys", "0.1.22+2.1.28", "sasl2", &["vendored", "plain"], OWN, OWN),
    ("libseccomp-sys", "0.3.0", "", &[], OURS, OURS),
    ("libblkid-rs-sys", "0.3.3", "", &[], OURS, OURS),
    ("libarchive3-sys", "0.1.2", "", &[], OURS, OURS),
    ("ncurses", "6.0.1", "", &[], OURS, OURS),
    ("tikv-jemalloc-sys", "0.7.1", "jemalloc", &["debug"], OWN, OURS),
    ("tikv-jemalloc-sys", "0.6.1", "jemalloc", &["stats"], OWN, OWN),
    ("libmimalloc-sys", "0.1.49", "mimalloc", &["debug"], OWN, OURS),
    ("libmimalloc-sys", "0.1.49", "mimalloc", &["secure"], OWN, OWN),
];

fn whose(case: &Case, prefer: Prefer, recipes: &Recipes) -> (Wanted, &'static str) {
    let (name, version, key, features, ..) = *case;
    let key = Some(key).filter(|key| !key.is_empty());
    let mut package_here = package(name, key, &["cc", "pkg-config"], "lib");
    package_here["version"] = version.into();
    let mut metadata = metadata(
        vec![package("app", None, &[], "bin"), package_here],
        &[("app", &[]), (name, features)],
    );
    metadata.linked[1].version = version.to_owned();
    let wanted = discover(&metadata, &metadata.packages[0], recipes, Some(prefer)).unwrap();
    let whose = match &wanted.links[0].provision {
        Provision::Sysroot(_) => OURS,
        Provision::Bundled(_) => OWN,
        other => panic!("{case:?}: {other:?}"),
    };
    (wanted, whose)
}

#[test]
fn published_crates_link_what_they_can() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let recipes = Recipes::load(root).unwrap();
    for case in CASES {
        let (name, version, key, _, by_default, preferred) = *case;
        let (wanted, found) = whose(case, Prefer::Crate, &recipes);
        assert_eq!(found, by_default, "{name} {version} as it is");
        assert_eq!(wanted.keeps_own(key), found == OWN && !key.is_empty(), "{name} {version}");
        let (wanted, found) = whose(case, Prefer::Sysroot, &recipes);
        assert_eq!(found, preferred, "{name} {version} with the sysroot's preferred");
        assert_eq!(wanted.libraries.is_empty(), found == OWN, "{name} {version}");
        // What is overruled must have something that overrules it.
        let Some(library) = wanted.overruled.first().map(|name| &recipes.libraries[name]) else {
            continue;
        };
        let is_overridden = library.overrides.contains_key(key);
        let has_switch = !library.env_overruling.is_empty() || !library.env.is_empty();
        let by_other = ["pq-sys", "lmdb-rkv-sys"].contains(&name);
        assert!(is_overridden || has_switch || by_other, "{name}: nothing overrules it");
    }
}
