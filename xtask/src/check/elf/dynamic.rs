//! The dynamic table: what a program needs at start, and what is changed in it then.

use object::Endianness;
use object::elf::{self, Vernaux, Verneed};
use object::pod::{Pod, from_bytes, slice_from_bytes};
use object::read::elf::{Dyn as _, FileHeader, Rel as _, Rela as _, RelrIterator};

use super::{Image, Segment};

/// More relocations than this are no program: a made-up table would keep us busy for minutes.
const RELOCATIONS_MAX: usize = 1 << 24;

/// No program asks more libraries for symbols, or one for more versions.
const VERSIONS_MAX: usize = 1 << 12;

/// The dynamic table, as far as the checks need it.
#[derive(Debug, Default)]
pub struct Dynamic {
    /// Shared libraries that it needs.
    pub needed: Vec<String>,
    /// Folders in which these are looked for first: `RPATH` or `RUNPATH`, and its text.
    pub run_paths: Vec<(&'static str, String)>,
    /// The versions of symbols that it asks shared libraries for.
    pub versions: Vec<Version>,
    /// Whether it has a name for others to need.
    pub has_soname: bool,
    /// Whether it says itself that read-only memory must be changed at start.
    pub is_textrel: bool,
    /// Whether it says itself that it is a position-independent executable.
    pub is_pie: bool,
    /// Whether all functions of shared libraries are looked up at start.
    pub is_bound_at_start: bool,
}

/// A version of symbols: `GLIBC_2.34` of `libc.so.6`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The library.
    pub library: String,
    /// The version's name.
    pub name: String,
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

/// What is in the table, by tag.
struct Entries(Vec<(elf::DynamicTag, u64)>);

impl Entries {
    fn all(&self, wanted: elf::DynamicTag) -> impl Iterator<Item = u64> {
        self.0.iter().filter(move |(tag, _)| *tag == wanted).map(|(_, value)| *value)
    }

    fn value(&self, wanted: elf::DynamicTag) -> Option<u64> {
        self.all(wanted).next()
    }

    fn has(&self, wanted: elf::DynamicTag) -> bool {
        self.value(wanted).is_some()
    }

    fn has_flag(&self, tag: elf::DynamicTag, flag: u64) -> bool {
        self.value(tag).unwrap_or_default() & flag != 0
    }

