//! The command line as types: each command's arguments are a type here, and its `run` stands in the
//! file of the stage that does the work. No logic here.

mod bill;
mod check;
mod image;
mod package;
mod recipe;
mod size;
mod store;
mod toolchain;
mod units;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::fetch::Mirror;
use crate::report::{self, Color, Format, Verbosity};
use crate::sandbox::Policy;
pub use bill::{BillFormat, Sbom};
pub use check::{Check, Verify};
pub use image::{Image, ImageCommand, ImagePush};
pub use package::{CrateSpec, Package, Platform};
pub use recipe::{Recipe, RecipeBump, RecipeCheck, RecipeCommand, RecipeNew};
pub use size::SizeOf;
pub use store::{Bundle, Fetch, Gc, List, Store, StoreCommand, StoreVerify, Unbundle};
pub use toolchain::{Toolchain, ToolchainCommand, ToolchainExport, ToolchainList};
pub use units::{Age, Size};

/// The target when none is named.
pub const DEFAULT_TARGET: &str = "x86_64-unknown-linux-musl";

/// One command from a Cargo package with C dependencies to a static, portable Linux program.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true,
    version,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 recipe invalid, 4 verification failed, \
                  5 check failed, 6 offline and something is missing."
)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes, before or after its name.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of all commands")]
pub struct Global {
    /// Open no socket; if something is missing, list it and end with exit code 6.
    #[arg(long, global = true)]
    pub offline: bool,
    /// The folder of everything fetched or built [default: $XDG_CACHE_HOME/muslin or ~/.cache/muslin].
    #[arg(long, global = true, value_name = "DIR", env = "MUSLIN_STORE", hide_env_values = true)]
    pub store: Option<PathBuf>,
    /// Look for downloads here first, by digest: `<mirror>/<sha256>`. May be given several times
    /// [env: MUSLIN_MIRROR, separated by blanks].
    #[arg(long, global = true, value_name = "URL|DIR")]
    pub mirror: Vec<Mirror>,
    /// How many jobs to run at once [default: the number of CPUs].
    #[arg(long, short, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub jobs: Option<u16>,
    /// How builds are kept from the rest of the machine: as well as it allows, in a view of their own
    /// or not at all (an error), or only by a clean environment.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "HOW",
        env = "MUSLIN_SANDBOX",
        hide_env_values = true
    )]
    pub sandbox: Policy,
    /// Whether the tree of a step that failed is kept, for `cargo xtask shell STEP`.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, default_missing_value = "always", num_args = 0..=1, require_equals = true)]
    pub keep_failed: Keep,
    /// When to colour.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
    /// Errors and warnings only.
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: what is fresh, what was dropped, what was tried.
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// What stdout carries: paths, or one JSON object a line.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub message_format: Format,
}

/// What is kept of a step that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Keep {
    /// Its whole tree.
    #[default]
    Always,
    /// Only its log.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build, check and pack the app's static programs: the main command.
    Dist(Dist),
    /// Build C libraries and compose `target/sysroot/<triple>`.
    Sysroot(Sysroot),
    /// Bring everything that `dist` needs from a network.
    Fetch(Fetch),
    /// Say what `dist` would do and why, touching nothing.
    Plan(Plan),
    /// Print the variables with which plain `cargo build --target …` links against the sysroot.
    Env(Env),
    /// Run a command with the variables of `env`.
    Exec(Exec),
    /// Build one of the app's programs as `dist` does, and run it: in an emulator where the CPU is
    /// another.
    Run(Run),
    /// Enter the sandbox of a library's step by hand, or run a command in it.
    Shell(Shell),
    /// Send the app's images to a registry.
    Image(Image),
    /// Check that a program is static and portable, as `dist` does.
    Check(Check),
    /// Say what a program is made of, as it tells itself.
    Sbom(Sbom),
    /// Show what is in a program: by crate, C library, runtime and section.
    Size(SizeOf),
    /// Check, update or write recipes.
    Recipe(Recipe),
    /// Verify, list or clear up what was fetched and built.
    Store(Store),
    /// List the toolchains, or write one as an archive.
    Toolchain(Toolchain),
    /// Put all that `dist --offline` needs into one file, for a machine without a network.
    Bundle(Bundle),
    /// Take a bundle in, after every byte of it is verified.
    Unbundle(Unbundle),
    /// Build twice under all that may differ between machines, and compare every byte.
    Verify(Verify),
    /// Run all of Muslin's own tests.
    Test(Test),
}

