//! The pipeline as a whole: the real xtask program, a tiny library, a toolchain that notes each call.
//!
//! What needs a real musl toolchain runs with `cargo xtask test` only, which sets MUSLIN_TEST_ALL, and
//! says loudly elsewhere that it was skipped.

#[path = "pipeline/app.rs"]
mod app;
#[path = "pipeline/author.rs"]
mod author;
#[path = "pipeline/bill.rs"]
mod bill;
#[path = "pipeline/building.rs"]
mod building;
#[path = "pipeline/bundle.rs"]
mod bundle;
#[path = "pipeline/endings.rs"]
mod endings;
#[path = "pipeline/freshness.rs"]
mod freshness;
#[path = "support/image_registry.rs"]
mod image_registry;
#[path = "pipeline/images.rs"]
mod images;
#[path = "pipeline/licenses.rs"]
mod licenses;
#[path = "pipeline/offline.rs"]
mod offline;
#[path = "pipeline/packages.rs"]
mod packages;
#[path = "pipeline/provenance.rs"]
mod provenance;
#[path = "pipeline/real.rs"]
mod real;
#[path = "pipeline/refusals.rs"]
mod refusals;
#[path = "pipeline/size.rs"]
mod size;
#[path = "pipeline/std_source.rs"]
mod std_source;
#[path = "pipeline/store.rs"]
mod store;
#[path = "pipeline/toolchains.rs"]
mod toolchains;
#[path = "pipeline/targets.rs"]
mod targets;
#[path = "pipeline/third_party.rs"]
mod third_party;
#[path = "pipeline/tools.rs"]
mod tools;
#[path = "support/scratch.rs"]
mod scratch;
#[path = "support/server.rs"]
#[allow(dead_code, reason = "it can do more than is needed here")]
mod server;

use xtask::process::env_var;

/// Whether this machine's Rust has the standard library of the musl target.
fn has_std() -> bool {
    let sysroot = env_var("CARGO").map(std::path::PathBuf::from);
    let lib = sysroot
        .as_deref()
        .and_then(|cargo| cargo.parent()?.parent())
        .map(|root| root.join("lib/rustlib").join(scratch::TRIPLE).join("lib/self-contained"));
    let found = lib.is_some_and(|lib| lib.is_dir());
    if !found {
        skip("this Rust has no standard library for musl: rustup target add brings it");
    }
    found
}

/// Says loudly that something was not tested.
fn skip(why: &str) {
    xtask::report::text(&format!("SKIPPED: {why}"));
}
