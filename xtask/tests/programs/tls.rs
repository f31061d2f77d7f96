//! A certificate for the loopback, and a server that shows it, by this machine's `openssl`.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Files of a certificate that vouches for itself.
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Identity {
    /// Makes one for 127.0.0.1 in a folder: `cert.pem` and `key.pem`.
    pub fn in_folder(folder: &Path) -> Self {
        let it = Self { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
        let status = Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt"])
            .args(["ec_paramgen_curve:P-256", "-days", "2", "-subj", "/CN=loopback", "-addext"])
            .args(["subjectAltName=IP:127.0.0.1", "-keyout"])
            .arg(&it.key)
            .arg("-out")
            .arg(&it.certificate)
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "openssl req");
        it
    }
}

/// A web server with TLS that serves the files of a folder; ended when dropped.
pub struct Server {
    process: Child,
    /// Where it listens.
    pub address: String,
}

impl Server {
    /// Starts one.
    pub fn of_folder(folder: &Path, identity: &Identity) -> Self {
        let mut process = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-WWW", "-key"])
            .arg(&identity.key)
            .arg("-cert")
            .arg(&identity.certificate)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned));
        // It goes on telling of connections, and would end if nobody read that.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address: address.expect("an address") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
