//! Arguments of the commands that help people write recipes.

use clap::{Args, Subcommand};

/// Arguments of `recipe`.
#[derive(Clone, Debug, Args)]
pub struct Recipe {
    /// What to do with recipes.
    #[command(subcommand)]
    pub command: RecipeCommand,
}

/// The commands of `recipe`.
#[derive(Clone, Debug, Subcommand)]
pub enum RecipeCommand {
    /// Say everything that is wrong with recipes, and what nobody has tried yet.
    Check(RecipeCheck),
    /// Rewrite a recipe for a new version: digests are computed, comments and layout stay.
    Bump(RecipeBump),
    /// Write a recipe for an archive, after a look into it.
    New(RecipeNew),
}

/// Arguments of `recipe check`.
#[derive(Clone, Debug, Args)]
pub struct RecipeCheck {
    /// The recipes, by file or by name; archives of these that the store has are looked into
    /// [default: all].
    #[arg(value_name = "RECIPE")]
    pub recipes: Vec<String>,
    /// Fetch from every origin, and look into every archive.
    #[arg(long)]
    pub fetch: bool,
    /// Find the licence's file and fill in its digest, where that is missing or wrong.
    #[arg(long)]
    pub fix: bool,
}

/// Arguments of `recipe bump`.
#[derive(Clone, Debug, Args)]
pub struct RecipeBump {
    /// The recipe, by name or file.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The new version.
    #[arg(value_name = "VERSION")]
    pub version: String,
    /// The crate that has it, such as "libz-sys 1.1.31" [default: the crate's origin is dropped].
    #[arg(long = "crate", value_name = "NAME VERSION")]
    pub of_crate: Option<String>,
    /// The wheel that has it, such as "ziglang 0.17.0" [default: its version is the recipe's].
    #[arg(long, value_name = "NAME VERSION")]
    pub pypi: Option<String>,
    /// The path in Debian's mirrors that has it [default: the old one with the new version].
    #[arg(long, value_name = "POOL PATH")]
    pub debian: Option<String>,
    /// The address that has it [default: the old one with the new version].
    #[arg(long)]
    pub url: Option<String>,
    /// The SHA-256 of the file at the address, as a public record has it, where it cannot be reached.
    #[arg(long, value_name = "HEX")]
    pub url_sha256: Option<String>,
    /// Leave out origins that cannot be reached, instead of changing nothing.
    #[arg(long)]
    pub partial: bool,
    /// Only show the difference.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `recipe new`.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("origin").required(true).multiple(true))]
pub struct RecipeNew {
    /// Its name, which is the file's.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Upstream's address of the archive.
    #[arg(long, group = "origin")]
    pub url: Option<String>,
    /// The SHA-256 of the file at the address, as a public record has it, where it cannot be reached.
    #[arg(long, value_name = "HEX", requires = "url")]
    pub url_sha256: Option<String>,
    /// A crate that has the sources, such as "libz-sys 1.1.31".
    #[arg(long = "crate", value_name = "NAME VERSION", group = "origin")]
    pub of_crate: Option<String>,
    /// The folder of the sources in the crate [default: the likeliest].
    #[arg(long, value_name = "FOLDER")]
    pub root: Option<String>,
    /// A path in Debian's mirrors.
    #[arg(long, value_name = "POOL PATH", group = "origin")]
    pub debian: Option<String>,
    /// A wheel, such as "ziglang 0.17.0".
    #[arg(long, value_name = "NAME VERSION", group = "origin")]
    pub pypi: Option<String>,
    /// The version [default: as the archive's name or its files say].
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
}
