//! Text → typed [`Recipes`]. Pure: it sees the bytes of files, never the disk.
//!
//! Reading goes on after a mistake, so that one run shows all mistakes of all files. Three passes:
//! every file by itself for its syntax, then its keys, types and words; then what files say about
//! each other.

mod across;
mod advice;
mod build;
mod compile;
mod fields;
mod library;
mod license;
mod license_file;
mod made;
mod making;
mod patches;
mod paths;
mod prebuilt;
mod rust_std;
mod source;
mod syntax;
mod target;
mod tool;
mod toolchain;
mod types;
mod url;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use toml::Spanned;
use toml::de::DeTable;

use self::across::Draft;
use self::fields::{Fields, Shape, Sink, Word, entries};
use self::source::Pin;
use self::target::Row;
use super::Recipes;
use super::diagnostic::{Diagnostic, File};
use super::guess::{guess, list, quote};
use super::template::{Placeholder, Template};
use crate::process::all_cpus;

/// The folders of `recipes/`, and what is in them.
const FOLDERS: [&str; 4] = ["libraries", "patches", "toolchains", "tools"];

/// What stands for `targets.toml` when it is missing.
static NO_TARGETS: LazyLock<File> =
    LazyLock::new(|| File { path: "recipes/targets.toml".to_owned(), bytes: Vec::new() });

/// What files know of each other while they are read.
pub struct Context<'f> {
    /// Triples of `targets.toml`; none if that file cannot be read.
    targets: Option<Vec<String>>,
    /// Names of all libraries, well or not.
    libraries: Vec<String>,
    /// Names of all toolchains, well or not.
    toolchains: Vec<String>,
    /// All tools, well or not, and what they bring where that can be told.
    tools: BTreeMap<&'f str, Option<tool::Kind>>,
    /// Patch files by library or tool and name.
    patches: BTreeMap<&'f str, BTreeMap<&'f str, &'f File>>,
}

impl Context<'_> {
    /// Reports a target that is not in `targets.toml`.
    fn check_target(&self, sink: &Sink<'_>, word: &Word<'_>) {
        let Some(targets) = &self.targets else { return };
        if targets.iter().any(|target| target == word.text) {
            return;
        }
        report_target(sink, word, "target", targets.iter().map(String::as_str));
    }

    /// Reports what is neither such a target nor the CPU that one begins with.
    fn check_target_or_cpu(&self, sink: &Sink<'_>, word: &Word<'_>) {
        let Some(targets) = &self.targets else { return };
        let cpu = |target: &'_ String| target.split('-').next().unwrap_or_default().to_owned();
        let cpus: BTreeSet<String> = targets.iter().map(cpu).collect();
        let known = || cpus.iter().chain(targets).map(String::as_str);
        if !known().any(|known| known == word.text) {
            report_target(sink, word, "target or CPU", known());
        }
    }
}

fn report_target<'t>(
    sink: &Sink<'_>,
    word: &Word<'_>,
    what: &str,
    known: impl Iterator<Item = &'t str> + Clone,
) {
    let mistake = sink
        .at(word.span.clone(), format!("there is no {what} {}", quote(word.text)))
        .label("not in recipes/targets.toml")
        .guess(word.text, known.clone())
        .note(format!("targets: {}", list(known)));
    sink.report(mistake);
}

impl Context<'_> {
    /// Whether there is such a library; reports it if not. `reader` is the one that asks.
    fn check_library(&self, sink: &Sink<'_>, word: &Word<'_>, reader: Option<&str>) -> bool {
        if self.libraries.iter().any(|library| library == word.text) {
            return true;
        }
        let known = self.libraries.iter().map(String::as_str);
        let others = known.filter(|other| Some(*other) != reader);
        let which = if reader.is_some() { "other libraries" } else { "libraries" };
        let mistake = sink
            .at(word.span.clone(), format!("there is no library {}", quote(word.text)))
            .label("no such file in recipes/libraries")
            .guess(word.text, others.clone())
            .note(format!("{which}: {}", list(others)));
        sink.report(mistake);
        false
    }
}

