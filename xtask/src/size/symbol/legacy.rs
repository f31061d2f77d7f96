//! rustc's older mangling, which is C++'s with a hash at its end.

use super::RustName;

/// `_ZN`, then names with their lengths, of which the last is a hash: `17h0123456789abcdefE`.
pub fn name(mut rest: &str) -> Option<RustName> {
    let mut parts = Vec::new();
    while !rest.starts_with('E') {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let length: usize = rest[..digits].parse().ok()?;
        parts.push(rest.get(digits..digits.checked_add(length)?)?);
        rest = &rest[digits + length..];
    }
    let hash = parts.pop()?.strip_prefix('h')?;
    if hash.len() != 16 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let words: Vec<String> = parts.iter().map(|part| unescaped(part)).collect();
    let first = words.first()?;
    // Of `<A as B>` it does not say where it is written. That is where A or B is: A, if it has a path.
    let krate = match first.strip_prefix('<') {
        Some(types) => types.split(" as ").find_map(crate_of_type)?,
        None => first.clone(),
    };
    Some(RustName { krate, path: words.join("::") })
}

/// The crate of a type or trait, as it stands in a legacy name: `&mut core::fmt::Formatter<T>`.
fn crate_of_type(text: &str) -> Option<String> {
    let start = text.trim_start_matches(['&', '[', '(', '*', '<']);
    let start =
        ["mut ", "const ", "dyn "].iter().fold(start, |it, word| it.trim_start_matches(word));
    let (head, _) = start.split_once("::")?;
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    (!head.is_empty() && head.chars().all(is_name)).then(|| head.to_owned())
}

/// `_$LT$a..b$u20$as$u20$c$GT$` as `<a::b as c>`.
fn unescaped(part: &str) -> String {
    let part = if part.starts_with("_$") { &part[1..] } else { part };
    let mut text = String::new();
    let mut pieces = part.split('$');
    text += pieces.next().unwrap_or_default();
    let mut is_code = true;
    for piece in pieces {
        let known = match piece {
            "LT" => Some('<'),
            "GT" => Some('>'),
            "RF" => Some('&'),
            "BP" => Some('*'),
            "LP" => Some('('),
            "RP" => Some(')'),
            "C" => Some(','),
            "SP" => Some('@'),
            code => code
                .strip_prefix('u')
                .and_then(|hex| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)),
        };
        match known.filter(|_| is_code) {
            Some(c) => text.push(c),
            None => text += piece,
        }
        // Codes and what is between them take turns.
        is_code = !is_code;
    }
    text.replace("..", "::")
}
