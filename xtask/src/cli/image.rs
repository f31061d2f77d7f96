//! Arguments of the commands that send images.

use clap::{Args, Subcommand};

use super::{Package, Platform};

/// Arguments of `image`.
#[derive(Clone, Debug, Args)]
pub struct Image {
    /// What to do.
    #[command(subcommand)]
    pub command: ImageCommand,
}

/// The commands of `image`.
#[derive(Clone, Debug, Subcommand)]
pub enum ImageCommand {
    /// Do what `dist` does, and send the image to a registry: for several targets one that has them all.
    Push(ImagePush),
}

/// Arguments of `image push`.
#[derive(Clone, Debug, Args)]
pub struct ImagePush {
    /// Where to: `registry.example.org/team/name:tag`.
    #[arg(value_name = "REGISTRY/NAME:TAG")]
    pub reference: String,
    /// What to build.
    #[command(flatten)]
    pub package: Package,
    /// What to build for.
    #[command(flatten)]
    pub platform: Platform,
    /// The program whose image is meant, if the package has several.
    #[arg(long, value_name = "BIN")]
    pub bin: Option<String>,
    /// Cargo's profile.
    #[arg(long, value_name = "PROFILE", default_value = "release")]
    pub profile: String,
    /// Speak to the registry without encryption, as to one on this machine.
    #[arg(long)]
    pub plain_http: bool,
}
