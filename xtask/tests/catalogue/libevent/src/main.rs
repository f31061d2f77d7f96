//! Runs an event loop through the crate `libevent-sys`: timers, a thread that wakes it, HTTP from a
//! server to a client in the same loop, and TLS between two buffers.

use std::ffi::{CStr, c_char, c_int, c_short, c_void};
use std::net::TcpListener;
use std::os::fd::IntoRawFd;
use std::ptr;
use std::thread;

use libevent_sys as ev;
use openssl_sys as ssl;

type Base = *mut ev::event_base;

fn main() {
    // SAFETY: a text of the library's.
    let version = unsafe { CStr::from_ptr(ev::event_get_version()) }.to_str().unwrap();
    assert_eq!(version, format!("{}-stable", std::env::var("MUSLIN_VERSION").unwrap()));
    // SAFETY: before there is any loop; what is made is freed after its last use.
    unsafe {
        assert_eq!(ev::evthread_use_pthreads(), 0);
        let base = ev::event_base_new();
        assert_eq!(CStr::from_ptr(ev::event_base_get_method(base)), c"epoll");
        timers(base);
        woken(base);
        http(base);
        tls(base);
        ev::event_base_free(base);
    }
}

unsafe fn timers(base: Base) {
    unsafe extern "C" fn ring(_: c_int, what: c_short, number: *mut c_void) {
        let (number, rung) = unsafe { *number.cast::<(u32, *mut Vec<u32>)>() };
        assert_eq!(u32::from(what.cast_unsigned()), ev::EV_TIMEOUT);
        unsafe { (*rung).push(number) };
    }
    let mut rung = Vec::<u32>::new();
    let mut bells = [3_u32, 1, 2].map(|number| (number, &raw mut rung));
    for bell in &mut bells {
        let after = ev::timeval { tv_sec: 0, tv_usec: i64::from(bell.0) * 5000 };
        let what = ev::EV_TIMEOUT as c_short;
        let bell = ptr::from_mut(bell).cast();
        // SAFETY: the loop ends before the bells do.
        assert_eq!(unsafe { ev::event_base_once(base, -1, what, Some(ring), bell, &after) }, 0);
    }
    assert_eq!(unsafe { ev::event_base_dispatch(base) }, 1, "nothing is left to wait for");
    assert_eq!(rung, [1, 2, 3]);
}

/// An event that another thread makes happen: the loop sleeps in the kernel until then.
unsafe fn woken(base: Base) {
    unsafe extern "C" fn count(_: c_int, _: c_short, calls: *mut c_void) {
        unsafe { *calls.cast::<u32>() += 1 };
    }
    let mut calls = 0_u32;
    // SAFETY: the loop ends before the event and its number do.
    unsafe {
        let event = ev::event_new(base, -1, 0, Some(count), (&raw mut calls).cast());
        let far = ev::timeval { tv_sec: 100, tv_usec: 0 };
        assert_eq!(ev::event_add(event, &far), 0);
        let place = event as usize;
        let other = thread::spawn(move || ev::event_active(place as *mut ev::event, 0, 0));
        assert_eq!(ev::event_base_loop(base, ev::EVLOOP_ONCE as c_int), 0);
        other.join().unwrap();
        ev::event_free(event);
    }
    assert_eq!(calls, 1);
}

