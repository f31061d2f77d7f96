//! Which variations this machine can do, found by doing them, and with what values.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::vary::{Variation, Variations};
use crate::layout::{TempFolder, memory_folder};
use crate::process::{self, Identity, Surroundings, capture, clock_of, command, find_program};

/// More than a year, so that a year alone shows it too, and not a whole number of anything.
const CLOCK_AHEAD_SECONDS: u64 = 397 * 86_400 + 5 * 3600 + 23 * 60 + 17;

/// A library that shows programs another date.
const CLOCK: &str = include_str!("clock.c");

/// An id that no user of a machine has.
const OTHER_ID: u32 = 64_123;

/// Names of users and hosts that no machine has, and that a reader of a report understands.
pub const OTHER_USER: &str = "another-user";
/// See [`OTHER_USER`].
pub const OTHER_HOST: &str = "another-host";

/// A zone that is more than half a day from most, spelled so that no table of zones is needed.
pub const OTHER_ZONE: &str = "<+1345>-13:45";

/// How folders come to list their files in another order.
#[derive(Debug)]
pub enum FileOrder {
    /// disorderfs, over everything that a build reads and writes.
    Disorderfs,
    /// The store's file system lists in the order of creation: the copy is made in another one.
    Copying,
    /// The same in memory, for the package's files.
    Memory(TempFolder),
}

/// What this machine can do.
pub struct Machine {
    /// For each variation that was asked for: what differs, or why it cannot.
    pub can: BTreeMap<Variation, Result<String, String>>,
    /// How a child becomes another user.
    pub identity: Option<Identity>,
    /// The library that shows another date.
    pub clock_library: Option<PathBuf>,
    /// How files are listed otherwise.
    pub file_order: Option<FileOrder>,
    /// Another locale, one that is installed if there is one.
    pub locale: String,
    /// Jobs of the second build.
    pub other_jobs: usize,
}

impl Machine {
    /// Tries what was asked for. `work` is an empty folder; `cargo` makes a command that must start
    /// also as another user; `jobs` are those of the first build.
    pub fn explore(
        wanted: &Variations,
        work: &Path,
        cargo: &dyn Fn() -> Command,
        jobs: usize,
    ) -> Result<Self> {
        let (locale, is_installed) = other_locale();
        let mut machine = Self {
            can: BTreeMap::new(),
            identity: None,
            clock_library: None,
            file_order: None,
            locale,
            other_jobs: if jobs == 1 { 3 } else { 1 },
        };
        for variation in wanted {
            let can = match variation {
                Variation::BuildPath => Ok("copies of the package in two folders".to_owned()),
                Variation::StorePath => Ok("two stores, one with a long and odd path".to_owned()),
                Variation::Home => Ok("another home folder and CARGO_HOME".to_owned()),
                Variation::Umask => Ok("077".to_owned()),
                Variation::Locale if is_installed => Ok(machine.locale.clone()),
                Variation::Locale => {
                    Ok(format!("{} (not installed: the variables only)", machine.locale))
                }
                Variation::TimeZone => Ok(format!("TZ={OTHER_ZONE}")),
                Variation::Environment => Ok("hostile CC, CFLAGS, RUSTFLAGS, TMPDIR…".to_owned()),
                Variation::Cpus => Ok(machine.other_cpus(jobs)),
                Variation::User => machine.find_identity(cargo),
                Variation::HostName => can_name_the_host(cargo),
                Variation::Date => machine.find_clock(work),
                Variation::FileOrder => machine.find_file_order(work),
            };
            machine.can.insert(*variation, can);
        }
        Ok(machine)
    }

    /// The variations that are possible.
    pub fn in_force(&self) -> Variations {
        self.can.iter().filter(|(_, can)| can.is_ok()).map(|(variation, _)| *variation).collect()
    }

    /// What is different around a build under these variations.
    pub fn surroundings(&self, variations: &Variations) -> Surroundings {
        let has = |variation| variations.contains(&variation);
        Surroundings {
            identity: self.identity.filter(|_| has(Variation::User)),
            host_name: has(Variation::HostName).then(|| OTHER_HOST.to_owned()),
            umask: has(Variation::Umask).then_some(0o077),
            one_cpu: has(Variation::Cpus),
        }
    }

