//! Computes with numbers of thousands of bits, by the functions for which GMP has code of its own.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_ulong};
use std::mem::MaybeUninit;
use std::ptr;

#[repr(C)]
struct Mpz {
    allocated: c_int,
    size: c_int,
    limbs: *mut c_ulong,
}

#[link(name = "gmp", kind = "static")]
unsafe extern "C" {
    #[link_name = "__gmp_version"]
    static VERSION: *const c_char;
    #[link_name = "__gmpz_init"]
    fn init(number: *mut Mpz);
    #[link_name = "__gmpz_clear"]
    fn clear(number: *mut Mpz);
    #[link_name = "__gmpz_set_si"]
    fn set(number: *mut Mpz, value: c_long);
    #[link_name = "__gmpz_set_str"]
    fn read(number: *mut Mpz, text: *const c_char, base: c_int) -> c_int;
    #[link_name = "__gmpz_sizeinbase"]
    fn digits(number: *const Mpz, base: c_int) -> usize;
    #[link_name = "__gmpz_get_str"]
    fn write(text: *mut c_char, base: c_int, number: *const Mpz) -> *mut c_char;
    #[link_name = "__gmpz_cmp"]
    fn compare(left: *const Mpz, right: *const Mpz) -> c_int;
    #[link_name = "__gmpz_sub_ui"]
    fn less(out: *mut Mpz, number: *const Mpz, by: c_ulong);
    #[link_name = "__gmpz_mul"]
    fn multiply(out: *mut Mpz, left: *const Mpz, right: *const Mpz);
    #[link_name = "__gmpz_tdiv_qr"]
    fn divide(quotient: *mut Mpz, rest: *mut Mpz, number: *const Mpz, by: *const Mpz);
    #[link_name = "__gmpz_ui_pow_ui"]
    fn power(out: *mut Mpz, base: c_ulong, exponent: c_ulong);
    #[link_name = "__gmpz_powm"]
    fn power_modulo(out: *mut Mpz, base: *const Mpz, exponent: *const Mpz, modulus: *const Mpz);
    #[link_name = "__gmpz_invert"]
    fn invert(out: *mut Mpz, number: *const Mpz, modulus: *const Mpz) -> c_int;
    #[link_name = "__gmpz_gcd"]
    fn divisor(out: *mut Mpz, left: *const Mpz, right: *const Mpz);
    #[link_name = "__gmpz_fac_ui"]
    fn factorial(out: *mut Mpz, of: c_ulong);
    #[link_name = "__gmpz_fib_ui"]
    fn fibonacci(out: *mut Mpz, index: c_ulong);
    #[link_name = "__gmpz_jacobi"]
    fn jacobi(number: *const Mpz, modulus: *const Mpz) -> c_int;
    #[link_name = "__gmpz_perfect_square_p"]
    fn is_square(number: *const Mpz) -> c_int;
    #[link_name = "__gmpz_probab_prime_p"]
    fn is_prime(number: *const Mpz, rounds: c_int) -> c_int;
    #[link_name = "__gmp_asprintf"]
    fn print(out: *mut *mut c_char, format: *const c_char, ...) -> c_int;
    fn free(text: *mut c_char);
}

struct Number(Mpz);

impl Number {
    /// A new number, written by `by`.
    fn made(by: impl FnOnce(*mut Mpz)) -> Self {
        let mut number = MaybeUninit::uninit();
        // SAFETY: `init` fills it.
        let mut number = Self(unsafe {
            init(number.as_mut_ptr());
            number.assume_init()
        });
        by(&raw mut number.0);
        number
    }

    fn small(value: c_long) -> Self {
        // SAFETY: a number that exists; so are all below.
        Self::made(|out| unsafe { set(out, value) })
    }

    fn parsed(text: &str, base: c_int) -> Self {
        let text = CString::new(text).unwrap();
        Self::made(|out| assert_eq!(unsafe { read(out, text.as_ptr(), base) }, 0))
    }

