//! What a program sees of the machine: only what it was given, and no network.
//!
//! A program runs in namespaces of its own (user, mount, process, network, IPC, host name), in a fresh
//! root that holds nothing but the places of its [`View`]. Nothing is installed for that and no
//! right is needed: the kernel does it for anyone, where it is not forbidden. What this machine
//! allows is found by doing it once, in a child; where it allows less, [`Sandbox`] steps down and
//! says in one line what is missing. Whatever the step, a build makes the same bytes.
//!
//! The work is done by this same executable, started again (`enter`), so that it happens in a
//! process with one thread that can be left in a half-made state.
#![allow(unsafe_code, reason = "std has no safe way to hand a child an open file by its number")]

mod enter;
mod explain;
mod filter;
mod init;
mod landlock;
mod mounts;
mod spec;

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use rustix::fd::AsRawFd as _;
use rustix::fs::MemfdFlags;
use rustix::io::FdFlags;

use crate::exit::{Exit, Failure};
use crate::{process, report};

pub use enter::requested;
pub use spec::{Access, Place, View, Way};
use spec::{Probe, Spec, Task, Trouble};

/// How much a user insists on the sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    /// As good a one as this machine allows.
    #[default]
    Auto,
    /// One with a view of its own, or none of it: fail.
    Require,
    /// None: only the clean environment.
    Off,
}

/// How programs are kept apart on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sandbox {
    way: Way,
}

impl Sandbox {
    /// Finds out, by doing, what this machine allows. Says what is missing if it is not everything.
    pub fn find(policy: Policy) -> Result<Self> {
        if policy == Policy::Off {
            return Ok(Self { way: Way::Off });
        }
        let mut missing: Vec<String> = Vec::new();
        for way in [Way::User, Way::Root, Way::Landlock] {
            let found = match probe(way)? {
                Probe::Works { shared_proc } => Ok(shared_proc),
                Probe::Fails(trouble) => Err(explain::trouble(way, &trouble)),
            };
            match found {
                Ok(_) if policy == Policy::Require && !way.has_view() => {}
                Ok(shared_proc) => {
                    missing.extend(shared_proc.then(|| explain::SHARED_PROC.to_owned()));
                    say_step_down(way, &missing);
                    return Ok(Self { way });
                }
                // What is forbidden to others is no news to those who are not root.
                Err(_) if way == Way::Root && !rustix::process::geteuid().is_root() => {}
                Err(why) => missing.push(why),
            }
        }
        if policy == Policy::Require {
            let message = format!("no sandbox can be had here: {}", missing.join("; "));
            let help = "`--sandbox auto` makes do with what there is";
            return Err(Failure::new(Exit::Failed, message).help(help).into());
        }
        say_step_down(Way::Off, &missing);
        Ok(Self { way: Way::Off })
    }

    /// How programs are kept apart.
    pub fn way(&self) -> Way {
        self.way
    }

    /// The path under which a program finds something of its view. Without a view of its own it is
    /// the path outside.
    pub fn seen(&self, view: &View, outside: &Path) -> PathBuf {
        if self.way.has_view() { view.seen(outside) } else { outside.to_owned() }
    }

    /// The command that runs `inner` in the sandbox. Program, arguments, folder and environment of
    /// `inner` are as the program sees them. What is told of its streams must be said of the result.
    pub fn wrap(&self, view: &View, inner: &Command) -> Result<Command> {
        let folder = inner.get_current_dir();
        let mut outer = if self.way == Way::Off {
            let mut same = process::command(inner.get_program());
            folder.map(|folder| same.current_dir(folder));
            same
        } else {
            let task = Task::Run { folder: folder.unwrap_or(Path::new("/")).to_owned() };
            let spec = Spec { way: self.way, view: view.clone().in_order(), task };
            let mut outer = enter_command(&spec)?;
            outer.arg(inner.get_program());
            outer
        };
        outer.args(inner.get_args()).env_clear();
        outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Ok(outer)
    }
}

/// This executable, told to enter a sandbox; the spec comes in a file without a name.
fn enter_command(spec: &Spec) -> Result<Command> {
    let file = rustix::fs::memfd_create("muslin-sandbox", MemfdFlags::CLOEXEC)
        .context("cannot make a file in memory")?;
    let mut file = std::fs::File::from(file);
    let text = serde_json::to_vec(spec).context("cannot describe the sandbox")?;
    file.write_all(&text)?;
    let mut command = process::command(process::own_executable()?);
    command.args([enter::ARGUMENT, &file.as_raw_fd().to_string()]);
    // SAFETY: the closure runs between fork and exec and makes one system call, no allocation.
    unsafe {
        command.pre_exec(move || Ok(rustix::io::fcntl_setfd(&file, FdFlags::empty())?));
    }
    Ok(command)
}

fn probe(way: Way) -> Result<Probe> {
    let spec = Spec { way, view: View::default(), task: Task::Probe };
    let captured = process::capture(&mut enter_command(&spec)?)?;
    // A child that a filter or a limit ended says nothing; that is an answer too.
    let silent = Probe::Fails(Trouble::silent(captured.status));
    Ok(serde_json::from_str(&captured.stdout).unwrap_or(silent))
}

fn say_step_down(way: Way, missing: &[String]) {
    if !missing.is_empty() {
        report::note(format!("sandbox: {} ({})", way.describe(), missing.join("; ")));
    }
}
