//! Arguments of the commands that look at what was made.

use std::path::PathBuf;

use clap::Args;

use super::{Package, Platform};

/// Arguments of `check`.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// The programs, or with `--provenance` any files [default then: all that it speaks of, beside it].
    #[arg(required_unless_present = "provenance", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The target that they must be for [default: any].
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// Run the program instead, as this version of Linux would let it run: without later system calls.
    #[arg(long, value_name = "VERSION", conflicts_with = "target")]
    pub kernel: Option<String>,
    /// Instead: compare with what this `provenance.json` says.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kernel", "target"])]
    pub provenance: Option<PathBuf>,
    /// Whose signature of it counts, by their keys, as ssh-keygen has such lists.
    #[arg(long, value_name = "FILE", requires = "provenance")]
    pub allowed_signers: Option<PathBuf>,
    /// Arguments of that program.
    #[arg(last = true, value_name = "ARGS", requires = "kernel")]
    pub arguments: Vec<std::ffi::OsString>,
}

/// Arguments of `verify`.
#[derive(Clone, Debug, Args)]
pub struct Verify {
    /// What to build.
    #[command(flatten)]
    pub package: Package,
    /// What to build for.
    #[command(flatten)]
    pub platform: Platform,
    /// Only this binary; may be given several times [default: all of the package].
    #[arg(long, value_name = "BIN")]
    pub bin: Vec<String>,
    /// Cargo's profile.
    #[arg(long, value_name = "PROFILE", default_value = "release")]
    pub profile: String,
    /// What the second build has different: names with commas between them, `all` or `none`
    /// [default: all].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub vary: Vec<String>,
    /// Take the C libraries as they are in the store, and build only the app twice.
    #[arg(long)]
    pub app_only: bool,
    /// Keep all builds, in the store.
    #[arg(long)]
    pub keep: bool,
    /// Instead: compare with the manifest of a build made elsewhere, and say what was not the same in
    /// the inputs.
    #[arg(long, value_name = "MANIFEST", conflicts_with_all = ["vary", "app_only", "keep"])]
    pub against: Option<PathBuf>,
    /// With `--against`: our manifest [default: that of a `dist` made now].
    #[arg(long, value_name = "MANIFEST", requires = "against")]
    pub manifest: Option<PathBuf>,
}
