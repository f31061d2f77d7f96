//! Instructions of each kind, and what is said of them.

use super::*;

/// What GNU's disassembler makes of one instruction of each kind, by the CPU that was the first to
/// have it.
#[test]
fn instructions_of_power_are_told_by_the_first_cpu_that_has_them() {
    // A distance in a table of jumps; add, lvx, vperm, vmaddfp, fmadd, ldarx, mfcr, cntlzd, extsw, fcfid, stvewx, mulld, dcbz, lwzx,
    // vxor, fctid, isync, bcctr, sc, rldicl.
    const FIRST: [u32; 21] = [
        0xffff_fe88,
        0x7f80_9a14,
        0x7f80_88ce,
        0x126a_a42b,
        0x137b_53ee,
        0xfdff_43fa,
        0x7dbf_e8a8,
        0x7de0_0026,
        0x7c84_0074,
        0x7edc_07b4,
        0xfca0_969c,
        0x7d60_c98e,
        0x7ea0_71d2,
        0x7c04_37ec,
        0x7ce0_202e,
        0x10c0_3cc4,
        0xffc0_865c,
        0x4c00_012c,
        0x4c40_0420,
        0x4400_f406,
        0x7804_0402,
    ];
    const LATER: [(u32, &str); 44] = [
        (0x7de0_00f4, "pwr5"),  // popcntb
        (0xfce0_3310, "pwr5"),  // frin
        (0x7f80_93f8, "pwr6"),  // cmpb
        (0xfd40_2810, "pwr6"),  // fcpsgn
        (0x7d40_d6ae, "pwr6"),  // lfiwax
        (0xeee0_d804, "pwr6"),  // dadd
        (0xf402_0000, "pwr6"),  // stfdp
        (0x7ee0_b41f, "pwr7"),  // isel
        (0x7eac_03f4, "pwr7"),  // popcntd
        (0x7c60_ec28, "pwr7"),  // ldbrx
        (0x7cfd_5698, "pwr7"),  // lxvd2x
        (0xf04b_7494, "pwr7"),  // xxlor
        (0xf0de_6303, "pwr7"),  // xvadddp
        (0xf16c_7157, "pwr7"),  // xxpermdi
        (0xff80_8f9c, "pwr7"),  // fcfidu
        (0x7de0_2b52, "pwr7"),  // divde
        (0x11a0_9100, "pwr8"),  // vadduqm
        (0x1380_3508, "pwr8"),  // vcipher
        (0x1120_acc8, "pwr8"),  // vpmsumd
        (0x7fe2_1419, "pwr8"),  // lxsspx
        (0xf270_b804, "pwr8"),  // xsaddsp
        (0x7dc7_3a29, "pwr8"),  // lqarx
        (0xfc60_f78c, "pwr8"),  // fmrgew
        (0x4e80_0460, "pwr8"),  // bctar
        (0x7ea0_05e6, "pwr9"),  // darn
        (0x7c00_7e12, "pwr9"),  // modsd
        (0x7c97_7219, "pwr9"),  // lxvx
        (0x1158_e602, "pwr9"),  // vextsb2d
        (0xf117_d76d, "pwr9"),  // xxbrd
        (0xfc20_9008, "pwr9"),  // xsaddqp
        (0x4e6a_3c04, "pwr9"),  // addpcis
        (0x1069_8433, "pwr9"),  // maddld
        (0x7d00_0100, "pwr9"),  // setb
        (0xf164_22d0, "pwr9"),  // xxspltib
        (0xf402_0001, "pwr9"),  // lxv
        (0xe402_0002, "pwr9"),  // lxsd
        (0x7d94_0176, "pwr10"), // brd
        (0x7c51_0300, "pwr10"), // setbc
        (0x1bba_53f0, "pwr10"), // lxvp
        (0x12e0_81cb, "pwr10"), // vdivsd
        (0x7cc0_5938, "pwr10"), // pdepd
        (0x10a0_f1c9, "pwr10"), // vmulld
        (0x13b0_5e42, "pwr10"), // mtvsrbm
        (0x0610_0000, "pwr10"), // a prefix
    ];
    for word in FIRST {
        assert_eq!(power::feature(word), None, "{word:#x}");
    }
    for (word, cpu) in LATER {
        assert_eq!(power::feature(word), Some(cpu), "{word:#x}");
    }
}

