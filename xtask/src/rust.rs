//! The Rust that builds the app: its cargo, its rustc, and what it ships for a musl target.
//!
//! Never installs anything but the standard library of a target, through rustup.

pub mod from_source;
mod memory;
pub mod runtime;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use xshell::cmd;

use crate::exit::{Exit, Failure};
use crate::layout::Entry;
use crate::{process, report};
pub use memory::Memory;

/// Prefixes of variables that change what a compiler or a build script makes. They are the machine's,
/// not the app's, so the app's build does not see them.
const HIDDEN_PREFIXES: [&str; 22] = [
    "AR",
    "AS_",
    "BINDGEN_",
    "CARGO_BUILD_",
    "CARGO_ENCODED_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CC",
    "CFLAGS",
    "CMAKE_",
    "CPATH",
    "CPPFLAGS",
    "CXX",
    "C_INCLUDE_",
    "CPLUS_",
    "LDFLAGS",
    "LD_",
    "LIBRARY_PATH",
    "PKG_CONFIG",
    "RANLIB",
    "RUSTFLAGS",
    "TARGET_",
];

/// Single variables of the same kind.
const HIDDEN: [&str; 9] = [
    "CARGO_INCREMENTAL",
    "MAKEFLAGS",
    "MFLAGS",
    "MAKELEVEL",
    "SYSROOT",
    "RUSTC",
    "RUSTDOC",
    "RUSTC_BOOTSTRAP",
    "RUSTUP_TOOLCHAIN",
];

/// Endings of variables by which one crate's build script is told to take its library from elsewhere.
const HIDDEN_ENDINGS: [&str; 3] = ["_NO_PKG_CONFIG", "_SYS_STATIC", "_SYS_USE_PKG_CONFIG"];

/// Variables that say where cargo works, not how.
const SEEN: [&str; 3] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_BUILD_DIR"];

/// One Rust installation.
#[derive(Clone, Debug)]
pub struct Rust {
    sysroot: PathBuf,
    /// Its rustc as the cargo that runs this xtask calls it, with rustup's name for it; if it is that one.
    called: Option<(PathBuf, String)>,
    /// What `rustc -vV` says: version, commit, host, LLVM.
    pub version: String,
    /// The triple of this machine.
    pub host: String,
    /// The one standard library that it has from elsewhere: for which target, and where.
    added: Option<(String, Entry)>,
}

impl Rust {
    /// The Rust that builds a package. It is the one that runs this xtask, unless the package's
    /// folder (or one above it) has a `rust-toolchain` file: then the one that this file names.
    pub fn of_package(folder: &Path, workspace: &Path, memory: Option<&Memory>) -> Result<Self> {
        let shell = process::shell()?;
        let own_choice = !folder.starts_with(workspace)
            && folder.ancestors().any(|above| {
                above.join("rust-toolchain.toml").exists() || above.join("rust-toolchain").exists()
            });
        let sysroot = match process::env_var("CARGO").map(PathBuf::from) {
            Some(cargo) if !own_choice => sysroot_of(&cargo),
            _ => None,
        };
        let sysroot = match sysroot {
            Some(sysroot) => sysroot,
            None => {
                shell.change_dir(folder);
                let mut command = cmd!(shell, "rustc --print sysroot");
                if own_choice {
                    command = command.env_remove("RUSTUP_TOOLCHAIN");
                }
                let told = process::capture_ok(&mut command.into()).map_err(|error| {
                    Failure::new(Exit::Failed, format!("cannot ask rustc where it is: {error:#}"))
                        .help("install Rust, or its toolchain that the package asks for")
                })?;
                PathBuf::from(told.trim())
            }
        };
        let rustc = sysroot.join("bin/rustc");
        let ask = || process::capture_ok(&mut cmd!(shell, "{rustc} -vV").into());
        let version = match memory {
            Some(memory) => memory.recall("-vV", std::slice::from_ref(&rustc), |_| true, ask)?,
            None => ask()?,
        };
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("`rustc -vV` names no host")?.to_owned();
        let called = rustup_calls(&sysroot);
        Ok(Self { sysroot, called, version, host, added: None })
    }

