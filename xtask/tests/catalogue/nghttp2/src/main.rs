//! A client and a server talk HTTP/2 in memory, and headers are compressed, through the crate
//! `libnghttp2-sys`.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_int, c_void};
use std::ptr::{null, null_mut};

use libnghttp2_sys as h2;

unsafe extern "C" {
    fn nghttp2_version(least: c_int) -> *const Info;
}

#[repr(C)]
struct Info {
    age: c_int,
    number: c_int,
    text: *const std::ffi::c_char,
}

/// The header fields that arrived, by stream.
type Fields = BTreeMap<i32, Vec<(String, String)>>;

extern "C" fn on_header(
    _session: *mut h2::nghttp2_session,
    frame: *const h2::nghttp2_frame,
    name: *const u8,
    name_length: usize,
    value: *const u8,
    value_length: usize,
    _flags: u8,
    fields: *mut c_void,
) -> c_int {
    // SAFETY: the fields were given to the session, and the texts have these lengths.
    unsafe {
        let text = |at, length| String::from_utf8(std::slice::from_raw_parts(at, length).to_vec());
        let field = (text(name, name_length).unwrap(), text(value, value_length).unwrap());
        let fields = &mut *fields.cast::<Fields>();
        fields.entry((*frame).hd.stream_id).or_default().push(field);
    }
    0
}

fn field(name: &'static str, value: &'static str) -> h2::nghttp2_nv {
    h2::nghttp2_nv {
        name: name.as_ptr().cast_mut(),
        value: value.as_ptr().cast_mut(),
        namelen: name.len(),
        valuelen: value.len(),
        flags: 0,
    }
}

/// What a session has to send.
unsafe fn sent(session: *mut h2::nghttp2_session) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let mut data = null();
        // SAFETY: the session lives, and says how long its data are.
        unsafe {
            let length = h2::nghttp2_session_mem_send(session, &mut data);
            assert!(length >= 0, "{length}");
            if length == 0 {
                return all;
            }
            all.extend_from_slice(std::slice::from_raw_parts(data, length as usize));
        }
    }
}

pub fn main() {
    // SAFETY: a constant text.
    let version = unsafe { CStr::from_ptr((*nghttp2_version(0)).text) };
    assert_eq!(version.to_str().unwrap(), std::env::var("MUSLIN_VERSION").unwrap());

    let (mut asked, mut answered) = (Fields::new(), Fields::new());
    // SAFETY: sessions and fields live until the end, lengths are those of what is given.
    unsafe {
        let mut callbacks = null_mut();
        assert_eq!(h2::nghttp2_session_callbacks_new(&mut callbacks), 0);
        h2::nghttp2_session_callbacks_set_on_header_callback(callbacks, Some(on_header));
        let (mut client, mut server) = (null_mut(), null_mut());
        let to = (&raw mut answered).cast();
        assert_eq!(h2::nghttp2_session_client_new(&mut client, callbacks, to), 0);
        let to = (&raw mut asked).cast();
        assert_eq!(h2::nghttp2_session_server_new(&mut server, callbacks, to), 0);
        h2::nghttp2_session_callbacks_del(callbacks);

        for session in [client, server] {
            assert_eq!(h2::nghttp2_submit_settings(session, 0, null(), 0), 0);
        }
        let request = [
            field(":method", "GET"),
            field(":scheme", "https"),
            field(":authority", "example.org"),
            field(":path", "/"),
            field("user-agent", "a program with a rather long name"),
        ];
        let mut lengths = Vec::new();
        for stream in [1, 3] {
            let id = h2::nghttp2_submit_request(
                client,
                null(),
                request.as_ptr(),
                request.len(),
                null(),
                null_mut(),
            );
            assert_eq!(id, stream);
            let bytes = sent(client);
            lengths.push(bytes.len());
            let read = h2::nghttp2_session_mem_recv(server, bytes.as_ptr(), bytes.len());
            assert_eq!(usize::try_from(read).unwrap(), bytes.len());
            let answer = [field(":status", "204")];
            assert_eq!(h2::nghttp2_submit_response(server, id, answer.as_ptr(), 1, null()), 0);
            let bytes = sent(server);
            let read = h2::nghttp2_session_mem_recv(client, bytes.as_ptr(), bytes.len());
            assert_eq!(usize::try_from(read).unwrap(), bytes.len());
        }
        assert!(lengths[1] < 30, "the second time, fields are numbers: {lengths:?}");

        let nonsense = b"GET / HTTP/1.1\r\n\r\n";
        let mut other = null_mut();
        let mut callbacks = null_mut();
        assert_eq!(h2::nghttp2_session_callbacks_new(&mut callbacks), 0);
        assert_eq!(h2::nghttp2_session_server_new(&mut other, callbacks, null_mut()), 0);
        h2::nghttp2_session_callbacks_del(callbacks);
        let read = h2::nghttp2_session_mem_recv(other, nonsense.as_ptr(), nonsense.len());
        assert_eq!(read, -903, "not the beginning of HTTP/2");
        for session in [client, server, other] {
            h2::nghttp2_session_del(session);
        }
    }
    let names = asked.values().map(|fields| fields[4].1.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["a program with a rather long name"; 2]);
    assert_eq!(answered[&3], [(":status".to_owned(), "204".to_owned())]);
}
