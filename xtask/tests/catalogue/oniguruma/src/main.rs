//! Searches with look-behind, named groups and letters of several scripts through the crate `onig`.

use std::ffi::CStr;

use onig::{EncodedBytes, Regex, RegexOptions, SearchOptions, Syntax};

unsafe extern "C" {
    fn onig_version() -> *const std::ffi::c_char;
    static mut OnigEncodingISO_8859_1: onig_sys::OnigEncodingType;
}

pub fn main() {
    // SAFETY: the function returns a constant text.
    let version = unsafe { CStr::from_ptr(onig_version()) };
    assert_eq!(version.to_str().unwrap(), std::env::var("MUSLIN_VERSION").unwrap());

    let price = Regex::new(r"(?<=€)(?<whole>\d+)(?:[.,](?<part>\d\d))?(?!\d)").unwrap();
    let found = price.captures("£12.00, €7,50, €8 and €123456").unwrap();
    assert_eq!(found.at(0), Some("7,50"));
    let mut names = Vec::new();
    price.foreach_name(|name, groups| {
        names.push((name.to_owned(), groups.to_vec()));
        true
    });
    names.sort();
    assert_eq!(names, [("part".to_owned(), vec![2]), ("whole".to_owned(), vec![1])]);
    let all: Vec<_> = price.find_iter("€1 €2.30 £4 €5").collect();
    assert_eq!(all.len(), 3);

    let options = RegexOptions::REGEX_OPTION_IGNORECASE;
    let words = Regex::with_options(r"\A\p{Greek}+\z", options, Syntax::ruby()).unwrap();
    assert!(words.is_match("ΣΊΣΥΦΟΣ") && !words.is_match("Sisyphos"));
    let same = Regex::with_options("σίσυφος", options, Syntax::default()).unwrap();
    assert!(same.is_match("ΣΊΣΥΦΟΣ"), "letters of other scripts have two cases too");

    let latin = |bytes| EncodedBytes::from_parts(bytes, &raw mut OnigEncodingISO_8859_1);
    let word = Regex::with_encoding(latin(b"\\A\\w{4}\\z")).unwrap();
    let matched =
        |bytes| word.match_with_encoding(latin(bytes), 0, SearchOptions::SEARCH_OPTION_NONE, None);
    assert_eq!(matched(b"caf\xe9"), Some(4), "a letter beyond ASCII, in one byte");
    assert_eq!(matched(b"caf\xd7"), None, "a sign");

    let error = Regex::new("(unclosed").unwrap_err();
    assert!(error.description().contains("unmatched parenthesis"), "{error}");
}
