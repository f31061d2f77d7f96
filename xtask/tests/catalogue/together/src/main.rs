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
fn run(versions: &str, name: &str, program: fn()) {
    let mut pairs = versions.split(' ').filter_map(|pair| pair.split_once('='));
    let (_, version) = pairs.find(|(library, _)| *library == name).unwrap();
    // SAFETY: what one of them starts has ended when the next one begins.
    unsafe { std::env::set_var("MUSLIN_VERSION", version) };
    program();
    println!("{name} {version}");
}

fn main() {
    let Ok(versions) = std::env::var("MUSLIN_VERSIONS") else {
        eprintln!("MUSLIN_VERSIONS names each library with its version: `zlib=1.3.2 …`");
        std::process::exit(2);
    };
    run(&versions, "brotli", with_brotli::main);
    run(&versions, "bzip2", with_bzip2::main);
    run(&versions, "c-ares", with_c_ares::main);
    run(&versions, "curl", with_curl::main);
    run(&versions, "expat", with_expat::main);
    run(&versions, "freetype", with_freetype::main);
    run(&versions, "libarchive", with_libarchive::main);
    run(&versions, "libgit2", with_libgit2::main);
    run(&versions, "libpng", with_libpng::main);
    run(&versions, "libpq", with_libpq::main);
    run(&versions, "librdkafka", with_librdkafka::main);
    run(&versions, "libsodium", with_libsodium::main);
    run(&versions, "libssh2", with_libssh2::main);
    run(&versions, "libuv", with_libuv::main);
    run(&versions, "libwebp", with_libwebp::main);
    run(&versions, "lmdb", with_lmdb::main);
    run(&versions, "lz4", with_lz4::main);
    run(&versions, "nghttp2", with_nghttp2::main);
    run(&versions, "oniguruma", with_oniguruma::main);
    run(&versions, "pcre2", with_pcre2::main);
    run(&versions, "snappy", with_snappy::main);
    run(&versions, "xz", with_xz::main);
    run(&versions, "zlib-ng", with_zlib_ng::main);
    run(&versions, "zstd", with_zstd::main);
}
