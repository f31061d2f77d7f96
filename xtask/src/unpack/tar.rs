//! Tars, read by the `tar` crate header by header: POSIX ustar and pax, GNU long names, and what
//! came before both. Never guesses: a header that two readers could take for different things is an
//! error.
//!
//! The crate iterates raw, so that each header, extensions included, comes here to be vetted. An
//! extension may name an entry; a size that is not the header's own is refused: only files over
//! 8 GiB need it, and readers that disagree about sizes see different entries in one archive.

mod pax;
mod vet;

use std::io::{BufReader, Read, Write as _};

use anyhow::{Context as _, Result, bail};
use tar::{Archive, EntryType, Header};

use super::limits::{Budget, Metered};
use super::name::{EntryName, shown, told};
use super::stream::Decoder;
use super::tree::{FileFacts, Tree};
use pax::Extension;

/// Everything in a tar comes in blocks of this size.
pub(super) const BLOCK_BYTES: usize = 512;

/// Bytes moved at once.
const BUFFER_BYTES: usize = 256 << 10;

/// The most that an extension header may hold: names are short, but some carry extended attributes.
const EXTENSION_BYTES: u64 = 1 << 20;

type Stream = Metered<BufReader<Decoder>>;
type Entry<'a> = tar::Entry<'a, Stream>;

/// Whether a file's first bytes are a tar header, or the end mark of an empty tar.
pub(super) fn begins_like_tar(start: &[u8]) -> bool {
    if start.len() != BLOCK_BYTES {
        return false;
    }
    let header = Header::from_byte_slice(start);
    let mut sealed = header.clone();
    sealed.set_cksum();
    let has_valid_checksum = header.cksum().ok() == sealed.cksum().ok();
    is_zero(start) || has_valid_checksum || start[257..].starts_with(b"ustar")
}

/// Unpacks a tar and reads it, and the compressed stream around it, to the end.
pub(super) fn unpack(decoder: Decoder, tree: &mut Tree, budget: &mut Budget) -> Result<()> {
    let stream = budget.meter(BufReader::with_capacity(BUFFER_BYTES, decoder));
    let mut archive = Archive::new(stream);
    let mut reader = Reader { tree, budget, pending: Pending::default(), buffer: Vec::new() };
    reader.buffer.resize(BUFFER_BYTES, 0);
    let mut end = 0;
    for entry in archive.entries()?.raw(true) {
        reader.budget.entry()?;
        let number = reader.budget.entries();
        let context = || format!("header {number} of the archive");
        let mut entry = entry.map_err(told).with_context(context)?;
        vet::header(entry.header()).with_context(context)?;
        end = entry.raw_file_position() + entry.size().next_multiple_of(BLOCK_BYTES as u64);
        let shown_name = shown(&reader.pending.name(entry.header()));
        reader.entry(&mut entry).with_context(|| format!("entry {shown_name}"))?;
    }
    if !reader.pending.is_empty() {
        bail!("an extension header without an entry");
    }
    finish(archive.into_inner(), end, &mut reader.buffer)
}

/// After the last entry: two blocks of zeros, the first of which the crate has read, then zeros to
/// the end of the stream.
fn finish(mut stream: Stream, end: u64, buffer: &mut [u8]) -> Result<()> {
    let second = &mut buffer[..BLOCK_BYTES];
    if stream.count() == end || stream.read_exact(second).is_err() {
        bail!("the archive ends too early");
    }
    if !is_zero(second) {
        bail!("a single block of zeros between entries");
    }
    loop {
        match stream.read(buffer)? {
            0 => return Ok(()),
            count if is_zero(&buffer[..count]) => {}
            _ => bail!("bytes after the end of the archive"),
        }
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

    fn name(&self, header: &Header) -> Vec<u8> {
        let pax = self.pax.as_ref().and_then(|pax| pax.path.as_ref());
        pax.or(self.long_name.as_ref()).cloned().unwrap_or_else(|| header.path_bytes().into())
    }

    fn link(&self, header: &Header) -> Vec<u8> {
        let pax = self.pax.as_ref().and_then(|pax| pax.link.as_ref());
        let link = pax.or(self.long_link.as_ref()).cloned();
        link.or(header.link_name_bytes().map(Into::into)).unwrap_or_default()
    }
}

struct Reader<'a> {
    tree: &'a mut Tree,
    budget: &'a mut Budget,
    pending: Pending,
    buffer: Vec<u8>,
}

