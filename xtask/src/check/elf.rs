//! ELF bytes → [`Image`]: the few facts that the checks ask for, word size and byte order forgotten.
//!
//! Everything in a file may be a lie, so each offset and count is looked up with bounds; a file that
//! contradicts itself is an error in words, never a panic. It never judges: `structure` does.

mod dynamic;

use std::collections::BTreeSet;

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader as _, SectionHeader as _, Sym as _};
use object::{Endianness, FileKind};

use crate::target::{Endian, FloatAbi, Machine};
pub use dynamic::{Dynamic, Version};

/// What the checks know of a program.
#[derive(Debug)]
pub struct Image {
    /// CPU, word size and byte order.
    pub machine: Machine,
    /// How it passes floating-point numbers, where it says so.
    pub float_abi: Option<FloatAbi>,
    /// What the header says that the file is.
    pub file_type: elf::FileType,
    /// Address of the first instruction.
    pub entry: u64,
    /// The program headers, in order.
    pub segments: Vec<Segment>,
    /// The program that must start this one.
    pub interpreter: Option<String>,
    /// The dynamic table.
    pub dynamic: Dynamic,
    /// Names and places of sections; empty when they were stripped.
    pub sections: Vec<Section>,
    /// Symbols that nothing defines and that are not weak.
    pub undefined: Vec<String>,
    /// Names of the functions and data that it defines; nothing where its table of symbols was
    /// stripped.
    pub symbols: Option<BTreeSet<String>>,
    /// The number by which debuggers find what was stripped.
    pub build_id: Option<Vec<u8>>,
    /// Addresses that the start-up code changes.
    pub relocations: Vec<u64>,
}

/// One program header.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// `PT_LOAD` and its like.
    pub kind: elf::ProgramType,
    /// `PF_R`, `PF_W`, `PF_X`.
    pub flags: u32,
    /// Where its bytes are in the file.
    pub offset: u64,
    /// Where they are in memory.
    pub address: u64,
    /// How many come from the file.
    pub file_size_bytes: u64,
    /// How many there are in memory.
    pub memory_size_bytes: u64,
}

impl Segment {
    /// Whether it is loaded with this permission (`PF_W`, `PF_X`).
    pub fn loads_with(&self, flag: elf::ProgramFlags) -> bool {
        self.kind == elf::PT_LOAD && self.flags & flag.0 != 0
    }

    /// Whether an address in memory belongs to it.
    pub fn holds(&self, address: u64) -> bool {
        address.checked_sub(self.address).is_some_and(|offset| offset < self.memory_size_bytes)
    }
}

/// One section.
#[derive(Debug)]
pub struct Section {
    /// `.rodata` and its like.
    pub name: String,
    /// Where its bytes are in the file.
    pub offset: u64,
    /// How many there are.
    pub size_bytes: u64,
}

/// Reads an ELF file.
pub fn read(data: &[u8]) -> Result<Image, String> {
    let kind = FileKind::parse(data).map_err(|error| format!("broken ELF file: {error}"))?;
    match kind {
        FileKind::Elf32 => read_class::<FileHeader32<Endianness>>(data),
        FileKind::Elf64 => read_class::<FileHeader64<Endianness>>(data),
        other => Err(format!("not an ELF file but {other:?}")),
    }
    .map_err(|error| format!("broken ELF file: {error}"))
}

/// What the header's flags say of it: ARM's since the fifth version of its ABI, RISC-V's and LoongArch's
/// always. MIPS says it elsewhere; for other CPUs there is but one way.
fn float_abi(machine: elf::Machine, flags: u32) -> Option<FloatAbi> {
    let chosen = |soft: bool, hard: bool| match (soft, hard) {
        (true, false) => Some(FloatAbi::Soft),
        (false, true) => Some(FloatAbi::Hard),
        _ => None,
    };
    let has = |flag: u32| flags & flag != 0;
    match machine {
        elf::EM_ARM => chosen(has(elf::EF_ARM_ABI_FLOAT_SOFT), has(elf::EF_ARM_ABI_FLOAT_HARD)),
        elf::EM_RISCV => {
            let mask = elf::EF_RISCV_FLOAT_ABI_SINGLE.0 | elf::EF_RISCV_FLOAT_ABI_DOUBLE.0;
            chosen(!has(mask), has(mask))
        }
        // Its lowest three bits: 1 is soft, 2 single, 3 double (LoongArch's ABI for ELF, table 5).
        elf::EM_LOONGARCH => chosen(flags & 7 == 1, matches!(flags & 7, 2 | 3)),
        _ => None,
    }
}

