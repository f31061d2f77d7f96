//! Arguments of the commands that look at toolchains.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DEFAULT_TARGET;

/// Arguments of `toolchain`.
#[derive(Clone, Debug, Args)]
pub struct Toolchain {
    /// What to do.
    #[command(subcommand)]
    pub command: ToolchainCommand,
}

/// The commands of `toolchain`.
#[derive(Clone, Debug, Subcommand)]
pub enum ToolchainCommand {
    /// List the toolchains: what is in the store, for which targets, which one would be chosen and why.
    List(ToolchainList),
    /// Write a GCC toolchain as an archive in the layout of the prebuilt ones, for a mirror of one's own.
    Export(ToolchainExport),
}

/// Arguments of `toolchain list`.
#[derive(Clone, Debug, Args)]
pub struct ToolchainList {
    /// The target that one is chosen for.
    #[arg(long, value_name = "TRIPLE", default_value = DEFAULT_TARGET)]
    pub target: String,
}

/// Arguments of `toolchain export`.
#[derive(Clone, Debug, Args)]
pub struct ToolchainExport {
    /// The toolchain; it is made first if it is not there.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The file to write: a tar, compressed with xz.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The target that it compiles for.
    #[arg(long, value_name = "TRIPLE", default_value = DEFAULT_TARGET)]
    pub target: String,
}
