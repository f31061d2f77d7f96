//! `cargo xtask store gc`: what nothing needs any more goes.
//!
//! It waits for all commands that use the store, and they for it. What a shell has loaded with
//! `cargo xtask env` is reached by a plan, so plain `gc` leaves it alone.

use std::fs;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use super::{Item, count, items, kind};
use crate::cli::{self, Age, Size};
use crate::exit::{Exit, Failure};
use crate::layout::{Kept, Store};
use crate::report::{self, human_bytes};

/// Removes, or with `--dry-run` names, what may go.
pub fn run(store: &Store, arguments: &cli::Gc) -> Result<()> {
    let _hold = if arguments.dry_run { store.hold_in_common()? } else { store.hold_alone()? };
    let is_plain = arguments.max_size.is_none() && arguments.older_than.is_none();
    if is_plain && !store.roots().iter().any(|(_, root)| root.is_alive()) {
        return Err(no_roots().into());
    }
    let all = items(store);
    let total: u64 = all.iter().map(|item| item.size_bytes).sum();
    let goes = choose(all, arguments, SystemTime::now());
    let (mut freed_bytes, mut removed) = (0, 0);
    for item in &goes {
        if !arguments.dry_run && !store.remove(&item.kept)? {
            report::note(format!("{} is in use: left alone", item.label));
            continue;
        }
        freed_bytes += item.size_bytes;
        removed += 1;
        let size = human_bytes(item.size_bytes);
        report::status(
            if arguments.dry_run { "Would remove" } else { "Removed" },
            format!("{} ({size})", item.label),
        );
        report::event(
            "store-removed",
            serde_json::json!({
                "kind": kind(&item.kept), "name": item.name, "label": item.label,
                "size_bytes": item.size_bytes, "dry_run": arguments.dry_run,
            }),
        );
    }
    if !arguments.dry_run {
        remove_dead_roots(store);
    }
    let verb = if arguments.dry_run { "Would free" } else { "Freed" };
    let what = count(removed, "thing", "things");
    let left_bytes = total - freed_bytes;
    report::status(
        verb,
        format!("{} ({what}); {} stay", human_bytes(freed_bytes), human_bytes(left_bytes)),
    );
    report::event(
        "store-freed",
        serde_json::json!({
            "items": removed, "freed_bytes": freed_bytes, "left_bytes": left_bytes,
            "dry_run": arguments.dry_run,
        }),
    );
    Ok(())
}

/// What goes, in the order in which it goes: what nothing reaches first, then what was used longest ago.
fn choose(mut all: Vec<Item>, arguments: &cli::Gc, now: SystemTime) -> Vec<Item> {
    all.sort_by(|a, b| {
        let order = |item: &Item| {
            let is_leftover = matches!(item.kept, Kept::Leftover(_));
            (!item.reached_by.is_empty(), !is_leftover, item.last_use)
        };
        order(a).cmp(&order(b)).then_with(|| a.name.cmp(&b.name))
    });
    let mut left: u64 = all.iter().map(|item| item.size_bytes).sum();
    let age = |item: &Item| now.duration_since(item.last_use).unwrap_or(Duration::ZERO);
    let is_plain = arguments.max_size.is_none() && arguments.older_than.is_none();
    let too_old = |item: &Item| arguments.older_than.is_some_and(|Age(limit)| age(item) >= limit);
    // Twice, because what is too old makes room for what is not.
    let (mut goes, stays): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|item| too_old(item) || (is_plain && item.reached_by.is_empty()));
    left -= goes.iter().map(|item| item.size_bytes).sum::<u64>();
    for item in stays {
        if arguments.max_size.is_some_and(|Size(most)| left > most) {
            left -= item.size_bytes;
            goes.push(item);
        }
    }
    goes
}

/// A store that an older Muslin filled has no roots yet: all of it would go, which nobody means.
fn no_roots() -> Failure {
    Failure::new(Exit::Usage, "no plan is known to the store, so all of it would go")
        .help(
            "run `cargo xtask fetch` for each package that you work on, so that its plan is known",
        )
        .help("or say what goes: `--older-than 30d`, `--max-size 0B` for everything")
}

fn remove_dead_roots(store: &Store) {
    for (file, root) in store.roots() {
        if !root.is_alive() {
            let _ = fs::remove_file(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn item(name: &str, size_bytes: u64, days: u64, reached: bool) -> Item {
        Item {
            kept: Kept::Leftover(PathBuf::from(name)),
            name: name.to_owned(),
            label: name.to_owned(),
            size_bytes,
            last_use: SystemTime::UNIX_EPOCH + Duration::from_secs((100 - days) * 86_400),
            reached_by: if reached { vec!["app".to_owned()] } else { Vec::new() },
        }
    }

    fn chosen(max_size: Option<&str>, older_than: Option<&str>) -> Vec<String> {
        let all = vec![
            item("old", 10, 40, true),
            item("new", 10, 0, true),
            item("orphan", 10, 1, false),
            item("old-orphan", 10, 50, false),
        ];
        let arguments = cli::Gc {
            max_size: max_size.map(|text| text.parse().unwrap()),
            older_than: older_than.map(|text| text.parse().unwrap()),
            dry_run: true,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100 * 86_400);
        choose(all, &arguments, now).into_iter().map(|item| item.name).collect()
    }

    #[test]
    fn orphans_go_first_and_the_longest_unused_before_others() {
        assert_eq!(chosen(None, None), ["old-orphan", "orphan"]);
        assert_eq!(chosen(None, Some("30d")), ["old-orphan", "old"]);
        assert_eq!(chosen(Some("30B"), None), ["old-orphan"]);
        assert_eq!(chosen(Some("15B"), None), ["old-orphan", "orphan", "old"]);
        assert_eq!(chosen(Some("10B"), Some("30d")), ["old-orphan", "old", "orphan"]);
        assert_eq!(chosen(Some("1GB"), None), [""; 0]);
    }
}
