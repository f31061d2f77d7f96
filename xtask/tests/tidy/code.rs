//! Rust source with everything taken out that is not code, line for line, so that rules find calls
//! and not words about them.

/// The text with comments and the insides of literals blanked.
pub fn only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest, out.chars().next_back());
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (blanked, after) = rest.split_at(length);
            out.extend(blanked.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = after;
        }
    }
    out
}

/// The code that is no test: up to the module of tests, which stands last.
pub fn without_tests(text: &str) -> String {
    let code = only(text);
    let is_module = |at: &usize| {
        let mut lines =
            code[*at..].lines().skip_while(|line| line.is_empty() || line.starts_with('#'));
        lines.next().is_some_and(|line| line.starts_with("mod tests"))
    };
    let mut marks = code.match_indices("\n#[cfg(test)]").map(|(at, _)| at);
    let end = marks.find(is_module).unwrap_or(code.len());
    code[..end].to_owned()
}

/// Bytes of the comment or literal that begins here; 0 if none does.
fn skipped(rest: &str, before: Option<char>) -> usize {
    let is_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    if let Some(raw) = rest.strip_prefix(['r', 'c', 'b']).filter(|_| !is_word) {
        let raw = raw.strip_prefix('r').unwrap_or(raw);
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let is_raw = rest[..rest.len() - raw.len()].ends_with('r');
        if is_raw && raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = rest.len() - raw.len() + hashes + 1;
            return rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len());
        }
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    // A lifetime has no second quote behind its first character.
    let mut chars = rest.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('\''), Some('\\'), _) | (Some('\''), Some(_), Some('\'')) => quoted(rest, '\''),
        _ => 0,
    }
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}