    fn text(&self, base: c_int) -> String {
        let mut text = vec![0; unsafe { digits(&raw const self.0, base) } + 2];
        // SAFETY: it has the size that GMP's manual asks for.
        let text = unsafe { CStr::from_ptr(write(text.as_mut_ptr(), base, &raw const self.0)) };
        text.to_str().unwrap().to_owned()
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        unsafe { compare(&raw const self.0, &raw const other.0) == 0 }
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        unsafe { clear(&raw mut self.0) };
    }
}

fn main() {
    let version = unsafe { CStr::from_ptr(VERSION) }.to_str().unwrap();
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());
    texts_and_products();
    primes();
    tables();
}

fn texts_and_products() {
    // So long that multiplication is by Fourier transforms, and division by Newton's method.
    let left = Number::made(|out| unsafe { power(out, 3, 300_000) });
    let right = Number::made(|out| unsafe { power(out, 7, 200_000) });
    let product = Number::made(|out| unsafe { multiply(out, &left.0, &right.0) });
    let mut rest = Number::small(-1);
    let quotient =
        Number::made(|out| unsafe { divide(out, &raw mut rest.0, &product.0, &right.0) });
    assert!(quotient == left && rest == Number::small(0));
    for base in [2, 10, 16, 62] {
        assert!(Number::parsed(&product.text(base), base) == product, "base {base}");
    }
    assert_eq!(Number::made(|out| unsafe { power(out, 2, 100) }).text(10), TWO_TO_100);
    assert_eq!(Number::parsed("-ff", 16).text(10), "-255");
    assert_eq!(unsafe { read(&raw mut rest.0, c"12x".as_ptr(), 10) }, -1);

    let mut line = ptr::null_mut();
    // SAFETY: what the format says; the text is freed as it was allocated.
    unsafe {
        let number = Number::small(-77);
        let length =
            print(&raw mut line, c"[%6Zd|%Zx]".as_ptr(), &raw const number.0, &raw const number.0);
        assert_eq!(CStr::from_ptr(line), c"[   -77|-4d]");
        assert_eq!(length, 12);
        free(line);
    }
}

const TWO_TO_100: &str = "1267650600228229401496703205376";

fn primes() {
    // The Mersenne number of 2203 is a prime, that of 2207 none.
    let mersenne = |exponent| {
        let power = Number::made(|out| unsafe { power(out, 2, exponent) });
        Number::made(|out| unsafe { less(out, &power.0, 1) })
    };
    let prime = mersenne(2203);
    unsafe {
        assert!(is_prime(&prime.0, 10) > 0);
        assert_eq!(is_prime(&mersenne(2207).0, 10), 0);
    }
    // What Fermat says of it, and inverses.
    let base = Number::small(12_345);
    let exponent = Number::made(|out| unsafe { less(out, &prime.0, 1) });
    let one = Number::made(|out| unsafe { power_modulo(out, &base.0, &exponent.0, &prime.0) });
    assert_eq!(one.text(10), "1");
    let inverse = Number::made(|out| unsafe { assert_ne!(invert(out, &base.0, &prime.0), 0) });
    let product = Number::made(|out| unsafe { multiply(out, &inverse.0, &base.0) });
    let rest = Number::made(|out| unsafe { power_modulo(out, &product.0, &one.0, &prime.0) });
    assert!(rest == one);
}

/// What is computed with tables that programs of GMP's made while it was built.
fn tables() {
    let number = Number::made(|out| unsafe { factorial(out, 30) });
    assert_eq!(number.text(10), "265252859812191058636308480000000");
    let fib = |index| Number::made(|out| unsafe { fibonacci(out, index) });
    assert_eq!(fib(150).text(10), "9969216677189303386214405760200");
    let common = Number::made(|out| unsafe { divisor(out, &fib(3000).0, &fib(2400).0) });
    assert!(common == fib(600), "as the indices have 600 in common");
    let (two, three, seven) = (Number::small(2), Number::small(3), Number::small(7));
    unsafe {
        assert_eq!((jacobi(&two.0, &seven.0), jacobi(&three.0, &seven.0)), (1, -1));
        let square = Number::made(|out| multiply(out, &number.0, &number.0));
        assert!(is_square(&square.0) != 0 && is_square(&number.0) == 0);
    }
}
