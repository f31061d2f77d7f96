//! What an instruction of LoongArch takes beyond those of its first CPUs of 64 bits. Each is a word of
//! 32 bits, and extensions have ranges of their own.

use std::ops::RangeInclusive;

/// By what the words take, in LLVM's names: as its assembler of 22.1 spreads the mnemonics. `la64v1.1`
/// are those of that version that have no name of their own.
const RANGES: [(&str, RangeInclusive<u32>); 23] = [
    ("lsx", 0x0910_0000..=0x09ef_ffff),
    ("lsx", 0x0c50_0000..=0x0c6c_ffff),
    ("lsx", 0x0d10_0000..=0x0d1f_ffff),
    ("lsx", 0x0d50_0000..=0x0d5f_ffff),
    ("lsx", 0x2c00_0000..=0x2c7f_ffff),
    ("lsx", 0x3010_0000..=0x31bf_ffff),
    ("lsx", 0x3840_0000..=0x3844_7fff),
    ("lsx", 0x7000_0000..=0x73ff_ffff),
    ("lasx", 0x0a10_0000..=0x0aef_ffff),
    ("lasx", 0x0c90_0000..=0x0cac_ffff),
    ("lasx", 0x0d20_0000..=0x0d2f_ffff),
    ("lasx", 0x0d60_0000..=0x0d6f_ffff),
    ("lasx", 0x2c80_0000..=0x2cff_ffff),
    ("lasx", 0x3210_0000..=0x33ff_ffff),
    ("lasx", 0x3848_0000..=0x384c_7fff),
    ("lasx", 0x7400_0000..=0x769f_03ff),
    ("lasx", 0x769f_8000..=0x77ff_ffff),
    ("frecipe", 0x0114_7400..=0x0114_7bff),
    ("frecipe", 0x0114_8400..=0x0114_8bff),
    ("scq", 0x3857_0000..=0x3857_7fff),
    ("la64v1.1", 0x3857_8000..=0x3857_ffff),
    ("lamcas", 0x3858_0000..=0x385b_ffff),
    ("lam-bh", 0x385c_0000..=0x385f_ffff),
];

/// What one instruction takes.
pub fn feature(word: u32) -> Option<&'static str> {
    RANGES.iter().find(|(_, range)| range.contains(&word)).map(|(name, _)| *name)
}
