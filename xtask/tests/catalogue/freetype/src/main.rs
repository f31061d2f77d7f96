//! Draws letters of a font through the crate `freetype-rs`.

use freetype::face::LoadFlag;
use freetype::{Library, RenderMode, ffi};

unsafe extern "C" {
    fn FT_Library_Version(
        library: ffi::FT_Library,
        major: &mut i32,
        minor: &mut i32,
        patch: &mut i32,
    );
}

pub fn main() {
    let library = Library::init().unwrap();
    let (mut major, mut minor, mut patch) = (0, 0, 0);
    // SAFETY: the library lives, and the numbers have a place.
    unsafe { FT_Library_Version(library.raw(), &mut major, &mut minor, &mut patch) };
    let version = format!("{major}.{minor}.{patch}");
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());

    let face = library.new_memory_face2(dejavu::sans::regular(), 0).unwrap();
    assert_eq!(face.family_name().as_deref(), Some("DejaVu Sans"));
    assert!(face.is_scalable() && face.num_glyphs() > 5000);
    face.set_pixel_sizes(0, 40).unwrap();

    let bar = drawn(&face, 'l', RenderMode::Normal);
    let ring = drawn(&face, 'O', RenderMode::Normal);
    assert_eq!(bar.letter(), "█");
    assert!(ring.rows >= 28 && ring.dark(ring.width / 2, ring.rows / 2) == 0, "hollow");
    assert!(ring.dark(1, ring.rows / 2) == 255 && ring.dark(0, 0) == 0, "round");
    let distances = drawn(&face, 'O', RenderMode::Sdf);
    assert!(distances.width > ring.width, "a field of distances reaches beyond the outline");

    face.load_char('O' as usize, LoadFlag::NO_BITMAP).unwrap();
    assert_eq!(face.glyph().outline().unwrap().contours().len(), 2, "outside and inside");
    assert_eq!(face.get_char_index('\u{10ffff}' as usize), None);

    assert!(library.new_memory_face2(&b"no font at all"[..], 0).is_err());
}

struct Drawn {
    width: usize,
    rows: usize,
    pixels: Vec<u8>,
}

impl Drawn {
    fn dark(&self, x: usize, y: usize) -> u8 {
        self.pixels[y * self.width + x]
    }

    /// A full block, if all that is not at the edge is black.
    fn letter(&self) -> &'static str {
        let inner = |&(x, y): &(usize, usize)| {
            (1..self.width - 1).contains(&x) && (1..self.rows - 1).contains(&y)
        };
        let all = (0..self.rows).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        let is_full = all.filter(inner).all(|(x, y)| self.dark(x, y) == 255);
        if is_full { "█" } else { "other" }
    }
}

fn drawn(face: &freetype::Face<&'static [u8]>, letter: char, mode: RenderMode) -> Drawn {
    face.load_char(letter as usize, LoadFlag::DEFAULT).unwrap();
    let slot = face.glyph();
    slot.render_glyph(mode).unwrap();
    let bitmap = slot.bitmap();
    let (width, rows) = (bitmap.width() as usize, bitmap.rows() as usize);
    let pitch = bitmap.pitch() as usize;
    let lines = bitmap.buffer().chunks(pitch).take(rows);
    let pixels: Vec<u8> = lines.flat_map(|line| line[..width].to_vec()).collect();
    Drawn { width, rows, pixels }
}
