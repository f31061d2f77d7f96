//! Zstandard frames, block by block. Never hands the decoder more than one block at a time: a block
//! of 4 bytes can stand for 128 KiB, and the decoder would unpack all that it gets into memory.

use std::io::{self, BufRead as _, ErrorKind, Read};

use ruzstd::decoding::FrameDecoder;

use super::{Input, cut, expect_zeros};

const MAGIC: u32 = 0xfd2f_b528;
/// The magic number of a skippable frame, without its last four bits.
const SKIPPABLE: u32 = 0x184d_2a50;
/// The largest frame header, magic number included.
const HEADER_BYTES: usize = 18;
/// The most that a block holds, by the format.
const BLOCK_BYTES: usize = 128 << 10;
/// The most memory that a frame may ask for; `zstd --long` takes 128 MiB.
const WINDOW_BYTES: u64 = 128 << 20;

/// All frames of a file.
pub(super) struct Frames {
    input: Input,
    decoder: FrameDecoder,
    pending: Vec<u8>,
    place: Place,
    has_checksum: bool,
    frame_bytes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Between,
    Inside,
    Done,
}

impl Frames {
    pub(super) fn new(input: Input) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_BYTES);
        let pending = Vec::with_capacity(BLOCK_BYTES + 64);
        let place = Place::Between;
        Self { input, decoder, pending, place, has_checksum: false, frame_bytes: 0 }
    }

    /// Reads until so many bytes are pending, fewer only at the end of the file.
    fn fill(&mut self, length: usize) -> io::Result<()> {
        let missing = length.saturating_sub(self.pending.len()) as u64;
        (&mut self.input).take(missing).read_to_end(&mut self.pending)?;
        Ok(())
    }

    fn begin_frame(&mut self) -> io::Result<()> {
        self.fill(4)?;
        let magic = match self.pending.as_slice() {
            [] => {
                self.place = Place::Done;
                return Ok(());
            }
            pending => pending.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)),
        };
        if magic & !0xf == SKIPPABLE {
            return self.skip_frame();
        }
        if magic != MAGIC {
            if self.pending.iter().any(|&byte| byte != 0) {
                return Err(invalid("bytes after the end of the compressed stream"));
            }
            self.place = Place::Done;
            return expect_zeros(&mut self.input);
        }
        self.fill(HEADER_BYTES)?;
        self.has_checksum = self.pending.get(4).is_some_and(|flags| flags & 4 != 0);
        let mut rest = self.pending.as_slice();
        self.decoder.init(&mut rest).map_err(invalid)?;
        let consumed = self.pending.len() - rest.len();
        self.pending.drain(..consumed);
        self.place = Place::Inside;
        self.frame_bytes = 0;
        Ok(())
    }

    fn skip_frame(&mut self) -> io::Result<()> {
        self.fill(8)?;
        let Some(length) = self.pending.get(4..8).and_then(|bytes| bytes.first_chunk()) else {
            return Err(cut());
        };
        let mut left = u64::from(u32::from_le_bytes(*length));
        self.pending.clear();
        while left > 0 {
            let length = self.input.fill_buf()?.len() as u64;
            if length == 0 {
                return Err(cut());
            }
            let step = length.min(left);
            self.input.consume(step as usize);
            left -= step;
        }
        Ok(())
    }

    /// Decodes one block, and checks what the frame promised if it was the last.
    fn decode_block(&mut self) -> io::Result<()> {
        self.fill(3)?;
        let Some(&[a, b, c]) = self.pending.first_chunk() else { return Err(cut()) };
        let header = u32::from_le_bytes([a, b, c, 0]);
        let (is_last, is_run, size) =
            (header & 1 == 1, (header >> 1) & 3 == 1, (header >> 3) as usize);
        if size > BLOCK_BYTES {
            return Err(invalid("a block of more than 128 KiB"));
        }
        let checksum = if is_last && self.has_checksum { 4 } else { 0 };
        let length = 3 + if is_run { 1 } else { size } + checksum;
        self.fill(length)?;
        if self.pending.len() < length {
            return Err(cut());
        }
        let (read, _) =
            self.decoder.decode_from_to(&self.pending[..length], &mut []).map_err(invalid)?;
        // The decoder does not count the checksum in every version of it.
        if read != length && read + checksum != length {
            return Err(invalid("a block that is not what its header says"));
        }
        self.pending.drain(..length);
        Ok(())
    }

    fn end_frame(&mut self) -> io::Result<()> {
        if self.has_checksum
            && self.decoder.get_checksum_from_data() != self.decoder.get_calculated_checksum()
        {
            return Err(invalid("wrong checksum"));
        }
        let promised = self.decoder.content_size();
        if promised != 0 && promised != self.frame_bytes {
            return Err(invalid("a frame that is not as long as it says"));
        }
        self.place = Place::Between;
        Ok(())
    }
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.place {
                Place::Done => return Ok(0),
                Place::Between => self.begin_frame()?,
                Place::Inside => {
                    let count = self.decoder.read(buffer)?;
                    self.frame_bytes += count as u64;
                    match count {
                        0 if self.decoder.is_finished() => self.end_frame()?,
                        0 => self.decode_block()?,
                        count => return Ok(count),
                    }
                }
            }
        }
    }
}

fn invalid(problem: impl ToString) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, problem.to_string())
}
