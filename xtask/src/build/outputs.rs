//! Declared outputs: what a library must bring is taken, the rest is dropped, what is missing is an
//! error; and libraries that bring the same thing are refused.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use object::read::archive::ArchiveFile;
use object::{Object as _, ObjectSymbol as _};

use crate::exit::{Exit, Failure};
use crate::layout::{copy_tree, files_below};
use crate::recipe::Library;
use crate::report;

/// The largest output that is taken: archives are read whole for their symbols.
const LIMIT_BYTES: u64 = 1 << 30;

/// The same for texts that are changed.
const TEXT_LIMIT_BYTES: u64 = 1 << 20;

/// Moves the declared outputs of a recipe (`recipes/…`) from where they were installed to `to`.
pub fn take(
    name: &str,
    recipe: &str,
    declared: &[PathBuf],
    installed: &Path,
    to: &Path,
) -> Result<()> {
    let found = files_below(installed)?;
    let (mut taken, mut dropped) = (Vec::new(), Vec::new());
    for file in &found {
        let owner = declared.iter().position(|output| file.starts_with(output));
        match owner {
            Some(index) => taken.push((index, file)),
            None => dropped.push(file.display().to_string()),
        }
    }
    let missing: Vec<_> = declared
        .iter()
        .enumerate()
        .filter(|(index, _)| !taken.iter().any(|(owner, _)| owner == index))
        .map(|(_, output)| output.display().to_string())
        .collect();
    if !missing.is_empty() {
        return Err(Failure::new(
            Exit::Failed,
            format!(
                "{name} did not make what its recipe declares: {}\nit made: {}",
                missing.join(", "),
                summary(&found)
            ),
        )
        .help(format!("correct `[outputs]` in {recipe}"))
        .into());
    }
    if !dropped.is_empty() {
        report::detail("Dropped", format!("{name}: {}", dropped.join(", ")));
    }
    for (_, file) in taken {
        let from = within(installed, file).map_err(|why| {
            let message =
                format!("{name} made an output that cannot be taken: {} {why}", file.display());
            Failure::new(Exit::Failed, message)
        })?;
        put(&from, &to.join(file))?;
    }
    Ok(())
}

/// What a library declares.
pub fn of_library(library: &Library) -> Vec<PathBuf> {
    let outputs = &library.outputs;
    let libs = outputs.libs.iter().chain(&outputs.aliases);
    let libs = libs.map(|name| format!("lib/lib{name}.a"));
    let headers = outputs.include.iter().map(|name| format!("include/{name}"));
    let pkgconfig = outputs.pkgconfig.iter().map(|name| format!("lib/pkgconfig/{name}.pc"));
    let objects = outputs.objects.iter().map(|name| format!("lib/{name}"));
    libs.chain(objects).chain(headers).chain(pkgconfig).map(PathBuf::from).collect()
}

fn summary(files: &[PathBuf]) -> String {
    const SHOWN: usize = 40;
    let names: Vec<_> = files.iter().take(SHOWN).map(|file| file.display().to_string()).collect();
    let more = files.len().saturating_sub(SHOWN);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{tail}", names.join(", "))
}

/// The file behind an output: itself, or what it is a link to, if that was installed too. Out here a
/// link that leads elsewhere would take a file of the machine, and a pipe would be waited for.
fn within(installed: &Path, file: &Path) -> Result<PathBuf, String> {
    let path = installed.join(file);
    let root = installed.canonicalize().map_err(|error| error.to_string())?;
    let real = path.canonicalize().ok().filter(|real| real.starts_with(&root));
    let Some(real) = real else {
        let target = fs::read_link(&path).unwrap_or_default();
        return Err(format!("is a link to {}, which was not installed", target.display()));
    };
    let data = real.metadata().map_err(|error| error.to_string())?;
    let is_text = file.extension().is_some_and(|ending| ending == "pc");
    let limit = if is_text { TEXT_LIMIT_BYTES } else { LIMIT_BYTES };
    match data.is_file() {
        false => Err("is neither a file nor a link to one".to_owned()),
        true if data.len() > limit => Err(format!("is larger than {} MiB", limit >> 20)),
        true => Ok(real),
    }
}

