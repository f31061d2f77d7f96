//! Arguments of the command that tells what a program is made of.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `sbom`.
#[derive(Clone, Debug, Args)]
pub struct Sbom {
    /// The program, made by Muslin or by `cargo auditable`.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: BillFormat,
}

/// The form in which `sbom` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum BillFormat {
    /// A line for each component.
    #[default]
    Table,
    /// The JSON that is in the program.
    Json,
    /// CycloneDX 1.6, in JSON.
    Cyclonedx,
}