/// Files by what they are for.
#[derive(Default)]
struct Sorted<'f> {
    targets: Option<&'f File>,
    rust_std: Option<&'f File>,
    libraries: Vec<(&'f str, &'f File)>,
    toolchains: Vec<(&'f str, &'f File)>,
    tools: Vec<(&'f str, &'f File)>,
    patches: BTreeMap<&'f str, BTreeMap<&'f str, &'f File>>,
}

/// Parses and validates all files of a `recipes/` folder, paths beginning with `recipes/`.
pub fn parse<'f>(files: &'f [File]) -> Result<Recipes, Vec<Diagnostic<'f>>> {
    let mut mistakes = Vec::new();
    let sorted = sort(files, &mut mistakes);
    let mut recipes = Recipes::default();
    let rows = match sorted.targets {
        Some(file) => targets(file, &mut recipes, &mut mistakes),
        None => {
            let mistake = Diagnostic::of_file(&NO_TARGETS, "there is no such file");
            mistakes.push(mistake.help("write one table for each target that you build for"));
            None
        }
    };
    let names =
        |files: &[(&str, &File)]| files.iter().map(|(name, _)| (*name).to_owned()).collect();
    let triples = |rows: &Vec<Row<'_>>| rows.iter().map(|row| row.triple().to_owned()).collect();
    let mut context = Context {
        targets: rows.as_ref().map(triples),
        libraries: names(&sorted.libraries),
        toolchains: names(&sorted.toolchains),
        tools: sorted.tools.iter().map(|(name, _)| (*name, None)).collect(),
        patches: sorted.patches,
    };
    check_names(&context, &sorted.tools, &mut mistakes);
    let mut others = tools(sorted.tools, &mut context, &mut recipes, &mut mistakes);
    let mut drafts = Vec::new();
    let libraries = all_cpus(&sorted.libraries, |(name, file)| {
        let (mut mistakes, name) = (Vec::new(), *name);
        let read = |fields: &Fields<'_, 'f>| library::read(fields, name, &context);
        let found = document(file, library::shape(), &mut mistakes, read);
        (*file, name, found, mistakes)
    });
    for (file, name, found, wrong) in libraries {
        mistakes.extend(wrong);
        let Some((library, marks)) = found else { continue };
        recipes.libraries.extend(library.map(|library| (name.to_owned(), library)));
        drafts.push(Draft { file, name, marks });
    }
    for (name, file) in sorted.toolchains {
        let read = |fields: &Fields<'_, 'f>| toolchain::read(fields, name, &context);
        if let Some((found, pins)) = document(file, toolchain::shape(), &mut mistakes, read) {
            recipes.toolchains.extend(found.map(|toolchain| (name.to_owned(), toolchain)));
            others.push((file, pins));
        }
    }
    if let Some(file) = sorted.rust_std {
        let read = |fields: &Fields<'_, 'f>| rust_std::read(fields, &context);
        let found = document(file, rust_std::shape(), &mut mistakes, read);
        recipes.rust_std = found.and_then(|(std, pins)| {
            others.push((file, pins));
            std
        });
    }
    mistakes.extend(across::check(&drafts, &others));
    mistakes.extend(target::check_options(&rows.unwrap_or_default(), &recipes));
    if mistakes.is_empty() { Ok(recipes) } else { Err(mistakes) }
}

