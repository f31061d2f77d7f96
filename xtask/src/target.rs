//! What we build for: one row of `recipes/targets.toml`.

use std::collections::BTreeMap;

/// The triple of the machine that builds, in its static form: tools are made for it. Toolchains have
/// programs for this kind of machine only.
pub const HOST: &str = "x86_64-unknown-linux-musl";

/// A target: a Rust triple, and how others spell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Rust's triple, such as `x86_64-unknown-linux-musl`.
    pub triple: String,
    /// LLVM's triple, mostly the same: `riscv64-unknown-linux-musl` for Rust's `riscv64gc`.
    pub llvm: String,
    /// GNU's triple, such as `x86_64-linux-musl`: prefix of a cross compiler's tools.
    pub gnu: String,
    /// Folder of zig's musl headers for this CPU below `lib/libc/include`.
    pub zig_libc: String,
    /// Folder of zig's kernel headers for this CPU below `lib/libc/include`.
    pub zig_kernel: String,
    /// The CPU in ELF's words, as the `machine` check expects it.
    pub machine: Machine,
    /// Whether functions pass floating-point numbers in registers of the FPU.
    pub float_abi: FloatAbi,
    /// Compiler flags that set the CPU baseline.
    pub cflags: Vec<String>,
    /// What every CPU of this kind has, which code may take without asking: on x86 in rustc's words,
    /// elsewhere in those of the attributes of object files (docs/baseline.md).
    pub baseline: Vec<String>,
    /// The CPU that the command line names in place of the target's own, by rustc's name.
    pub cpu: Option<String>,
    /// What rustc has to be told that it does not assume for the target.
    pub rustflags: Vec<String>,
    /// Whether programs are position-independent, as rustc makes them: it has static ones of that kind
    /// for few targets, and a libc that fits for no more.
    pub static_pie: bool,
    /// Where the standard library comes from.
    pub std: Std,
    /// The stack of threads that do not ask for one of their own size, and of none that Rust starts.
    pub stack_size_bytes: u64,
    /// What runs its programs where the CPU is another.
    pub emulator: Emulator,
    /// What OCI images call the CPU, with its variant: `amd64`, `arm/v7`. Nothing where they have no name
    /// for it (the names are those of Go's `GOARCH`, OCI image specification 1.1).
    pub oci_cpu: Option<String>,
    /// Variables for build scripts of crates, which ask for them or find out what is true only of the
    /// machine that builds.
    pub env: BTreeMap<String, String>,
    /// Options of scripts that know the target by a name of their own, by library.
    pub options: BTreeMap<String, Vec<String>>,
}

/// How functions pass floating-point numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatAbi {
    /// In registers of the FPU.
    Hard,
    /// In those for whole numbers: there may be no FPU.
    Soft,
}

/// Where a target's standard library of Rust comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Std {
    /// rustup has it.
    Rustup,
    /// It is built from source, with the C runtime that it is linked with.
    Source,
    /// The same for programs that abort when they panic, without backtraces.
    Small,
}

/// The profile whose programs are as small as they can be without being others.
pub const SMALL_PROFILE: &str = "dist-small";

/// A QEMU of its user mode, and the CPU that is the target's baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emulator {
    /// `qemu-arm`: Debian's static one has `-static` behind it.
    pub program: String,
    /// What its `-cpu` takes.
    pub cpu: String,
    /// The first version that has all of the baseline, where older ones are still about.
    pub since: Option<String>,
}

/// ELF machine, word size and byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// `e_machine`, such as 62 for x86_64 (from the System V ABI's table of machines).
    pub elf: u16,
    /// 32 or 64.
    pub bits: u8,
    /// Byte order.
    pub endian: Endian,
}

/// Byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    /// That of this machine.
    pub const OURS: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };
}

impl Target {
    /// The same target for a profile of cargo: the small one has a standard library of its own.
    #[must_use]
    pub fn for_profile(&self, profile: &str) -> Self {
        let std = if profile == SMALL_PROFILE { Std::Small } else { self.std };
        Self { std, ..self.clone() }
    }

    /// `x86_64`: the family of CPUs that the triple begins with.
    pub fn cpu(&self) -> &str {
        self.triple.split('-').next().unwrap_or_default()
    }

    /// `x86_64-unknown-linux-musl`, with `+x86-64-v3` behind it if such a CPU is named: what results for
    /// it are called. No triple has a plus sign in it.
    pub fn name(&self) -> String {
        match &self.cpu {
            Some(cpu) => format!("{}+{cpu}", self.triple),
            None => self.triple.clone(),
        }
    }

    /// The same target for another CPU, by rustc's name for it, and what that one has. Compilers of C
    /// know it by the same name; the flag for it differs.
    #[must_use]
    pub fn with_cpu(mut self, cpu: &str, features: Vec<String>) -> Self {
        self.cflags.retain(|flag| !flag.starts_with("-march=") && !flag.starts_with("-mcpu="));
        let flag = match self.cpu() {
            cpu if ["arm", "aarch64", "riscv", "powerpc"].iter().any(|it| cpu.starts_with(it)) => {
                "-mcpu"
            }
            _ => "-march",
        };
        self.cflags.push(format!("{flag}={cpu}"));
        self.baseline = features;
        // All that QEMU has: it knows few CPUs by the names of compilers.
        self.emulator.cpu = "max".to_owned();
        self.cpu = Some(cpu.to_owned());
        self
    }

    /// `X86_64_UNKNOWN_LINUX_MUSL`: the form in names of variables like `CARGO_TARGET_…_LINKER`.
    pub fn upper(&self) -> String {
        self.triple.to_uppercase().replace('-', "_")
    }

    /// `x86_64_unknown_linux_musl`: the form in names of variables like `CC_…`.
    pub fn lower(&self) -> String {
        self.triple.replace('-', "_")
    }
}
