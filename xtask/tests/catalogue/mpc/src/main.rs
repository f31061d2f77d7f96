//! The square root of -1, and of another complex number whose root is a whole one.

use std::ffi::{CStr, c_char, c_double, c_int, c_long, c_ulong};
use std::mem::MaybeUninit;

#[repr(C)]
struct Mpfr {
    precision: c_long,
    sign: c_int,
    exponent: c_long,
    limbs: *mut c_ulong,
}

#[repr(C)]
struct Mpc {
    real: Mpfr,
    imaginary: Mpfr,
}

#[link(name = "mpc", kind = "static")]
unsafe extern "C" {
    fn mpc_get_version() -> *const c_char;
    fn mpc_init2(number: *mut Mpc, bits: c_long);
    fn mpc_clear(number: *mut Mpc);
    fn mpc_set_d_d(out: *mut Mpc, real: c_double, imaginary: c_double, rounding: c_int) -> c_int;
    fn mpc_sqrt(out: *mut Mpc, number: *const Mpc, rounding: c_int) -> c_int;
    fn mpc_get_str(base: c_int, digits: usize, number: *const Mpc, rounding: c_int) -> *mut c_char;
    fn mpc_free_str(text: *mut c_char);
}
#[link(name = "mpfr", kind = "static")]
unsafe extern "C" {}
#[link(name = "gmp", kind = "static")]
unsafe extern "C" {}

/// The square root of a number, in words.
fn root(real: f64, imaginary: f64) -> String {
    let mut number = MaybeUninit::uninit();
    // SAFETY: `mpc_init2` fills it, and all others have a number that exists.
    unsafe {
        mpc_init2(number.as_mut_ptr(), 200);
        let mut number = number.assume_init();
        mpc_set_d_d(&raw mut number, real, imaginary, 0);
        let itself = &raw mut number;
        mpc_sqrt(itself, itself, 0);
        let text = mpc_get_str(10, 5, &raw const number, 0);
        let copy = CStr::from_ptr(text).to_str().unwrap().to_owned();
        mpc_free_str(text);
        mpc_clear(&raw mut number);
        copy
    }
}

fn main() {
    let version = unsafe { CStr::from_ptr(mpc_get_version()) }.to_str().unwrap();
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());
    // (3 + 4i)² is -7 + 24i.
    assert_eq!(root(-7.0, 24.0), "(3.0000 4.0000)");
    assert_eq!(root(-1.0, 0.0), "(+0 1.0000)");
}
