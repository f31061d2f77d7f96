//! The end record of a zip, and its zip64 kin: exactly one, at the end of the file. (Others take the
//! last that leads somewhere, and let bytes follow it.)

use std::fs::File;

use anyhow::{Result, bail};

use super::fields::{Fields, read_at};

const END_BYTES: usize = 22;
const END64_BYTES: u64 = 56;
const LOCATOR_BYTES: u64 = 20;

/// What the end records say.
pub(super) struct End {
    /// Where the first of the end records begins.
    pub(super) at: u64,
    pub(super) count: u64,
    pub(super) size: u64,
    pub(super) offset: u64,
}

impl End {
    pub(super) fn find(file: &File, archive_bytes: u64) -> Result<Self> {
        let tail_bytes = archive_bytes.min((END_BYTES + usize::from(u16::MAX)) as u64);
        let tail = read_at(file, archive_bytes - tail_bytes, usize::try_from(tail_bytes)?)?;
        let ends = memchr::memmem::find_iter(&tail, b"PK\x05\x06").filter(|&at| {
            let length = tail.get(at + 20..at + 22).and_then(|bytes| bytes.first_chunk());
            length.is_some_and(|&length| {
                at + END_BYTES + usize::from(u16::from_le_bytes(length)) == tail.len()
            })
        });
        let at = match ends.collect::<Vec<_>>()[..] {
            [at] => at,
            [] => bail!(
                "no end record that reaches to the end of the file: it is cut, or has bytes after it"
            ),
            _ => bail!("two end records"),
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
        let Some(at) = self.at.checked_sub(END64_BYTES + LOCATOR_BYTES) else { return Ok(self) };
        let data = read_at(file, at, (END64_BYTES + LOCATOR_BYTES) as usize)?;
        let (record, locator) = data.split_at(END64_BYTES as usize);
        if !locator.starts_with(b"PK\x06\x07") {
            return Ok(self);
        }
        let mut fields = Fields(&locator[4..]);
        if (fields.u32()?, fields.u64()?, fields.u32()?) != (0, at, 1) {
            bail!("a zip64 end record that is not where it should be");
        }
        let mut fields = Fields(record);
        let (signature, length) = (fields.take(4)?, fields.u64()?);
        let _versions = fields.u32()?;
        let disks = fields.u64()?;
        let (here, count) = (fields.u64()?, fields.u64()?);
        let wide = Self { at, count, size: fields.u64()?, offset: fields.u64()? };
        let agrees = |narrow: u64, wide: u64, full: u64| narrow == wide || narrow == full;
        let agrees = agrees(self.count, wide.count, u16::MAX.into())
            && agrees(self.size, wide.size, u32::MAX.into())
            && agrees(self.offset, wide.offset, u32::MAX.into());
        let is_sound = signature == b"PK\x06\x06" && length == END64_BYTES - 12;
        if !is_sound || disks != 0 || here != count || !agrees {
            bail!("a zip64 end record that contradicts the plain one");
        }
        Ok(wide)
    }
}
