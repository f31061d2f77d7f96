//! Makes identifiers of each kind, and reads and writes them.

use std::ffi::{CStr, c_char, c_int};
use std::time::{SystemTime, UNIX_EPOCH};

type Uuid = [u8; 16];

#[link(name = "uuid", kind = "static")]
unsafe extern "C" {
    fn uuid_generate_random(out: *mut u8);
    fn uuid_generate_time(out: *mut u8);
    fn uuid_generate_time_v7(out: *mut u8);
    fn uuid_generate_md5(out: *mut u8, space: *const u8, name: *const c_char, length: usize);
    fn uuid_generate_sha1(out: *mut u8, space: *const u8, name: *const c_char, length: usize);
    fn uuid_get_template(alias: *const c_char) -> *const Uuid;
    fn uuid_parse(text: *const c_char, out: *mut u8) -> c_int;
    fn uuid_unparse_lower(uuid: *const u8, out: *mut c_char);
    fn uuid_type(uuid: *const u8) -> c_int;
    fn uuid_variant(uuid: *const u8) -> c_int;
    fn uuid_is_null(uuid: *const u8) -> c_int;
    fn uuid_compare(left: *const u8, right: *const u8) -> c_int;
    fn uuid_time(uuid: *const u8, out: *mut [i64; 2]) -> i64;
}

fn made(by: unsafe extern "C" fn(*mut u8)) -> Uuid {
    let mut uuid = [0; 16];
    // SAFETY: the place has the 16 bytes that are written.
    unsafe { by(uuid.as_mut_ptr()) };
    uuid
}

fn text(uuid: &Uuid) -> String {
    let mut text = [0; 37];
    // SAFETY: 16 bytes are read, and 36 letters and an end are written.
    let text = unsafe {
        uuid_unparse_lower(uuid.as_ptr(), text.as_mut_ptr());
        CStr::from_ptr(text.as_ptr())
    };
    text.to_str().unwrap().to_owned()
}

fn main() {
    let kinds: [(unsafe extern "C" fn(*mut u8), c_int); 3] =
        [(uuid_generate_time, 1), (uuid_generate_random, 4), (uuid_generate_time_v7, 7)];
    for (by, kind) in kinds {
        let (one, other) = (made(by), made(by));
        // SAFETY: 16 bytes each.
        unsafe {
            assert_eq!((uuid_type(one.as_ptr()), uuid_variant(one.as_ptr())), (kind, 1));
            assert_ne!(uuid_compare(one.as_ptr(), other.as_ptr()), 0, "{}", text(&one));
            assert_eq!(uuid_is_null(one.as_ptr()), 0);
        }
        let mut back = [0; 16];
        let written = std::ffi::CString::new(text(&one)).unwrap();
        // SAFETY: a text with its end, and a place of 16 bytes.
        assert_eq!(unsafe { uuid_parse(written.as_ptr(), back.as_mut_ptr()) }, 0);
        assert_eq!(back, one);
    }
    // SAFETY: as above.
    assert_eq!(unsafe { uuid_parse(c"no identifier".as_ptr(), [0; 16].as_mut_ptr()) }, -1);

    // The two examples of names that are in RFC 9562.
    let name = c"www.example.com";
    let (mut md5, mut sha1) = ([0; 16], [0; 16]);
    // SAFETY: a template of the library, a name of this length, and places of 16 bytes.
    unsafe {
        let dns = uuid_get_template(c"dns".as_ptr()).cast();
        uuid_generate_md5(md5.as_mut_ptr(), dns, name.as_ptr(), name.count_bytes());
        uuid_generate_sha1(sha1.as_mut_ptr(), dns, name.as_ptr(), name.count_bytes());
    }
    assert_eq!(text(&md5), "5df41881-3aed-3515-88a7-2f4a814cf09e");
    assert_eq!(text(&sha1), "2ed6657d-e927-568b-95e1-2665a8aea6a2");

    // Times have 64 bits on all targets of musl.
    let mut time = [0; 2];
    let uuid = made(uuid_generate_time);
    // SAFETY: 16 bytes, and a place for seconds and their parts.
    let seconds = unsafe { uuid_time(uuid.as_ptr(), &mut time) };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now.abs_diff(seconds.cast_unsigned()) < 60, "{seconds}, and now {now}");
}
