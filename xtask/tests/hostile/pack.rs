//! Compresses: gzip, bzip2 and zstd by their crates, xz by hand with stored chunks (the crate is
//! built without its encoder).

use std::io::Write as _;

use crate::zipfile::crc;

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zst(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// An xz stream with one block, whose dictionary size code is the caller's.
pub fn xz_with_dictionary(bytes: &[u8], code: u8) -> Vec<u8> {
    let mut out = b"\xfd7zXZ\0\0\x01".to_vec();
    out.extend(crc(&[0, 1]).to_le_bytes());
    let mut header = vec![2, 0, 0x21, 1, code, 0, 0, 0];
    header.extend(crc(&header).to_le_bytes());
    let mut block = header;
    for (number, chunk) in bytes.chunks(1 << 16).enumerate() {
        block.push(if number == 0 { 1 } else { 2 });
        block.extend(((chunk.len() - 1) as u16).to_be_bytes());
        block.extend(chunk);
    }
    block.push(0);
    let unpadded = block.len() + 4;
    block.resize(block.len().next_multiple_of(4), 0);
    out.extend(block);
    out.extend(crc(bytes).to_le_bytes());
    let mut index = vec![0, 1];
    index.extend(multibyte(unpadded as u64));
    index.extend(multibyte(bytes.len() as u64));
    index.resize(index.len().next_multiple_of(4), 0);
    index.extend(crc(&index).to_le_bytes());
    out.extend(&index);
    let mut footer = ((index.len() / 4 - 1) as u32).to_le_bytes().to_vec();
    footer.extend([0, 1]);
    out.extend(crc(&footer).to_le_bytes());
    out.extend(footer);
    out.extend(b"YZ");
    out
}

pub fn xz(bytes: &[u8]) -> Vec<u8> {
    xz_with_dictionary(bytes, 12)
}

fn multibyte(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}
