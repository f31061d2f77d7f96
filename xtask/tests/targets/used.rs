//! One target: its programs built by `dist`, and used in the emulator.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use xtask::emulator::Emulator;
use xtask::layout::remove_tree;
use xtask::process::env_var;
use xtask::target::Target;

use crate::checkout;
use crate::results::Measured;
use crate::tls::{Identity, Server};

/// The probes that every target must pass.
const PROBES: [&str; 7] =
    ["time", "big-file", "stack", "order", "atomics", "unwinding", "exceptions"];

/// What `hello-sqlite` says of the moons.
const MOONS: &str = "Europa circles Jupiter\nTitan circles Saturn\nTriton circles Neptune\n";

struct Use<'a> {
    target: &'a Target,
    emulator: Emulator,
    /// A folder for what the programs write.
    work: PathBuf,
}

/// Builds and uses all of them.
pub fn build_and_use(target: &Target) -> Result<Measured, String> {
    let emulator = Emulator::find(&target.emulator).map_err(|missing| missing.to_string())?;
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("targets").join(&target.triple);
    remove_tree(&work).unwrap();
    fs::create_dir_all(&work).unwrap();
    let this = Use { target, emulator, work };
    let begin = Instant::now();
    let app = this.dist("app", &[])?;
    let seconds = begin.elapsed().as_secs_f64();
    let probes = "xtask/tests/targets/probes/Cargo.toml";
    let probes = this.dist("probes", &["--manifest-path", probes])?;
    this.says(&app.join("hello"), "Hello, world!\n")?;
    this.says(&app.join("hello-sqlite"), MOONS)?;
    this.certwatch(&app.join("certwatch"))?;
    let size = |name: &str| fs::metadata(app.join(name)).map_err(|error| error.to_string());
    Ok(Measured {
        hello: size("hello")?.len(),
        hello_sqlite: size("hello-sqlite")?.len(),
        certwatch: size("certwatch")?.len(),
        seconds: seconds.round(),
        emulator: this.version()?,
        probes: this.probe(&probes.join("probes"))?,
    })
}

impl Use<'_> {
    /// Builds a package and returns the folder of its programs.
    fn dist(&self, name: &str, arguments: &[&str]) -> Result<PathBuf, String> {
        let out = self.work.join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.current_dir(checkout()).args(["dist", "--target", &self.target.triple]);
        if let Some(name) = env_var("MUSLIN_TEST_TOOLCHAIN") {
            command.args(["--toolchain", &name]);
        }
        command.args(arguments).arg("--out-dir").arg(&out);
        let target_folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("targets/target");
        let output = ended(command.env("CARGO_TARGET_DIR", target_folder))?;
        match output.status.success() {
            true => Ok(out),
            false => Err(format!("dist of {name}: {}", text(&output.stderr))),
        }
    }

    /// What a program prints, which must end well.
    fn run(&self, program: &Path, arguments: &[&OsStr]) -> Result<String, String> {
        let output = ended(self.emulator.command(program).args(arguments))?;
        let (said, status) = (text(&output.stdout), output.status);
        match status.success() {
            true => Ok(said),
            false => {
                Err(format!("{}: {status}\n{said}{}", program.display(), text(&output.stderr)))
            }
        }
    }

    fn says(&self, program: &Path, expected: &str) -> Result<(), String> {
        let said = self.run(program, &[])?;
        match said.ends_with(expected) {
            true => Ok(()),
            false => Err(format!("{} says {said:?}", program.display())),
        }
    }

    /// A handshake with a server of TLS whose certificate is vouched for, one with a server whose is
    /// not, and what the database remembers of them.
    fn certwatch(&self, program: &Path) -> Result<(), String> {
        let identity = Identity::in_folder(&self.work);
        let server = Server::of_folder(&self.work, &identity);
        let database = self.work.join("db.sqlite");
        let run = |arguments: &[&str]| {
            let mut all: Vec<&OsStr> = vec![OsStr::new("--db"), database.as_os_str()];
            all.extend(arguments.iter().map(OsStr::new));
            self.run(program, &all)
        };
        let certificate = identity.certificate.to_str().ok_or("a path that is no text")?;
        run(&["add", &server.address])?;
        // It is valid for two days.
        let checked = run(&["check", "--within", "1", "--ca-file", certificate])?;
        let listed = run(&["list", "--json"])?;
        let stranger = run(&["check", "--within", "1", &server.address]).err();
        let stranger = stranger.ok_or("certwatch trusts a stranger")?;
        let is_well = checked.starts_with("ok") && listed.contains(&server.address[..9]);
        if !is_well || !stranger.contains("certificate") {
            return Err(format!("certwatch says {checked:?}, {listed:?} and {stranger:?}"));
        }
        Ok(())
    }

    /// All must be right.
    fn probe(&self, program: &Path) -> Result<Vec<String>, String> {
        let said = self.run(program, &[self.work.as_os_str()])?;
        let right =
            said.lines().filter_map(|line| line.split_once(": ok").map(|it| it.0.to_owned()));
        let right: Vec<String> = right.collect();
        match right == PROBES && self.has_its_stack(&said) {
            true => Ok(right),
            false => Err(format!("the probes say:\n{said}")),
        }
    }

    /// The stack's size is that of the row; musl adds a guard and what a thread begins with, which is
    /// larger the more thread-local variables a program has.
    fn has_its_stack(&self, said: &str) -> bool {
        const ADDED_MAX_BYTES: u64 = 64 << 10;
        let words = said.lines().find_map(|line| line.strip_prefix("stack: ok "));
        let size = words.and_then(|words| words.split(' ').next()?.parse::<u64>().ok());
        let added = size.and_then(|size| size.checked_sub(self.target.stack_size_bytes));
        added.is_some_and(|added| added <= ADDED_MAX_BYTES)
    }

    fn version(&self) -> Result<String, String> {
        let output = ended(Command::new(&self.emulator.program).arg("--version"))?;
        let said = text(&output.stdout);
        let version = said.split_whitespace().nth(2);
        version.map(str::to_owned).ok_or_else(|| format!("a version in {said:?}"))
    }
}

fn ended(command: &mut Command) -> Result<Output, String> {
    command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
