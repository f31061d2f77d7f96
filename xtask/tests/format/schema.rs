//! A JSON schema out of the table, for editors: keys, kinds and shapes of words. What needs more than
//! one word to judge is the parser's business.

use serde_json::{Value, json};

use super::table::{FORMAT, Key};

/// The schema of a kind of recipe, by what the parser calls it.
pub fn of(what: &str, meaning: &dyn Fn(&str) -> String) -> String {
    let defs: serde_json::Map<String, Value> =
        FORMAT.iter().map(|(what, _, keys)| (name(what), object(keys, meaning))).collect();
    let mut schema = object(keys_of(what), meaning);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!(format!("{what}, as Muslin reads it"));
    schema["definitions"] = json!(reached(&schema, &defs));
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

/// The definitions that a schema refers to, and those that they do.
fn reached(
    schema: &Value,
    defs: &serde_json::Map<String, Value>,
) -> serde_json::Map<String, Value> {
    let mut found = serde_json::Map::new();
    let mut open = vec![schema.to_string()];
    while let Some(text) = open.pop() {
        for (name, def) in defs {
            if text.contains(&format!("#/definitions/{name}\"")) && !found.contains_key(name) {
                found.insert(name.clone(), def.clone());
                open.push(def.to_string());
            }
        }
    }
    found
}

fn keys_of(what: &str) -> &'static [Key] {
    FORMAT.iter().find(|(known, ..)| *known == what).unwrap().2
}

fn object(keys: &[Key], meaning: &dyn Fn(&str) -> String) -> Value {
    let mut properties = serde_json::Map::new();
    let mut required = Vec::new();
    for (key, need, kind, says) in keys {
        let mut value = of_kind(kind);
        value["description"] = json!(meaning(says));
        properties.insert((*key).to_owned(), value);
        if *need == "!" {
            required.push(*key);
        }
    }
    json!({
        "type": "object", "additionalProperties": false, "required": required, "properties": properties,
    })
}

fn of_kind(kind: &str) -> Value {
    if let Some(value) = kind.strip_prefix("map:") {
        return json!({ "type": "object", "additionalProperties": of_kind(value) });
    }
    if let Some(pattern) = kind.strip_prefix("text:") {
        return json!({ "type": "string", "pattern": pattern });
    }
    if let Some((one, other)) = kind.split_once('|') {
        return json!({ "anyOf": [of_kind(one), of_kind(other)] });
    }
    let reference = |name_of: &str| json!({ "$ref": format!("#/definitions/{}", name(name_of)) });
    match kind {
        "text" => json!({ "type": "string" }),
        "texts" => json!({ "type": "array", "items": { "type": "string" } }),
        "bool" => json!({ "type": "boolean" }),
        "int" => json!({ "type": "integer" }),
        "define" => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }, { "const": true }] })
        }
        "override" => json!({
            "type": "object", "additionalProperties": of_kind("text|texts"),
        }),
        _ => match kind.strip_prefix("[{").and_then(|it| it.strip_suffix("}]")) {
            Some(inner) => json!({ "type": "array", "minItems": 1, "items": reference(inner) }),
            // A reference with a comment beside it counts only inside of `allOf`.
            None => json!({ "allOf": [reference(kind.trim_matches(['{', '}']))] }),
        },
    }
}

fn name(what: &str) -> String {
    let words: Vec<&str> =
        what.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}
