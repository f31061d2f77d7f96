//! What a program is made of: itself, the crates and C libraries that are linked into it, the libc, the
//! unwinder and the standard library that Rust brings, and what compiled all that. `cyclonedx` writes it
//! as a file, `embedded` puts the essence of it into the program, `read` gets it out again; `licenses` has
//! the texts that go with it.
//!
//! Nothing in it depends on the time, the user or a path: two machines that took the same sources write
//! the same bytes.

mod crates;
mod cyclonedx;
pub mod embedded;
mod libraries;
pub mod licenses;
mod lock;
mod notices;
mod policy;
mod provenance;
mod purl;
mod read;
mod runtime;
mod spdx;
mod texts;

use std::path::PathBuf;

use anyhow::Result;

use crate::environment::Environment;
use crate::linked::Archive;
use crate::plan::Plan;
use crate::session::{Project, Session};

pub use cyclonedx::Program;

/// What a component is to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The package that was built.
    Package,
    /// A crate.
    Crate(Source),
    /// A C library of the sysroot.
    Library,
    /// A C library that a crate compiles by itself.
    Bundled,
    /// Part of what Rust brings: its standard library, the libc, the unwinder, the compiler runtime.
    Runtime,
    /// What compiled or linked it, and is not in it.
    Tool,
}

/// Where cargo has a crate from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The registry that cargo knows by itself.
    Registry,
    /// Another registry.
    OtherRegistry,
    /// A repository.
    Git,
    /// This disk.
    Local,
}

impl Role {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Crate(_) => "crate",
            Self::Library => "library",
            Self::Bundled => "bundled library",
            Self::Runtime => "runtime",
            Self::Tool => "tool",
        }
    }
}

/// Where the bytes of a component come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// In words.
    pub words: String,
    /// An address, or the package URL of the package that has them.
    pub url: String,
}

/// Where the texts of a component's licence are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Texts {
    /// In the top folder of a crate, and in this file, if its Cargo.toml names one.
    Crate(PathBuf, Option<PathBuf>),
    /// Somewhere below a crate's folder: of a library that it brings.
    Below(PathBuf),
    /// All files of this folder.
    Folder(PathBuf),
    /// Rust's own, for the crates in its standard library.
    Rust {
        /// Where Rust is.
        sysroot: PathBuf,
        /// The folder of the target's standard library.
        std: PathBuf,
    },
    /// Those of the SPDX list.
    Standard,
    /// Nobody passes it on with the program.
    None,
}

/// A part of a program, or what made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// What it is to the program.
    pub role: Role,
    /// Its name.
    pub name: String,
    /// Its version, if it is known.
    pub version: Option<String>,
    /// Its package URL: see <https://github.com/package-url/purl-spec>.
    pub purl: String,
    /// Its name in the list by which vulnerabilities are told.
    pub cpe: Option<String>,
    /// SPDX expression.
    pub license: Option<String>,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// The SHA-256 of its source.
    pub sha256: Option<String>,
    /// Where its source comes from.
    pub origin: Option<Origin>,
    /// Where its licence's texts are.
    pub texts: Texts,
    /// The crate that brings it: `name version`.
    pub inside: Option<String>,
    /// What it needs, by place in the bill.
    pub needs: Vec<usize>,
}

impl Component {
    /// One with a name and a version, of which nothing else is known.
    fn new(role: Role, name: &str, version: Option<&str>) -> Self {
        Self {
            role,
            name: name.to_owned(),
            version: version.map(str::to_owned),
            purl: purl::purl("generic", name, version, &[]),
            cpe: None,
            license: None,
            authors: Vec::new(),
            sha256: None,
            origin: None,
            texts: Texts::None,
            inside: None,
            needs: Vec::new(),
        }
    }

    /// `openssl 3.6.3`.
    pub fn label(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether it is linked from archives that the linker's map names: a crate may leave none, because
    /// all of it was inlined.
    fn is_seen_by_linker(&self) -> bool {
        matches!(self.role, Role::Library)
    }

    /// Whether something of it is among the archives of a program.
    fn is_among(&self, linked: &[Archive]) -> bool {
        let from = format!("recipe {}", self.label());
        linked.iter().any(|archive| archive.from == from)
    }
}

/// A bill of materials. The package itself comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// The parts.
    pub components: Vec<Component>,
}

impl Bill {
    /// What goes into the programs of a package.
    pub fn of(
        session: &Session,
        project: &Project,
        plan: &Plan,
        environment: &Environment,
    ) -> Result<Self> {
        let mut bill = Self::default();
        bill.add_crates(session, project)?;
        bill.add_libraries(session, project, plan);
        bill.add_runtime(session, project, plan, environment)?;
        for component in &mut bill.components {
            component.needs.sort_unstable();
            component.needs.dedup();
        }
        Ok(bill)
    }

    fn add(&mut self, component: Component) -> usize {
        self.components.push(component);
        self.components.len() - 1
    }

    /// The place of a component.
    fn place(&self, is_it: impl Fn(&Component) -> bool) -> Option<usize> {
        self.components.iter().position(is_it)
    }

    fn link(&mut self, from: usize, to: usize) {
        self.components[from].needs.push(to);
    }
}
