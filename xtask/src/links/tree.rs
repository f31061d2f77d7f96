//! What `cargo tree` prints: the packages that are linked into a program, and which needs which.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::metadata::{Package, Query, ask};

/// A package that is linked into the program, as `cargo tree` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The features that are on in the program, which host programs may have otherwise.
    pub features: Vec<String>,
    /// Which of these packages it needs, by their place in the list.
    #[serde(default)]
    pub needs: Vec<usize>,
}

/// Asks cargo what is linked into the program of a package: everything reached by normal edges, but
/// not through a proc-macro, which runs on the host. `cargo metadata` cannot tell: its features are
/// those of all members and of the host's programs together, and its edges those of all platforms.
pub fn load_linked(
    cargo: &mut Command,
    query: &Query<'_>,
    package: &Package,
) -> Result<Vec<Linked>> {
    cargo.args(["tree", "--edges", "normal,no-proc-macro", "--prefix", "depth"]);
    cargo.args(["--format", "\t{p}\t{f}", "--target", query.triple, "--package", &package.id]);
    read_tree(&ask(cargo, query)?)
}

/// The packages of a tree in the order in which they come.
fn read_tree(text: &str) -> Result<Vec<Linked>> {
    let mut linked = Vec::<Linked>::new();
    // The packages on the way from the root to the line that is read.
    let mut way = Vec::<usize>::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (depth, one) = parse_linked(line)
            .with_context(|| format!("cannot read what `cargo tree` printed: {line}"))?;
        let is_same = |it: &Linked| {
            (&it.name, &it.version, &it.features) == (&one.name, &one.version, &one.features)
        };
        let place = linked.iter().position(is_same).unwrap_or_else(|| {
            linked.push(one);
            linked.len() - 1
        });
        way.truncate(depth);
        if let Some(needs) = way.last().map(|parent| &mut linked[*parent].needs)
            && !needs.contains(&place)
        {
            needs.push(place);
        }
        way.push(place);
    }
    Ok(linked)
}

/// How deep in the tree it is, a tab, `name v1.2.3 (source)`, a tab, features with commas between, and
/// ` (*)` if it was there before.
fn parse_linked(line: &str) -> Option<(usize, Linked)> {
    let (depth, line) = line.split_once('\t')?;
    let (package, features) = line.split_once('\t')?;
    let mut words = package.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    let features = features.trim_end_matches("(*)").trim_end().split(',');
    let features = features.filter(|feature| !feature.is_empty()).map(str::to_owned).collect();
    let (name, version) = (name.to_owned(), version.to_owned());
    Some((depth.parse().ok()?, Linked { name, version, features, needs: Vec::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cargo_tree_are_read() {
        let linked = |name: &str, version: &str, features: &[&str]| Linked {
            name: name.into(),
            version: version.into(),
            features: features.iter().map(|f| (*f).to_owned()).collect(),
            needs: Vec::new(),
        };
        for (line, expected) in [
            (
                "app v0.1.0 (/x/some where/app)\tdb,default",
                linked("app", "0.1.0", &["db", "default"]),
            ),
            ("cc v1.2.3\t", linked("cc", "1.2.3", &[])),
            ("openssl v0.10.1+x\tdefault (*)", linked("openssl", "0.10.1+x", &["default"])),
            ("openssl v0.10.1 (*)\t (*)", linked("openssl", "0.10.1", &[])),
        ] {
            assert_eq!(parse_linked(&format!("12\t{line}")), Some((12, expected)), "{line}");
        }
        assert_eq!(parse_linked("[build-dependencies]"), None);
    }

    #[test]
    fn a_tree_tells_which_package_needs_which() {
        let lines = [
            "0\tapp v1.0.0 (/x)\t",
            "1\ta v1.0.0\t",
            "2\tc v1.0.0\tx",
            "3\td v1.0.0\t",
            "1\tb v1.0.0\t",
            "2\tc v1.0.0\tx (*)",
            "1\tc v2.0.0\t",
        ];
        let linked = read_tree(&lines.join("\n")).unwrap();
        let needs: Vec<_> = linked.iter().map(|it| it.needs.as_slice()).collect();
        assert_eq!(needs, [&[1, 4, 5][..], &[2], &[3], &[], &[2], &[]]);
    }
}
