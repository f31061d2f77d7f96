//! `cargo xtask toolchain export`: a GCC toolchain of the store as the archive that a prebuilt one is,
//! so that a company can host its own. Always the same bytes of the same tree: sorted, without times
//! and owners.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use lzma_rust2::{XzOptions, XzWriter};

use crate::archive::Archive;
use crate::build;
use crate::cli::ToolchainExport;
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::layout::write_whole;
use crate::plan::Goal;
use crate::recipe::Driver;
use crate::report::{self, Progress, human_bytes};
use crate::session::Session;

/// How hard xz tries: more takes twice as long for a twentieth less.
const LEVEL: u32 = 6;

/// Where the texts of licences stand in the archive.
const LICENSES: &str = "share/licenses";

/// Makes the toolchain if it is not there, and writes the archive.
pub fn run(session: &Session, command: &ToolchainExport) -> Result<()> {
    let target = session.target(&command.target)?;
    let known = session.recipes.toolchains.get(&command.name);
    if known.is_some_and(|it| !matches!(it.driver, Driver::Gcc { .. })) {
        let message = format!("{} is no GCC, so it has not the layout of one", command.name);
        return Err(Failure::new(Exit::Usage, message)
            .help("its own archive is to be had from its origins: `cargo xtask fetch`")
            .into());
    }
    let plan = session.settle(Some(&command.name), &target, Goal::default())?;
    build::make(session, &plan)?;
    let step = plan.toolchain();
    let entry = session.entry(step);
    let file = std::path::absolute(&command.file)?;
    let _progress = Progress::spinner("Packing", file.display());
    let name = file.file_name().context("the archive's path names no file")?;
    write_whole(&file, |temp| write(&entry.outputs(), &entry.licenses(), &target.triple, temp))?;
    let bytes = fs::read(&file)?;
    let digest = Digest::sha256_of(&bytes).hex();
    let (size, triple) = (human_bytes(bytes.len() as u64), &target.triple);
    report::status("Packed", format!("{} {} for {triple}, {size}", step.name, step.version));
    report::note(format!(
        "to use it from a server of yours, in recipes/toolchains/musl-cross.toml:\n[[source]]\ntarget = \
         \"{triple}\"\nurl    = \"https://…/{}\"\nsha256 = \"{digest}\"",
        name.display()
    ));
    report::event(
        "toolchain-archive",
        serde_json::json!({ "path": file, "sha256": digest, "target": triple,
            "size_bytes": bytes.len(), "fingerprint": step.fingerprint }),
    );
    report::data(format!("{digest}  {}", file.display()));
    Ok(())
}

/// Writes a tree below one top folder, the target's name.
fn write(tree: &Path, licenses: &Path, triple: &str, file: &Path) -> Result<()> {
    let out = BufWriter::new(File::create(file)?);
    let mut archive = Archive::new(XzWriter::new(out, XzOptions::with_preset(LEVEL))?);
    let top = Path::new(triple);
    archive.tree(tree, top)?;
    if licenses.is_dir() {
        archive.tree(licenses, &top.join(LICENSES))?;
    }
    let out = archive.finish()?.finish()?;
    let out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((&out).flush().and_then(|()| out.sync_all())?)
}
