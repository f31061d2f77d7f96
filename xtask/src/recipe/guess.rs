//! Guesses what a misspelt word was meant to be. Never corrects anything by itself.

/// Words longer than this are no typos, and comparing them is slow.
const WORD_LIMIT: usize = 80;

/// The known word that is most like `word`, if one is like it at all.
pub fn guess<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > WORD_LIMIT {
        return None;
    }
    let plain = fold(word);
    let limit = (plain.chars().count() / 3).max(1);
    let rate = |candidate: &'a str| {
        let other = fold(candidate);
        let distance = strsim::damerau_levenshtein(&plain, &other);
        let is_short_form = plain.len() >= 3 && other.starts_with(&plain);
        (distance <= limit && distance < other.chars().count())
            .then_some(distance)
            .or(is_short_form.then_some(limit + 1))
            .map(|rating| (rating, candidate))
    };
    known.into_iter().filter_map(rate).min().map(|(_, candidate)| candidate)
}

/// Upper and lower case, `-` and `_` are the usual mix-ups: they don't count as differences.
fn fold(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}

/// A list for people: `` `a`, `b` and `c` ``, cut when it is long.
pub fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 24;
    let mut words: Vec<String> = words.into_iter().map(quote).collect();
    let hidden = words.len().saturating_sub(SHOWN);
    words.truncate(SHOWN);
    if hidden > 0 {
        return format!("{} and {hidden} more", words.join(", "));
    }
    match words.split_last() {
        None => "none".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// A word in backticks, shortened, without control characters.
pub fn quote(word: &str) -> String {
    const SHOWN: usize = 72;
    let clean: String = word.chars().flat_map(printable).collect();
    if clean.chars().count() <= SHOWN {
        return format!("`{clean}`");
    }
    format!("`{}…`", clean.chars().take(SHOWN).collect::<String>())
}

fn printable(c: char) -> Vec<char> {
    if c.is_control() { c.escape_default().collect() } else { vec![c] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_are_guessed_and_other_words_are_not() {
        let known = ["version", "license", "links", "libs", "url", "sha256"];
        let cases = [
            ("licence", Some("license")),
            ("verison", Some("version")),
            ("Version", Some("version")),
            ("lib", Some("libs")),
            ("sha265", Some("sha256")),
            ("uri", Some("url")),
            ("homepage", None),
            ("a", None),
            ("", None),
        ];
        for (word, expected) in cases {
            assert_eq!(guess(word, known), expected, "{word}");
        }
        assert_eq!(guess(&"l".repeat(1 << 20), known), None);
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(list([]), "none");
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(quote("a\u{1b}[31m"), "`a\\u{1b}[31m`");
    }
}
