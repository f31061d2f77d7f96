//! The tar reader: POSIX ustar and pax, GNU long names, and what came before both. Never guesses:
//! a header that two readers could take for different things is an error.
//!
//! Sizes: an extension's size counts, as POSIX says, whatever the header's own field holds, and it
//! counts for the one entry that follows. Anything that would let the two drift apart (two
//! extensions of a kind, extensions for nothing, data on entries that have none) is refused.

mod header;
mod pax;

use std::io::{BufReader, Read};

use anyhow::{Context as _, Result, bail};

use super::limits::Budget;
use super::name::{EntryName, shown};
use super::stream::Decoder;
use super::tree::{FileFacts, Tree};
use header::{Header, Type};
use pax::Extension;

/// Everything in a tar comes in blocks of this size.
pub(super) const BLOCK_BYTES: usize = 512;

/// Bytes moved at once.
const BUFFER_BYTES: usize = 256 << 10;

/// The most that an extension header may hold: names are short, but some carry extended attributes.
const EXTENSION_BYTES: u64 = 1 << 20;

type Block = [u8; BLOCK_BYTES];

/// Whether a file's first bytes are a tar header, or the end mark of an empty tar.
pub(super) fn begins_like_tar(start: &[u8]) -> bool {
    let Ok(block) = Block::try_from(start) else { return false };
    is_zero(&block) || header::has_valid_checksum(&block) || block[257..].starts_with(b"ustar")
}

/// Unpacks a tar and reads it, and the compressed stream around it, to the end.
pub(super) fn unpack(decoder: Decoder, tree: &mut Tree, budget: &mut Budget) -> Result<()> {
    let stream = BufReader::with_capacity(BUFFER_BYTES, decoder);
    let mut reader = Reader { stream, budget, buffer: vec![0; BUFFER_BYTES] };
    let mut pending = Pending::default();
    loop {
        let block = reader.block().context("where a header should be")?;
        if is_zero(&block) {
            if !pending.is_empty() {
                bail!("an extension header without an entry");
            }
            return reader.finish();
        }
        reader.budget.entry()?;
        let header = Header::parse(&block)
            .with_context(|| format!("header {} of the archive", reader.budget.entries()))?;
        let shown_name = shown(pending.name(&header));
        reader.entry(&header, &mut pending, tree).with_context(|| format!("entry {shown_name}"))?;
    }
}

/// Extension headers that wait for their entry.
#[derive(Default)]
struct Pending {
    pax: Option<Extension>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.pax.is_none() && self.long_name.is_none() && self.long_link.is_none()
    }

    fn name<'a>(&'a self, header: &'a Header) -> &'a [u8] {
        let pax = self.pax.as_ref().and_then(|pax| pax.path.as_deref());
        pax.or(self.long_name.as_deref()).unwrap_or(&header.name)
    }

    fn link<'a>(&'a self, header: &'a Header) -> &'a [u8] {
        let pax = self.pax.as_ref().and_then(|pax| pax.link.as_deref());
        pax.or(self.long_link.as_deref()).unwrap_or(&header.link)
    }

    fn size(&self, header: &Header) -> u64 {
        self.pax.as_ref().and_then(|pax| pax.size).unwrap_or(header.size)
    }
}

struct Reader<'a> {
    stream: BufReader<Decoder>,
    budget: &'a mut Budget,
    buffer: Vec<u8>,
}

