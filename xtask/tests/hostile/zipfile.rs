//! Writes zips, right and wrong ones: local and central records are set apart from each other.

/// One entry; local and central values are equal until told otherwise.
#[derive(Clone)]
pub struct Entry {
    pub name: Vec<u8>,
    pub local_name: Vec<u8>,
    pub data: Vec<u8>,
    pub made_by: u16,
    pub attributes: u32,
    pub flags: u16,
    pub local_flags: Option<u16>,
    pub method: u16,
    pub local_method: Option<u16>,
    pub crc: u32,
    pub local_crc: Option<u32>,
    pub packed: u32,
    pub size: u32,
    pub local_sizes: Option<(u32, u32)>,
    pub extra: Vec<u8>,
    pub local_extra: Vec<u8>,
    pub comment: Vec<u8>,
    /// Written after the data.
    pub descriptor: Vec<u8>,
    /// Written before the local header.
    pub before: Vec<u8>,
    /// Replaces the true offset.
    pub offset: Option<u32>,
    /// Whether the central directory lists it.
    pub is_listed: bool,
}

pub fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

impl Entry {
    /// A stored file, 0644.
    pub fn stored(name: &str, text: &str) -> Self {
        Self {
            name: name.into(),
            local_name: name.into(),
            data: text.into(),
            made_by: 3 << 8 | 20,
            attributes: 0o100_644 << 16,
            flags: 0,
            local_flags: None,
            method: 0,
            local_method: None,
            crc: crc(text.as_bytes()),
            local_crc: None,
            packed: text.len() as u32,
            size: text.len() as u32,
            local_sizes: None,
            extra: Vec::new(),
            local_extra: Vec::new(),
            comment: Vec::new(),
            descriptor: Vec::new(),
            before: Vec::new(),
            offset: None,
            is_listed: true,
        }
    }

    /// A deflated file, 0644.
    pub fn deflated(name: &str, bytes: &[u8]) -> Self {
        let data = deflate(bytes);
        let (crc, packed, size) = (crc(bytes), data.len() as u32, bytes.len() as u32);
        Self { data, method: 8, crc, packed, size, ..Self::stored(name, "") }
    }

    pub fn mode(mut self, mode: u32) -> Self {
        self.attributes = mode << 16;
        self
    }

    /// Any other change.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn local(&self, out: &mut Vec<u8>) {
        out.extend(&self.before);
        out.extend(b"PK\x03\x04\x14\0");
        out.extend(self.local_flags.unwrap_or(self.flags).to_le_bytes());
        out.extend(self.local_method.unwrap_or(self.method).to_le_bytes());
        out.extend([0, 0, 0x21, 0]);
        out.extend(self.local_crc.unwrap_or(self.crc).to_le_bytes());
        let (packed, size) = self.local_sizes.unwrap_or((self.packed, self.size));
        out.extend(packed.to_le_bytes());
        out.extend(size.to_le_bytes());
        out.extend((self.local_name.len() as u16).to_le_bytes());
        out.extend((self.local_extra.len() as u16).to_le_bytes());
        out.extend(&self.local_name);
        out.extend(&self.local_extra);
        out.extend(&self.data);
        out.extend(&self.descriptor);
    }

    fn central(&self, offset: u32, out: &mut Vec<u8>) {
        out.extend(b"PK\x01\x02");
        out.extend(self.made_by.to_le_bytes());
        out.extend([20, 0]);
        out.extend(self.flags.to_le_bytes());
        out.extend(self.method.to_le_bytes());
        out.extend([0, 0, 0x21, 0]);
        for field in [self.crc, self.packed, self.size] {
            out.extend(field.to_le_bytes());
        }
        for field in [self.name.len(), self.extra.len(), self.comment.len(), 0, 0] {
            out.extend((field as u16).to_le_bytes());
        }
        out.extend(self.attributes.to_le_bytes());
        out.extend(self.offset.unwrap_or(offset).to_le_bytes());
        out.extend(&self.name);
        out.extend(&self.extra);
        out.extend(&self.comment);
    }
}

/// A whole zip. `change` sees the end record before it is written: count here, count, size, offset.
pub struct Zip {
    pub entries: Vec<Entry>,
    pub end: fn(&mut (u16, u16, u32, u32)),
    /// Written between the central directory and the end record.
    pub before_end: Vec<u8>,
    pub comment: Vec<u8>,
}

pub fn zip(entries: Vec<Entry>) -> Zip {
    Zip { entries, end: |_| {}, before_end: Vec::new(), comment: Vec::new() }
}

impl Zip {
    pub fn bytes(&self) -> Vec<u8> {
        let (mut out, mut directory, mut count) = (Vec::new(), Vec::new(), 0);
        for entry in &self.entries {
            let offset = (out.len() + entry.before.len()) as u32;
            entry.local(&mut out);
            if entry.is_listed {
                entry.central(offset, &mut directory);
                count += 1;
            }
        }
        let mut end = (count, count, directory.len() as u32, out.len() as u32);
        (self.end)(&mut end);
        out.extend(&directory);
        out.extend(&self.before_end);
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend(end.0.to_le_bytes());
        out.extend(end.1.to_le_bytes());
        out.extend(end.2.to_le_bytes());
        out.extend(end.3.to_le_bytes());
        out.extend((self.comment.len() as u16).to_le_bytes());
        out.extend(&self.comment);
        out
    }
}

/// The zip64 end record and its locator, for a directory of this size at this offset.
pub fn end64(at: u64, count: u64, size: u64, offset: u64) -> Vec<u8> {
    let mut out = b"PK\x06\x06".to_vec();
    out.extend(44_u64.to_le_bytes());
    out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for field in [count, count, size, offset] {
        out.extend(field.to_le_bytes());
    }
    out.extend(b"PK\x06\x07\0\0\0\0");
    out.extend(at.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out
}

/// An extra field.
pub fn extra(id: u16, body: &[u8]) -> Vec<u8> {
    [&id.to_le_bytes()[..], &(body.len() as u16).to_le_bytes(), body].concat()
}
