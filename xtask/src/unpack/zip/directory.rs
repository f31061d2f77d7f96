//! The records of a zip, read by the `zip` crate and vetted here: the end record, the central
//! directory and the local headers must tell one story. Together with the data they must fill the
//! file: a gap could hide an entry that another reader sees, an overlap is how the worst bombs are
//! made.

mod end;
mod fields;

use std::fs::File;
use std::io::BufReader;

use anyhow::{Context as _, Result, bail};
use zip::read::{ArchiveOffset, Config, ZipFile, ZipReadOptions};
use zip::{CompressionMethod, System, ZipArchive};

use super::super::limits::Budget;
use super::super::name::{shown, told};
use end::End;
pub(super) use fields::At;
use fields::{Fields, read_at};

/// Bytes of a central record without its name, extra fields and comment.
const RECORD_BYTES: usize = 46;

/// A local header with a usual name and usual extra fields.
const LOCAL_BYTES: usize = 256;

/// The most that a central directory may take: 400,000 records of 300 bytes.
const DIRECTORY_BYTES: u64 = 128 << 20;

/// Flags of an entry that change nothing: how hard it was compressed, a descriptor after the data,
/// names in UTF-8.
const HARMLESS_FLAGS: u16 = 1 << 1 | 1 << 2 | 1 << 3 | FLAG_UTF8;
const ENCRYPTION_FLAGS: u16 = 1 | 1 << 6 | 1 << 13;
const FLAG_UTF8: u16 = 1 << 11;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

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

type Archive<'a> = ZipArchive<BufReader<At<'a>>>;

/// Reads and vets all records, in the order of the central directory.
pub(super) fn read(file: &File, archive_bytes: u64, budget: &mut Budget) -> Result<Vec<Record>> {
    // The crate would try an earlier end record, if the last one led nowhere, and believe its count:
    // what it will read is vetted before.
    let end = End::find(file, archive_bytes)?;
    if end.size > DIRECTORY_BYTES || end.offset.checked_add(end.size) != Some(end.at) {
        bail!("the central directory does not end where the end record begins");
    }
    (0..end.count).try_for_each(|_| budget.entry())?;
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let reader = BufReader::with_capacity(LOCAL_BYTES, At { file, at: 0, end: archive_bytes });
    let mut archive =
        Archive::with_config(config, reader).map_err(told).context("its central directory")?;
    let directory = read_at(file, end.offset, usize::try_from(end.size)?)?;
    vet_directory(&directory, &end, &archive)?;
    let records = (0..archive.len()).map(|index| record(&mut archive, index));
    let records = records.collect::<Result<Vec<_>>>()?;
    vet_layout(file, &records, end.offset)?;
    Ok(records)
}

/// What the crate does not look at: flags, extra fields that give an entry a second name or size
/// (local ones it does compare), and whether there is more than it has read.
fn vet_directory(directory: &[u8], end: &End, archive: &Archive<'_>) -> Result<()> {
    if archive.has_duplicate_names() {
        bail!("the same name twice");
    }
    if archive.central_directory_start() != end.offset || archive.offset() != 0 {
        bail!("its central directory is not where the end record says");
    }
    let mut fields = Fields(directory);
    let mut count = 0;
    while !fields.is_empty() {
        let mut head = Fields(fields.take(RECORD_BYTES)?);
        head.take(8)?;
        let (flags, method) = (head.u16()?, head.u16()?);
        head.take(16)?;
        let (name, extra, comment, disk) = (head.u16()?, head.u16()?, head.u16()?, head.u16()?);
        let name = fields.take(name.into())?;
        let extra = fields.take(extra.into())?;
        fields.take(comment.into())?;
        vet_record(name, flags, method, disk)
            .and_then(|()| vet_extra(extra))
            .with_context(|| format!("entry {}", shown(name)))?;
        count += 1;
    }
    if count != end.count || archive.len() as u64 != end.count {
        bail!("{count} entries where the end record says {}", end.count);
    }
    Ok(())
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

fn vet_extra(extra: &[u8]) -> Result<()> {
    let mut fields = Fields(extra);
    while !fields.is_empty() {
        let (id, length) = (fields.u16()?, fields.u16()?);
        fields.take(length.into())?;
        match id {
            0x0001 => bail!("it has a zip64 field, as if it were over 4 GiB"),
            0x7075 => bail!("it has two names"),
            _ => {}
        }
    }
    Ok(())
}

/// Has the crate compare a record with its local header.
fn record(archive: &mut Archive<'_>, index: usize) -> Result<Record> {
    let name = archive.by_index_data(index)?.name_raw().to_vec();
    let options = ZipReadOptions::new().enforce_header_consistency(true);
    let entry = archive.by_index_with_options(index, options);
    let entry = entry.map_err(anyhow::Error::from);
    entry.and_then(|entry| Record::of(&entry)).with_context(|| format!("entry {}", shown(&name)))
}

impl Record {
    fn of(entry: &ZipFile<'_, BufReader<At<'_>>>) -> Result<Self> {
        let name = entry.name_raw().to_vec();
        let is_deflated = entry.compression() == CompressionMethod::Deflated;
        if !is_deflated && entry.compressed_size() != entry.size() {
            bail!("stored, but with two sizes");
        }
        Ok(Self {
            kind: Type::of(entry.system(), entry.external_attributes(), &name)?,
            name,
            is_deflated,
            crc: entry.crc32(),
            packed_bytes: entry.compressed_size(),
            bytes: entry.size(),
            data_at: entry.data_start().context("its data is nowhere")?,
            header_at: entry.header_start(),
            has_descriptor: entry.flags().is_using_data_descriptor(),
        })
    }
}

impl Type {
    /// What the name's last slash and the attributes say together.
    fn of(system: System, attributes: u32, name: &[u8]) -> Result<Self> {
        let mode = attributes >> 16;
        let is_unix = matches!(system, System::Unix | System::OsDarwin);
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
