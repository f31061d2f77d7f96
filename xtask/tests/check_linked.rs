//! The checks of how a program was linked and of what is inside it, each against a bad file made for
//! it byte by byte, and `allow`.

#[path = "support/elf.rs"]
mod elf;

use std::collections::BTreeMap;
use std::path::Path;

use xtask::check::{Allowed, CHECKS, Expectation, Linking, Outcome, table};
use xtask::exit::{Exit, Failure};
use xtask::target::Machine;

use elf::{
    BASE, BODY, Builder, GNU_STACK, PT_INTERP, PT_LOAD, X86_64, assert_only_fails, examine_bytes,
    no_run, outcome,
};

const PT_NOTE: u32 = 4;
const GNU_RELRO: u32 = 0x6474_e552;
const MIB_8: u64 = 8 << 20;

/// As for a target whose programs are position-independent, or are not.
fn of(is_static_pie: bool) -> Expectation {
    let linking = Linking::Of { is_static_pie, stack_size_bytes: MIB_8 };
    Expectation { linking, ..no_run() }
}

fn said(builder: &Builder, expectation: &Expectation, name: &str) -> Outcome {
    outcome(&examine_bytes(&builder.build(), expectation), name)
}

#[track_caller]
fn assert_fails(builder: &Builder, expectation: &Expectation, name: &str, words: &str) {
    let checkup = examine_bytes(&builder.build(), expectation);
    let found = outcome(&checkup, name);
    let is_it = matches!(&found, Outcome::Failed(text) if text.contains(words));
    assert!(is_it, "{words:?} is not in {name}:\n{}", table(&checkup));
}

/// A program with this text behind its code.
fn with_text(text: &[u8]) -> Builder {
    let mut builder = Builder::exit_7();
    builder.body.push(0);
    builder.body.extend(text);
    builder.body.push(0);
    builder.segments[0].3 = BODY + builder.body.len() as u64;
    builder
}

/// One with a segment that can be written to.
fn writable() -> Builder {
    let mut builder = with_text(&[0; 64]);
    builder.segments.push((PT_LOAD, 6, BODY + 16, 32));
    builder
}

#[test]
fn pie() {
    let fixed = Builder::exit_7();
    assert_fails(&fixed, &of(true), "pie", "at a fixed address, 0x400000");
    let excuse = "at a fixed address, 0x400000: rustc links static programs for this CPU so";
    assert_eq!(said(&fixed, &of(false), "pie").detail(), excuse);
    let unknown =
        |fixed: Vec<Machine>| Expectation { linking: Linking::Unknown { fixed }, ..no_run() };
    assert_fails(&fixed, &unknown(Vec::new()), "pie", "fixed address");
    assert_eq!(said(&fixed, &unknown(vec![X86_64]), "pie").detail(), excuse);
    let free = Builder::with_dynamic(&[(0x6fff_fffb, 0x0800_0000)], &[], 5);
    assert_eq!(said(&free, &of(true), "pie").detail(), "position-independent");
}

#[test]
fn relro() {
    let plain = writable();
    assert_only_fails(&plain.build(), "relro", "no PT_GNU_RELRO header");
    assert_eq!(said(&Builder::exit_7(), &no_run(), "relro").detail(), "nothing in it is writable");
    let mut declared = writable();
    declared.segments.push((GNU_RELRO, 4, BODY + 16, 16));
    assert_eq!(said(&declared, &no_run(), "relro").detail(), "declared, 16 B");
    // With an interpreter, functions of libraries would be looked up while it runs.
    let lazy = |flags: u64| {
        let mut builder = Builder::with_dynamic(&[(30, flags)], b"/lib/ld-musl-x86_64.so.1\0", 5);
        builder.segments.push((PT_INTERP, 4, BODY + 0x200, 25));
        builder.segments.push((PT_LOAD, 6, BODY + 16, 32));
        builder.segments.push((GNU_RELRO, 4, BODY + 16, 16));
        builder
    };
    assert_fails(&lazy(0), &no_run(), "relro", "no DF_BIND_NOW");
    assert_eq!(said(&lazy(8), &no_run(), "relro").detail(), "full, 16 B");
}

