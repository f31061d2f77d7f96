//! Opcodes → the features of the CPU that they take.

use super::Prefixes;

/// A set of features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features(u64);

/// All features, by rustc's names as far as it has some; `other` for a few that hardly any program has.
const NAMES: [&str; 42] = [
    "cmov",
    "nopl",
    "mmx",
    "fxsr",
    "sse",
    "sse2",
    "sse3",
    "ssse3",
    "sse4.1",
    "sse4.2",
    "sse4a",
    "popcnt",
    "lzcnt",
    "bmi1",
    "bmi2",
    "movbe",
    "adx",
    "rdrand",
    "rdseed",
    "cmpxchg16b",
    "xsave",
    "aes",
    "pclmulqdq",
    "sha",
    "gfni",
    "f16c",
    "fma",
    "avx",
    "avx2",
    "vaes",
    "vpclmulqdq",
    "avx512f",
    "avx512vbmi",
    "avx512ifma",
    "avx512vnni",
    "avx512bitalg",
    "avx512bf16",
    "avx512fp16",
    "fma4",
    "xop",
    "3dnow",
    "other",
];

macro_rules! constants {
    ($($name:ident = $index:expr),* $(,)?) => {
        #[allow(missing_docs, reason = "each is the name of a feature")]
        impl Features {
            $(pub const $name: Self = Self(1 << $index);)*
        }
    };
}

constants! {
    CMOV = 0, NOPL = 1, MMX = 2, FXSR = 3, SSE = 4, SSE2 = 5, SSE3 = 6, SSSE3 = 7, SSE41 = 8,
    SSE42 = 9, SSE4A = 10, POPCNT = 11, LZCNT = 12, BMI1 = 13, BMI2 = 14, MOVBE = 15, ADX = 16,
    RDRAND = 17, RDSEED = 18, CMPXCHG16B = 19, XSAVE = 20, AES = 21, PCLMULQDQ = 22, SHA = 23,
    GFNI = 24, F16C = 25, FMA = 26, AVX = 27, AVX2 = 28, VAES = 29, VPCLMULQDQ = 30,
    AVX512F = 31, AVX512VBMI = 32, AVX512IFMA = 33, AVX512VNNI = 34, AVX512BITALG = 35,
    AVX512BF16 = 36, AVX512FP16 = 37, FMA4 = 38, XOP = 39, THREE_D_NOW = 40, OTHER = 41,
}

impl Features {
    /// None.
    pub const NONE: Self = Self(0);

    /// The set of these names; a name that no instruction here takes is passed over.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let index = |name: &str| NAMES.iter().position(|known| *known == name);
        names.into_iter().filter_map(index).fold(Self::NONE, |set, it| set.and(Self(1 << it)))
    }

    /// Both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are not in another set.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Their names, oldest first.
    pub fn names(self) -> Vec<&'static str> {
        let has = |index: &usize| self.0 & 1 << index != 0;
        (0..NAMES.len()).filter(has).map(|index| NAMES[index]).collect()
    }
}

const NONE: Features = Features::NONE;
const SSE: Features = Features::SSE;
const SSE2: Features = Features::SSE2;
const AVX: Features = Features::AVX;
const AVX2: Features = Features::AVX2;

/// The x87 instructions that came later.
pub fn of_x87(opcode: u8, modrm: u8) -> Features {
    let is_memory = modrm < 0xc0;
    match (opcode, modrm) {
        (0xda | 0xdb, 0xc0..=0xdf) | (0xdb | 0xdf, 0xe8..=0xf7) => Features::CMOV,
        (0xdb | 0xdd | 0xdf, _) if is_memory && modrm >> 3 & 7 == 1 => Features::SSE3,
        _ => NONE,
    }
}

