//! The SQLite database: the remembered hosts and what their checks found.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Row, TransactionBehavior, params,
};
use serde::Serialize;

use crate::clock::Timestamp;
use crate::paths::Location;
use crate::target::Target;

/// Marks a database as certwatch's (`PRAGMA application_id`): "cwch".
const APPLICATION_ID: i64 = 0x6377_6368;

/// How long to wait while another certwatch writes.
const BUSY: Duration = Duration::from_secs(15);

/// The steps from an empty database to today's schema; `user_version` counts those already taken. Steps
/// are only ever appended.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE hosts (
        id    INTEGER PRIMARY KEY,
        host  TEXT    NOT NULL,
        port  INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
        added INTEGER NOT NULL,
        UNIQUE (host, port)
    ) STRICT;
    CREATE TABLE checks (
        id        INTEGER PRIMARY KEY,
        host_id   INTEGER NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
        time      INTEGER NOT NULL,
        outcome   TEXT    NOT NULL,
        not_after INTEGER,
        issuer    TEXT
    ) STRICT;
    CREATE INDEX checks_of_host ON checks (host_id, id);
"];

/// An open database.
pub struct Store {
    db: Connection,
}

/// A remembered host.
#[derive(Debug)]
pub struct Entry {
    /// The host and port.
    pub target: Target,
    /// When it was added.
    pub added: Timestamp,
    /// Its latest check, if there was one.
    pub last: Option<Check>,
}

/// What one check of a remembered host found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// When it was made.
    pub time: Timestamp,
    /// The outcome's word.
    pub outcome: String,
    /// The earliest end among the certificates, if any were seen.
    pub not_after: Option<Timestamp>,
    /// Who issued the host's certificate, if it was seen.
    pub issuer: Option<String>,
}

impl Store {
    /// Opens the database, making it if it is not there.
    pub fn open(location: &Location) -> Result<Self> {
        if let (true, Some(folder)) = (location.make_folder, location.file.parent()) {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        Self::open_with(&location.file, OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens the database if there is one; reading commands leave no empty file behind.
    pub fn open_existing(location: &Location) -> Result<Option<Self>> {
        match location.file.try_exists() {
            Ok(false) => Ok(None),
            Ok(true) => Self::open_with(&location.file, OpenFlags::empty()).map(Some),
            Err(error) => Err(error).with_context(|| cannot_open(&location.file)),
        }
    }

    fn open_with(file: &Path, extra: OpenFlags) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | extra;
        let mut db = Connection::open_with_flags(file, flags).with_context(|| cannot_open(file))?;
        match prepare(&mut db) {
            Ok(()) => Ok(Self { db }),
            Err(error) => {
                let damaged =
                    error.downcast_ref::<rusqlite::Error>().and_then(|e| e.sqlite_error_code());
                Err(match damaged {
                    Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => error.context(
                        format!("{} is not a certwatch database, or is damaged", file.display()),
                    ),
                    _ => error.context(cannot_open(file)),
                })
            }
        }
    }

    /// Remembers all of `targets`; tells for each whether it is new.
    pub fn add(&mut self, targets: &[Target], now: Timestamp) -> Result<Vec<bool>> {
        let insert =
            "INSERT INTO hosts (host, port, added) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let write = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut new = Vec::new();
        for Target { host, port } in targets {
            new.push(write.execute(insert, params![host.to_string(), port, now.unix()])? == 1);
        }
        write.commit()?;
        Ok(new)
    }

    /// Forgets those of `targets` that are remembered, and their history; tells for each whether it was.
    pub fn remove(&mut self, targets: &[Target]) -> Result<Vec<bool>> {
        let write = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut known = Vec::new();
        for Target { host, port } in targets {
            let delete = "DELETE FROM hosts WHERE host = ?1 AND port = ?2";
            known.push(write.execute(delete, params![host.to_string(), port])? == 1);
        }
        write.commit()?;
        Ok(known)
    }

    /// The remembered hosts by name and port, each with its latest check.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let mut select = self.db.prepare(
            "SELECT host, port, added, time, outcome, not_after, issuer
             FROM hosts LEFT JOIN checks
               ON checks.id = (SELECT max(id) FROM checks WHERE host_id = hosts.id)
             ORDER BY host, port",
        )?;
        let mut rows = select.query([])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next().context("cannot read the hosts")? {
            let checked = row.get::<_, Option<i64>>(3)?.is_some();
            entries.push(Entry {
                target: read_target(row)?,
                added: Timestamp::from_unix(row.get(2)?),
                last: if checked { Some(read_check(row, 3)?) } else { None },
            });
        }
        Ok(entries)
    }