/// Arguments of `dist`.
#[derive(Clone, Debug, Args)]
pub struct Dist {
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
    /// Where the result goes [default: `dist/<triple>` in the package's target
    /// folder, `dist/<triple>+<cpu>` with `--target-cpu`].
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
    /// Beside the programs make only this; may be given several times [default: all].
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    pub only: Vec<Product>,
    /// Sign `provenance.json` with this key of OpenSSH: a private one, or a public one whose other half
    /// ssh-agent has.
    #[arg(long, value_name = "KEY", env = "MUSLIN_SIGN_KEY")]
    pub sign: Option<PathBuf>,
}

/// What `dist` makes of the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Product {
    /// Nothing.
    Programs,
    /// A `.tar.gz` and a `.tar.zst`.
    Archives,
    /// A container image, `.oci.tar`.
    Image,
    /// `sbom.cdx.json`: the bill of materials.
    Sbom,
    /// `provenance.json`: what all of these were made of.
    Provenance,
    /// `THIRD-PARTY-LICENSES.txt`: the texts of the licences of all that is in them.
    Licenses,
}

/// Arguments of `run`.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// What to build.
    #[command(flatten)]
    pub package: Package,
    /// What to build for.
    #[command(flatten)]
    pub platform: Platform,
    /// Which binary [default: the package's `default-run`, or its only one].
    #[arg(long, value_name = "BIN")]
    pub bin: Option<String>,
    /// Cargo's profile.
    #[arg(long, value_name = "PROFILE", default_value = "release")]
    pub profile: String,
    /// Arguments for the program, after `--`.
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<std::ffi::OsString>,
}

/// Arguments of `sysroot`.
#[derive(Clone, Debug, Args)]
pub struct Sysroot {
    /// The libraries [default: those that the app links].
    #[arg(value_name = "LIBRARY")]
    pub libraries: Vec<String>,
    /// Every library that has a recipe.
    #[arg(long, conflicts_with = "libraries")]
    pub all: bool,
    /// Write a Markdown table of what was built: versions, licences, seconds, sizes.
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,
    /// Whose libraries, when none is named.
    #[command(flatten)]
    pub package: Package,
    /// What to build for.
    #[command(flatten)]
    pub platform: Platform,
}

/// Arguments of `plan`.
#[derive(Clone, Debug, Args)]
pub struct Plan {
    /// For which package.
    #[command(flatten)]
    pub package: Package,
    /// For which targets.
    #[command(flatten)]
    pub platform: Platform,
    /// Show which input's change made this step stale.
    #[arg(long, value_name = "STEP")]
    pub why: Option<String>,
    /// Print the inputs of every step, as they are hashed.
    #[arg(long, conflicts_with = "why")]
    pub pre_images: bool,
}

/// The form in which `env` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum EnvFormat {
    /// `export NAME=value` lines for a POSIX shell.
    #[default]
    Shell,
    /// One JSON object.
    Json,
    /// A fragment for `.cargo/config.toml`.
    Cargo,
}

/// Arguments of `env`.
#[derive(Clone, Debug, Args)]
pub struct Env {
    /// Whose libraries.
    #[command(flatten)]
    pub package: Package,
    /// For which target.
    #[command(flatten)]
    pub platform: Platform,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    pub format: EnvFormat,
}

/// Arguments of `exec`.
#[derive(Clone, Debug, Args)]
pub struct Exec {
    /// Whose libraries.
    #[command(flatten)]
    pub package: Package,
    /// For which target.
    #[command(flatten)]
    pub platform: Platform,
    /// The command and its arguments, after `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<std::ffi::OsString>,
}

/// Arguments of `shell`.
#[derive(Clone, Debug, Args)]
pub struct Shell {
    /// The library, tool or stage of a toolchain (`gcc-compiler`) whose step is entered: in the tree of
    /// its last failure, if there is one.
    #[arg(value_name = "STEP")]
    pub step: String,
    /// For what it is built.
    #[command(flatten)]
    pub platform: Platform,
    /// A command and its arguments, after `--` [default: a shell].
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<std::ffi::OsString>,
}

/// Arguments of `test`.
#[derive(Clone, Debug, Args)]
pub struct Test {
    /// Also the slow ones: the journey of a bundle, builds on other Debians.
    #[arg(long)]
    pub all: bool,
    /// Arguments for the test programs, after `--`.
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<String>,
}

impl Global {
    /// Tells `report` how to speak.
    pub fn apply_to_report(&self) {
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        };
        report::init(verbosity, self.message_format, self.color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_of_all_commands_may_come_after_the_command() {
        let words =
            ["xtask", "dist", "--offline", "-F", "a b", "--target", "x", "--target", "x", "-j3"];
        let cli = Cli::try_parse_from(words).unwrap();
        assert!(cli.global.offline && cli.global.jobs == Some(3));
        let Command::Dist(dist) = cli.command else { panic!("not dist") };
        assert_eq!(dist.platform.triples(&[]), ["x"]);
    }
}
