//! A published program: how it is built, and the root in which it is used.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;
use xtask::layout::remove_tree;

/// Ticks of the clock by which Linux counts the time of processes.
const TICKS_PER_SECOND: u64 = 100;

/// A published program, and how it is asked for.
pub struct Program {
    /// The crate's name.
    pub name: &'static str,
    /// Exactly this version.
    pub version: &'static str,
    /// What `dist` is told beside that.
    pub arguments: &'static [&'static str],
    /// Programs of this machine without which it cannot be used.
    pub needs: &'static [&'static str],
}

/// A program that was built.
pub struct Built {
    /// How.
    program: Program,
    /// What `dist` wrote.
    out: PathBuf,
    /// The root that it is used in: nothing is there but the programs and what a test puts there.
    pub root: PathBuf,
    manifest: Value,
    wall: Duration,
    cpu: Duration,
}

impl Program {
    /// Builds it and puts its programs into an empty root; `None`, loudly, where that cannot be.
    pub fn build(self) -> Option<Built> {
        let name = self.name;
        let is_on = ["MUSLIN_TEST_ALL", "MUSLIN_TEST_SLOW", "MUSLIN_STORE"]
            .iter()
            .all(|variable| std::env::var_os(variable).is_some());
        if !is_on {
            say(&format!("NOT RUN: `{name}`: run `cargo xtask test --all`"));
            return None;
        }
        let is_here = |program: &&&str| xtask::process::find_program(program).is_none();
        if let Some(missing) = self.needs.iter().find(is_here) {
            say(&format!("NOT RUN: `{name}` needs this machine's `{missing}`"));
            return None;
        }
        Some(self.dist())
    }

    fn dist(self) -> Built {
        // They share a target folder, where one waits for the other anyway.
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(|failed| failed.into_inner());
        let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
        let [out, root] = ["out", "root"].map(|folder| work.join(folder).join(self.name));
        for folder in [&out, &root] {
            remove_tree(folder).unwrap();
        }
        let (started, spent) = (Instant::now(), time_of_children());
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
            .args(["dist", "--crate", &format!("{}@{}", self.name, self.version)])
            .args(self.arguments)
            .arg("--out-dir")
            .arg(&out)
            .env("CARGO_TARGET_DIR", work.join("target"))
            .output()
            .unwrap();
        let (wall, cpu) = (started.elapsed(), time_of_children().saturating_sub(spent));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", self.name);
        fs::create_dir_all(root.join("tmp")).unwrap();
        for program in String::from_utf8_lossy(&output.stdout).lines() {
            let program = Path::new(program);
            if program.extension().is_none() && !program.ends_with("SHA256SUMS") {
                fs::copy(program, root.join(program.file_name().unwrap())).unwrap();
            }
        }
        let manifest = fs::read(out.join("manifest.json")).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["host"], "hidden", "what the build saw of the machine");
        assert_eq!(manifest["package"]["published"]["locked"], true, "by its own Cargo.lock");
        Built { program: self, out, root, manifest, wall, cpu }
    }
}

impl Built {
    /// Where a program of it is, outside of the root.
    pub fn executable(&self, name: &str) -> PathBuf {
        self.out.join(name)
    }

    /// Fails unless these archives of recipes, and no other, are in a program; each as
    /// `zlib: libz.a`, with its recipe.
    pub fn links(&self, program: &str, archives: &[&str]) {
        let programs = self.manifest["executables"].as_array().unwrap();
        let found = programs.iter().find(|it| it["name"] == program).unwrap();
        let recipe = |it: &Value| {
            let from = it["from"].as_str().unwrap().strip_prefix("recipe ")?;
            let name = from.split(' ').next().unwrap();
            Some(format!("{name}: {}", it["archive"].as_str().unwrap()))
        };
        let linked: BTreeSet<String> =
            found["linked"].as_array().unwrap().iter().filter_map(recipe).collect();
        let expected: BTreeSet<String> = archives.iter().map(|&it| it.to_owned()).collect();
        assert_eq!(linked, expected, "what {program} has of recipes");
    }

    /// Fails unless it is exactly these libraries that crates have compiled for themselves.
    pub fn has_copies_of(&self, libraries: &[&str]) {
        let bundled = self.manifest["bundled"].as_array().unwrap();
        let found: Vec<_> = bundled.iter().map(|it| it["links"].as_str().unwrap()).collect();
        assert_eq!(found, libraries, "compiled by crates: {bundled:?}");
    }

    /// Writes a file in the root.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The text of a file in the root.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A command that starts a program of it in the root; nothing else is there, nor any variable.
    pub fn command(&self, program: &str) -> Command {
        // With a user namespace this needs no root.
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "chroot"])
            .arg(&self.root)
            .arg(format!("/{program}"))
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/tmp")
            .stdin(Stdio::null());
        command
    }

    /// Runs a program in the root; what it says on stdout, if all went well.
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a program in the root, which must fail; what it says.
    pub fn refuse(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output().unwrap();
        assert!(!output.status.success(), "{program} {arguments:?}: {output:?}");
        said(&output)
    }

    /// Says what a table needs to know, and takes the root away.
    pub fn done(self, used_for: &str) {
        let bytes = self.manifest["executables"].as_array().unwrap().iter();
        let bytes: u64 = bytes.map(|it| it["size_bytes"].as_u64().unwrap()).sum();
        let Program { name, version, arguments, .. } = self.program;
        say(&format!(
            "PROGRAM | {name} {version} | {} | {:.1} MB | {} s | {} s of CPU | {used_for}",
            arguments.join(" "),
            bytes as f64 / 1e6,
            self.wall.as_secs(),
            self.cpu.as_secs(),
        ));
        remove_tree(&self.root).unwrap();
    }
}

/// Both of what a program wrote.
pub fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy;
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

/// Says a line even if the test passes, where the harness keeps what is printed.
fn say(line: &str) {
    io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// The CPU time of all children that have ended.
fn time_of_children() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    // The second field, in parentheses, is the program's name; these are the 16th and the 17th.
    let (_, fields) = text.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(13).take(2);
    let ticks: u64 = ticks.map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}
