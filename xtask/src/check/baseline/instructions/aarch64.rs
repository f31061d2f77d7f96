//! What an instruction of AArch64 takes beyond the first ARMv8, which has NEON and no more. Each is a
//! word of 32 bits, and its class stands in fixed bits.

/// What a class of instructions takes, in rustc's words, and the bits that tell it: a mask and their
/// values (Arm's Architecture Reference Manual for the A profile, C4.1). `sha3` stands for all of the
/// block that SHA-512, SHA-3, SM3 and SM4 share.
const CLASSES: [(&str, u32, u32); 30] = [
    ("crc", 0x7fe0_e000, 0x1ac0_4000),
    ("lse", 0x3fa0_7c00, 0x08a0_7c00),
    ("lse", 0xbfa0_7c00, 0x0820_7c00),
    ("rcpc", 0x3f20_fc00, 0x3820_c000),
    ("lse", 0x3f20_0c00, 0x3820_0000),
    ("rcpc2", 0x3f20_0c00, 0x1900_0000),
    ("aes", 0xffff_cc00, 0x4e28_4800),
    ("aes", 0xbfe0_fc00, 0x0ee0_e000),
    ("sha2", 0xffe0_8c00, 0x5e00_0000),
    ("sha2", 0xffff_cc00, 0x5e28_0800),
    ("sha3", 0xff00_0000, 0xce00_0000),
    ("dotprod", 0x9f20_fc00, 0x0e00_9400),
    ("dotprod", 0x9f00_f400, 0x0f00_e000),
    ("fp16", 0xffe0_0000, 0x1ee0_0000),
    ("fp16", 0x9f60_c400, 0x0e40_0400),
    ("fp16", 0x9f7e_0c00, 0x0e78_0800),
    ("rdm", 0xbf20_f400, 0x2e00_8400),
    ("fcma", 0xbf20_e400, 0x2e00_c400),
    ("sve", 0x1e00_0000, 0x0400_0000),
    ("sme", 0x9e00_0000, 0x8000_0000),
    ("bf16", 0xbfe0_fc00, 0x2e40_fc00),
    ("i8mm", 0xbfe0_fc00, 0x0e80_a400),
    ("i8mm", 0xbfe0_fc00, 0x2e80_a400),
    ("i8mm", 0xbfe0_fc00, 0x0e80_ac00),
    ("jsconv", 0xffff_fc00, 0x1e7e_0000),
    ("paca", 0xffff_fbff, 0xd65f_0bff),
    ("paca", 0xfedf_f800, 0xd61f_0800),
    ("paca", 0xff20_0400, 0xf820_0400),
    ("mops", 0x3b20_0c00, 0x1900_0400),
    // A pair of 128 bits.
    ("lse128", 0xff20_0c00, 0x1920_0000),
];

/// From half precision to another one and back, which the first ARMv8 has: part of a class above.
const FROM_HALF: (u32, u32) = (0xfffe_7c00, 0x1ee2_4000);