/// After 0F.
pub fn of_0f(opcode: u8, modrm: u8, prefixes: Prefixes) -> Features {
    let choice = prefixes.choice();
    let by = |plain: Features, narrow: Features| if choice == 0x66 { narrow } else { plain };
    match opcode {
        0x18 if modrm < 0xc0 && modrm >> 3 & 7 < 4 => SSE,
        0x18..=0x1f => Features::NOPL,
        0x40..=0x4f => Features::CMOV,
        0x12 | 0x16 if choice >= 0xf2 => Features::SSE3,
        0x2b if choice >= 0xf2 => Features::SSE4A,
        0x5a | 0x5b | 0xc3 | 0xd4 | 0xd6 | 0xe6 | 0xf4 | 0xfb | 0x6c | 0x6d => SSE2,
        0x10..=0x17 | 0x28..=0x2f | 0x50..=0x5f | 0xc2 | 0xc4..=0xc6 => match choice {
            0x66 | 0xf2 => SSE2,
            _ => SSE,
        },
        0x78 | 0x79 if choice == 0x66 || choice == 0xf2 => Features::SSE4A,
        0x7c | 0x7d | 0xd0 | 0xf0 => Features::SSE3,
        0x70 => {
            if choice == 0 {
                SSE
            } else {
                SSE2
            }
        }
        0x6e | 0x6f | 0x7e | 0x7f => {
            if choice == 0 {
                Features::MMX
            } else {
                SSE2
            }
        }
        0xd7 | 0xda | 0xde | 0xe0 | 0xe3 | 0xe4 | 0xe7 | 0xea | 0xee | 0xf6 | 0xf7 => by(SSE, SSE2),
        0x60..=0x77 | 0xd1..=0xfe => by(Features::MMX, SSE2),
        0xae => of_0fae(modrm, choice),
        0xb8 if choice == 0xf3 => Features::POPCNT,
        0xbd if choice == 0xf3 => Features::LZCNT,
        0xc7 => of_0fc7(modrm, prefixes),
        0xa6 | 0xa7 => Features::OTHER,
        _ => NONE,
    }
}

fn of_0fae(modrm: u8, choice: u8) -> Features {
    match (modrm < 0xc0, modrm >> 3 & 7, choice) {
        (true, 0 | 1, _) => Features::FXSR,
        (true, 2 | 3, _) | (false, 7, 0) => SSE,
        (true, 4..=6, 0) => Features::XSAVE,
        (true, 7, 0) | (false, 5 | 6, 0) => SSE2,
        _ => Features::OTHER,
    }
}

fn of_0fc7(modrm: u8, prefixes: Prefixes) -> Features {
    match (modrm < 0xc0, modrm >> 3 & 7) {
        (true, 1) if prefixes.wide => Features::CMPXCHG16B,
        (true, 3..=5) => Features::XSAVE,
        (false, 6) => Features::RDRAND,
        (false, 7) if prefixes.repeat != 0xf3 => Features::RDSEED,
        (false, 7) => Features::OTHER,
        _ => NONE,
    }
}

/// After 0F 38.
pub fn of_0f38(opcode: u8, prefixes: Prefixes) -> Features {
    match (opcode, prefixes.choice()) {
        (0xf0 | 0xf1, _) if prefixes.repeat == 0xf2 => Features::SSE42,
        (0xf0 | 0xf1, _) => Features::MOVBE,
        (0xf6, 0x66 | 0xf3) => Features::ADX,
        (0x00..=0x0b | 0x1c..=0x1e, _) => Features::SSSE3,
        (0x37, _) => Features::SSE42,
        (0x10..=0x41, _) => Features::SSE41,
        (0xc8..=0xcd, _) => Features::SHA,
        (0xcf, _) => Features::GFNI,
        (0xdb..=0xdf, _) => Features::AES,
        _ => Features::OTHER,
    }
}

/// After 0F 3A.
pub fn of_0f3a(opcode: u8, _: Prefixes) -> Features {
    match opcode {
        0x0f => Features::SSSE3,
        0x44 => Features::PCLMULQDQ,
        0x60..=0x63 => Features::SSE42,
        0x08..=0x42 => Features::SSE41,
        0xcc => Features::SHA,
        0xce | 0xcf => Features::GFNI,
        0xdf => Features::AES,
        _ => Features::OTHER,
    }
}