/// Reads the tools, and tells all others what each of them is. Returns their pins.
fn tools<'f>(
    files: Vec<(&'f str, &'f File)>,
    context: &mut Context<'f>,
    recipes: &mut Recipes,
    mistakes: &mut Vec<Diagnostic<'f>>,
) -> Vec<(&'f File, Vec<Pin>)> {
    let mut tables = Vec::new();
    for (name, file) in files {
        tables.extend(syntax::parse(file, mistakes).map(|table| (name, file, table)));
    }
    let mut pins = Vec::new();
    // What comes prebuilt names another tool, so it is read when it is known what each of them is.
    let (prebuilt, compiled): (Vec<_>, Vec<_>) =
        tables.iter().partition(|(_, _, table)| tool::is_prebuilt(table.get_ref()));
    for (name, _, table) in &prebuilt {
        context.tools.insert(name, tool::kind_of_prebuilt(table.get_ref()));
    }
    for (name, file, table) in compiled.into_iter().chain(prebuilt) {
        let read = |fields: &Fields<'_, 'f>| tool::read(fields, name, context);
        let (found, kind, own) = fields_of(file, table, tool::shape(), mistakes, read);
        context.tools.insert(name, kind);
        recipes.tools.extend(found.map(|tool| ((*name).to_owned(), tool)));
        pins.push((*file, own));
    }
    pins.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
    pins
}

/// Puts every file where it belongs; a file that belongs nowhere is a mistake, because a recipe in
/// the wrong folder or with the wrong ending would silently not count.
fn sort<'f>(files: &'f [File], mistakes: &mut Vec<Diagnostic<'f>>) -> Sorted<'f> {
    let mut sorted = Sorted::default();
    for file in files {
        let path = file.path.strip_prefix("recipes/").unwrap_or(&file.path);
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["targets.toml"] => sorted.targets = Some(file),
            ["std.toml"] => sorted.rust_std = Some(file),
            [name] if name.ends_with(".md") || name.ends_with(".schema.json") => {}
            ["patches", library, name] => {
                sorted.patches.entry(library).or_default().insert(name, file);
                mistakes.extend(syntax::not_text(file));
            }
            [folder @ ("libraries" | "toolchains" | "tools"), name] => {
                let Some(name) = recipe_name(file, name, mistakes) else { continue };
                match folder {
                    "libraries" => sorted.libraries.push((name, file)),
                    "toolchains" => sorted.toolchains.push((name, file)),
                    _ => sorted.tools.push((name, file)),
                }
            }
            _ => mistakes.push(stray(file, parts[0])),
        }
    }
    sorted
}

fn recipe_name<'f>(
    file: &'f File,
    name: &'f str,
    mistakes: &mut Vec<Diagnostic<'f>>,
) -> Option<&'f str> {
    let Some(name) = name.strip_suffix(".toml") else {
        let mistake = Diagnostic::of_file(file, format!("{} is not a recipe", quote(name)));
        mistakes.push(mistake.help("recipes end in `.toml`; move or remove this file"));
        return None;
    };
    if let Err(wrong) = words::recipe_name(name) {
        mistakes.push(Diagnostic::of_file(file, wrong.title).note(wrong.label));
    }
    Some(name)
}

fn stray<'f>(file: &'f File, folder: &str) -> Diagnostic<'f> {
    let mistake = Diagnostic::of_file(file, "this file is in no folder of recipes");
    let mistake = match guess(folder, FOLDERS) {
        Some(meant) if meant != folder => mistake.help(format!("did you mean recipes/{meant}?")),
        _ => mistake,
    };
    mistake.note(
        "there are libraries/<name>.toml, toolchains/<name>.toml, tools/<name>.toml, \
         patches/<library or tool>/<patch>, targets.toml and std.toml",
    )
}

