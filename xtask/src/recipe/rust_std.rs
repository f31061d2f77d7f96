//! Rust's standard library as a recipe: for targets for which rustup has none that will do.

use super::{Patch, Source};
use crate::target::Target;

/// The one component of rustup's that a source can be.
pub const RUST_SRC: &str = "rust-src";

/// `std.toml`: the standard library of one release of Rust, and what programs link with it.
#[derive(Clone, Debug)]
pub struct RustStd {
    /// The release that the sources and the patches are of: `1.95.0`. Only its rustc can compile them.
    pub version: String,
    /// Where the sources come from, in the order tried: the `library` folder of Rust's repository.
    pub sources: Vec<Source>,
    /// Patches in the order applied, from `recipes/patches/std/`.
    pub patches: Vec<Patch>,
    /// Crates that it is made of beside its own, with their SHA-256: `"libc 0.2.191" = "…"`. They are
    /// all that its Cargo.lock, once it is patched, has from a registry.
    pub crates: Vec<Source>,
    /// What rustc is told beside what the target's row says.
    pub rustflags: Vec<String>,
    /// Libraries that are the target's C runtime: the libc with its starting objects, the unwinder.
    pub runtime: Vec<String>,
}

impl RustStd {
    /// What rustc is told for a target, each flag once.
    pub fn rustflags_for<'s>(&'s self, target: &'s Target) -> impl Iterator<Item = &'s String> {
        let of_target = &target.rustflags;
        of_target.iter().chain(self.rustflags.iter().filter(|flag| !of_target.contains(flag)))
    }
}
