//! One build of `verify`: prepares the place, runs this very program's `dist` there, keeps what came
//! of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::ValueEnum as _;

use super::compare::Outputs;
use super::machine::{FileOrder, Machine, OTHER_HOST, OTHER_USER, OTHER_ZONE};
use super::place::{Disordered, Sources};
use super::vary::{Variation, Variations};
use crate::exit::{Exit, Failure};
use crate::layout::{Store, files_below, remove_tree};
use crate::process::{
    self, CLOCK_LIBRARY, CLOCK_OFFSET, Identity, cargo_home, describe_status, env_var, last_lines,
};
use crate::report;
use crate::session::{Project, Session};

/// The two folders in which builds take place: a plain one, and a long one with blanks and letters
/// beyond ASCII. Neither has a character that make or a shell takes for its own.
const HERE: &str = "here";
const THERE: &str = "somewhere else, in a longer föld€r with blanks and letters of any kind";

/// How many lines of a failed build are shown.
const SHOWN_LINES: usize = 30;

/// What all builds have in common.
pub struct Builds<'a> {
    /// Whose downloads are shared.
    pub session: &'a Session,
    /// What is built.
    pub project: &'a Project,
    /// Its triple.
    pub triple: &'a str,
    /// Arguments of `dist`, except those that say where.
    pub arguments: Vec<String>,
    /// Cargo's profile.
    pub profile: &'a str,
    /// What can vary.
    pub machine: &'a Machine,
    /// What is copied.
    pub sources: Sources,
    /// The folder of all builds.
    pub work: &'a Path,
    /// How many there were.
    pub count: usize,
}

/// A finished build.
pub struct Build {
    /// Everything that it made.
    pub outputs: Outputs,
    /// Its entries: those that it made, and links to those that it was given.
    pub entries: PathBuf,
    /// What `dist` said of programs that failed a check. They are compared all the same.
    pub failed_check: Option<String>,
}

/// Folders of one build.
struct Place {
    store: PathBuf,
    target: PathBuf,
    copy: PathBuf,
    out: PathBuf,
    other: PathBuf,
    log: PathBuf,
}

