//! Writes and reads pictures of 8 and 16 bits through the crate `libpng-sys`.

use std::ffi::{CStr, c_void};
use std::mem::zeroed;
use std::ptr::null;

use libpng_sys::ffi as png;

const WIDTH: u32 = 100;
const HEIGHT: u32 = 60;

pub fn main() {
    // SAFETY: it only returns a number.
    let number = unsafe { png::png_access_version_number() };
    let version = format!("{}.{}.{}", number / 10_000, number / 100 % 100, number % 100);
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());

    let pixel = |x: u32, y: u32| [x as u8, (y * 2) as u8, ((x + y) / 2) as u8, (255 - x) as u8];
    let pixels: Vec<u8> =
        (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| pixel(x, y))).collect();
    let packed = write(png::PNG_FORMAT_RGBA, &pixels);
    assert!(packed.starts_with(b"\x89PNG\r\n\x1a\n") && packed.len() < pixels.len() / 5);
    assert_eq!(read(&packed, png::PNG_FORMAT_RGBA, 4).as_deref(), Ok(&pixels[..]));

    let deep: Vec<u16> = (0..WIDTH * HEIGHT).map(|at| (at * 10) as u16).collect();
    let packed = write(png::PNG_FORMAT_LINEAR_Y, &deep);
    assert_eq!(packed[24], 16, "bits of a sample");
    assert_eq!(read(&packed, png::PNG_FORMAT_LINEAR_Y, 1), Ok(deep));

    let mut damaged = packed;
    damaged[30] ^= 0xff; // in the checksum of the first chunk
    let error = read::<u16>(&damaged, png::PNG_FORMAT_LINEAR_Y, 1).unwrap_err();
    assert!(error.contains("CRC"), "{error}");
}

fn image(format: u32) -> png::png_image {
    // SAFETY: zeros are what libpng asks for.
    let image: png::png_image = unsafe { zeroed() };
    png::png_image {
        version: png::PNG_IMAGE_VERSION,
        width: WIDTH,
        height: HEIGHT,
        format,
        ..image
    }
}

fn write<S>(format: u32, samples: &[S]) -> Vec<u8> {
    let mut image = image(format);
    let mut packed = vec![0; 1 << 16];
    let mut length = packed.len();
    // SAFETY: there is room for as many bytes as are said.
    let result = unsafe {
        png::png_image_write_to_memory(
            &mut image,
            packed.as_mut_ptr().cast(),
            &mut length,
            0,
            samples.as_ptr().cast(),
            0,
            null(),
        )
    };
    assert_eq!(result, 1, "{}", message(&image));
    packed.truncate(length);
    packed
}

fn read<S: Copy + Default>(packed: &[u8], format: u32, channels: u32) -> Result<Vec<S>, String> {
    let mut image = image(0);
    // SAFETY: lengths are those of the buffers.
    unsafe {
        let memory: *const c_void = packed.as_ptr().cast();
        if png::png_image_begin_read_from_memory(&mut image, memory, packed.len()) == 0 {
            return Err(message(&image));
        }
        assert_eq!((image.width, image.height), (WIDTH, HEIGHT));
        image.format = format;
        let mut samples = vec![S::default(); (WIDTH * HEIGHT * channels) as usize];
        let white = png::png_color { red: 255, green: 255, blue: 255 };
        let to = samples.as_mut_ptr().cast();
        let done = png::png_image_finish_read(&mut image, &white, to, 0, std::ptr::null_mut());
        if done == 0 { Err(message(&image)) } else { Ok(samples) }
    }
}

fn message(image: &png::png_image) -> String {
    // SAFETY: libpng ends its message with a zero.
    unsafe { CStr::from_ptr(image.message.as_ptr()) }.to_string_lossy().into_owned()
}
