//! QEMU of its user mode: what runs a target's programs where the CPU is another, and where the CPU
//! is to be an old one.
//!
//! Muslin never installs it: it is found on `PATH`, or it is said how to get it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    /// It has no such CPU, or not all of what that one has.
    NoSuchCpu {
        /// The name.
        program: String,
        /// What it says.
        said: String,
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
            Self::NoSuchCpu { program, said } => {
                write!(f, "{program} does not have the CPU of the target's row: {said}")
            }
        }
    }
}

impl Emulator {
    /// Looks for the one of a target: the first that will do, else what is wrong with the first.
    pub fn find(wanted: &target::Emulator) -> Result<Self, Missing> {
        let programs = names(wanted).into_iter().filter_map(|name| process::find_program(&name));
        let mut wrong = None;
        for found in programs.map(|program| Self::at(program, wanted)) {
            match found {
                Ok(emulator) => return Ok(emulator),
                Err(missing) => wrong = wrong.or(Some(missing)),
            }
        }
        Err(wrong.unwrap_or_else(|| Missing::NotInstalled { program: wanted.program.clone() }))
    }

    fn at(program: PathBuf, wanted: &target::Emulator) -> Result<Self, Missing> {
        let name = || wanted.program.clone();
        if let Some(since) = &wanted.since {
            let said = process::capture_ok(process::command(&program).arg("--version"));
            let version = said.ok().and_then(|said| version(&said)).unwrap_or_default();
            if numbers(&version) < numbers(since) {
                return Err(Missing::TooOld { program: name(), version, since: since.clone() });
            }
        }
        let arguments = vec!["-cpu".to_owned(), wanted.cpu.clone()];
        match complaint(&program, &arguments) {
            Some(said) => Err(Missing::NoSuchCpu { program: name(), said }),
            None => Ok(Self { program, arguments }),
        }
    }
}

impl Emulator {
    /// The call that runs a program; its arguments are to follow.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = process::command(&self.program);
        command.args(&self.arguments).arg(program);
        command
    }
}

/// `qemu-arm -cpu arm926`.
impl fmt::Display for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.program.file_name().unwrap_or_default().to_string_lossy();
        write!(f, "{} {}", name.trim_end_matches("-static"), self.arguments.join(" "))
    }
}

/// What an emulator says against a CPU. It makes the CPU before it looks at the program, and ends with
/// the same exit code whichever of them is wrong: so what it says of a file that is no program counts
/// only where it does not say the same without a CPU.
fn complaint(program: &Path, arguments: &[String]) -> Option<String> {
    const NO_PROGRAM: &str = "/dev/null";
    let said = |arguments: &[String]| {
        let captured = process::capture(process::command(program).args(arguments).arg(NO_PROGRAM));
        captured.map_or_else(|error| format!("{error:#}"), |it| it.stderr.trim().to_owned())
    };
    let with = said(arguments);
    let is_clean = with.is_empty() || with == said(&[]);
    (!is_clean).then(|| with.lines().next().unwrap_or_default().to_owned())
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