/// Patches in a folder that no library and no tool has are never applied; and where both have it,
/// nobody knows whose they are.
fn check_names<'f>(
    context: &Context<'f>,
    tools: &[(&'f str, &'f File)],
    mistakes: &mut Vec<Diagnostic<'f>>,
) {
    let libraries = || context.libraries.iter().map(String::as_str);
    let toolchains = context.toolchains.iter().map(String::as_str);
    let known = || {
        let tools = context.tools.keys().copied();
        libraries().chain(tools).chain(toolchains.clone()).chain([rust_std::NAME])
    };
    for (owner, patches) in &context.patches {
        if known().any(|name| name == *owner) {
            continue;
        }
        for file in patches.values() {
            let title = format!("there is no library, tool or toolchain {} to patch", quote(owner));
            let mistake = Diagnostic::of_file(file, title).guess(owner, known());
            mistakes.push(mistake.note(format!("there are: {}", list(known()))));
        }
    }
    for (name, file) in tools.iter().filter(|(name, _)| libraries().any(|other| other == *name)) {
        let title = format!("a library has the name {} too", quote(name));
        let help = "their steps and patches could not be told apart: give one of them another name";
        mistakes.push(Diagnostic::of_file(file, title).help(help));
    }
}

/// Reads `targets.toml`; returns its rows, right or wrong, or none if the file as such cannot be read.
fn targets<'f>(
    file: &'f File,
    recipes: &mut Recipes,
    mistakes: &mut Vec<Diagnostic<'f>>,
) -> Option<Vec<Row<'f>>> {
    let table = syntax::parse(file, mistakes)?;
    let sink = Sink::new(file);
    let mut rows = Vec::new();
    for (triple, value) in entries(table.get_ref()) {
        let (target, row) = target::read(&sink, &triple, value);
        recipes.targets.extend(target.map(|target| (target.triple.clone(), target)));
        rows.push(row);
    }
    if rows.is_empty() {
        sink.report(sink.at(0..0, "there are no targets").label("add a table for each triple"));
    }
    mistakes.extend(sink.into_mistakes());
    Some(rows)
}

/// Reads one document with known keys.
fn document<'f, T>(
    file: &'f File,
    shape: &'static Shape,
    mistakes: &mut Vec<Diagnostic<'f>>,
    read: impl FnOnce(&Fields<'_, 'f>) -> T,
) -> Option<T> {
    let table = syntax::parse(file, mistakes)?;
    Some(fields_of(file, &table, shape, mistakes, read))
}

/// The same of a document that is parsed.
fn fields_of<'f, T>(
    file: &'f File,
    table: &Spanned<DeTable<'_>>,
    shape: &'static Shape,
    mistakes: &mut Vec<Diagnostic<'f>>,
    read: impl FnOnce(&Fields<'_, 'f>) -> T,
) -> T {
    let sink = Sink::new(file);
    let result = read(&Fields::new(&sink, table.get_ref(), 0..0, shape));
    mistakes.extend(sink.into_mistakes());
    result
}

/// A text with placeholders, of which some are allowed here.
fn template(sink: &Sink<'_>, word: &Word<'_>, allowed: &[Placeholder]) -> Option<Template> {
    let mistake = match Template::parse(word.text, allowed) {
        Ok(template) => return Some(template),
        Err(mistake) => mistake,
    };
    let span = word.part(sink.file.text(), &mistake.span);
    let names: Vec<String> = allowed.iter().map(|p| format!("{{{}}}", p.name())).collect();
    let note = format!("allowed here: {}", list(names.iter().map(String::as_str)));
    sink.report(match &mistake.word {
        None => sink
            .at(span, "a brace without its partner")
            .label("opens or closes nothing")
            .help("write `{{` or `}}` for a brace itself"),
        Some(inner) => {
            let is_known = Placeholder::ALL.iter().any(|known| known.name() == inner);
            let title = if is_known { "cannot be used here" } else { "is not a placeholder" };
            let known = guess(inner, allowed.iter().map(|placeholder| placeholder.name()));
            let help = known.map(|known| format!("did you mean `{{{known}}}`?"));
            sink.at(span, format!("{} {title}", quote(&format!("{{{inner}}}"))))
                .label(if is_known { "has no value here" } else { "unknown" })
                .help(help.unwrap_or_default())
                .note(note)
        }
    });
    None
}
