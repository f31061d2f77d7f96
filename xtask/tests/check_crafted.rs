//! Checks against ELF files written byte by byte: no compiler needed, and what none would make.
#![allow(clippy::disallowed_macros, reason = "tests print for themselves")]

#[path = "support/elf.rs"]
mod elf;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use xtask::check::baseline::Baseline;
use xtask::check::{
    CHECKS, Expectation, Forbidden, Outcome, RunPolicy, TIME_LIMIT, examine,
    forbidden_of_this_machine, table,
};
use xtask::emulator::{Emulator, Missing};
use xtask::exit::Exit;
use xtask::layout::{Store, remove_tree};
use xtask::rust::Memory;
use xtask::target::{Endian, FloatAbi, Machine};

use elf::{
    BASE, BODY, Builder, GNU_STACK, PT_INTERP, PT_LOAD, X86_64, assert_only_fails, examine_bytes,
    no_run, outcome, scratch,
};

const MIPS_ABIFLAGS: u32 = 0x7000_0003;

fn run_here() -> RunPolicy {
    RunPolicy::EmptyRoot { scratch: scratch(), limit: TIME_LIMIT }
}

#[test]
fn a_sound_program_passes_and_runs_in_an_empty_root() {
    let run = run_here();
    let forbidden = forbidden_of_this_machine(&[("the workspace", scratch())]);
    let expectation = Expectation {
        machine: Some(X86_64),
        baseline: Some(Baseline::default()),
        forbidden,
        run,
        ..no_run()
    };
    let checkup = examine_bytes(&Builder::exit_7().build(), &expectation);
    let checked = checkup.clone().into_checked().unwrap();
    let names: Vec<_> = checked.checks().map(|(name, ..)| name).collect();
    assert_eq!(names, CHECKS.map(|check| check.name));
    match outcome(&checkup, "empty-root") {
        Outcome::Skipped(reason) => eprintln!("SKIPPED: running it: {reason}"),
        other => assert_eq!(other, Outcome::Passed("exit code 7".to_owned())),
    }
}

#[test]
fn a_program_that_never_ends_has_started_well() {
    let mut builder = Builder::exit_7();
    // pause() in a loop.
    builder.body = vec![0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7, 0, 0, 0];
    let run = RunPolicy::EmptyRoot { scratch: scratch(), limit: Duration::from_millis(300) };
    let checkup = examine_bytes(&builder.build(), &Expectation { run, ..no_run() });
    match outcome(&checkup, "empty-root") {
        Outcome::Skipped(reason) => eprintln!("SKIPPED: running it: {reason}"),
        other => assert_eq!(other, Outcome::Passed("still running after 0.3 s".to_owned())),
    }
}

/// HADDPS is of SSE3, which the first x86_64 had not.
#[test]
fn an_instruction_that_the_oldest_cpu_lacks_is_found_by_running_it() {
    let wanted = xtask::target::Emulator {
        program: "qemu-x86_64".to_owned(),
        cpu: "qemu64,-sse3".to_owned(),
        since: None,
    };
    let emulator = match Emulator::find(&wanted) {
        Ok(emulator) => emulator,
        Err(missing) => return eprintln!("SKIPPED: the oldest CPU: {missing}"),
    };
    let plain = Builder::exit_7();
    let mut newer = Builder::exit_7();
    newer.body.splice(0..0, [0xf2, 0x0f, 0x7c, 0xc0]);
    newer.segments[0].3 += 4;
    let expectation = Expectation { run: run_here(), oldest_cpu: Ok(emulator), ..no_run() };
    let said =
        |builder: &Builder| outcome(&examine_bytes(&builder.build(), &expectation), "oldest-cpu");
    match (said(&plain), said(&newer)) {
        (Outcome::Skipped(reason), _) => eprintln!("SKIPPED: running it: {reason}"),
        (plain, newer) => {
            let how = "exit code 7 (qemu-x86_64 -cpu qemu64,-sse3)";
            assert_eq!(plain, Outcome::Passed(how.to_owned()));
            assert!(matches!(&newer, Outcome::Failed(why) if why.contains("SIGILL")), "{newer:?}");
        }
    }
}

