//! The records of a zip: the end record, the central directory and the local headers, which must
//! tell one story. Together with the data they must fill the file: a gap could hide an entry that
//! another reader sees, an overlap is how the worst bombs are made.

mod local;

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use anyhow::{Context as _, Result, bail};

use super::super::limits::Budget;
use super::super::name::shown;

const END_BYTES: usize = 22;
const END64_BYTES: u64 = 56;
const LOCATOR_BYTES: u64 = 20;
const RECORD_BYTES: usize = 46;

/// The most that a central directory may take: 400,000 records of 300 bytes.
const DIRECTORY_BYTES: u64 = 128 << 20;

/// Flags of an entry that change nothing: how hard it was compressed, a descriptor after the data,
/// names in UTF-8.
const HARMLESS_FLAGS: u16 = 1 << 1 | 1 << 2 | FLAG_DESCRIPTOR | FLAG_UTF8;
const FLAG_DESCRIPTOR: u16 = 1 << 3;
const FLAG_UTF8: u16 = 1 << 11;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// `is_executable` is unknown where there are no Unix attributes.
    File {
        is_executable: Option<bool>,
    },
    Folder,
    Link,
}

/// One entry, vetted against its local header.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) name: Vec<u8>,
    pub(super) kind: Type,
    pub(super) is_deflated: bool,
    pub(super) crc: u32,
    pub(super) packed_bytes: u64,
    pub(super) bytes: u64,
    /// Where its data begins in the file.
    pub(super) data_at: u64,
    flags: u16,
    method: u16,
    header_at: u64,
}

/// Reads and vets all records, in the order of the central directory.
pub(super) fn read(file: &File, archive_bytes: u64, budget: &mut Budget) -> Result<Vec<Record>> {
    let end = End::find(file, archive_bytes)?;
    if end.size > DIRECTORY_BYTES || end.offset.checked_add(end.size) != Some(end.at) {
        bail!("the central directory does not end where the end record begins");
    }
    let mut data = vec![0; usize::try_from(end.size)?];
    file.read_exact_at(&mut data, end.offset).context("the central directory is cut")?;
    let mut fields = Fields(&data);
    let mut records = Vec::new();
    while !fields.0.is_empty() {
        budget.entry()?;
        let record = Record::parse(&mut fields)
            .with_context(|| format!("record {} of the central directory", records.len() + 1))?;
        records.push(record);
    }
    if records.len() as u64 != end.count {
        bail!("{} entries where the end record says {}", records.len(), end.count);
    }
    vet_layout(file, &mut records, end.offset)?;
    Ok(records)
}

/// Reads the local headers, and checks that they and the data fill the file up to the directory.
fn vet_layout(file: &File, records: &mut [Record], directory_at: u64) -> Result<()> {
    let mut order: Vec<usize> = (0..records.len()).collect();
    order.sort_by_key(|&index| records[index].header_at);
    if let Some(record) = records.iter().find(|record| record.header_at >= directory_at) {
        bail!("entry {}: it is said to be behind the last one", shown(&record.name));
    }
    let mut at = 0;
    for (place, &index) in order.iter().enumerate() {
        let next = order.get(place + 1).map_or(directory_at, |&next| records[next].header_at);
        let record = &mut records[index];
        let context = |record: &Record| format!("entry {}", shown(&record.name));
        if record.header_at != at {
            let problem = if record.header_at < at { "overlaps" } else { "leaves a gap after" };
            bail!("{}: it {problem} the one before it in the file", context(record));
        }
        at = local::vet(file, record, next).with_context(|| context(record))?;
    }
    if at != directory_at {
        bail!("bytes between the last entry and the central directory");
    }
    Ok(())
}

