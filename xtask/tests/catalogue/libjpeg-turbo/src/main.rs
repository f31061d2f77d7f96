//! Compresses, looks at, restores and turns pictures through the crate `turbojpeg`.

use std::ffi::c_int;

use turbojpeg::{Compressor, Decompressor, Image, PixelFormat, Subsamp, Transform, TransformOp};

const WIDTH: usize = 160;
const HEIGHT: usize = 96;

#[cfg(target_arch = "x86_64")]
unsafe extern "C" {
    /// A function of the library's own: whether there is code for this CPU that turns RGB into YCbCr.
    safe fn jsimd_can_rgb_ycc() -> c_int;
}

fn main() {
    #[cfg(target_arch = "x86_64")]
    assert_ne!(jsimd_can_rgb_ycc(), 0, "made without its assembly");
    let pixels: Vec<u8> = (0..HEIGHT)
        .flat_map(|y| (0..WIDTH).flat_map(move |x| [x as u8, (y * 2) as u8, ((x + y) / 2) as u8]))
        .collect();
    let picture = Image {
        pixels: &pixels[..],
        width: WIDTH,
        pitch: WIDTH * 3,
        height: HEIGHT,
        format: PixelFormat::RGB,
    };
    for subsamp in [Subsamp::None, Subsamp::Sub2x2, Subsamp::Gray] {
        let jpeg = turbojpeg::compress(picture, 90, subsamp).unwrap();
        assert!(jpeg.len() < pixels.len() / 5, "{}", jpeg.len());
        let header = turbojpeg::read_header(&jpeg).unwrap();
        assert_eq!((header.width, header.height, header.subsamp), (WIDTH, HEIGHT, subsamp));
        let back = turbojpeg::decompress(&jpeg, PixelFormat::RGB).unwrap();
        if subsamp != Subsamp::Gray {
            let far = difference(&back.pixels, &pixels);
            assert!(far < 3.0, "{far} a sample");
        }
    }

    let mut compressor = Compressor::new().unwrap();
    compressor.set_lossless(true).unwrap();
    let jpeg = compressor.compress_to_vec(picture).unwrap();
    let back = turbojpeg::decompress(&jpeg, PixelFormat::RGB).unwrap();
    assert!(back.pixels == pixels, "nothing was lost");

    let jpeg = turbojpeg::compress(picture, 90, Subsamp::Sub2x2).unwrap();
    let turned = turbojpeg::transform(&Transform::op(TransformOp::Rot90), &jpeg).unwrap();
    let header = turbojpeg::read_header(&turned).unwrap();
    assert_eq!((header.width, header.height), (HEIGHT, WIDTH));

    let half = &jpeg[..jpeg.len() / 2];
    let error = Decompressor::new().unwrap().read_header(&half[..20]).unwrap_err();
    assert!(!error.to_string().is_empty());
    assert!(turbojpeg::decompress(b"no picture", PixelFormat::RGB).is_err());
}

/// How far samples are from those of another picture, on average.
fn difference(one: &[u8], other: &[u8]) -> f64 {
    let sum: u64 = one.iter().zip(other).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    sum as f64 / one.len() as f64
}
