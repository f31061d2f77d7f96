//! The mangling v0. Its grammar is read in full but for constants that are no plain numbers; types are
//! passed over.

/// What goes deeper than this is no name that rustc made.
const DEPTH_MAX: usize = 64;

/// A name that takes more steps, because it refers to itself, was made to keep us busy.
const STEPS_MAX: usize = 1 << 16;

/// The names of a path, its crate's first; what stands behind it is not looked at.
pub fn path(text: &[u8]) -> Option<Vec<String>> {
    V0 { text, at: 0, depth: 0, steps: 0 }.path()
}

/// A reader of v0 names. It keeps the names on the way to the function and skips types.
struct V0<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    steps: usize,
}

impl V0<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Goes on one level deeper, if that is not too deep.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.steps += 1;
        if self.depth >= DEPTH_MAX || self.steps > STEPS_MAX {
            return None;
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    /// The names of a path: those of its own crate come first.
    fn path(&mut self) -> Option<Vec<String>> {
        self.deeper(|it| match it.next()? {
            b'C' => {
                it.disambiguator()?;
                Some(vec![it.identifier()?])
            }
            b'N' => {
                let space = it.next()?;
                let mut parts = it.path()?;
                it.disambiguator()?;
                let name = it.identifier()?;
                match (space, name.as_str()) {
                    (b'C', _) => parts.push("{closure}".to_owned()),
                    (b'S', _) => parts.push("{shim}".to_owned()),
                    (_, "") => {}
                    _ => parts.push(name),
                }
                Some(parts)
            }
            kind @ (b'M' | b'X') => {
                it.disambiguator()?;
                let mut parts = it.path()?;
                it.skip_type()?;
                if kind == b'X' {
                    it.path()?;
                }
                parts.push("{impl}".to_owned());
                Some(parts)
            }
            b'Y' => {
                it.skip_type()?;
                it.path()
            }
            b'I' => {
                let parts = it.path()?;
                while !it.eat(b'E') {
                    it.skip_generic()?;
                }
                Some(parts)
            }
            b'B' => it.back(Self::path),
            _ => None,
        })
    }

    fn skip_generic(&mut self) -> Option<()> {
        if self.eat(b'L') {
            return self.number_62().map(drop);
        }
        if self.eat(b'K') {
            return self.skip_const();
        }
        self.skip_type()
    }

    fn skip_type(&mut self) -> Option<()> {
        self.deeper(|it| match it.next()? {
            b'A' => {
                it.skip_type()?;
                it.skip_const()
            }
            b'S' | b'P' | b'O' => it.skip_type(),
            b'R' | b'Q' => {
                if it.eat(b'L') {
                    it.number_62()?;
                }
                it.skip_type()
            }
            b'T' => {
                while !it.eat(b'E') {
                    it.skip_type()?;
                }
                Some(())
            }
            b'F' => it.skip_signature(),
            b'D' => it.skip_dyn(),
            b'B' => it.back(Self::skip_type),
            b'C' | b'M' | b'X' | b'Y' | b'N' | b'I' => {
                it.at -= 1;
                it.path().map(drop)
            }
            // `i32`, `str` and the like have a letter each.
            b'a'..=b'z' => Some(()),
            _ => None,
        })
    }

    fn skip_binder(&mut self) -> Option<()> {
        if self.eat(b'G') { self.number_62().map(drop) } else { Some(()) }
    }

    fn skip_signature(&mut self) -> Option<()> {
        self.skip_binder()?;
        self.eat(b'U');
        if self.eat(b'K') && !self.eat(b'C') {
            self.identifier()?;
        }
        while !self.eat(b'E') {
            self.skip_type()?;
        }
        self.skip_type()
    }

    fn skip_dyn(&mut self) -> Option<()> {
        self.skip_binder()?;
        while !self.eat(b'E') {
            self.path()?;
            while self.eat(b'p') {
                self.identifier()?;
                self.skip_type()?;
            }
        }
        if !self.eat(b'L') {
            return None;
        }
        self.number_62().map(drop)
    }

    /// A constant's type and value; only those of numbers, booleans, letters and placeholders are
    /// stable, and nothing else is read.
    fn skip_const(&mut self) -> Option<()> {
        self.deeper(|it| match it.next()? {
            b'p' => Some(()),
            b'B' => it.back(Self::skip_const),
            b'a'..=b'z' => {
                it.eat(b'n');
                while it.next()? != b'_' {}
                Some(())
            }
            _ => None,
        })
    }

    /// What an earlier place says.
    fn back<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let own = self.at - 1;
        let place = usize::try_from(self.number_62()?).ok().filter(|place| *place < own)?;
        let here = std::mem::replace(&mut self.at, place);
        let found = read(self);
        self.at = here;
        found
    }

    fn disambiguator(&mut self) -> Option<()> {
        if self.eat(b's') { self.number_62().map(drop) } else { Some(()) }
    }

    /// A number of base 62 and its `_`; nothing before that is 0.
    fn number_62(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        if self.eat(b'_') {
            return Some(0);
        }
        loop {
            let digit = match self.next()? {
                b'_' => return value.checked_add(1),
                digit @ b'0'..=b'9' => digit - b'0',
                digit @ b'a'..=b'z' => digit - b'a' + 10,
                digit @ b'A'..=b'Z' => digit - b'A' + 36,
                _ => return None,
            };
            value = value.checked_mul(62)?.checked_add(digit.into())?;
        }
    }

    /// A name; one with letters beyond ASCII stays in punycode.
    fn identifier(&mut self) -> Option<String> {
        self.eat(b'u');
        let mut length = 0_usize;
        let start = self.at;
        while let Some(digit) = self.text.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            length = length.checked_mul(10)?.checked_add(usize::from(digit - b'0'))?;
            self.at += 1;
            // A name that is empty has one 0 and nothing more.
            if length == 0 {
                break;
            }
        }
        if self.at == start {
            return None;
        }
        self.eat(b'_');
        let end = self.at.checked_add(length)?;
        let name = self.text.get(self.at..end)?;
        self.at = end;
        Some(String::from_utf8_lossy(name).into_owned())
    }
}
