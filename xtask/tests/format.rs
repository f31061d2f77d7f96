//! The format of recipes as a document and as schemas for editors: what is checked in must be what the
//! parser's keys and the types' comments make now.
#![allow(clippy::disallowed_methods, reason = "tests start python for themselves")]

#[path = "format/document.rs"]
mod document;
#[path = "format/schema.rs"]
mod schema;
#[path = "format/source.rs"]
mod source;
#[path = "format/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use table::FORMAT;

/// Kinds of recipes: folder, schema, what the parser calls them.
const KINDS: [(&str, &str, &str); 3] = [
    ("libraries", "library", "a library"),
    ("tools", "tool", "a tool"),
    ("toolchains", "toolchain", "a toolchain"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The meaning of a key: a comment of a field, or the words themselves.
fn meaning(says: &str) -> String {
    static COMMENTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(source::comments);
    let is_field = !says.contains(' ');
    match COMMENTS.get(says) {
        Some(comment) if is_field => comment.clone(),
        _ => {
            assert!(!is_field, "no field {says} has a comment");
            says.to_owned()
        }
    }
}

fn schema_path(name: &str) -> String {
    format!("recipes/{name}.schema.json")
}

#[test]
fn the_table_has_the_keys_of_the_parser() {
    let shapes = source::shapes();
    assert!(shapes.len() > 15, "{shapes:?}");
    let hint =
        "add it to xtask/tests/format/table.rs, then MUSLIN_BLESS=1 cargo test --test format";
    for (what, keys) in &shapes {
        let known = FORMAT.iter().find(|(known, ..)| known == what);
        let (.., listed) = known.unwrap_or_else(|| panic!("{what} is in no table: {hint}"));
        let listed: Vec<&str> = listed.iter().map(|(key, ..)| *key).collect();
        assert_eq!(&listed, keys, "the keys of {what}: {hint}");
    }
    for (what, ..) in FORMAT {
        assert!(shapes.contains_key(*what), "the parser has no table {what}");
    }
}

#[test]
fn the_document_and_the_schemas_are_as_generated() {
    let mut expected = vec![("docs/recipes.md".to_owned(), document::text(&meaning))];
    for (_, name, what) in KINDS {
        expected.push((schema_path(name), schema::of(what, &meaning)));
    }
    for (path, text) in expected {
        let file = root().join(&path);
        if xtask::process::env_var("MUSLIN_BLESS").is_some() {
            fs::write(&file, text).unwrap();
        } else {
            let found = fs::read_to_string(&file).unwrap_or_default();
            let hint = "MUSLIN_BLESS=1 cargo test --package xtask --test format";
            assert!(found == text, "{path} is stale: {hint}");
        }
    }
}

/// Mistakes that an editor should show: a kind of recipe, a text that is there, another for it.
const BAD: [(&str, &str, &str); 6] = [
    ("libraries/zlib.toml", "version     =", "verison     ="),
    ("libraries/zlib.toml", "links       = [\"z\"]", "links       = \"z\""),
    ("libraries/zlib.toml", "path = \"LICENSE\", ", ""),
    ("libraries/zlib.toml", "sha256  = \"d7", "sha256  = \"D7"),
    ("libraries/sqlite.toml", "SQLITE_USE_URI                = true", "SQLITE_USE_URI = false"),
    ("tools/make.toml", "program = \"bin/make\"", "program = \"make\""),
];

/// Reads lines `schema, recipe` and says for each whether the recipe is valid.
const PYTHON: &str = "import json, sys, tomllib\nfrom jsonschema import Draft7Validator\n\
for line in sys.argv[1:]:\n    schema, recipe = line.split('|')\n    schema = json.load(open(schema))\n    \
Draft7Validator.check_schema(schema)\n    recipe = tomllib.load(open(recipe, 'rb'))\n    \
print('valid' if Draft7Validator(schema).is_valid(recipe) else 'invalid')\n";

fn python(pairs: &[(PathBuf, PathBuf)]) -> Option<Vec<String>> {
    let python = xtask::process::env_var("PYTHON").unwrap_or_else(|| "python3".to_owned());
    let has = Command::new(&python).args(["-c", "import jsonschema, tomllib"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        let why = "recipes are not held against their schemas: `apt install python3-jsonschema`";
        xtask::report::text(&format!("SKIPPED: {why}"));
        return None;
    }
    let lines =
        pairs.iter().map(|(schema, file)| format!("{}|{}", schema.display(), file.display()));
    let output = Command::new(python).args(["-c", PYTHON]).args(lines).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

#[test]
fn recipes_are_valid_by_their_schemas_and_mistakes_are_not() {
    let recipes = root().join("recipes");
    let mut good = Vec::new();
    for (folder, name, _) in KINDS {
        for item in fs::read_dir(recipes.join(folder)).unwrap() {
            good.push((root().join(schema_path(name)), item.unwrap().path()));
        }
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("format");
    fs::create_dir_all(&folder).unwrap();
    let mut bad = Vec::new();
    for (index, (path, from, to)) in BAD.iter().enumerate() {
        let text = fs::read_to_string(recipes.join(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        let file = folder.join(format!("{index}.toml"));
        fs::write(&file, text.replace(from, to)).unwrap();
        let kind = KINDS.iter().find(|(folder, ..)| path.starts_with(folder)).unwrap();
        bad.push((root().join(schema_path(kind.1)), file));
    }
    let Some(answers) = python(&[good.clone(), bad].concat()) else { return };
    for (index, answer) in answers.iter().enumerate() {
        match good.get(index) {
            Some((_, path)) => assert_eq!(answer, "valid", "{}", path.display()),
            None => assert_eq!(answer, "invalid", "{:?}", BAD[index - good.len()]),
        }
    }
    assert_eq!(answers.len(), good.len() + BAD.len());
}
