//! A small repository, made by this machine's git.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository.
pub struct Repository(PathBuf);

impl Repository {
    /// Begins one, on the branch `loom`.
    pub fn begin(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let it = Self(folder.to_owned());
        it.git(&["init", "--quiet", "--initial-branch", "loom"]);
        it
    }

    /// Runs git in it, with none of this machine's settings; what it says.
    pub fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(&self.0).args(arguments);
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "Wanda Weaver")
                .env(format!("GIT_{who}_EMAIL"), "wanda@example.org")
                .env(format!("GIT_{who}_DATE"), "2026-02-03T04:05:06Z");
        }
        let nothing = [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")];
        let output = command.envs(nothing).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Writes a file of it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Commits all that is there; the commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }
}
