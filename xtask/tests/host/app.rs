//! An app whose build needs everything that can be needed on the machine that builds: a build script
//! and a proc-macro that link C of their own, unwinding, threads, ring on both sides.

use std::fs;
use std::path::Path;

const FILES: [(&str, &str); 10] = [
    (
        "Cargo.toml",
        r#"
[workspace]
members = ["spell", "native"]
[package]
name = "app"
version = "0.1.0"
edition = "2024"
[features]
explode = []
[dependencies]
ring = "0.17"
spell = { path = "spell" }
[build-dependencies]
native = { path = "native" }
ring = "0.17"
"#,
    ),
    (
        "build.rs",
        r#"
use std::ffi::{CStr, c_char};
unsafe extern "C" {
    fn gnu_get_libc_version() -> *const c_char;
}
fn main() {
    let libc = unsafe { CStr::from_ptr(gnu_get_libc_version()) }.to_str().unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, b"abc");
    assert!(std::panic::catch_unwind(|| panic!("caught in a build script")).is_err());
    assert!(std::net::TcpStream::connect("localhost:1").is_err());
    println!("cargo:rustc-env=LIBC={libc}");
    println!("cargo:rustc-env=DIGEST={:02x}", digest.as_ref()[0]);
    println!("cargo:rustc-env=NATIVE={}", native::answer());
}
"#,
    ),
    (
        "src/main.rs",
        r#"
fn main() {
    let digest = ring::digest::digest(&ring::digest::SHA256, b"abc");
    assert_eq!(format!("{:02x}", digest.as_ref()[0]), env!("DIGEST"));
    #[cfg(feature = "explode")]
    spell::explode!();
    println!("libc {} native {} spell {}", env!("LIBC"), env!("NATIVE"), spell::answer!());
}
"#,
    ),
    (
        "spell/Cargo.toml",
        r#"
[package]
name = "spell"
version = "0.1.0"
edition = "2024"
[lib]
proc-macro = true
[dependencies]
native = { path = "../native" }
"#,
    ),
    (
        "spell/src/lib.rs",
        r#"
use proc_macro::TokenStream;
#[proc_macro]
pub fn answer(_: TokenStream) -> TokenStream {
    assert!(std::panic::catch_unwind(|| panic!("caught in a proc-macro")).is_err());
    native::answer().to_string().parse().unwrap()
}
#[proc_macro]
pub fn explode(_: TokenStream) -> TokenStream {
    panic!("boom {}", native::answer())
}
"#,
    ),
    (
        "native/Cargo.toml",
        r#"
[package]
name = "native"
version = "0.1.0"
edition = "2024"
[build-dependencies]
cc = "1"
"#,
    ),
    (
        "native/build.rs",
        "fn main() { cc::Build::new().warnings_into_errors(true).file(\"native.c\").compile(\"native\"); }",
    ),
    (
        "native/src/lib.rs",
        r#"
mod sys {
    unsafe extern "C" {
        pub safe fn native_answer() -> i32;
    }
}
pub fn answer() -> i32 {
    sys::native_answer()
}
"#,
    ),
    (
        "native/native.c",
        r#"
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#ifndef __GLIBC__
#error "not the headers of glibc"
#endif
#if __GLIBC__ != 2 || __GLIBC_MINOR__ != 17
#error "not those of the glibc that is linked with"
#endif
static __thread int mine = 2;
static void *half(void *sum) { mine += 40; *(int *)sum = mine; return sum; }
static void at_the_end(void) { fflush(stdout); }
int native_answer(void) {
    pthread_t thread;
    struct stat status;
    int sum = 0;
    if (atexit(at_the_end) || stat("/", &status) || !S_ISDIR(status.st_mode)) return -1;
    if (pthread_create(&thread, 0, half, &sum) || pthread_join(thread, 0)) return -2;
    unsigned __int128 wide = (unsigned __int128)(unsigned)sum << 64;
    return (int)(wide / 7 * 7 >> 63) / 2 + (int)sqrt(memcmp("a", "a", 1)) + mine - 2 + (time(0) < 0);
}
"#,
    ),
    (".cargo/config.toml", "[target.x86_64-unknown-linux-gnu]\nlinker = \"not-this-one\"\n"),
];

/// Writes it.
pub fn write(folder: &Path) {
    for (name, text) in FILES {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}