#[test]
fn stack_size() {
    let with = |size: u64| {
        let mut builder = Builder::exit_7();
        builder.segments[1] = (GNU_STACK, 6, 0, size);
        builder
    };
    assert_fails(&with(0), &of(false), "stack-size", "for which musl gives threads 128 KiB");
    assert_fails(
        &with(1 << 20),
        &of(false),
        "stack-size",
        "names 1 MiB; the target's row has 8 MiB",
    );
    assert_eq!(said(&with(MIB_8), &of(false), "stack-size"), Outcome::Passed("8 MiB".to_owned()));
    let unknown = said(&with(MIB_8), &no_run(), "stack-size");
    assert!(matches!(&unknown, Outcome::Skipped(text) if text.contains("8 MiB")), "{unknown:?}");
}

#[test]
fn rpath() {
    let strings = b"\0$ORIGIN/../lib\0/opt/lib\0";
    let at = BASE + BODY + 0x200;
    let end = strings.len() as u64;
    for (entries, words) in [
        (vec![(15, 1), (5, at), (10, end)], "RPATH $ORIGIN/../lib"),
        (vec![(29, 16), (5, at), (10, end)], "RUNPATH /opt/lib"),
    ] {
        assert_only_fails(&Builder::with_dynamic(&entries, strings, 5).build(), "rpath", words);
    }
}

/// A library and names of versions; the numbers below are their places.
const VERSIONS: &[u8] = b"\0libc.so.6\0GLIBC_2.34\0GLIBC_2.9\0OWN_1\0\0\0";

/// A program that asks for two versions of one library, in a list as linkers write it.
fn with_versions(names: [u32; 2]) -> Builder {
    let mut bytes = VERSIONS.to_vec();
    let place = bytes.len() as u64;
    assert!(place.is_multiple_of(4));
    let words: [u32; 12] = [1 | 2 << 16, 1, 16, 0, 0, 0, names[0], 16, 0, 0, names[1], 0];
    bytes.extend(words.into_iter().flat_map(u32::to_le_bytes));
    let at = BASE + BODY + 0x200;
    let entries =
        [(5, at), (10, VERSIONS.len() as u64), (0x6fff_fffe, at + place), (0x6fff_ffff, 1)];
    Builder::with_dynamic(&entries, &bytes, 5)
}

#[test]
fn glibc() {
    let newest = "it needs glibc 2.34 or newer: libc.so.6 must have GLIBC_2.34";
    assert_only_fails(&with_versions([11, 22]).build(), "glibc", newest);
    assert_only_fails(&with_versions([22, 11]).build(), "glibc", newest);
    let other = said(&with_versions([32, 32]), &no_run(), "glibc");
    assert_eq!(other, Outcome::Passed("none of its versions is asked for".to_owned()));
    let mut beyond = with_versions([11, 22]);
    let place = 0x200 + VERSIONS.len() + 8;
    beyond.body[place..place + 4].fill(0xff);
    assert_fails(&beyond, &no_run(), "elf", "a version at address");
}

/// Numbers that lead anywhere, also back to themselves, end in an outcome.
#[test]
fn no_mutation_of_versions_and_texts_is_a_panic() {
    let mut state = 7_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let texts =
        b"Compiled Mon Jul 14 12:00:00 UTC 2025\0 2025-07-14T12:00:00 OpenSSL 3.0.0 1 Jan 2025\0\
        OPENSSLDIR: \"/a\"\0/a/certs\0/a/cert.pem\0";
    let good = [with_versions([11, 22]), with_text(texts)];
    let mut noticed = 0;
    for round in 0..1000 {
        let builder = &good[round % 2];
        let mut bytes = builder.build();
        for _ in 0..=next() % 3 {
            let place = (BODY as usize) + next() % builder.body.len();
            bytes[place] = [0, 0xff, 1, b' ', b'2', next() as u8][next() % 6];
        }
        if next() % 8 == 0 {
            let length = BODY as usize + next() % builder.body.len();
            bytes.truncate(length);
        }
        let checkup = examine_bytes(&bytes, &no_run());
        noticed += usize::from(matches!(outcome(&checkup, "elf"), Outcome::Failed(_)));
    }
    assert!(noticed > 25, "only {noticed} of the mutations were noticed");
}

