//! A local header and the descriptor after the data, compared with the central record. Never the
//! source of anything but the place where the data begins.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use anyhow::{Context as _, Result, bail};

use super::{Extra, FLAG_DESCRIPTOR, FLAG_UTF8, Fields, Record};

const HEADER_BYTES: usize = 30;

/// Names and extra fields up to this size are read together with the header.
const USUAL_BYTES: usize = 256;

/// Vets the local header of a record, notes where its data begins, and tells where the entry ends.
/// The next entry, or the directory, begins at `next`.
pub(super) fn vet(file: &File, record: &mut Record, next: u64) -> Result<u64> {
    let mut data = vec![0; HEADER_BYTES + record.name.len() + USUAL_BYTES];
    let room = usize::try_from(next.saturating_sub(record.header_at)).unwrap_or(usize::MAX);
    data.truncate(room);
    if room < HEADER_BYTES + record.name.len() {
        bail!("it overlaps what comes after it in the file");
    }
    file.read_exact_at(&mut data, record.header_at).context("its local header is cut")?;
    let mut fields = Fields(&data);
    if fields.take(4)? != b"PK\x03\x04" {
        bail!("there is no local header where its record says");
    }
    let (_needed, flags, method) = (fields.u16()?, fields.u16()?, fields.u16()?);
    let _time = fields.u32()?;
    let crc = fields.u32()?;
    let (packed, size) = (u64::from(fields.u32()?), u64::from(fields.u32()?));
    let (name, extra_bytes) = (usize::from(fields.u16()?), usize::from(fields.u16()?));
    let variable = name + extra_bytes;
    record.data_at = record.header_at + (HEADER_BYTES + variable) as u64;
    if data.len() < HEADER_BYTES + variable {
        data.resize(HEADER_BYTES + variable, 0);
        file.read_exact_at(&mut data, record.header_at).context("its local header is cut")?;
    }
    let (local_name, rest) = data[HEADER_BYTES..].split_at(name);
    let extra = Extra::parse(&rest[..extra_bytes]).context("in its local header")?;
    let [size, packed] = extra.widen([size, packed]).context("in its local header")?;
    let relevant = FLAG_DESCRIPTOR | FLAG_UTF8 | 1;
    let has_descriptor = flags & FLAG_DESCRIPTOR != 0;
    let agrees = |local: u64, central: u64| local == central || (has_descriptor && local == 0);
    let problem = if local_name != record.name {
        "name"
    } else if flags & relevant != record.flags & relevant {
        "flags"
    } else if method != record.method {
        "method"
    } else if !agrees(crc.into(), record.crc.into()) {
        "CRC"
    } else if !agrees(size, record.bytes) || !agrees(packed, record.packed_bytes) {
        "size"
    } else if extra.unicode_name.is_some_and(|name| name != record.name) {
        "second name"
    } else {
        ""
    };
    if !problem.is_empty() {
        bail!("its local header has another {problem} than the central directory");
    }
    let end = record.data_at.checked_add(record.packed_bytes).filter(|&end| end <= next);
    let Some(end) = end else { bail!("it overlaps what comes after it in the file") };
    if has_descriptor { vet_descriptor(file, record, end, next) } else { Ok(end) }
}

/// Checks the record after the data, in any of its four forms: with or without a signature, with
/// sizes of 4 or 8 bytes. How long it is, is known from what follows.
fn vet_descriptor(file: &File, record: &Record, at: u64, next: u64) -> Result<u64> {
    let length = usize::try_from(next - at)?;
    if !matches!(length, 12 | 16 | 20 | 24) {
        bail!("its data is not followed by a descriptor");
    }
    let mut data = vec![0; length];
    file.read_exact_at(&mut data, at).context("its descriptor is cut")?;
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
    Ok(next)
}
