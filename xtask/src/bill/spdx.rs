//! SPDX licence expressions of crates and recipes: which licences meet them.

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// One licence, with an exception behind it if it has one: `Apache-2.0 WITH LLVM-exception`.
    One(String),
    /// All of them apply.
    All(Vec<Self>),
    /// One of them, at one's choice.
    Any(Vec<Self>),
}

impl Expression {
    /// Reads an expression; none if it is not one.
    pub fn read(text: &str) -> Option<Self> {
        let spaced = text.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut rest = words.as_slice();
        let read = any(&mut rest)?;
        rest.is_empty().then_some(read)
    }

    /// All licences that it names.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::One(name) => vec![name],
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::names).collect(),
        }
    }

    /// Licences that together meet it, of those that are well: of several ways the first.
    pub fn met_by(&self, is_well: &dyn Fn(&str) -> bool) -> Option<Vec<&str>> {
        match self {
            Self::One(name) => is_well(name).then(|| vec![name.as_str()]),
            Self::Any(ways) => ways.iter().find_map(|way| way.met_by(is_well)),
            Self::All(parts) => {
                let parts: Option<Vec<_>> = parts.iter().map(|part| part.met_by(is_well)).collect();
                Some(parts?.concat())
            }
        }
    }
}

fn any(rest: &mut &[&str]) -> Option<Expression> {
    let mut ways = vec![all(rest)?];
    while let ["OR" | "or", after @ ..] = rest {
        *rest = after;
        ways.push(all(rest)?);
    }
    if ways.len() == 1 { ways.pop() } else { Some(Expression::Any(ways)) }
}

fn all(rest: &mut &[&str]) -> Option<Expression> {
    let mut parts = vec![one(rest)?];
    while let ["AND" | "and", after @ ..] = rest {
        *rest = after;
        parts.push(one(rest)?);
    }
    if parts.len() == 1 { parts.pop() } else { Some(Expression::All(parts)) }
}

fn one(rest: &mut &[&str]) -> Option<Expression> {
    let (read, after) = match *rest {
        ["(", after @ ..] => {
            *rest = after;
            let read = any(rest)?;
            (read, rest.strip_prefix(&[")"])?)
        }
        [name, "WITH" | "with", exception, after @ ..] => {
            (Expression::One(format!("{name} WITH {exception}")), after)
        }
        [name, after @ ..] if !["AND", "OR", "WITH", "and", "or", "with", ")"].contains(name) => {
            (Expression::One((*name).to_owned()), after)
        }
        _ => return None,
    };
    *rest = after;
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_by_the_first_way_that_is_well() {
        let allowed = ["MIT", "Apache-2.0 WITH LLVM-exception", "ISC"];
        for (text, expected) in [
            ("MIT", Some(&["MIT"][..])),
            ("Apache-2.0 OR MIT", Some(&["MIT"])),
            ("Apache-2.0/MIT", Some(&["MIT"])),
            ("GPL-2.0-only OR (ISC AND MIT)", Some(&["ISC", "MIT"])),
            (
                "Apache-2.0 WITH LLVM-exception AND (Zlib OR ISC)",
                Some(&["Apache-2.0 WITH LLVM-exception", "ISC"]),
            ),
            ("MIT AND Zlib", None),
            ("Apache-2.0", None),
        ] {
            let read = Expression::read(text).unwrap();
            let met = read.met_by(&|name| allowed.contains(&name));
            assert_eq!(met.as_deref(), expected, "{text}");
        }
        for text in ["", "MIT AND", "(MIT", "MIT Zlib", "AND", "MIT)"] {
            assert_eq!(Expression::read(text), None, "{text}");
        }
    }
}
