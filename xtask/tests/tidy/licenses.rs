//! The licences of all crates in the graph, against those that `deny.toml` allows.

use serde_json::Value;

use crate::Findings;

/// Packages whose licence is neither allowed nor excepted.
pub fn findings(deny: &str, metadata: &Value) -> Findings {
    let deny: toml::Table = deny.parse().unwrap();
    let allowed = texts(&deny["licenses"]["allow"]);
    let mut findings = Findings::new();
    for package in metadata["packages"].as_array().unwrap() {
        let (name, license) = (package["name"].as_str(), package["license"].as_str());
        if !license.is_some_and(|license| is_allowed(license, &allowed)) {
            findings.push(format!("{}: {}", name.unwrap(), license.unwrap_or("no licence")));
        }
        let source = package["source"].as_str().unwrap_or("registry+");
        if !source.starts_with("registry+") {
            findings.push(format!("{}: comes from {source}", name.unwrap()));
        }
    }
    findings
}

fn texts(value: &toml::Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// Whether an SPDX expression can be met; `/` is how `OR` was once written.
pub fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest, allowed) && rest.is_empty()
}

fn any(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut is_met = all(rest, allowed);
    while let ["OR", after @ ..] = rest {
        *rest = after;
        is_met |= all(rest, allowed);
    }
    is_met
}

fn all(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut is_met = one(rest, allowed);
    while let ["AND", after @ ..] = rest {
        *rest = after;
        is_met &= one(rest, allowed);
    }
    is_met
}

fn one(rest: &mut &[&str], allowed: &[String]) -> bool {
    match *rest {
        ["(", after @ ..] => {
            *rest = after;
            let is_met = any(rest, allowed);
            let Some(after) = rest.strip_prefix(&[")"]) else { return false };
            *rest = after;
            is_met
        }
        [license, "WITH", exception, after @ ..] => {
            *rest = after;
            allowed.contains(&format!("{license} WITH {exception}"))
        }
        [license, after @ ..] => {
            *rest = after;
            allowed.iter().any(|item| item == license)
        }
        [] => false,
    }
}
