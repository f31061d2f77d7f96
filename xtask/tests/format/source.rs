//! What the parser's and the types' own texts say: the keys of each table, the comment of each field.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn sources(folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|item| item.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Texts in quotes, in order.
fn words(text: &str) -> Vec<String> {
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The keys of each table, by what the parser calls the table: out of every `Shape { … }`.
pub fn shapes() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/recipe/manifest");
    for item in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(item.unwrap().path()).unwrap();
        for shape in text.split("Shape {").skip(1).filter(|it| it.trim_start().starts_with("what:"))
        {
            let what = words(shape.split_once("keys:").unwrap().0).remove(0);
            let keys = shape.split_once("keys: &").unwrap().1;
            let keys = match keys.strip_prefix('[') {
                Some(list) => words(list.split(']').next().unwrap()),
                // A constant of the same file.
                None => {
                    let name =
                        keys.split(|c: char| !c.is_ascii_uppercase() && c != '_').next().unwrap();
                    let start = format!("const {name}: ");
                    let list = text.split_once(&start).unwrap().1.split_once("= [").unwrap().1;
                    words(list.split(']').next().unwrap())
                }
            };
            assert!(found.insert(what.clone(), keys).is_none(), "two tables are called {what}");
        }
    }
    found
}

/// The comments of fields and variants, `Type.field`; fields of a variant count as the enum's.
pub fn comments() -> BTreeMap<String, String> {
    let text = sources("src/recipe") + &sources("src");
    let (mut found, mut name, mut comment) = (BTreeMap::new(), String::new(), Vec::new());
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(words) = trimmed.strip_prefix("///") {
            comment.push(words.trim().to_owned());
            continue;
        }
        let declared = ["pub struct ", "pub enum "].iter().find_map(|it| line.strip_prefix(it));
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if let Some(rest) = declared {
            name = rest.split(|c| !is_word(c)).next().unwrap().to_owned();
        } else if !comment.is_empty() && line.starts_with("    ") {
            let field = trimmed.trim_start_matches("pub ").split(|c| !is_word(c)).next().unwrap();
            found.entry(format!("{name}.{field}")).or_insert(comment.join(" "));
        }
        if !trimmed.starts_with("#[") {
            comment.clear();
        }
    }
    found
}
