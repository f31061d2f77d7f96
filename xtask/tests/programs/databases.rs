//! Programs that look after databases.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::thread::{self, JoinHandle};

use crate::built::Program;
use crate::network::closed_port;

/// What a client of PostgreSQL sends to ask for TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// An alert of TLS: fatal, the handshake failed.
const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

/// A server that agrees to PostgreSQL's question for TLS, and refuses the handshake; its address,
/// and in the end the first byte of that.
fn refuses_handshakes() -> (String, JoinHandle<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://nobody@{}/db?sslmode=require", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        let mut asked = [0; SSL_REQUEST.len()];
        stream.read_exact(&mut asked).unwrap();
        assert_eq!(asked, SSL_REQUEST);
        stream.write_all(b"S").unwrap();
        let mut hello = [0];
        stream.read_exact(&mut hello).unwrap();
        stream.write_all(&ALERT).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        // Closing with unread bytes would reset the connection and lose the alert.
        let _ = io::copy(&mut stream, &mut io::sink());
        hello[0]
    });
    (url, server)
}

#[test]
fn diesel_cli() {
    let program = Program { name: "diesel_cli", version: "2.3.14", arguments: &[], needs: &[] };
    let Some(built) = program.build() else { return };
    built.links(
        "diesel",
        &[
            "libpq: libpq.a",
            "mariadb-connector-c: libmariadb.a",
            "openssl: libcrypto.a",
            "openssl: libssl.a",
            "sqlite: libsqlite3.a",
            "zlib: libz.a",
        ],
    );
    built.has_copies_of(&[]);

    // SQLite: a database, and a migration that is run and taken back.
    let diesel = |arguments: &[&str]| {
        built.run("diesel", &[arguments, &["--database-url", "/app.sqlite"]].concat())
    };
    built.write("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\n");
    built.write("src/main.rs", "");
    diesel(&["setup"]);
    diesel(&["migration", "generate", "posts"]);
    let folder = fs::read_dir(built.root.join("migrations")).unwrap();
    let mut folders = folder.map(|it| it.unwrap().file_name().into_string().unwrap());
    let folder = folders.find(|name| name.ends_with("_posts")).unwrap();
    built.write(
        &format!("migrations/{folder}/up.sql"),
        "CREATE TABLE posts (id INTEGER PRIMARY KEY NOT NULL, title TEXT NOT NULL, body BLOB);",
    );
    built.write(&format!("migrations/{folder}/down.sql"), "DROP TABLE posts;");
    let listed = diesel(&["migration", "list"]);
    assert!(listed.contains(&format!("[ ] {folder}")), "{listed}");
    diesel(&["migration", "run"]);
    let listed = diesel(&["migration", "list"]);
    assert!(listed.contains(&format!("[X] {folder}")), "{listed}");
    let schema = built.read("src/schema.rs");
    assert!(
        schema.contains("posts (id)") && schema.contains("body -> Nullable<Binary>"),
        "{schema}"
    );
    diesel(&["migration", "revert"]);
    let schema = diesel(&["print-schema"]);
    assert!(!schema.contains("posts"), "{schema}");

    // PostgreSQL: libpq says why there is no connection, and OpenSSL why it is not encrypted.
    let port = closed_port();
    let url = format!("postgres://nobody@127.0.0.1:{port}/db");
    let told = built.refuse("diesel", &["migration", "list", "--database-url", &url]);
    let words = format!("connection to server at \"127.0.0.1\", port {port} failed");
    assert!(told.contains(&words), "{told}");
    let (url, server) = refuses_handshakes();
    let told = built.refuse("diesel", &["migration", "list", "--database-url", &url]);
    assert_eq!(server.join().unwrap(), 22, "a handshake of TLS");
    assert!(told.contains("alert handshake failure"), "{told}");

    // MySQL: its library says that nobody listens.
    let url = format!("mysql://nobody@127.0.0.1:{}/db", closed_port());
    let told = built.refuse("diesel", &["migration", "list", "--database-url", &url]);
    assert!(told.contains("Can't connect to server on '127.0.0.1'"), "{told}");
    built.done("a SQLite database set up, a migration run and reverted; libpq and MySQL refused");
}

#[test]
fn sqlx_cli() {
    let program = Program {
        name: "sqlx-cli",
        version: "0.9.0",
        arguments: &[
            "--no-default-features",
            "--features",
            "sqlite,postgres,native-tls",
            "--prefer",
            "sysroot",
        ],
        needs: &[],
    };
    let Some(built) = program.build() else { return };
    built.links("sqlx", &["openssl: libcrypto.a", "openssl: libssl.a", "sqlite: libsqlite3.a"]);
    built.has_copies_of(&[]);

    let sqlx = |arguments: &[&str]| {
        built.run("sqlx", &[arguments, &["--database-url", "sqlite:/app.sqlite"]].concat())
    };
    sqlx(&["database", "create"]);
    built.run("sqlx", &["migrate", "add", "-r", "--source", "/migrations", "people"]);
    for item in fs::read_dir(built.root.join("migrations")).unwrap() {
        let path = item.unwrap().path();
        let is_up = path.to_string_lossy().ends_with(".up.sql");
        let up =
            "CREATE TABLE people (name TEXT NOT NULL) STRICT;\nINSERT INTO people VALUES ('Ada');";
        fs::write(path, if is_up { up } else { "DROP TABLE people;" }).unwrap();
    }
    let source = ["--source", "/migrations"];
    let migrate = |command: &str| sqlx(&[&["migrate", command], &source[..]].concat());
    assert!(migrate("info").contains("/pending people"), "{}", migrate("info"));
    let told = migrate("run");
    assert!(told.contains("migrate people"), "{told}");
    assert!(migrate("info").contains("/installed people"), "{}", migrate("info"));
    let database = fs::read(built.root.join("app.sqlite")).unwrap();
    assert!(database.windows(3).any(|bytes| bytes == b"Ada"), "the row is in the file");
    let told = migrate("revert");
    assert!(told.contains("revert people"), "{told}");
    assert!(migrate("info").contains("/pending people"), "{}", migrate("info"));

    let (url, server) = refuses_handshakes();
    let told = built.refuse("sqlx", &["migrate", "info", "--source", "/migrations", "-D", &url]);
    assert_eq!(server.join().unwrap(), 22, "a handshake of TLS");
    assert!(told.contains("alert handshake failure"), "{told}");
    built.done("a SQLite database made, a migration added, run, shown, reverted; TLS refused");
}