impl Record {
    fn parse(fields: &mut Fields<'_>) -> Result<Self> {
        let mut head = Fields(fields.take(RECORD_BYTES)?);
        if head.take(4)? != b"PK\x01\x02" {
            bail!("has a wrong signature");
        }
        let (made_by, _needed, flags, method) =
            (head.u16()?, head.u16()?, head.u16()?, head.u16()?);
        let _time = head.u32()?;
        let crc = head.u32()?;
        let (packed, size) = (u64::from(head.u32()?), u64::from(head.u32()?));
        let (name, extra, comment) = (head.u16()?, head.u16()?, head.u16()?);
        let disk = head.u16()?;
        let _internal = head.u16()?;
        let attributes = head.u32()?;
        let offset = u64::from(head.u32()?);
        let name = fields.take(name.into())?.to_vec();
        let context = || format!("entry {}", shown(&name));
        let extra = Extra::parse(fields.take(extra.into())?).with_context(context)?;
        fields.take(comment.into())?;
        let [bytes, packed_bytes, header_at] =
            extra.widen([size, packed, offset]).with_context(context)?;
        vet_flags(flags, method, disk, &name, &extra).with_context(context)?;
        let kind = Type::of(made_by, attributes, &name).with_context(context)?;
        let is_deflated = method == 8;
        if !is_deflated && packed_bytes != bytes {
            bail!("entry {}: stored, but with two sizes", shown(&name));
        }
        let data_at = 0;
        Ok(Self {
            name,
            kind,
            is_deflated,
            crc,
            packed_bytes,
            bytes,
            data_at,
            flags,
            method,
            header_at,
        })
    }
}

fn vet_flags(flags: u16, method: u16, disk: u16, name: &[u8], extra: &Extra<'_>) -> Result<()> {
    if flags & (1 | 1 << 6 | 1 << 13) != 0 {
        bail!("it is encrypted");
    }
    if flags & !HARMLESS_FLAGS != 0 {
        bail!("it has unknown flags, {flags:#06x}");
    }
    if method != 0 && method != 8 {
        bail!("it is packed with method {method}; only stored (0) and deflated (8) are known");
    }
    if disk != 0 {
        bail!("it is on another disk");
    }
    if !name.is_ascii() && flags & FLAG_UTF8 == 0 {
        bail!("its name is not ASCII and not marked as UTF-8");
    }
    match extra.unicode_name {
        Some(other) if other != name => bail!("it has two names, the other one {}", shown(other)),
        _ => Ok(()),
    }
}

impl Type {
    /// What the name's last slash and the attributes say together.
    fn of(made_by: u16, attributes: u32, name: &[u8]) -> Result<Self> {
        let mode = attributes >> 16;
        let is_unix = matches!(made_by >> 8, 3 | 19);
        let ends_in_slash = name.ends_with(b"/");
        match mode & 0o170_000 {
            0o120_000 if is_unix && !ends_in_slash => return Ok(Self::Link),
            0o120_000 => bail!("it is a link for some readers and none for others"),
            0o040_000 if !ends_in_slash => bail!("a folder without a slash at its end"),
            0o100_000 if ends_in_slash => bail!("a file with a slash at its end"),
            0 | 0o100_000 | 0o040_000 => {}
            0o020_000 | 0o060_000 => bail!("it is a device"),
            0o010_000 => bail!("it is a FIFO"),
            0o140_000 => bail!("it is a socket"),
            _ => bail!("it is of an unknown type"),
        }
        if ends_in_slash {
            return Ok(Self::Folder);
        }
        // The folder bit of DOS.
        if attributes & 0x10 != 0 {
            bail!("a folder without a slash at its end");
        }
        let is_executable = (is_unix && mode & 0o777 != 0).then_some(mode & 0o111 != 0);
        Ok(Self::File { is_executable })
    }
}

/// The extra fields that matter.
#[derive(Default)]
struct Extra<'a> {
    zip64: Option<&'a [u8]>,
    unicode_name: Option<&'a [u8]>,
}

impl<'a> Extra<'a> {
    fn parse(data: &'a [u8]) -> Result<Self> {
        let mut extra = Self::default();
        let mut fields = Fields(data);
        while !fields.0.is_empty() {
            let (id, length) = (fields.u16()?, fields.u16()?);
            let body = fields.take(length.into())?;
            let place = match id {
                1 => &mut extra.zip64,
                0x7075 => &mut extra.unicode_name,
                _ => continue,
            };
            // Version and CRC come before a Unicode name.
            let body = if id == 1 { Some(body) } else { body.get(5..) };
            if place.replace(body.context("an extra field is cut")?).is_some() {
                bail!("an extra field comes twice");
            }
        }
        Ok(extra)
    }

