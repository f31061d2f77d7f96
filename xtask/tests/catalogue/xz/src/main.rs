//! Compresses and restores through the crate `liblzma`, with threads and with a filter.

use std::ffi::CStr;
use std::io::{Read, Write};

use liblzma::read::XzDecoder;
use liblzma::stream::{Check, Filters, LzmaOptions, MtStreamBuilder, Stream};
use liblzma::write::XzEncoder;

unsafe extern "C" {
    fn lzma_version_string() -> *const std::ffi::c_char;
}

pub fn main() {
    // SAFETY: the function returns a constant text.
    let version = unsafe { CStr::from_ptr(lzma_version_string()) };
    assert_eq!(version.to_str().unwrap(), std::env::var("MUSLIN_VERSION").unwrap());

    let text: Vec<u8> = (0..300_000u32).flat_map(|n| (n % 1000).to_string().into_bytes()).collect();
    let threads = MtStreamBuilder::new().threads(2).preset(6).check(Check::Sha256).encoder();
    let mut filters = Filters::new();
    filters.x86().lzma2(&LzmaOptions::new_preset(6).unwrap());
    let streams = [
        threads.expect("the library is built with threads"),
        Stream::new_easy_encoder(9, Check::Crc64).unwrap(),
        Stream::new_stream_encoder(&filters, Check::Crc32).unwrap(),
    ];
    for stream in streams {
        let mut encoder = XzEncoder::new_stream(Vec::new(), stream);
        encoder.write_all(&text).unwrap();
        let packed = encoder.finish().unwrap();
        assert!(packed.len() < text.len() / 100, "{}", packed.len());
        let mut back = Vec::new();
        XzDecoder::new(&packed[..]).read_to_end(&mut back).unwrap();
        assert_eq!(back, text);

        let mut damaged = packed;
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0xff;
        assert!(XzDecoder::new(&damaged[..]).read_to_end(&mut Vec::new()).is_err());
    }
}
