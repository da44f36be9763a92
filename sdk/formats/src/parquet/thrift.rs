//! Thrift's compact protocol, as far as Parquet's footer and page headers use it.
//! Source: apache/thrift, `doc/specs/thrift-compact-protocol.md`.

use super::fault::{Decoded, broken};

/// Structures within structures. Parquet's own need 8.
const MAX_DEPTH: usize = 24;

/// What a value is, as it stands before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    True,
    False,
    Byte,
    Int,
    Double,
    Binary,
    List,
    Map,
    Struct,
}

impl Kind {
    fn of(nibble: u8) -> Decoded<Self> {
        Ok(match nibble {
            1 => Kind::True,
            2 => Kind::False,
            3 => Kind::Byte,
            4..=6 => Kind::Int,
            7 => Kind::Double,
            8 => Kind::Binary,
            9 | 10 => Kind::List,
            11 => Kind::Map,
            12 => Kind::Struct,
            _ => return broken(format!("a thrift value of the unknown type {nibble}")),
        })
    }
}

/// Reads values one after the other; every length is checked against the bytes that are there.
pub struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Thrift<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0 }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Calls `field` with the id and the kind of each field of a structure. It must read the value, or call
    /// [`Thrift::skip`].
    pub fn structure(&mut self, mut field: impl FnMut(&mut Self, i16, Kind) -> Decoded<()>) -> Decoded<()> {
        self.deeper()?;
        let mut id: i16 = 0;
        loop {
            let head = self.byte()?;
            if head == 0 {
                break;
            }
            let delta = i16::from(head >> 4);
            id = match delta {
                0 => i16::try_from(self.zigzag()?).unwrap_or(i16::MAX),
                delta => id.saturating_add(delta),
            };
            field(self, id, Kind::of(head & 15)?)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// A list, each element through `element`.
    pub fn list<T>(&mut self, kind: Kind, mut element: impl FnMut(&mut Self, Kind) -> Decoded<T>) -> Decoded<Vec<T>> {
        expect(kind, Kind::List)?;
        let (length, kind) = self.list_head()?;
        // Every element takes a byte at least, so that a length cannot ask for more than the file has.
        let mut elements = Vec::with_capacity(length.min(1024));
        for _ in 0..length {
            elements.push(element(self, kind)?);
        }
        Ok(elements)
    }

    pub fn int(&mut self, kind: Kind) -> Decoded<i64> {
        if kind == Kind::Byte {
            return Ok(i64::from(self.byte()? as i8));
        }
        expect(kind, Kind::Int)?;
        self.zigzag()
    }

    pub fn text(&mut self, kind: Kind) -> Decoded<String> {
        match std::str::from_utf8(self.binary(kind)?) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => broken("a text that is not UTF-8"),
        }
    }

    pub fn bool(&mut self, kind: Kind) -> Decoded<bool> {
        match kind {
            Kind::True => Ok(true),
            Kind::False => Ok(false),
            _ => broken("a value that should be a truth value"),
        }
    }

    fn binary(&mut self, kind: Kind) -> Decoded<&'a [u8]> {
        expect(kind, Kind::Binary)?;
        let length = self.length()?;
        self.take(length)
    }

    pub fn skip(&mut self, kind: Kind) -> Decoded<()> {
        match kind {
            Kind::True | Kind::False => Ok(()),
            Kind::Byte => self.byte().map(drop),
            Kind::Int => self.varint().map(drop),
            Kind::Double => self.take(8).map(drop),
            Kind::Binary => self.binary(kind).map(drop),
            Kind::Struct => self.structure(|thrift, _, kind| thrift.skip(kind)),
            Kind::List => {
                self.deeper()?;
                let (length, kind) = self.list_head()?;
                (0..length).try_for_each(|_| self.skip_element(kind))?;
                self.depth -= 1;
                Ok(())
            }
            Kind::Map => self.skip_map(),
        }
    }

    fn skip_map(&mut self) -> Decoded<()> {
        self.deeper()?;
        let length = self.length()?;
        if length > 0 {
            let kinds = self.byte()?;
            let (key, value) = (Kind::of(kinds >> 4)?, Kind::of(kinds & 15)?);
            for _ in 0..length {
                self.skip_element(key)?;
                self.skip_element(value)?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// In lists and maps a truth value is a byte, in structures it is its kind.
    fn skip_element(&mut self, kind: Kind) -> Decoded<()> {
        if matches!(kind, Kind::True | Kind::False) { self.byte().map(drop) } else { self.skip(kind) }
    }

    fn list_head(&mut self) -> Decoded<(usize, Kind)> {
        let head = self.byte()?;
        let length = if head >> 4 == 15 { self.length()? } else { usize::from(head >> 4) };
        if length > self.bytes.len() - self.at {
            return broken(format!("a thrift list of {length} elements in {} bytes", self.bytes.len() - self.at));
        }
        Ok((length, Kind::of(head & 15)?))
    }

    fn length(&mut self) -> Decoded<usize> {
        let length = self.varint()?;
        match usize::try_from(length) {
            Ok(length) if length <= self.bytes.len() - self.at => Ok(length),
            _ => broken(format!("a thrift value of {length} bytes, and {} follow", self.bytes.len() - self.at)),
        }
    }

    fn zigzag(&mut self) -> Decoded<i64> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn varint(&mut self) -> Decoded<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        broken("a thrift number of more than 64 bits")
    }

    fn byte(&mut self) -> Decoded<u8> {
        let [byte] = *self.take(1)? else { return broken("the thrift structure breaks off") };
        Ok(byte)
    }

    fn take(&mut self, length: usize) -> Decoded<&'a [u8]> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.bytes.len());
        let Some(end) = end else { return broken("the thrift structure breaks off") };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn deeper(&mut self) -> Decoded<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { broken("thrift structures that are nested too deep") } else { Ok(()) }
    }
}

fn expect(kind: Kind, wanted: Kind) -> Decoded<()> {
    if kind == wanted { Ok(()) } else { broken(format!("a thrift value of type {kind:?} instead of {wanted:?}")) }
}