    /// A cargo command. It does not see what the machine's owner has set for other builds; where the
    /// target folder is stays the owner's choice.
    pub fn cargo(&self) -> Command {
        let mut command = process::command(self.sysroot.join("bin/cargo"));
        command.env_clear().envs(process::env_all(|name| !is_hidden(name)));
        command.envs(process::clock_variables());
        // Cargo asks for `rustc` by name; without rustup's proxy in between it must be this one. It
        // keeps what rustc says in the target folder, until rustc has another path or rustup another
        // name for it: the cargo that runs this xtask and this one must not take turns at that.
        match &self.called {
            Some((rustc, name)) => command.env("RUSTC", rustc).env("RUSTUP_TOOLCHAIN", name),
            None => command.env("RUSTC", self.sysroot.join("bin/rustc")),
        };
        command
    }

    /// The same, started in a folder.
    pub fn cargo_in(&self, folder: &Path) -> Command {
        let mut cargo = self.cargo();
        cargo.current_dir(folder);
        cargo
    }

    /// All folders in which its parts are, under the names by which they are called.
    pub fn folders(&self) -> Vec<PathBuf> {
        let called = self.called.as_ref().and_then(|(rustc, _)| rustc.parent()?.parent());
        let mut folders = vec![self.sysroot.clone()];
        folders.extend(called.filter(|folder| *folder != self.sysroot).map(Path::to_owned));
        folders
    }

    /// Why it cannot be used without showing a build the whole machine; nothing if it can.
    pub fn needs_host(&self) -> Option<String> {
        if self.host != "x86_64-unknown-linux-gnu" {
            return Some(format!("this Rust is one for {}", self.host));
        }
        let is_shared = self.sysroot.parent().is_none_or(|parent| parent.parent().is_none());
        is_shared.then(|| format!("this Rust is part of {}", self.sysroot.display()))
    }

    /// The installation's own folder.
    pub fn sysroot(&self) -> &Path {
        &self.sysroot
    }