impl Reader<'_> {
    fn entry(&mut self, entry: &mut Entry<'_>) -> Result<()> {
        match entry.header().entry_type() {
            EntryType::XHeader | EntryType::XGlobalHeader => self.pax(entry),
            EntryType::GNULongName | EntryType::GNULongLink => self.long_text(entry),
            _ => self.member(entry),
        }
    }

    fn pax(&mut self, entry: &mut Entry<'_>) -> Result<()> {
        if !self.pending.is_empty() {
            bail!("two extension headers for one entry");
        }
        let extension = Extension::parse(&extension(entry)?).context("in its pax header")?;
        if entry.header().entry_type() == EntryType::XHeader {
            self.pending.pax = Some(extension);
        } else if extension != Extension::default() {
            bail!("a global header with a path, a link or a size");
        }
        Ok(())
    }

    /// A GNU long name or link, up to the NUL that ends it.
    fn long_text(&mut self, entry: &mut Entry<'_>) -> Result<()> {
        let place = match entry.header().entry_type() {
            EntryType::GNULongName => &mut self.pending.long_name,
            _ => &mut self.pending.long_link,
        };
        if place.is_some() || self.pending.pax.is_some() {
            bail!("two extension headers for one entry");
        }
        let mut text = extension(entry)?;
        text.pop_if(|last| *last == 0);
        *place = Some(text);
        Ok(())
    }

    fn member(&mut self, entry: &mut Entry<'_>) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let (header, size) = (entry.header(), entry.size());
        let name = EntryName::vet(&pending.name(header), self.budget.limits())?;
        if let Some(other) = pending.pax.as_ref().and_then(|pax| pax.size).filter(|&n| n != size) {
            bail!("two sizes, {size} bytes in its header and {other} in its extension");
        }
        let kind = vet::kind(header)?;
        if kind != EntryType::Regular && size != 0 {
            bail!("{size} bytes of data on an entry that has none");
        }
        match kind {
            EntryType::Directory => self.tree.add_folder(&name),
            EntryType::Symlink => self.tree.add_link(&name, &pending.link(header)),
            EntryType::Link => self.hard_link(&name, &pending.link(header)),
            _ => self.file(&name, entry),
        }
    }

    fn file(&mut self, name: &EntryName, entry: &mut Entry<'_>) -> Result<()> {
        let facts =
            FileFacts { bytes: entry.size(), is_executable: entry.header().mode()? & 0o111 != 0 };
        self.budget.file(facts.bytes)?;
        let mut file = self.tree.add_file(name, facts)?;
        let mut left = facts.bytes;
        while left > 0 {
            let count = entry.read(&mut self.buffer)?;
            if count == 0 {
                bail!("the archive ends in the middle of it");
            }
            if let Some(file) = &mut file {
                file.write_all(&self.buffer[..count])?;
            }
            left -= count as u64;
        }
        file.map_or(Ok(()), |file| Ok(file.finish(facts.is_executable)?))
    }

    fn hard_link(&mut self, name: &EntryName, target: &[u8]) -> Result<()> {
        let target = EntryName::vet(target, self.budget.limits()).context("a hard link")?;
        let facts = self.tree.hard_link_target(&target)?;
        self.budget.file(facts.bytes)?;
        self.tree.add_hard_link(name, &target)
    }
}

/// The content of an extension header.
fn extension(entry: &mut Entry<'_>) -> Result<Vec<u8>> {
    let size = entry.size();
    if size > EXTENSION_BYTES {
        bail!("an extension header of {size} bytes, more than {EXTENSION_BYTES}");
    }
    let mut data = vec![0; usize::try_from(size)?];
    entry.read_exact(&mut data).context("the archive ends in the middle of it")?;
    Ok(data)
}

fn is_zero(bytes: &[u8]) -> bool {
    // By 16: this crate is compiled without optimisation, and some tars end in megabytes of zeros.
    let (chunks, rest) = bytes.as_chunks::<16>();
    chunks.iter().all(|chunk| u128::from_ne_bytes(*chunk) == 0)
        && rest.iter().all(|&byte| byte == 0)
}
