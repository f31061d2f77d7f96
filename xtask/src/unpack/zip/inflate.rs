//! The data of one zip entry, stored or deflated, checked against its record: length in, length out
//! and CRC. Never writes a byte more than the record says.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Take, Write};

use anyhow::{Context as _, Result, bail};
use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::directory::{At, Record};

const INPUT_BYTES: usize = 64 << 10;
const OUTPUT_BYTES: usize = 256 << 10;

/// The buffer and the decompressor, used again for each entry.
pub(super) struct Inflater<'a> {
    file: &'a File,
    decoder: DeflateDecoder<BufReader<Take<At<'a>>>>,
    output: Vec<u8>,
    begins_like_program: bool,
}

impl<'a> Inflater<'a> {
    pub(super) fn new(file: &'a File) -> Self {
        let decoder = DeflateDecoder::new(packed(file, 0, 0));
        Self { file, decoder, output: vec![0; OUTPUT_BYTES], begins_like_program: false }
    }

    /// Whether the last entry begins like an ELF file or a script.
    pub(super) fn begins_like_program(&self) -> bool {
        self.begins_like_program
    }

    /// Writes the content of an entry to `sink`.
    pub(super) fn run(&mut self, record: &Record, sink: &mut dyn Write) -> Result<()> {
        self.decoder.reset(packed(self.file, record.data_at, record.packed_bytes));
        self.begins_like_program = false;
        let (mut crc, mut bytes) = (Crc::new(), 0);
        loop {
            let read = if record.is_deflated {
                self.decoder.read(&mut self.output)
            } else {
                self.decoder.get_mut().read(&mut self.output)
            };
            let piece = match read {
                Ok(0) => break,
                Ok(count) => &self.output[..count],
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("its data is damaged"),
            };
            self.begins_like_program |=
                bytes == 0 && (piece.starts_with(b"\x7fELF") || piece.starts_with(b"#!"));
            bytes += piece.len() as u64;
            if bytes > record.bytes {
                bail!("more data than the {} bytes that its record says", record.bytes);
            }
            crc.update(piece);
            sink.write_all(piece)?;
        }
        if bytes != record.bytes {
            bail!("{bytes} bytes of data where its record says {}", record.bytes);
        }
        if record.is_deflated && self.decoder.total_in() != record.packed_bytes {
            bail!("its deflated data ends before the record says");
        }
        if crc.sum() != record.crc {
            bail!("its CRC is wrong");
        }
        Ok(())
    }
}

fn packed(file: &File, at: u64, bytes: u64) -> BufReader<Take<At<'_>>> {
    BufReader::with_capacity(INPUT_BYTES, At { file, at }.take(bytes))
}
