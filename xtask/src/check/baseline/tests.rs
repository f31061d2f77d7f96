//! Programs of a few instructions, and what is said of them.

use super::*;
use crate::check::elf::{Dynamic, Segment};
use crate::linked::Piece;
use crate::target::{Endian, Machine};

/// `vpaddd ymm0, ymm0, ymm0; ret`.
const AVX2: &[u8] = b"\xc5\xfd\xfe\xc0\xc3";
/// `movaps xmm0, xmm1; ret`.
const SSE: &[u8] = b"\x0f\x28\xc1\xc3";
/// `cpuid; ret`.
const CPUID: &[u8] = b"\x0f\xa2\xc3";
/// `ret`.
const RET: &[u8] = b"\xc3";
/// Where the code of every program here is.
const BASE: u64 = 0x1000;

/// A function: its owner's origin, whether it is Rust, its name, its code.
type Function<'a> = (&'a str, bool, &'a str, &'a [u8]);

fn judge(bits: u8, features: &[&str], asking: &[&str], functions: &[Function<'_>]) -> Outcome {
    let mut evidence = Evidence::default();
    let mut data = Vec::new();
    for (index, (from, is_rust, name, code)) in functions.iter().enumerate() {
        let start = BASE + data.len() as u64;
        data.extend_from_slice(code);
        let (from, object) = ((*from).to_owned(), format!("{name}.o"));
        evidence.pieces.owners.push(Owner { from, object, is_rust: *is_rust, place: None });
        let symbols = vec![(start, (*name).to_owned())];
        let range = start..BASE + data.len() as u64;
        evidence.pieces.pieces.push(Piece { range, owner: index, symbols });
    }
    evidence.asking = asking.iter().map(|from| ((*from).to_owned(), String::new())).collect();
    let image = image(bits, data.len() as u64);
    let features = features.iter().map(|name| (*name).to_owned()).collect();
    check_image(&data, &image, &Baseline { features, cpu: None }, Some(&evidence))
}

fn image(bits: u8, size: u64) -> Image {
    let elf = if bits == 64 { EM_X86_64.0 } else { EM_386.0 };
    Image {
        machine: Machine { elf, bits, endian: Endian::Little },
        float_abi: None,
        file_type: object::elf::ET_EXEC,
        entry: BASE,
        segments: vec![Segment {
            kind: PT_LOAD,
            flags: 5,
            offset: 0,
            address: BASE,
            file_size_bytes: size,
            memory_size_bytes: size,
        }],
        interpreter: None,
        dynamic: Dynamic::default(),
        sections: Vec::new(),
        undefined: Vec::new(),
        symbols: None,
        build_id: None,
        relocations: Vec::new(),
    }
}

/// A direct call from `at` to `target`, both counted from the first byte.
fn call(at: i32, target: i32) -> Vec<u8> {
    let mut code = vec![0xe8];
    code.extend((target - at - 5).to_le_bytes());
    code.push(0xc3);
    code
}

fn findings(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed(text) => text,
        other => panic!("{other:?}"),
    }
}

const V1: &[&str] = &["fxsr", "sse", "sse2"];

#[test]
fn c_code_that_asks_nobody_is_found() {
    let bad = judge(64, V1, &[], &[("crate x 1.0.0", false, "sum", AVX2)]);
    let said = findings(&bad);
    let expected = "`sum` in sum.o of crate x 1.0.0 takes avx2, and nothing of crate x 1.0.0 asks \
                    the CPU what it has";
    assert_eq!(said, expected);
    let v3 = ["sse", "sse2", "avx", "avx2"];
    let good = judge(64, &v3, &[], &[("crate x 1.0.0", false, "sum", AVX2)]);
    assert_eq!(good, Outcome::Passed("within the target's baseline".to_owned()));
}

