//! x86 bytes → one instruction: how long it is, and which features of the CPU it takes beyond those
//! of an i586 with its x87.
//!
//! It knows lengths, prefixes and opcodes and no operands, so it is small and quick. Features have
//! rustc's names. Instructions that old CPUs run as something harmless (`endbr64`, `tzcnt` where
//! zero is excluded, which is `rep bsf` to them) take none, nor does `xgetbv`, which only code that
//! asks for the CPU's features has.

mod features;

pub use features::Features;

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Its bytes.
    pub length: usize,
    /// What it takes of the CPU.
    pub needs: Features,
    /// Whether it asks the CPU what it is (`cpuid`).
    pub asks: bool,
    /// What it names by a distance from its end.
    pub refers: Option<Reference>,
}

/// What an instruction names by a distance from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// Where it calls or jumps.
    Code(i32),
    /// A place in memory.
    Place(i32),
}

/// A longer one is refused by every CPU.
const LENGTH_MAX_BYTES: usize = 15;

/// The one-byte opcodes, sixteen a line. `.` nothing follows; `m` a ModRM byte; `b`, `w`, `z` an
/// immediate of 1, 2 and 4 bytes (2 with the prefix 66); `M`, `Z` both; `v` one as large as the register; `o`
/// an address; `j` a distance; `e` three bytes; `f` a far address; `g`, `G` ModRM, and an immediate
/// for two of its eight; `i` nothing, and only in 32 bits; `B` and `F` as their small letters, only
/// in 32 bits; `x` none, or dealt with elsewhere.
const ONE_BYTE: &[u8; 256] = b"\
mmmmbziimmmmbzix\
mmmmbziimmmmbzii\
mmmmbzximmmmbzxi\
mmmmbzximmmmbzxi\
iiiiiiiiiiiiiiii\
................\
iimmxxxxzZbM....\
bbbbbbbbbbbbbbbb\
MZLMmmmmmmmmmmmm\
..........F.....\
oooo....bz......\
bbbbbbbbvvvvvvvv\
MMw.NNMZe.w..bi.\
mmmmBBi.mmmmmmmm\
bbbbbbbbjjFb....\
x.xx..gG......mm";

/// Those after 0F, likewise.
const TWO_BYTES: &[u8; 256] = b"\
mmmmx.....x.xm.M\
mmmmmmmmmmmmmmmm\
mmmmxxxxmmmmmmmm\
......x.xxxxxxxx\
mmmmmmmmmmmmmmmm\
mmmmmmmmmmmmmmmm\
mmmmmmmmmmmmmmmm\
MMMMmmm.mmxxmmmm\
jjjjjjjjjjjjjjjj\
mmmmmmmmmmmmmmmm\
...mMmmm...mMmmm\
mmmmmmmmmmMmmmmm\
mmMmMMMm........\
mmmmmmmmmmmmmmmm\
mmmmmmmmmmmmmmmm\
mmmmmmmmmmmmmmmm";

/// What stands before an opcode.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prefixes {
    /// 66.
    pub narrow: bool,
    /// 67.
    pub short_address: bool,
    /// The last of F2 and F3, or 0.
    pub repeat: u8,
    /// REX.W, or W of the newer prefixes.
    pub wide: bool,
    /// The vector's length in the newer prefixes: 0, 1, 2 for 128, 256, 512 bits.
    pub vector: u8,
}

impl Prefixes {
    /// The prefix that chooses among an opcode's instructions: 0, 66, F3 or F2.
    pub fn choice(self) -> u8 {
        match (self.repeat, self.narrow) {
            (0, true) => 0x66,
            (repeat, _) => repeat,
        }
    }
}

/// The bytes still to be read.
struct Reader<'a> {
    code: &'a [u8],
    at: usize,
    /// Where a distance from the instruction's end to its operand stands.
    distance: Option<usize>,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = *self.code.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.code.get(self.at).copied()
    }
}

