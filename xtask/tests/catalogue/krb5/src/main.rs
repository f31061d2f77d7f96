//! Names and mechanisms through the crate `libgssapi-sys`, and Kerberos' own way from a password to a
//! key. There is no server here to log in at.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::mem::zeroed;
use std::ptr::null_mut;
use std::slice::from_raw_parts;

use libgssapi_sys::{
    GSS_C_GSS_CODE, GSS_C_INITIATE, GSS_C_MECH_CODE, GSS_C_NT_HOSTBASED_SERVICE, gss_OID_desc,
    gss_OID_set, gss_acquire_cred, gss_buffer_desc, gss_canonicalize_name, gss_display_name,
    gss_display_status, gss_import_name, gss_indicate_mechs, gss_release_buffer, gss_release_name,
};

/// A key as the library has it.
#[repr(C)]
struct Key {
    magic: c_int,
    kind: c_int,
    length: c_uint,
    bytes: *mut u8,
}

/// Bytes as the library takes them.
#[repr(C)]
struct Data {
    magic: c_int,
    length: c_uint,
    bytes: *mut c_char,
}

// The crate names the first of the libraries only; the linker finds the others by itself.
unsafe extern "C" {
    /// A text with an end, longer than this.
    static krb5_brand: [c_char; 1];

    fn krb5_init_context(context: *mut *mut c_void) -> c_int;
    fn krb5_free_context(context: *mut c_void);
    fn krb5_c_string_to_key_with_params(
        context: *mut c_void,
        kind: c_int,
        password: *const Data,
        salt: *const Data,
        parameters: *const Data,
        key: *mut Key,
    ) -> c_int;
    fn krb5_free_keyblock_contents(context: *mut c_void, key: *mut Key);
}

/// The identifier of Kerberos 5 among mechanisms.
const KERBEROS: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
/// That of the negotiation between mechanisms.
const SPNEGO: &[u8] = b"\x2b\x06\x01\x05\x05\x02";

fn data(bytes: &[u8]) -> Data {
    let length = bytes.len().try_into().unwrap();
    Data { magic: 0, length, bytes: bytes.as_ptr().cast_mut().cast() }
}

fn taken(mut buffer: gss_buffer_desc) -> String {
    // SAFETY: a buffer that the library filled, and wants back.
    unsafe {
        let bytes = from_raw_parts(buffer.value.cast::<u8>(), buffer.length).to_vec();
        gss_release_buffer(&mut 0, &mut buffer);
        String::from_utf8(bytes).unwrap()
    }
}

fn mechanisms() -> Vec<Vec<u8>> {
    let mut set: gss_OID_set = null_mut();
    // SAFETY: a place for the answer, which is a list of that many identifiers.
    unsafe {
        assert_eq!(gss_indicate_mechs(&mut 0, &mut set), 0);
        let all = from_raw_parts((*set).elements, (*set).count);
        let bytes = |it: &gss_OID_desc| {
            from_raw_parts(it.elements.cast::<u8>(), it.length.try_into().unwrap()).to_vec()
        };
        all.iter().map(bytes).collect()
    }
}

/// What Kerberos calls a service of a host.
fn canonical(service: &str) -> String {
    let mut text =
        gss_buffer_desc { length: service.len(), value: service.as_ptr().cast_mut().cast() };
    let (mut name, mut kerberos_name) = (null_mut(), null_mut());
    let mut mechanism = kerberos();
    // SAFETY: texts and identifiers that live longer than the calls, and places for the answers.
    unsafe {
        let kind = GSS_C_NT_HOSTBASED_SERVICE;
        assert_eq!(gss_import_name(&mut 0, &mut text, kind, &mut name), 0);
        let place = &mut kerberos_name;
        assert_eq!(gss_canonicalize_name(&mut 0, name, &mut mechanism, place), 0);
        let mut shown = zeroed();
        assert_eq!(gss_display_name(&mut 0, kerberos_name, &mut shown, null_mut()), 0);
        gss_release_name(&mut 0, &mut name);
        gss_release_name(&mut 0, &mut kerberos_name);
        taken(shown)
    }
}