    /// The checks of `target`, latest first; `None` if it is not remembered.
    pub fn history(&self, target: &Target) -> Result<Option<Vec<Check>>> {
        let Some(id) = self.id(target)? else { return Ok(None) };
        let mut select = self.db.prepare(
            "SELECT time, outcome, not_after, issuer FROM checks WHERE host_id = ?1 ORDER BY id DESC",
        )?;
        let checks =
            select.query_map([id], |row| read_check(row, 0))?.collect::<rusqlite::Result<_>>();
        checks.map(Some).with_context(|| format!("cannot read the history of {target}"))
    }

    /// Keeps the checks of those targets that are remembered, all or none of them.
    pub fn record(&mut self, checks: &[(&Target, Check)]) -> Result<()> {
        let write = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = write.prepare(
                "INSERT INTO checks (host_id, time, outcome, not_after, issuer)
                 SELECT id, ?3, ?4, ?5, ?6 FROM hosts WHERE host = ?1 AND port = ?2",
            )?;
            for (target, check) in checks {
                let not_after = check.not_after.map(Timestamp::unix);
                insert.execute(params![
                    target.host.to_string(),
                    target.port,
                    check.time.unix(),
                    check.outcome,
                    not_after,
                    check.issuer,
                ])?;
            }
        }
        Ok(write.commit()?)
    }

    fn id(&self, target: &Target) -> Result<Option<i64>> {
        let id = self.db.query_row(
            "SELECT id FROM hosts WHERE host = ?1 AND port = ?2",
            params![target.host.to_string(), target.port],
            |row| row.get(0),
        );
        id.optional().with_context(|| format!("cannot look for {target}"))
    }
}

fn cannot_open(file: &Path) -> String {
    format!("cannot open the database {}", file.display())
}

fn read_target(row: &Row<'_>) -> Result<Target> {
    let host: String = row.get(0)?;
    let port = row.get(1)?;
    match host.parse() {
        Ok(host) => Ok(Target { host, port }),
        Err(error) => bail!("the database holds a host that cannot be ({host:?}): {error}"),
    }
}

fn read_check(row: &Row<'_>, first: usize) -> rusqlite::Result<Check> {
    Ok(Check {
        time: Timestamp::from_unix(row.get(first)?),
        outcome: row.get(first + 1)?,
        not_after: row.get::<_, Option<i64>>(first + 2)?.map(Timestamp::from_unix),
        issuer: row.get(first + 3)?,
    })
}

/// Settings of the connection, and the schema brought up to date.
fn prepare(db: &mut Connection) -> Result<()> {
    db.busy_timeout(BUSY)?;
    // An image without files has no folder for temporary ones either.
    db.execute_batch("PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;")?;
    if marks(db)? == (APPLICATION_ID, MIGRATIONS.len() as i64) {
        return Ok(());
    }
    // Only in a transaction do the answers fit together: another certwatch may be making the tables.
    let write = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in MIGRATIONS.iter().skip(version(&write)?) {
        write.execute_batch(step)?;
    }
    write.pragma_update(None, "application_id", APPLICATION_ID)?;
    write.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    Ok(write.commit()?)
}