/// The same of LLVM's for IBM Z.
#[test]
fn instructions_of_ibm_z_are_told_by_the_first_machine_that_has_them() {
    // brasl, lgr, la, stg, lmg, larl, risbg, crj, cgij, mvc, adbr, msgr, ex, exrl, flogr, cdsg, mvhhi,
    // adtr, km, stfle, xc, cegbr, laey, csg, asi, mvcos; nothing known.
    const FIRST: [u64; 27] = [
        0xc075_c546_8ca0,
        0xb904_0000,
        0x4103_7884,
        0xe3ef_d7e0_2b24,
        0xeb23_24f3_d804,
        0xc0c0_17c0_a34d,
        0xec6e_030e_0955,
        0xec13_060d_0076,
        0xec83_3f46_ae7c,
        0xd270_482e_f2fc,
        0xb31a_0000,
        0xb90c_0000,
        0x44f7_9123,
        0xc620_d475_a96f,
        0xb983_0000,
        0xebec_00d0_e03e,
        0xe544_712f_35ce,
        0xb3d2_a050,
        0xb92e_0000,
        0xb2b0_3fa3,
        0xd70f_e56f_0bac,
        0xb3a4_0000,
        0xe3a4_e2b9_8475,
        0xeb23_7c7d_9530,
        0xeb66_e0aa_476a,
        0xc860_0708_0700,
        0x07fe,
    ];
    const LATER: [(u64, &str); 40] = [
        (0xb9e2_0000, "z196"),       // locgr
        (0xb9e4_1050, "z196"),       // ngrk
        (0xb9f8_000b, "z196"),       // ark
        (0xeb30_c227_e4df, "z196"),  // sllk
        (0xeb92_0f95_a0f8, "z196"),  // laa
        (0xb9c8_7090, "z196"),       // ahhhr
        (0xeb40_0000_00e3, "z196"),  // stocg
        (0xe38b_52fb_9fca, "z196"),  // lfh
        (0xb92d_0000, "z196"),       // kmctr
        (0xecc3_0000_00d9, "z196"),  // aghik
        (0xc884_040d_0700, "z196"),  // lpd
        (0xcc56_ea3b_bbe1, "z196"),  // brcth
        (0xe560_a1a6_84e6, "zEC12"), // tbegin
        (0xece5_1820_d759, "zEC12"), // risbgn
        (0xe370_1656_f29f, "zEC12"), // lat
        (0xedbe_0b03_00ab, "zEC12"), // cxzt
        (0xb2fa_0000, "zEC12"),      // niai
        (0xc760_feaf_c903, "zEC12"), // bpp
        (0xe7bf_ee3d_c006, "z13"),   // vl
        (0xe74d_50b0_c00e, "z13"),   // vst
        (0xe356_1391_643a, "z13"),   // llzrgf
        (0xed63_0907_8aae, "z13"),   // cdpt
        (0xe720_7000_d08c, "z13"),   // vperm
        (0xe3d2_e569_8938, "z14"),   // agh
        (0xb9ed_d090, "z14"),        // msgrkc
        (0xe7cc_30a0_90b8, "z14"),   // vmsl
        (0xb929_0000, "z14"),        // kma
        (0xe698_4090_e035, "z14"),   // vlrl
        (0xb9e3_7050, "z15"),        // selgr
        (0xe50a_ffd2_00dc, "z15"),   // mvcrl
        (0xe6aa_5000_8006, "z15"),   // vlbr
        (0xb93a_0000, "z15"),        // kdsa
        (0xe741_0000_0086, "z15"),   // vsld
        (0xb93b_0000, "z16"),        // nnpa
        (0xe602_1000_7074, "z16"),   // vschp
        (0xe7a1_9020_c088, "z17"),   // veval
        (0xb96d_c05c, "z17"),        // bdepg
        (0xe353_4340_0961, "z17"),   // llxab
        (0xc8b6_6b27_c7a6, "z17"),   // cal
        (0xeba6_d578_ff16, "z17"),   // pfcr
    ];
    let bytes = |code: u64| {
        let all = code.to_be_bytes();
        let zeros = all.iter().take_while(|byte| **byte == 0).count();
        all[zeros..].to_vec()
    };
    for code in FIRST {
        let code = bytes(code);
        assert_eq!(s390x::length(&code), code.len(), "{code:02x?}");
        assert_eq!(s390x::feature(&code), None, "{code:02x?}");
    }
    for (code, cpu) in LATER {
        let code = bytes(code);
        assert_eq!(s390x::length(&code), code.len(), "{code:02x?}");
        assert_eq!(s390x::feature(&code), Some(cpu), "{code:02x?}");
    }
}

/// What LLVM's disassembler calls these.
#[test]
fn instructions_of_loongarch_are_told_by_their_extension() {
    const ALL: [(u32, Option<&str>); 12] = [
        (0x02ff_4063, None),            // addi.d $sp, $sp, -48
        (0x29c0_a061, None),            // st.d $ra, $sp, 40
        (0x0114_4420, None),            // fsqrt.s
        (0x386d_0000, None),            // amadd_db.d
        (0x0914_0000, Some("lsx")),     // vfmadd.s
        (0x2c00_0080, Some("lsx")),     // vld
        (0x700a_0000, Some("lsx")),     // vadd.b
        (0x2c80_0080, Some("lasx")),    // xvld
        (0x740a_0000, Some("lasx")),    // xvadd.b
        (0x0114_7400, Some("frecipe")), // frecipe.s
        (0x3858_0000, Some("lamcas")),  // amcas.b
        (0x385c_0000, Some("lam-bh")),  // amswap.b
    ];
    for (word, feature) in ALL {
        assert_eq!(loongarch::feature(word), feature, "{word:#x}");
    }
}

#[test]
fn a_later_cpu_has_what_the_ones_before_it_had() {
    assert!(covers("pwr8", "pwr7") && covers("pwr8", "pwr8") && covers("z13", "z196"));
    assert!(!covers("pwr8", "pwr9") && !covers("z10", "z196") && !covers("z17", "pwr9"));
    assert!(covers("lsx", "lsx") && !covers("lasx", "lsx"));
}
