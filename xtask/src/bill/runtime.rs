//! What every program has from Rust, and what compiled it.

use std::fs;
use std::path::Path;

use anyhow::Result;
use object::read::archive::ArchiveFile;
use object::{Object as _, ObjectSection as _};

use super::libraries::of_recipe;
use super::purl::cpe;
use super::{Bill, Component, Origin, Role, Texts};
use crate::environment::Environment;
use crate::plan::{Plan, Work};
use crate::rust::Memory;
use crate::session::{Project, Session};

/// The licence of Rust, and of LLVM's parts.
const RUST: &str = "MIT OR Apache-2.0";
const LLVM: &str = "Apache-2.0 WITH LLVM-exception";

/// The name of Rust's standard library.
pub const STD: &str = "rust-std";

impl Bill {
    /// Adds Rust's standard library with what it stands on, and the compilers.
    pub(super) fn add_runtime(
        &mut self,
        session: &Session,
        project: &Project,
        plan: &Plan,
        environment: &Environment,
    ) -> Result<()> {
        let rust = &project.rust;
        let release = rust.release();
        let of_rust =
            || Some(Origin { words: format!("rust {release}"), url: commit(rust.commit()) });
        let mut std = Component::new(Role::Runtime, STD, Some(release));
        std.cpe = Some(cpe("rust-lang:rust", release));
        std.license = Some(RUST.to_owned());
        std.origin = of_rust();
        std.texts =
            Texts::Rust { sysroot: rust.sysroot().to_owned(), std: environment.std.join("lib") };
        let mut parts = Vec::new();
        for step in plan.runtime_rust() {
            let Work::Library(library) = &step.work else { continue };
            let mut part = of_recipe(step, library, &session.entry(step));
            part.role = Role::Runtime;
            // The recipe of musl is called what it is to others.
            if part.name == "libc" {
                "musl".clone_into(&mut part.name);
                part.add_source(step);
            }
            parts.push(part);
        }
        if parts.is_empty() {
            parts = shipped(session, project, environment)?;
            parts.iter_mut().for_each(|part| part.origin = of_rust());
        }
        let mut builtins = Component::new(Role::Runtime, "compiler_builtins", Some(release));
        builtins.license = Some(format!("MIT AND {LLVM} AND ({RUST})"));
        builtins.origin = of_rust();
        builtins.texts = Texts::Standard;
        parts.push(builtins);
        let c_code: Vec<usize> = (0..self.components.len())
            .filter(|at| matches!(self.components[*at].role, Role::Library | Role::Bundled))
            .collect();
        let std = self.add(std);
        self.link(0, std);
        for part in parts {
            let is_libc = part.name == "musl";
            let part = self.add(part);
            self.link(std, part);
            if is_libc {
                c_code.iter().for_each(|library| self.link(*library, part));
            }
        }
        let mut rustc = Component::new(Role::Tool, "rustc", Some(release));
        rustc.cpe = Some(cpe("rust-lang:rust", release));
        rustc.license = Some(RUST.to_owned());
        rustc.origin = of_rust();
        self.add(rustc);
        let step = plan.toolchain();
        let mut toolchain = Component::new(Role::Tool, &step.name, Some(&step.version));
        if let Work::Toolchain(recipe) = &step.work {
            toolchain.license = Some(recipe.license.clone());
        }
        toolchain.add_source(step);
        self.add(toolchain);
        Ok(())
    }
}

/// Where the commit of a Rust is known.
fn commit(hash: &str) -> String {
    format!("git+https://github.com/rust-lang/rust@{hash}")
}

/// The libc and the unwinder as Rust ships them. Only the libc itself tells its version.
fn shipped(
    session: &Session,
    project: &Project,
    environment: &Environment,
) -> Result<Vec<Component>> {
    let libc = environment.std.join("lib/self-contained/libc.a");
    let memory = Memory::new(&session.store, true);
    let files = [libc.clone()];
    let version =
        memory.recall("musl's version", &files, |_| true, || Ok(version_of_musl(&libc)))?;
    let mut musl = Component::new(Role::Runtime, "musl", version.as_deref());
    musl.cpe = version.map(|version| cpe("musl-libc:musl", &version));
    musl.license = Some("MIT".to_owned());
    let llvm = project.rust.version.lines().find_map(|line| line.strip_prefix("LLVM version: "));
    let mut unwinder = Component::new(Role::Runtime, "libunwind", llvm);
    unwinder.license = Some(LLVM.to_owned());
    let mut parts = vec![musl, unwinder];
    parts.iter_mut().for_each(|part| part.texts = Texts::Standard);
    Ok(parts)
}

/// The text behind `__libc_version`, which has a member and a section of its own. Who ships another
/// libc may have it elsewhere: then nobody knows the version.
fn version_of_musl(libc: &Path) -> Option<String> {
    let bytes = fs::read(libc).ok()?;
    let archive = ArchiveFile::parse(&*bytes).ok()?;
    let is_it = |name: &[u8]| matches!(name, b"version.o" | b"version.lo");
    let member = archive.members().filter_map(Result::ok).find(|it| is_it(it.name()))?;
    // A copy lies at an address that fits.
    let object = member.data(&*bytes).ok()?.to_vec();
    let object = object::File::parse(&*object).ok()?;
    let is_data = |name: &str| name.starts_with(".rodata");
    let mut sections = object.sections().filter(|it| it.name().is_ok_and(is_data));
    sections.find_map(|section| {
        let text = str::from_utf8(section.data().ok()?.strip_suffix(&[0])?).ok()?;
        let is_version = text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('.');
        is_version.then(|| text.to_owned())
    })
}
