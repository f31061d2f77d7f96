//! The checks of how a program was linked: `pie`, `relro`, `stack-size`, `rpath`.
//!
//! Each is a pure function from an [`Image`] to an [`Outcome`].

use object::elf;

use super::elf::Image;
use super::{Linking, Outcome};
use crate::report::human_bytes;

/// What musl gives to a thread where the header says nothing (`DEFAULT_STACK_SIZE`).
const MUSL_STACK_BYTES: u64 = 128 << 10;

/// `pie`: loaded where the kernel likes, or there is a reason.
pub fn pie(image: &Image, linking: &Linking) -> Outcome {
    if image.file_type == elf::ET_DYN {
        return Outcome::Passed("position-independent".to_owned());
    }
    let first = image.segments.iter().find(|segment| segment.kind == elf::PT_LOAD);
    let place = format!("at a fixed address, {:#x}", first.map_or(0, |segment| segment.address));
    let excuse = match linking {
        Linking::Any => return Outcome::Passed(place),
        Linking::Of { is_static_pie, .. } => !is_static_pie,
        Linking::Unknown { fixed } => fixed.contains(&image.machine),
    };
    match excuse {
        true => Outcome::Passed(format!("{place}: rustc links static programs for this CPU so")),
        false => Outcome::Failed(format!(
            "it is loaded {place}, where who attacks it knows the place of everything"
        )),
    }
}

/// `relro`: what only the start changes is declared read-only for the time after it.
pub fn relro(image: &Image) -> Outcome {
    let is_writable = image.segments.iter().any(|segment| segment.loads_with(elf::PF_W));
    let relro = image.segments.iter().find(|segment| segment.kind == elf::PT_GNU_RELRO);
    let is_dynamic = image.interpreter.is_some() || !image.dynamic.needed.is_empty();
    match relro {
        None if !is_writable => Outcome::Passed("nothing in it is writable".to_owned()),
        None => Outcome::Failed(
            "tables of addresses stay writable: there is no PT_GNU_RELRO header".to_owned(),
        ),
        Some(_) if is_dynamic && !image.dynamic.is_bound_at_start => Outcome::Failed(
            "only in part: functions of shared libraries are looked up when first called \
             (no DF_BIND_NOW), so the table of their addresses stays writable"
                .to_owned(),
        ),
        Some(part) => {
            let size = human_bytes(part.memory_size_bytes);
            let how = if is_dynamic { "full" } else { "declared" };
            Outcome::Passed(format!("{how}, {size}"))
        }
    }
}

/// `stack-size`: what musl takes for threads that ask for no size.
pub fn stack_size(image: &Image, linking: &Linking) -> Outcome {
    let said = said_stack(image);
    match linking {
        Linking::Of { stack_size_bytes, .. } if said == *stack_size_bytes => {
            Outcome::Passed(binary(said))
        }
        Linking::Of { stack_size_bytes, .. } => Outcome::Failed(format!(
            "{}; the target's row has {}",
            describe_stack(said),
            binary(*stack_size_bytes)
        )),
        Linking::Any | Linking::Unknown { .. } => Outcome::Skipped(format!(
            "{}; only `--target` says what it must be",
            describe_stack(said)
        )),
    }
}

/// `8388608` as `8 MiB`: stacks are given in powers of two.
fn binary(bytes: u64) -> String {
    match bytes {
        _ if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes >= 1 << 10 && bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

/// What the header says; 0 where it says nothing.
fn said_stack(image: &Image) -> u64 {
    let stack = image.segments.iter().find(|segment| segment.kind == elf::PT_GNU_STACK);
    stack.map_or(0, |stack| stack.memory_size_bytes)
}

/// That in words.
fn describe_stack(said: u64) -> String {
    match said {
        0 => {
            let default = binary(MUSL_STACK_BYTES);
            format!("the header names no size, for which musl gives threads {default}")
        }
        size => format!("the header names {}", binary(size)),
    }
}

/// `rpath`: no folder in which the interpreter would look for libraries.
pub fn rpath(image: &Image) -> Outcome {
    let named: Vec<_> =
        image.dynamic.run_paths.iter().map(|(tag, path)| format!("{tag} {path}")).collect();
    match named.is_empty() {
        true => Outcome::Passed("none".to_owned()),
        false => Outcome::Failed(format!("libraries are looked for in {}", named.join(", "))),
    }
}
