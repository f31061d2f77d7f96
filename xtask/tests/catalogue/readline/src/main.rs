//! Edits a line with Emacs' keys, and finds it again in the history.

use std::ffi::{CStr, CString, c_char, c_int};

use libc::FILE;

#[link(name = "readline", kind = "static")]
#[link(name = "ncursesw", kind = "static")]
unsafe extern "C" {
    static rl_library_version: *const c_char;
    static mut rl_instream: *mut FILE;
    static mut rl_outstream: *mut FILE;
    fn readline(prompt: *const c_char) -> *mut c_char;
    fn add_history(line: *const c_char);
    fn using_history();
    fn history_expand(line: *const c_char, output: *mut *mut c_char) -> c_int;
}

/// A stream with this text in it, rewound.
fn stream(text: &str) -> *mut FILE {
    let name = c"/tmp/stream".as_ptr();
    // SAFETY: `text` lives through the call that writes it, and the mode is a valid one.
    unsafe {
        let file = libc::fopen(name, c"w+".as_ptr());
        assert!(!file.is_null());
        assert_eq!(libc::fwrite(text.as_ptr().cast(), 1, text.len(), file), text.len());
        libc::rewind(file);
        file
    }
}

fn main() {
    // SAFETY: all pointers are valid, and only this thread calls the library.
    unsafe {
        let version = CStr::from_ptr(rl_library_version).to_str().unwrap();
        assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());
        std::env::set_var("TERM", "vt100");
        rl_instream = stream("world\u{1}hello, \u{5}!\nno end of \u{17}\u{17}line");
        rl_outstream = libc::fopen(c"/tmp/out".as_ptr(), c"w".as_ptr());
        using_history();
        // Ctrl-A goes to the start, Ctrl-E to the end.
        let line = readline(c"> ".as_ptr());
        assert_eq!(CStr::from_ptr(line), c"hello, world!");
        add_history(line);
        // Ctrl-W takes away a word; the end of the file ends the line.
        let line = readline(c"> ".as_ptr());
        assert_eq!(CStr::from_ptr(line), c"no line");
        add_history(line);
        assert!(readline(c"> ".as_ptr()).is_null());
        let mut found = std::ptr::null_mut();
        let wanted = CString::new("!hello:0 again").unwrap();
        assert_eq!(history_expand(wanted.as_ptr(), &raw mut found), 1);
        assert_eq!(CStr::from_ptr(found), c"hello, again");
    }
}
