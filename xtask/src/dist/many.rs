//! `dist` for several targets: one download for all of them, their libraries side by side, then one
//! program after the other, and a table at the end. What fails for one target stops no other.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Error, Result};

use super::{Packed, pack, summed_up};
use crate::build;
use crate::cli;
use crate::exit::{Exit, Failure};
use crate::package::{PackedFile, image};
use crate::plan::Plan;
use crate::process;
use crate::report;
use crate::session::Session;
use crate::target::Target;

/// Builds, checks and packs for all of them; the first failure's exit code is that of all.
pub fn run(
    order: &cli::Dist,
    session: &Session,
    targets: &[Target],
) -> Result<BTreeMap<String, PackedFile>> {
    let plan = |target: &Target| -> Result<Plan> {
        let project = session.project(&order.package, &target.triple)?;
        session.settle_project(&project, &order.platform, target)
    };
    let mut plans: Vec<Result<Plan>> = targets.iter().map(plan).collect();
    let sound: Vec<&Plan> = plans.iter().filter_map(|plan| plan.as_ref().ok()).collect();
    let mut built = build::make_all(session, &sound)?.into_iter();
    let is_sound: Vec<bool> = plans.iter().map(Result::is_ok).collect();
    let mut ends = Vec::new();
    for ((target, plan), is_sound) in targets.iter().zip(plans.drain(..)).zip(is_sound) {
        let libraries = match is_sound {
            true => built.next().unwrap_or_else(|| Ok(Vec::new())).map(drop),
            false => plan.map(drop),
        };
        let end = libraries.and_then(|()| {
            report::status("Target", &target.triple);
            order.run_for(session, target)
        });
        if let Err(error) = &end {
            if process::is_interrupted() {
                return end.map(|packed| packed.images);
            }
            report::warning(format!("{} failed: {error:#}", target.triple));
        }
        ends.push(end);
    }
    report::text(&table(targets, &ends));
    let joined = join(session, targets, &ends)?;
    summary_event(targets, &ends);
    let Some(first) = ends.iter().find_map(|end| end.as_ref().err()) else { return Ok(joined) };
    let failed = ends.iter().filter(|end| end.is_err()).count();
    let exit = Failure::find(first).map_or(Exit::Failed, |failure| failure.exit);
    let message = format!("{failed} of {} targets failed", targets.len());
    Err(Failure::new(exit, message).help("each is told above, where it failed").into())
}

/// Makes one image of those of several targets, in the folder above theirs, with the sums of all.
fn join(
    session: &Session,
    targets: &[Target],
    ends: &[Result<Packed, Error>],
) -> Result<BTreeMap<String, PackedFile>> {
    let packed: Vec<&Packed> = ends.iter().flatten().collect();
    let images = images(targets, ends);
    let Some(Packed { place, made, .. }) = packed.first() else { return Ok(BTreeMap::new()) };
    let folder = place.parent().context("a result without a folder")?;
    let mut sums = Vec::new();
    for Packed { place, made, files, .. } in packed {
        let below = place.file_name().unwrap_or_default().to_string_lossy();
        let programs = made.programs.iter();
        let programs = programs.map(|(it, checked)| (it.name.clone(), checked.sha256().hex()));
        let files = files.iter().map(|file| (file.name(), file.sha256.hex()));
        sums.extend(programs.chain(files).map(|(name, sum)| (format!("{below}/{name}"), sum)));
    }
    let mut joined = BTreeMap::new();
    for (name, images) in images {
        if let [only] = &images[..] {
            joined.insert(name, only.clone());
            continue;
        }
        let path = folder.join(format!("{name}-{}.oci.tar", made.project.package.version));
        let memory = session.memory();
        let image = image::join(&images, &path, &memory)?;
        sums.push((image.name(), image.sha256.hex()));
        report::status("Packed", format!("{} for {} CPUs", path.display(), images.len()));
        report::event(
            "image",
            serde_json::json!({ "path": path, "size_bytes": image.size_bytes,
                "sha256": image.sha256.hex(), "targets": images.len() }),
        );
        report::data(path.display());
        joined.insert(name, image);
    }
    pack::write_sums(folder, sums)?;
    Ok(joined)
}

/// The images by name, each for another CPU: images have one name for several of our targets.
fn images(targets: &[Target], ends: &[Result<Packed, Error>]) -> BTreeMap<String, Vec<PackedFile>> {
    let mut images: BTreeMap<String, Vec<PackedFile>> = BTreeMap::new();
    let mut taken: Vec<&Target> = Vec::new();
    let packed = targets.iter().zip(ends).filter_map(|(it, end)| Some((it, end.as_ref().ok()?)));
    for (target, packed) in packed.filter(|(_, packed)| !packed.images.is_empty()) {
        if let Some(other) = taken.iter().find(|other| other.oci_cpu == target.oci_cpu) {
            report::note(format!(
                "the image for all CPUs has that of {}: images have no other name for {}",
                other.triple, target.triple
            ));
            continue;
        }
        taken.push(target);
        for (name, image) in &packed.images {
            images.entry(name.clone()).or_default().push(image.clone());
        }
    }
    images
}

/// A line for each program, or for what went wrong.
fn table(targets: &[Target], ends: &[Result<Packed, Error>]) -> String {
    let mut rows = vec![["target", "program", "size", "checks", "time"].map(str::to_owned)];
    for (target, end) in targets.iter().zip(ends) {
        let triple = || target.triple.clone();
        let Ok(packed) = end else {
            let none = String::new;
            rows.push([triple(), "FAILED".to_owned(), none(), none(), none()]);
            continue;
        };
        for (index, (program, checked)) in packed.made.programs.iter().enumerate() {
            let (passed, tail) = summed_up(checked);
            let time = match index {
                0 => report::human_duration(packed.time),
                _ => String::new(),
            };
            let size = report::human_bytes(checked.size_bytes());
            let checks = format!("{passed} ok{tail}");
            rows.push([triple(), program.name.clone(), size, checks, time]);
        }
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    rows.iter().fold(String::new(), |mut text, row| {
        let [triple, program, size, checks, time] = row;
        let line = format!(
            "{triple:<0$}  {program:<1$}  {size:>2$}  {checks:<3$}  {time:>4$}",
            widths[0], widths[1], widths[2], widths[3], widths[4]
        );
        let _ = writeln!(text, "{}", line.trim_end());
        text
    })
}

fn summary_event(targets: &[Target], ends: &[Result<Packed, Error>]) {
    let row = |(target, end): (&Target, &Result<Packed, Error>)| match end {
        Ok(packed) => serde_json::json!({
            "target": target.triple, "path": packed.place, "seconds": packed.time.as_secs_f64(),
        }),
        Err(error) => serde_json::json!({ "target": target.triple, "error": format!("{error:#}") }),
    };
    let rows: Vec<_> = targets.iter().zip(ends).map(row).collect();
    report::event("summary", serde_json::json!({ "targets": rows }));
}