#[test]
fn an_i586_has_no_sse() {
    let code = [("crate x 1.0.0", false, "copy", SSE)];
    assert!(findings(&judge(32, &[], &[], &code)).contains("`copy` in copy.o"));
    assert_eq!(judge(32, V1, &[], &code).word(), "ok");
    // `cmov eax, ecx`: every CPU with SSE has it, an i586 not.
    let code = [("crate x 1.0.0", false, "choose", &b"\x0f\x44\xc1\xc3"[..])];
    assert!(findings(&judge(32, &[], &[], &code)).contains("takes cmov"));
    assert_eq!(judge(32, V1, &[], &code).word(), "ok");
}

#[test]
fn a_library_that_asks_may_take_more_but_not_where_others_enter() {
    let library = "recipe a 1";
    let asks = (library, false, "which", CPUID);
    let rust = ("program", true, "start", RET);
    let good = judge(64, V1, &[], &[asks, (library, false, "fast", AVX2), rust]);
    let words = "within the target's baseline; more after asking the CPU: recipe a 1 (avx2)";
    assert_eq!(good, Outcome::Passed(words.to_owned()));
    // Its own code may call what takes more.
    let at = i32::try_from(CPUID.len()).unwrap();
    let (own, target) = (call(at, at + 6), (library, false, "fast", AVX2));
    let good = judge(64, V1, &[], &[asks, (library, false, "choose", &own), target]);
    assert_eq!(good.word(), "ok");
    // Others may not.
    let code = [asks, ("crate y 2.0.0", true, "use", &own), target];
    let bad = judge(64, V1, &[], &code);
    assert!(findings(&bad).ends_with(
        "is called from use.o of crate y 2.0.0, which does not ask the CPU what it has"
    ));
    // Unless the Rust half of the library's crate asks, or the author says so.
    assert_eq!(judge(64, V1, &[library], &code).word(), "ok");
    let another = [("recipe b 1", false, "which", CPUID), target];
    assert_eq!(judge(64, V1, &[], &another).word(), "FAILED", "asked by another library");
}

#[test]
fn rust_asks_by_its_own_rules_but_not_in_what_can_never_be_marked() {
    let good = judge(64, V1, &[], &[("program", true, "_ZN3app3sum17h0E", AVX2)]);
    let words = "within the target's baseline; more after asking the CPU: Rust code (avx2)";
    assert_eq!(good, Outcome::Passed(words.to_owned()));
    let glue = "_ZN4core3ptr32drop_in_place$LT$app..Big$GT$17h0E";
    let bad = judge(64, V1, &[], &[("program", true, glue, AVX2)]);
    assert!(findings(&bad).ends_with("takes avx2: rustc was told of a newer CPU for all code"));
}

#[test]
fn data_between_functions_hides_no_function_behind_it() {
    // A table that ends as a long instruction begins, then a function.
    let code: Vec<u8> = [b"\xc3\x00\x48\xb8", AVX2].concat();
    let mut evidence = Evidence::default();
    let from = "crate x 1.0.0".to_owned();
    let object = "x.o".to_owned();
    evidence.pieces.owners.push(Owner { from, object, is_rust: false, place: None });
    let symbols = vec![(BASE, "plain".to_owned()), (BASE + 4, "sum".to_owned())];
    let range = BASE..BASE + code.len() as u64;
    evidence.pieces.pieces.push(Piece { range, owner: 0, symbols });
    let image = image(64, code.len() as u64);
    let outcome = check_image(&code, &image, &Baseline::default(), Some(&evidence));
    assert!(findings(&outcome).starts_with("`sum` in x.o"), "{outcome:?}");
}

#[test]
fn without_a_map_only_a_program_that_never_asks_is_refused() {
    let outcome = |code: &[u8]| {
        let image = image(64, code.len() as u64);
        check_image(code, &image, &Baseline::default(), None)
    };
    assert_eq!(outcome(RET).word(), "ok");
    assert!(findings(&outcome(AVX2)).contains("takes avx2"));
    assert_eq!(outcome(&[AVX2, CPUID].concat()).word(), "skipped");
}