/// What one instruction takes.
pub fn feature(word: u32) -> Option<&'static str> {
    let is = |(mask, value): (u32, u32)| word & mask == value;
    if is(FROM_HALF) {
        return None;
    }
    CLASSES.iter().find(|(_, mask, value)| is((*mask, *value))).map(|(name, ..)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What LLVM's assembler makes of one instruction of each kind.
    #[test]
    fn newer_instructions_are_told_from_the_first_ones() {
        const NEWER: [(u32, &str); 40] = [
            (0x9ac2_5c20, "crc"),     // crc32cx w0, w1, x2
            (0xb8e0_0041, "lse"),     // ldaddal w0, w1, [x2]
            (0xf820_8041, "lse"),     // swp x0, x1, [x2]
            (0xb823_109f, "lse"),     // stclr w3, [x4]
            (0x88a0_7c41, "lse"),     // cas w0, w1, [x2]
            (0xc8e0_fc41, "lse"),     // casal x0, x1, [x2]
            (0x4820_7c82, "lse"),     // casp x0, x1, x2, x3, [x4]
            (0xb8bf_c020, "rcpc"),    // ldapr w0, [x1]
            (0x9940_4020, "rcpc2"),   // ldapur w0, [x1, #4]
            (0x4e28_4820, "aes"),     // aese v0.16b, v1.16b
            (0x4e28_7820, "aes"),     // aesimc v0.16b, v1.16b
            (0x0ee2_e020, "aes"),     // pmull v0.1q, v1.1d, v2.1d
            (0x4ee2_e020, "aes"),     // pmull2 v0.1q, v1.2d, v2.2d
            (0x5e02_4020, "sha2"),    // sha256h q0, q1, v2.4s
            (0x5e28_0820, "sha2"),    // sha1h s0, s1
            (0x5e28_2820, "sha2"),    // sha256su0 v0.4s, v1.4s
            (0x5e02_0020, "sha2"),    // sha1c q0, s1, v2.4s
            (0xce62_8020, "sha3"),    // sha512h q0, q1, v2.2d
            (0xce02_0c20, "sha3"),    // eor3 v0.16b, v1.16b, v2.16b, v3.16b
            (0xcec0_8420, "sha3"),    // sm4e v0.4s, v1.4s
            (0x4e82_9420, "dotprod"), // sdot v0.4s, v1.16b, v2.16b
            (0x6fa2_e020, "dotprod"), // udot v0.4s, v1.16b, v2.4b[1]
            (0x1ee2_2820, "fp16"),    // fadd h0, h1, h2
            (0x4e42_1420, "fp16"),    // fadd v0.8h, v1.8h, v2.8h
            (0x6ef9_f820, "fp16"),    // fsqrt v0.8h, v1.8h
            (0x6e82_8420, "rdm"),     // sqrdmlah v0.4s, v1.4s, v2.4s
            (0x25a1_1c00, "sve"),     // whilelo p0.s, x0, x1
            (0xa540_a000, "sve"),     // ld1w {z0.s}, p0/z, [x0]
            (0x8081_2000, "sme"),     // fmopa za0.s, p0/m, p1/m, z0.s, z1.s
            (0x6e42_fc20, "bf16"),    // bfdot v0.4s, v1.8h, v2.8h
            (0x4e82_a420, "i8mm"),    // smmla v0.4s, v1.16b, v2.16b
            (0x4e82_ac20, "i8mm"),    // usmmla v0.4s, v1.16b, v2.16b
            (0x6e82_a420, "i8mm"),    // ummla v0.4s, v1.16b, v2.16b
            (0x1e7e_0020, "jsconv"),  // fjcvtzs w0, d1
            (0xd65f_0bff, "paca"),    // retaa
            (0xd71f_0801, "paca"),    // braa x0, x1
            (0xf820_0420, "paca"),    // ldraa x0, [x1]
            (0x1901_0440, "mops"),    // cpyfp [x0]!, [x1]!, x2!
            (0x19c2_0420, "mops"),    // setp [x0]!, x1!, x2
            (0x6e82_cc20, "fcma"),    // fcmla v0.4s, v1.4s, v2.4s, #90
        ];
        const FIRST: [u32; 54] = [
            0x8b02_0020,
            0xf862_6820,
            0xf840_8c20,
            0xb81f_c020,
            0x885f_7c20,
            0xc85f_fc20,
            0xc800_fc41,
            0x88df_fc20,
            0x889f_fc20,
            0xa9ff_07e0,
            0x1ee2_4020,
            0x1e63_c020,
            0x1ee2_c020,
            0x1e62_2820,
            0x6e22_dc20,
            0x0e22_e020,
            0x4e04_0c00,
            0x4e0c_1c00,
            0x4e02_0020,
            0x4e62_9c20,
            0x6e02_2020,
            0x4cdf_7000,
            0xd503_233f,
            0xd503_245f,
            0xd503_23bf,
            0xd503_203f,
            0xd53b_d040,
            0xd50b_7420,
            0xf980_2000,
            0xb8a2_7820,
            0x6e0c_4420,
            0x5e0c_0420,
            0x1e78_0020,
            0x0e21_7820,
            0x6ea2_b420,
            0x4ea2_bc20,
            0x6eb0_3820,
            0x4fa2_1020,
            0x0e62_d020,
            0x2f72_2020,
            0x1ac2_0c20,
            0x5ac0_0420,
            0x9b02_0c20,
            0x9bc2_7c20,
            0x9a82_0020,
            0xfa41_0800,
            0xb37d_0c20,
            0x93c2_0c20,
            0x6f00_e400,
            0x1e6e_1000,
            0x4e21_d820,
            0x1e66_4020,
            0x1e62_0c20,
            0x4e60_9820,
        ];
        for (word, name) in NEWER {
            assert_eq!(feature(word), Some(name), "{word:#x}");
        }
        for word in FIRST {
            assert_eq!(feature(word), None, "{word:#x}");
        }
    }
}
