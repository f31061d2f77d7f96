//! Compresses and restores through the crate `libz-ng-sys`, whose functions choose the processor's best
//! instructions at run time.

use std::ffi::CStr;

use libz_ng_sys as zng;

pub fn main() {
    // SAFETY: the function returns a constant text.
    let version = unsafe { CStr::from_ptr(zng::zlibVersion()) };
    assert_eq!(version.to_str().unwrap(), std::env::var("MUSLIN_VERSION").unwrap());

    // SAFETY: the lengths are those of the texts.
    unsafe {
        assert_eq!(zng::crc32(0, b"123456789".as_ptr(), 9), 0xcbf4_3926);
        assert_eq!(zng::adler32(1, b"Wikipedia".as_ptr(), 9), 0x11e6_0398);
    }

    let text: Vec<u8> = (0..200_000u32).flat_map(|n| (n % 1000).to_string().into_bytes()).collect();
    for level in 0..=9 {
        let packed = pack(&text, level);
        let limit = if level == 0 { text.len() + 1000 } else { text.len() / 10 };
        assert!(packed.len() < limit, "level {level}: {}", packed.len());
        assert_eq!(unpack(&packed, text.len()), Ok(text.clone()), "level {level}");
        let mut damaged = packed;
        let end = damaged.len() - 1;
        damaged[end] ^= 0xff;
        assert_eq!(unpack(&damaged, text.len()), Err(zng::Z_DATA_ERROR), "its checksum is wrong");
    }
    file(&text);
}

fn pack(text: &[u8], level: i32) -> Vec<u8> {
    // SAFETY: lengths are those of the buffers.
    unsafe {
        let mut length = zng::compressBound(text.len());
        let mut packed = vec![0; length];
        let result =
            zng::compress2(packed.as_mut_ptr(), &mut length, text.as_ptr(), text.len(), level);
        assert_eq!(result, zng::Z_OK);
        packed.truncate(length);
        packed
    }
}

fn unpack(packed: &[u8], mut length: usize) -> Result<Vec<u8>, i32> {
    let mut text = vec![0; length];
    // SAFETY: lengths are those of the buffers.
    let result = unsafe {
        zng::uncompress(text.as_mut_ptr(), &mut length, packed.as_ptr(), packed.len())
    };
    text.truncate(length);
    if result == zng::Z_OK { Ok(text) } else { Err(result) }
}

/// Through a file: what is written and read back, by the `gz…` functions.
fn file(text: &[u8]) {
    // SAFETY: texts end with a zero, lengths are those of the buffers.
    unsafe {
        let file = zng::gzopen(c"/tmp/text.gz".as_ptr(), c"wb".as_ptr());
        assert!(!file.is_null());
        let length = i32::try_from(text.len()).unwrap();
        assert_eq!(zng::gzwrite(file, text.as_ptr().cast(), text.len() as _), length);
        assert_eq!(zng::gzclose(file), zng::Z_OK);
        let file = zng::gzopen(c"/tmp/text.gz".as_ptr(), c"rb".as_ptr());
        let mut back = vec![0; text.len() + 1];
        assert_eq!(zng::gzread(file, back.as_mut_ptr().cast(), back.len() as _), length);
        assert_eq!(&back[..text.len()], text);
        assert_eq!(zng::gzclose(file), zng::Z_OK);
    }
}
