//! Signs, seals and hashes through the crate `libsodium-sys`.

use std::ffi::CStr;
use std::ptr::{null, null_mut};

use libsodium_sys as sodium;

pub fn main() {
    // SAFETY: it may be called more than once, and before all else it must be.
    assert!(unsafe { sodium::sodium_init() } >= 0);
    // SAFETY: the function returns a constant text.
    let version = unsafe { CStr::from_ptr(sodium::sodium_version_string()) };
    assert_eq!(version.to_str().unwrap(), std::env::var("MUSLIN_VERSION").unwrap());
    hash();
    sign();
    seal();
    derive();
}

/// BLAKE2b of nothing is a number that the whole world knows.
fn hash() {
    let mut digest = [0; 64];
    // SAFETY: the buffer is as long as is said, and nothing is read.
    let result = unsafe {
        sodium::crypto_generichash(digest.as_mut_ptr(), digest.len(), null(), 0, null(), 0)
    };
    assert_eq!(result, 0);
    assert_eq!(digest[..4], [0x78, 0x6a, 0x02, 0xf7]);
    assert_eq!(digest[60..], [0xfe, 0x9b, 0xe2, 0xce]);
}

/// An Ed25519 signature holds for its message, and for no other.
fn sign() {
    let (mut public, mut secret) = ([0; 32], [0; 64]);
    let mut signature = [0; 64];
    let message = b"a message";
    // SAFETY: keys and signatures have their constant sizes.
    unsafe {
        let seed = [7; 32];
        let keys = sodium::crypto_sign_seed_keypair(
            public.as_mut_ptr(),
            secret.as_mut_ptr(),
            seed.as_ptr(),
        );
        assert_eq!(keys, 0);
        let signed = sodium::crypto_sign_detached(
            signature.as_mut_ptr(),
            null_mut(),
            message.as_ptr(),
            message.len() as u64,
            secret.as_ptr(),
        );
        assert_eq!(signed, 0);
    }
    let is_valid = |message: &[u8]| {
        // SAFETY: as above.
        let result = unsafe {
            sodium::crypto_sign_verify_detached(
                signature.as_ptr(),
                message.as_ptr(),
                message.len() as u64,
                public.as_ptr(),
            )
        };
        result == 0
    };
    assert!(is_valid(message));
    assert!(!is_valid(b"A message"));
}

/// What was encrypted is the same again, and a changed bit is noticed.
fn seal() {
    let text: Vec<u8> = (0..10_000u32).flat_map(u32::to_le_bytes).collect();
    let mut key = [0; 32];
    let nonce = [3; 24];
    let mut sealed = vec![0; text.len() + 16];
    // SAFETY: the buffers are as long as is said; the sealed text has 16 bytes more.
    let result = unsafe {
        sodium::randombytes_buf(key.as_mut_ptr().cast(), key.len());
        sodium::crypto_secretbox_easy(
            sealed.as_mut_ptr(),
            text.as_ptr(),
            text.len() as u64,
            nonce.as_ptr(),
            key.as_ptr(),
        )
    };
    assert_eq!(result, 0);
    assert!(key.iter().any(|&byte| byte != 0), "random bytes came from the kernel");
    let open = |sealed: &[u8]| {
        let mut text = vec![0; sealed.len() - 16];
        // SAFETY: as above.
        let result = unsafe {
            sodium::crypto_secretbox_open_easy(
                text.as_mut_ptr(),
                sealed.as_ptr(),
                sealed.len() as u64,
                nonce.as_ptr(),
                key.as_ptr(),
            )
        };
        (result == 0).then_some(text)
    };
    assert_eq!(open(&sealed), Some(text));
    sealed[100] ^= 1;
    assert_eq!(open(&sealed), None);
}

/// Argon2id with the least of time and memory.
fn derive() {
    let mut text = [0; 128];
    let password = b"correct horse";
    // SAFETY: the text has room for crypto_pwhash_STRBYTES, and the password ends where is said.
    unsafe {
        let made =
            sodium::crypto_pwhash_str(text.as_mut_ptr(), password.as_ptr().cast(), 13, 1, 1 << 16);
        assert_eq!(made, 0);
        assert!(CStr::from_ptr(text.as_ptr()).to_str().unwrap().starts_with("$argon2id$"));
        let verify = |password: &[u8]| {
            sodium::crypto_pwhash_str_verify(text.as_ptr(), password.as_ptr().cast(), 13)
        };
        assert_eq!(verify(password), 0);
        assert_ne!(verify(b"wrong  horse!"), 0);
    }
}
