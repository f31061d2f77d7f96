//! A target's standard library that is built from source: what it is made of, where its result is, and
//! how its bytes are got. Which program makes it is not known here.

use std::fmt::Write as _;

use anyhow::Result;

use super::Rust;
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::fetch::{Fetcher, Missing, VerifiedArchive};
use crate::layout::{Entry, Store};
use crate::plan::Plan;
use crate::recipe::{Origin, Recipes, RustStd, Source};
use crate::target::{Std, Target};

/// Bump when the code that builds it makes something else of the same inputs.
const FORMAT: &str = "rust-std 1";

/// The name of its entries.
pub const NAME: &str = "rust-std";

/// The bytes that it is made of.
pub struct Archives {
    /// Which of the recipe's sources the first of them is.
    pub source: usize,
    /// Rust's own sources.
    pub library: VerifiedArchive,
    /// The crates beside them: name, version, SHA-256, file.
    pub crates: Vec<(String, String, Digest, VerifiedArchive)>,
}

impl Archives {
    /// All of them, for who only passes them on.
    pub fn all(self) -> impl Iterator<Item = VerifiedArchive> {
        let crates = self.crates.into_iter().map(|(_, _, _, archive)| archive);
        std::iter::once(self.library).chain(crates)
    }
}

/// The recipe, if the target's standard library is to be built from source.
pub fn recipe<'r>(recipes: &'r Recipes, target: &Target) -> Result<Option<&'r RustStd>> {
    if target.std == Std::Rustup {
        return Ok(None);
    }
    recipes.rust_std.as_ref().map(Some).ok_or_else(|| {
        let message = format!("the standard library of {} has no recipe", target.triple);
        Failure::new(Exit::RecipeInvalid, message)
            .help(
                "write recipes/std.toml, or `std = \"rustup\"` in its row of recipes/targets.toml",
            )
            .into()
    })
}

/// Fails if a Rust is of another release than the sources: only its own compiler can compile a standard
/// library.
pub fn require_release(std: &RustStd, rust: &Rust, triple: &str) -> Result<()> {
    if rust.release() == std.version {
        return Ok(());
    }
    let message = format!(
        "the standard library of {triple} is built from the sources of Rust {}, and this is {}",
        std.version,
        rust.short_version()
    );
    Err(Failure::new(Exit::Failed, message)
        .help(format!("build with that one: `RUSTUP_TOOLCHAIN={} cargo xtask …`", std.version))
        .help("or bring recipes/std.toml with its patches to the release that is used here")
        .into())
}

/// All inputs as text.
pub fn pre_image(std: &RustStd, rust: &Rust, plan: &Plan) -> String {
    let mut text =
        format!("{FORMAT}\n{}\ntarget {}\n", rust.version.trim_end(), plan.target.triple);
    let flags = std.rustflags_for(&plan.target);
    let mut line = |key: &str, value: String| {
        let _ = writeln!(text, "{key} {value}");
    };
    flags.for_each(|flag| line("flag", flag.clone()));
    if plan.target.std == Std::Small {
        let [features, panic] = settings(&plan.target);
        line("features", format!("[{features}] panic {panic}"));
    }
    // Whichever of them serves, the sources are the same.
    std.sources.iter().for_each(|source| line("source", source.digest.to_string()));
    for patch in &std.patches {
        line("patch", format!("{} {}", patch.name, Digest::sha256_of(patch.text.as_bytes())));
    }
    for (name, version, digest) in crates(std) {
        line("crate", format!("{name} {version} {digest}"));
    }
    for step in plan.runtime_rust() {
        line("step", format!("{} {} {}", step.name, step.version, step.fingerprint));
    }
    text
}

/// The features that are asked of it, and what it does when a program panics.
pub fn settings(target: &Target) -> [&'static str; 2] {
    match target.std {
        // Without unwinding nothing in a program needs the unwinder, unless C++ does.
        Std::Small => ["", "abort"],
        Std::Rustup | Std::Source => ["panic-unwind,backtrace", "unwind"],
    }
}

/// Where the result is, or would be.
pub fn entry(store: &Store, std: &RustStd, pre_image: &str) -> Entry {
    store.entry(NAME, &std.version, &Digest::sha256_of(pre_image.as_bytes()).hex())
}

/// Whether it was built for a plan.
pub fn is_built(store: &Store, std: &RustStd, rust: &Rust, plan: &Plan) -> bool {
    entry(store, std, &pre_image(std, rust, plan)).exists()
}

/// Crates by name, version and digest.
fn crates(std: &RustStd) -> impl Iterator<Item = (&str, &str, &Digest)> {
    std.crates.iter().filter_map(|source| match &source.origin {
        Origin::Crate { name, version } => Some((name.as_str(), version.as_str(), &source.digest)),
        _ => None,
    })
}

/// All bytes by what people call them, each with the sources that serve them.
pub fn sources(std: &RustStd) -> Vec<(String, Vec<&Source>)> {
    let library = (format!("{NAME} {}", std.version), std.sources.iter().collect());
    let crates = std.crates.iter().zip(crates(std));
    let crates =
        crates.map(|(source, (name, version, _))| (format!("{name} {version}"), vec![source]));
    std::iter::once(library).chain(crates).collect()
}

/// Gets all bytes; the inner error is all that is missing offline.
pub fn fetch(std: &RustStd, fetcher: &Fetcher) -> Result<Result<Archives, Vec<Missing>>> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (what, sources) in sources(std) {
        match fetcher.fetch(&what, &sources) {
            Ok(archive) => found.push(archive),
            Err(error) => missing.push(error.downcast::<Missing>()?),
        }
    }
    if !missing.is_empty() {
        return Ok(Err(missing));
    }
    let mut found = found.into_iter();
    let (source, library) = found.next().unwrap_or_else(|| unreachable!("it has sources"));
    let named = crates(std).zip(found);
    let crates = named.map(|((name, version, digest), (_, archive))| {
        (name.to_owned(), version.to_owned(), *digest, archive)
    });
    Ok(Ok(Archives { source, library, crates: crates.collect() }))
}
