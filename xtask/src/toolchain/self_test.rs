//! What is tried with every toolchain before anything is built with it: to compile, link and run a
//! program in C and one in C++; and whose libc it knows, beside Rust's.
//!
//! The result is an entry of the store, so it is tried once for each toolchain,
//! target and Rust.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use object::read::archive::ArchiveFile;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

use super::ToolNames;
use crate::emulator::Emulator;
use crate::exit::{Exit, Failure};
use crate::layout::{Entry, Store, remove_tree};
use crate::process;
use crate::recipe::{Driver, Toolchain};
use crate::report;
use crate::target::{HOST, Target};

/// Bump when something else is tried.
const FORMAT: &str = "self-test 1";

/// The file of the entry with what was found.
pub const RECORD: &str = "self-test.txt";

const C: &str = include_str!("self_test/program.c");
const CXX: &str = include_str!("self_test/program.cc");

/// What is said of a text that the compiler refuses.
const NOT_COMPILED: &str = "it does not compile";

/// C++ that asks for nothing but headers, where the runtime is a library of its own.
const WITHOUT_RUNTIME: [&str; 3] = ["-DWITHOUT_RUNTIME", "-fno-exceptions", "-nostdlib++"];

/// A toolchain to be tried.
pub struct SelfTest<'a> {
    /// Which one.
    pub toolchain: &'a Toolchain,
    /// Its tree.
    pub tree: &'a Path,
    /// For what.
    pub target: &'a Target,
    /// The folder of the driver's programs that link.
    pub bin: &'a Path,
    /// The libc that programs are linked with.
    pub libc: &'a Path,
}

impl SelfTest<'_> {
    /// Finds the result for a linking driver's entry, or tries it now.
    pub fn entry(&self, store: &Store, linking: &Entry) -> Result<Entry> {
        let pre_image = format!("{FORMAT}\ndriver {}\n", linking.id());
        let name = format!("{}-self-test", self.toolchain.name);
        store.find_or_make(&name, &self.toolchain.version, &pre_image, |folder| {
            let record = self.run(&folder.join("work"))?;
            report::detail("Tried", record.trim_end().replace('\n', "; "));
            Ok(fs::write(folder.join("outputs").join(RECORD), record)?)
        })
    }

    /// Tries it, in a folder of its own; returns what is to be kept.
    fn run(&self, folder: &Path) -> Result<String> {
        fs::create_dir_all(folder)?;
        let names = ToolNames::new(self.target);
        let brings_cxx = matches!(self.toolchain.driver, Driver::Gcc { .. });
        let more: &[&str] = if brings_cxx { &[] } else { &WITHOUT_RUNTIME };
        let tries = [("C", "c", C, &names.cc, &[][..]), ("C++", "cc", CXX, &names.cxx, more)];
        let mut record = String::new();
        for (language, ending, text, compiler, more) in tries {
            let done = match self.try_one(folder, (ending, text), compiler, more) {
                Ok(done) => done,
                // A GCC without C++ is one for C: whoever has C++ is told so by its compiler, too.
                Err(error) if language == "C++" && error.to_string() == NOT_COMPILED => {
                    report::warning(format!("{:#}", self.failure(language, &error)));
                    "none".to_owned()
                }
                Err(error) => return Err(self.failure(language, &error).into()),
            };
            let _ = writeln!(record, "{language}: {done}");
        }
        remove_tree(folder)?;
        let versions = [self.own_libc(), libc_version(self.libc)];
        let [own, rusts] = versions.each_ref().map(|it| it.as_deref().unwrap_or("unknown"));
        let _ = writeln!(record, "libc: musl {own} of the toolchain, musl {rusts} of Rust");
        if let ([Some(own), Some(rusts)], true) = (&versions, own != rusts) {
            report::warning(format!(
                "{} {} has musl {own}, and Rust's standard library for {} carries musl {rusts}: \
                 programs get the latter, compiled against the headers of the former",
                self.toolchain.name, self.toolchain.version, self.target.triple
            ));
        }
        Ok(record)
    }

    /// Compiles, links and runs a program.
    fn try_one(
        &self,
        folder: &Path,
        (ending, text): (&str, &str),
        compiler: &str,
        more: &[&str],
    ) -> Result<String> {
        let source = format!("program.{ending}");
        fs::write(folder.join(&source), text)?;
        let call = |words: &[&str]| {
            let mut command = process::command(self.bin.join(compiler));
            command.current_dir(folder).args(words).args(more);
            process::capture_ok(&mut command)
        };
        call(&["-O2", "-c", &source, "-o", "program.o"]).context(NOT_COMPILED)?;
        call(&["program.o", "-o", "program", "-lm"]).context("it does not link")?;
        let program = folder.join("program");
        let mut command = match self.emulator() {
            Runner::None => process::command(&program),
            Runner::Emulator(emulator) => emulator.command(&program),
            Runner::Missing(why) => return Ok(format!("compiled and linked; not run: {why}")),
        };
        let said = process::capture_ok(&mut command).context("it does not run")?;
        anyhow::ensure!(said.trim() == "well 1.41", "it says {:?}", said.trim());
        Ok("compiled, linked and run".to_owned())
    }

    fn emulator(&self) -> Runner {
        if self.target.triple == HOST {
            return Runner::None;
        }
        match Emulator::find(&self.target.emulator) {
            Ok(emulator) => Runner::Emulator(emulator),
            Err(missing) => Runner::Missing(missing.to_string()),
        }
    }

    fn failure(&self, language: &str, error: &anyhow::Error) -> Failure {
        let Toolchain { name, version, .. } = self.toolchain;
        let message = format!(
            "{name} {version} cannot make a program in {language} for {}: {error:#}",
            self.target.triple
        );
        Failure::new(Exit::Failed, message).help(format!(
            "this was tried before anything is built with it: name another one with `--toolchain`, \
             or see what it is with `ls {}`",
            self.tree.display()
        ))
    }

    /// The version of the libc that the toolchain brings, or has the headers of.
    fn own_libc(&self) -> Option<String> {
        match &self.toolchain.driver {
            Driver::Zig { .. } => {
                let text = self.tree.join("lib/libc/musl/src/internal/version.h");
                let text = fs::read_to_string(text).ok()?;
                text.split('"').nth(1).map(str::to_owned)
            }
            Driver::Gcc { .. } => {
                let sysroot = self.tree.join(&self.target.triple).join("sysroot");
                let places = ["usr/lib", "lib"].map(|folder| sysroot.join(folder).join("libc.a"));
                libc_version(places.iter().find(|place| place.exists())?)
            }
        }
    }
}

/// How a program of the target is run here.
enum Runner {
    None,
    Emulator(Emulator),
    Missing(String),
}

/// The version that a musl's archive says of itself.
pub fn libc_version(archive: &Path) -> Option<String> {
    let bytes = fs::read(archive).ok()?;
    for member in ArchiveFile::parse(&*bytes).ok()?.members() {
        let Ok(object) = object::File::parse(member.ok()?.data(&*bytes).ok()?) else { continue };
        let is_it = |name: &[u8]| name == b"__libc_version";
        let mut symbols = object.symbols().filter(|it| it.is_definition());
        let Some(symbol) = symbols.find(|it| it.name_bytes().is_ok_and(is_it)) else { continue };
        let section = object.section_by_index(symbol.section_index()?).ok()?;
        let data = section.data().ok()?;
        let from = usize::try_from(symbol.address().checked_sub(section.address())?).ok()?;
        let text = data.get(from..)?.split(|byte| *byte == 0).next()?;
        return String::from_utf8(text.to_vec()).ok();
    }
    None
}
