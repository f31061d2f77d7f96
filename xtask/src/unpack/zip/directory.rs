//! The records of a zip, read and vetted: the end record, the central directory and the local headers
//! must tell one story. Together with the data they must fill the file: a gap could hide an entry that
//! another reader sees, an overlap is how the worst bombs are made.

mod end;
mod fields;

use std::collections::HashSet;
use std::fs::File;

use anyhow::{Context as _, Result, bail};

use super::super::limits::Budget;
use super::super::name::shown;
use end::End;
pub(super) use fields::At;
use fields::{Fields, read_at};

/// Bytes of a local header without its name and extra fields.
const LOCAL_BYTES: usize = 30;

/// The most that a central directory may take: 400,000 records of 300 bytes.
const DIRECTORY_BYTES: u64 = 128 << 20;

/// Flags of an entry that change nothing: how hard it was compressed, a descriptor after the data,
/// names in UTF-8.
const HARMLESS_FLAGS: u16 = LEVEL_FLAGS | FLAG_DESCRIPTOR | FLAG_UTF8;
const LEVEL_FLAGS: u16 = 1 << 1 | 1 << 2;
const ENCRYPTION_FLAGS: u16 = 1 | 1 << 6 | 1 << 13;
const FLAG_UTF8: u16 = 1 << 11;
const FLAG_DESCRIPTOR: u16 = 1 << 3;

/// Systems whose attributes have Unix's modes: Unix itself and Darwin.
const UNIX: [u16; 2] = [3, 19];

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// Extra fields: sizes of 8 bytes, and a name in UTF-8 in the place of the other.
const ZIP64: u16 = 0x0001;
const SECOND_NAME: u16 = 0x7075;

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

/// One entry, vetted.
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
    header_at: u64,
    has_descriptor: bool,
}

/// Reads and vets all records, in the order of the central directory.
pub(super) fn read(file: &File, archive_bytes: u64, budget: &mut Budget) -> Result<Vec<Record>> {
    let end = End::find(file, archive_bytes)?;
    if end.size > DIRECTORY_BYTES || end.offset.checked_add(end.size) != Some(end.at) {
        bail!("the central directory does not end where the end record begins");
    }
    (0..end.count).try_for_each(|_| budget.entry())?;
    let directory = read_at(file, end.offset, usize::try_from(end.size)?)?;
    let mut fields = Fields(&directory);
    let (mut records, mut names, mut count) = (Vec::new(), HashSet::new(), 0);
    while !fields.is_empty() {
        let central = Central::read(&mut fields).context("its central directory")?;
        if !names.insert(central.name) {
            bail!("the same name twice");
        }
        count += 1;
        if count <= end.count {
            let record = central.vet().and_then(|()| central.record(file));
            records.push(record.with_context(|| format!("entry {}", shown(central.name)))?);
        }
    }
    if count != end.count {
        bail!("its central directory has {count} entries where the end record says {}", end.count);
    }
    vet_layout(file, &records, end.offset)?;
    Ok(records)
}

/// What the central directory says of an entry.
struct Central<'a> {
    system: u16,
    attributes: u32,
    header_at: u64,
    disk: u16,
    name: &'a [u8],
    extra: &'a [u8],
    facts: Facts,
}

/// What the central directory and the local header both say.
#[derive(Clone, Copy)]
struct Facts {
    flags: u16,
    method: u16,
    crc: u32,
    packed_bytes: u32,
    bytes: u32,
    name_length: u16,
    extra_length: u16,
}

impl Facts {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let (flags, method) = (fields.u16()?, fields.u16()?);
        let _time = fields.u32()?;
        Ok(Self {
            flags,
            method,
            crc: fields.u32()?,
            packed_bytes: fields.u32()?,
            bytes: fields.u32()?,
            name_length: fields.u16()?,
            extra_length: fields.u16()?,
        })
    }
}

impl<'a> Central<'a> {
    fn read(fields: &mut Fields<'a>) -> Result<Self> {
        if fields.take(4)? != b"PK\x01\x02" {
            bail!("a record with a wrong signature");
        }
        let (made_by, _needs) = (fields.u16()?, fields.u16()?);
        let facts = Facts::read(fields)?;
        let (comment, disk, _inner) = (fields.u16()?, fields.u16()?, fields.u16()?);
        let (attributes, header_at) = (fields.u32()?, fields.u32()?);
        let name = fields.take(facts.name_length.into())?;
        let extra = fields.take(facts.extra_length.into())?;
        fields.take(comment.into())?;
        let system = made_by >> 8;
        Ok(Self { system, attributes, header_at: header_at.into(), disk, name, extra, facts })
    }

    fn vet(&self) -> Result<()> {
        vet_record(self.name, self.facts.flags, self.facts.method, self.disk)?;
        vet_extra(self.extra, |id, _| match id {
            ZIP64 => bail!("it has a zip64 field, as if it were over 4 GiB"),
            _ => Ok(()),
        })
    }

