//! Many libraries in one program: what each of the others does, one after the other.

#[path = "../../brotli/src/main.rs"]
mod with_brotli;
#[path = "../../bzip2/src/main.rs"]
mod with_bzip2;
#[path = "../../c-ares/src/main.rs"]
mod with_c_ares;
#[path = "../../curl/src/main.rs"]
mod with_curl;
#[path = "../../expat/src/main.rs"]
mod with_expat;
#[path = "../../freetype/src/main.rs"]
mod with_freetype;
#[path = "../../libarchive/src/main.rs"]
mod with_libarchive;
#[path = "../../libgit2/src/main.rs"]
mod with_libgit2;
#[path = "../../libpng/src/main.rs"]
mod with_libpng;
#[path = "../../libpq/src/main.rs"]
mod with_libpq;
#[path = "../../librdkafka/src/main.rs"]
mod with_librdkafka;
#[path = "../../libsodium/src/main.rs"]
mod with_libsodium;
#[path = "../../libssh2/src/main.rs"]
mod with_libssh2;
#[path = "../../libuv/src/main.rs"]
mod with_libuv;
#[path = "../../libwebp/src/main.rs"]
mod with_libwebp;
#[path = "../../lmdb/src/main.rs"]
mod with_lmdb;
#[path = "../../lz4/src/main.rs"]
mod with_lz4;
#[path = "../../nghttp2/src/main.rs"]
mod with_nghttp2;
#[path = "../../oniguruma/src/main.rs"]
mod with_oniguruma;
#[path = "../../pcre2/src/main.rs"]
mod with_pcre2;
#[path = "../../snappy/src/main.rs"]
mod with_snappy;
#[path = "../../xz/src/main.rs"]
mod with_xz;
#[path = "../../zlib-ng/src/main.rs"]
mod with_zlib_ng;
#[path = "../../zstd/src/main.rs"]
mod with_zstd;

/// Runs one, with the version of its library where it looks for it.
fn run(name: &str, program: fn()) {
    let versions = std::env::var("MUSLIN_VERSIONS").unwrap();
    let mut pairs = versions.split(' ').filter_map(|pair| pair.split_once('='));
    let (_, version) = pairs.find(|(library, _)| *library == name).unwrap();
    // SAFETY: what one of them starts has ended when the next one begins.
    unsafe { std::env::set_var("MUSLIN_VERSION", version) };
    program();
    println!("{name} {version}");
}

fn main() {
    run("brotli", with_brotli::main);
    run("bzip2", with_bzip2::main);
    run("c-ares", with_c_ares::main);
    run("curl", with_curl::main);
    run("expat", with_expat::main);
    run("freetype", with_freetype::main);
    run("libarchive", with_libarchive::main);
    run("libgit2", with_libgit2::main);
    run("libpng", with_libpng::main);
    run("libpq", with_libpq::main);
    run("librdkafka", with_librdkafka::main);
    run("libsodium", with_libsodium::main);
    run("libssh2", with_libssh2::main);
    run("libuv", with_libuv::main);
    run("libwebp", with_libwebp::main);
    run("lmdb", with_lmdb::main);
    run("lz4", with_lz4::main);
    run("nghttp2", with_nghttp2::main);
    run("oniguruma", with_oniguruma::main);
    run("pcre2", with_pcre2::main);
    run("snappy", with_snappy::main);
    run("xz", with_xz::main);
    run("zlib-ng", with_zlib_ng::main);
    run("zstd", with_zstd::main);
}
