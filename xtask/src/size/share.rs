//! Whose some bytes are, in the words of a report.
//!
//! What the evidence does not tell is said to be not known; nothing is guessed from what a name looks
//! like.

use std::collections::BTreeMap;

use serde::Serialize;

use super::symbol::{in_section, rust_name};
use crate::linked::whose::{Object, Whose};
use crate::linked::without_hash;

/// What kind of thing some bytes belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The package whose program this is.
    Package,
    /// Another Rust crate.
    Crate,
    /// Code in C or assembler: a recipe's library, or what a crate compiles.
    CLibrary,
    /// A crate of Rust's standard library.
    StandardLibrary,
    /// The libc, the unwinder, the compiler's runtime, objects that begin and end a program.
    Runtime,
    /// What only the linker makes.
    Linker,
    /// Headers, padding, names, debug information.
    File,
    /// What the evidence does not tell.
    Unknown,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Package,
        Self::Crate,
        Self::CLibrary,
        Self::StandardLibrary,
        Self::Runtime,
        Self::Linker,
        Self::File,
        Self::Unknown,
    ];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Package => "this package",
            Self::Crate => "Rust crate",
            Self::CLibrary => "C library",
            Self::StandardLibrary => "standard library",
            Self::Runtime => "C runtime",
            Self::Linker => "made by the linker",
            Self::File => "file format",
            Self::Unknown => "not known",
        }
    }
}

/// Whose some bytes are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// What kind of thing.
    pub kind: Kind,
    /// `sqlite 3.54.0`.
    pub name: String,
}

impl Owner {
    /// An owner.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

/// Crates that no one but Rust has.
const STANDARD: [&str; 9] = [
    "core",
    "alloc",
    "std",
    "proc_macro",
    "compiler_builtins",
    "panic_abort",
    "panic_unwind",
    "unwind",
    "__rustc",
];

/// What is known of whose the objects and crates are.
pub struct Owners<'a> {
    whose: Option<&'a Whose>,
    /// Objects that were asked for, since most have many pieces.
    known: BTreeMap<String, Object>,
}

impl<'a> Owners<'a> {
    /// By what `dist` has kept, or by names of files alone.
    pub fn new(whose: Option<&'a Whose>) -> Self {
        Self { whose, known: BTreeMap::new() }
    }

    /// Whose a piece of an object is, by the name of its section in that object; and what to call the
    /// object.
    pub fn of_piece(&mut self, object: &str, section: &str) -> (Owner, String) {
        let object = match self.known.get(object) {
            Some(known) => known.clone(),
            None => {
                let kept = self.whose.and_then(|whose| whose.objects.get(object)).cloned();
                let found = kept.unwrap_or_else(|| by_file(object));
                self.known.insert(object.to_owned(), found.clone());
                found
            }
        };
        let owner = match object.is_rust {
            true => self.of_rust(&object, section),
            false => of_native(&object),
        };
        (owner, object.name)
    }

    /// Whose Rust code is: the crate that its mangled name begins with.
    fn of_rust(&self, object: &Object, section: &str) -> Owner {
        if let Some(name) = in_section(section).and_then(rust_name) {
            return self.of_crate(&name.krate);
        }
        // With link-time optimisation an object has the code of all crates.
        if object.from == "program" {
            return Owner::new(Kind::Unknown, unnamed_rust(section));
        }
        match object.from.strip_prefix("crate ") {
            Some(name) => Owner::new(Kind::Crate, name),
            None => Owner::new(Kind::StandardLibrary, "Rust's standard library"),
        }
    }

    /// A crate by its name in code.
    pub fn of_crate(&self, name: &str) -> Owner {
        let standard = |name: &str| Owner::new(Kind::StandardLibrary, name);
        if STANDARD.contains(&name) {
            return standard(if name == "__rustc" { "std" } else { name });
        }
        let Some(whose) = self.whose else { return Owner::new(Kind::Crate, name) };
        let is_std = whose.std.contains(name);
        let versions = whose.crates.get(name).map(|it| it.iter().map(String::as_str));
        match (versions, is_std) {
            (Some(mut versions), false) => match (versions.next(), versions.next()) {
                (Some(one), None) if one == whose.package => Owner::new(Kind::Package, one),
                (Some(one), None) => Owner::new(Kind::Crate, one),
                (first, second) => {
                    let all: Vec<_> = first.into_iter().chain(second).chain(versions).collect();
                    Owner::new(Kind::Crate, all.join(" or "))
                }
            },
            (Some(versions), true) => {
                let all: Vec<_> = versions.collect();
                let name = format!("{}, or the standard library's own", all.join(" or "));
                Owner::new(Kind::Crate, name)
            }
            (None, true) => standard(name),
            (None, false) => Owner::new(Kind::Crate, name),
        }
    }
}

