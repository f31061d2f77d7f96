//! Well-known published programs that need C, each built as `cargo xtask dist --crate` builds it,
//! from an exact version with its own Cargo.lock, and then used for what people use it for.
//!
//! They take many minutes, so they run with `cargo xtask test --all` (MUSLIN_TEST_ALL and
//! MUSLIN_TEST_SLOW), with the store of MUSLIN_STORE; without, each says that it did not run. One
//! alone: `cargo test -p xtask --test programs -- gitui`. Each ends with a line for a table.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test drives the program from outside"
)]

#[path = "programs/built.rs"]
mod built;
#[path = "programs/crates.rs"]
mod crates;
#[path = "programs/databases.rs"]
mod databases;
#[path = "programs/files.rs"]
mod files;
#[path = "programs/network.rs"]
mod network;
#[path = "support/registry.rs"]
mod registry;
#[path = "programs/repositories.rs"]
mod repositories;
#[path = "support/repository.rs"]
mod repository;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "support/server.rs"]
mod server;
#[path = "programs/terminal.rs"]
mod terminal;
#[path = "programs/tls.rs"]
mod tls;
