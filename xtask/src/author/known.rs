//! The `links` keys of published `-sys` crates, as their manifests had them in November 2026. No query
//! of a registry finds a crate by its key, so a key that is not here is looked for in cargo's cache.

use std::fs;
use std::path::Path;

/// Key and crate, sorted by key.
const LINKS: &[(&str, &str)] = &[
    ("alsa", "alsa-sys"),
    ("archive", "libarchive2-sys"),
    ("boringssl", "boring-sys"),
    ("brotli", "brotli-sys"),
    ("bzip2", "bzip2-sys"),
    ("cfzlib", "cloudflare-zlib-sys"),
    ("curl", "curl-sys"),
    ("dbus", "libdbus-sys"),
    ("event", "libevent-sys"),
    ("expat", "expat-sys"),
    ("ffi", "libffi-sys"),
    ("fontconfig", "yeslogic-fontconfig-sys"),
    ("freetype", "freetype-sys"),
    ("freetype", "servo-freetype-sys"),
    ("git2", "libgit2-sys"),
    ("gmp", "gmp-mpfr-sys"),
    ("gpg-error", "libgpg-error-sys"),
    ("gpgme", "gpgme-sys"),
    ("gssapi_krb5", "libgssapi-sys"),
    ("hidapi", "hidapi"),
    ("jemalloc", "jemalloc-sys"),
    ("jemalloc", "tikv-jemalloc-sys"),
    ("jpeg", "mozjpeg-sys"),
    ("krb5", "libkrb5-sys"),
    ("krb5-src", "krb5-src"),
    ("libdeflate", "libdeflate-sys"),
    ("libudev", "libudev-sys"),
    ("lz4", "lz4-sys"),
    ("lzma", "liblzma-sys"),
    ("lzma", "lzma-sys"),
    ("mimalloc", "libmimalloc-sys"),
    ("mysqlclient", "mysqlclient-sys"),
    ("mysqlclient_sys_src", "mysqlclient-src"),
    ("nettle", "nettle-sys"),
    ("nghttp2", "libnghttp2-sys"),
    ("onig", "onig_sys"),
    ("openssl", "openssl-sys"),
    ("png", "libpng-sys"),
    ("pq", "pq-sys"),
    ("pq_sys_src", "pq-src"),
    ("protobuf-src", "protobuf-src"),
    ("rdkafka", "rdkafka-sys"),
    ("rocksdb", "librocksdb-sys"),
    ("rocksdb", "rust-librocksdb-sys"),
    ("sasl2", "sasl2-sys"),
    ("snappy", "snappy-sys"),
    ("snappy", "snappy_src"),
    ("sodium", "libsodium-sys"),
    ("sodium", "libsodium-sys-stable"),
    ("sqlite3", "libsqlite3-sys"),
    ("ssh2", "libssh2-sys"),
    ("turbojpeg", "turbojpeg-sys"),
    ("uring", "uring-sys"),
    ("usb-1.0", "libusb1-sys"),
    ("uv", "libuv-sys2"),
    ("z", "libz-sys"),
    ("z-ng", "libz-ng-sys"),
    ("zmq", "zmq-sys"),
    ("zstd", "zstd-sys"),
];

/// Every key of the table.
pub fn keys() -> impl Iterator<Item = &'static str> {
    LINKS.iter().map(|(key, _)| *key)
}

/// Names of crates that have this key: of the table, else of what cargo has unpacked here.
pub fn crates_with(key: &str, cargo_home: &Path) -> Vec<String> {
    let known = LINKS.iter().filter(|(known, _)| *known == key);
    let found: Vec<String> = known.map(|(_, name)| (*name).to_owned()).collect();
    if !found.is_empty() {
        return found;
    }
    let registries = fs::read_dir(cargo_home.join("registry/src")).into_iter().flatten().flatten();
    let crates = registries.flat_map(|it| fs::read_dir(it.path()).into_iter().flatten().flatten());
    let line = format!("links = \"{key}\"");
    let has_key = |path: &Path| {
        let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
        manifest.lines().any(|it| it == line)
    };
    let found = crates.map(|it| it.path()).filter(|path| has_key(path));
    let mut names: Vec<String> =
        found.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_each_pair_once() {
        assert!(LINKS.is_sorted());
        assert!(LINKS.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(crates_with("sqlite3", Path::new("/nowhere")), ["libsqlite3-sys"]);
        assert!(crates_with("sqlite", Path::new("/nowhere")).is_empty());
    }
}
