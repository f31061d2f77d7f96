//! Compresses and restores through the crate `snappy-sys`; what is broken is refused.

fn compressed(text: &[u8]) -> Vec<u8> {
    // SAFETY: the buffer has the length that the library asks for.
    unsafe {
        let mut length = snappy_sys::snappy_max_compressed_length(text.len());
        let mut packed = vec![0; length];
        let status = snappy_sys::snappy_compress(
            text.as_ptr(),
            text.len(),
            packed.as_mut_ptr(),
            &mut length,
        );
        assert_eq!(status, 0);
        packed.truncate(length);
        packed
    }
}

fn restored(packed: &[u8]) -> Option<Vec<u8>> {
    let mut length = 0;
    // SAFETY: the buffer has the length that the library tells.
    unsafe {
        let status =
            snappy_sys::snappy_uncompressed_length(packed.as_ptr(), packed.len(), &mut length);
        if status != 0 {
            return None;
        }
        let mut text = vec![0; length];
        let status = snappy_sys::snappy_uncompress(
            packed.as_ptr(),
            packed.len(),
            text.as_mut_ptr(),
            &mut length,
        );
        (status == 0).then_some(text)
    }
}

pub fn main() {
    let text: Vec<u8> = (0..200_000u32).flat_map(|n| (n % 1000).to_string().into_bytes()).collect();
    let packed = compressed(&text);
    assert!(packed.len() < text.len() / 4, "{}", packed.len());
    assert!(restored(&packed) == Some(text), "what comes back is what it was");
    assert_eq!(restored(&compressed(b"")), Some(Vec::new()));
    assert_eq!(restored(&packed[..packed.len() / 2]), None, "half of it is refused");
    // SAFETY: the pointer and the length are of one slice.
    let is_valid = |bytes: &[u8]| unsafe {
        snappy_sys::snappy_validate_compressed_buffer(bytes.as_ptr(), bytes.len()) == 0
    };
    assert!(is_valid(&packed) && !is_valid(&packed[1..]));
}