/// What there is in an object of Rust code without a crate's name.
fn unnamed_rust(section: &str) -> &'static str {
    let is = |start: &str| section.starts_with(start);
    if is(".eh_frame") || is(".ARM.ex") {
        "unwind tables of Rust code"
    } else if is(".text") || is(".gcc_except_table") {
        "Rust functions without a crate's name"
    } else {
        "Rust constants without a crate's name"
    }
}

/// Whose what no Rust compiler made is.
fn of_native(object: &Object) -> Owner {
    let file = object.name.split('(').next().unwrap_or_default();
    let from = object.from.as_str();
    if let Some(recipe) = from.strip_prefix("recipe ") {
        return Owner::new(Kind::CLibrary, recipe);
    }
    if let Some(package) = from.strip_prefix("crate ") {
        return Owner::new(Kind::CLibrary, format!("{package}, its C code"));
    }
    match (from, file) {
        ("program", _) => Owner::new(Kind::Package, "the program's own objects"),
        ("rust", "libc.a") => Owner::new(Kind::Runtime, "musl libc"),
        ("rust", "libunwind.a") => Owner::new(Kind::Runtime, "libunwind"),
        ("rust", _) if file.starts_with("libcompiler_builtins") => {
            Owner::new(Kind::Runtime, "compiler runtime")
        }
        ("rust", _) if file.ends_with(".o") => Owner::new(Kind::Runtime, "start-up objects"),
        ("rust", _) => Owner::new(Kind::Runtime, file),
        ("", _) => Owner::new(Kind::Unknown, file),
        _ => Owner::new(Kind::Runtime, format!("{file} of {from}")),
    }
}

