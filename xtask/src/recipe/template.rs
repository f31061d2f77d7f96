//! Texts with placeholders from a closed set: `{version}`, `{target}`… No expressions, no nesting.

use std::fmt;

/// What a template may refer to. Each field of a recipe allows some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placeholder {
    /// `{version}`: the recipe's version.
    Version,
    /// `{target}`: Rust's triple, `x86_64-unknown-linux-musl`.
    Target,
    /// `{TARGET}`: the same as variables have it, `X86_64_UNKNOWN_LINUX_MUSL`.
    TargetUpper,
    /// `{gnu}`: GNU's triple, `x86_64-linux-musl`.
    Gnu,
    /// `{sysroot}`: the composed sysroot's path.
    Sysroot,
    /// `{jobs}`: how many jobs a step may run.
    Jobs,
    /// `{zig-libc}`: zig's name for the target's libc headers.
    ZigLibc,
    /// `{zig-kernel}`: zig's name for the target's kernel headers.
    ZigKernel,
}

impl Placeholder {
    /// Every placeholder.
    pub const ALL: [Self; 8] = [
        Self::Version,
        Self::Target,
        Self::TargetUpper,
        Self::Gnu,
        Self::Sysroot,
        Self::Jobs,
        Self::ZigLibc,
        Self::ZigKernel,
    ];

    /// The word between the braces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Target => "target",
            Self::TargetUpper => "TARGET",
            Self::Gnu => "gnu",
            Self::Sysroot => "sysroot",
            Self::Jobs => "jobs",
            Self::ZigLibc => "zig-libc",
            Self::ZigKernel => "zig-kernel",
        }
    }
}

/// A parsed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Placeholder(Placeholder),
}

/// What is wrong with a template, and where: byte range inside the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The range that is wrong.
    pub span: std::ops::Range<usize>,
    /// The word between the braces, or `None` for a brace without its partner.
    pub word: Option<String>,
}

impl Template {
    /// Parses a text; `{{` and `}}` are braces themselves. Fails on the first mistake.
    pub fn parse(text: &str, allowed: &[Placeholder]) -> Result<Self, Mistake> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let start = text.len() - rest.len() + at;
            plain.push_str(&rest[..at]);
            let tail = &rest[at..];
            if let Some(brace) = ["{{", "}}"].into_iter().find(|brace| tail.starts_with(brace)) {
                plain.push_str(&brace[..1]);
                rest = &tail[2..];
                continue;
            }
            let end = tail.find('}').filter(|_| tail.starts_with('{'));
            let Some(end) = end else {
                return Err(Mistake { span: start..start + 1, word: None });
            };
            let word = &tail[1..end];
            let Some(found) = allowed.iter().copied().find(|known| known.name() == word) else {
                return Err(Mistake { span: start..start + end + 1, word: Some(word.to_owned()) });
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Placeholder(found));
            rest = &tail[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// The text as written: for fingerprints.
    pub fn as_written(&self) -> &str {
        &self.text
    }

    /// Whether it refers to a placeholder.
    pub fn uses(&self, placeholder: Placeholder) -> bool {
        self.pieces.contains(&Piece::Placeholder(placeholder))
    }

    /// Fills the placeholders in.
    pub fn render(&self, value: impl Fn(Placeholder) -> String) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Placeholder(placeholder) => value(*placeholder),
        };
        self.pieces.iter().map(piece).collect()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> Result<String, Mistake> {
        let allowed = [Placeholder::Version, Placeholder::ZigLibc];
        Template::parse(text, &allowed)
            .map(|template| template.render(|p| format!("<{}>", p.name())))
    }

    #[test]
    fn placeholders_are_filled_and_doubled_braces_are_braces() {
        assert_eq!(render("a-{version}.{zig-libc}"), Ok("a-<version>.<zig-libc>".into()));
        assert_eq!(render("{{version}} }}"), Ok("{version} }".into()));
        assert_eq!(render("plain"), Ok("plain".into()));
    }

    #[test]
    fn mistakes_have_their_place() {
        let word = |word: &str| Some(word.to_owned());
        assert_eq!(render("é{verson}"), Err(Mistake { span: 2..10, word: word("verson") }));
        assert_eq!(render("{jobs}"), Err(Mistake { span: 0..6, word: word("jobs") }));
        assert_eq!(render("a{version"), Err(Mistake { span: 1..2, word: None }));
        assert_eq!(render("a}"), Err(Mistake { span: 1..2, word: None }));
    }
}
