//! Where the checkout is that this xtask belongs to.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::exit::{Exit, Failure};
use crate::process::env_var;

/// Cargo's target folder of a workspace, where nobody asked cargo.
pub fn target_folder(workspace: &Path) -> PathBuf {
    env_var("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), |dir| workspace.join(dir))
}

/// Where published crates are unpacked to be built: below the target folder, so that `cargo clean` of
/// the workspace takes them along.
pub fn published_crates(workspace: &Path) -> PathBuf {
    target_folder(workspace).join("crates")
}

/// The checkout that this xtask belongs to: the folder with `recipes/` and `xtask/`.
pub fn workspace_root() -> Result<PathBuf> {
    // `cargo run` sets this for the process it starts, so a moved checkout is found at its new place.
    let package = env_var("CARGO_MANIFEST_DIR").map(PathBuf::from);
    if let Some(root) = package.as_deref().and_then(Path::parent)
        && root.join("recipes").is_dir()
    {
        return Ok(root.to_owned());
    }
    let current = std::env::current_dir().context("cannot tell the current folder")?;
    current.ancestors().find(|folder| folder.join("recipes").is_dir()).map(Path::to_owned).ok_or_else(
        || {
            Failure::new(Exit::Usage, "there is no `recipes` folder here or above")
                .help("run `cargo xtask` in a checkout of Muslin, or in a workspace that has its `xtask` and `recipes`")
                .into()
        },
    )
}