#[test]
fn libc() {
    let musl = b"\0Result not representable\0Not a tty\0";
    let glibc = b"\0Fatal glibc error: %s\0";
    let both = [&musl[..], glibc].concat();
    assert_only_fails(&with_text(&both).build(), "libc", "musl and glibc at once");
    assert_eq!(said(&with_text(musl), &of(false), "libc").detail(), "musl");
    assert_eq!(said(&with_text(glibc), &no_run(), "libc").detail(), "glibc");
    assert_fails(&with_text(glibc), &of(false), "libc", "glibc, and the target's is musl");
    let none = said(&Builder::exit_7(), &of(false), "libc");
    assert!(matches!(&none, Outcome::Skipped(text) if text.contains("not known")), "{none:?}");
    let go = said(&with_text(b"\xff Go buildinf:"), &no_run(), "libc");
    assert!(go.detail().contains("Go's runtime"), "{go:?}");
}

#[test]
fn unwinder() {
    let mut two = with_text(b"LIBUNWIND_PRINT_APIS");
    assert_eq!(said(&two, &no_run(), "unwinder").detail(), "LLVM's libunwind");
    let strings = b"\0libgcc_s.so.1\0LIBUNWIND_PRINT_APIS\0";
    let at = BASE + BODY + 0x200;
    two = Builder::with_dynamic(&[(1, 1), (5, at), (10, strings.len() as u64)], strings, 5);
    assert_fails(&two, &no_run(), "unwinder", "LLVM's libunwind and the machine's libgcc_s.so.1");
    let none = said(&Builder::exit_7(), &no_run(), "unwinder");
    assert!(matches!(none, Outcome::Skipped(_)), "{none:?}");
}

#[test]
fn build_id() {
    let mut builder = Builder::exit_7();
    builder.body.resize(16, 0);
    builder.body.extend([4u32, 4, 3].into_iter().flat_map(u32::to_le_bytes));
    builder.body.extend(b"GNU\0\xde\xad\xbe\xef");
    builder.segments.push((PT_NOTE, 4, BODY + 16, 20));
    assert_only_fails(&builder.build(), "build-id", "deadbeef: a hash");
    // Any other note is no build id.
    builder.body[24] = 1;
    assert_eq!(said(&builder, &no_run(), "build-id").detail(), "none");
}

#[test]
fn timestamp() {
    assert_only_fails(&with_text(b"Jul 14 2025").build(), "timestamp", "\"Jul 14 2025\"");
    let fixed = Expectation { fixed_times: vec![946_684_800], ..no_run() };
    let same = said(&with_text(b"Jan  1 2000"), &fixed, "timestamp");
    assert_eq!(same.detail(), "only that of SOURCE_DATE_EPOCH");
}

#[test]
fn openssl_dir() {
    let printed = with_text(b"OPENSSLDIR: \"/opt/ssl\"");
    assert_only_fails(&printed.build(), "openssl-dir", "in /opt/ssl");
    let opened = with_text(b"/opt/ssl/certs\0/opt/ssl/cert.pem");
    assert_only_fails(&opened.build(), "openssl-dir", "in /opt/ssl");
    for (text, detail) in [
        (&b"OPENSSLDIR: \"/etc/ssl\""[..], "/etc/ssl"),
        (b"/etc/ssl/certs\0/etc/ssl/cert.pem", "/etc/ssl"),
        (b"/etc/pki/cert.pem", "no OpenSSL in it"),
        (b"OPENSSLDIR: \"%s", "no OpenSSL in it"),
        (
            b"OpenSSL 1.1.1w  11 Sep 2023",
            "OpenSSL 1.1.1w  11 Sep 2023 is named, but no folder of its",
        ),
    ] {
        assert_eq!(said(&with_text(text), &no_run(), "openssl-dir").detail(), detail);
    }
}

