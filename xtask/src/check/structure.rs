//! The checks that read the program's structure: `elf`, `static`, `stack`, `segments`, `relocations`.
//!
//! Each is a pure function from an [`Image`] to an [`Outcome`].

use object::elf;

use super::Outcome;
use super::elf::Image;
use crate::target::{Endian, FloatAbi, Machine};

/// At most so many names are listed in one finding.
const NAMES_MAX: usize = 5;

/// What a file is that is no ELF file, told by its first bytes.
pub fn what_else(data: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 17] = [
        (b"#!", "a script"),
        (b"!<arch>\n", "an archive of object files (.a)"),
        (b"!<thin>\n", "a thin archive of object files (.a)"),
        (b"\xfe\xed\xfa\xce", "a Mach-O program (macOS)"),
        (b"\xfe\xed\xfa\xcf", "a Mach-O program (macOS)"),
        (b"\xce\xfa\xed\xfe", "a Mach-O program (macOS)"),
        (b"\xcf\xfa\xed\xfe", "a Mach-O program (macOS)"),
        (b"\xca\xfe\xba\xbe", "a universal Mach-O program (macOS) or a Java class"),
        (b"MZ", "a PE program (Windows)"),
        (b"\0asm", "a WebAssembly module"),
        (b"BC\xc0\xde", "LLVM bitcode (an object file made for link-time optimisation)"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\xfd7zXZ\0", "an xz archive"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive"),
        (b"<", "a web page or XML"),
        (b"/*", "a text, such as a linker script"),
    ];
    if data.starts_with(&elf::ELFMAG) {
        return None;
    }
    if data.is_empty() {
        return Some("empty");
    }
    let known = KINDS.iter().find(|(magic, _)| data.starts_with(magic));
    Some(known.map_or("of no known kind", |(_, kind)| kind))
}

/// `64-bit little-endian x86_64`.
pub fn describe(machine: Machine) -> String {
    let name = match elf::Machine(machine.elf) {
        elf::EM_X86_64 => "x86_64",
        elf::EM_386 => "i386",
        elf::EM_AARCH64 => "aarch64",
        elf::EM_ARM => "arm",
        elf::EM_RISCV => "riscv",
        elf::EM_PPC64 => "powerpc64",
        elf::EM_PPC => "powerpc",
        elf::EM_S390 => "s390x",
        elf::EM_MIPS => "mips",
        elf::EM_LOONGARCH => "loongarch",
        other => return format!("{}, machine {}", shape(machine), other.0),
    };
    format!("{} {name}", shape(machine))
}

fn shape(machine: Machine) -> String {
    let order = match machine.endian {
        Endian::Little => "little-endian",
        Endian::Big => "big-endian",
    };
    format!("{}-bit {order}", machine.bits)
}

/// `elf`: an executable for the expected machine, and with its way to pass floating-point numbers.
pub fn elf(image: &Image, expected: Option<Machine>, float_abi: Option<FloatAbi>) -> Outcome {
    let other = match image.file_type {
        elf::ET_EXEC => None,
        elf::ET_DYN if is_pie(image) => None,
        elf::ET_DYN => Some("a shared library"),
        elf::ET_REL => Some("an object file (.o), not linked yet"),
        elf::ET_CORE => Some("a core dump"),
        _ => Some("of a type that ELF does not know"),
    };
    if let Some(other) = other {
        return Outcome::Failed(format!("not an executable: it is {other}"));
    }
    match expected {
        Some(expected) if expected != image.machine => Outcome::Failed(format!(
            "made for another machine: expected {}, found {}",
            describe(expected),
            describe(image.machine)
        )),
        _ if float_abi.is_some() && image.float_abi.is_some() && float_abi != image.float_abi => {
            let words = |abi: Option<FloatAbi>| match abi {
                Some(FloatAbi::Soft) => "in registers for whole numbers (soft float)",
                _ => "in registers of the FPU (hard float)",
            };
            Outcome::Failed(format!(
                "numbers with a fraction are passed {}, and the target's {}",
                words(image.float_abi),
                words(float_abi)
            ))
        }
        _ if !image.segments.iter().any(|segment| segment.loads_with(elf::PF_X)) => {
            Outcome::Failed("no segment is executable: there is nothing to run".to_owned())
        }
        _ => Outcome::Passed(format!("{} executable", describe(image.machine))),
    }
}

