//! Both ends of a login through the crate `sasl2-sys`.

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use std::mem::transmute;
use std::ptr::{null, null_mut};

use openssl::base64::encode_block;
use openssl::hash::MessageDigest;
use openssl::pkcs5::pbkdf2_hmac;
use openssl::pkey::PKey;
use openssl::sha::sha256;
use openssl::sign::Signer;
use sasl2_sys::sasl::{
    SASL_BADAUTH, SASL_CB_AUTHNAME, SASL_CB_LIST_END, SASL_CB_PASS,
    SASL_CB_SERVER_USERDB_CHECKPASS, SASL_CB_USER, SASL_CONTINUE, SASL_OK, sasl_callback_t,
    sasl_client_init, sasl_client_new, sasl_client_start, sasl_client_step, sasl_conn_t,
    sasl_dispose, sasl_listmech, sasl_server_init, sasl_server_new, sasl_server_start,
    sasl_version_info,
};

/// The name and the password of the example in RFC 2195.
const USER: &CStr = c"tim";
const PASSWORD: &[u8] = b"tanstaaftanstaaf";

unsafe extern "C" fn name(
    _: *mut c_void,
    _: c_int,
    result: *mut *const c_char,
    length: *mut c_uint,
) -> c_int {
    // SAFETY: the library gives a place for the text and perhaps one for its length.
    unsafe {
        *result = USER.as_ptr();
        if !length.is_null() {
            *length = u32::try_from(USER.count_bytes()).unwrap();
        }
    }
    SASL_OK
}

/// A secret as the library wants it: a length, and that many bytes.
#[repr(C)]
struct Secret {
    length: c_ulong,
    bytes: [u8; PASSWORD.len() + 1],
}

unsafe extern "C" fn secret(
    _: *mut sasl_conn_t,
    context: *mut c_void,
    _: c_int,
    result: *mut *mut c_void,
) -> c_int {
    // SAFETY: the library gives a place for the address.
    unsafe { *result = context };
    SASL_OK
}

unsafe extern "C" fn check(
    _: *mut sasl_conn_t,
    _: *mut c_void,
    user: *const c_char,
    password: *const c_char,
    length: c_uint,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the library gives a text with its end, and bytes with their length.
    let (user, password) = unsafe {
        let length = usize::try_from(length).unwrap();
        (CStr::from_ptr(user), std::slice::from_raw_parts(password.cast::<u8>(), length))
    };
    if user == USER && password == PASSWORD { SASL_OK } else { SASL_BADAUTH }
}

/// A callback under the type that a list of them has for all.
fn callback(id: c_ulong, function: *const c_void, context: *mut c_void) -> sasl_callback_t {
    // SAFETY: both are addresses of functions; the library calls it by the type that the number means.
    let proc_ =
        unsafe { transmute::<*const c_void, Option<unsafe extern "C" fn() -> c_int>>(function) };
    sasl_callback_t { id, proc_, context }
}

/// The client's end, and what it says first.
unsafe fn client(callbacks: &[sasl_callback_t], mechanism: &CStr) -> (*mut sasl_conn_t, Vec<u8>) {
    let mut client = null_mut();
    let (mut said, mut length, mut chosen) = (null(), 0, null());
    // SAFETY: texts with their ends, and places for the answers.
    unsafe {
        let service = (c"imap".as_ptr(), c"localhost".as_ptr());
        let callbacks = callbacks.as_ptr();
        let made = sasl_client_new(service.0, service.1, null(), null(), callbacks, 0, &mut client);
        assert_eq!(made, SASL_OK);
        let places = (&mut said, &mut length, &mut chosen);
        let list = mechanism.as_ptr();
        let begun = sasl_client_start(client, list, null_mut(), places.0, places.1, places.2);
        assert!(begun == SASL_OK || begun == SASL_CONTINUE, "{mechanism:?}: {begun}");
        assert_eq!(CStr::from_ptr(chosen), mechanism);
        (client, bytes(said, length))
    }
}

unsafe fn bytes(start: *const c_char, length: c_uint) -> Vec<u8> {
    if start.is_null() {
        return Vec::new();
    }
    // SAFETY: what the library said it wrote.
    unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length.try_into().unwrap()) }.to_vec()
}

/// A login with SCRAM-SHA-256, whose server is this: by RFC 5802, with or without the right signature.
///
/// # Safety
/// The callbacks must be a list with its end.
unsafe fn scram_by_hand(clients: &[sasl_callback_t], is_right: bool) {
    // SAFETY: as the caller promises.
    let (mut one, said) = unsafe { client(clients, c"SCRAM-SHA-256") };
    let said = String::from_utf8(said).unwrap();
    let (header, bare) = said.split_at(said.match_indices(',').nth(1).unwrap().0 + 1);
    let nonce = bare.split_once(",r=").unwrap().1;
    let salt = b"sixteen letters.";
    let question = format!("r={nonce}-and-more,s={},i=4096", encode_block(salt));
    // SAFETY: the connection is open.
    let (answer, result) = unsafe { step(one, &question) };
    assert_eq!(result, SASL_CONTINUE);

    let mut salted = [0; 32];
    pbkdf2_hmac(PASSWORD, salt, 4096, MessageDigest::sha256(), &mut salted).unwrap();
    let key = hmac(&salted, b"Client Key");
    let (without_proof, proof) = answer.rsplit_once(",p=").unwrap();
    assert_eq!(without_proof, format!("c={},r={nonce}-and-more", encode_block(header.as_bytes())));
    let whole = format!("{bare},{question},{without_proof}");
    let mask = hmac(&sha256(&key), whole.as_bytes());
    let expected: Vec<u8> = key.iter().zip(mask).map(|(key, mask)| key ^ mask).collect();
    assert_eq!(proof, encode_block(&expected), "it knows the password");
    let signature =
        hmac(&hmac(&salted, b"Server Key"), if is_right { whole.as_bytes() } else { b"" });
    // SAFETY: the connection is open.
    let (_, result) = unsafe { step(one, &format!("v={}", encode_block(&signature))) };
    assert_eq!(result == SASL_OK, is_right, "{result}");
    // SAFETY: it is not used after this.
    unsafe { sasl_dispose(&mut one) };
}