unsafe fn http(base: Base) {
    unsafe extern "C" fn answer(request: *mut ev::evhttp_request, _: *mut c_void) {
        unsafe {
            let asked = CStr::from_ptr(ev::evhttp_request_get_uri(request));
            let parts = ev::evhttp_uri_parse(asked.as_ptr());
            let query = ev::evhttp_uri_get_query(parts);
            let out = ev::evhttp_request_get_output_buffer(request);
            ev::evbuffer_add_printf(out, c"asked for %s".as_ptr(), query);
            ev::evhttp_send_reply(request, 202, c"Taken".as_ptr(), ptr::null_mut());
            ev::evhttp_uri_free(parts);
        }
    }
    unsafe extern "C" fn answered(request: *mut ev::evhttp_request, got: *mut c_void) {
        unsafe {
            assert!(!request.is_null(), "no answer came");
            let buffer = ev::evhttp_request_get_input_buffer(request);
            let status = ev::evhttp_request_get_response_code(request);
            let (base, got) = &mut *got.cast::<(Base, (c_int, String))>();
            *got = (status, taken(buffer));
            ev::event_base_loopbreak(*base);
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut got = (base, (0, String::new()));
    // SAFETY: the loop ends when the answer is there.
    unsafe {
        let server = ev::evhttp_new(base);
        assert_eq!(ev::evhttp_accept_socket(server, listener.into_raw_fd()), 0);
        ev::evhttp_set_gencb(server, Some(answer), ptr::null_mut());
        let host = c"127.0.0.1".as_ptr();
        let connection = ev::evhttp_connection_base_new(base, ptr::null_mut(), host, port);
        ev::evhttp_connection_set_timeout(connection, 20);
        let request = ev::evhttp_request_new(Some(answered), (&raw mut got).cast());
        let get = ev::evhttp_cmd_type_EVHTTP_REQ_GET;
        assert_eq!(ev::evhttp_make_request(connection, request, get, c"/a?b=c".as_ptr()), 0);
        ev::event_base_dispatch(base);
        ev::evhttp_connection_free(connection);
        ev::evhttp_free(server);
    }
    assert_eq!(got.1, (202, "asked for b=c".to_owned()));
}

/// What is in a buffer, which is empty afterwards.
unsafe fn taken(buffer: *mut ev::evbuffer) -> String {
    let mut bytes = vec![0; unsafe { ev::evbuffer_get_length(buffer) }];
    unsafe { ev::evbuffer_remove(buffer, bytes.as_mut_ptr().cast(), bytes.len()) };
    String::from_utf8(bytes).unwrap()
}

/// Both ends agree on keys without a certificate, which TLS 1.2 has a cipher for.
unsafe fn tls(base: Base) {
    unsafe extern "C" fn read(end: *mut ev::bufferevent, got: *mut c_void) {
        unsafe {
            let got = got.cast::<String>();
            (*got).push_str(&taken(ev::bufferevent_get_input(end)));
            if (*got).ends_with('.') {
                ev::event_base_loopbreak(ev::bufferevent_get_base(end));
            }
        }
    }
    unsafe extern "C" fn happened(end: *mut ev::bufferevent, what: c_short, _: *mut c_void) {
        let error = unsafe { ev::bufferevent_get_openssl_error(end) };
        assert_eq!(u32::from(what.cast_unsigned()), ev::BEV_EVENT_CONNECTED, "{error:x}");
    }
    const CIPHER: *const c_char = c"AECDH-AES128-SHA:@SECLEVEL=0".as_ptr();
    const TLS_1_2: i64 = 0x303;
    let mut got = String::new();
    // SAFETY: the loop ends before the buffers do, and these own the ends of TLS.
    unsafe {
        let context = ssl::SSL_CTX_new(ssl::TLS_method());
        assert_eq!(ssl::SSL_CTX_set_cipher_list(context, CIPHER), 1);
        let maximum = ssl::SSL_CTRL_SET_MAX_PROTO_VERSION;
        assert_eq!(ssl::SSL_CTX_ctrl(context, maximum, TLS_1_2, ptr::null_mut()), 1);
        let mut pair = [ptr::null_mut(); 2];
        assert_eq!(ev::bufferevent_pair_new(base, 0, pair.as_mut_ptr()), 0);
        let states = [
            ev::bufferevent_ssl_state_BUFFEREVENT_SSL_ACCEPTING,
            ev::bufferevent_ssl_state_BUFFEREVENT_SSL_CONNECTING,
        ];
        let ends = [0, 1].map(|at| {
            let options = ev::bufferevent_options_BEV_OPT_CLOSE_ON_FREE as c_int;
            let end = ssl::SSL_new(context).cast();
            let end = ev::bufferevent_openssl_filter_new(base, pair[at], end, states[at], options);
            assert!(!end.is_null());
            let got = (&raw mut got).cast();
            ev::bufferevent_setcb(end, Some(read), None, Some(happened), got);
            ev::bufferevent_enable(end, (ev::EV_READ | ev::EV_WRITE) as c_short);
            end
        });
        let text = "kept from others.";
        assert_eq!(ev::bufferevent_write(ends[1], text.as_ptr().cast(), text.len()), 0);
        ev::event_base_dispatch(base);
        assert_eq!(got, text);
        let cipher = ssl::SSL_get_current_cipher(ev::bufferevent_openssl_get_ssl(ends[0]).cast());
        assert_eq!(CStr::from_ptr(ssl::SSL_CIPHER_get_name(cipher)), c"AECDH-AES128-SHA");
        ends.map(|end| ev::bufferevent_free(end));
        ssl::SSL_CTX_free(context);
    }
}
