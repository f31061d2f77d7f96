//! Compresses and restores through the crate `zstd`, with threads and with a dictionary; and restores
//! what a build script has compressed.

use std::io::Write;

pub fn main() {
    let version = zstd::zstd_safe::version_string();
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());

    // In the program with many libraries there is no such build script.
    assert!(option_env!("PACKED").is_some() || env!("CARGO_PKG_NAME") != "with-zstd");
    if let Some(digits) = option_env!("PACKED") {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let packed: Vec<u8> = digits.as_bytes().chunks(2).map(byte).collect();
        assert_eq!(zstd::decode_all(&packed[..]).unwrap(), b"packed while it was built");
    }

    let text: Vec<u8> = (0..300_000u32).flat_map(|n| (n % 1000).to_string().into_bytes()).collect();
    let mut encoder = zstd::Encoder::new(Vec::new(), 9).unwrap();
    encoder.multithread(2).expect("the library is built with threads");
    encoder.include_checksum(true).unwrap();
    encoder.write_all(&text).unwrap();
    let packed = encoder.finish().unwrap();
    assert!(packed.len() < text.len() / 20, "{}", packed.len());
    assert_eq!(zstd::decode_all(&packed[..]).unwrap(), text);

    let mut damaged = packed;
    let last = damaged.len() - 1;
    damaged[last] ^= 0xff;
    assert!(zstd::decode_all(&damaged[..]).is_err(), "the checksum is wrong");

    let samples: Vec<Vec<u8>> =
        (0..2000).map(|n| format!("{{\"user\":{n},\"name\":\"name {n}\"}}").into_bytes()).collect();
    let dictionary = zstd::dict::from_samples(&samples, 4096).unwrap();
    let mut with = zstd::bulk::Compressor::with_dictionary(3, &dictionary).unwrap();
    let small = with.compress(&samples[77]).unwrap();
    assert!(small.len() < zstd::bulk::compress(&samples[77], 3).unwrap().len());
    let mut with = zstd::bulk::Decompressor::with_dictionary(&dictionary).unwrap();
    assert_eq!(with.decompress(&small, 1000).unwrap(), samples[77]);
}
