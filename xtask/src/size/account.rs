//! Parts → an account of a program: rows by owner and by section, the largest first.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::cover::Part;
use super::evidence::Source;
use super::share::Owner;

/// What is in a program.
#[derive(Clone, Debug)]
pub struct Account {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// What it has in memory besides.
    pub zeroed_bytes: u64,
    /// By what it is known.
    pub source: Source,
    /// By owner.
    pub owners: Vec<Row>,
    /// By section: names and bytes.
    pub sections: Vec<(String, u64)>,
}

/// What someone has in a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Who.
    pub owner: Owner,
    /// How many bytes.
    pub bytes: u64,
    /// Which.
    pub items: Vec<Item>,
}

/// A function, an object's data, a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// Its name.
    pub label: String,
    /// The section it is in.
    pub section: String,
    /// The object that it came in.
    pub object: Option<String>,
    /// How many bytes.
    pub bytes: u64,
}

impl Account {
    /// Adds up all parts.
    pub fn of(path: PathBuf, zeroed_bytes: u64, source: Source, parts: Vec<Part>) -> Self {
        let size_bytes = parts.iter().map(|part| part.bytes).sum();
        let mut owners: BTreeMap<Owner, BTreeMap<Item, u64>> = BTreeMap::new();
        let mut sections: BTreeMap<String, u64> = BTreeMap::new();
        for Part { bytes, section, owner, label, object } in parts {
            *sections.entry(section.clone()).or_default() += bytes;
            let item = Item { label, section, object, bytes: 0 };
            *owners.entry(owner).or_default().entry(item).or_default() += bytes;
        }
        let row = |(owner, items): (Owner, BTreeMap<Item, u64>)| {
            let items = items.into_iter().map(|(item, bytes)| Item { bytes, ..item });
            let items = largest_first(items.collect(), |item: &Item| item.bytes);
            Row { owner, bytes: items.iter().map(|item| item.bytes).sum(), items }
        };
        Self {
            path,
            size_bytes,
            zeroed_bytes,
            source,
            owners: largest_first(owners.into_iter().map(row).collect(), |row: &Row| row.bytes),
            sections: largest_first(sections.into_iter().collect(), |section: &(_, u64)| section.1),
        }
    }

    /// A number of bytes as a part of all, in percent.
    pub fn percent(&self, bytes: u64) -> f64 {
        100.0 * bytes as f64 / self.size_bytes.max(1) as f64
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let item = |item: &Item| {
            json!({ "name": item.label, "section": item.section, "object": item.object,
                "size_bytes": item.bytes })
        };
        let row = |row: &Row| {
            json!({ "kind": row.owner.kind, "name": row.owner.name, "size_bytes": row.bytes,
                "items": row.items.iter().map(item).collect::<Vec<_>>() })
        };
        let section = |(name, bytes): &(String, u64)| json!({ "name": name, "size_bytes": bytes });
        json!({
            "path": self.path, "size_bytes": self.size_bytes, "memory_only_bytes": self.zeroed_bytes,
            "evidence": self.source.word(), "map": self.source.map(),
            "owners": self.owners.iter().map(row).collect::<Vec<_>>(),
            "sections": self.sections.iter().map(section).collect::<Vec<_>>(),
        })
    }
}

/// The largest first; of equal ones in the order that they have.
fn largest_first<T>(mut list: Vec<T>, bytes: impl Fn(&T) -> u64) -> Vec<T> {
    list.sort_by_key(|it| std::cmp::Reverse(bytes(it)));
    list
}
