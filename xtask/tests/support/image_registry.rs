//! A registry of images on this machine: the one that Docker's project wrote, as Debian has it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

/// Ended when dropped.
pub struct Registry {
    process: Child,
    /// Where it listens.
    pub host: String,
}

impl Registry {
    /// Starts one that keeps its files in a folder, with passwords for those whom a list of `htpasswd`
    /// names; nothing where the program is not installed.
    pub fn start(folder: &Path, users: Option<&str>) -> Option<Self> {
        let program = xtask::process::find_program("docker-registry")?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        fs::create_dir_all(folder).unwrap();
        let place = folder.display();
        let mut config = format!(
            "version: 0.1\nlog: {{ level: error }}\nhttp: {{ addr: '{host}' }}\n\
             storage:\n  filesystem: {{ rootdirectory: '{place}/kept' }}\n"
        );
        if let Some(users) = users {
            fs::write(folder.join("users"), users).unwrap();
            let auth = format!("auth:\n  htpasswd: {{ realm: test, path: '{place}/users' }}\n");
            config.push_str(&auth);
        }
        fs::write(folder.join("config.yml"), config).unwrap();
        let mut command = xtask::process::command(program);
        command.arg("serve").arg(folder.join("config.yml")).stdin(Stdio::null());
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let registry = Self { process, host };
        for _ in 0..300 {
            if TcpStream::connect(&registry.host).is_ok() {
                return Some(registry);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the registry does not listen");
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