impl Reader<'_> {
    fn entry(&mut self, header: &Header, pending: &mut Pending, tree: &mut Tree) -> Result<()> {
        match header.kind {
            Type::Pax | Type::Global => {
                if !pending.is_empty() {
                    bail!("two extension headers for one entry");
                }
                let data = self.extension(header.size)?;
                let extension = Extension::parse(&data).context("in its pax header")?;
                match header.kind {
                    Type::Pax => pending.pax = Some(extension),
                    _ if extension.is_plain() => {}
                    _ => bail!("a global header with a path, a link or a size"),
                }
            }
            Type::LongName | Type::LongLink => {
                let place = match header.kind {
                    Type::LongName => &mut pending.long_name,
                    _ => &mut pending.long_link,
                };
                if place.is_some() || pending.pax.is_some() {
                    bail!("two extension headers for one entry");
                }
                *place = Some(self.long_text(header.size)?);
            }
            kind => {
                let pending = std::mem::take(pending);
                let name = EntryName::vet(pending.name(header), self.budget.limits())?;
                let size = pending.size(header);
                if kind != Type::File && size != 0 {
                    bail!("{size} bytes of data on an entry that has none");
                }
                match kind {
                    Type::Folder => tree.add_folder(&name)?,
                    Type::File => self.file(&name, size, header.is_executable, tree)?,
                    Type::Link => tree.add_link(&name, pending.link(header))?,
                    _ => self.hard_link(&name, pending.link(header), tree)?,
                }
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        name: &EntryName,
        bytes: u64,
        is_executable: bool,
        tree: &mut Tree,
    ) -> Result<()> {
        self.budget.file(bytes)?;
        let mut file = tree.add_file(name, FileFacts { bytes, is_executable })?;
        let mut left = bytes;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
            let count = self.stream.read(&mut self.buffer[..wanted])?;
            if count == 0 {
                bail!("the archive ends in the middle of it");
            }
            self.budget.stream(count)?;
            if let Some(file) = &mut file {
                std::io::Write::write_all(file, &self.buffer[..count])?;
            }
            left -= count as u64;
        }
        self.padding(bytes)?;
        if let Some(file) = file {
            file.finish(is_executable)?;
        }
        Ok(())
    }

    fn hard_link(&mut self, name: &EntryName, target: &[u8], tree: &mut Tree) -> Result<()> {
        let target = EntryName::vet(target, self.budget.limits()).context("a hard link")?;
        let facts = tree.hard_link_target(&target)?;
        self.budget.file(facts.bytes)?;
        tree.add_hard_link(name, &target)
    }

    /// The text of a GNU long name, up to the NUL that ends it.
    fn long_text(&mut self, size: u64) -> Result<Vec<u8>> {
        let mut data = self.extension(size)?;
        if data.last() == Some(&0) {
            data.pop();
        }
        Ok(data)
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > EXTENSION_BYTES {
            bail!("an extension header of {size} bytes, more than {EXTENSION_BYTES}");
        }
        let mut data = vec![0; usize::try_from(size)?];
        self.exact(&mut data)?;
        self.padding(size)?;
        Ok(data)
    }

    fn padding(&mut self, size: u64) -> Result<()> {
        let over = usize::try_from(size % BLOCK_BYTES as u64)?;
        if over > 0 {
            let mut padding = [0; BLOCK_BYTES];
            self.exact(&mut padding[over..])?;
        }
        Ok(())
    }

    fn block(&mut self) -> Result<Block> {
        let mut block = [0; BLOCK_BYTES];
        self.exact(&mut block)?;
        Ok(block)
    }

    fn exact(&mut self, buffer: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.stream.read(&mut buffer[filled..])? {
                0 => bail!("the archive ends too early"),
                count => filled += count,
            }
        }
        self.budget.stream(buffer.len())
    }

    /// After the first zero block: a second one, then zeros to the end of the stream.
    fn finish(&mut self) -> Result<()> {
        let second = self.block().context("where the end mark should be")?;
        if !is_zero(&second) {
            bail!("a single block of zeros between entries");
        }
        loop {
            let count = self.stream.read(&mut self.buffer)?;
            if count == 0 {
                return Ok(());
            }
            self.budget.stream(count)?;
            if !is_zero(&self.buffer[..count]) {
                bail!("bytes after the end of the archive");
            }
        }
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    // By 16: this crate is compiled without optimisation, and some tars end in megabytes of zeros.
    let (chunks, rest) = bytes.as_chunks::<16>();
    chunks.iter().all(|chunk| u128::from_ne_bytes(*chunk) == 0)
        && rest.iter().all(|&byte| byte == 0)
}
