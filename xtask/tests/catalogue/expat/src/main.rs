//! Parses XML with the functions that the crate `expat-sys` links; it declares none itself.

use std::ffi::{CStr, c_char, c_int, c_void};

use expat_sys as _;

type Start = extern "C" fn(*mut c_void, *const c_char, *const *const c_char);
type End = extern "C" fn(*mut c_void, *const c_char);
type Text = extern "C" fn(*mut c_void, *const c_char, c_int);

unsafe extern "C" {
    fn XML_ExpatVersion() -> *const c_char;
    fn XML_ParserCreate(encoding: *const c_char) -> *mut c_void;
    fn XML_ParserFree(parser: *mut c_void);
    fn XML_SetUserData(parser: *mut c_void, data: *mut c_void);
    fn XML_SetElementHandler(parser: *mut c_void, start: Start, end: End);
    fn XML_SetCharacterDataHandler(parser: *mut c_void, text: Text);
    fn XML_Parse(parser: *mut c_void, text: *const u8, length: c_int, is_last: c_int) -> c_int;
    fn XML_GetErrorCode(parser: *mut c_void) -> c_int;
}

fn said<'a>(data: *mut c_void) -> &'a mut String {
    // SAFETY: `parse` sets a text as the data of all handlers.
    unsafe { &mut *data.cast::<String>() }
}

extern "C" fn start(data: *mut c_void, name: *const c_char, attributes: *const *const c_char) {
    let said = said(data);
    // SAFETY: names and values are texts; a null pointer ends their list.
    unsafe {
        said.push_str(&format!("<{}", CStr::from_ptr(name).to_str().unwrap()));
        let mut next = attributes;
        while !(*next).is_null() {
            said.push_str(&format!(" {}", CStr::from_ptr(*next).to_str().unwrap()));
            next = next.add(1);
        }
        said.push('>');
    }
}

extern "C" fn end(data: *mut c_void, _name: *const c_char) {
    said(data).push_str("</>");
}

extern "C" fn text(data: *mut c_void, text: *const c_char, length: c_int) {
    // SAFETY: the text has this length.
    let bytes = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length as usize) };
    said(data).push_str(std::str::from_utf8(bytes).unwrap());
}

/// What the handlers saw, or the number of the error.
fn parse(document: &[u8]) -> Result<String, c_int> {
    let mut said = String::new();
    // SAFETY: the parser and the text live until the end.
    unsafe {
        let parser = XML_ParserCreate(std::ptr::null());
        XML_SetUserData(parser, (&raw mut said).cast());
        XML_SetElementHandler(parser, start, end);
        XML_SetCharacterDataHandler(parser, text);
        let status = XML_Parse(parser, document.as_ptr(), document.len() as c_int, 1);
        let error = XML_GetErrorCode(parser);
        XML_ParserFree(parser);
        if status == 1 { Ok(said) } else { Err(error) }
    }
}

pub fn main() {
    // SAFETY: the function returns a constant text.
    let version = unsafe { CStr::from_ptr(XML_ExpatVersion()) }.to_str().unwrap();
    assert_eq!(version.trim_start_matches("expat_"), std::env::var("MUSLIN_VERSION").unwrap());

    let document = b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\
        <!DOCTYPE a [<!ENTITY who \"world\">]><a x='1' y='&lt;'>hello &who; \xe9<b/></a>";
    assert_eq!(parse(document).unwrap(), "<a x 1 y <>hello world é<b></></>");
    assert_eq!(parse(b"<a><b></a>"), Err(7), "mismatched tag");

    // Each entity is ten of the one before: a small document that would become a huge one.
    let mut bomb = "<!DOCTYPE a [<!ENTITY e0 \"0123456789\">".to_owned();
    for n in 1..10 {
        let ten = format!("&e{};", n - 1).repeat(10);
        bomb.push_str(&format!("<!ENTITY e{n} \"{ten}\">"));
    }
    bomb.push_str("]><a>&e9;</a>");
    assert_eq!(parse(bomb.as_bytes()), Err(43), "the limit of amplification");
}
