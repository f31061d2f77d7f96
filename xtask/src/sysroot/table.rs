//! The table of a sysroot's libraries, in Markdown, for people who want to know what they get.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::layout::{files_below, write_atomically};
use crate::plan::{Plan, Step};
use crate::recipe::Library;
use crate::session::Session;

/// What stands above the rows.
const HEAD: &str = "| library | version | what it is | `links` | licence | builder | seconds | size |\n\
                    |---|---|---|---|---|---|--:|--:|\n";

/// Writes the table of a plan's libraries, which must be in the store. The seconds are those that
/// each took where and when it was built.
pub fn write(session: &Session, plan: &Plan, file: &Path) -> Result<()> {
    let mut text = format!(
        "<!-- Written by `cargo xtask sysroot --all --table docs/libraries.md`. -->\n\n\
         # Libraries\n\nFor `{}`, with {} {}. Seconds: from the archive to the entry in the store, \
         on the machine that wrote this table, all steps at once: most of it is waiting for a processor. \
         Size: the static archives.\n\n\
         {HEAD}",
        plan.target.triple,
        plan.toolchain().name,
        plan.toolchain().version,
    );
    let mut rows = plan
        .libraries()
        .map(|(step, library)| row(session, step, library))
        .collect::<Result<Vec<_>>>()?;
    rows.sort();
    text.extend(rows);
    write_atomically(file, text.as_bytes())
        .with_context(|| format!("cannot write {}", file.display()))
}

fn row(session: &Session, step: &Step, library: &Library) -> Result<String> {
    let entry = session.entry(step);
    let outputs = entry.outputs();
    let archives = files_below(&outputs)?.into_iter();
    let archives = archives.filter(|file| file.extension().is_some_and(|ending| ending == "a"));
    let sizes = archives.map(|file| Ok(outputs.join(file).metadata()?.len()));
    let bytes: u64 = sizes.sum::<Result<u64>>()?;
    let seconds = entry.seconds().map_or_else(|| "?".to_owned(), |seconds| format!("{seconds:.1}"));
    Ok(format!(
        "| {} | {} | {} | {} | {} | {} | {seconds} | {} kB |\n",
        library.name,
        library.version,
        library.description,
        library.links.join(", "),
        library.license,
        library.build.name(),
        bytes.div_ceil(1000),
    ))
}
