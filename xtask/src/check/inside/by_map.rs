//! The same by the linker's map, which knows whose each piece of a program is: one libc, one unwinder,
//! whose `malloc`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::check::Outcome;
use crate::linked::{Owner, Pieces};

/// Bump when the same map would be judged otherwise.
pub const RULES: &str = "inside 1";

/// Names that begin so are an unwinder's.
const UNWINDS: &str = "_Unwind_";

/// A function that an allocator has and nobody else, and its name.
const ALLOCATORS: [(&str, &str); 9] = [
    ("__malloc_alloc_meta", "musl's (mallocng)"),
    ("__bin_chunk", "musl's (the old one)"),
    ("_rjem_malloc", "jemalloc"),
    ("je_malloc", "jemalloc"),
    ("mi_malloc", "mimalloc"),
    ("mi_malloc_aligned", "mimalloc"),
    ("tc_malloc", "tcmalloc"),
    ("sn_rust_alloc", "snmalloc"),
    ("rpmalloc", "rpmalloc"),
];

/// What a map says is in a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The outcome of the check `libc`.
    pub libc: Outcome,
    /// That of `unwinder`.
    pub unwinder: Outcome,
    /// Whose `malloc` it has.
    pub malloc: String,
}

impl Inside {
    /// Reads it from the pieces of a program; `version` tells that of a libc by its archive.
    pub fn of(pieces: &Pieces, version: impl Fn(&Path) -> Option<String>) -> Self {
        let symbols = symbols(pieces);
        Self {
            libc: libc(pieces, &symbols, version),
            unwinder: unwinder(&symbols),
            malloc: malloc(&symbols),
        }
    }
}

/// By name, who defines it.
fn symbols(pieces: &Pieces) -> BTreeMap<&str, Vec<&Owner>> {
    let mut all: BTreeMap<&str, Vec<&Owner>> = BTreeMap::new();
    for piece in &pieces.pieces {
        let owner = &pieces.owners[piece.owner];
        for (_, name) in &piece.symbols {
            all.entry(name).or_default().push(owner);
        }
    }
    all
}

/// `libc.a` of `libc.a(exit.lo)`; of an object its own name.
fn archive(owner: &Owner) -> &str {
    owner.object.split('(').next().unwrap_or_default()
}

/// Whether it is one of the objects that begin every program.
fn is_start(owner: &Owner) -> bool {
    ["crt1.o", "rcrt1.o", "Scrt1.o", "gcrt1.o", "crti.o"].contains(&owner.object.as_str())
}

/// One `libc.a`, and the objects that begin the program from the same place.
fn libc(
    pieces: &Pieces,
    symbols: &BTreeMap<&str, Vec<&Owner>>,
    version: impl Fn(&Path) -> Option<String>,
) -> Outcome {
    let starters = symbols.get("__libc_start_main").into_iter().flatten().copied();
    let is_libc = |owner: &&Owner| archive(owner) == "libc.a" || is_start(owner);
    let mut found: BTreeMap<&str, &Owner> = BTreeMap::new();
    for owner in pieces.owners.iter().filter(is_libc).chain(starters) {
        let known = found.entry(&owner.from).or_insert(owner);
        if is_start(known) {
            *known = owner;
        }
    }
    let named = |(from, owner): &(&&str, &&Owner)| format!("{} of {from}", archive(owner));
    match &found.iter().collect::<Vec<_>>()[..] {
        [] => Outcome::Skipped("the linker's map names none".to_owned()),
        [(from, owner)] => {
            let version = owner.place.as_ref().and_then(|(path, _)| version(path));
            let version = version.unwrap_or_else(|| "of unknown version".to_owned());
            Outcome::Passed(format!("musl {version}, from {from}"))
        }
        several => several_found(several.iter().map(named)),
    }
}

fn several_found(named: impl Iterator<Item = String>) -> Outcome {
    Outcome::Failed(format!("parts of several: {}", named.collect::<Vec<_>>().join(", ")))
}

/// All functions of unwinding from one archive.
fn unwinder(symbols: &BTreeMap<&str, Vec<&Owner>>) -> Outcome {
    let mut found: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let from = symbols.range(UNWINDS..).take_while(|(name, _)| name.starts_with(UNWINDS));
    for (name, owners) in from {
        for owner in owners {
            found.entry((archive(owner), &owner.from)).or_insert(name);
        }
    }
    match &found.iter().collect::<Vec<_>>()[..] {
        [] => Outcome::Passed("none: nothing in it unwinds".to_owned()),
        [((archive, from), _)] => Outcome::Passed(format!("{archive}, from {from}")),
        several => several_found(
            several
                .iter()
                .map(|((archive, from), function)| format!("{archive} of {from} ({function})")),
        ),
    }
}

