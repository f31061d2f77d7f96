//! QEMU of its user mode: what runs a target's programs where the CPU is another, and where the CPU
//! is to be an old one.
//!
//! Muslin never installs it: it is found on `PATH`, or it is said how to get it.

use std::fmt;
use std::path::PathBuf;

use object::elf;

use crate::process;
use crate::target::{self, Endian, Machine};

/// An emulator of this machine that has all of a target's baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emulator {
    /// The program.
    pub program: PathBuf,
    /// What it is called with before the program that it is to run.
    pub arguments: Vec<String>,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// No program of these names is on `PATH`.
    NotInstalled {
        /// The name.
        program: String,
    },
    /// It lacks some of the baseline.
    TooOld {
        /// The name.
        program: String,
        /// The version that is there.
        version: String,
        /// The version that would do.
        since: String,
    },
}

/// Whether this computer runs programs for a machine by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Yes,
    /// If its kernel was built to.
    Perhaps,
    /// Its CPU is another.
    No,
}

impl Fit {
    /// Says of a machine.
    pub fn of(machine: Machine) -> Self {
        match (std::env::consts::ARCH, elf::Machine(machine.elf)) {
            ("x86_64", elf::EM_386) | ("aarch64", elf::EM_ARM) => Self::Perhaps,
            ("x86_64", elf::EM_X86_64)
            | ("x86", elf::EM_386)
            | ("aarch64", elf::EM_AARCH64)
            | ("arm", elf::EM_ARM)
            | ("riscv64", elf::EM_RISCV)
            | ("s390x", elf::EM_S390)
            | ("loongarch64", elf::EM_LOONGARCH) => Self::Yes,
            ("powerpc64", elf::EM_PPC64) | ("mips", elf::EM_MIPS)
                if machine.endian == Endian::OURS =>
            {
                Self::Yes
            }
            _ => Self::No,
        }
    }
}

/// How to get it, in one line.
pub const HOW_TO_GET: &str = "install QEMU's user mode: `apt install qemu-user-static`, `dnf install qemu-user-static`, \
     `apk add qemu-<cpu>`";

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled { program } => write!(f, "{program} is not installed"),
            Self::TooOld { program, version, since } => {
                write!(f, "{program} is {version}, and only {since} has all of the baseline")
            }
        }
    }
}

impl Emulator {
    /// Looks for the one of a target.
    pub fn find(wanted: &target::Emulator) -> Result<Self, Missing> {
        let program = names(wanted).iter().find_map(|name| process::find_program(name));
        let name = || wanted.program.clone();
        let program = program.ok_or_else(|| Missing::NotInstalled { program: name() })?;
        if let Some(since) = &wanted.since {
            let said = process::capture_ok(process::command(&program).arg("--version"));
            let version = said.ok().and_then(|said| version(&said)).unwrap_or_default();
            if numbers(&version) < numbers(since) {
                return Err(Missing::TooOld { program: name(), version, since: since.clone() });
            }
        }
        Ok(Self { program, arguments: vec!["-cpu".to_owned(), wanted.cpu.clone()] })
    }
}

/// Debian's static one has a name of its own, and is the one that needs nothing beside itself.
pub fn names(wanted: &target::Emulator) -> [String; 2] {
    [format!("{}-static", wanted.program), wanted.program.clone()]
}

/// Of `qemu-arm version 7.2.22 (Debian …)`: the third word.
fn version(said: &str) -> Option<String> {
    let words = said.lines().next()?.split_whitespace();
    words.skip_while(|word| *word != "version").nth(1).map(str::to_owned)
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let said = "qemu-arm version 10.0.2 (Debian 1:10.0.2+ds-2)\nCopyright\n";
        assert_eq!(version(said).as_deref(), Some("10.0.2"));
        assert!(numbers("10.0.2") > numbers("8.2") && numbers("7.2.22") < numbers("8.2"));
        assert!(numbers("8.2") == numbers("8.2") && numbers("8.2.1") > numbers("8.2"));
        assert_eq!(version("no such thing"), None);
    }

    #[test]
    fn what_is_missing_is_said() {
        let wanted = |since: Option<&str>| target::Emulator {
            program: "muslin-no-such-emulator".to_owned(),
            cpu: "x".to_owned(),
            since: since.map(str::to_owned),
        };
        let missing = Emulator::find(&wanted(None)).unwrap_err();
        assert_eq!(missing.to_string(), "muslin-no-such-emulator is not installed");
        let old = Missing::TooOld {
            program: "qemu-loongarch64".to_owned(),
            version: "7.2.22".to_owned(),
            since: "8.2".to_owned(),
        };
        assert!(old.to_string().contains("7.2.22") && old.to_string().contains("8.2"));
        assert_eq!(Emulator::find(&wanted(Some("1"))), Err(missing));
    }
}