/// With the prefixes C4 and C5. Nothing for what is no instruction.
pub fn of_vex(map: u8, opcode: u8, modrm: u8, prefixes: Prefixes) -> Option<Features> {
    // Whole numbers in 256 bits came with AVX2.
    let whole = if prefixes.vector == 0 { AVX } else { AVX2 };
    Some(match map {
        1 => match opcode {
            0x41..=0x4b | 0x90..=0x99 => Features::AVX512F,
            0x60..=0x6d | 0x70..=0x76 | 0xd1..=0xd5 | 0xd7..=0xe5 | 0xe8..=0xef | 0xf1..=0xfe => {
                whole
            }
            _ => AVX,
        },
        2 => of_vex_0f38(opcode, modrm, prefixes, whole),
        3 => of_vex_0f3a(opcode, prefixes, whole),
        _ => return None,
    })
}

fn of_vex_0f38(opcode: u8, modrm: u8, prefixes: Prefixes, whole: Features) -> Features {
    match opcode {
        0x0c..=0x0f | 0x17 | 0x2c..=0x2f | 0x41 => AVX,
        0x00..=0x0b | 0x1c..=0x1e | 0x20..=0x35 | 0x37..=0x40 => whole,
        0x13 => Features::F16C,
        0x18..=0x1a if modrm < 0xc0 => AVX,
        0x16
        | 0x18
        | 0x19
        | 0x36
        | 0x45..=0x47
        | 0x58..=0x5a
        | 0x78
        | 0x79
        | 0x8c
        | 0x8e
        | 0x90..=0x93 => AVX2,
        0x96..=0x9f | 0xa6..=0xaf | 0xb6..=0xbf => Features::FMA,
        0xcf => Features::GFNI.and(AVX),
        0xdb => Features::AES.and(AVX),
        0xdc..=0xdf if prefixes.vector == 0 => Features::AES.and(AVX),
        0xdc..=0xdf => Features::VAES.and(AVX),
        0xf2 | 0xf3 => Features::BMI1,
        0xf7 if prefixes.choice() == 0 => Features::BMI1,
        0xf5..=0xf7 => Features::BMI2,
        _ => Features::OTHER,
    }
}

fn of_vex_0f3a(opcode: u8, prefixes: Prefixes, whole: Features) -> Features {
    match opcode {
        0x00..=0x02 | 0x38 | 0x39 | 0x46 => AVX2,
        0x0e | 0x0f | 0x42 | 0x4c => whole,
        0x1d => Features::F16C,
        0x30..=0x33 => Features::AVX512F,
        0x44 if prefixes.vector == 0 => Features::PCLMULQDQ.and(AVX),
        0x44 => Features::VPCLMULQDQ.and(AVX),
        0x48 | 0x49 => Features::XOP,
        0x04..=0x4b | 0x60..=0x63 => AVX,
        0x5c..=0x5f | 0x68..=0x6f | 0x78..=0x7f => Features::FMA4,
        0xce | 0xcf => Features::GFNI.and(AVX),
        0xdf => Features::AES.and(AVX),
        0xf0 => Features::BMI2,
        _ => Features::OTHER,
    }
}

/// With the prefix 62. What all CPUs of a PC with AVX-512 have (f, bw, cd, dq, vl) counts as one.
pub fn of_evex(map: u8, opcode: u8, prefixes: Prefixes) -> Option<Features> {
    const WITH: Features = Features::AVX512F;
    let choice = prefixes.choice();
    Some(match (map, opcode) {
        (5 | 6, _) => Features::AVX512FP16,
        (2, 0x52) if choice == 0xf3 => Features::AVX512BF16,
        (2, 0x72) if choice >= 0xf2 => Features::AVX512BF16,
        (2, 0x50..=0x53) if choice == 0x66 => Features::AVX512VNNI,
        (2, 0x54 | 0x55 | 0x62 | 0x63 | 0x8f) | (2 | 3, 0x70..=0x73) => Features::AVX512BITALG,
        (2, 0x75 | 0x7d | 0x8d) if !prefixes.wide => Features::AVX512VBMI,
        (2, 0x83) => Features::AVX512VBMI,
        (2, 0xb4 | 0xb5) => Features::AVX512IFMA,
        (2, 0xcf) | (3, 0xce | 0xcf) => Features::GFNI.and(WITH),
        (2, 0xdc..=0xdf) => Features::VAES.and(WITH),
        (3, 0x44) => Features::VPCLMULQDQ.and(WITH),
        (1..=3, _) => WITH,
        _ => return None,
    })
}
