//! What no single recipe can say: cycles, two recipes for one thing, copies of a digest.

use std::collections::{BTreeMap, BTreeSet};

use super::library::{Mark, Marks};
use super::source::Pin;
use crate::recipe::diagnostic::{Diagnostic, File};
use crate::recipe::guess::quote;

/// A library as far as other files matter.
pub struct Draft<'f> {
    /// Its file.
    pub file: &'f File,
    /// Its name.
    pub name: &'f str,
    /// What others are compared with.
    pub marks: Marks,
}

/// All mistakes between files; `others` are toolchains and tools.
pub fn check<'f>(drafts: &[Draft<'f>], others: &[(&'f File, Vec<Pin>)]) -> Vec<Diagnostic<'f>> {
    let mut found = Vec::new();
    let help = "one crate can have one library: remove the key from one of them";
    found.extend(doubles(drafts, |marks| &marks.links, "links key", help));
    let help = "one crate can have one library: remove its name from one of them";
    found.extend(doubles(drafts, |marks| &marks.crates, "crate", help));
    found.extend(double_env(drafts));
    let libraries = drafts.iter().map(|draft| (draft.file, &draft.marks.pins));
    let all = libraries.chain(others.iter().map(|(file, pins)| (*file, pins)));
    found.extend(copied_pins(all));
    found.extend(cycles(drafts));
    found
}

/// Words that two files have; says of the key what it is and what to do about it.
fn doubles<'f>(
    drafts: &[Draft<'f>],
    marks: fn(&Marks) -> &Vec<Mark>,
    what: &str,
    help: &'static str,
) -> Vec<Diagnostic<'f>> {
    let mut first: BTreeMap<&str, (&'f File, &Mark)> = BTreeMap::new();
    let mut found = Vec::new();
    for draft in drafts {
        for mark in marks(&draft.marks) {
            match first.get(mark.0.as_str()) {
                None => drop(first.insert(&mark.0, (draft.file, mark))),
                Some((file, other)) => {
                    let title = format!("two libraries serve the {what} {}", quote(&mark.0));
                    let mistake = Diagnostic::at(draft.file, mark.1.clone(), title)
                        .label("the second")
                        .related(file, other.1.clone(), "the first")
                        .help(help);
                    found.push(mistake);
                }
            }
        }
    }
    found
}

/// The app's build has one environment.
fn double_env<'f>(drafts: &[Draft<'f>]) -> Vec<Diagnostic<'f>> {
    let mut first = BTreeMap::new();
    let mut found = Vec::new();
    for draft in drafts {
        for (key, value, span) in &draft.marks.env {
            let (file, other, place) = *first.entry(key).or_insert((draft.file, value, span));
            if other != value {
                let title = format!("two libraries set {} to different values", quote(key));
                let mistake = Diagnostic::at(draft.file, span.clone(), title)
                    .label(format!("here {}", quote(value)))
                    .related(file, place.clone(), format!("there {}", quote(other)));
                found.push(mistake);
            }
        }
    }
    found
}

/// One digest in two files is fine for one archive of one origin; else one of them was copied.
fn copied_pins<'f, 'p>(
    files: impl Iterator<Item = (&'f File, &'p Vec<Pin>)>,
) -> Vec<Diagnostic<'f>> {
    let mut first: BTreeMap<_, ((&'f File, &Pin), BTreeSet<_>)> = BTreeMap::new();
    let mut found = Vec::new();
    for (file, pins) in files {
        for pin in pins {
            let entry = first.entry(pin.digest).or_insert(((file, pin), BTreeSet::new()));
            let ((other, seen), origins) = entry;
            if origins.insert(&pin.origin) && other.path != file.path {
                let title = "two recipes pin different things with the same digest";
                let mistake = Diagnostic::at(file, pin.span.clone(), title)
                    .label("the same again")
                    .related(other, seen.span.clone(), "first here")
                    .help("one of them was copied: put its own digest there");
                found.push(mistake);
            }
        }
    }
    found
}

/// Every cycle once, shown from its first library by name.
fn cycles<'f>(drafts: &[Draft<'f>]) -> Vec<Diagnostic<'f>> {
    let graph: BTreeMap<&str, &Draft<'f>> =
        drafts.iter().map(|draft| (draft.name, draft)).collect();
    let mut done: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for start in graph.keys() {
        visit(&graph, start, &mut Vec::new(), &mut done, &mut found);
    }
    found
}

/// Walks depth first; a name met again on its own path closes a cycle.
fn visit<'g, 'f>(
    graph: &BTreeMap<&'g str, &'g Draft<'f>>,
    name: &'g str,
    path: &mut Vec<(&'g str, &'g Mark)>,
    done: &mut Vec<&'g str>,
    found: &mut Vec<Diagnostic<'f>>,
) {
    let Some(draft) = graph.get(name).filter(|_| !done.contains(&name)) else { return };
    for mark in &draft.marks.dependencies {
        path.push((name, mark));
        match path.iter().position(|(on_path, _)| *on_path == mark.0) {
            Some(at) => found.extend(cycle(graph, &path[at..])),
            None => visit(graph, &mark.0, path, done, found),
        }
        path.pop();
    }
    done.push(name);
}

fn cycle<'f>(graph: &BTreeMap<&str, &Draft<'f>>, path: &[(&str, &Mark)]) -> Option<Diagnostic<'f>> {
    let ((name, mark), rest) = path.split_first()?;
    let mut names: Vec<_> = path.iter().map(|(name, _)| *name).collect();
    names.push(name);
    let title = format!("libraries depend on each other: {}", names.join(" → "));
    let mistake = Diagnostic::at(graph.get(name)?.file, mark.1.clone(), title);
    let mistake = mistake.label(format!("{name} needs {}", mark.0));
    Some(rest.iter().fold(mistake, |mistake, (name, mark)| match graph.get(name) {
        Some(draft) => {
            mistake.related(draft.file, mark.1.clone(), format!("{name} needs {}", mark.0))
        }
        None => mistake,
    }))
}
