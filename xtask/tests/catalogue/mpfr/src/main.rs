//! Computes pi to a hundred digits, and rounds a third down and up.

use std::ffi::{CStr, c_char, c_int, c_long, c_ulong};
use std::mem::MaybeUninit;
use std::ptr;

#[repr(C)]
struct Mpfr {
    precision: c_long,
    sign: c_int,
    exponent: c_long,
    limbs: *mut c_ulong,
}

const NEAREST: c_int = 0;
const UP: c_int = 2;
const DOWN: c_int = 3;

#[link(name = "mpfr", kind = "static")]
unsafe extern "C" {
    fn mpfr_get_version() -> *const c_char;
    fn mpfr_init2(number: *mut Mpfr, bits: c_long);
    fn mpfr_clear(number: *mut Mpfr);
    fn mpfr_const_pi(out: *mut Mpfr, rounding: c_int) -> c_int;
    fn mpfr_set_ui_2exp(out: *mut Mpfr, value: c_ulong, exponent: c_long, rounding: c_int)
    -> c_int;
    fn mpfr_div_ui(out: *mut Mpfr, number: *const Mpfr, by: c_ulong, rounding: c_int) -> c_int;
    fn mpfr_cmp(left: *const Mpfr, right: *const Mpfr) -> c_int;
    fn mpfr_get_str(
        text: *mut c_char,
        exponent: *mut c_long,
        base: c_int,
        digits: usize,
        number: *const Mpfr,
        rounding: c_int,
    ) -> *mut c_char;
    fn mpfr_free_str(text: *mut c_char);
}
#[link(name = "gmp", kind = "static")]
unsafe extern "C" {}

struct Number(Mpfr);

impl Number {
    fn new(bits: c_long) -> Self {
        let mut number = MaybeUninit::uninit();
        // SAFETY: `mpfr_init2` fills it; what is below has a number that exists.
        Self(unsafe {
            mpfr_init2(number.as_mut_ptr(), bits);
            number.assume_init()
        })
    }

    fn digits(&self, count: usize) -> String {
        let mut exponent = 0;
        unsafe {
            let text =
                mpfr_get_str(ptr::null_mut(), &raw mut exponent, 10, count, &self.0, NEAREST);
            let copy = CStr::from_ptr(text).to_str().unwrap().to_owned();
            mpfr_free_str(text);
            copy
        }
    }

    fn third(rounding: c_int) -> Self {
        let (mut one, mut third) = (Self::new(64), Self::new(64));
        unsafe {
            mpfr_set_ui_2exp(&raw mut one.0, 1, 0, NEAREST);
            mpfr_div_ui(&raw mut third.0, &one.0, 3, rounding);
        }
        third
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        unsafe { mpfr_clear(&raw mut self.0) };
    }
}

fn main() {
    let version = unsafe { CStr::from_ptr(mpfr_get_version()) }.to_str().unwrap();
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());
    let mut pi = Number::new(400);
    unsafe { mpfr_const_pi(&raw mut pi.0, NEAREST) };
    assert_eq!(
        pi.digits(100),
        "3141592653589793238462643383279502884197169399375105820974944592307816406286208998628034825342117068"
    );
    let (less, more) = (Number::third(DOWN), Number::third(UP));
    assert!(unsafe { mpfr_cmp(&less.0, &more.0) } < 0, "a third has no end in base two");
}