/// The database's `application_id` and `user_version`.
fn marks(db: &Connection) -> Result<(i64, i64)> {
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get(0));
    Ok((pragma("application_id")?, pragma("user_version")?))
}

/// How many migrations the database has had; an error if it is not one that this program may touch.
fn version(db: &Connection) -> Result<usize> {
    let (application, version) = marks(db)?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == 0 && version == 0 && tables == 0 {
        return Ok(0);
    }
    if application != APPLICATION_ID {
        bail!("it is a SQLite database of another program");
    }
    match usize::try_from(version) {
        Ok(known) if known <= MIGRATIONS.len() => Ok(known),
        _ => bail!(
            "it is of version {version}, written by a newer certwatch (this one knows {})",
            MIGRATIONS.len()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::slice;

    fn memory() -> Result<Store> {
        Store::open_with(Path::new(":memory:"), OpenFlags::SQLITE_OPEN_CREATE)
    }

    fn target(text: &str) -> Target {
        text.parse().expect("a target")
    }

    fn check(time: i64, outcome: &str) -> Check {
        let time = Timestamp::from_unix(time);
        Check { time, outcome: outcome.into(), not_after: Some(time), issuer: Some("CN=x".into()) }
    }

    #[test]
    fn hosts_are_added_once_listed_in_order_and_removed() -> Result<()> {
        let mut store = memory()?;
        let now = Timestamp::from_unix(7);
        let hosts =
            ["b.example", "a.example:2", "a.example:1", "[::1]:443", "B.example"].map(target);
        assert_eq!(store.add(&hosts, now)?, [true, true, true, true, false]);
        assert_eq!(store.add(&hosts[..1], now)?, [false]);
        let names = |store: &Store| -> Result<Vec<String>> {
            Ok(store.entries()?.iter().map(|e| e.target.to_string()).collect())
        };
        assert_eq!(names(&store)?, ["[::1]:443", "a.example:1", "a.example:2", "b.example:443"]);
        assert_eq!(store.remove(&["a.example:1", "c.example"].map(target))?, [true, false]);
        assert_eq!(names(&store)?, ["[::1]:443", "a.example:2", "b.example:443"]);
        assert_eq!(store.entries()?[0].added, now);
        Ok(())
    }

    #[test]
    fn checks_of_remembered_hosts_are_kept_and_leave_with_them() -> Result<()> {
        let mut store = memory()?;
        let [known, stranger] = ["known.example", "stranger.example"].map(target);
        store.add(slice::from_ref(&known), Timestamp::from_unix(1))?;
        assert_eq!(store.history(&known)?, Some(vec![]));
        store.record(&[(&known, check(10, "ok")), (&stranger, check(10, "ok"))])?;
        store.record(&[(&known, check(20, "expired"))])?;
        assert_eq!(store.history(&known)?, Some(vec![check(20, "expired"), check(10, "ok")]));
        assert_eq!(store.history(&stranger)?, None);
        assert_eq!(store.entries()?[0].last, Some(check(20, "expired")));

        store.remove(&[known])?;
        let left: i64 = store.db.query_row("SELECT count(*) FROM checks", [], |row| row.get(0))?;
        assert_eq!(left, 0);
        Ok(())
    }

    #[test]
    fn a_newer_database_and_a_foreign_one_are_refused_unchanged() -> Result<()> {
        let mut db = Connection::open_in_memory()?;
        prepare(&mut db)?;
        prepare(&mut db)?;
        db.pragma_update(None, "user_version", 99)?;
        let error = prepare(&mut db).expect_err("too new").to_string();
        assert!(error.contains("version 99") && error.contains("newer"), "{error}");

        let mut db = Connection::open_in_memory()?;
        db.execute_batch("CREATE TABLE mine (x)")?;
        let error = prepare(&mut db).expect_err("foreign").to_string();
        assert!(error.contains("another program"), "{error}");
        let tables: i64 =
            db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        assert_eq!(tables, 1);
        Ok(())
    }
}