impl Builds<'_> {
    /// Builds under some variations. `given` are entries that are not made again.
    pub fn run(&mut self, variations: &Variations, given: &[PathBuf]) -> Result<Build> {
        let begin = Instant::now();
        self.count += 1;
        let results = self.work.join(format!("build-{}", self.count));
        fs::create_dir_all(&results)?;
        let names: Vec<_> = variations.iter().map(|variation| variation.words()).collect();
        let under = if names.is_empty() { "nothing varied".to_owned() } else { names.join(", ") };
        let _progress = report::Progress::spinner("Building", format!("with {under}"));
        let failed_check = {
            let _mounts = self.lay_out(variations)?;
            let place = self.place(variations, &results);
            self.furnish(&place, variations, given)?;
            self.build(&place, variations)?
        };
        let build = self.collect(variations, &results, failed_check)?;
        let took = report::human_duration(begin.elapsed());
        report::status("Built", format!("no. {} in {took}: {under}", self.count));
        report::event(
            "verify-build",
            serde_json::json!({
                "target": self.triple, "number": self.count,
                "variations": variations.iter().map(|v| v.name()).collect::<Vec<_>>(),
                "seconds": begin.elapsed().as_secs_f64(),
            }),
        );
        Ok(build)
    }

    fn is_disordered(&self, variations: &Variations) -> bool {
        variations.contains(&Variation::FileOrder)
            && matches!(self.machine.file_order, Some(FileOrder::Disorderfs))
    }

    /// Where the folder really is that a build sees at `here` or `there`.
    fn below(&self, name: &str, variations: &Variations) -> PathBuf {
        let below = if self.is_disordered(variations) { "below" } else { "" };
        self.work.join(below).join(name)
    }

    /// Makes both folders anew, empty, and shows them in another order if that is asked for.
    fn lay_out(&self, variations: &Variations) -> Result<Vec<Disordered>> {
        let identity = self.machine.surroundings(variations).identity;
        let is_for_others = matches!(identity, Some(Identity::Real(_)));
        let mut mounts = Vec::new();
        for name in [HERE, THERE] {
            let above = self.work.join(name);
            let below = self.below(name, variations);
            for folder in [&above, &below] {
                remove_tree(folder)
                    .and_then(|()| fs::create_dir_all(folder))
                    .with_context(|| format!("cannot empty {}", folder.display()))?;
            }
            if above != below {
                mounts.push(Disordered::mount(&below, &above, is_for_others)?);
            }
        }
        Ok(mounts)
    }

    fn place(&self, variations: &Variations, results: &Path) -> Place {
        let at =
            |variation| self.work.join(if variations.contains(&variation) { THERE } else { HERE });
        let folder = at(Variation::BuildPath);
        let copy = match &self.machine.file_order {
            Some(FileOrder::Memory(memory)) => {
                memory.path().join(folder.file_name().unwrap_or_default())
            }
            _ => folder.clone(),
        };
        Place {
            store: at(Variation::StorePath).join("store"),
            target: folder.join("target"),
            copy: copy.join("copy"),
            out: self.work.join(HERE).join("dist"),
            other: self.work.join(THERE),
            log: results.join("build.log"),
        }
    }

    /// Puts the copy, the downloads and the given entries in place.
    fn furnish(&self, place: &Place, variations: &Variations, given: &[PathBuf]) -> Result<()> {
        remove_tree(&place.copy)?;
        let is_reversed = variations.contains(&Variation::FileOrder)
            && !matches!(self.machine.file_order, Some(FileOrder::Disorderfs));
        self.sources.copy(&place.copy, is_reversed)?;
        let store = Store::open(&place.store)?;
        store.share_downloads(&self.session.store)?;
        for entry in given {
            store.share_entry(entry)?;
        }
        for folder in [&place.target, &place.out, &place.other.join("tmp")] {
            fs::create_dir_all(folder)?;
        }
        let home = place.other.join("home");
        fs::create_dir_all(&home)?;
        if let Some(cargo) = cargo_home() {
            std::os::unix::fs::symlink(std::path::absolute(cargo)?, home.join(".cargo"))?;
        }
        match self.machine.surroundings(variations).identity {
            Some(Identity::Real(id)) => {
                give_away(self.work, id)?;
                give_away(&place.copy, id)
            }
            _ => Ok(()),
        }
    }

    /// Runs `dist`. What it says of a failed check is returned; any other failure is an error.
    fn build(&self, place: &Place, variations: &Variations) -> Result<Option<String>> {
        let mut command = self.command(place, variations)?;
        let log = File::create(&place.log).context("cannot write the log")?;
        let status = process::run_logged(&mut command, &log)?;
        if status.success() {
            return Ok(None);
        }
        if process::is_interrupted() {
            anyhow::bail!("interrupted while verifying");
        }
        let said = fs::read_to_string(&place.log).unwrap_or_default();
        if status.code() == Some(Exit::CheckFailed as i32) {
            let at = said.rfind("error: ").unwrap_or(0);
            return Ok(Some(said[at..].trim().to_owned()));
        }
        let names: Vec<_> = variations.iter().map(|variation| variation.words()).collect();
        let under = match &names[..] {
            [] => "without any variation".to_owned(),
            names => format!("with another {}", names.join(", ")),
        };
        let message = format!(
            "the build {under} {}\n{}",
            describe_status(status),
            last_lines(&said, SHOWN_LINES)
        );
        let mut failure = Failure::new(Exit::Failed, message)
            .help("what a package reads outside of its workspace is not in the copy that is built");
        if names.len() > 1 {
            failure = failure.help("`--vary NAME` tells which variation it is that it cannot bear");
        }
        Err(failure.into())
    }

    fn command(&self, place: &Place, variations: &Variations) -> Result<Command> {
        let program = std::env::current_exe().context("cannot tell where this program is")?;
        let mut command = process::command(program);
        let within = |path: &Path| Sources::within(&place.copy, path);
        command.arg("dist").arg("--manifest-path").arg(within(&self.project.manifest));
        command.args(&self.arguments).args(["--target", self.triple, "--offline"]);
        command.arg("--store").arg(&place.store).arg("--out-dir").arg(&place.out);
        let jobs = match variations.contains(&Variation::Cpus) {
            true => self.machine.other_jobs,
            false => self.session.jobs(),
        };
        command.args(["--jobs", &jobs.to_string(), "--color", "never"]);
        let sandbox = self.session.global.sandbox.to_possible_value();
        command.args(sandbox.iter().flat_map(|value| ["--sandbox", value.get_name()]));
        command.current_dir(&place.copy);
        for (name, value) in environment(place, variations) {
            command.env(name, value);
        }
        if variations.contains(&Variation::Locale) {
            command.envs(["LANG", "LC_ALL", "LANGUAGE"].map(|name| (name, &self.machine.locale)));
        }
        for name in [CLOCK_OFFSET, CLOCK_LIBRARY] {
            command.env_remove(name);
        }
        if variations.contains(&Variation::Date) {
            command.envs(self.machine.clock());
        }
        // Where the child finds its recipes, and where cargo puts its files.
        command.env("CARGO_MANIFEST_DIR", within(&self.session.workspace).join("xtask"));
        for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_BUILD_DIR"] {
            command.env(name, &place.target);
        }
        self.machine.surroundings(variations).apply(&mut command);
        Ok(command)
    }

    /// Moves what the build made out of the way of the next one.
    fn collect(
        &self,
        variations: &Variations,
        results: &Path,
        failed_check: Option<String>,
    ) -> Result<Build> {
        let really = |path: &Path| -> PathBuf {
            let inside = path.strip_prefix(self.work).unwrap_or(path);
            let name = inside.iter().next().unwrap_or_default().to_string_lossy().into_owned();
            self.below(&name, variations).join(inside.strip_prefix(name).unwrap_or(inside))
        };
        let place = self.place(variations, results);
        let dist = results.join("dist");
        fs::rename(really(&place.out), &dist)?;
        if failed_check.is_some() {
            self.save_programs(&really(&place.target), &dist)?;
        }
        let store = Store::peek(&really(&place.store))?;
        let mut files = BTreeMap::new();
        for file in files_below(&dist)? {
            files.insert(file.to_string_lossy().into_owned(), dist.join(&file));
        }
        let entries = results.join("entries");
        for entry in store.own_entries()? {
            let outputs = entry.outputs();
            for file in files_below(&outputs)? {
                let label = format!("{}/{}", entry.id(), file.display());
                files.insert(label, entries.join(entry.id()).join("outputs").join(file));
            }
        }
        fs::rename(store.entries_folder(), &entries)?;
        Ok(Build { outputs: Outputs::new(files), entries, failed_check })
    }

    /// Programs that `dist` did not pack, from where cargo left them.
    fn save_programs(&self, target: &Path, dist: &Path) -> Result<()> {
        let profile = if self.profile == "dev" { "debug" } else { self.profile };
        let folder = target.join(self.triple).join(profile);
        for binary in self.project.package.binaries() {
            let program = folder.join(&binary.name);
            if program.is_file() {
                fs::copy(program, dist.join(&binary.name))?;
            }
        }
        Ok(())
    }
}

