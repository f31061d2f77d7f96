//! Compressed file → the bytes inside, to the very end: every checksum is verified, a cut or damaged
//! stream is an error, and so is anything but zeros after it. Never holds more than one block.
//!
//! The decoders are the push kind where there is one, because their loops are then compiled in their
//! own crates, which the dev profile optimises, and not in this one.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use lzma_rust2::{Action, Status, XzStream};

mod zstd;

use zstd::Frames;

/// Bytes read from the disk at once.
const INPUT_BYTES: usize = 256 << 10;

/// The most memory that an xz stream may ask for, in KiB: four times what `xz -9` takes.
const XZ_MEMORY_KIB: u32 = 256 << 10;

/// How a tar is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Xz,
    Bzip2,
    Zstd,
}

type Input = BufReader<File>;

/// Reads what is inside a compressed file.
pub(super) struct Decoder(State);

enum State {
    Plain(Input),
    Gzip(Box<GzDecoder<Input>>),
    Bzip2(BzDecoder<Input>),
    Xz(Input, Box<XzStream>),
    Zstd(Box<Frames>),
    /// All is read and verified, or an error was told.
    Done,
}

impl Decoder {
    pub(super) fn new(file: File, compression: Compression) -> Self {
        let input = BufReader::with_capacity(INPUT_BYTES, file);
        Self(match compression {
            Compression::None => State::Plain(input),
            Compression::Gzip => State::Gzip(Box::new(GzDecoder::new(input))),
            Compression::Bzip2 => State::Bzip2(BzDecoder::new(input)),
            Compression::Xz => {
                State::Xz(input, Box::new(XzStream::new_mem_limit(true, XZ_MEMORY_KIB)))
            }
            Compression::Zstd => State::Zstd(Box::new(Frames::new(input))),
        })
    }

    /// What follows the end of a gzip member or a bzip2 stream: another one, zeros, or nothing.
    fn next_member(state: State) -> io::Result<State> {
        let (mut input, is_gzip) = match state {
            State::Gzip(decoder) => (decoder.into_inner(), true),
            State::Bzip2(decoder) => (decoder.into_inner(), false),
            other => return Ok(other),
        };
        Ok(match input.fill_buf()?.first() {
            Some(0x1f) if is_gzip => State::Gzip(Box::new(GzDecoder::new(input))),
            Some(b'B') if !is_gzip => State::Bzip2(BzDecoder::new(input)),
            _ => {
                expect_zeros(&mut input)?;
                State::Done
            }
        })
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let count = match &mut self.0 {
                State::Plain(input) => return input.read(buffer),
                State::Zstd(frames) => return frames.read(buffer).map_err(damaged),
                State::Xz(input, stream) => return read_xz(input, stream, buffer).map_err(damaged),
                State::Gzip(decoder) => decoder.read(buffer),
                State::Bzip2(decoder) => decoder.read(buffer),
                State::Done => return Ok(0),
            };
            match count.map_err(damaged)? {
                0 => {
                    let ended = std::mem::replace(&mut self.0, State::Done);
                    self.0 = Self::next_member(ended)?;
                }
                count => return Ok(count),
            }
        }
    }
}

fn read_xz(input: &mut Input, stream: &mut XzStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        let bytes = input.fill_buf()?;
        let action = if bytes.is_empty() { Action::Finish } else { Action::Run };
        let result = stream.process(bytes, buffer, action)?;
        let is_stuck = result.bytes_consumed == 0 && bytes.is_empty();
        input.consume(result.bytes_consumed);
        match result.status {
            _ if result.bytes_produced > 0 => return Ok(result.bytes_produced),
            Status::StreamEnd => return Ok(0),
            _ if is_stuck => return Err(cut()),
            _ => {}
        }
    }
}

/// Reads to the end of a file, where zero padding may be and nothing else.
fn expect_zeros(input: &mut Input) -> io::Result<()> {
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.iter().any(|&byte| byte != 0) {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "bytes after the end of the compressed stream",
            ));
        }
        let length = bytes.len();
        input.consume(length);
    }
}

fn cut() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "it ends too early")
}

fn damaged(error: io::Error) -> io::Error {
    let problem = if error.kind() == ErrorKind::UnexpectedEof {
        "the compressed stream is cut"
    } else {
        "the compressed stream is damaged"
    };
    io::Error::new(error.kind(), format!("{problem}: {error}"))
}