#[test]
fn instructions_have_lengths_and_features() {
    use x86::decode;
    for (is_64, code, length, needs) in [
        (true, &b"\x90"[..], 1, &[][..]),
        (true, b"\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10, &[]),
        (false, b"\x48", 1, &[]),
        (true, b"\x66\x0f\x1f\x84\0\0\0\0\0", 9, &["nopl"]),
        (true, b"\xf3\x0f\x1e\xfa", 4, &["nopl"]),
        (true, b"\xf3\x0f\xbc\xc1", 4, &[]),
        (true, b"\xf3\x0f\xbd\xc1", 4, &["lzcnt"]),
        (true, b"\xf3\x0f\xb8\xc1", 4, &["popcnt"]),
        (true, b"\xf2\x0f\x10\x05\0\0\0\0", 8, &["sse2"]),
        (true, b"\x66\x0f\x3a\x0f\xc1\x08", 6, &["ssse3"]),
        (true, b"\x66\x0f\x38\xdc\xc1", 5, &["aes"]),
        (true, b"\xf0\x48\x0f\xc7\x0e", 5, &["cmpxchg16b"]),
        (true, b"\xc5\xf8\x77", 3, &["avx"]),
        (true, b"\xc5\xfd\xfe\xc0", 4, &["avx2"]),
        (true, b"\xc4\xe2\x7d\xb8\xc1", 5, &["fma"]),
        (true, b"\xc4\xe2\xf3\xf7\xc0", 5, &["bmi2"]),
        (true, b"\x62\xf1\x7d\x48\xfe\xc0", 6, &["avx512f"]),
        (false, b"\xc5\x06", 2, &[]),
        (false, b"\xdf\xe9", 2, &["cmov"]),
        (false, b"\x66\xe8\x01\x02", 4, &[]),
    ] {
        let it = decode(code, is_64).unwrap();
        assert_eq!((it.length, &it.needs.names()[..]), (length, needs), "{code:x?}");
        if length > 1 {
            assert!(decode(&code[..length - 1], is_64).is_none(), "{code:x?} cut short");
        }
    }
    assert!(decode(b"\x06", false).is_some() && decode(b"\x0f\xa2", true).unwrap().asks);
    assert!(decode(&[0x66; 20], true).is_none());
}

/// What a variable without bytes in the file seems to hold is what stands behind the segment: here, as
/// in every program with a table of symbols, the address of a function.
#[test]
fn memory_that_begins_as_zeros_holds_no_address() {
    const ZEROS: u64 = 0x9000;
    let code = |place: u64| {
        let distance = i32::try_from(place - (BASE + 7)).unwrap();
        [&[0x48, 0x8b, 0x05][..], &distance.to_le_bytes(), RET, AVX2, CPUID].concat()
    };
    let said = |place: u64, is_in_file: bool| {
        let code = code(place);
        let size = code.len() as u64;
        let mut evidence = Evidence::default();
        for (index, (from, start, end)) in
            [("rust", 0, 8), ("recipe x 1", 8, 13), ("recipe x 1", 13, size)].iter().enumerate()
        {
            let (from, object) = ((*from).to_owned(), format!("{index}.o"));
            evidence.pieces.owners.push(Owner { from, object, is_rust: index == 0, place: None });
            let range = BASE + start..BASE + end;
            evidence.pieces.pieces.push(Piece { range, owner: index, symbols: Vec::new() });
        }
        let mut image = image(64, size);
        let file_size_bytes = if is_in_file { 8 } else { 0 };
        let (offset, memory_size_bytes) = (size, 16);
        let zeros = Segment {
            flags: 6,
            offset,
            address: ZEROS,
            file_size_bytes,
            memory_size_bytes,
            ..image.segments[0]
        };
        image.segments.push(zeros);
        let data = [&code[..], &(BASE + 8).to_le_bytes()].concat();
        let features = V1.iter().map(|name| (*name).to_owned()).collect();
        check_image(&data, &image, &Baseline { features, cpu: None }, Some(&evidence))
    };
    assert!(findings(&said(ZEROS, true)).contains("called from 0.o of rust"));
    assert!(matches!(said(ZEROS, false), Outcome::Passed(_)), "{:?}", said(ZEROS, false));
}