#[test]
fn whose_malloc_is_a_fact() {
    let fact = |text: &[u8]| {
        let checkup = examine_bytes(&with_text(text).build(), &no_run());
        checkup.facts.into_iter().find(|fact| fact.name == "malloc").unwrap().value
    };
    assert_eq!(fact(b"<jemalloc>: %s"), "jemalloc");
    assert_eq!(fact(b"\xff Go buildinf:"), "Go's own");
    assert_eq!(fact(b"mimalloc: warning: \0malloc(): corrupted top size"), "glibc's and mimalloc");
    assert!(fact(b"").starts_with("not known"));
}

fn allowed(reasons: &[(&str, &str)]) -> Result<Allowed, Failure> {
    let reasons: BTreeMap<_, _> =
        reasons.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned())).collect();
    Allowed::new(&reasons, Path::new("app/Cargo.toml"))
        .map_err(|error| error.downcast::<Failure>().unwrap())
}

#[test]
fn a_check_may_fail_with_a_reason() {
    let allowed = allowed(&[("stack", "a JIT of its own"), ("rpath", "none is there")]).unwrap();
    let mut builder = Builder::exit_7();
    builder.segments[1] = (GNU_STACK, 7, 0, 0);
    let mut checkup = examine_bytes(&builder.build(), &no_run());
    assert!(checkup.clone().into_checked().is_err());
    allowed.apply(&mut checkup);
    assert!(
        matches!(outcome(&checkup, "stack"), Outcome::Allowed(text) if text.contains("executable"))
    );
    assert_eq!(
        allowed.unneeded(&[&checkup], "x"),
        [
            "`allow.rpath` in app/Cargo.toml allows what did not fail for x: take it out if no other \
          target needs it"
        ]
    );
    let text = table(&checkup);
    assert!(text.contains("\n  stack        allowed  the stack is executable"), "{text}");
    assert!(text.contains("\n                        allowed: a JIT of its own\n"), "{text}");
    let json = serde_json::to_value(&checkup).unwrap();
    let stack = json["checks"].as_array().unwrap().iter().find(|it| it["name"] == "stack").unwrap();
    assert_eq!(
        (&stack["outcome"], &stack["reason"]),
        (&"allowed".into(), &"a JIT of its own".into())
    );
    let checked = checkup.into_checked().unwrap();
    let named = checked.checks().find(|(name, ..)| *name == "stack").unwrap();
    assert_eq!(named, ("stack", "allowed", Some("a JIT of its own")));
    // Another check may not.
    let mut other = examine_bytes(&with_text(b"Jul 14 2025").build(), &no_run());
    allowed.apply(&mut other);
    assert!(other.into_checked().is_err());
}

#[test]
fn what_allows_nothing_is_a_mistake() {
    for (name, reason, words) in [
        ("stacks", "because", "`allow` in app/Cargo.toml names `stacks`, which is no check"),
        ("stack", "  ", "`allow.stack` in app/Cargo.toml has no reason"),
        ("elf", "because", "which nothing can allow"),
    ] {
        let failure = allowed(&[(name, reason)]).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.message.contains(words), "{}", failure.message);
    }
    let failure = allowed(&[("stacks", "because")]).unwrap_err();
    assert!(failure.help.iter().any(|help| help.contains("did you mean `stack`?")));
}

#[test]
fn what_failed_says_what_to_do() {
    let checkup = examine_bytes(&with_text(b"Jul 14 2025").build(), &no_run());
    let text = table(&checkup);
    assert!(text.contains("\n                        → leave `__DATE__` out"), "{text}");
    assert!(text.contains("1 FAILED (timestamp)"), "{text}");
    let json = serde_json::to_value(&checkup).unwrap();
    let with_help = json["checks"].as_array().unwrap().iter().filter(|it| it["help"].is_string());
    assert_eq!(with_help.count(), 1);
}

/// The documented tables are those of the code.
#[test]
fn every_check_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read_to_string(root.join("docs/manifest.md")).unwrap();
    let rows = text.lines().skip_while(|line| *line != "| check | passes when |").skip(2);
    for (row, check) in rows.zip(CHECKS) {
        let expected = format!("| `{}` | {}", check.name, check.passes);
        assert!(row.starts_with(&expected), "{row}\nis not\n{expected}");
    }
}