    /// `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub fn short_version(&self) -> &str {
        self.version.lines().next().unwrap_or_default()
    }

    /// `1.95.0`.
    pub fn release(&self) -> &str {
        self.short_version().split(' ').nth(1).unwrap_or_default()
    }

    /// The commit that it was built of.
    pub fn commit(&self) -> &str {
        let mut lines = self.version.lines();
        lines.find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown")
    }

    /// The same Rust with the standard library of a target from an entry of the store.
    #[must_use]
    pub fn with_std(&self, triple: &str, entry: &Entry) -> Self {
        Self { added: Some((triple.to_owned(), entry.clone())), ..self.clone() }
    }

    /// The entry that the standard library of a target comes from, if it is from one.
    pub fn std_entry(&self, triple: &str) -> Option<&Entry> {
        self.added.as_ref().filter(|(added, _)| added == triple).map(|(_, entry)| entry)
    }

    /// The folder of a target's standard library.
    pub fn target_folder(&self, triple: &str) -> PathBuf {
        let sysroot = self.std_entry(triple).map_or(self.sysroot.clone(), Entry::outputs);
        sysroot.join("lib/rustlib").join(triple)
    }

    /// The target's C runtime as Rust ships it: crt objects, musl's `libc.a`, `libunwind.a`.
    pub fn self_contained(&self, triple: &str) -> PathBuf {
        self.target_folder(triple).join("lib/self-contained")
    }

    /// Rust's own LLD, under the name by which a compiler driver calls it.
    pub fn lld(&self) -> Result<PathBuf> {
        let lld = self.sysroot.join("lib/rustlib").join(&self.host).join("bin/gcc-ld/ld.lld");
        if lld.exists() {
            return Ok(lld);
        }
        Err(Failure::new(
            Exit::Failed,
            format!("this Rust has no `rust-lld`: {} is missing", lld.display()),
        )
        .help("use a Rust that rustup installed; a distribution's own often leaves it out")
        .into())
    }

    /// Whether the standard library of a target is there.
    pub fn has_std(&self, triple: &str) -> bool {
        let folder = self.target_folder(triple).join("lib");
        fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .any(|file| file.file_name().to_str().is_some_and(|name| name.starts_with("libstd-")))
    }

    /// Sees to it that the standard library of a target is there.
    pub fn require_std(&self, triple: &str, offline: bool) -> Result<()> {
        if self.has_std(triple) {
            return Ok(());
        }
        let missing = |exit, why: &str| {
            let message = format!("Rust's standard library for {triple} is missing{why}");
            Failure::new(exit, message)
        };
        let name = self.rustup_name();
        let by_hand = match &name {
            Some(name) => format!("`rustup target add {triple} --toolchain {name}` installs it"),
            None => format!(
                "install the `rust-std` of {triple} into {}: with rustup, or your distribution's package",
                self.sysroot.display()
            ),
        };
        if offline {
            let failure = missing(Exit::Offline, ", and this is offline").help(by_hand);
            return Err(failure
                .help("`cargo xtask fetch` brings it while there is a network")
                .into());
        }
        let (Some(name), Some(rustup)) = (name, process::find_program("rustup")) else {
            let failure = missing(Exit::Failed, ", and this Rust is not rustup's").help(by_hand);
            return Err(failure.into());
        };
        report::status("Fetching", format!("rust-std for {triple} (rustup)"));
        let shell = process::shell()?;
        let command = cmd!(shell, "{rustup} target add {triple} --toolchain {name}");
        let captured = process::capture(&mut command.into())?;
        if captured.status.success() && self.has_std(triple) {
            return Ok(());
        }
        let said = process::last_lines(captured.stderr.trim(), 6);
        Err(missing(Exit::Failed, &format!(", and rustup cannot bring it:\n{said}"))
            .help(by_hand)
            .into())
    }

    /// The name by which rustup knows this installation: its folder below `toolchains/`.
    fn rustup_name(&self) -> Option<String> {
        let parent = self.sysroot.parent()?;
        let is_rustup = parent.file_name().is_some_and(|name| name == "toolchains");
        is_rustup.then(|| self.sysroot.file_name()?.to_str().map(str::to_owned)).flatten()
    }
}

fn is_hidden(name: &str) -> bool {
    let is_one = HIDDEN.contains(&name)
        || HIDDEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || HIDDEN_ENDINGS.iter().any(|ending| name.ends_with(ending));
    is_one && !SEEN.contains(&name)
}

/// How rustup's cargo calls the rustc of this installation, if it is the one that rustup chose.
fn rustup_calls(sysroot: &Path) -> Option<(PathBuf, String)> {
    let name = process::env_var("RUSTUP_TOOLCHAIN")?;
    let chosen = PathBuf::from(process::env_var("RUSTUP_HOME")?).join("toolchains").join(&name);
    let is_this = chosen.canonicalize().ok()? == sysroot.canonicalize().ok()?;
    is_this.then(|| (chosen.join("bin/rustc"), name))
}

/// The installation that a `bin/cargo` belongs to; `None` for rustup's proxy.
fn sysroot_of(cargo: &Path) -> Option<PathBuf> {
    let sysroot = cargo.parent()?.parent()?;
    let is_real = sysroot.join("lib/rustlib").is_dir() && sysroot.join("bin/rustc").exists();
    // As rustc itself would say it: a toolchain's folder may be a link.
    is_real.then(|| fs::canonicalize(sysroot).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_does_not_see_what_is_set_for_other_builds() {
        for name in [
            "CC",
            "TARGET_CFLAGS",
            "CARGO_TARGET_X_LINKER",
            "ZLIB_NO_PKG_CONFIG",
            "RUSTFLAGS",
            "CARGO_INCREMENTAL",
        ] {
            assert!(is_hidden(name), "{name}");
        }
        for name in ["PATH", "CARGO_HOME", "CARGO_TARGET_DIR", "OPENSSL_DIR", "HTTPS_PROXY"] {
            assert!(!is_hidden(name), "{name}");
        }
    }
}
