//! The rules on manifests and documents. A document that is not there yet breaks none.

use crate::Findings;

const ARCHITECTURE_LINES: usize = 200;

/// A comment above a source, or inside it, says where its digest was seen.
pub fn digests(path: &str, text: &str) -> Findings {
    let lines: Vec<&str> = text.lines().collect();
    let mut findings = Findings::new();
    for (index, line) in lines.iter().enumerate() {
        if !line.starts_with("sha256") && !line.starts_with("sha512") {
            continue;
        }
        let table = lines[..index].iter().rposition(|line| line.starts_with('[')).unwrap_or(0);
        let above = table.checked_sub(1).map_or("", |above| lines[above]);
        let has_comment = lines[table..index].iter().any(|line| line.starts_with('#'));
        if !above.starts_with('#') && !has_comment {
            findings.push(format!("{path}:{}: a digest, and not where it was seen", index + 1));
        }
    }
    findings
}

/// Each dependency is named somewhere in the code.
pub fn dependencies(manifest: &str, code: &str) -> Findings {
    let manifest: toml::Table = manifest.parse().unwrap();
    let names = manifest["dependencies"].as_table().unwrap().keys();
    let unused = names.filter(|name| {
        let name = name.replace('-', "_");
        !code.contains(&format!("{name}::")) && !code.contains(&format!("use {name};"))
    });
    unused.map(|name| format!("xtask/Cargo.toml: `{name}` is not used")).collect()
}

/// Each subcommand, and a table row for each exit code.
pub fn readme(text: &str, commands: &[&str], exit: &str) -> Findings {
    if text.is_empty() {
        return Vec::new();
    }
    let mut findings = Findings::new();
    for command in commands.iter().filter(|command| **command != "help") {
        let forms = [format!("xtask {command}"), format!("`{command}")];
        if !forms.iter().any(|form| text.contains(form.as_str())) {
            findings.push(format!("README.md: no word on `cargo xtask {command}`"));
        }
    }
    let told = text.find("xit code").map_or("", |at| &text[at..]);
    let told = told.split("\n#").next().unwrap_or(told);
    let told: Vec<&str> = told.split(|c: char| !c.is_alphanumeric()).collect();
    let codes = exit.lines().filter_map(|line| line.trim().strip_suffix(',')?.rsplit_once(" = "));
    for (_, code) in codes.filter(|(_, code)| !told.contains(code)) {
        findings.push(format!("README.md: no word on exit code {code}"));
    }
    findings
}

/// Short, and with every module.
pub fn architecture(text: &str, modules: &[String]) -> Findings {
    if text.is_empty() {
        return Vec::new();
    }
    let mut findings = Findings::new();
    let lines = text.lines().count();
    if lines > ARCHITECTURE_LINES {
        findings.push(format!("ARCHITECTURE.md: {lines} lines, more than {ARCHITECTURE_LINES}"));
    }
    for module in modules {
        let forms = ["`", "/", ".rs`", "::"].map(|end| format!("`{module}{end}"));
        if !forms.iter().any(|form| text.contains(form.as_str())) {
            findings.push(format!("ARCHITECTURE.md: no word on module `{module}`"));
        }
    }
    findings
}

/// What comes next has a place.
pub fn changelog(text: &str) -> Findings {
    let has_place = text.is_empty() || text.lines().any(|line| line.trim() == "## Unreleased");
    if has_place { Vec::new() } else { vec!["CHANGELOG.md: no section `Unreleased`".to_owned()] }
}