/// The first instruction of some code for 32 or 64 bits; nothing if there is none that is known.
pub fn decode(code: &[u8], is_64: bool) -> Option<Instruction> {
    let mut reader = Reader { code, at: 0, distance: None };
    let mut prefixes = Prefixes::default();
    let mut byte;
    loop {
        byte = reader.next()?;
        match byte {
            0x66 => prefixes.narrow = true,
            0x67 => prefixes.short_address = true,
            0xf2 | 0xf3 => prefixes.repeat = byte,
            0xf0 | 0x26 | 0x2e | 0x36 | 0x3e | 0x64 | 0x65 => {}
            0x40..=0x4f if is_64 => {}
            _ => break,
        }
        // It counts only right before the opcode.
        prefixes.wide = is_64 && byte & 0xf8 == 0x48;
        if reader.at >= LENGTH_MAX_BYTES {
            return None;
        }
    }
    let (needs, asks) = match byte {
        0x0f => two_bytes(&mut reader, prefixes, is_64)?,
        // The old instructions with these numbers take no register, which those bits would say.
        0xc4 | 0xc5 if is_64 || reader.peek()? >= 0xc0 => (vex(&mut reader, byte, is_64)?, false),
        0x62 if is_64 || reader.peek()? >= 0xc0 => (evex(&mut reader, is_64)?, false),
        0x8f if reader.peek()? & 0x1f >= 8 => (xop(&mut reader, is_64)?, false),
        _ => {
            let modrm = reader.peek().unwrap_or_default();
            operands(&mut reader, ONE_BYTE[usize::from(byte)], prefixes, is_64)?;
            let is_x87 = byte & 0xf8 == 0xd8;
            (if is_x87 { features::of_x87(byte, modrm) } else { Features::NONE }, false)
        }
    };
    let length = reader.at;
    if length > LENGTH_MAX_BYTES || length > code.len() {
        return None;
    }
    let goes = matches!(byte, 0xe8 | 0xe9) && (is_64 || !prefixes.narrow);
    let number = |at: usize| code[at..].first_chunk().map(|bytes| i32::from_le_bytes(*bytes));
    let refers = match (goes, reader.distance) {
        (true, _) => number(length - 4).map(Reference::Code),
        (false, Some(at)) => number(at).map(Reference::Place),
        (false, None) => None,
    };
    Some(Instruction { length, needs, asks, refers })
}

fn two_bytes(reader: &mut Reader<'_>, prefixes: Prefixes, is_64: bool) -> Option<(Features, bool)> {
    let opcode = reader.next()?;
    if opcode == 0x38 || opcode == 0x3a {
        let inner = reader.next()?;
        let kind = if opcode == 0x38 { b'm' } else { b'M' };
        operands(reader, kind, prefixes, is_64)?;
        let needs = match opcode {
            0x38 => features::of_0f38(inner, prefixes),
            _ => features::of_0f3a(inner, prefixes),
        };
        return Some((needs, false));
    }
    let modrm = reader.peek().unwrap_or_default();
    match opcode {
        // The registers of the system: always a register, whatever the byte says.
        0x20..=0x23 => drop(reader.next()?),
        0x78 if matches!(prefixes.choice(), 0x66 | 0xf2) => {
            operands(reader, b'M', prefixes, is_64)?;
            reader.at += 1;
        }
        _ => operands(reader, TWO_BYTES[usize::from(opcode)], prefixes, is_64)?,
    }
    let needs = if opcode == 0x0f {
        // The number of a 3DNow! instruction comes last.
        Features::THREE_D_NOW
    } else {
        features::of_0f(opcode, modrm, prefixes)
    };
    Some((needs, opcode == 0xa2))
}

/// AVX and what came with it: the prefix is C5 and one byte, or C4 and two.
fn vex(reader: &mut Reader<'_>, first: u8, is_64: bool) -> Option<Features> {
    let mut map = 1;
    let mut prefixes = Prefixes::default();
    let mut last = reader.next()?;
    if first == 0xc4 {
        map = last & 0x1f;
        last = reader.next()?;
        prefixes.wide = last & 0x80 != 0;
    }
    read_last(&mut prefixes, last);
    prefixes.vector = last >> 2 & 1;
    let opcode = reader.next()?;
    let modrm = reader.peek().unwrap_or_default();
    newer_operands(reader, map, opcode, is_64)?;
    features::of_vex(map, opcode, modrm, prefixes)
}