/// What the client says next.
unsafe fn step(client: *mut sasl_conn_t, heard: &str) -> (String, c_int) {
    let (mut answer, mut length) = (null(), 0);
    let size = heard.len().try_into().unwrap();
    let heard = heard.as_ptr().cast();
    // SAFETY: bytes with their length, and places for the answer.
    unsafe {
        let result = sasl_client_step(client, heard, size, null_mut(), &mut answer, &mut length);
        (String::from_utf8(bytes(answer, length)).unwrap(), result)
    }
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let key = PKey::hmac(key).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.sign_oneshot_to_vec(text).unwrap()
}

fn main() {
    let mut parts = [0; 3];
    let [major, minor, step] = &mut parts;
    // SAFETY: places for numbers, and none for the rest.
    unsafe { sasl_version_info(null_mut(), null_mut(), major, minor, step, null_mut()) };
    let version = parts.map(|part| part.to_string()).join(".");
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());

    let mut bytes_of = [0; PASSWORD.len() + 1];
    bytes_of[..PASSWORD.len()].copy_from_slice(PASSWORD);
    let mut held = Secret { length: PASSWORD.len().try_into().unwrap(), bytes: bytes_of };
    let context: *mut c_void = (&raw mut held).cast();
    let clients = [
        callback(SASL_CB_USER, name as *const c_void, null_mut()),
        callback(SASL_CB_AUTHNAME, name as *const c_void, null_mut()),
        callback(SASL_CB_PASS, secret as *const c_void, context),
        callback(SASL_CB_LIST_END, null(), null_mut()),
    ];
    let servers = [
        callback(SASL_CB_SERVER_USERDB_CHECKPASS, check as *const c_void, null_mut()),
        callback(SASL_CB_LIST_END, null(), null_mut()),
    ];
    // SAFETY: texts with their ends, lists with theirs, and places for the answers.
    unsafe {
        assert_eq!(sasl_client_init(null()), SASL_OK);
        assert_eq!(sasl_server_init(null(), c"with-cyrus-sasl".as_ptr()), SASL_OK);

        // RFC 2195 says what the answer to this question is.
        let (mut one, said) = client(&clients, c"CRAM-MD5");
        assert!(said.is_empty());
        let question = c"<1896.697170952@postoffice.reston.mci.net>";
        let (mut answer, mut length) = (null(), 0);
        let asked = question.count_bytes().try_into().unwrap();
        let places = (&mut answer, &mut length);
        let stepped =
            sasl_client_step(one, question.as_ptr(), asked, null_mut(), places.0, places.1);
        assert_eq!(stepped, SASL_OK);
        assert_eq!(bytes(answer, length), b"tim b913a602c7eda7a495b4e6e7334d3890");

        let mut list = null();
        let space = c" ".as_ptr();
        let listed =
            sasl_listmech(one, null(), space, space, space, &mut list, null_mut(), null_mut());
        assert_eq!(listed, SASL_OK);
        let list = CStr::from_ptr(list).to_str().unwrap();
        let simple = ["EXTERNAL", "DIGEST-MD5", "CRAM-MD5", "LOGIN", "PLAIN", "ANONYMOUS"];
        let scram = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"];
        for mechanism in simple.iter().chain(&scram) {
            assert!(list.contains(&format!(" {mechanism} ")), "{mechanism} in {list}");
        }

        scram_by_hand(&clients, true);
        scram_by_hand(&clients, false);

        let (mut other, mut said) = client(&clients, c"PLAIN");
        assert_eq!(said, [b"tim\0tim\0", PASSWORD].concat());
        for is_right in [true, false] {
            let mut server = null_mut();
            let service = (c"imap".as_ptr(), c"localhost".as_ptr());
            let list = servers.as_ptr();
            let made =
                sasl_server_new(service.0, service.1, null(), null(), null(), list, 0, &mut server);
            assert_eq!(made, SASL_OK);
            let (mut answer, mut length) = (null(), 0);
            let heard = said.len().try_into().unwrap();
            let places = (&mut answer, &mut length);
            let plain = c"PLAIN".as_ptr();
            let result =
                sasl_server_start(server, plain, said.as_ptr().cast(), heard, places.0, places.1);
            assert_eq!(result == SASL_OK, is_right, "{result}");
            sasl_dispose(&mut server);
            // The second time with a wrong password.
            *said.last_mut().unwrap() = b'g';
        }
        for connection in [&mut one, &mut other] {
            sasl_dispose(connection);
        }
    }
}
