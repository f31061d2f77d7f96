//! Apps whose build scripts call programs that Muslin has as tools, beside CMake and libclang: of this
//! machine nothing is seen.

use std::fs;

use super::{App, TRIPLE};

const PROTO_MANIFEST: &str = r#"
[dependencies]
prost = { version = "0.14", default-features = false, features = ["derive", "std"] }
prost-types = { version = "0.14", default-features = false, features = ["std"] }
[build-dependencies]
prost-build = { version = "0.14", default-features = false }
"#;

const PROTO: &str = r#"
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
message Order {
  uint32 number = 1;
  repeated string items = 2;
  google.protobuf.Timestamp at = 3;
}
"#;

const PROTO_BUILD: &str = r#"
fn main() {
    let protoc = std::env::var("PROTOC").unwrap();
    assert!(protoc.contains("/protoc-"), "{protoc}");
    assert!(!std::path::Path::new("/usr/include").exists());
    prost_build::compile_protos(&["src/shop.proto"], &["src"]).unwrap();
}
"#;

const PROTO_MAIN: &str = r#"
use prost::Message;
mod shop {
    include!(concat!(env!("OUT_DIR"), "/shop.rs"));
}
fn main() {
    let at = Some(prost_types::Timestamp { seconds: 150, nanos: 0 });
    let order = shop::Order { number: 7, items: vec!["tea".into()], at };
    let bytes = order.encode_to_vec();
    // What the format's own description says that these fields are.
    assert_eq!(bytes, b"\x08\x07\x12\x03tea\x1a\x03\x08\x96\x01");
    assert_eq!(shop::Order::decode(&bytes[..]).unwrap(), order);
    assert!(shop::Order::decode(&bytes[..bytes.len() - 1]).is_err());
}
"#;

/// What the user says of a protoc is of this machine, so it does not count.
#[test]
fn a_crate_that_calls_protoc_has_one() {
    let Some(app) = App::new("with-protoc", PROTO_MANIFEST, PROTO_MAIN) else { return };
    app.write("src/shop.proto", PROTO);
    app.write("build.rs", PROTO_BUILD);
    let user = [("PROTOC", "/nonexistent"), ("PROTOC_INCLUDE", "/nonexistent")];
    let said = app.dist_and_run(&["--toolchain", "zig"], &user);
    assert!(!said.contains("sees this machine's"), "{said}");
    let record = fs::read_to_string(app.0.join("target/dist").join(TRIPLE).join("manifest.json"));
    assert!(record.unwrap().contains("\"hidden\""));
}

const NASM_BUILD: &str = r#"
fn main() {
    nasm_rs::compile_library("libsum.a", &["src/sum.asm"]).unwrap();
    println!("cargo:rustc-link-lib=static=sum");
    println!("cargo:rustc-link-search=native={}", std::env::var("OUT_DIR").unwrap());
}
"#;

const NASM_SOURCE: &str = "
default rel
section .rodata
date: db __?UTC_DATE?__, 0
section .text
global sum, date_of
sum:
    lea rax, [rdi + rsi]
    ret
date_of:
    lea rax, [date]
    ret
section .note.GNU-stack noalloc noexec nowrite progbits
";

const NASM_MAIN: &str = r#"
unsafe extern "C" {
    safe fn sum(one: u64, other: u64) -> u64;
    safe fn date_of() -> *const std::ffi::c_char;
}
fn main() {
    assert_eq!(sum(40, 2), 42);
    let date = unsafe { std::ffi::CStr::from_ptr(date_of()) };
    assert_eq!(date, c"2000-01-01", "the time is not this machine's");
}
"#;

/// Its objects do not depend on where and when they are made.
#[test]
fn a_crate_that_calls_nasm_has_one() {
    let manifest = "[build-dependencies]\nnasm-rs = \"0.3\"\n";
    let Some(app) = App::new("with-nasm", manifest, NASM_MAIN) else { return };
    app.write("src/sum.asm", NASM_SOURCE);
    app.write("build.rs", NASM_BUILD);
    let said = app.dist_and_run(&["--toolchain", "zig"], &[("NASM", "/nonexistent")]);
    assert!(!said.contains("sees this machine's"), "{said}");
}
