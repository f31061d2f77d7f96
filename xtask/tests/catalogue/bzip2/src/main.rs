//! Compresses and restores through the crate `bzip2`.

use std::ffi::CStr;
use std::io::{Read, Write};

unsafe extern "C" {
    fn BZ2_bzlibVersion() -> *const std::ffi::c_char;
}

pub fn main() {
    // SAFETY: the function returns a constant text.
    let version = unsafe { CStr::from_ptr(BZ2_bzlibVersion()) };
    let version = version.to_str().unwrap().split(',').next().unwrap();
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());

    let text: Vec<u8> = (0..200_000u32).flat_map(|n| (n % 1000).to_string().into_bytes()).collect();
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(&text).unwrap();
    let packed = encoder.finish().unwrap();
    assert!(packed.starts_with(b"BZh9") && packed.len() < text.len() / 10, "{}", packed.len());

    let mut back = Vec::new();
    bzip2::read::BzDecoder::new(&packed[..]).read_to_end(&mut back).unwrap();
    assert_eq!(back, text);

    let mut damaged = packed;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    let result = bzip2::read::BzDecoder::new(&damaged[..]).read_to_end(&mut Vec::new());
    assert!(result.is_err(), "a damaged block has a wrong checksum");
}
