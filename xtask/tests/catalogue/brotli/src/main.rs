//! Compresses and restores through the crate `brotli-sys`, which links all three archives.

use brotli_sys::{BrotliDecoderDecompress, BrotliEncoderCompress, BrotliEncoderMaxCompressedSize};

pub fn main() {
    // SAFETY: the functions take nothing and return numbers.
    let versions =
        unsafe { [brotli_sys::BrotliDecoderVersion(), brotli_sys::BrotliEncoderVersion()] };
    for version in versions {
        let parts = [version >> 24, version >> 12 & 0xfff, version & 0xfff];
        let version = parts.map(|part| part.to_string()).join(".");
        assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());
    }

    let text: Vec<u8> = (0..100_000u32).flat_map(|n| (n % 1000).to_string().into_bytes()).collect();
    for quality in [1, 5, 11] {
        // SAFETY: sizes are those of the buffers.
        unsafe {
            let mut size = BrotliEncoderMaxCompressedSize(text.len());
            let mut packed = vec![0; size];
            let (input, output) = (text.as_ptr(), packed.as_mut_ptr());
            let mode = brotli_sys::BROTLI_MODE_TEXT;
            let well =
                BrotliEncoderCompress(quality, 22, mode, text.len(), input, &mut size, output);
            assert_eq!(well, 1);
            packed.truncate(size);
            assert!(size < text.len() / 20, "{size}");

            let mut size = text.len();
            let mut back = vec![0; size];
            let result = BrotliDecoderDecompress(
                packed.len(),
                packed.as_ptr(),
                &mut size,
                back.as_mut_ptr(),
            );
            assert_eq!(result, brotli_sys::BROTLI_DECODER_RESULT_SUCCESS);
            assert_eq!(back, text);
        }
    }
}
