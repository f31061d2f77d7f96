//! The profile `dist-small` for packages that do not define it themselves.
//!
//! Cargo takes profiles from `--config` too; so the name works with any package, also with one from a
//! registry, and no manifest is touched.

use std::fs;

use super::Order;
use crate::target::SMALL_PROFILE;

/// What makes a program small whatever is in it (docs/size.md has what each is worth).
const SETTINGS: [(&str, &str); 5] = [
    ("inherits", "\"release\""),
    ("opt-level", "\"s\""),
    ("lto", "\"fat\""),
    ("codegen-units", "1"),
    ("strip", "true"),
];

/// What its standard library is made for; no other choice links.
const PANIC: (&str, &str) = ("panic", "\"abort\"");

/// Arguments of cargo that define the profile that is asked for, as far as nothing else does.
pub fn arguments(order: &Order<'_>) -> Vec<String> {
    if order.profile != SMALL_PROFILE {
        return Vec::new();
    }
    let manifest = order.project.metadata.workspace_root.join("Cargo.toml");
    // One that cannot be read is cargo's to complain of.
    settings(&fs::read_to_string(manifest).unwrap_or_default())
}

/// The same beside a workspace's manifest.
fn settings(manifest: &str) -> Vec<String> {
    let table: Option<toml::Table> = manifest.parse().ok();
    let is_theirs =
        table.is_some_and(|it| it.get("profile").and_then(|it| it.get(SMALL_PROFILE)).is_some());
    let ours = if is_theirs { &[][..] } else { &SETTINGS[..] };
    let setting = |(key, value): &(&str, &str)| {
        ["--config".to_owned(), format!("profile.{SMALL_PROFILE}.{key}={value}")]
    };
    ours.iter().chain([&PANIC]).flat_map(setting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packages_own_definition_counts() {
        let panic = ["--config", "profile.dist-small.panic=\"abort\""];
        for theirs in [
            "[profile.dist-small]\ninherits = \"release\"\n",
            "profile = { dist-small = { inherits = \"dev\" } }\n",
        ] {
            assert_eq!(settings(theirs), panic);
        }
        for none in ["[profile.release]\nlto = true\n# [profile.dist-small]\n", "[profile\n"] {
            let all = settings(none);
            assert_eq!(all[..2], ["--config", "profile.dist-small.inherits=\"release\""]);
            assert_eq!((all.len(), &all[10..]), (12, &panic.map(str::to_owned)[..]));
        }
    }
}
