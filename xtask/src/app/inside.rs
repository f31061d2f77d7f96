//! A section that every program of a build has. It comes into them as an object that the linking driver
//! is told of by a variable, so that no flag of rustc's, and nothing that cargo watches, is another
//! because of it. Therefore it is looked for in the finished programs, and one that has not got it as it
//! is to be is linked again.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use object::read::ReadCache;
use object::{Object as _, ObjectSection as _};

use super::{Built, Order};
use crate::digest::Digest;
use crate::environment::Environment;
use crate::host::Host;
use crate::layout::write_atomically;
use crate::process;
use crate::report;
use crate::session::{Project, Session};
use crate::toolchain::linking::OBJECT_VARIABLE;

/// Bytes in a line of assembly.
const LINE_BYTES: usize = 24;

/// What is to be in the programs.
pub struct Inside {
    section: &'static str,
    /// None if there is to be no such section.
    bytes: Option<Vec<u8>>,
}

impl Inside {
    /// Makes the object for these bytes and tells the linking driver of it. No bytes: no such section.
    pub fn new(
        section: &'static str,
        bytes: Option<Vec<u8>>,
        project: &Project,
        environment: &mut Environment,
    ) -> Result<Self> {
        if let Some(bytes) = &bytes {
            let object = object(section, bytes, project, environment)?;
            let name = OBJECT_VARIABLE.to_owned();
            environment.variables.insert(name, object.to_string_lossy().into_owned());
        }
        Ok(Self { section, bytes })
    }

    fn is_in(&self, program: &Path) -> Result<bool> {
        Ok(section_of(program, self.section)? == self.bytes)
    }
}

/// Builds the programs, and builds those again that have not got the section as it is to be.
pub fn build(
    session: &Session,
    order: &Order<'_>,
    environment: &Environment,
    host: &Host,
    inside: &Inside,
) -> Result<Built> {
    let built = super::build_once(session, order, environment, host)?;
    let mut is_stale = false;
    for program in &built.programs {
        if !inside.is_in(&program.path)? {
            report::detail("Linking", format!("{} again: {} is old", program.name, inside.section));
            forget(&program.path)?;
            is_stale = true;
        }
    }
    if !is_stale {
        return Ok(built);
    }
    let built = super::build_once(session, order, environment, host)?;
    for program in &built.programs {
        // One that is not wanted may be the package's own.
        if inside.bytes.is_some() && !inside.is_in(&program.path)? {
            let place = program.path.display();
            bail!("{place} was linked, and its section {} is not what it is to be", inside.section);
        }
    }
    Ok(built)
}

/// The bytes of a section of a program, if it has one of that name.
pub fn section_of(program: &Path, section: &str) -> Result<Option<Vec<u8>>> {
    let cannot = || format!("cannot read {}", program.display());
    let cache = ReadCache::new(File::open(program).with_context(cannot)?);
    let read = object::File::parse(&cache).with_context(cannot)?;
    let found = read.section_by_name(section).map(|it| it.data().map(<[u8]>::to_vec));
    found.transpose().with_context(cannot)
}

/// Takes away the file that cargo had linked, of which the program is another name or a copy.
fn forget(program: &Path) -> Result<()> {
    let folder = program.parent().unwrap_or(Path::new("/")).join("deps");
    let name = program.file_name().unwrap_or_default().to_string_lossy().replace('-', "_");
    let (meta, start) = (fs::metadata(program)?, format!("{name}-"));
    for file in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let Ok(other) = file.metadata() else { continue };
        let is_name = file.file_name().to_string_lossy().starts_with(&start);
        let is_link = (other.dev(), other.ino()) == (meta.dev(), meta.ino());
        let is_copy =
            || other.len() == meta.len() && fs::read(file.path()).ok() == fs::read(program).ok();
        if is_name && other.is_file() && (is_link || is_copy()) {
            fs::remove_file(file.path())
                .with_context(|| format!("cannot remove {}", file.path().display()))?;
        }
    }
    Ok(())
}

/// An object with the section, made by the target's own assembler so that all else of it is as in the
/// other objects. It is named by what it is made of, so it is there or not.
fn object(
    section: &str,
    bytes: &[u8],
    project: &Project,
    environment: &Environment,
) -> Result<PathBuf> {
    let text = assembly(section, bytes);
    let inputs = format!("{text}\n{}", environment.linker.display());
    let name = Digest::sha256_of(inputs.as_bytes()).hex();
    let folder = project.metadata.target_directory.join("muslin");
    let file = folder.join(format!("inside-{}.o", &name[..16]));
    if file.is_file() {
        return Ok(file);
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut made = Vec::new();
    for ending in ["s", "o"] {
        made.push(folder.join(format!("inside-{}-{}.{ending}", &name[..16], std::process::id())));
    }
    let [source, unfinished] = &made[..] else { unreachable!("two endings") };
    fs::write(source, text).with_context(|| format!("cannot write {}", source.display()))?;
    let mut command = process::command(&environment.linker);
    command.arg("-c").arg(source).arg("-o").arg(unfinished);
    let end = process::capture_ok(&mut command).context("cannot assemble what goes into programs");
    let object = end.and_then(|_| Ok(fs::read(unfinished)?));
    made.iter().for_each(|file| drop(fs::remove_file(file)));
    write_atomically(&file, &object?)?;
    Ok(file)
}

/// `a`: a part of the program, so no `strip` takes it; `R`: and no `--gc-sections`.
fn assembly(section: &str, bytes: &[u8]) -> String {
    let mut text = format!("\t.section {section},\"aR\",%progbits\n");
    for line in bytes.chunks(LINE_BYTES) {
        let numbers: Vec<_> = line.iter().map(u8::to_string).collect();
        let _ = writeln!(text, "\t.byte {}", numbers.join(","));
    }
    text + "\t.section .note.GNU-stack,\"\",%progbits\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_numbers() {
        let text = assembly(".x", &[7; LINE_BYTES + 1]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[2], "\t.byte 7");
    }
}
