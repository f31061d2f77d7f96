//! Arguments of `size`.

use std::path::PathBuf;

use clap::Args;

use super::{Package, Platform};

/// Arguments of `size`.
#[derive(Clone, Debug, Args)]
pub struct SizeOf {
    /// The program: any ELF file [default: the package's, where `dist` has put them].
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Write a page with a treemap as well, which needs nothing but a browser.
    #[arg(long, value_name = "OUT.html")]
    pub html: Option<PathBuf>,
    /// Without FILE: only this binary; may be given several times [default: all of the package].
    #[arg(long, value_name = "BIN", conflicts_with = "file")]
    pub bin: Vec<String>,
    /// Without FILE: whose programs.
    #[command(flatten)]
    pub package: Package,
    /// Without FILE: for what.
    #[command(flatten)]
    pub platform: Platform,
}