/// The emulator is a program that ends at once. Where no folder can be made, nothing was started.
#[test]
fn what_an_emulator_ran_well_it_does_not_run_again() {
    let folder = scratch().join(format!("remembered-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join("emulator");
    let next = folder.join("next");
    let install = |bytes: &[u8]| {
        fs::write(&next, bytes).unwrap();
        fs::set_permissions(&next, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(&next, &program).unwrap();
    };
    let bytes = Builder::exit_7().build();
    install(&bytes);
    let memory = Some(Memory::new(&Store::open(&folder.join("store")).unwrap(), true));
    let emulator = Emulator { program: program.clone(), arguments: Vec::new() };
    let known = Expectation { oldest_cpu: Ok(emulator), memory, run: run_here(), ..no_run() };
    let nowhere = RunPolicy::EmptyRoot { scratch: folder.join("none"), limit: TIME_LIMIT };
    let blind = Expectation { run: nowhere, ..known.clone() };
    let said = |expectation| outcome(&examine_bytes(&bytes, expectation), "oldest-cpu");
    assert!(matches!(said(&blind), Outcome::Skipped(_)), "nothing is known yet");
    match said(&known) {
        Outcome::Skipped(reason) => eprintln!("SKIPPED: running it: {reason}"),
        first => {
            assert!(matches!(first, Outcome::Passed(_)), "{first:?}");
            assert_eq!(said(&blind), first);
            install(&bytes);
            assert!(matches!(said(&blind), Outcome::Skipped(_)), "another emulator");
        }
    }
    remove_tree(&folder).unwrap();
}

#[test]
fn a_cpu_that_the_emulator_has_not_is_found_out() {
    let find = |cpu: &str| {
        let program = "qemu-x86_64".to_owned();
        let wanted = xtask::target::Emulator { program, cpu: cpu.to_owned(), since: None };
        Emulator::find(&wanted)
    };
    let missing = match find("no-such-cpu") {
        Err(Missing::NotInstalled { program }) => {
            return eprintln!("SKIPPED: a CPU that is not there: no {program}");
        }
        other => other.unwrap_err(),
    };
    assert!(missing.to_string().contains("no-such-cpu"), "{missing}");
    assert_eq!(find("qemu64,-sse3").unwrap().arguments, ["-cpu", "qemu64,-sse3"]);
}

#[test]
fn a_failure_lists_every_finding_and_has_its_exit_code() {
    let mut builder = Builder::exit_7();
    builder.segments = vec![(PT_LOAD, 7, 0, BODY + 12)];
    let failure = examine_bytes(&builder.build(), &no_run()).into_checked().unwrap_err();
    assert_eq!(failure.exit, Exit::CheckFailed);
    let mut lines = failure.message.lines().filter(|line| !line.starts_with("    → "));
    assert!(lines.next().unwrap().ends_with("failed 2 checks"));
    assert!(lines.next().unwrap().starts_with("  stack: the PT_GNU_STACK header is missing"));
    assert!(lines.next().unwrap().starts_with("  segments: the segment at address 0x400000 "));
    assert_eq!(lines.next(), None);
}

#[test]
fn another_way_to_pass_fractions_is_named() {
    const SOFT: Option<FloatAbi> = Some(FloatAbi::Soft);
    const HARD: Option<FloatAbi> = Some(FloatAbi::Hard);
    const CASES: [(u16, u32, Option<FloatAbi>); 7] = [
        (40, 0x0500_0200, SOFT),
        (40, 0x0500_0400, HARD),
        (40, 0x0500_0000, None),
        (243, 1, SOFT),
        (243, 5, HARD),
        (258, 1, SOFT),
        (258, 3, HARD),
    ];
    let machine = |elf| Machine { elf, ..X86_64 };
    let of = |elf, flags| Builder { machine: machine(elf), flags, ..Builder::exit_7() };
    let mut builders: Vec<_> = CASES.map(|(elf, flags, says)| (of(elf, flags), says)).into();
    for (byte, says) in [(0, None), (3, SOFT), (5, HARD)] {
        let mut builder = of(8, 0);
        let at = BODY + builder.body.len() as u64;
        builder.body.extend([0, 0, 32, 2, 1, 0, 0, byte]);
        builder.segments.push((MIPS_ABIFLAGS, 4, at, 8));
        builders.push((builder, says));
    }
    for (builder, says) in builders {
        for wanted in [SOFT, HARD] {
            let expectation = Expectation { float_abi: wanted, ..no_run() };
            let found = outcome(&examine_bytes(&builder.build(), &expectation), "elf");
            let is_other = says.is_some() && says != wanted;
            assert_eq!(found.detail().contains("fraction"), is_other, "{found:?}");
        }
    }
}

#[test]
fn each_other_kind_of_file_is_named() {
    let text = |file_type| {
        let mut builder = Builder::exit_7();
        builder.file_type = file_type;
        builder.build()
    };
    for (bytes, words) in [
        (b"#!/bin/sh\n".to_vec(), "a script"),
        (b"!<arch>\n".to_vec(), "(.a)"),
        (b"\xcf\xfa\xed\xfe0000".to_vec(), "Mach-O"),
        (b"MZ\x90\0".to_vec(), "PE program"),
        (Vec::new(), "empty"),
        (b"hello".to_vec(), "no known kind"),
        (b"\x7fELF".to_vec(), "broken ELF file"),
        (text(1), "an object file"),
        (text(4), "a core dump"),
        (text(99), "does not know"),
    ] {
        assert_only_fails(&bytes, "elf", words);
    }
}

#[test]
fn another_machine_is_named() {
    let powerpc = Machine { elf: 20, bits: 32, endian: Endian::Big };
    let bytes = Builder { machine: powerpc, ..Builder::exit_7() }.build();
    let run = run_here();
    let any = Expectation { run: run.clone(), ..no_run() };
    let checkup = examine_bytes(&bytes, &any);
    assert_eq!(outcome(&checkup, "elf").detail(), "32-bit big-endian powerpc executable");
    assert!(matches!(outcome(&checkup, "empty-root"), Outcome::Skipped(_)));
    let ours = Expectation { machine: Some(X86_64), ..any };
    let found = outcome(&examine_bytes(&bytes, &ours), "elf");
    let words = "expected 64-bit little-endian x86_64, found 32-bit big-endian powerpc";
    assert!(matches!(&found, Outcome::Failed(text) if text.contains(words)), "{found:?}");
}

#[test]
fn an_interpreter_and_shared_libraries_are_named() {
    let mut builder = Builder::exit_7();
    builder.body.extend(b"/lib/ld-musl-x86_64.so.1\0");
    builder.segments.push((PT_INTERP, 4, BODY + 12, 25));
    assert_only_fails(&builder.build(), "static", "/lib/ld-musl-x86_64.so.1");
    let strings = b"\0libz.so.1\0libssl.so.3\0";
    let at = BASE + BODY + 0x200;
    let entries = [(1, 1), (1, 11), (5, at), (10, strings.len() as u64)];
    let bytes = Builder::with_dynamic(&entries, strings, 5).build();
    assert_only_fails(&bytes, "static", "libz.so.1, libssl.so.3");
}

#[test]
fn relocations_in_read_only_memory_are_found_in_every_table() {
    let at = BASE + BODY + 0x200;
    let code = BASE + BODY;
    let rela: Vec<u8> = [code, 8, 0].iter().flat_map(|word: &u64| word.to_le_bytes()).collect();
    let unpacked = [code, 0b11].map(u64::to_le_bytes).concat();
    for (entries, data, words) in [
        (vec![(7, at), (8, 24), (9, 24)], &rela, "1 of 1"),
        (vec![(23, at), (2, 24), (20, 7)], &rela, "1 of 1"),
        (vec![(17, at), (18, 16), (19, 16)], &rela[..16].to_vec(), "1 of 1"),
        (vec![(36, at), (35, 16), (37, 8)], &unpacked, "2 of 2"),
        (vec![(22, 0)], &Vec::new(), "DT_TEXTREL"),
        (vec![(30, 4)], &Vec::new(), "DT_TEXTREL"),
    ] {
        assert_only_fails(&Builder::with_dynamic(&entries, data, 5).build(), "relocations", words);
    }
    let writable = Builder::with_dynamic(&[(7, at), (8, 24), (9, 24)], &rela, 7).build();
    let checkup = examine_bytes(&writable, &no_run());
    assert_eq!(outcome(&checkup, "relocations").detail(), "1, all in writable memory");
    assert_eq!(outcome(&checkup, "static").detail(), "static-pie");
}

#[test]
fn stacks_and_segments() {
    let patched = |index: usize, segment| {
        let mut builder = Builder::exit_7();
        builder.segments[index] = segment;
        builder.build()
    };
    assert_only_fails(&patched(1, (GNU_STACK, 7, 0, 0)), "stack", "executable");
    assert_only_fails(&patched(1, (PT_LOAD, 4, 0, 64)), "stack", "missing");
    assert_only_fails(
        &patched(0, (PT_LOAD, 7, 0, BODY + 12)),
        "segments",
        "writable and executable",
    );
    assert_only_fails(&patched(0, (PT_LOAD, 6, 0, BODY + 12)), "elf", "nothing to run");
    assert_only_fails(&patched(0, (PT_LOAD, 5, 0, BODY + 13)), "elf", "cut short");
    assert_only_fails(&patched(0, (PT_LOAD, 5, u64::MAX - 3, 9)), "elf", "cut short");
}

#[test]
fn leaks_are_found_in_any_file() {
    let forbidden = vec![
        Forbidden::path("the home folder", "/home/ann"),
        Forbidden::word("the host's name", "apollo7"),
    ];
    let mut builder = Builder::exit_7();
    builder.body.extend(b"\0at /home/ann/src/main.c by ann@apollo7\0");
    let checkup = examine_bytes(&builder.build(), &Expectation { forbidden, ..no_run() });
    let found = outcome(&checkup, "paths");
    let expected = "the home folder (/home/ann) is in the bytes once at offset 0x410: \
        \"at /home/ann/src/main.c by ann@apollo7\"\n\
        the host's name (apollo7) is in the bytes once at offset 0x42c: \
        \"at /home/ann/src/main.c by ann@apollo7\"";
    assert_eq!(found, Outcome::Failed(expected.to_owned()));
}

/// A seeded generator: the same mutations on every machine.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn no_mutation_of_a_file_is_a_panic() {
    let at = BASE + BODY + 0x200;
    let entries = [
        (1, 1),
        (5, at),
        (10, 64),
        (7, at),
        (8, 48),
        (23, at),
        (2, 24),
        (20, 7),
        (17, at),
        (18, 32),
        (36, at),
        (35, 64),
        (30, 8),
    ];
    let crafted = Builder::with_dynamic(&entries, &[1; 64], 5).build();
    let own = fs::read(std::env::current_exe().unwrap()).unwrap();
    let mut state = 42;
    let mut broken = 0;
    for (original, head, rounds) in [(&crafted, crafted.len(), 3000), (&own, 4096, 3)] {
        for _ in 0..rounds {
            let mut bytes = original.clone();
            for _ in 0..=next(&mut state) % 4 {
                let place = next(&mut state) as usize % head;
                let value = next(&mut state);
                let extreme = [0, 0xff, 0x7f, 0x80][value as usize % 4];
                bytes[place] = if value & 64 == 0 { extreme } else { (value >> 8) as u8 };
            }
            if next(&mut state).is_multiple_of(8) {
                bytes.truncate(next(&mut state) as usize % bytes.len());
            }
            let checkup = examine_bytes(&bytes, &no_run());
            broken += u32::from(matches!(outcome(&checkup, "elf"), Outcome::Failed(_)));
        }
    }
    assert!(broken > 100, "only {broken} of the mutations were noticed");
}

#[test]
fn what_is_no_file_is_an_error() {
    for place in [scratch(), scratch().join("absent"), PathBuf::from("/dev/zero")] {
        assert!(examine(&place, &no_run()).is_err(), "{}", place.display());
    }
}

#[test]
fn table_and_json_say_the_same() {
    let checkup = examine_bytes(&Builder::exit_7().build(), &no_run());
    let text = table(&checkup);
    assert!(text.contains("\n  static       ok       static\n"), "{text}");
    assert!(text.contains("\n  empty-root   skipped  not in this test\n"), "{text}");
    let json = serde_json::to_value(&checkup).unwrap();
    assert_eq!(json["checks"][1]["name"], "static");
    assert_eq!(json["checks"][1]["outcome"], "passed");
    assert_eq!(json["checks"][1]["detail"], "static");
    assert_eq!(json["sha256"], checkup.sha256.hex());
}
