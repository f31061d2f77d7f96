//! Compresses and restores frames and blocks through the crate `lz4`.

use std::ffi::CStr;
use std::io::{Read, Write};

unsafe extern "C" {
    fn LZ4_versionString() -> *const std::ffi::c_char;
}

pub fn main() {
    // SAFETY: the function returns a constant text.
    let version = unsafe { CStr::from_ptr(LZ4_versionString()) };
    assert_eq!(version.to_str().unwrap(), std::env::var("MUSLIN_VERSION").unwrap());

    let text: Vec<u8> = (0..200_000u32).flat_map(|n| (n % 1000).to_string().into_bytes()).collect();
    for level in [1, 9] {
        let mut encoder = lz4::EncoderBuilder::new().level(level).build(Vec::new()).unwrap();
        encoder.write_all(&text).unwrap();
        let (packed, result) = encoder.finish();
        result.unwrap();
        assert!(packed.len() < text.len() / 2, "{}", packed.len());
        let mut back = Vec::new();
        lz4::Decoder::new(&packed[..]).unwrap().read_to_end(&mut back).unwrap();
        assert_eq!(back, text);
    }
    let block = lz4::block::compress(&text, None, true).unwrap();
    assert_eq!(lz4::block::decompress(&block, None).unwrap(), text);
    let cut = &block[..block.len() / 2];
    assert!(lz4::block::decompress(cut, None).is_err(), "half a block is refused");
}