/// The byte of MIPS's flags of the ABI that says it: 0 for none or any, 3 for soft.
fn mips_float_abi(segment: &[u8]) -> Option<FloatAbi> {
    const PLACE: usize = 7;
    match segment.get(PLACE)? {
        0 => None,
        3 => Some(FloatAbi::Soft),
        _ => Some(FloatAbi::Hard),
    }
}

fn words(error: object::Error) -> String {
    error.to_string()
}

fn read_class<Elf: FileHeader<Endian = Endianness>>(data: &[u8]) -> Result<Image, String> {
    let header = Elf::parse(data).map_err(words)?;
    let endian = header.endian().map_err(words)?;
    let mut image = Image {
        machine: Machine {
            elf: header.e_machine(endian).0,
            bits: if header.is_class_64() { 64 } else { 32 },
            endian: if header.is_little_endian() { Endian::Little } else { Endian::Big },
        },
        float_abi: float_abi(header.e_machine(endian), header.e_flags(endian).0),
        file_type: header.e_type(endian),
        entry: header.e_entry(endian).into(),
        segments: Vec::new(),
        interpreter: None,
        dynamic: Dynamic::default(),
        sections: Vec::new(),
        undefined: Vec::new(),
        symbols: None,
        build_id: None,
        relocations: Vec::new(),
    };
    let mut dynamic: &[Elf::Dyn] = &[];
    for program in header.program_headers(endian, data).map_err(words)? {
        let segment = Segment {
            kind: program.p_type(endian),
            flags: program.p_flags(endian).0,
            offset: program.p_offset(endian).into(),
            address: program.p_vaddr(endian).into(),
            file_size_bytes: program.p_filesz(endian).into(),
            memory_size_bytes: program.p_memsz(endian).into(),
        };
        let end = segment.offset.checked_add(segment.file_size_bytes);
        if segment.kind == elf::PT_LOAD && end.is_none_or(|end| end > data.len() as u64) {
            return Err(format!(
                "it is cut short: a segment reaches to byte {} and the file has {}",
                end.unwrap_or(u64::MAX),
                data.len()
            ));
        }
        if image.machine.elf == elf::EM_MIPS.0 && segment.kind == elf::PT_MIPS_ABIFLAGS {
            let bytes = program.data(endian, data).map_err(|()| "a segment outside the file")?;
            image.float_abi = mips_float_abi(bytes);
        }
        if let Some(name) = program.interpreter(endian, data).map_err(words)? {
            image.interpreter = Some(String::from_utf8_lossy(name).into_owned());
        }
        if let Some(table) = program.dynamic(endian, data).map_err(words)? {
            dynamic = table;
        }
        // Notes are remarks: one that cannot be read says nothing.
        let notes = program.notes(endian, data).ok().flatten();
        let is_id = |name: &[u8], kind| name == elf::ELF_NOTE_GNU && kind == elf::NT_GNU_BUILD_ID;
        let id = notes.into_iter().flatten().filter_map(Result::ok);
        let id = id.filter(|note| is_id(note.name(), note.n_type(endian)));
        image.build_id = image.build_id.or_else(|| id.map(|note| note.desc().to_owned()).next());
        image.segments.push(segment);
    }
    dynamic::read::<Elf>(&mut image, endian, header, dynamic, data)?;
    read_sections(&mut image, endian, header, data)?;
    Ok(image)
}

fn read_sections<Elf: FileHeader<Endian = Endianness>>(
    image: &mut Image,
    endian: Endianness,
    header: &Elf,
    data: &[u8],
) -> Result<(), String> {
    let sections = header.sections(endian, data).map_err(words)?;
    for section in sections.iter() {
        if let Some((offset, size_bytes)) = section.file_range(endian) {
            let name = sections.section_name(endian, section).map_err(words)?;
            let name = String::from_utf8_lossy(name).into_owned();
            image.sections.push(Section { name, offset, size_bytes });
        }
    }
    for kind in [elf::SHT_DYNSYM, elf::SHT_SYMTAB] {
        let symbols = sections.symbols(endian, data, kind).map_err(words)?;
        if kind == elf::SHT_SYMTAB && !symbols.is_empty() {
            image.symbols = Some(BTreeSet::new());
        }
        for symbol in symbols.iter().skip(1) {
            if let Some(all) = image.symbols.as_mut().filter(|_| !symbol.is_undefined(endian)) {
                let name = symbols.symbol_name(endian, symbol).map_err(words)?;
                all.insert(String::from_utf8_lossy(name).into_owned());
                continue;
            }
            if symbol.is_undefined(endian) && symbol.st_bind() == elf::STB_GLOBAL {
                let name = symbols.symbol_name(endian, symbol).map_err(words)?;
                let name = String::from_utf8_lossy(name).into_owned();
                if !name.is_empty() && !image.undefined.contains(&name) {
                    image.undefined.push(name);
                }
            }
        }
    }
    Ok(())
}