    /// Variables by which the programs of a build see another date.
    pub fn clock(&self) -> Vec<(&'static str, String)> {
        let library = self.clock_library.as_deref().map(Path::to_string_lossy).unwrap_or_default();
        clock_of(&CLOCK_AHEAD_SECONDS.to_string(), &library)
    }

    fn other_cpus(&self, jobs: usize) -> String {
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let jobs = format!("--jobs {jobs} and --jobs {}", self.other_jobs);
        match cpus {
            1 => format!("{jobs} (this machine has one CPU)"),
            cpus => format!("{cpus} and 1, {jobs}"),
        }
    }

    fn find_identity(&mut self, cargo: &dyn Fn() -> Command) -> Result<String, String> {
        let starts = |identity| {
            starts_in(&Surroundings { identity: Some(identity), ..Default::default() }, cargo)
        };
        let mapped = Identity::Mapped(OTHER_ID);
        let Err(refusal) = starts(mapped) else {
            self.identity = Some(mapped);
            return Ok(format!("{OTHER_USER}, uid {OTHER_ID} in a user namespace"));
        };
        if !rustix::process::geteuid().is_root() {
            return Err(format!("a user namespace is not to be had ({refusal})"));
        }
        let real = Identity::Real(OTHER_ID);
        match starts(real) {
            Ok(()) => {
                self.identity = Some(real);
                Ok(format!("{OTHER_USER}, uid {OTHER_ID}"))
            }
            Err(also) => Err(format!(
                "a user namespace is not to be had ({refusal}), and as uid {OTHER_ID} cargo cannot \
                 be started ({also})"
            )),
        }
    }

