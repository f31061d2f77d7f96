//! The work bench of a library's step: its folders, its environment, its log.
//!
//! A builder runs programs through it and no other way, so that every one of them sees the same
//! cleared environment, and a failure can be shown and repeated.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use jobserver::Client;

use crate::exit::{Exit, Failure};
use crate::process::{self, describe_status, last_lines, shell_word};
use crate::recipe::Library;
use crate::recipe::template::{Placeholder, Template};
use crate::target::Target;
use crate::toolchain::{BUILD_FOLDER_VARIABLE, ToolNames};
use crate::unpack::MODIFIED;

/// Flags of every C file of every library: position-independent, because the program is static-pie;
/// in sections, so that the linker drops what is not used; without unwind tables, which a C library
/// needs only for debuggers and which are a tenth of SQLite (measured: 1.42 MB against 1.31 MB).
pub const BASE_FLAGS: [&str; 5] =
    ["-O2", "-fPIC", "-ffunction-sections", "-fdata-sections", "-fno-asynchronous-unwind-tables"];

/// How many lines of the log a failure shows.
const SHOWN_LINES: usize = 20;

/// A library's work bench.
pub struct Bench<'a> {
    /// The recipe.
    pub library: &'a Library,
    /// What it is built for.
    pub target: &'a Target,
    /// The source tree, writable.
    pub source: PathBuf,
    /// Where the builder installs: `include/` and `lib/` below it.
    pub install: PathBuf,
    /// Outputs of the library's dependencies, composed.
    pub dependencies: PathBuf,
    /// The step's own folder: everything above is below it.
    pub root: PathBuf,
    /// The driver's programs.
    pub driver: PathBuf,
    /// Their names.
    pub names: ToolNames,
    /// Tokens for more than one job at once; the step itself holds one.
    pub tokens: &'a Client,
    /// How many jobs there are.
    pub jobs: usize,
    log: File,
    log_path: PathBuf,
}

impl<'a> Bench<'a> {
    /// Prepares the folders of a step below `root`, which is empty.
    pub fn new(
        library: &'a Library,
        target: &'a Target,
        root: &Path,
        driver: PathBuf,
        tokens: &'a Client,
        jobs: usize,
    ) -> Result<Self> {
        let at = |name: &str| root.join(name);
        for folder in ["tools", "tmp", "home", "install", "dependencies"] {
            fs::create_dir(at(folder)).with_context(|| format!("cannot make {folder}"))?;
        }
        // Tools are found once, where the user's PATH has them, and offered by name only.
        for tool in &library.tools {
            let found = process::find_program(tool)
                .with_context(|| format!("`{tool}` is gone from this machine's PATH"))?;
            std::os::unix::fs::symlink(found, at("tools").join(tool))?;
        }
        let log_path = at("build.log");
        let log = File::options().create_new(true).append(true).open(&log_path)?;
        Ok(Self {
            library,
            target,
            source: at("source"),
            install: at("install"),
            dependencies: at("dependencies"),
            root: root.to_owned(),
            driver,
            names: ToolNames::new(target),
            tokens,
            jobs,
            log,
            log_path,
        })
    }

    /// A command with the environment of a step, in the source tree.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = process::command(program);
        command.current_dir(&self.source).env_clear().envs(self.environment());
        command.envs(process::clock_variables());
        command
    }

    /// All that a step's programs see.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let path = [&self.driver, &self.root.join("tools")].map(|folder| text(folder)).join(":");
        let flags = BASE_FLAGS.join(" ");
        vec![
            ("PATH", format!("{path}:/usr/bin:/bin")),
            ("HOME", text(&self.root.join("home"))),
            ("TMPDIR", text(&self.root.join("tmp"))),
            ("LC_ALL", "C".to_owned()),
            ("TZ", "UTC".to_owned()),
            ("TERM", "dumb".to_owned()),
            ("SOURCE_DATE_EPOCH", MODIFIED.to_string()),
            (BUILD_FOLDER_VARIABLE, text(&self.root)),
            ("CC", self.names.cc.clone()),
            ("CXX", self.names.cxx.clone()),
            ("AR", self.names.ar.clone()),
            ("RANLIB", self.names.ranlib.clone()),
            ("CFLAGS", flags.clone()),
            ("CXXFLAGS", flags),
            ("PKG_CONFIG_LIBDIR", text(&self.dependencies.join("lib/pkgconfig"))),
        ]
    }

    /// Fills in a template of this step.
    pub fn fill(&self, template: &Template) -> String {
        template.render(|placeholder| match placeholder {
            Placeholder::Version => self.library.version.clone(),
            Placeholder::Target => self.target.triple.clone(),
            Placeholder::TargetUpper => self.target.upper(),
            Placeholder::Gnu => self.target.gnu.clone(),
            Placeholder::Jobs => self.jobs.to_string(),
            Placeholder::Sysroot => self.dependencies.to_string_lossy().into_owned(),
            Placeholder::ZigLibc | Placeholder::ZigKernel => String::new(),
        })
    }

    /// Runs a program of the step; its output goes to the log. A failure shows all there is to know.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        writeln!(&self.log, "$ {}", process::describe(command)).context("cannot write the log")?;
        let status = process::run_logged(command, &self.log)
            .with_context(|| format!("cannot build {}", self.library.name))?;
        if status.success() {
            return Ok(());
        }
        if process::is_interrupted() {
            anyhow::bail!("interrupted while building {}", self.library.name);
        }
        let _ = fs::write(self.root.join("run.sh"), self.script(command));
        let log = fs::read_to_string(&self.log_path).unwrap_or_default();
        let library = self.library;
        Err(Failure::new(
            Exit::Failed,
            format!(
                "building {} {} failed: `{}` {}\n{}",
                library.name,
                library.version,
                shortened(&process::describe(command)),
                describe_status(status),
                last_lines(&log, SHOWN_LINES)
            ),
        )
        .into())
    }

    /// A script that repeats a command of the step by hand, in the tree beside it.
    fn script(&self, command: &Command) -> String {
        let mut text = String::from(
            "#!/bin/sh\n# Repeats the command that failed, with the environment of its step.\n",
        );
        text.push_str("root=$(CDPATH= cd -- \"${0%/*}\" && pwd)\n");
        let root = self.root.to_string_lossy().into_owned();
        let place = |word: &str| {
            // The tree has moved since: what lay below the step's folder lies beside this script.
            let parts: Vec<String> = word
                .split(root.as_str())
                .map(|part| if part.is_empty() { String::new() } else { shell_word(part) })
                .collect();
            parts.join("\"$root\"")
        };
        let folder = command.get_current_dir().unwrap_or(&self.source).to_string_lossy();
        text.push_str(&format!("cd {} || exit 1\nexec env -i", place(&folder)));
        for (name, value) in command.get_envs() {
            let Some(value) = value else { continue };
            // The jobserver that these name is gone.
            if !["MAKEFLAGS", "CARGO_MAKEFLAGS", "MFLAGS"].iter().any(|n| name == *n) {
                let name = name.to_string_lossy();
                text.push_str(&format!(" \\\n  {name}={}", place(&value.to_string_lossy())));
            }
        }
        text.push_str(" \\\n ");
        for word in std::iter::once(command.get_program()).chain(command.get_args()) {
            let word = word.to_string_lossy();
            text.push(' ');
            text.push_str(&if word.is_empty() { shell_word("") } else { place(&word) });
        }
        text.push('\n');
        text
    }
}

fn shortened(text: &str) -> String {
    const LIMIT: usize = 300;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
