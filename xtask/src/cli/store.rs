//! Arguments of the commands that look after the store, and of those that carry it elsewhere.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Age, Package, Platform, Size};

/// Arguments of `store`.
#[derive(Clone, Debug, Args)]
pub struct Store {
    /// What to do with the store.
    #[command(subcommand)]
    pub command: StoreCommand,
}

/// The commands of `store`.
#[derive(Clone, Debug, Subcommand)]
pub enum StoreCommand {
    /// Hash everything again and compare it with what was recorded; put aside what is damaged.
    Verify(StoreVerify),
    /// List what is in the store: size, last use, and whose plans reach it.
    List(List),
    /// Remove what no plan reaches any more.
    Gc(Gc),
}

/// Arguments of `store verify`.
#[derive(Clone, Debug, Args)]
pub struct StoreVerify {}

/// Arguments of `store list`.
#[derive(Clone, Debug, Args)]
pub struct List {}

/// Arguments of `store gc`. Without options all goes that no plan of a package reaches whose manifest
/// is still there, with what failed or was rejected. The options say instead what goes.
#[derive(Clone, Debug, Args)]
pub struct Gc {
    /// Remove what was used longest ago until the store has at most this size, such as 2GiB; what
    /// plans reach goes last.
    #[arg(long, value_name = "SIZE")]
    pub max_size: Option<Size>,
    /// Remove what no command has used for so long, such as 30d, whether a plan reaches it or not.
    #[arg(long, value_name = "AGE")]
    pub older_than: Option<Age>,
    /// Only say what would go.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `fetch`.
#[derive(Clone, Debug, Args)]
pub struct Fetch {
    /// For which package.
    #[command(flatten)]
    pub package: Package,
    /// For which targets.
    #[command(flatten)]
    pub platform: Platform,
    /// For which of cargo's profiles: `dist-small` needs more.
    #[arg(long, value_name = "PROFILE", default_value = "release")]
    pub profile: String,
}

/// Arguments of `bundle`.
#[derive(Clone, Debug, Args)]
pub struct Bundle {
    /// The file to write: a tar.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// For which package.
    #[command(flatten)]
    pub package: Package,
    /// For which targets.
    #[command(flatten)]
    pub platform: Platform,
    /// Also what the plan's steps have built, so that no C is compiled on the other machine.
    #[arg(long)]
    pub with_entries: bool,
}

/// Arguments of `unbundle`.
#[derive(Clone, Debug, Args)]
pub struct Unbundle {
    /// The file that `bundle` wrote.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}