/// Who defines `malloc` for C, and what other allocators are there, for Rust's `#[global_allocator]` or
/// by their own names.
fn malloc(symbols: &BTreeMap<&str, Vec<&Owner>>) -> String {
    let mut found: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (function, allocator) in ALLOCATORS {
        for owner in symbols.get(function).into_iter().flatten() {
            found.insert((allocator, &owner.from));
        }
    }
    let of_c = symbols.get("malloc").and_then(|owners| owners.first());
    let known = found.iter().map(|(allocator, from)| format!("{allocator}, from {from}"));
    let known = known.collect::<Vec<_>>().join(" and ");
    match (of_c, known.is_empty()) {
        (None, true) => "none".to_owned(),
        (Some(owner), true) => format!("of no known kind, from {}", owner.from),
        (Some(owner), false) if found.len() > 1 => {
            format!("{known}; `malloc` itself is from {}", owner.from)
        }
        (_, false) => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linked::Piece;

    /// A program of these parts: object, origin, functions.
    fn pieces(parts: &[(&str, &str, &[&str])]) -> Pieces {
        let mut pieces = Pieces::default();
        for (index, (object, from, functions)) in parts.iter().enumerate() {
            let (object, from) = ((*object).to_owned(), (*from).to_owned());
            let place = Some((Path::new("/lib").join(&object), None));
            pieces.owners.push(Owner { from, object, is_rust: false, place });
            let symbols = functions.iter().map(|name| (index as u64, (*name).to_owned()));
            let range = index as u64..index as u64 + 1;
            pieces.pieces.push(Piece { range, owner: index, symbols: symbols.collect() });
        }
        pieces
    }

    fn inside(parts: &[(&str, &str, &[&str])]) -> Inside {
        Inside::of(&pieces(parts), |path| path.ends_with("libc.a(exit.lo)").then(|| "1.2.5".into()))
    }

    const GOOD: [(&str, &str, &[&str]); 4] = [
        ("rcrt1.o", "rust", &["_start"]),
        ("libc.a(exit.lo)", "rust", &["exit"]),
        ("libc.a(malloc.lo)", "rust", &["malloc", "__malloc_alloc_meta"]),
        ("libunwind.a(a.o)", "rust", &["_Unwind_Resume", "_Unwind_Backtrace"]),
    ];

    fn with(more: (&'static str, &'static str, &'static [&'static str])) -> Inside {
        inside(&[&GOOD[..], &[more]].concat())
    }

    #[test]
    fn one_of_each_passes() {
        let found = inside(&GOOD);
        assert_eq!(found.libc, Outcome::Passed("musl 1.2.5, from rust".into()));
        assert_eq!(found.unwinder, Outcome::Passed("libunwind.a, from rust".into()));
        assert_eq!(found.malloc, "musl's (mallocng), from rust");
    }

    #[test]
    fn a_second_libc_is_found_by_its_archive_or_its_beginning() {
        for second in [
            ("libc.a(memcpy.o)", "toolchain musl-cross 1", &["memcpy"][..]),
            ("crt1.o", "toolchain musl-cross 1", &["_start_c"]),
            ("libown.a(libc.o)", "crate own 1.0.0", &["__libc_start_main"]),
        ] {
            let found = with(second).libc;
            let words = format!("of {}", second.1);
            assert!(matches!(&found, Outcome::Failed(text) if text.contains(&words)), "{found:?}");
        }
    }

    #[test]
    fn a_second_unwinder_is_found_by_its_functions() {
        let found = with((
            "libgcc_eh.a(unwind-dw2.o)",
            "toolchain musl-cross 1",
            &["_Unwind_ForcedUnwind"],
        ));
        let words = "libgcc_eh.a of toolchain musl-cross 1 (_Unwind_ForcedUnwind)";
        let unwinder = found.unwinder;
        assert!(matches!(&unwinder, Outcome::Failed(text) if text.contains(words)), "{unwinder:?}");
        assert_eq!(inside(&GOOD[..3]).unwinder.word(), "ok");
    }

    #[test]
    fn allocators_are_told_by_their_functions() {
        let jemalloc =
            with(("libjemalloc.a(jemalloc.o)", "recipe jemalloc 5.3.1", &["_rjem_malloc"]));
        let expected = "jemalloc, from recipe jemalloc 5.3.1 and musl's (mallocng), from rust; \
                        `malloc` itself is from rust";
        assert_eq!(jemalloc.malloc, expected);
        assert_eq!(
            inside(&[("a.o", "program", &["malloc"])]).malloc,
            "of no known kind, from program"
        );
        assert_eq!(inside(&[]).malloc, "none");
    }
}
