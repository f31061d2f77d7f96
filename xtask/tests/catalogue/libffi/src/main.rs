//! Calls C functions of several shapes by a description, and makes C functions of closures, through the
//! crate `libffi`.

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};

use libffi::low::ffi_cif;
use libffi::middle::{Arg, Cif, Closure, CodePtr, Type, arg};

unsafe extern "C" {
    // Of the library, and newer than the crate's list of functions.
    fn ffi_get_version() -> *const c_char;
    fn ffi_get_version_number() -> c_ulong;
    fn ffi_get_default_abi() -> c_uint;
    fn ffi_get_closure_size() -> usize;

    fn snprintf(out: *mut c_char, size: usize, format: *const c_char, ...) -> c_int;
    fn qsort(base: *mut c_void, count: usize, size: usize, compare: *const c_void);
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Mixed {
    small: u8,
    float: f32,
    wide: f64,
    signed: i64,
}

/// More arguments than any CPU has registers for, of both kinds, and a result of several words.
#[expect(clippy::too_many_arguments, reason = "so that some are on the stack")]
extern "C" fn mix(
    a: i8,
    b: f64,
    c: u16,
    d: f32,
    e: i64,
    f: Mixed,
    g: f64,
    h: f64,
    i: u32,
    j: f64,
    k: i64,
    l: f64,
) -> Mixed {
    let wide = b + f64::from(d) + f.wide + g + h + j + l;
    let signed = i64::from(a) + i64::from(c) + e + f.signed + i64::from(i) + k;
    Mixed { small: f.small + 1, float: f.float * 2.0, wide, signed }
}

fn main() {
    let version = std::env::var("MUSLIN_VERSION").unwrap();
    // The version 3.6.0 was published with the number of the one before it, in its configure.ac.
    let (said, number) =
        if version == "3.6.0" { ("3.5.2", 30_502) } else { (version.as_str(), number(&version)) };
    // SAFETY: a text of the library's.
    let found = unsafe { CStr::from_ptr(ffi_get_version()) }.to_str().unwrap();
    assert_eq!(found, said);
    unsafe {
        assert_eq!(ffi_get_version_number(), number);
        // The crate's own picture of the library.
        assert_eq!(ffi_get_default_abi(), libffi::raw::ffi_abi_FFI_DEFAULT_ABI);
        assert_eq!(ffi_get_closure_size(), size_of::<libffi::raw::ffi_closure>());
    }
    structures();
    variable_arguments();
    closures();
}

/// 30502 for 3.5.2.
fn number(version: &str) -> c_ulong {
    version.split('.').fold(0, |sum, part| sum * 100 + part.parse::<c_ulong>().unwrap())
}

fn structures() {
    let fields = [Type::u8(), Type::f32(), Type::f64(), Type::i64()];
    let mixed = Type::structure(fields);
    let cif = Cif::new(
        [
            Type::i8(),
            Type::f64(),
            Type::u16(),
            Type::f32(),
            Type::i64(),
            mixed.clone(),
            Type::f64(),
            Type::f64(),
            Type::u32(),
            Type::f64(),
            Type::i64(),
            Type::f64(),
        ],
        mixed,
    );
    let given = Mixed { small: 254, float: 1.25, wide: 0.5, signed: -1 << 40 };
    let (a, b, c, d, e) = (-7_i8, 1.5_f64, 65_535_u16, 2.25_f32, 1_i64 << 41);
    let (i, k) = (u32::MAX, -3_i64);
    let args = [
        arg(&a),
        arg(&b),
        arg(&c),
        arg(&d),
        arg(&e),
        arg(&given),
        arg(&b),
        arg(&b),
        arg(&i),
        arg(&b),
        arg(&k),
        arg(&b),
    ];
    // SAFETY: the types are those of the function.
    let got: Mixed = unsafe { cif.call(CodePtr(mix as *mut c_void), &args) };
    assert_eq!(got, mix(a, b, c, d, e, given, b, b, i, b, k, b));
    assert_eq!((got.small, got.wide), (255, 10.25));
}

fn variable_arguments() {
    let cif = Cif::new_variadic(
        [Type::pointer(), Type::usize(), Type::pointer(), Type::c_int(), Type::f64()],
        3,
        Type::c_int(),
    );
    let mut text = [0_u8; 32];
    let (out, size, format) = (text.as_mut_ptr(), text.len(), c"%d and %.3f".as_ptr());
    let (number, float) = (-42 as c_int, 2.5_f64);
    let args: [Arg; 5] = [arg(&out), arg(&size), arg(&format), arg(&number), arg(&float)];
    // SAFETY: what the format says.
    let length: c_int = unsafe { cif.call(CodePtr(snprintf as *mut c_void), &args) };
    assert_eq!(&text[..length as usize], b"-42 and 2.500");
}

/// How often it was called, and how it is to compare.
struct Order {
    calls: u32,
    descending: bool,
}

unsafe extern "C" fn compare(
    _: &ffi_cif,
    result: &mut c_int,
    args: *const *const c_void,
    order: &mut Order,
) {
    // SAFETY: two pointers to numbers, as the closure's types say.
    let [left, right] = [0, 1].map(|at| unsafe { **(*args.add(at)).cast::<*const u32>() });
    order.calls += 1;
    let by = if order.descending { right.cmp(&left) } else { left.cmp(&right) };
    *result = by as c_int;
}

fn closures() {
    for descending in [false, true] {
        let mut order = Order { calls: 0, descending };
        let mut numbers = [5_u32, 9, 1, 7, 3];
        let cif = Cif::new([Type::pointer(), Type::pointer()], Type::c_int());
        let closure = Closure::new_mut(cif, compare, &mut order);
        let code = *closure.code_ptr() as *const c_void;
        // SAFETY: an array, and a function of two pointers into it.
        unsafe { qsort(numbers.as_mut_ptr().cast(), numbers.len(), size_of::<u32>(), code) };
        drop(closure);
        assert_eq!(numbers, if descending { [9, 7, 5, 3, 1] } else { [1, 3, 5, 7, 9] });
        assert!(order.calls >= 4, "it was this closure");
    }
}
