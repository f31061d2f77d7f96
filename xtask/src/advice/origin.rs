//! Whose code a linker's message is about: told by the archive that it names.

/// The code at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Rust code of a crate.
    RustCode(String),
    /// C code that a crate compiled or packed.
    CrateCode(String),
    /// A static library: `libpq.a`.
    Library(String),
    /// Rust's own standard library.
    Std,
    /// The message does not say.
    Unknown,
}

impl Origin {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::RustCode(name) => format!("crate `{name}`"),
            Self::CrateCode(name) => format!("the C code in crate `{name}`"),
            Self::Library(file) => format!("`{file}`"),
            Self::Std => "Rust's standard library".to_owned(),
            Self::Unknown => "some object file".to_owned(),
        }
    }

    /// A name to look a recipe up with.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::CrateCode(name) => Some(name),
            Self::Library(file) => Some(file.trim_start_matches("lib").trim_end_matches(".a")),
            Self::RustCode(_) | Self::Std | Self::Unknown => None,
        }
    }
}

/// Looks in the message at this line: GNU ld names the archive in it or shortly before, LLD in the
/// `>>>` lines that follow.
pub fn of_message(lines: &[&str], at: usize) -> Origin {
    let after = lines[at + 1..].iter().take_while(|line| line.trim_start().starts_with(">>>"));
    let (before, here) = (lines[..at].iter().rev().take(12), std::iter::once(&lines[at]));
    // Another program's first message ends what belongs to this one.
    let before = before.take_while(|line| !line.contains("error: linking with"));
    here.chain(after).chain(before).find_map(|line| of_line(line)).unwrap_or(Origin::Unknown)
}

/// The first archive in a line.
pub fn of_line(line: &str) -> Option<Origin> {
    // The command line that rustc prints names every archive there is.
    if line.contains("LC_ALL=") || line.contains("\"-Wl,") {
        return None;
    }
    let words = line.split([' ', '"', '`', '\'', ',']);
    words
        .filter(|word| word.contains(".rlib") || word.contains(".a(") || word.ends_with(".a"))
        .find_map(|word| {
            let word = word.trim_end_matches(':');
            let (archive, member) = word.split_once('(').unwrap_or((word, ""));
            // LLD writes `member.o:(function) in archive libfoo.rlib`.
            let member = if member.is_empty() { line } else { member };
            of_archive(archive, member)
        })
}

fn of_archive(path: &str, member: &str) -> Option<Origin> {
    let file = path.rsplit('/').next()?;
    if let Some(name) = file.strip_prefix("lib").and_then(|name| name.strip_suffix(".rlib")) {
        let name = without_hash(name);
        return Some(match name {
            "std" | "core" | "alloc" | "compiler_builtins" | "panic_unwind" => Origin::Std,
            _ if member.contains(".rcgu.o") => Origin::RustCode(name.replace('_', "-")),
            _ => Origin::CrateCode(name.replace('_', "-")),
        });
    }
    if !file.ends_with(".a") {
        return None;
    }
    // …/build/openssl-sys-0123456789abcdef/out/libfoo.a was made by that crate's build script.
    let folder = path.split("/build/").nth(1).and_then(|rest| rest.split('/').next());
    match folder.filter(|_| path.contains("/out/")).map(|folder| (folder, without_hash(folder))) {
        Some((folder, name)) if name != folder => Some(Origin::CrateCode(name.to_owned())),
        _ => Some(Origin::Library(file.to_owned())),
    }
}

/// `getrandom-0123456789abcdef` is `getrandom`.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((short, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            short
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_names_its_crate_or_itself() {
        for (line, expected) in [
            (
                "ld: /t/deps/libring-0123456789abcdef.rlib(x.rcgu.o): in",
                Origin::RustCode("ring".into()),
            ),
            (
                "ld: /t/libfoo_sys-0123456789abcdef.rlib(foo.o): in",
                Origin::CrateCode("foo-sys".into()),
            ),
            (">>> foo.o:(f) in archive /usr/lib/libpq.a", Origin::Library("libpq.a".into())),
            (
                "/t/build/a-sys-0123456789abcdef/out/libfoo.a(x.o):",
                Origin::CrateCode("a-sys".into()),
            ),
            ("/l/libstd-0123456789abcdef.rlib(std-1.rcgu.o)", Origin::Std),
        ] {
            assert_eq!(of_line(line), Some(expected), "{line}");
        }
        assert_eq!(of_line("collect2: error: ld returned 1 exit status"), None);
    }
}
