//! The rules on Rust code.

use crate::{Findings, code};

const FILE_LINES: usize = 400;
const TEST_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;
const MAIN_LINES: usize = 40;

/// What each door alone may use.
const DOORS: [(&str, &[&str]); 2] = [
    ("report", &["println!", "print!", "eprintln!", "eprint!", "dbg!", "io::stdout", "io::stderr"]),
    ("process", &["Command::new", "env::var", "env::vars", "env::set_var", "env::remove_var"]),
];

/// The modules of `lib.rs`, in their order.
pub fn modules(lib: &str) -> Vec<String> {
    let lib = code::only(lib);
    let names = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

/// The module of `lib.rs` that a file belongs to.
fn module_of(path: &str) -> &str {
    let inner = path.strip_prefix("xtask/src/").unwrap_or(path);
    inner.split(['/', '.']).next().unwrap_or(inner)
}

/// A module uses only modules declared above it.
pub fn layers(modules: &[String], path: &str, text: &str) -> Findings {
    let own = module_of(path);
    let Some(place) = modules.iter().position(|module| module == own) else { return Vec::new() };
    let depth = path.matches('/').count() - 1;
    let reaches_root = format!("{}::", vec!["super"; depth].join("::"));
    let mut findings = Findings::new();
    for (number, line) in uses(&code::without_tests(text), ["crate::", &reaches_root]) {
        for name in line {
            let message = match modules.iter().position(|module| *module == name) {
                Some(used) if used <= place => continue,
                Some(_) => format!("`{own}` uses `{name}`, which is declared below it"),
                None => format!("`crate::{name}` is no module of lib.rs"),
            };
            findings.push(format!("{path}:{number}: {message}"));
        }
    }
    findings
}

/// By line, the names that follow a spelling of the crate's root: one, or several in braces.
fn uses(code: &str, roots: [&str; 2]) -> Vec<(usize, Vec<String>)> {
    let mut uses = Vec::new();
    for root in roots {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            // `$crate::`, or one more `super::` than asked for, which does not compile.
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$')) {
                continue;
            }
            let number = code[..at].matches('\n').count() + 1;
            uses.push((number, heads(&code[at + root.len()..])));
        }
    }
    uses
}

fn heads(after: &str) -> Vec<String> {
    let word = |text: &str| {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = after.strip_prefix('{') else { return vec![word(after)] };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                names.push(word(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names.retain(|name: &String| !name.is_empty());
    names
}

/// Only `report` prints; only `process` starts programs and reads the environment.
pub fn doors(path: &str, text: &str) -> Findings {
    let code = code::without_tests(text);
    let mut findings = Findings::new();
    for (door, needles) in DOORS {
        if module_of(path) == door || is_test(path) {
            continue;
        }
        for (number, needle) in found(&code, needles) {
            findings.push(format!("{path}:{number}: `{needle}` outside of `{door}`"));
        }
    }
    findings
}

/// Whole words of code, with their lines.
fn found<'a>(code: &str, needles: &[&'a str]) -> Vec<(usize, &'a str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        for needle in needles {
            for (at, _) in line.match_indices(needle) {
                let starts = !line[..at].ends_with(is_word);
                let ends = !line[at + needle.len()..].starts_with(is_word);
                if (starts || !needle.starts_with(is_word)) && (ends || !needle.ends_with(is_word))
                {
                    found.push((index + 1, *needle));
                }
            }
        }
    }
    found
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Files of 400 lines (tests: 500), functions of 70.
pub fn lengths(path: &str, text: &str) -> Findings {
    let most = if is_test(path) { TEST_LINES } else { FILE_LINES };
    let mut findings = Findings::new();
    let lines = text.lines().count();
    if lines > most {
        findings.push(format!("{path}: {lines} lines, more than {most}"));
    }
    if is_test(path) {
        // Tables of cases are long and simple.
        return findings;
    }
    for (number, length) in functions(&code::without_tests(text)) {
        if length > FUNCTION_LINES {
            findings.push(format!(
                "{path}:{number}: a function of {length} lines, more than {FUNCTION_LINES}"
            ));
        }
    }
    findings
}

/// Functions: their first line, and how many they have.
fn functions(code: &str) -> Vec<(usize, usize)> {
    let mut functions = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let is_item = code[..at].chars().next_back().is_none_or(char::is_whitespace);
        let body = code[at..].find(['{', ';']).filter(|&end| code[at + end..].starts_with('{'));
        let (true, Some(body)) = (is_item, body) else { continue };
        let mut depth = 0;
        let end = code[at + body..].char_indices().find_map(|(offset, c)| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            (depth == 0).then_some(offset)
        });
        let function = &code[at..=at + body + end.unwrap_or(0)];
        functions.push((code[..at].matches('\n').count() + 1, function.lines().count()));
    }
    functions
}

/// `main.rs` is a summary.
pub fn short_main(path: &str, text: &str) -> Findings {
    let lines = text.lines().count();
    if lines <= MAIN_LINES {
        return Vec::new();
    }
    vec![format!("{path}: {lines} lines, more than {MAIN_LINES}")]
}

/// A file's first sentence says what it is for.
pub fn opening(path: &str, text: &str) -> Findings {
    let first = text.lines().next().unwrap_or_default();
    if first.len() > "//! ".len() && first.starts_with("//! ") {
        return Vec::new();
    }
    vec![format!("{path}:1: does not open with `//!` and what the file is for")]
}

/// Errors are returned.
pub fn panics(path: &str, text: &str) -> Findings {
    if is_test(path) {
        return Vec::new();
    }
    let needles = [".unwrap()", ".expect(", "todo!", "unimplemented!", "panic!"];
    let found = found(&code::without_tests(text), &needles);
    found.into_iter().map(|(number, needle)| format!("{path}:{number}: `{needle}`")).collect()
}

/// No `mod.rs`, and no module named for nothing.
pub fn names(path: &str) -> Findings {
    let parts = path.split(['/', '.']);
    let vague =
        parts.filter(|part| matches!(*part, "mod" | "utils" | "util" | "helpers" | "common"));
    vague.map(|part| format!("{path}: `{part}` does not say what it holds")).collect()
}
