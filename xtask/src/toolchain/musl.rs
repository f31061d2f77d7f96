//! What zig knows of musl: the names that its libc has on each CPU. And the names that the compiler's
//! runtime has, which every program can be linked with.

use crate::target::Target;

/// A source below zig's tree that defines every name of musl's libc, at nothing.
pub const SYMBOLS: &str = "lib/libc/musl/libc.S";

/// CPUs of which musl's first interface had a time of 32 bits, and old names beside the new.
const TIME32: [&str; 7] = ["i386", "arm", "m68k", "mips", "mipsn32", "powerpc", "sh"];

/// The macros by which that source knows the CPU.
pub fn macros(target: &Target) -> Vec<String> {
    let cpu = target.zig_libc.split('-').next().unwrap_or_default();
    let (arch, family) = match cpu {
        "x86" => ("i386", "x86"),
        "x86_64" => ("x86_64", "x86"),
        "mips" | "mips64" => (cpu, "mips"),
        "riscv32" | "riscv64" => (cpu, "riscv"),
        "powerpc" | "powerpc64" => (cpu, "powerpc"),
        other => (other, other),
    };
    let mut macros = vec![format!("-DARCH_{arch}"), format!("-DFAMILY_{family}")];
    if target.machine.bits == 64 {
        macros.push("-DPTR64".to_owned());
    }
    if TIME32.contains(&arch) {
        macros.push("-DTIME32".to_owned());
    }
    macros
}

/// Functions of `libatomic`, to which compilers leave what a CPU cannot do at once: those of
/// `atomic.c` by which configure scripts find that out.
pub const ATOMICS: [&str; 10] = [
    "__atomic_compare_exchange_8",
    "__atomic_exchange_8",
    "__atomic_fetch_add_8",
    "__atomic_fetch_and_8",
    "__atomic_fetch_or_8",
    "__atomic_fetch_sub_8",
    "__atomic_fetch_xor_8",
    "__atomic_is_lock_free",
    "__atomic_load_8",
    "__atomic_store_8",
];

/// Functions to which compilers leave arithmetic that a CPU cannot do.
pub const BUILTINS: [&str; 87] = [
    "__absvdi2",
    "__absvsi2",
    "__absvti2",
    "__addtf3",
    "__addvdi3",
    "__addvsi3",
    "__addvti3",
    "__adddf3",
    "__addsf3",
    "__ashldi3",
    "__ashlti3",
    "__ashrdi3",
    "__ashrti3",
    "__bswapdi2",
    "__bswapsi2",
    "__clear_cache",
    "__clzdi2",
    "__clzsi2",
    "__clzti2",
    "__cmpdi2",
    "__ctzdi2",
    "__ctzsi2",
    "__ctzti2",
    "__divdc3",
    "__divdf3",
    "__divdi3",
    "__divmodsi4",
    "__divsc3",
    "__divsf3",
    "__divsi3",
    "__divtf3",
    "__divti3",
    "__eqtf2",
    "__extenddftf2",
    "__extendsftf2",
    "__ffsdi2",
    "__ffsti2",
    "__fixdfdi",
    "__fixdfti",
    "__fixsfdi",
    "__fixsfti",
    "__fixtfdi",
    "__fixtfsi",
    "__fixtfti",
    "__fixunsdfdi",
    "__fixunsdfti",
    "__fixunssfdi",
    "__fixunssfti",
    "__fixunstfdi",
    "__fixunstfsi",
    "__floatditf",
    "__floatsitf",
    "__floattidf",
    "__floattisf",
    "__floatunditf",
    "__floatunsitf",
    "__floatuntidf",
    "__floatuntisf",
    "__getf2",
    "__gttf2",
    "__letf2",
    "__lshrdi3",
    "__lshrti3",
    "__lttf2",
    "__moddi3",
    "__modsi3",
    "__modti3",
    "__muldc3",
    "__muldf3",
    "__muldi3",
    "__mulsc3",
    "__mulsf3",
    "__multf3",
    "__multi3",
    "__netf2",
    "__popcountdi2",
    "__popcountsi2",
    "__popcountti2",
    "__subtf3",
    "__trunctfdf2",
    "__trunctfsf2",
    "__udivdi3",
    "__udivsi3",
    "__udivti3",
    "__umoddi3",
    "__umodti3",
    "__unordtf2",
];
