//! The data of one zip entry, stored or deflated, checked against its record: length in, length out
//! and CRC. Never writes a byte more than the record says.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt as _;

use anyhow::{Context as _, Result, bail};
use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::directory::Record;

const INPUT_BYTES: usize = 64 << 10;
const OUTPUT_BYTES: usize = 256 << 10;

/// The buffers and the decompressor, used again for each entry.
pub(super) struct Inflater {
    input: Vec<u8>,
    output: Vec<u8>,
    decoder: Decompress,
    start: [u8; 4],
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            input: vec![0; INPUT_BYTES],
            output: vec![0; OUTPUT_BYTES],
            decoder: Decompress::new(false),
            start: [0; 4],
        }
    }

    /// Whether the last entry begins like an ELF file or a script.
    pub(super) fn begins_like_program(&self) -> bool {
        self.start == *b"\x7fELF" || self.start.starts_with(b"#!")
    }

    /// Writes the content of an entry to `sink`.
    pub(super) fn run(&mut self, file: &File, record: &Record, sink: &mut dyn Write) -> Result<()> {
        let mut out = Checked { sink, crc: Crc::new(), bytes: 0, start: [0; 4], record };
        if record.is_deflated {
            self.inflate(file, record, &mut out)?;
        } else {
            let mut at = 0;
            while at < record.packed_bytes {
                let piece = read_piece(file, record, at, &mut self.input)?;
                out.take(piece)?;
                at += piece.len() as u64;
            }
        }
        self.start = out.start;
        out.finish()
    }

    fn inflate(&mut self, file: &File, record: &Record, out: &mut Checked<'_>) -> Result<()> {
        self.decoder.reset(false);
        let (mut read, mut pending) = (0, 0..0);
        loop {
            if pending.is_empty() && read < record.packed_bytes {
                let length = read_piece(file, record, read, &mut self.input)?.len();
                read += length as u64;
                pending = 0..length;
            }
            let (in_before, out_before) = (self.decoder.total_in(), self.decoder.total_out());
            let input = &self.input[pending.clone()];
            let status = self
                .decoder
                .decompress(input, &mut self.output, FlushDecompress::None)
                .context("its deflated data is damaged")?;
            let taken = usize::try_from(self.decoder.total_in() - in_before)?;
            let made = usize::try_from(self.decoder.total_out() - out_before)?;
            pending.start += taken;
            out.take(&self.output[..made])?;
            match status {
                Status::StreamEnd if self.decoder.total_in() == record.packed_bytes => {
                    return Ok(());
                }
                Status::StreamEnd => bail!("its deflated data ends before the record says"),
                _ if taken == 0 && made == 0 => bail!("its deflated data is cut"),
                _ => {}
            }
        }
    }
}

/// Reads the next piece of an entry's packed bytes, from `at` on.
fn read_piece<'a>(file: &File, record: &Record, at: u64, buffer: &'a mut [u8]) -> Result<&'a [u8]> {
    let left = usize::try_from(record.packed_bytes - at).unwrap_or(usize::MAX);
    let length = left.min(buffer.len());
    let piece = &mut buffer[..length];
    file.read_exact_at(piece, record.data_at + at).context("the archive is cut")?;
    Ok(piece)
}

/// Counts and sums what goes to the sink.
struct Checked<'a> {
    sink: &'a mut dyn Write,
    crc: Crc,
    bytes: u64,
    start: [u8; 4],
    record: &'a Record,
}

impl Checked<'_> {
    fn take(&mut self, piece: &[u8]) -> Result<()> {
        if self.bytes == 0 {
            let length = piece.len().min(4);
            self.start[..length].copy_from_slice(&piece[..length]);
        }
        self.bytes += piece.len() as u64;
        if self.bytes > self.record.bytes {
            bail!("more data than the {} bytes that its record says", self.record.bytes);
        }
        self.crc.update(piece);
        Ok(self.sink.write_all(piece)?)
    }

    fn finish(self) -> Result<()> {
        if self.bytes != self.record.bytes {
            bail!("{} bytes of data where its record says {}", self.bytes, self.record.bytes);
        }
        if self.crc.sum() != self.record.crc {
            bail!("its CRC is wrong");
        }
        Ok(())
    }
}