/// A position-independent executable looks like a shared library; linkers of this decade mark it.
fn is_pie(image: &Image) -> bool {
    let dynamic = &image.dynamic;
    dynamic.is_pie || image.interpreter.is_some() || (image.entry != 0 && !dynamic.has_soname)
}

/// `static`: nothing else is needed to start it.
pub fn is_static(image: &Image) -> Outcome {
    let mut findings = Vec::new();
    if let Some(interpreter) = &image.interpreter {
        findings.push(format!("it is started by an interpreter, {interpreter}"));
    }
    if !image.dynamic.needed.is_empty() {
        findings.push(format!("it needs shared libraries: {}", names(&image.dynamic.needed)));
    }
    if findings.is_empty() && !image.undefined.is_empty() {
        findings.push(format!("symbols are undefined: {}", names(&image.undefined)));
    }
    if !findings.is_empty() {
        return Outcome::Failed(findings.join("; "));
    }
    let kind = if image.file_type == elf::ET_DYN { "static-pie" } else { "static" };
    Outcome::Passed(kind.to_owned())
}

fn names(list: &[String]) -> String {
    let shown = list.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match list.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `stack`: asked for, and not executable.
pub fn stack(image: &Image) -> Outcome {
    let mut stacks = image.segments.iter().filter(|s| s.kind == elf::PT_GNU_STACK).peekable();
    if stacks.peek().is_none() {
        return Outcome::Failed(
            "the PT_GNU_STACK header is missing, so the kernel may make the stack executable"
                .to_owned(),
        );
    }
    if stacks.any(|stack| stack.flags & elf::PF_X.0 != 0) {
        return Outcome::Failed(
            "the stack is executable: an object file, often from assembly, lacks the \
             `.note.GNU-stack` section (or the linker got `-z execstack`)"
                .to_owned(),
        );
    }
    Outcome::Passed("not executable".to_owned())
}

/// `segments`: none is both writable and executable.
pub fn segments(image: &Image) -> Outcome {
    let both = |s: &&super::elf::Segment| s.loads_with(elf::PF_W) && s.loads_with(elf::PF_X);
    if let Some(bad) = image.segments.iter().find(both) {
        return Outcome::Failed(format!(
            "the segment at address {:#x} ({} bytes) is both writable and executable",
            bad.address, bad.memory_size_bytes
        ));
    }
    let count = image.segments.iter().filter(|segment| segment.kind == elf::PT_LOAD).count();
    Outcome::Passed(format!("{count} loaded, none both writable and executable"))
}

/// `relocations`: none changes memory that is read-only when the program runs.
pub fn relocations(image: &Image) -> Outcome {
    let writable =
        |address: u64| image.segments.iter().any(|s| s.loads_with(elf::PF_W) && s.holds(address));
    let mut bad = image.relocations.iter().filter(|address| !writable(**address)).peekable();
    let first = bad.peek().map(|address| **address);
    match first {
        Some(address) => Outcome::Failed(format!(
            "{} of {} relocations change read-only memory, the first at address {address:#x}: \
             an object file was compiled without -fPIC",
            bad.count(),
            image.relocations.len()
        )),
        None if image.dynamic.is_textrel => Outcome::Failed(
            "it is marked as having text relocations (DT_TEXTREL): an object file was compiled \
             without -fPIC"
                .to_owned(),
        ),
        None => Outcome::Passed(match image.relocations.len() {
            0 => "none".to_owned(),
            count => format!("{count}, all in writable memory"),
        }),
    }
}