fn kerberos() -> gss_OID_desc {
    let length = KERBEROS.len().try_into().unwrap();
    gss_OID_desc { length, elements: KERBEROS.as_ptr().cast_mut().cast() }
}

fn message(code: u32, kind: u32) -> String {
    let mut mechanism = kerberos();
    // SAFETY: an identifier that lives longer than the call, and places for the answers.
    unsafe {
        let mut text = zeroed();
        let kind = kind.try_into().unwrap();
        gss_display_status(&mut 0, code, kind, &mut mechanism, &mut 0, &mut text);
        taken(text)
    }
}

fn key_of(password: &[u8], salt: &[u8], rounds: u32, kind: c_int) -> Vec<u8> {
    let rounds = rounds.to_be_bytes();
    let (password, salt, rounds) = (data(password), data(salt), data(&rounds));
    let mut context = null_mut();
    // SAFETY: bytes that live longer than the calls, and places for the answers.
    unsafe {
        assert_eq!(krb5_init_context(&mut context), 0);
        let mut key: Key = zeroed();
        let made =
            krb5_c_string_to_key_with_params(context, kind, &password, &salt, &rounds, &mut key);
        assert_eq!(made, 0);
        let bytes = from_raw_parts(key.bytes, key.length.try_into().unwrap()).to_vec();
        krb5_free_keyblock_contents(context, &mut key);
        krb5_free_context(context);
        bytes
    }
}

fn main() {
    let settings = "[libdefaults]\n dns_canonicalize_hostname = false\n\
        [domain_realm]\n .example.org = EXAMPLE.ORG\n";
    std::fs::write("/tmp/krb5.conf", settings).unwrap();
    // SAFETY: there is one thread.
    unsafe {
        std::env::set_var("KRB5_CONFIG", "/tmp/krb5.conf");
        std::env::set_var("KRB5CCNAME", "FILE:/tmp/none");
    }

    // SAFETY: a constant text with an end.
    let brand = unsafe { CStr::from_ptr((&raw const krb5_brand).cast()) }.to_str().unwrap();
    let version = std::env::var("MUSLIN_VERSION").unwrap();
    assert!(brand.contains(&format!(" krb5-{version}-final ")), "{brand}");

    let all = mechanisms();
    assert!(all.iter().any(|it| it == KERBEROS) && all.iter().any(|it| it == SPNEGO), "{all:x?}");
    // Without a name server the name is taken as it is.
    assert_eq!(canonical("ldap@server.example.org"), "ldap/server.example.org@EXAMPLE.ORG");

    // Nobody is logged in.
    let (mut minor, mut credential) = (0, null_mut());
    let use_of = GSS_C_INITIATE.try_into().unwrap();
    // SAFETY: places for the answers, and none for what is not asked.
    let major = unsafe {
        gss_acquire_cred(
            &mut minor,
            null_mut(),
            0,
            null_mut(),
            use_of,
            &mut credential,
            null_mut(),
            null_mut(),
        )
    };
    assert_ne!(major, 0);
    let messages = (message(major, GSS_C_GSS_CODE), message(minor, GSS_C_MECH_CODE));
    assert!(messages.1.contains("No Kerberos credentials available"), "{messages:?}");

    // The examples in RFC 8009, for the kinds 19 and 20 (AES with 128 and with 256 bits).
    let salt =
        b"\x10\xdf\x9d\xd7\x83\xe5\xbc\x8a\xce\xa1\x73\x0e\x74\x35\x5f\x61ATHENA.MIT.EDUraeburn";
    let short = b"\x08\x9b\xca\x48\xb1\x05\xea\x6e\xa7\x7c\xa5\xd2\xf3\x9d\xc5\xe7";
    assert_eq!(key_of(b"password", salt, 32768, 19), short);
    let long = b"\x45\xbd\x80\x6d\xbf\x6a\x83\x3a\x9c\xff\xc1\xc9\x45\x89\xa2\x22\
        \x36\x7a\x79\xbc\x21\xc4\x13\x71\x89\x06\xe9\xf5\x78\xa7\x84\x67";
    assert_eq!(key_of(b"password", salt, 32768, 20), long);
}
