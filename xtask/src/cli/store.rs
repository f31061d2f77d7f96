//! Arguments of the commands that look after the store.

use clap::{Args, Subcommand};

use super::{Age, Size};

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
    Verify(Verify),
    /// List what is in the store: size, last use, and whose plans reach it.
    List(List),
    /// Remove what no plan reaches any more.
    Gc(Gc),
}

/// Arguments of `store verify`.
#[derive(Clone, Debug, Args)]
pub struct Verify {}

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
