//! What was linked into a program: `glibc`, `libc`, `unwinder`, `openssl-dir`, and whose `malloc` it has.
//!
//! Told by the file alone: by names of symbols where these were not stripped, else by texts that only
//! one library has. What neither tells is not known, and that is what is said. `dist` asks the
//! linker's map instead: see [`by_map`].

pub mod by_map;

use std::collections::BTreeSet;

use memchr::memmem;

use super::elf::{Image, Version};
use super::{Linking, Outcome};

/// Where OpenSSL must look for certificates: they are the machine's.
const OPENSSL_DIR: &str = "/etc/ssl";

/// A longer folder is none.
const PATH_MAX_BYTES: usize = 200;

/// The longest version that is taken for one of OpenSSL's.
const VERSION_MAX_BYTES: usize = 40;

/// What gives a library away.
struct Mark {
    /// The library in words.
    name: &'static str,
    /// Symbols that only it defines.
    symbols: &'static [&'static str],
    /// Texts that only it has, each with a `~` in it that is none of it: else they would stand in this
    /// program, too, which checks itself.
    texts: &'static [&'static str],
}

const LIBCS: [Mark; 2] = [
    Mark {
        name: "musl",
        symbols: &["__init_libc", "__malloc_alloc_meta", "__ofl_lock"],
        texts: &["Result not representable\0~Not a tty\0"],
    },
    Mark {
        name: "glibc",
        symbols: &["__libc_setup_tls", "__libc_early_init", "_IO_file_jumps"],
        texts: &[
            "Fatal glibc error~: ",
            "Fatal error: glibc~ detected",
            "FATAL: kernel~ too old\n",
        ],
    },
];

/// What the kernel starts first, and the libc that it belongs to.
const INTERPRETERS: [(&str, &str); 6] = [
    ("ld-musl", "musl"),
    ("ld-uClibc", "uClibc"),
    ("ld-linux", "glibc"),
    ("/ld64.so", "glibc"),
    ("/ld.so.1", "glibc"),
    ("/system/bin/linker", "bionic (Android)"),
];

const UNWINDERS: [Mark; 3] = [
    Mark {
        name: "LLVM's libunwind",
        symbols: &["__unw_getcontext", "__unw_init_local", "unw_init_local"],
        texts: &["LIBUNWIND_PRINT~_APIS", "libunwind: %s~ - %s\n"],
    },
    Mark {
        name: "libgcc's",
        symbols: &["uw_init_context_1", "uw_frame_state_for", "__register_frame_info_table_bases"],
        texts: &[],
    },
    Mark {
        name: "libunwind of nongnu.org",
        symbols: &["_ULx86_64_step", "_Ux86_64_getcontext", "_ULaarch64_step", "_ULarm_step"],
        texts: &[],
    },
];

const ALLOCATORS: [Mark; 7] = [
    Mark { name: "musl's", symbols: &["__malloc_alloc_meta", "__libc_malloc_impl"], texts: &[] },
    Mark {
        name: "glibc's",
        symbols: &["_int_malloc", "__malloc_hugepage_config"],
        texts: &["malloc(): corrupted~ top size"],
    },
    Mark {
        name: "jemalloc",
        symbols: &["_rjem_malloc", "je_malloc", "_rjem_mallocx", "mallocx"],
        texts: &["<jemalloc>~: "],
    },
    Mark {
        name: "mimalloc",
        symbols: &["mi_malloc", "mi_heap_malloc", "_mi_malloc_generic"],
        texts: &["mimalloc: ~warning: "],
    },
    Mark { name: "tcmalloc", symbols: &["tc_malloc"], texts: &["TCMALLOC~_"] },
    Mark { name: "snmalloc", symbols: &["sn_malloc", "sn_rust_alloc"], texts: &[] },
    Mark { name: "rpmalloc", symbols: &["rpmalloc", "rpaligned_alloc"], texts: &[] },
];

/// A program's bytes and what they mean.
#[derive(Clone, Copy)]
pub struct Program<'a> {
    /// The bytes.
    pub data: &'a [u8],
    /// What they mean.
    pub image: &'a Image,
}

