//! Zstandard frames. Decodes one block at a time, as a block of 4 bytes can stand for 128 KiB, and
//! checks what the decoder leaves to its caller: the checksum and the length of each frame, and what
//! comes after it.

use std::error::Error;
use std::io::{self, BufRead as _, ErrorKind, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Input, cut, expect_zeros};

/// The most memory that a frame may ask for; `zstd --long` takes 128 MiB.
const WINDOW_BYTES: u64 = 128 << 20;

/// All frames of a file.
pub(super) struct Frames {
    input: Input,
    decoder: FrameDecoder,
    place: Place,
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
        Self { input, decoder, place: Place::Between, frame_bytes: 0 }
    }

    fn begin_frame(&mut self) -> io::Result<()> {
        match self.input.fill_buf()?.first() {
            // No frame begins with a zero.
            None | Some(0) => {
                self.place = Place::Done;
                return expect_zeros(&mut self.input);
            }
            Some(_) => {}
        }
        match self.decoder.init(&mut self.input) {
            Ok(()) => {
                self.place = Place::Inside;
                self.frame_bytes = 0;
                Ok(())
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let mut skipped = (&mut self.input).take(length.into());
                let count = io::copy(&mut skipped, &mut io::sink())?;
                if count == u64::from(length) { Ok(()) } else { Err(cut()) }
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::BadMagicNumber(
                _,
            ))) => Err(invalid("bytes after the end of the compressed stream")),
            Err(error) => Err(told(error)),
        }
    }

    fn end_frame(&mut self) -> io::Result<()> {
        let expected = self.decoder.get_checksum_from_data();
        if expected.is_some() && expected != self.decoder.get_calculated_checksum() {
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
                    if count > 0 {
                        return Ok(count);
                    }
                    if self.decoder.is_finished() {
                        self.end_frame()?;
                    } else {
                        let one = BlockDecodingStrategy::UptoBlocks(1);
                        self.decoder.decode_blocks(&mut self.input, one).map_err(told)?;
                    }
                }
            }
        }
    }
}

fn invalid(problem: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, problem)
}

/// The decoder's error, of the kind that its innermost cause is: a cut file is no damaged one.
fn told(error: FrameDecoderError) -> io::Error {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    let mut is_cut = false;
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        is_cut |= io.is_some_and(|error| error.kind() == ErrorKind::UnexpectedEof);
        cause = error.source();
    }
    if is_cut { cut() } else { invalid(&error.to_string()) }
}