/// The part of the newer prefixes that stands for 66, F3 and F2.
fn read_last(prefixes: &mut Prefixes, byte: u8) {
    match byte & 3 {
        1 => prefixes.narrow = true,
        2 => prefixes.repeat = 0xf3,
        3 => prefixes.repeat = 0xf2,
        _ => {}
    }
}

/// AVX-512: the prefix is 62 and three bytes.
fn evex(reader: &mut Reader<'_>, is_64: bool) -> Option<Features> {
    let map = reader.next()? & 7;
    let second = reader.next()?;
    let third = reader.next()?;
    let mut prefixes = Prefixes { wide: second & 0x80 != 0, ..Prefixes::default() };
    read_last(&mut prefixes, second);
    prefixes.vector = third >> 5 & 3;
    let opcode = reader.next()?;
    newer_operands(reader, map, opcode, is_64)?;
    // Bit 2 is always set, but for a later extension that no compiler uses unasked.
    (second & 4 != 0).then(|| features::of_evex(map, opcode, prefixes))?
}

/// AMD's own, of some years: 8F and two bytes.
fn xop(reader: &mut Reader<'_>, is_64: bool) -> Option<Features> {
    let map = reader.next()? & 0x1f;
    reader.next()?;
    // Which instruction it is.
    reader.next()?;
    let kind = match map {
        8 => b'M',
        9 => b'm',
        10 => b'Z',
        _ => return None,
    };
    operands(reader, kind, Prefixes::default(), is_64)?;
    Some(Features::XOP)
}

fn newer_operands(reader: &mut Reader<'_>, map: u8, opcode: u8, is_64: bool) -> Option<()> {
    let kind = match (map, opcode) {
        (1, 0x77) => b'.',
        (1, 0x70..=0x73 | 0xc2 | 0xc4..=0xc6) | (3, _) => b'M',
        (1 | 2 | 5 | 6, _) => b'm',
        _ => return None,
    };
    operands(reader, kind, Prefixes::default(), is_64)
}

/// Passes over all that follows an opcode.
fn operands(reader: &mut Reader<'_>, kind: u8, prefixes: Prefixes, is_64: bool) -> Option<()> {
    let word = if prefixes.narrow && !prefixes.wide { 2 } else { 4 };
    let next = reader.peek();
    let has_modrm = matches!(kind, b'm' | b'M' | b'Z' | b'g' | b'G' | b'L' | b'N');
    if has_modrm {
        modrm(reader, prefixes, is_64)?;
    }
    reader.at += match kind {
        // Only two of the eight instructions that share these numbers have an immediate.
        b'g' | b'G' if next? & 0x30 != 0 => 0,
        b'v' if prefixes.wide => 8,
        b'j' if is_64 => 4,
        b'.' | b'm' => 0,
        b'i' | b'N' if !is_64 => 0,
        b'b' | b'M' | b'g' => 1,
        b'B' | b'L' if !is_64 => 1,
        b'w' => 2,
        b'e' => 3,
        b'z' | b'Z' | b'G' | b'v' | b'j' => word,
        b'F' if !is_64 => word + 2,
        b'o' => match (is_64, prefixes.short_address) {
            (true, false) => 8,
            (false, true) => 2,
            _ => 4,
        },
        _ => return None,
    };
    Some(())
}

/// Passes over a ModRM byte and the address that it begins.
fn modrm(reader: &mut Reader<'_>, prefixes: Prefixes, is_64: bool) -> Option<()> {
    let byte = reader.next()?;
    let (mode, base) = (byte >> 6, byte & 7);
    if mode == 3 {
        return Some(());
    }
    if prefixes.short_address && !is_64 {
        reader.at += match (mode, base) {
            (0, 6) | (2, _) => 2,
            (1, _) => 1,
            _ => 0,
        };
        return Some(());
    }
    if is_64 && mode == 0 && base == 5 {
        reader.distance = Some(reader.at);
    }
    let mut is_bare = base == 5;
    if base == 4 {
        is_bare = reader.next()? & 7 == 5;
    }
    reader.at += match mode {
        0 if is_bare => 4,
        0 => 0,
        1 => 1,
        _ => 4,
    };
    Some(())
}
