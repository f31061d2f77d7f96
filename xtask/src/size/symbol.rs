//! A symbol's mangled name → the Rust crate whose source has the function, and a short readable name.
//!
//! Generic code counts to the crate that it is written in, not to the one that uses it. Both manglings
//! of rustc are read (v0 of RFC 2603, and the legacy one) and nothing else: what is neither is no
//! Rust name.

mod legacy;
mod v0;

/// A name that is longer was made to keep us busy.
const NAME_MAX_BYTES: usize = 1 << 16;

/// What a mangled name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RustName {
    /// The crate's name as in code: with `_` for `-`.
    pub krate: String,
    /// `core::fmt::write`, `std::io::{impl}::write_all`.
    pub path: String,
}

/// Reads a mangled name.
pub fn rust_name(symbol: &str) -> Option<RustName> {
    if symbol.len() > NAME_MAX_BYTES || !symbol.is_ascii() {
        return None;
    }
    let name = match symbol.strip_prefix("_R") {
        Some(rest) => {
            let parts = v0::path(rest.as_bytes())?;
            RustName { krate: parts.first()?.clone(), path: parts.join("::") }
        }
        None => legacy::name(symbol.strip_prefix("_ZN")?)?,
    };
    // Anything may stand in a file.
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.krate.is_empty() && name.krate.chars().all(is_word)).then_some(name)
}

/// The mangled name in an object's section name: `.text.unlikely._RNv…`, `.rodata._ZN…`.
pub fn in_section(section: &str) -> Option<&str> {
    let place = |begin| section.find(begin).map(|at| at + 1);
    section.get(place("._R").or_else(|| place("._ZN"))?..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(symbol: &str) -> (String, String) {
        let name = rust_name(symbol).unwrap_or_else(|| panic!("{symbol}"));
        (name.krate, name.path)
    }

    fn said(krate: &str, path: &str) -> (String, String) {
        (krate.to_owned(), path.to_owned())
    }

    #[test]
    fn the_newer_mangling_says_where_a_function_is_written() {
        let write = "_RNvNtCs7BliBxkEZsN_4core3fmt5write";
        assert_eq!(read(write), said("core", "core::fmt::write"));
        // An implementation of core's trait for another crate's type, written in that crate.
        let x = "_RNvXs1i_NtCs7BliBxkEZsN_4core3fmtRNtCsaL18yR2AWFC_14rustc_demangle13DemangleStyleNtB6_7Display3fmt";
        assert_eq!(read(x), said("core", "core::fmt::{impl}::fmt"));
        let inherent = "_RNvMsc_NtNtCs8w4ax0dKNtV_5gimli4read8rnglistsINtB5_11RngListIterhE4next";
        assert_eq!(read(inherent), said("gimli", "gimli::read::rnglists::{impl}::next"));
        // Generic code of core, made for a tuple of another crate's type.
        let sort = "_RINvNtNtNtNtCs7BliBxkEZsN_4core5slice4sort6stable9quicksort9quicksortTNtNtCs8w4ax0dKNtV_5gimli4read3keyjENCNvCs1_3app4main0E";
        let path = "core::slice::sort::stable::quicksort::quicksort";
        assert_eq!(read(sort), said("core", path));
        // A function that a trait provides: the type comes first, and is passed over.
        let provided = "_RNvYINtNtCs2Nb_5alloc3vec3VechENtNtCs9_3std2io5Write9write_all";
        assert_eq!(read(provided), said("std", "std::io::Write::write_all"));
        let closure = "_RNCNvCs1234_7mycrate4main0";
        assert_eq!(read(closure), said("mycrate", "mycrate::main::{closure}"));
        let suffix = "_RNvCs_1a1b.llvm.12345";
        assert_eq!(read(suffix), said("a", "a::b"));
        // Types of all kinds: function pointers, arrays, trait objects, constants.
        let types = "_RINvCs1_1a1bFUKCRhPSoEuAhj4_DNtCs2_1c1tp1XyEL_Kj1f_KpE";
        assert_eq!(read(types), said("a", "a::b"));
    }

    #[test]
    fn the_older_mangling_has_names_with_lengths_and_a_hash() {
        let main = "_ZN5hello4main17h0123456789abcdefE";
        assert_eq!(read(main), said("hello", "hello::main"));
        let of_type = "_ZN66_$LT$clap_lex..RawArgs$u20$as$u20$core..convert..From$LT$I$GT$$GT$4from17h0123456789abcdefE";
        let path = "<clap_lex::RawArgs as core::convert::From<I>>::from";
        assert_eq!(read(of_type), said("clap_lex", path));
        let blanket = "_ZN44_$LT$$RF$T$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE";
        assert_eq!(read(blanket), said("core", "<&T as core::fmt::Display>::fmt"));
    }

    #[test]
    fn what_rustc_did_not_make_is_no_rust_name() {
        let cpp = "_ZN9libunwind12UnwindCursorINS_17LocalAddressSpaceEE4stepEv";
        for symbol in [
            cpp,
            "_ZN3foo3barE",
            "main",
            "sqlite3_open",
            "_R",
            "_RNvC",
            "_ZN99999999999999999999E",
            "_RNvB_1a",
            "_RB_",
            "_RNvC3\u{1b}[m1a",
            "_RNvC01a",
            "_RNvCs1_1aé",
        ] {
            assert_eq!(rust_name(symbol), None, "{symbol}");
        }
        // What refers to itself or goes too deep ends.
        assert_eq!(rust_name(&format!("_R{}C1a", "Nv".repeat(5000))), None);
        assert_eq!(rust_name("_RINvC1a1bB_E"), None);
    }

    #[test]
    fn section_names_have_mangled_names_in_them() {
        assert_eq!(in_section(".text.unlikely._RNvC1a1b"), Some("_RNvC1a1b"));
        assert_eq!(in_section(".gcc_except_table._ZN1a1bE"), Some("_ZN1a1bE"));
        assert_eq!(in_section(".rodata..Lanon.466f.1"), None);
        assert_eq!(in_section(".text.main"), None);
    }
}
