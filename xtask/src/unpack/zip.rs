//! Zips, wheels too. First all records are read and vetted, then threads share the files. Never
//! trusts one record: the central directory, each local header and the data must agree.
//!
//! Modes: the executable bit is what the entry's Unix attributes say, as every installer of wheels
//! reads them. Entries without them (made on other systems) are executable if they begin like ELF or
//! a script. (The zig wheel marks exactly its compiler, 0755.)

mod directory;
mod inflate;

use std::fs::File;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};

use super::limits::Budget;
use super::name::{EntryName, shown};
use super::tree::{FileFacts, Tree};
use directory::{Record, Type};
use inflate::Inflater;

/// More threads than this do not make it faster: the disk is then what is slow.
const THREADS: usize = 4;

/// Unpacks a zip: first all is vetted, then folders are made, then threads share the files.
pub(super) fn unpack(
    file: &File,
    archive_bytes: u64,
    tree: &mut Tree,
    budget: &mut Budget,
) -> Result<()> {
    let records = directory::read(file, archive_bytes, budget)?;
    let mut jobs = Vec::new();
    for record in &records {
        let job = claim(file, record, tree, budget)
            .with_context(|| format!("entry {}", shown(&record.name)))?;
        jobs.extend(job);
    }
    // Largest first, so that no thread is left alone with the compiler at the end.
    jobs.sort_by_key(|job| std::cmp::Reverse(job.record.bytes));
    inflate_all(file, &jobs, tree)
}

/// A file to write, or only to verify.
struct Job<'a> {
    record: &'a Record,
    path: Option<String>,
}

fn claim<'a>(
    file: &File,
    record: &'a Record,
    tree: &mut Tree,
    budget: &mut Budget,
) -> Result<Option<Job<'a>>> {
    if record.name.contains(&b'\\') {
        bail!("its name has a backslash, which some systems take for a slash");
    }
    let name = EntryName::vet(&record.name, budget.limits())?;
    match record.kind {
        Type::Folder => {
            if record.bytes != 0 {
                bail!("{} bytes of data on a folder", record.bytes);
            }
            tree.add_folder(&name)?;
            Ok(Some(Job { record, path: None }))
        }
        Type::Link => {
            if record.bytes > budget.limits().name_bytes as u64 {
                bail!("the target of a link is longer than {} bytes", budget.limits().name_bytes);
            }
            let mut target = Vec::new();
            Inflater::new(file).run(record, &mut target)?;
            tree.add_link(&name, &target)?;
            Ok(None)
        }
        Type::File { is_executable } => {
            budget.file(record.bytes)?;
            let facts =
                FileFacts { bytes: record.bytes, is_executable: is_executable == Some(true) };
            let is_wanted = tree.claim_file(&name, facts)?;
            Ok(Some(Job { record, path: is_wanted.then_some(name.path) }))
        }
    }
}

fn inflate_all(file: &File, jobs: &[Job<'_>], tree: &Tree) -> Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let (next, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let first_error = Mutex::new(None);
    let work = || {
        let mut inflater = Inflater::new(file);
        while !has_failed.load(Ordering::Relaxed) {
            let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let done = inflate(job, tree, &mut inflater)
                .with_context(|| format!("entry {}", shown(&job.record.name)));
            if let Err(error) = done {
                has_failed.store(true, Ordering::Relaxed);
                let mut place = first_error.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                place.get_or_insert(error);
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(jobs.len()) {
            scope.spawn(work);
        }
        work();
    });
    let error = first_error.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    error.map_or(Ok(()), Err)
}

fn inflate(job: &Job<'_>, tree: &Tree, inflater: &mut Inflater<'_>) -> Result<()> {
    let Some(path) = &job.path else {
        return inflater.run(job.record, &mut std::io::sink());
    };
    let mut target = tree.disk().make_file(path)?;
    inflater.run(job.record, &mut target)?;
    let is_executable = match job.record.kind {
        Type::File { is_executable: Some(is_executable) } => is_executable,
        _ => inflater.begins_like_program(),
    };
    Ok(target.finish(is_executable)?)
}
