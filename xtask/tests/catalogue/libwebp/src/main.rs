//! Writes and reads pictures with and without loss, and an animation, through the crate `libwebp-sys2`.

use std::ptr;

use libwebp_sys as webp;

const WIDTH: i32 = 120;
const HEIGHT: i32 = 80;

pub fn main() {
    // SAFETY: they only return numbers.
    let versions = unsafe {
        [
            webp::WebPGetEncoderVersion(),
            webp::WebPGetDecoderVersion(),
            webp::WebPGetDemuxVersion(),
            webp::WebPGetMuxVersion(),
        ]
    };
    for number in versions {
        let version = format!("{}.{}.{}", number >> 16, number >> 8 & 0xff, number & 0xff);
        assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());
    }

    let frames = [0, 40, 80].map(pixels);
    let packed = frames.each_ref().map(|pixels| lossless(pixels));
    for (packed, pixels) in packed.iter().zip(&frames) {
        assert!(packed.len() < pixels.len() / 4, "{}", packed.len());
        assert_eq!(decoded(packed).as_ref(), Some(pixels), "nothing was lost");
    }

    let lossy = lossy(&frames[0]);
    let back = decoded(&lossy).unwrap();
    let far: u64 = back.iter().zip(&frames[0]).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    assert!(
        far / (back.len() as u64) < 5 && lossy.len() < back.len() / 10,
        "{far}, {}",
        lossy.len()
    );
    assert_eq!(decoded(&lossy[..30]), None, "a piece of a picture");

    let animation = animation(&packed);
    assert_eq!(frames_of(&animation), 3);
}

fn pixels(shift: i32) -> Vec<u8> {
    let pixel = |x: i32, y: i32| [(x + shift) as u8, (y * 2) as u8, ((x + y) / 2) as u8, 255];
    (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| pixel(x, y))).collect()
}

/// Takes bytes that the library allocated.
///
/// # Safety
/// They must be of that length and nobody else's.
unsafe fn taken(memory: *mut u8, length: usize) -> Vec<u8> {
    assert!(length > 0 && !memory.is_null());
    // SAFETY: as the caller promises.
    unsafe {
        let bytes = std::slice::from_raw_parts(memory, length).to_vec();
        webp::WebPFree(memory.cast());
        bytes
    }
}

fn lossless(pixels: &[u8]) -> Vec<u8> {
    let mut memory = ptr::null_mut();
    // SAFETY: there are as many pixels as are said.
    unsafe {
        let length =
            webp::WebPEncodeLosslessRGBA(pixels.as_ptr(), WIDTH, HEIGHT, WIDTH * 4, &mut memory);
        taken(memory, length)
    }
}

fn lossy(pixels: &[u8]) -> Vec<u8> {
    let mut memory = ptr::null_mut();
    // SAFETY: there are as many pixels as are said.
    unsafe {
        let length =
            webp::WebPEncodeRGBA(pixels.as_ptr(), WIDTH, HEIGHT, WIDTH * 4, 90.0, &mut memory);
        taken(memory, length)
    }
}

fn decoded(packed: &[u8]) -> Option<Vec<u8>> {
    let (mut width, mut height) = (0, 0);
    // SAFETY: the length is that of the bytes.
    unsafe {
        let memory = webp::WebPDecodeRGBA(packed.as_ptr(), packed.len(), &mut width, &mut height);
        if memory.is_null() {
            return None;
        }
        assert_eq!((width, height), (WIDTH, HEIGHT));
        Some(taken(memory, (width * height * 4) as usize))
    }
}

fn animation(packed: &[Vec<u8>]) -> Vec<u8> {
    // SAFETY: what is given lives until the animation is put together.
    unsafe {
        let mux = webp::WebPMuxNew();
        for packed in packed {
            let mut frame: webp::WebPMuxFrameInfo = std::mem::zeroed();
            frame.bitstream.bytes = packed.as_ptr();
            frame.bitstream.size = packed.len();
            frame.duration = 100;
            frame.id = webp::WEBP_CHUNK_ANMF;
            let result = webp::WebPMuxPushFrame(mux, &frame, 1);
            assert_eq!(result, webp::WEBP_MUX_OK);
        }
        let params = webp::WebPMuxAnimParams { bgcolor: 0, loop_count: 0 };
        assert_eq!(webp::WebPMuxSetAnimationParams(mux, &params), webp::WEBP_MUX_OK);
        let mut data: webp::WebPData = std::mem::zeroed();
        assert_eq!(webp::WebPMuxAssemble(mux, &mut data), webp::WEBP_MUX_OK);
        webp::WebPMuxDelete(mux);
        taken(data.bytes.cast_mut(), data.size)
    }
}

fn frames_of(animation: &[u8]) -> u32 {
    let data = webp::WebPData { bytes: animation.as_ptr(), size: animation.len() };
    // SAFETY: the bytes live as long as what looks at them.
    unsafe {
        let demux = webp::WebPDemux(&data);
        assert!(!demux.is_null());
        let width = webp::WebPDemuxGetI(demux, webp::WEBP_FF_CANVAS_WIDTH);
        assert_eq!(width, WIDTH as u32);
        let frames = webp::WebPDemuxGetI(demux, webp::WEBP_FF_FRAME_COUNT);
        webp::WebPDemuxDelete(demux);
        frames
    }
}
