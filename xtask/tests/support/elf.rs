//! ELF files written byte by byte, and checks of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use xtask::check::{Checkup, Expectation, Linking, Outcome, RunPolicy, examine, table};
use xtask::target::{Endian, Machine};

pub const X86_64: Machine = Machine { elf: 62, bits: 64, endian: Endian::Little };
pub const PT_LOAD: u32 = 1;
pub const PT_DYNAMIC: u32 = 2;
pub const PT_INTERP: u32 = 3;
pub const GNU_STACK: u32 = 0x6474_e551;
pub const BASE: u64 = 0x40_0000;
/// Where the first segment's own bytes begin: behind room for eight program headers.
pub const BODY: u64 = 0x400;

/// An ELF file of one piece, loaded as a whole by the segments that say so.
pub struct Builder {
    pub machine: Machine,
    pub flags: u32,
    pub file_type: u16,
    /// Kind, flags, offset in the file, size.
    pub segments: Vec<(u32, u32, u64, u64)>,
    pub body: Vec<u8>,
}

impl Builder {
    /// A program that ends at once with exit code 7.
    pub fn exit_7() -> Self {
        let code = [0xb8, 60, 0, 0, 0, 0xbf, 7, 0, 0, 0, 0x0f, 0x05];
        let end = BODY + code.len() as u64;
        let segments = vec![(PT_LOAD, 5, 0, end), (GNU_STACK, 6, 0, 0)];
        Self { machine: X86_64, flags: 0, file_type: 2, segments, body: code.to_vec() }
    }

    /// The same with a dynamic table of these pairs behind the code, then `data`.
    pub fn with_dynamic(entries: &[(u64, u64)], data: &[u8], flags: u32) -> Self {
        let mut builder = Self::exit_7();
        builder.file_type = 3;
        builder.body.resize(16, 0);
        let table: Vec<u8> = entries
            .iter()
            .chain(&[(0, 0)])
            .flat_map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()])
            .flatten()
            .collect();
        let (at, size) = (BODY + 16, table.len() as u64);
        builder.body.extend(table);
        assert!(builder.body.len() <= 0x200);
        builder.body.resize(0x200, 0);
        builder.body.extend(data);
        builder.segments[0].1 = flags;
        builder.segments[0].3 = BODY + builder.body.len() as u64;
        builder.segments.push((PT_DYNAMIC, 6, at, size));
        builder
    }

    pub fn build(&self) -> Vec<u8> {
        let wide = self.machine.bits == 64;
        let big = self.machine.endian == Endian::Big;
        let mut file = Vec::new();
        let put = |file: &mut Vec<u8>, value: u64, size: usize| {
            let bytes = value.to_be_bytes();
            let bytes = &bytes[8 - size..];
            if big { file.extend(bytes) } else { file.extend(bytes.iter().rev()) }
        };
        let word = if wide { 8 } else { 4 };
        file.extend([0x7f, b'E', b'L', b'F', if wide { 2 } else { 1 }, if big { 2 } else { 1 }, 1]);
        file.resize(16, 0);
        for (value, size) in [
            (self.file_type.into(), 2),
            (self.machine.elf.into(), 2),
            (1, 4),
            (BASE + BODY, word),
            (if wide { 64 } else { 52 }, word),
            (0, word),
            (self.flags.into(), 4),
            (if wide { 64 } else { 52 }, 2),
            (if wide { 56 } else { 32 }, 2),
            (self.segments.len() as u64, 2),
            (0, 2),
            (0, 2),
            (0, 2),
        ] {
            put(&mut file, value, size);
        }
        for (kind, flags, offset, size) in self.segments.iter().copied() {
            let (kind, flags, address) =
                ((kind.into(), 4), (flags.into(), 4), BASE.wrapping_add(offset));
            let middle =
                [(offset, word), (address, word), (address, word), (size, word), (size, word)];
            let align = (if kind.0 == 4 { 4 } else { 0x1000 }, word);
            let fields: Vec<(u64, usize)> = match wide {
                true => [kind, flags].into_iter().chain(middle).chain([align]).collect(),
                false => [kind].into_iter().chain(middle).chain([flags, align]).collect(),
            };
            fields.into_iter().for_each(|(value, size)| put(&mut file, value, size));
        }
        assert!(file.len() as u64 <= BODY);
        file.resize(BODY as usize, 0);
        file.extend(&self.body);
        file
    }
}

pub fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned()
}

pub fn examine_bytes(bytes: &[u8], expectation: &Expectation) -> Checkup {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let file = scratch().join(format!("crafted-{}-{number}", std::process::id()));
    fs::write(&file, bytes).unwrap();
    let checkup = examine(&file, expectation).unwrap();
    fs::remove_file(&file).unwrap();
    checkup
}

pub fn no_run() -> Expectation {
    let run = RunPolicy::Never("not in this test".to_owned());
    Expectation {
        machine: None,
        float_abi: None,
        baseline: None,
        linking: Linking::Any,
        fixed_times: Vec::new(),
        forbidden: Vec::new(),
        run,
        oldest_cpu: Err(String::new()),
        memory: None,
    }
}

pub fn outcome(checkup: &Checkup, name: &str) -> Outcome {
    checkup.results.iter().find(|result| result.name == name).unwrap().outcome.clone()
}

/// Asserts that exactly this check fails, with these words in its finding.
#[track_caller]
pub fn assert_only_fails(bytes: &[u8], name: &str, words: &str) {
    let checkup = examine_bytes(bytes, &no_run());
    for result in &checkup.results {
        let failed = matches!(result.outcome, Outcome::Failed(_));
        assert_eq!(failed, result.name == name, "{}", table(&checkup));
    }
    let found = outcome(&checkup, name);
    assert!(found.detail().contains(words), "{words:?} is not in {found:?}");
}