/// What an object's file name alone says: only rustc's objects are told from others.
fn by_file(object: &str) -> Object {
    let (path, member) = match object.strip_suffix(')').and_then(|it| it.rsplit_once('(')) {
        Some((path, member)) => (path, Some(member)),
        None => (object, None),
    };
    let file = path.rsplit('/').next().unwrap_or(path);
    let is_rust = member.unwrap_or(file).ends_with(".rcgu.o");
    let file = without_hash(file);
    let name = match member {
        Some(member) => format!("{file}({member})"),
        None => file,
    };
    let from = if is_rust { "program" } else { "" };
    Object { from: from.to_owned(), name, is_rust }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whose() -> Whose {
        let object = |from: &str, name: &str, is_rust| Object {
            from: from.to_owned(),
            name: name.to_owned(),
            is_rust,
        };
        let objects = [
            ("/d/app.o", object("program", "app.o", true)),
            ("/d/symbols.o", object("program", "symbols.o", false)),
            ("/d/libserde.rlib(s.o)", object("crate serde 1.0.1", "libserde.rlib(s.o)", true)),
            ("/d/liblz.rlib(zlib.o)", object("recipe zlib 1.3.2", "libz.a(zlib.o)", false)),
            ("/d/libring.rlib(asm.o)", object("crate ring 0.17.1", "libring.rlib(asm.o)", false)),
            ("/r/libc.a(exit.lo)", object("rust", "libc.a(exit.lo)", false)),
            ("/r/crt1.o", object("rust", "crt1.o", false)),
            ("/t/libatomic.a(a.o)", object("toolchain zig 1", "libatomic.a(a.o)", false)),
        ];
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Whose {
            map: "/d/app.map".into(),
            package: "my-app 0.1.0".to_owned(),
            objects: objects.map(|(name, object)| (name.to_owned(), object)).into(),
            crates: [
                ("my_app", &["my-app 0.1.0"][..]),
                ("rand", &["rand 0.8.5", "rand 0.9.1"]),
                ("serde", &["serde 1.0.1"]),
                ("memchr", &["memchr 2.8.0"]),
            ]
            .map(|(name, versions)| (name.to_owned(), set(versions)))
            .into(),
            std: set(&["std", "core", "gimli", "memchr"]),
        }
    }

    fn owner(object: &str, section: &str) -> (Kind, String) {
        let whose = whose();
        let (owner, _) = Owners::new(Some(&whose)).of_piece(object, section);
        (owner.kind, owner.name)
    }

    #[test]
    fn rust_code_is_its_crates_by_its_names() {
        let of = |section: &str| owner("/d/app.o", section);
        let is = |kind, name: &str| (kind, name.to_owned());
        assert_eq!(of(".text._RNvC6my_app4main"), is(Kind::Package, "my-app 0.1.0"));
        assert_eq!(of(".text._RNvC5serde1a"), is(Kind::Crate, "serde 1.0.1"));
        assert_eq!(of(".text._RNvC4rand1a"), is(Kind::Crate, "rand 0.8.5 or rand 0.9.1"));
        assert_eq!(of(".text.unlikely._RNvC4core1a"), is(Kind::StandardLibrary, "core"));
        assert_eq!(of(".data._RNvC5gimli1a"), is(Kind::StandardLibrary, "gimli"));
        let either = "memchr 2.8.0, or the standard library's own";
        assert_eq!(of(".text._RNvC6memchr1a"), is(Kind::Crate, either));
        assert_eq!(of(".text._RNvC7unheard1a"), is(Kind::Crate, "unheard"));
        let unnamed = "Rust functions without a crate's name";
        assert_eq!(of(".text.main"), is(Kind::Unknown, unnamed));
        let constants = "Rust constants without a crate's name";
        assert_eq!(of(".rodata..Lanon.466f.1"), is(Kind::Unknown, constants));
        assert_eq!(of(".eh_frame+0x18"), is(Kind::Unknown, "unwind tables of Rust code"));
        // An object of one crate says whose what has no name is.
        let of = |section: &str| owner("/d/libserde.rlib(s.o)", section);
        assert_eq!(of(".rodata..Lanon.466f.1"), is(Kind::Crate, "serde 1.0.1"));
        assert_eq!(of(".text._RNvC4core1a"), is(Kind::StandardLibrary, "core"));
    }

    #[test]
    fn other_code_is_whose_its_object_is() {
        let of = |object: &str| owner(object, ".text._RNvC5serde1a");
        let is = |kind, name: &str| (kind, name.to_owned());
        assert_eq!(of("/d/liblz.rlib(zlib.o)"), is(Kind::CLibrary, "zlib 1.3.2"));
        assert_eq!(of("/d/libring.rlib(asm.o)"), is(Kind::CLibrary, "ring 0.17.1, its C code"));
        assert_eq!(of("/r/libc.a(exit.lo)"), is(Kind::Runtime, "musl libc"));
        assert_eq!(of("/r/crt1.o"), is(Kind::Runtime, "start-up objects"));
        let atomic = "libatomic.a of toolchain zig 1";
        assert_eq!(of("/t/libatomic.a(a.o)"), is(Kind::Runtime, atomic));
        assert_eq!(of("/d/symbols.o"), is(Kind::Package, "the program's own objects"));
    }

    #[test]
    fn without_what_dist_kept_only_names_speak() {
        let mut owners = Owners::new(None);
        let mut of = |object: &str, section: &str| {
            let (owner, object) = owners.of_piece(object, section);
            (owner.kind, owner.name, object)
        };
        let is = |kind, name: &str, object: &str| (kind, name.to_owned(), object.to_owned());
        let zlib = is(Kind::Unknown, "libz.a", "libz.a(inflate.o)");
        assert_eq!(of("/s/lib/libz.a(inflate.o)", ".text"), zlib);
        let object = "/d/app-1f.app.1-cgu.0.rcgu.o";
        let core = is(Kind::StandardLibrary, "core", "app-1f.app.1-cgu.0.rcgu.o");
        assert_eq!(of(object, ".text._RNvC4core1a"), core);
        assert_eq!(of(object, ".text._RNvC5serde1a").1, "serde");
    }
}
