//! ELF bytes → [`Image`]: the few facts that the checks ask for, word size and byte order forgotten.
//!
//! Everything in a file may be a lie, so each offset and count is looked up with bounds; a file that
//! contradicts itself is an error in words, never a panic. It never judges: `structure` does.

use object::elf::{self, FileHeader32, FileHeader64};
use object::pod::{Pod, slice_from_bytes};
use object::read::elf::{
    Dyn as _, FileHeader, ProgramHeader as _, Rel as _, Rela as _, RelrIterator,
    SectionHeader as _, Sym as _,
};
use object::{Endianness, FileKind};

use crate::target::{Endian, FloatAbi, Machine};

/// More relocations than this are no program: a made-up table would keep us busy for minutes.
const RELOCATIONS_MAX: usize = 1 << 24;

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

/// The dynamic table, as far as the checks need it.
#[derive(Debug, Default)]
pub struct Dynamic {
    /// Shared libraries that it needs.
    pub needed: Vec<String>,
    /// Whether it has a name for others to need.
    pub has_soname: bool,
    /// Whether it says itself that read-only memory must be changed at start.
    pub is_textrel: bool,
    /// Whether it says itself that it is a position-independent executable.
    pub is_pie: bool,
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
        image.segments.push(segment);
    }
    read_dynamic::<Elf>(&mut image, endian, header, dynamic, data)?;
    read_sections(&mut image, endian, header, data)?;
    Ok(image)
}

/// Bytes of the file that are at an address in memory.
fn at<'data>(image: &Image, data: &'data [u8], address: u64, size: u64) -> Option<&'data [u8]> {
    let holds = |segment: &&Segment| segment.kind == elf::PT_LOAD && segment.holds(address);
    let segment = image.segments.iter().find(holds)?;
    let inside = address - segment.address;
    if inside.checked_add(size)? > segment.file_size_bytes {
        return None;
    }
    let begin = usize::try_from(segment.offset.checked_add(inside)?).ok()?;
    data.get(begin..begin.checked_add(usize::try_from(size).ok()?)?)
}

fn table<'data, T: Pod>(
    image: &Image,
    data: &'data [u8],
    (address, size): (u64, u64),
) -> Result<&'data [T], String> {
    if size == 0 {
        return Ok(&[]);
    }
    let bytes = at(image, data, address, size)
        .ok_or_else(|| format!("a table at address {address:#x} is outside of the file"))?;
    let count = bytes.len() / size_of::<T>().max(1);
    match slice_from_bytes(bytes, count) {
        Ok((items, _)) => Ok(items),
        Err(()) => Err(format!("a table at address {address:#x} is not aligned")),
    }
}

fn read_dynamic<Elf: FileHeader<Endian = Endianness>>(
    image: &mut Image,
    endian: Endianness,
    header: &Elf,
    entries: &[Elf::Dyn],
    data: &[u8],
) -> Result<(), String> {
    let entries: Vec<(elf::DynamicTag, u64)> = entries
        .iter()
        .map(|entry| (entry.d_tag(endian), entry.d_val(endian).into()))
        .take_while(|(tag, _)| *tag != elf::DT_NULL)
        .collect();
    let value = |wanted| entries.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
    let pair = |place, size| value(place).zip(value(size)).unwrap_or_default();

    let strings: &[u8] = match entries.iter().any(|(tag, _)| *tag == elf::DT_NEEDED) {
        true => table(image, data, pair(elf::DT_STRTAB, elf::DT_STRSZ))?,
        false => &[],
    };
    for (_, offset) in entries.iter().filter(|(tag, _)| *tag == elf::DT_NEEDED) {
        let tail = usize::try_from(*offset).ok().and_then(|offset| strings.get(offset..));
        let name = tail.and_then(|tail| tail.split(|byte| *byte == 0).next()).unwrap_or_default();
        image.dynamic.needed.push(String::from_utf8_lossy(name).into_owned());
    }
    let flags = value(elf::DT_FLAGS).unwrap_or_default();
    let flags_1 = value(elf::DT_FLAGS_1).unwrap_or_default();
    image.dynamic.has_soname = value(elf::DT_SONAME).is_some();
    image.dynamic.is_textrel = value(elf::DT_TEXTREL).is_some() || flags & elf::DF_TEXTREL.0 != 0;
    image.dynamic.is_pie = flags_1 & elf::DF_1_PIE.0 != 0;

    let plt = pair(elf::DT_JMPREL, elf::DT_PLTRELSZ);
    let plt_is_rela = value(elf::DT_PLTREL) == u64::try_from(elf::DT_RELA.0).ok();
    let none = (0, 0);
    let mips64el = header.is_mips64el(endian);
    let mut found = Vec::new();
    for place in [pair(elf::DT_RELA, elf::DT_RELASZ), if plt_is_rela { plt } else { none }] {
        let items = table::<Elf::Rela>(image, data, place)?;
        let real = items.iter().filter(|item| item.r_type(endian, mips64el).0 != 0);
        found.extend(real.map(|item| item.r_offset(endian).into()));
    }
    for place in [pair(elf::DT_REL, elf::DT_RELSZ), if plt_is_rela { none } else { plt }] {
        let items = table::<Elf::Rel>(image, data, place)?;
        let real = items.iter().filter(|item| item.r_type(endian).0 != 0);
        found.extend(real.map(|item| item.r_offset(endian).into()));
    }
    let packed = table::<Elf::Relr>(image, data, pair(elf::DT_RELR, elf::DT_RELRSZ))?;
    let unpacked = RelrIterator::<Elf>::new(endian, packed).take(RELOCATIONS_MAX);
    found.extend(unpacked.map(Into::<u64>::into));
    if found.len() >= RELOCATIONS_MAX {
        return Err(format!("it has more than {RELOCATIONS_MAX} relocations"));
    }
    image.relocations = found;
    Ok(())
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
        for symbol in symbols.iter().skip(1) {
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