    /// Address and size of a table.
    fn pair(&self, place: elf::DynamicTag, size: elf::DynamicTag) -> (u64, u64) {
        self.value(place).zip(self.value(size)).unwrap_or_default()
    }
}

/// Reads the table.
pub fn read<Elf: FileHeader<Endian = Endianness>>(
    image: &mut Image,
    endian: Endianness,
    header: &Elf,
    entries: &[Elf::Dyn],
    data: &[u8],
) -> Result<(), String> {
    let entries = entries.iter().map(|entry| (entry.d_tag(endian), entry.d_val(endian).into()));
    let entries = Entries(entries.take_while(|(tag, _)| *tag != elf::DT_NULL).collect());
    let with_text = [elf::DT_NEEDED, elf::DT_RPATH, elf::DT_RUNPATH, elf::DT_VERNEED];
    let strings: &[u8] = match with_text.into_iter().any(|tag| entries.has(tag)) {
        true => table(image, data, entries.pair(elf::DT_STRTAB, elf::DT_STRSZ))?,
        false => &[],
    };
    let run_paths = [("RPATH", elf::DT_RPATH), ("RUNPATH", elf::DT_RUNPATH)];
    let run_paths = run_paths.into_iter().flat_map(|(name, tag)| {
        entries.all(tag).map(move |offset| (name, text_at(strings, offset)))
    });
    image.dynamic = Dynamic {
        needed: entries.all(elf::DT_NEEDED).map(|offset| text_at(strings, offset)).collect(),
        run_paths: run_paths.collect(),
        versions: versions(image, endian, &entries, strings, data)?,
        has_soname: entries.has(elf::DT_SONAME),
        is_textrel: entries.has(elf::DT_TEXTREL)
            || entries.has_flag(elf::DT_FLAGS, elf::DF_TEXTREL.0),
        is_pie: entries.has_flag(elf::DT_FLAGS_1, elf::DF_1_PIE.0),
        is_bound_at_start: entries.has(elf::DT_BIND_NOW)
            || entries.has_flag(elf::DT_FLAGS, elf::DF_BIND_NOW.0)
            || entries.has_flag(elf::DT_FLAGS_1, elf::DF_1_NOW.0),
    };
    image.relocations = relocations(image, endian, header, &entries, data)?;
    Ok(())
}

/// The text at an offset; nothing where there is none.
fn text_at(strings: &[u8], offset: u64) -> String {
    let tail = usize::try_from(offset).ok().and_then(|offset| strings.get(offset..));
    let text = tail.and_then(|tail| tail.split(|byte| *byte == 0).next()).unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// The versions of symbols that it asks for: a list by library, each with a list of its own.
fn versions(
    image: &Image,
    endian: Endianness,
    entries: &Entries,
    strings: &[u8],
    data: &[u8],
) -> Result<Vec<Version>, String> {
    let Some(mut address) = entries.value(elf::DT_VERNEED) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    loop {
        let library: &Verneed<Endianness> = item(image, data, address)?;
        let name = text_at(strings, library.vn_file.get(endian).into());
        let mut place = address.saturating_add(library.vn_aux.get(endian).into());
        for _ in 0..library.vn_cnt.get(endian) {
            let version: &Vernaux<Endianness> = item(image, data, place)?;
            let text = text_at(strings, version.vna_name.get(endian).into());
            found.push(Version { library: name.clone(), name: text });
            place = place.saturating_add(version.vna_next.get(endian).into());
            if found.len() > VERSIONS_MAX {
                return Err(format!("it asks for more than {VERSIONS_MAX} versions of symbols"));
            }
        }
        let next = library.vn_next.get(endian);
        // A library without versions is in no such list, so every round adds some.
        if next == 0 || library.vn_cnt.get(endian) == 0 {
            return Ok(found);
        }
        address = address.saturating_add(next.into());
    }
}

fn item<'data, T: Pod>(image: &Image, data: &'data [u8], address: u64) -> Result<&'data T, String> {
    let bytes = at(image, data, address, size_of::<T>() as u64)
        .ok_or_else(|| format!("a version at address {address:#x} is outside of the file"))?;
    let item = from_bytes(bytes).map_err(|()| format!("a version is not aligned: {address:#x}"))?;
    Ok(item.0)
}

/// The addresses that the start-up code changes.
fn relocations<Elf: FileHeader<Endian = Endianness>>(
    image: &Image,
    endian: Endianness,
    header: &Elf,
    entries: &Entries,
    data: &[u8],
) -> Result<Vec<u64>, String> {
    let plt = entries.pair(elf::DT_JMPREL, elf::DT_PLTRELSZ);
    let plt_is_rela = entries.value(elf::DT_PLTREL) == u64::try_from(elf::DT_RELA.0).ok();
    let none = (0, 0);
    let mips64el = header.is_mips64el(endian);
    let mut found = Vec::new();
    let rela = entries.pair(elf::DT_RELA, elf::DT_RELASZ);
    for place in [rela, if plt_is_rela { plt } else { none }] {
        let items = table::<Elf::Rela>(image, data, place)?;
        let real = items.iter().filter(|item| item.r_type(endian, mips64el).0 != 0);
        found.extend(real.map(|item| item.r_offset(endian).into()));
    }
    let rel = entries.pair(elf::DT_REL, elf::DT_RELSZ);
    for place in [rel, if plt_is_rela { none } else { plt }] {
        let items = table::<Elf::Rel>(image, data, place)?;
        let real = items.iter().filter(|item| item.r_type(endian).0 != 0);
        found.extend(real.map(|item| item.r_offset(endian).into()));
    }
    let packed = table::<Elf::Relr>(image, data, entries.pair(elf::DT_RELR, elf::DT_RELRSZ))?;
    let unpacked = RelrIterator::<Elf>::new(endian, packed).take(RELOCATIONS_MAX);
    found.extend(unpacked.map(Into::<u64>::into));
    if found.len() >= RELOCATIONS_MAX {
        return Err(format!("it has more than {RELOCATIONS_MAX} relocations"));
    }
    Ok(found)
}