/// The variables of a build that are not as ours.
fn environment(place: &Place, variations: &Variations) -> Vec<(&'static str, String)> {
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let owned = |name: &'static str, value: &str| (name, value.to_owned());
    let mut all = Vec::new();
    for variation in variations {
        match variation {
            Variation::Home => {
                let home = place.other.join("home");
                let ours = env_var("HOME").map(|home| format!("{home}/.rustup"));
                all.push(("CARGO_HOME", text(home.join(".cargo"))));
                all.push(("HOME", text(home)));
                all.extend(env_var("RUSTUP_HOME").or(ours).map(|path| ("RUSTUP_HOME", path)));
            }
            Variation::User => {
                all.extend(["USER", "LOGNAME", "USERNAME"].map(|name| owned(name, OTHER_USER)));
            }
            Variation::HostName => {
                all.extend(["HOSTNAME", "HOST"].map(|name| owned(name, OTHER_HOST)));
            }
            Variation::TimeZone => all.push(owned("TZ", OTHER_ZONE)),
            Variation::Environment => {
                all.extend(HOSTILE.map(|(name, value)| owned(name, value)));
                all.push(("TMPDIR", text(place.other.join("tmp"))));
            }
            _ => {}
        }
    }
    all
}

/// What people have set for other builds, and what somebody might set to do harm. None of it is an
/// input of an app: those that are (`SOURCE_DATE_EPOCH`, an app's own variables) are left alone.
const HOSTILE: [(&str, &str); 34] = [
    ("AR", "false"),
    ("BINDGEN_EXTRA_CLANG_ARGS", "-DMUSLIN_VERIFY"),
    ("CARGO_BUILD_JOBS", "1"),
    ("CARGO_BUILD_RUSTFLAGS", "-Cdebuginfo=2"),
    ("CARGO_BUILD_TARGET", "wasm32-unknown-unknown"),
    ("CARGO_INCREMENTAL", "1"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    ("CC", "false"),
    ("CFLAGS", "-O0 -g -DMUSLIN_VERIFY"),
    ("CMAKE_PREFIX_PATH", "/nonexistent"),
    ("COLUMNS", "33"),
    ("CPATH", "/nonexistent"),
    ("CPPFLAGS", "-DMUSLIN_VERIFY"),
    ("CXX", "false"),
    ("CXXFLAGS", "-O0 -DMUSLIN_VERIFY"),
    ("C_INCLUDE_PATH", "/nonexistent"),
    ("HOST_CFLAGS", "-DMUSLIN_VERIFY"),
    ("LDFLAGS", "-L/nonexistent -Wl,--build-id"),
    ("LD_PRELOAD", "libc.so.6"),
    ("LIBRARY_PATH", "/nonexistent"),
    ("MAKEFLAGS", "-i -k V=1 CFLAGS=-DMUSLIN_VERIFY"),
    ("MUSLIN_VERIFY_NOISE", "a variable that nobody knows"),
    ("OPENSSL_CONF", "/nonexistent"),
    ("PERL5LIB", "/nonexistent"),
    ("PERL_HASH_SEED", "4711"),
    ("PKG_CONFIG", "false"),
    ("PKG_CONFIG_PATH", "/nonexistent"),
    ("POSIXLY_CORRECT", "1"),
    ("RANLIB", "false"),
    ("RUSTC_BOOTSTRAP", "1"),
    ("RUSTFLAGS", "-Cdebuginfo=2 -Ccodegen-units=16"),
    ("TARGET_CFLAGS", "-DMUSLIN_VERIFY"),
    ("TERM", "verify"),
    ("ZERO_AR_DATE", "0"),
];

/// Makes everything below a folder another user's; not what is a hard link to a file of ours.
fn give_away(folder: &Path, id: u32) -> Result<()> {
    let about = fs::symlink_metadata(folder)?;
    if about.is_file() && about.nlink() > 1 {
        return Ok(());
    }
    std::os::unix::fs::lchown(folder, Some(id), Some(id))
        .with_context(|| format!("cannot give away {}", folder.display()))?;
    if about.is_dir() {
        for item in fs::read_dir(folder)? {
            give_away(&item?.path(), id)?;
        }
    }
    Ok(())
}
