//! `cargo xtask size`: what a program is made of, by crate, C library, runtime and section.
//!
//! Every byte of the file is counted once, so the total is the file's size. What nothing tells the
//! owner of is said to be not known.

mod account;
mod cover;
mod evidence;
mod image;
mod page;
mod share;
mod symbol;
mod table;
mod treemap;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::check;
use crate::cli::{self, Global};
use crate::dist::target_folder;
use crate::exit::{Exit, Failure};
use crate::layout::write_atomically;
use crate::report;
use crate::rust::Memory;
use crate::session::{Access, Session};
use account::Account;

impl cli::SizeOf {
    /// Shows what is in each program.
    pub fn run(self, global: Global) -> Result<()> {
        let session = Session::open(global, Access::Read)?;
        let memory = Memory::new(&session.store, false);
        let files = match &self.file {
            Some(file) => vec![file.clone()],
            None => self.packed(&session)?,
        };
        for file in &files {
            let account = account_of(file, &memory)?;
            report::data(table::text(&account));
            report::event("size", account.json());
            if let Some(page) = &self.html {
                let page = if files.len() == 1 { page.clone() } else { beside(page, file) };
                write_atomically(&page, page::text(&account).as_bytes())
                    .with_context(|| format!("cannot write {}", page.display()))?;
                report::status("Wrote", page.display());
            }
        }
        Ok(())
    }

    /// The package's programs, where `dist` has put them.
    fn packed(&self, session: &Session) -> Result<Vec<PathBuf>> {
        let target = session.one_target(&self.platform, "a program is for")?;
        let project = session.project(&self.package, &target.triple)?;
        let folder = target_folder(session, &project).join("dist").join(target.name());
        let names = project.package.binaries().map(|it| &it.name);
        let names = names.filter(|name| self.bin.is_empty() || self.bin.contains(name));
        let files: Vec<PathBuf> =
            names.map(|name| folder.join(name)).filter(|file| file.is_file()).collect();
        if files.is_empty() {
            let message = format!(
                "there is no program of `{}` in {}",
                project.package.name,
                folder.display()
            );
            return Err(Failure::new(Exit::Failed, message)
                .help("`cargo xtask dist` builds it, with the same options")
                .help("or name a file: `cargo xtask size FILE`")
                .into());
        }
        Ok(files)
    }
}

/// What is in a file.
fn account_of(file: &Path, memory: &Memory) -> Result<Account> {
    let data = check::read(file)?;
    let image = image::read(&data).map_err(|error| {
        let what = check::what_else(&data).map_or(error, |what| format!("the file is {what}"));
        Failure::new(Exit::Failed, format!("{} is not a readable ELF file: {what}", file.display()))
            .help("name a program, such as one below target/dist/")
    })?;
    let evidence = evidence::find(file, &data, &image, memory);
    if let Some(refused) = &evidence.refused {
        report::warning(format!("a map of the linker is not used: {refused}"));
    }
    let parts = cover::parts(&image, &evidence.pieces, evidence.source.map().is_some());
    Ok(Account::of(file.to_owned(), image.zeroed_bytes, evidence.source, parts))
}

/// Of several programs, each has a page of its own: `out.html` → `out-hello.html`.
fn beside(page: &Path, program: &Path) -> PathBuf {
    let of = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let ending = page.extension().map_or("html".into(), |it| it.to_string_lossy());
    page.with_file_name(format!("{}-{name}.{ending}", of(page)))
}
