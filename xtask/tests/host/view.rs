//! A root that holds what a build on this machine may see, and no more: the files that Rust's own
//! programs load, a shell, and some folders, each at the path that it has outside; what a build need
//! not write is read-only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::process::{self, shell_word};
use xtask::rust::Rust;
use xtask::rust::runtime::{needed_files, runtime_files};

/// A folder to be entered.
pub struct View {
    root: PathBuf,
    read_only: Vec<PathBuf>,
    writable: Vec<PathBuf>,
}

impl View {
    /// Makes one; `None`, with the reason, where this machine allows no such thing.
    pub fn new(
        root: PathBuf,
        rust: &Rust,
        read_only: &[&Path],
        writable: &[&Path],
    ) -> Result<Self, String> {
        let [read_only, writable] = [read_only, writable]
            .map(|folders| folders.iter().map(|path| path.to_path_buf()).collect());
        let view = Self { root, read_only, writable };
        let shell = Path::new("/bin/sh");
        let mut files = runtime_files(rust).unwrap();
        files.extend(needed_files(&[shell.canonicalize().unwrap()], None).unwrap());
        files.push(shell.to_owned());
        for file in files {
            let to = view.inside(&file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&file, &to).unwrap();
        }
        for folder in view.read_only.iter().chain(&view.writable) {
            fs::create_dir_all(view.inside(folder)).unwrap();
        }
        for folder in ["dev", "proc", "tmp"] {
            fs::create_dir_all(view.root.join(folder)).unwrap();
        }
        let tried = view.command("exit 0").output();
        match tried {
            Ok(output) if output.status.success() => Ok(view),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn inside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap())
    }

    /// A shell's commands inside, in an empty environment and with nothing but a shell on `PATH`.
    pub fn command(&self, commands: &str) -> Command {
        let word = |path: &Path| shell_word(&path.to_string_lossy());
        let mut script = String::from("set -e\n");
        let own = [Path::new("/dev"), Path::new("/proc")];
        for folder in
            own.into_iter().chain(self.read_only.iter().chain(&self.writable).map(PathBuf::as_path))
        {
            let (from, to) = (word(folder), word(&self.inside(folder)));
            script.push_str(&format!("mount --rbind {from} {to}\n"));
        }
        for folder in &self.read_only {
            let place = word(&self.inside(folder));
            script.push_str(&format!("mount -o remount,bind,ro {place}\n"));
        }
        let commands = shell_word(commands);
        script.push_str(&format!("exec chroot {} /bin/sh -c {commands}\n", word(&self.root)));
        let mut command = process::command("unshare");
        command.arg("--mount");
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        // The tools that make the view are looked up outside; inside there are no such folders.
        command
            .args(["sh", "-c", &script])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }
}
