//! How a program of a toolchain is called, as data: from it come the driver's shell scripts, for
//! configure scripts and crates, and the direct calls of a step that needs no shell. So both are the
//! same call.

use std::path::{Path, PathBuf};

use crate::process::shell_word;

/// One word of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    /// As it stands.
    Plain(String),
    /// A text, the path of the toolchain's tree, a text.
    Tree(&'static str, String),
}

/// A program of a toolchain's tree, and the arguments that come before the caller's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Path of the program below the tree.
    program: String,
    words: Vec<Word>,
}

impl Call {
    /// A program by its path below the tree.
    pub(super) fn new(program: impl Into<String>) -> Self {
        Self { program: program.into(), words: Vec::new() }
    }

    /// The same with one more argument.
    pub(super) fn arg(mut self, word: impl Into<String>) -> Self {
        self.words.push(Word::Plain(word.into()));
        self
    }

    /// The same with more arguments.
    pub(super) fn args(self, words: &[impl AsRef<str>]) -> Self {
        words.iter().fold(self, |call, word| call.arg(word.as_ref()))
    }

    /// The same with one more argument that has the path of the tree in it, between `before` and
    /// `after`.
    pub(super) fn tree(mut self, before: &'static str, after: impl Into<String>) -> Self {
        self.words.push(Word::Tree(before, after.into()));
        self
    }

    /// The call for a shell in which `$tree` is the tree.
    pub(super) fn for_shell(&self) -> String {
        let word = |word: &Word| match word {
            Word::Plain(text) => shell_word(text),
            Word::Tree(before, after) => format!("\"{before}$tree{}\"", in_quotes(after)),
        };
        let words = self.words.iter().map(|it| format!(" {}", word(it))).collect::<String>();
        format!("\"$tree/{}\"{words}", in_quotes(&self.program))
    }

    /// The program's path and its first arguments, for a tree at this place.
    pub fn at(&self, tree: &Path) -> (PathBuf, Vec<String>) {
        // A store whose path is no text is refused when it is opened.
        let place = tree.to_string_lossy();
        let word = |word: &Word| match word {
            Word::Plain(text) => text.clone(),
            Word::Tree(before, after) => format!("{before}{place}{after}"),
        };
        (tree.join(&self.program), self.words.iter().map(word).collect())
    }
}

/// A text between double quotes, where a shell reads these characters.
fn in_quotes(text: &str) -> String {
    let escaped = |c: char| if "\\\"`$".contains(c) { format!("\\{c}") } else { c.to_string() };
    text.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::Call;
    use crate::layout::remove_tree;
    use crate::process;

    /// A program that says its arguments, called by a shell and directly.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "tests have no store yet")]
    fn a_shell_and_a_direct_call_say_the_same() {
        let tree = std::env::temp_dir().join(format!("muslin call ü-{}", std::process::id()));
        fs::create_dir_all(tree.join("a b")).unwrap();
        let program = tree.join("a b/say");
        fs::write(&program, "#!/bin/sh\nfor word; do printf '[%s]\\n' \"$word\"; done\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let call = Call::new("a b/say")
            .arg("plain")
            .args(&["it's", "two words", "", "-DX=\"$y\""])
            .tree("-map=", "=/toolchain")
            .tree("", "/in`c/lu$de");
        let script = format!("tree='{}'\nexec {} last\n", tree.display(), call.for_shell());
        let said = process::capture_ok(process::command("sh").args(["-c", &script])).unwrap();
        let (program, words) = call.at(&tree);
        let direct = process::capture_ok(process::command(program).args(words).arg("last"));
        assert_eq!(direct.unwrap(), said);
        assert!(said.starts_with("[plain]\n[it's]\n") && said.ends_with("]\n[last]\n"), "{said}");
        assert_eq!(said.lines().count(), 8, "{said}");
        remove_tree(&tree).unwrap();
    }
}
