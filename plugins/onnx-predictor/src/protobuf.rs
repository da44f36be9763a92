//! The wire format of Protocol Buffers (protobuf.dev, "Encoding"), as far as ONNX uses it. Every length is held against
//! the bytes that are there before anything is made of it.

/// What is wrong, and where.
pub type Problem = String;

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// int32, int64, bool, enum.
    Whole(i64),
    /// float, as bits.
    Word(u32),
    /// double, as bits.
    Long(u64),
    /// string, bytes, messages, packed lists.
    Bytes(&'a [u8]),
}

/// Reads the fields of a message one after the other.
pub struct Message<'a> {
    bytes: &'a [u8],
    at: usize,
    what: &'static str,
}

impl<'a> Message<'a> {
    pub fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, what }
    }

    fn wrong(&self, problem: &str) -> Problem {
        format!("{} is wrong at byte {} of its {}: {problem}", self.what, self.at, self.bytes.len())
    }

    /// The next field and its number; `None` at the end.
    pub fn next(&mut self) -> Result<Option<(u32, Field<'a>)>, Problem> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).map_err(|_| self.wrong("a field's number is too large"))?;
        let field = match key & 7 {
            0 => Field::Whole(self.varint()? as i64),
            1 => Field::Long(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = self.varint()?;
                Field::Bytes(self.take(length)?)
            }
            5 => Field::Word(u32::from_le_bytes(self.array()?)),
            other => return Err(self.wrong(&format!("a field of the unknown kind {other}"))),
        };
        Ok(Some((number, field)))
    }

    fn varint(&mut self) -> Result<u64, Problem> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or_else(|| self.wrong("it ends within a number"))?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.wrong("a number takes more than ten bytes"))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Problem> {
        let left = self.bytes.len() - self.at;
        let length = usize::try_from(length).ok().filter(|&length| length <= left);
        let length =
            length.ok_or_else(|| self.wrong(&format!("a field is longer than the {left} bytes that are left")))?;
        let taken = &self.bytes[self.at..self.at + length];
        self.at += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        Ok(self.take(N as u64)?.try_into().expect("as many bytes as asked for were taken"))
    }
}

impl<'a> Field<'a> {
    fn of_kind<T>(value: Option<T>) -> Result<T, Problem> {
        value.ok_or_else(|| "a field is of another kind than ONNX gives it".to_owned())
    }

    pub fn bytes(self) -> Result<&'a [u8], Problem> {
        Self::of_kind(if let Field::Bytes(bytes) = self { Some(bytes) } else { None })
    }

    pub fn text(self) -> Result<String, Problem> {
        let text = std::str::from_utf8(self.bytes()?);
        text.map(str::to_owned).map_err(|_| "a text is not UTF-8".to_owned())
    }

    pub fn whole(self) -> Result<i64, Problem> {
        Self::of_kind(if let Field::Whole(whole) = self { Some(whole) } else { None })
    }

    pub fn single(self) -> Result<f32, Problem> {
        Self::of_kind(if let Field::Word(bits) = self { Some(f32::from_bits(bits)) } else { None })
    }

    /// Appends one value, or a packed list of them.
    pub fn wholes(self, to: &mut Vec<i64>) -> Result<(), Problem> {
        match self {
            Field::Bytes(bytes) => {
                let mut list = Message::new("a list of whole numbers", bytes);
                while list.at < bytes.len() {
                    to.push(list.varint()? as i64);
                }
                Ok(())
            }
            other => other.whole().map(|whole| to.push(whole)),
        }
    }

    pub fn singles(self, to: &mut Vec<f32>) -> Result<(), Problem> {
        match self {
            Field::Bytes(bytes) => {
                to.extend(chunks::<4>(bytes)?.iter().map(|chunk| f32::from_le_bytes(*chunk)));
                Ok(())
            }
            other => other.single().map(|single| to.push(single)),
        }
    }

    pub fn doubles(self, to: &mut Vec<f64>) -> Result<(), Problem> {
        match self {
            Field::Bytes(bytes) => to.extend(chunks::<8>(bytes)?.iter().map(|chunk| f64::from_le_bytes(*chunk))),
            Field::Long(bits) => to.push(f64::from_bits(bits)),
            _ => return Err("a list of doubles is of another kind".to_owned()),
        }
        Ok(())
    }
}

/// Bytes as values of `N` bytes each.
pub fn chunks<const N: usize>(bytes: &[u8]) -> Result<&[[u8; N]], Problem> {
    match bytes.as_chunks::<N>() {
        (chunks, []) => Ok(chunks),
        _ => Err(format!("{} bytes are no whole number of values of {N} bytes", bytes.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<usize, Problem> {
        let mut message = Message::new("it", bytes);
        let mut count = 0;
        while message.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn reads_fields() {
        assert_eq!(fields(&[0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f]).unwrap(), 3);
        let mut list = Vec::new();
        Field::Bytes(&[1, 0x96, 0x01]).wholes(&mut list).unwrap();
        assert_eq!(list, [1, 150]);
    }

    #[test]
    fn refuses_what_does_not_fit() {
        for (bytes, problem) in [
            (&[0x08][..], "ends within a number"),
            (&[0x12, 5, 1], "longer than the 1 bytes"),
            (&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "longer than"),
            (&[0x0b], "unknown kind 3"),
            (&[0xff; 12], "more than ten bytes"),
            (&[0x1d, 0, 0], "longer than the 2 bytes"),
        ] {
            assert!(fields(bytes).unwrap_err().contains(problem));
        }
    }
}
