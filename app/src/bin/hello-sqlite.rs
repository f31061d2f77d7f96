//! A small program with one C library: a table in memory, three rows, and what SQLite says of them.

use rusqlite::{Connection, params};

fn main() -> rusqlite::Result<()> {
    let db = Connection::open_in_memory()?;
    db.execute("CREATE TABLE moons (name TEXT NOT NULL, planet TEXT NOT NULL)", [])?;
    for (name, planet) in [("Titan", "Saturn"), ("Europa", "Jupiter"), ("Triton", "Neptune")] {
        db.execute("INSERT INTO moons VALUES (?1, ?2)", params![name, planet])?;
    }

    println!("SQLite {}", rusqlite::version());
    let mut select = db.prepare("SELECT name, planet FROM moons ORDER BY name")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        println!("{} circles {}", row.get::<_, String>(0)?, row.get::<_, String>(1)?);
    }
    Ok(())
}
