//! `cargo xtask sbom FILE`: the bill inside of a program.

use anyhow::{Context as _, Result};

use super::{Bill, embedded};
use crate::app::section_of;
use crate::cli::{self, BillFormat, Global};
use crate::exit::{Exit, Failure};
use crate::layout::workspace_root;
use crate::recipe::Recipes;
use crate::report;

impl cli::Sbom {
    /// Prints it.
    pub fn run(self, _global: Global) -> Result<()> {
        let Some(section) = section_of(&self.file, embedded::SECTION)? else {
            let message = format!(
                "{} does not tell what it is made of: it has no section {}",
                self.file.display(),
                embedded::SECTION
            );
            return Err(Failure::new(Exit::Failed, message)
                .help("`cargo xtask dist` puts one in, unless `auditable = false` says otherwise; so does cargo auditable")
                .into());
        };
        let cannot = || format!("cannot read {}", self.file.display());
        let json = embedded::json(&section).with_context(cannot)?;
        // Outside of a checkout nobody knows by which names vulnerabilities are told.
        let recipes = match workspace_root() {
            Ok(workspace) => Recipes::load(&workspace)?,
            Err(_) => Recipes::default(),
        };
        let bill = embedded::bill(&json, &recipes).with_context(cannot)?;
        match self.format {
            BillFormat::Json => report::output(&format!("{json}\n")),
            BillFormat::Cyclonedx => report::output(&bill.cyclonedx(None, &[])?),
            BillFormat::Table => report::output(&table(&bill)),
        }
        Ok(())
    }
}

fn table(bill: &Bill) -> String {
    let widths = [
        bill.components.iter().map(|it| it.name.len()).max().unwrap_or_default(),
        bill.components
            .iter()
            .filter_map(|it| it.version.as_ref())
            .map(String::len)
            .max()
            .unwrap_or_default(),
    ];
    let mut rows: Vec<_> = bill.components.iter().collect();
    // C libraries first, since these are what nobody else tells of.
    rows.sort_by_key(|it| (order(it.role), &it.name, &it.version));
    rows.iter().fold(String::new(), |text, it| {
        let version = it.version.as_deref().unwrap_or_default();
        text + &format!(
            "{:<name$}  {version:<number$}  {}\n",
            it.name,
            it.role.words(),
            name = widths[0],
            number = widths[1],
        )
    })
}

fn order(role: super::Role) -> u8 {
    use super::Role::{Bundled, Crate, Library, Package, Runtime, Tool};
    match role {
        Package => 0,
        Library | Bundled => 1,
        Runtime => 2,
        Crate(_) => 3,
        Tool => 4,
    }
}
