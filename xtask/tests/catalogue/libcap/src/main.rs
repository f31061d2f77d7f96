//! Reads and writes sets of capabilities as texts and as bytes, and gives one of this process's up.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::null_mut;

type Capabilities = *mut c_void;

const EFFECTIVE: c_int = 0;
const PERMITTED: c_int = 1;
const CLEAR: c_int = 0;
const SET: c_int = 1;

#[link(name = "cap", kind = "static")]
unsafe extern "C" {
    fn cap_from_text(text: *const c_char) -> Capabilities;
    fn cap_to_text(capabilities: Capabilities, length: *mut isize) -> *mut c_char;
    fn cap_from_name(name: *const c_char, value: *mut c_int) -> c_int;
    fn cap_to_name(value: c_int) -> *mut c_char;
    fn cap_get_flag(it: Capabilities, value: c_int, flag: c_int, found: *mut c_int) -> c_int;
    fn cap_set_flag(it: Capabilities, flag: c_int, n: c_int, of: *const c_int, to: c_int) -> c_int;
    fn cap_compare(left: Capabilities, right: Capabilities) -> c_int;
    fn cap_size(capabilities: Capabilities) -> isize;
    fn cap_copy_ext(bytes: *mut c_void, capabilities: Capabilities, length: isize) -> isize;
    fn cap_copy_int(bytes: *const c_void) -> Capabilities;
    fn cap_get_proc() -> Capabilities;
    fn cap_set_proc(capabilities: Capabilities) -> c_int;
    fn cap_free(it: *mut c_void) -> c_int;
}

fn owned(text: *mut c_char) -> String {
    assert!(!text.is_null());
    // SAFETY: a text of the library, which it wants back.
    unsafe {
        let copy = CStr::from_ptr(text).to_str().unwrap().to_owned();
        assert_eq!(cap_free(text.cast()), 0);
        copy
    }
}

fn from_text(text: &str) -> Capabilities {
    let text = CString::new(text).unwrap();
    // SAFETY: a text with its end.
    unsafe { cap_from_text(text.as_ptr()) }
}

fn has(capabilities: Capabilities, value: c_int, flag: c_int) -> bool {
    let mut found = 2;
    // SAFETY: a set of the library, and a place for the answer.
    assert_eq!(unsafe { cap_get_flag(capabilities, value, flag, &mut found) }, 0);
    assert!(found < 2);
    found == SET
}

fn main() {
    let mut chroot = -1;
    // SAFETY: a text with its end, and a place for the answer.
    assert_eq!(unsafe { cap_from_name(c"cap_sys_chroot".as_ptr(), &mut chroot) }, 0);
    assert_eq!(chroot, 18);
    // SAFETY: numbers alone.
    let names = unsafe { (owned(cap_to_name(0)), owned(cap_to_name(40))) };
    assert_eq!(names, ("cap_chown".to_owned(), "cap_checkpoint_restore".to_owned()));
    // SAFETY: as above.
    assert_eq!(unsafe { cap_from_name(c"cap_of_none".as_ptr(), &mut 0) }, -1);

    let set = from_text("cap_sys_chroot,cap_net_raw=p cap_net_raw+e");
    assert!(has(set, chroot, PERMITTED) && !has(set, chroot, EFFECTIVE));
    // SAFETY: sets of the library, and bytes of the length that it named.
    unsafe {
        let text = owned(cap_to_text(set, null_mut()));
        let same = from_text(&text);
        assert_eq!(cap_compare(set, same), 0, "{text}");
        let mut bytes = vec![0_u8; usize::try_from(cap_size(set)).unwrap()];
        let length = cap_copy_ext(bytes.as_mut_ptr().cast(), set, bytes.len().cast_signed());
        assert_eq!(length, bytes.len().cast_signed());
        let back = cap_copy_int(bytes.as_ptr().cast());
        assert_eq!(cap_compare(set, back), 0);
        assert!(from_text("cap_net_raw=z").is_null(), "no such flag");
        assert_eq!(cap_free(back), 0);
        assert_eq!(cap_free(same), 0);
        assert_eq!(cap_free(set), 0);
    }

    // The test starts this program as the root of a user namespace.
    // SAFETY: sets of the library.
    unsafe {
        let own = cap_get_proc();
        assert!(!own.is_null());
        assert!(has(own, chroot, EFFECTIVE), "not started with all capabilities");
        std::os::unix::fs::chroot("/").unwrap();
        assert_eq!(cap_set_flag(own, EFFECTIVE, 1, &chroot, CLEAR), 0);
        assert_eq!(cap_set_proc(own), 0);
        assert!(!has(cap_get_proc(), chroot, EFFECTIVE));
        let refused = std::os::unix::fs::chroot("/").unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
        assert_eq!(cap_free(own), 0);
    }
}