    /// Replaces values that are all ones by those of the zip64 field, which must hold just them.
    fn widen<const COUNT: usize>(&self, mut values: [u64; COUNT]) -> Result<[u64; COUNT]> {
        let mut wide = Fields(self.zip64.unwrap_or_default());
        for value in &mut values {
            if *value == u64::from(u32::MAX) {
                *value = wide.u64().context("a zip64 field is missing or cut")?;
            }
        }
        if !wide.0.is_empty() {
            bail!("a zip64 field that nothing asks for");
        }
        Ok(values)
    }
}

/// The end record, widened by its zip64 kin.
struct End {
    /// Where the first of the end records begins.
    at: u64,
    count: u64,
    size: u64,
    offset: u64,
}

impl End {
    fn find(file: &File, archive_bytes: u64) -> Result<Self> {
        let tail_bytes = archive_bytes.min((END_BYTES + usize::from(u16::MAX)) as u64);
        let mut tail = vec![0; usize::try_from(tail_bytes)?];
        file.read_exact_at(&mut tail, archive_bytes - tail_bytes)?;
        let mut found = None;
        for at in 0..tail.len().saturating_sub(END_BYTES - 1) {
            let rest = &tail[at..];
            if !rest.starts_with(b"PK\x05\x06") {
                continue;
            }
            let comment = usize::from(u16::from_le_bytes([rest[20], rest[21]]));
            if rest.len() == END_BYTES + comment && found.replace(at).is_some() {
                bail!("two end records");
            }
        }
        let Some(at) = found else {
            bail!(
                "no end record that reaches to the end of the file: it is cut, or has bytes after it"
            )
        };
        let mut fields = Fields(&tail[at + 4..]);
        let (disk, start_disk) = (fields.u16()?, fields.u16()?);
        let (here, count) = (fields.u16()?, fields.u16()?);
        let (size, offset) = (fields.u32()?, fields.u32()?);
        if disk != 0 || start_disk != 0 || here != count {
            bail!("it is split over several disks");
        }
        let at = archive_bytes - tail_bytes + at as u64;
        let narrow = Self { at, count: count.into(), size: size.into(), offset: offset.into() };
        narrow.widen(file)
    }

    /// Takes the zip64 end record into account, if its locator stands before the plain one.
    fn widen(self, file: &File) -> Result<Self> {
        let mut locator = [0; LOCATOR_BYTES as usize];
        let locator_at = self.at.checked_sub(LOCATOR_BYTES);
        let has_locator = match locator_at {
            Some(at) => {
                file.read_exact_at(&mut locator, at)?;
                locator.starts_with(b"PK\x06\x07")
            }
            None => false,
        };
        let (Some(locator_at), true) = (locator_at, has_locator) else {
            // A count of 65535 may be just that.
            if self.size == u64::from(u32::MAX) || self.offset == u64::from(u32::MAX) {
                bail!("no zip64 end record where one is needed");
            }
            return Ok(self);
        };
        let mut fields = Fields(&locator[4..]);
        let (disk, at, disks) = (fields.u32()?, fields.u64()?, fields.u32()?);
        if disk != 0 || disks != 1 || at.checked_add(END64_BYTES) != Some(locator_at) {
            bail!("a zip64 end record that is not where it should be");
        }
        let mut record = [0; END64_BYTES as usize];
        file.read_exact_at(&mut record, at)?;
        let mut fields = Fields(&record);
        let (signature, length) = (fields.take(4)?, fields.u64()?);
        let _versions = fields.u32()?;
        let (disk, start_disk) = (fields.u32()?, fields.u32()?);
        let (here, count) = (fields.u64()?, fields.u64()?);
        let wide = Self { at, count, size: fields.u64()?, offset: fields.u64()? };
        let agrees = |narrow: u64, wide: u64, full: u64| narrow == wide || narrow == full;
        let agrees = agrees(self.count, wide.count, u16::MAX.into())
            && agrees(self.size, wide.size, u32::MAX.into())
            && agrees(self.offset, wide.offset, u32::MAX.into());
        let is_sound = signature == b"PK\x06\x06" && length == END64_BYTES - 12;
        if !is_sound || disk != 0 || start_disk != 0 || here != count || !agrees {
            bail!("a zip64 end record that contradicts the plain one");
        }
        Ok(wide)
    }
}

/// Little-endian fields, taken one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).context("a record is cut")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH]> {
        Ok(self.take(LENGTH)?.try_into()?)
    }

    fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }
}
