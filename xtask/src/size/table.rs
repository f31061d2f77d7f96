//! An account as a table for a terminal.

use std::fmt::Write as _;

use super::account::Account;
use crate::report::human_bytes;

/// The text: what is in the file by owner, by section, and how that is known.
pub fn text(account: &Account) -> String {
    let mut text = String::new();
    let rows: Vec<_> = account
        .owners
        .iter()
        .map(|row| (row.bytes, row.owner.name.as_str(), row.owner.kind.words()))
        .collect();
    let sections: Vec<_> =
        account.sections.iter().map(|(name, bytes)| (*bytes, name.as_str(), "")).collect();
    table(&mut text, account, "what", &rows);
    text.push('\n');
    table(&mut text, account, "section", &sections);
    let _ = write!(
        text,
        "\n{}: {} bytes, {}",
        plain(&account.path.to_string_lossy()),
        account.size_bytes,
        account.source.words()
    );
    if account.zeroed_bytes > 0 {
        let _ = write!(text, "\nin memory {} more", human_bytes(account.zeroed_bytes));
    }
    text
}

fn table(text: &mut String, account: &Account, title: &str, rows: &[(u64, &str, &str)]) {
    let width = rows.iter().map(|(_, name, _)| name.chars().count()).max().unwrap_or(0);
    let mut line = |percent: &str, size: &str, name: &str, kind: &str| {
        let line = format!("{percent:>6}  {size:>9}  {name:<width$}  {kind}");
        let _ = writeln!(text, "{}", line.trim_end());
    };
    line("share", "size", title, "");
    for (bytes, name, kind) in rows {
        let name = &plain(name);
        let percent = format!("{:.1}%", account.percent(*bytes));
        line(&percent, &human_bytes(*bytes), name, kind);
    }
    let sum: u64 = rows.iter().map(|(bytes, ..)| bytes).sum();
    line(&format!("{:.1}%", account.percent(sum)), &human_bytes(sum), "total", "");
}

/// A name from a file, without what a terminal takes for commands.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::cover::Part;
    use super::super::evidence::Source;
    use super::super::share::{Kind, Owner};
    use super::*;

    #[test]
    fn the_largest_come_first_and_all_adds_up() {
        let part = |bytes, kind, name: &str, section: &str| Part {
            bytes,
            section: section.to_owned(),
            owner: Owner::new(kind, name),
            label: "f".to_owned(),
            object: None,
        };
        let parts = vec![
            part(2, Kind::File, "headers", "headers"),
            part(700, Kind::CLibrary, "zlib 1", ".text"),
            part(1000, Kind::Package, "app 1", ".text"),
            part(298, Kind::CLibrary, "zlib 1", ".\u{1b}[31m"),
        ];
        let account = Account::of("/t/app".into(), 1500, Source::Sections, parts);
        let expected = "
 share       size  what
 50.0%     1.0 kB  app 1    this package
 49.9%      998 B  zlib 1   C library
  0.1%        2 B  headers  file format
100.0%     2.0 kB  total

 share       size  section
 85.0%     1.7 kB  .text
 14.9%      298 B  .\u{fffd}[31m
  0.1%        2 B  headers
100.0%     2.0 kB  total

/t/app: 2000 bytes, by its sections alone: it has no symbols, and no map was found
in memory 1.5 kB more";
        assert_eq!(format!("\n{}", text(&account)), expected);
    }
}