    /// Compiles the library that shows another date, and tries it.
    fn find_clock(&mut self, work: &Path) -> Result<String, String> {
        let only = |why: &str| Err(format!("only by the seconds between the builds, as {why}"));
        if work.to_string_lossy().contains([' ', ':']) {
            return only("the store has a blank in its path");
        }
        let (source, library) = (work.join("clock.c"), work.join("clock.so"));
        let mut cc = command("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]);
        let is_made = fs::write(&source, CLOCK).is_ok()
            && capture(&mut cc).is_ok_and(|captured| captured.status.success());
        if !is_made {
            return only("the host's `cc` cannot compile the library that shows another one");
        }
        self.clock_library = Some(library);
        let now = |variables| {
            let mut date = command("date");
            date.arg("+%s").envs::<Vec<(&str, String)>, _, _>(variables);
            capture(&mut date).ok()?.stdout.trim().parse::<u64>().ok()
        };
        match (now(Vec::new()), now(self.clock())) {
            (Some(before), Some(ahead)) if ahead >= before + CLOCK_AHEAD_SECONDS => {
                Ok(format!("{} days ahead", CLOCK_AHEAD_SECONDS / 86_400))
            }
            _ => only("`date` cannot be shown another one"),
        }
    }

    fn find_file_order(&mut self, work: &Path) -> Result<String, String> {
        let (order, text) = if disorderfs_works(work) {
            (FileOrder::Disorderfs, "reversed by disorderfs")
        } else if lists_by_creation(work) {
            (FileOrder::Copying, "the package's files, copied in two orders")
        } else if let Some(memory) = memory_folder("verify").filter(|m| lists_by_creation(m.path()))
        {
            (FileOrder::Memory(memory), "the package's files, copied to memory in two orders")
        } else {
            return Err("there is neither disorderfs nor a file system that lists files in the \
                        order of their creation"
                .to_owned());
        };
        self.file_order = Some(order);
        Ok(text.to_owned())
    }
}

/// Whether a program starts in such surroundings; why not.
fn starts_in(surroundings: &Surroundings, cargo: &dyn Fn() -> Command) -> Result<(), String> {
    let mut command = cargo();
    command.arg("--version").current_dir("/");
    surroundings.apply(&mut command);
    match capture(&mut command) {
        Ok(captured) if captured.status.success() => Ok(()),
        Ok(captured) => Err(process::last_lines(captured.stderr.trim(), 1)),
        Err(error) => Err(error.root_cause().to_string()),
    }
}

fn can_name_the_host(cargo: &dyn Fn() -> Command) -> Result<String, String> {
    let host_name = Some(OTHER_HOST.to_owned());
    starts_in(&Surroundings { host_name, ..Default::default() }, cargo)
        .map(|()| OTHER_HOST.to_owned())
        .map_err(|why| format!("a namespace for it is not to be had ({why})"))
}

/// An installed locale that is not C's, else the one that has surprised most programs.
fn other_locale() -> (String, bool) {
    let list = capture(command("locale").arg("-a")).map(|said| said.stdout).unwrap_or_default();
    let is_plain = |name: &&str| !["C", "POSIX"].iter().any(|plain| name.starts_with(plain));
    let found = list.lines().filter(is_plain).min_by_key(|name| !name.starts_with("tr"));
    found.map_or_else(|| ("tr_TR.UTF-8".to_owned(), false), |name| (name.to_owned(), true))
}

/// Whether folders of a file system list their files in the order in which these were made.
fn lists_by_creation(folder: &Path) -> bool {
    let names = ["delta", "alpha", "echo", "charlie", "bravo", "golf", "foxtrot"];
    let backwards: Vec<&str> = names.iter().rev().copied().collect();
    let listed = |name: &str, files: &[&str]| {
        let place = folder.join(name);
        fs::create_dir_all(&place).ok()?;
        files.iter().try_for_each(|file| fs::write(place.join(file), "").ok())?;
        let items = fs::read_dir(&place).ok()?.flatten();
        Some(items.map(|item| item.file_name()).collect::<Vec<_>>())
    };
    let (one, other) = (listed("order-1", &names), listed("order-2", &backwards));
    for name in ["order-1", "order-2"] {
        let _ = fs::remove_dir_all(folder.join(name));
    }
    one.is_some() && one != other
}

/// Whether disorderfs is there and mounts.
fn disorderfs_works(work: &Path) -> bool {
    if find_program("disorderfs").is_none() {
        return false;
    }
    let (below, above) = (work.join("probe-below"), work.join("probe"));
    let made = [&below, &above].iter().all(|folder| fs::create_dir_all(folder).is_ok());
    let works = made && super::place::Disordered::mount(&below, &above, false).is_ok();
    for folder in [below, above] {
        let _ = fs::remove_dir_all(folder);
    }
    works
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests have no store yet")]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_tried_and_each_says_what_it_does() {
        let cargo = || command("cargo");
        let wanted = [Variation::Umask, Variation::Cpus].into();
        let machine = Machine::explore(&wanted, Path::new("/nonexistent"), &cargo, 1).unwrap();
        assert_eq!(machine.in_force(), wanted);
        assert!(machine.can.values().all(|can| can.as_ref().is_ok_and(|text| !text.is_empty())));
        let around = machine.surroundings(&[Variation::Umask].into());
        assert_eq!((around.umask, around.one_cpu, around.identity), (Some(0o077), false, None));
        assert_eq!(machine.other_jobs, 3);
    }

    #[test]
    fn what_cannot_be_done_says_why() {
        let cargo = || command("there-is-no-such-program");
        let wanted = [Variation::User, Variation::HostName, Variation::FileOrder].into();
        let machine = Machine::explore(&wanted, Path::new("/nonexistent"), &cargo, 2).unwrap();
        for variation in [Variation::User, Variation::HostName] {
            let why = machine.can[&variation].clone().unwrap_err();
            assert!(why.contains("not to be had ("), "{why}");
            assert!(!machine.in_force().contains(&variation));
        }
    }

    /// With libfaketime it does not: its allocator waits for itself.
    #[test]
    fn rustc_starts_at_another_date() {
        let work = std::env::temp_dir().join(format!("muslin-clock-{}", std::process::id()));
        fs::create_dir_all(&work).unwrap();
        let machine =
            Machine::explore(&[Variation::Date].into(), &work, &|| command("cargo"), 1).unwrap();
        let cargo = process::env_var("CARGO").map(PathBuf::from).unwrap();
        match &machine.can[&Variation::Date] {
            Err(why) => crate::report::text(&format!("SKIPPED: the date is varied {why}")),
            Ok(_) => {
                let mut rustc = command(cargo.with_file_name("rustc"));
                rustc.arg("-V").envs(machine.clock());
                let limit = std::time::Duration::from_secs(60);
                let ended = process::run_limited(&mut rustc, limit).unwrap();
                assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
            }
        }
        fs::remove_dir_all(work).unwrap();
    }
}