fn put(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    if to.extension().is_some_and(|ending| ending == "pc") {
        let text =
            fs::read_to_string(from).with_context(|| format!("{} is no text", from.display()))?;
        fs::write(to, relocatable(&text))?;
    } else {
        let copy = || -> std::io::Result<()> {
            fs::copy(from, to)?;
            // No more than what an entry records of a mode: a set-uid bit above all.
            let is_program = fs::metadata(to)?.permissions().mode() & 0o111 != 0;
            let mode = if is_program { 0o755 } else { 0o644 };
            fs::set_permissions(to, fs::Permissions::from_mode(mode))
        };
        copy().with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}

/// A `.pc` file that finds its own prefix, so that the sysroot can be copied anywhere.
fn relocatable(text: &str) -> String {
    let line = |line: &str| match line.split_once('=') {
        Some(("prefix", _)) => "prefix=${pcfiledir}/../..".to_owned(),
        Some((name, value)) if !name.contains([' ', ':']) => match value.strip_prefix("/usr") {
            Some(rest) => format!("{name}=${{prefix}}{rest}"),
            None => line.to_owned(),
        },
        // Scripts leave out a folder that every system's linker knows; ours is another.
        _ => match line.strip_prefix("Libs:") {
            Some(libs) if libs.contains("-l") && !libs.contains("-L") => {
                format!("Libs: -L${{prefix}}/lib{libs}")
            }
            _ => line.to_owned(),
        },
    };
    text.lines().map(|text| line(text) + "\n").collect()
}

/// Composes the outputs of libraries, `(name, folder)`, into one folder. A file that two bring, or
/// a symbol that two define, is refused: which one is linked would be a matter of luck.
pub fn compose(libraries: &[(String, PathBuf)], to: &Path) -> Result<()> {
    let mut owners: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for (name, outputs) in libraries {
        for file in files_below(outputs)? {
            if let Some(other) = owners.get(&file) {
                let message = format!("{other} and {name} both bring {}", file.display());
                return Err(collision(message));
            }
            owners.insert(file, name);
        }
    }
    refuse_double_symbols(libraries)?;
    for folder in ["include", "lib/pkgconfig"] {
        fs::create_dir_all(to.join(folder))?;
    }
    for (_, outputs) in libraries {
        copy_tree(outputs, to)?;
    }
    Ok(())
}

fn collision(message: String) -> anyhow::Error {
    Failure::new(Exit::Failed, message)
        .help(
            "drop it from one recipe's `[outputs]`, or leave one library out with `libraries.skip`",
        )
        .into()
}

fn refuse_double_symbols(libraries: &[(String, PathBuf)]) -> Result<()> {
    let mut owners: BTreeMap<Vec<u8>, &str> = BTreeMap::new();
    for (name, outputs) in libraries {
        let mut own: Vec<Vec<u8>> = Vec::new();
        for file in files_below(outputs)? {
            if file.extension().is_some_and(|ending| ending == "a") {
                let path = outputs.join(&file);
                own.extend(
                    strong_symbols(&path)
                        .with_context(|| format!("cannot read {}", path.display()))?,
                );
            }
        }
        for symbol in own {
            if let Some(other) = owners.get(&symbol).filter(|other| **other != name.as_str()) {
                let symbol = String::from_utf8_lossy(&symbol);
                return Err(collision(format!(
                    "{other} and {name} both define the symbol `{symbol}`"
                )));
            }
            owners.insert(symbol, name);
        }
    }
    Ok(())
}

/// Names that an archive's members define for others and that nobody may define again.
fn strong_symbols(archive: &Path) -> Result<Vec<Vec<u8>>> {
    let bytes = fs::read(archive)?;
    let mut symbols = Vec::new();
    for member in ArchiveFile::parse(&*bytes)?.members() {
        let Ok(object) = object::File::parse(member?.data(&*bytes)?) else { continue };
        for symbol in object.symbols() {
            if symbol.is_global() && symbol.is_definition() && !symbol.is_weak() {
                symbols.push(symbol.name_bytes()?.to_vec());
            }
        }
    }
    Ok(symbols)
}

#[cfg(test)]
mod tests {
    use super::relocatable;

    #[test]
    fn a_pc_file_finds_its_own_prefix() {
        let text = "prefix=/usr\nexec_prefix=${prefix}\nlibdir=/usr/lib\n\nName: x\nLibs: -L${libdir} -lx\nURL: https://x/?a=b\n";
        let expected = "prefix=${pcfiledir}/../..\nexec_prefix=${prefix}\nlibdir=${prefix}/lib\n\nName: x\nLibs: -L${libdir} -lx\nURL: https://x/?a=b\n";
        assert_eq!(relocatable(text), expected);
        let found = relocatable("Libs:  -lx\nLibs.private: -lm\nLibs: -L/y -lx\n");
        assert_eq!(found, "Libs: -L${prefix}/lib  -lx\nLibs.private: -lm\nLibs: -L/y -lx\n");
    }
}
