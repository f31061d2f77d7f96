//! A registry of crates on the loopback, as cargo's sparse protocol has it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use xtask::digest::Digest;

use crate::server::{Reply, Server};

/// A crate's file, and its digest in hexadecimal digits.
pub fn packed(name: &str, version: &str) -> (Vec<u8>, String) {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let manifest = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\n");
    let library = "/// How often it goes to and fro.\npub fn turns() -> u32 {\n    3\n}\n";
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("src/main.rs", "fn main() {}\n"),
        ("src/lib.rs", library),
    ];
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        let path = format!("{name}-{version}/{path}");
        builder.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    let bytes = builder.into_inner().unwrap().finish().unwrap();
    let digest = Digest::sha256_of(&bytes).hex();
    (bytes, digest)
}

/// Starts one that has a crate in these versions. Its name has four letters or more.
pub fn serve(name: &str, versions: &[&str]) -> Server {
    let mut replies = BTreeMap::new();
    let mut lines = String::new();
    for version in versions {
        let (bytes, digest) = packed(name, version);
        let line = json!({
            "name": name, "vers": version, "deps": [], "cksum": digest, "features": {}, "yanked": false
        });
        writeln!(lines, "{line}").unwrap();
        replies.insert(format!("/{name}/{version}/download"), bytes);
    }
    replies.insert(format!("/{}/{}/{name}", &name[..2], &name[2..4]), lines.into_bytes());
    Server::start(move |request, _| match request.path.as_str() {
        "/config.json" => {
            let host = request.header("host").unwrap();
            Reply::Plain(json!({ "dl": format!("http://{host}") }).to_string().into_bytes())
        }
        path => match replies.get(path) {
            Some(bytes) => Reply::Plain(bytes.clone()),
            None => Reply::Status("404 Not Found", Vec::new(), Vec::new()),
        },
    })
}
