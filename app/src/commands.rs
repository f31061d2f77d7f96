//! What the commands do. Each gives the exit code that it deserves.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::clock::Timestamp;
use crate::outcome::Outcome;
use crate::output::{clean, print, print_json};
use crate::paths;
use crate::pool;
use crate::report::{self, Report, Terms};
use crate::store::{Check, Entry, Store};
use crate::target::Target;
use crate::tls::Prober;
use crate::trust::Trust;

/// How a command ended, when it was not with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Well,
    /// At least one host's check failed.
    Failed,
    /// No check failed, but a certificate ends within the limit.
    Expiring,
}

/// What `certwatch check` was asked to do.
pub struct CheckOptions {
    /// The hosts; all that are remembered if empty.
    pub targets: Vec<Target>,
    /// Warn of certificates that end within so many days.
    pub within: u32,
    /// The file of CA certificates that the user named.
    pub ca_file: Option<PathBuf>,
    /// The time limit for one host.
    pub timeout: Duration,
    /// How many hosts to check at once.
    pub jobs: usize,
    /// Print JSON.
    pub json: bool,
    /// Print the chains too.
    pub verbose: bool,
}

/// `certwatch add`.
pub fn add(db: Option<&Path>, targets: &[Target]) -> Result<Verdict> {
    let mut store = Store::open(&paths::database(db)?)?;
    let new = store.add(targets, Timestamp::now()).context("the hosts could not be added")?;
    print(|out| {
        targets.iter().zip(new).try_for_each(|(target, new)| {
            writeln!(out, "{} {target}", if new { "added" } else { "already there:" })
        })
    })?;
    Ok(Verdict::Well)
}

/// `certwatch remove`. An unknown host does not keep the others from being removed.
pub fn remove(db: Option<&Path>, targets: &[Target]) -> Result<Verdict> {
    let known = match existing(db)? {
        Some(mut store) => store.remove(targets).context("the hosts could not be removed")?,
        None => vec![false; targets.len()],
    };
    let with = |wanted: bool| {
        targets.iter().zip(&known).filter(move |(_, known)| **known == wanted).map(|(t, _)| t)
    };
    print(|out| with(true).try_for_each(|target| writeln!(out, "removed {target}")))?;
    let unknown: Vec<_> = with(false).map(Target::to_string).collect();
    if !unknown.is_empty() {
        bail!("not remembered: {}", unknown.join(", "));
    }
    Ok(Verdict::Well)
}

/// `certwatch list`.
pub fn list(db: Option<&Path>, json: bool) -> Result<Verdict> {
    let entries = match existing(db)? {
        Some(store) => store.entries()?,
        None => Vec::new(),
    };
    if json {
        let items: Vec<_> = entries.iter().map(ListItem::new).collect();
        print_json(&items)?;
        return Ok(Verdict::Well);
    }
    let width = entries.iter().map(|e| e.target.to_string().len()).max().unwrap_or(0);
    print(|out| {
        for Entry { target, last, .. } in &entries {
            write!(out, "{:<width$} ", target.to_string())?;
            match last {
                Some(check) => writeln!(out, "{}", check_line(check, false))?,
                None => writeln!(out, "never checked")?,
            }
        }
        Ok(())
    })?;
    Ok(Verdict::Well)
}

/// `certwatch history`.
pub fn history(db: Option<&Path>, target: &Target, json: bool) -> Result<Verdict> {
    let checks = match existing(db)? {
        Some(store) => store.history(target)?,
        None => None,
    };
    let checks = checks.with_context(|| format!("{target} is not remembered"))?;
    if json {
        print_json(&checks)?;
    } else {
        print(|out| {
            checks.iter().try_for_each(|check| writeln!(out, "{}", check_line(check, true)))
        })?;
    }
    Ok(Verdict::Well)
}

/// `certwatch check`.
pub fn check(db: Option<&Path>, options: &CheckOptions) -> Result<Verdict> {
    let mut store = match paths::database(db) {
        Ok(location) => Store::open_existing(&location)?,
        // Hosts that are named can be checked without any database.
        Err(_) if !options.targets.is_empty() => None,
        Err(error) => return Err(error),
    };
    let remembered = match &store {
        Some(store) => store.entries()?.into_iter().map(|e| e.target).collect(),
        None => Vec::new(),
    };
    let targets = if options.targets.is_empty() { &remembered } else { &options.targets };
    if targets.is_empty() {
        bail!("no hosts are remembered: add some with 'certwatch add HOST', or name one to check");
    }

    let trust = Trust::find(options.ca_file.as_deref())?;
    let terms = Terms {
        now: Timestamp::now(),
        within: options.within,
        ca: trust.place.display().to_string(),
    };
    let source = format!("CA certificates from {} ({}): {}", terms.ca, trust.origin, trust.count);
    let prober = Prober::new(trust.into_store(), options.timeout)?;

    let known: HashSet<&Target> = remembered.iter().collect();
    let mut seen = HashSet::new();
    let targets: Vec<_> = targets.iter().filter(|t| seen.insert(*t)).collect();
    let reports = pool::map(&targets, options.jobs, |target| {
        Report::new(target, known.contains(target), prober.probe(target), &terms)
    });

    let recorded = store.as_mut().map_or(Ok(()), |store| record(store, &reports));
    if options.json {
        print_json(&reports)?;
    } else {
        print(|out| {
            if options.verbose {
                writeln!(out, "{source}")?;
            }
            report::write_text(out, &reports, options.verbose)
        })?;
    }
    // Not before the findings are printed: a full disk must not hide them.
    recorded.context("the history could not be written")?;
    Ok(verdict(&reports))
}

fn existing(db: Option<&Path>) -> Result<Option<Store>> {
    Store::open_existing(&paths::database(db)?)
}

fn record(store: &mut Store, reports: &[Report]) -> Result<()> {
    let checks: Vec<_> =
        reports.iter().filter(|r| r.remembered).map(|r| (r.target(), r.to_check())).collect();
    if checks.is_empty() { Ok(()) } else { store.record(&checks) }
}

fn verdict(reports: &[Report]) -> Verdict {
    if reports.iter().any(|r| r.outcome.is_failure()) {
        Verdict::Failed
    } else if reports.iter().any(|r| r.outcome == Outcome::Expiring) {
        Verdict::Expiring
    } else {
        Verdict::Well
    }
}

/// One item of `certwatch list --json`.
#[derive(Serialize)]
struct ListItem<'a> {
    host: String,
    port: u16,
    added: Timestamp,
    last_check: Option<&'a Check>,
}

impl<'a> ListItem<'a> {
    fn new(entry: &'a Entry) -> Self {
        let Entry { target, added, last } = entry;
        let host = target.host.to_string();
        Self { host, port: target.port, added: *added, last_check: last.as_ref() }
    }
}

fn check_line(check: &Check, with_issuer: bool) -> String {
    let end = check.not_after.map_or_else(|| "-".into(), Timestamp::date);
    let line = format!("{}  {:<13} {end:<10}", check.time, clean(&check.outcome));
    match &check.issuer {
        Some(issuer) if with_issuer => format!("{line} {}", clean(issuer)),
        _ => line.trim_end().to_string(),
    }
}
