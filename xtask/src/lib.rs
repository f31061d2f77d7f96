//! Muslin: one command from a Cargo package with C dependencies to a static, portable Linux program.
//!
//! Everything is the output of a recipe, named by the hash of all that went into it. The modules
//! below stand in reading order, which is also the order of the pipeline and of dependency: **a
//! module uses only modules declared above it** (`tests/tidy.rs` proves it). Three of them are doors,
//! the only ones with that effect: `report` prints, `layout` names paths on disk, `process` starts
//! programs. ARCHITECTURE.md says which file to change for what.

#![warn(missing_docs)]

// Vocabulary.
pub mod digest;
pub mod exit;
pub mod target;

// Doors.
pub mod process;
pub mod report;
pub mod layout;
pub mod sandbox;
pub mod emulator;

// The pipeline.
pub mod recipe;
pub mod links;
pub mod plan;
pub mod fetch;
pub mod unpack;
pub mod archive;
pub mod oci;
pub mod registry;
pub mod cli;
pub mod rust;
pub mod session;
pub mod toolchain;
pub mod build;
pub mod host;
pub mod stdlib;
pub mod toolchains;
pub mod shell;
pub mod environment;
pub mod sysroot;
pub mod advice;
pub mod app;
pub mod linked;
pub mod signature;
pub mod check;
pub mod bill;
pub mod package;
pub mod dist;
pub mod size;
pub mod verify;
pub mod explain;
pub mod store;
pub mod author;
pub mod bundle;
pub mod test;
pub mod commands;