    /// The record, when its local header has said the same.
    fn record(&self, file: &File) -> Result<Record> {
        let local = read_at(file, self.header_at, LOCAL_BYTES + self.name.len())?;
        let mut fields = Fields(&local);
        if fields.take(4)? != b"PK\x03\x04" {
            bail!("there is no local file header where its record says");
        }
        let _needs = fields.u16()?;
        let facts = Facts::read(&mut fields)?;
        let extra_at = self.header_at + local.len() as u64;
        let extra = read_at(file, extra_at, facts.extra_length.into())?;
        self.compare(&facts, fields.take(self.name.len())?, &extra)?;
        let Facts { flags, method, crc, packed_bytes, bytes, .. } = self.facts;
        if method == STORED && packed_bytes != bytes {
            bail!("stored, but with two sizes");
        }
        Ok(Record {
            kind: Type::of(self.system, self.attributes, self.name)?,
            name: self.name.to_vec(),
            is_deflated: method == DEFLATED,
            crc,
            packed_bytes: packed_bytes.into(),
            bytes: bytes.into(),
            data_at: extra_at + u64::from(facts.extra_length),
            header_at: self.header_at,
            has_descriptor: flags & FLAG_DESCRIPTOR != 0,
        })
    }

    /// Holds a local header against the record. Where a descriptor follows the data, the header need
    /// not know what that says.
    fn compare(&self, local: &Facts, name: &[u8], extra: &[u8]) -> Result<()> {
        let Facts { flags, method, crc, packed_bytes, bytes, .. } = self.facts;
        if (local.flags ^ flags) & !LEVEL_FLAGS != 0 {
            bail!("its local header has other flags");
        }
        if local.name_length != self.facts.name_length || name != self.name {
            bail!("its local header has another name");
        }
        if local.method != method {
            bail!("its local header has another method");
        }
        let mut sizes = [u64::from(local.bytes), u64::from(local.packed_bytes)];
        vet_extra(extra, |id, content| match id {
            ZIP64 => Fields(content).widen(&mut sizes),
            _ => Ok(()),
        })?;
        let is_same = |local: u64, central: u32| {
            local == u64::from(central) || (flags & FLAG_DESCRIPTOR != 0 && local == 0)
        };
        if !is_same(local.crc.into(), crc) {
            bail!("its local header has another CRC");
        }
        if !is_same(sizes[0], bytes) || !is_same(sizes[1], packed_bytes) {
            bail!("its local header has other sizes");
        }
        Ok(())
    }
}

fn vet_record(name: &[u8], flags: u16, method: u16, disk: u16) -> Result<()> {
    if flags & ENCRYPTION_FLAGS != 0 {
        bail!("it is encrypted");
    }
    if flags & !HARMLESS_FLAGS != 0 {
        bail!("it has unknown flags, {flags:#06x}");
    }
    if method != STORED && method != DEFLATED {
        bail!("it is packed with method {method}; only stored (0) and deflated (8) are known");
    }
    if disk != 0 {
        bail!("it is on another disk");
    }
    if !name.is_ascii() && flags & FLAG_UTF8 == 0 {
        bail!("its name is not ASCII and not marked as UTF-8");
    }
    Ok(())
}

/// Goes through extra fields, of which none may give a second name.
fn vet_extra(extra: &[u8], mut one: impl FnMut(u16, &[u8]) -> Result<()>) -> Result<()> {
    let mut fields = Fields(extra);
    while !fields.is_empty() {
        let (id, length) = (fields.u16()?, fields.u16()?);
        let content = fields.take(length.into())?;
        match id {
            SECOND_NAME => bail!("it has two names"),
            id => one(id, content)?,
        }
    }
    Ok(())
}

impl Type {
    /// What the name's last slash and the attributes say together.
    fn of(system: u16, attributes: u32, name: &[u8]) -> Result<Self> {
        let mode = attributes >> 16;
        let is_unix = UNIX.contains(&system);
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

/// Checks that the entries fill the file up to the directory, without gaps and overlaps.
fn vet_layout(file: &File, records: &[Record], directory_at: u64) -> Result<()> {
    let mut order: Vec<&Record> = records.iter().collect();
    order.sort_by_key(|record| record.header_at);
    let mut at = 0;
    for (place, record) in order.iter().enumerate() {
        let next = order.get(place + 1).map_or(directory_at, |next| next.header_at);
        let context = || format!("entry {}", shown(&record.name));
        if record.header_at != at {
            bail!("{}: there is a gap before it in the file", context());
        }
        let end = record.data_at.checked_add(record.packed_bytes).filter(|&end| end <= next);
        let Some(end) = end else {
            bail!("{}: it overlaps what comes after it in the file", context());
        };
        at = end;
        if record.has_descriptor {
            at = next;
            vet_descriptor(file, record, end, next).with_context(context)?;
        }
    }
    if at != directory_at {
        bail!("bytes between the last entry and the central directory");
    }
    Ok(())
}

/// Checks the record after the data, in any of its four forms: with or without a signature, with
/// sizes of 4 or 8 bytes. How long it is, is known from what follows.
fn vet_descriptor(file: &File, record: &Record, at: u64, next: u64) -> Result<()> {
    let length = usize::try_from(next - at)?;
    if !matches!(length, 12 | 16 | 20 | 24) {
        bail!("its data is not followed by a descriptor");
    }
    let data = read_at(file, at, length)?;
    let mut fields = Fields(&data);
    if matches!(length, 16 | 24) && fields.take(4)? != b"PK\x07\x08" {
        bail!("its descriptor has a wrong signature");
    }
    let crc = fields.u32()?;
    let (packed, size) = if length >= 20 {
        (fields.u64()?, fields.u64()?)
    } else {
        (fields.u32()?.into(), fields.u32()?.into())
    };
    if (crc, packed, size) != (record.crc, record.packed_bytes, record.bytes) {
        bail!("its descriptor says something else than the central directory");
    }
    Ok(())
}
