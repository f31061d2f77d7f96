//! Searches through the crate `pcre2`, with and without machine code made for the pattern.

use pcre2::bytes::RegexBuilder;

pub fn main() {
    // Not `pcre2::version`, which is that of the header from which the crate was made.
    let mut text = [0_u8; 64];
    // SAFETY: a version is shorter than that.
    let length = unsafe {
        pcre2_sys::pcre2_config_8(pcre2_sys::PCRE2_CONFIG_VERSION, text.as_mut_ptr().cast())
    };
    let version = std::str::from_utf8(&text[..length as usize - 1]).unwrap();
    let version = version.split(' ').next().unwrap();
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());
    assert!(pcre2::is_jit_available(), "the library is built with its JIT");

    for jit in [true, false] {
        let mut builder = RegexBuilder::new();
        let builder = if jit { builder.jit(true) } else { builder.jit_if_available(false) };
        let regex = builder.utf(true).ucp(true).build(r"(?<=€ )(?<sum>\d+)(?!\d)(?=[.,]\p{Lu})");
        let regex = regex.unwrap();
        let text = "€ 12.a € 345,Ä € 6".as_bytes();
        let found = regex.captures(text).unwrap().unwrap();
        assert_eq!(found.name("sum").unwrap().as_bytes(), b"345");
        assert_eq!(regex.find_iter(text).count(), 1);
    }
    let back = RegexBuilder::new().build(r"^(\w+) \1$").unwrap();
    assert!(back.is_match(b"same same").unwrap() && !back.is_match(b"same other").unwrap());
    assert!(RegexBuilder::new().build("(").is_err());
}
