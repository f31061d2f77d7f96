//! The real cargo, pip and apt of this machine: needs the network, so it runs only when asked for:
//! `cargo test -p xtask --test fetch -- --ignored --nocapture real`.

use super::*;

#[track_caller]
fn try_it(name: &str, origin: Origin, hex: &str) {
    let bench = Bench::new(name);
    let fetcher = Fetcher::new(bench.store(), Network::Online, vec![], &bench.root);
    let digest = format!("sha256:{hex}").parse().unwrap();
    let source = Source { origin, digest, root: None, omit: vec![], target: None, inner: None };
    let begin = std::time::Instant::now();
    let (_, archive) = fetcher.fetch(name, &[&source]).unwrap();
    let size = fs::metadata(archive.path()).unwrap().len();
    let words = format!("{} {size} bytes, {:?}", archive.file_name(), begin.elapsed());
    xtask::report::note(format!("{words}, {}", archive.served_by()));
}

#[test]
#[ignore = "needs the network"]
fn real_crate() {
    let hex = "ff20308ecabd635a2dc1dd5834a86c462cca20efba1d5d3ddab1f8aea3455cb2";
    let origin = Origin::Crate { name: "libz-sys".into(), version: "1.1.31".into() };
    try_it("libz-sys", origin, hex);
}

/// With an empty cargo home, this has cargo resolve a version that has build metadata:
/// `CARGO_HOME=/tmp/empty cargo test …`.
#[test]
#[ignore = "needs the network"]
fn real_crate_with_build_metadata() {
    let hex = "46eb8fb9fb3b61ce1c0f8a026c4c1a0714d3a9e138e7fbde78753ce2babc3846";
    let origin = Origin::Crate { name: "openssl-src".into(), version: "300.6.1+3.6.3".into() };
    try_it("openssl-src", origin, hex);
}

#[test]
#[ignore = "needs the network"]
fn real_debian() {
    let hex = "60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb";
    let path = "pool/main/z/zlib/zlib_1.3.dfsg+really1.3.1.orig.tar.gz".into();
    try_it("zlib", Origin::Debian { path }, hex);
}

#[test]
#[ignore = "needs the network"]
fn real_pypi() {
    let hex = "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254";
    let origin = Origin::Pypi { name: "six".into(), version: "1.16.0".into(), platform: None };
    try_it("six", origin, hex);
}
