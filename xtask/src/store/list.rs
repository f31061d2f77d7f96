//! `cargo xtask store list`: what there is, one row each.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use super::{Item, count, items, kind, unix_seconds};
use crate::layout::{Kept, Store};
use crate::report::{self, human_bytes};

/// Prints the rows, and the totals.
pub fn run(store: &Store) -> Result<()> {
    let items = items(store);
    for item in &items {
        report::event(
            "store-item",
            serde_json::json!({
                "kind": kind(&item.kept), "name": item.name, "label": item.label,
                "path": item.kept.path(), "size_bytes": item.size_bytes,
                "last_use_unix_secs": unix_seconds(item.last_use), "reached_by": item.reached_by,
            }),
        );
    }
    let total: u64 = items.iter().map(|item| item.size_bytes).sum();
    let unreached = || items.iter().filter(|item| item.reached_by.is_empty());
    let unreached_bytes: u64 = unreached().map(|item| item.size_bytes).sum();
    report::event(
        "store-total",
        serde_json::json!({
            "path": store.root(), "items": items.len(), "size_bytes": total,
            "unreached_items": unreached().count(), "unreached_bytes": unreached_bytes,
        }),
    );
    report::data(table(&items).trim_end());
    report::status(
        "Total",
        format!(
            "{} in {}, of which no plan reaches {}",
            human_bytes(total),
            store.root().display(),
            human_bytes(unreached_bytes)
        ),
    );
    Ok(())
}

fn table(items: &[Item]) -> String {
    let now = SystemTime::now();
    let rows: Vec<[String; 4]> = items.iter().map(|item| row(item, now)).collect();
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (name, size, used) = (width(0), width(1), width(2));
    rows.iter().fold(String::new(), |mut text, [label, bytes, age, users]| {
        let _ = writeln!(text, "{label:name$}  {bytes:>size$}  {age:>used$}  {users}");
        text
    })
}

fn row(item: &Item, now: SystemTime) -> [String; 4] {
    let users = match (&item.kept, &item.reached_by[..]) {
        (Kept::Leftover(_), _) => "left over".to_owned(),
        (_, []) => "no plan".to_owned(),
        (_, users) => users.join(", "),
    };
    let age = now.duration_since(item.last_use).unwrap_or_default();
    [item.label.clone(), human_bytes(item.size_bytes), ago(age), users]
}

/// How long ago something was, to the coarsest unit.
fn ago(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    match (minutes, minutes / 60, minutes / (24 * 60)) {
        (0, ..) => "just now".to_owned(),
        (minutes, 0, _) => format!("{minutes} min ago"),
        (_, hours, 0) => format!("{hours} h ago"),
        (_, _, days) => {
            format!("{} ago", count(usize::try_from(days).unwrap_or(usize::MAX), "day", "days"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_coarsely() {
        let told =
            [59, 60, 3599, 3600, 86_399, 86_400, 200_000].map(|s| ago(Duration::from_secs(s)));
        assert_eq!(
            told,
            [
                "just now",
                "1 min ago",
                "59 min ago",
                "1 h ago",
                "23 h ago",
                "1 day ago",
                "2 days ago"
            ]
        );
    }
}
