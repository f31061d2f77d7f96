//! Writes tars, right and wrong ones: every field can be set to anything.

/// One header; a valid one until told otherwise.
#[derive(Clone)]
pub struct Header(pub [u8; 512]);

impl Header {
    pub fn new(name: &str, kind: u8) -> Self {
        let mut header = Self([0; 512]);
        header.put(257, b"ustar\x0000").put(0, name.as_bytes());
        header.put(100, b"0000644\0").put(108, b"0000000\0").put(116, b"0000000\0");
        header.put(136, b"00000000000\0");
        header.0[156] = kind;
        header.size(0)
    }

    /// Overwrites bytes at an offset.
    pub fn put(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub fn with(mut self, at: usize, bytes: &[u8]) -> Self {
        self.put(at, bytes);
        self
    }

    pub fn size(self, size: u64) -> Self {
        self.with(124, format!("{size:011o}\0").as_bytes())
    }

    pub fn link(self, target: &str) -> Self {
        self.with(157, target.as_bytes())
    }

    pub fn mode(self, mode: u32) -> Self {
        self.with(100, format!("{mode:07o}\0").as_bytes())
    }

    fn sealed(mut self) -> [u8; 512] {
        self.put(148, b"        ");
        let sum: u64 = self.0.iter().map(|&byte| u64::from(byte)).sum();
        self.put(148, format!("{sum:06o}\0 ").as_bytes());
        self.0
    }
}

/// A tar in the making.
#[derive(Clone, Default)]
pub struct Tar(pub Vec<u8>);

impl Tar {
    pub fn new() -> Self {
        Self::default()
    }

    /// A header as it is, and data padded to blocks; the size field is the caller's.
    pub fn raw(mut self, header: Header, data: &[u8]) -> Self {
        self.0.extend(header.sealed());
        self.0.extend(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// Bytes as they are.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub fn entry(self, header: Header, data: &[u8]) -> Self {
        let header = header.size(data.len() as u64);
        self.raw(header, data)
    }

    pub fn file(self, name: &str, text: &str) -> Self {
        self.entry(Header::new(name, b'0'), text.as_bytes())
    }

    pub fn folder(self, name: &str) -> Self {
        self.raw(Header::new(name, b'5').mode(0o755), b"")
    }

    pub fn link(self, name: &str, target: &str) -> Self {
        self.raw(Header::new(name, b'2').link(target), b"")
    }

    pub fn hard(self, name: &str, target: &str) -> Self {
        self.raw(Header::new(name, b'1').link(target), b"")
    }

    /// A pax header, for one entry (`x`) or for all (`g`).
    pub fn pax(self, kind: u8, records: &[(&str, &str)]) -> Self {
        let data: String = records.iter().map(|(key, value)| record(key, value)).collect();
        self.entry(Header::new("PaxHeaders/x", kind), data.as_bytes())
    }

    /// A GNU long name (`L`) or link (`K`).
    pub fn long(self, kind: u8, text: &str) -> Self {
        self.entry(Header::new("././@LongLink", kind), format!("{text}\0").as_bytes())
    }

    pub fn end(self) -> Vec<u8> {
        self.bytes(&[0; 1024]).0
    }
}

/// One pax record; its length counts its own digits.
pub fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

/// Base 256 in 12 bytes, the last 8 of which hold the value.
pub fn base256(value: u64) -> [u8; 12] {
    let mut field = [0; 12];
    field[0] = 0x80;
    field[4..].copy_from_slice(&value.to_be_bytes());
    field
}