impl Mark {
    fn is_in(&self, program: Program<'_>) -> bool {
        let has = |name: &&str| program.image.symbols.as_ref().is_some_and(|it| it.contains(*name));
        let says = |text: &&str| has_text(program.data, text);
        self.symbols.iter().any(has) || self.texts.iter().any(says)
    }
}

/// What is meant by a text with a `~` in it.
fn plain(text: &str) -> String {
    text.replace('~', "")
}

fn has_text(data: &[u8], text: &str) -> bool {
    memmem::find(data, plain(text).as_bytes()).is_some()
}

/// Whether it is a program of Go without anything of C.
fn is_go_alone(program: Program<'_>) -> bool {
    program.image.interpreter.is_none() && has_text(program.data, " Go~ buildinf:")
}

fn found(marks: &[Mark], program: Program<'_>) -> Vec<&'static str> {
    marks.iter().filter(|mark| mark.is_in(program)).map(|mark| mark.name).collect()
}

/// `glibc`: no version of its symbols is asked for.
pub fn glibc(image: &Image) -> Outcome {
    let of_glibc = |version: &&Version| version.name.starts_with("GLIBC_");
    let asked: Vec<&Version> = image.dynamic.versions.iter().filter(of_glibc).collect();
    let numbers = |version: &&&Version| -> Vec<u32> {
        let text = version.name.trim_start_matches("GLIBC_");
        text.split('.').map(|part| part.parse().unwrap_or_default()).collect()
    };
    match asked.iter().max_by_key(numbers) {
        None => Outcome::Passed("none of its versions is asked for".to_owned()),
        Some(Version { library, name }) => Outcome::Failed(format!(
            "it needs glibc {} or newer: {library} must have {name}",
            name.trim_start_matches("GLIBC_")
        )),
    }
}

/// `libc`: one, and for a target of musl that one.
pub fn libc(program: Program<'_>, linking: &Linking) -> Outcome {
    let image = program.image;
    let interpreter = image.interpreter.as_deref();
    let of_machine = interpreter.and_then(|path| {
        INTERPRETERS.iter().find(|(part, _)| path.contains(part)).map(|(_, libc)| *libc)
    });
    let found = match of_machine {
        Some(libc) => vec![libc],
        // Of a program that loads its libc the texts say nothing: they may be there for any reason.
        None if interpreter.is_some() || !image.dynamic.needed.is_empty() => Vec::new(),
        None => found(&LIBCS, program),
    };
    let whose = if of_machine.is_some() { "the machine's " } else { "" };
    match (&found[..], linking) {
        ([], _) if is_go_alone(program) => {
            Outcome::Passed("none: Go's runtime calls the kernel itself".to_owned())
        }
        ([], _) => Outcome::Skipped(
            "not known: the file has no symbols and no text by which one could be told".to_owned(),
        ),
        ([one], Linking::Of { .. }) if *one != "musl" => {
            Outcome::Failed(format!("{whose}{one}, and the target's is musl"))
        }
        ([one], _) => Outcome::Passed(format!("{whose}{one}")),
        (several, _) => Outcome::Failed(format!("{} at once", several.join(" and "))),
    }
}

/// `unwinder`: not more than one.
pub fn unwinder(program: Program<'_>) -> Outcome {
    let needed = &program.image.dynamic.needed;
    let is_of_machine =
        |name: &&String| name.starts_with("libgcc_s.") || name.starts_with("libunwind");
    let mut found: Vec<String> =
        found(&UNWINDERS, program).into_iter().map(str::to_owned).collect();
    found.extend(needed.iter().filter(is_of_machine).map(|name| format!("the machine's {name}")));
    let unwinds = |symbols: &BTreeSet<String>| symbols.iter().any(|it| it.starts_with("_Unwind_"));
    match (&found[..], &program.image.symbols) {
        ([], Some(symbols)) if !unwinds(symbols) => {
            Outcome::Passed("none: nothing in it unwinds".to_owned())
        }
        ([], Some(_)) => Outcome::Passed("one, of no known kind".to_owned()),
        ([], None) if is_go_alone(program) => Outcome::Passed("Go's own".to_owned()),
        ([], None) => Outcome::Skipped(
            "not known: the file has no symbols and no text by which one could be told".to_owned(),
        ),
        ([one], _) => Outcome::Passed(one.clone()),
        (several, _) => Outcome::Failed(format!("{} at once", several.join(" and "))),
    }
}

/// Whose `malloc` it has, as far as the file tells.
pub fn malloc(program: Program<'_>) -> String {
    let found = found(&ALLOCATORS, program);
    let is_dynamic = program.image.interpreter.is_some();
    match &found[..] {
        [] if is_go_alone(program) => "Go's own".to_owned(),
        [] if is_dynamic => "that of the machine's libc, or of a library that it loads".to_owned(),
        [] => "not known (no text of jemalloc, mimalloc, tcmalloc or glibc is in it)".to_owned(),
        names => names.join(" and "),
    }
}

/// `openssl-dir`: certificates are the machine's, and in its usual place.
pub fn openssl_dir(program: Program<'_>) -> Outcome {
    let data = program.data;
    let named = openssl_dirs(data);
    let wrong: Vec<_> =
        named.iter().filter(|path| path.as_slice() != OPENSSL_DIR.as_bytes()).collect();
    if let Some(path) = wrong.first() {
        return Outcome::Failed(format!(
            "OpenSSL looks for certificates and its configuration in {}",
            String::from_utf8_lossy(path)
        ));
    }
    let is_libcrypto = |name: &&String| name.starts_with("libcrypto.");
    match (named.is_empty(), program.image.dynamic.needed.iter().find(is_libcrypto)) {
        (false, _) => Outcome::Passed(OPENSSL_DIR.to_owned()),
        (true, Some(library)) => Outcome::Skipped(format!("the machine's {library} has its own")),
        (true, None) => match openssl(data) {
            None => Outcome::Passed("no OpenSSL in it".to_owned()),
            Some(version) => Outcome::Skipped(format!("{version} is named, but no folder of its")),
        },
    }
}

/// The folders of OpenSSLs: what `openssl version -d` would print, and the one whose files it opens
/// (`X509_get_default_cert_file`), since the first may have been left out.
fn openssl_dirs(data: &[u8]) -> BTreeSet<Vec<u8>> {
    let printed = plain("OPENSSLDIR~: \"");
    let first = memmem::find_iter(data, printed.as_bytes()).filter_map(|at| {
        let rest = &data[at + printed.len()..];
        let path = &rest[..rest.iter().take(PATH_MAX_BYTES).position(|byte| *byte == b'"')?];
        path.starts_with(b"/").then(|| path.to_owned())
    });
    let opened = plain("/cert~.pem\0");
    let second = memmem::find_iter(data, opened.as_bytes()).filter_map(|at| {
        let before = &data[at.saturating_sub(PATH_MAX_BYTES)..at];
        let path = before.rsplit(|byte| *byte == 0).next().filter(|path| path.starts_with(b"/"))?;
        // Other programs look for such a file, too, but hardly in the same folder for this one.
        let beside = [b"\0", path, b"/certs\0"].concat();
        memmem::find(data, &beside).is_some().then(|| path.to_owned())
    });
    first.chain(second).collect()
}

/// The version of an OpenSSL that is in it: `OpenSSL 3.6.3 9 Jun 2026`.
pub fn openssl(data: &[u8]) -> Option<String> {
    let start = "OpenSSL ";
    memmem::find_iter(data, start.as_bytes()).find_map(|at| {
        let text = data[at..].split(|byte| !matches!(byte, b' '..=b'~')).next()?;
        let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= VERSION_MAX_BYTES)?;
        let mut words = text.split_ascii_whitespace().skip(1);
        let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
        let is_version = |word: &str| is_number(word) && word.matches('.').count() == 2;
        let is_dated = words.next().is_some_and(is_version) && words.next().is_some_and(is_number);
        is_dated.then(|| text.to_owned())
    })
}
