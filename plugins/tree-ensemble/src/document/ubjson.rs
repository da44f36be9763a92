//! UBJSON draft 12 (ubjson.org), the parts that writers of numbers use: everything but high-precision numbers.

use super::{Elements, MOST_DEPTH, Value};
use crate::ensemble::Problem;

/// Errors: what is wrong, and at which byte.
pub fn read(bytes: &[u8]) -> Result<Value, Problem> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0)?;
    if reader.at == bytes.len() { Ok(value) } else { Err(reader.wrong("something follows the document")) }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn wrong(&self, what: &str) -> Problem {
        format!("the UBJSON is wrong at byte {}: {what}", self.at)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Problem> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| self.wrong(&format!("{length} more bytes are announced than it has")))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        Ok(self.take(N)?.try_into().expect("as many bytes as asked for were taken"))
    }

    fn marker(&mut self) -> Result<u8, Problem> {
        self.array::<1>().map(|[marker]| marker)
    }

    fn skip(&mut self, marker: u8) -> bool {
        let there = self.bytes.get(self.at) == Some(&marker);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, depth: usize) -> Result<Value, Problem> {
        let marker = self.marker()?;
        self.value_of(marker, depth)
    }

    fn value_of(&mut self, marker: u8, depth: usize) -> Result<Value, Problem> {
        if depth > MOST_DEPTH {
            return Err(self.wrong("it nests too deep"));
        }
        Ok(match marker {
            b'Z' | b'N' => Value::Null,
            b'T' => Value::Bool(true),
            b'F' => Value::Bool(false),
            b'S' => Value::Text(self.string()?),
            b'C' => Value::Text(char::from(self.marker()?).to_string()),
            b'[' => self.list(depth)?,
            b'{' => self.object(depth)?,
            _ => Value::Number(self.number(marker)?),
        })
    }

    fn number(&mut self, marker: u8) -> Result<f64, Problem> {
        Ok(match marker {
            b'i' => f64::from(i8::from_be_bytes(self.array()?)),
            b'U' => f64::from(u8::from_be_bytes(self.array()?)),
            b'I' => f64::from(i16::from_be_bytes(self.array()?)),
            b'l' => f64::from(i32::from_be_bytes(self.array()?)),
            b'L' => i64::from_be_bytes(self.array()?) as f64,
            b'd' => f64::from(f32::from_be_bytes(self.array()?)),
            b'D' => f64::from_be_bytes(self.array()?),
            _ => return Err(self.wrong(&format!("byte {marker:#04x} begins no value that is understood"))),
        })
    }

    fn length(&mut self) -> Result<usize, Problem> {
        let marker = self.marker()?;
        let length = match marker {
            b'i' | b'U' | b'I' | b'l' | b'L' => self.number(marker)?,
            _ => return Err(self.wrong("expected a length")),
        };
        // What has a length takes at least a byte for each element.
        if length >= 0.0 && length <= (self.bytes.len() - self.at) as f64 {
            Ok(length as usize)
        } else {
            Err(self.wrong(&format!("a length of {length}, and {} bytes are left", self.bytes.len() - self.at)))
        }
    }

    fn string(&mut self) -> Result<String, Problem> {
        let length = self.length()?;
        let text = std::str::from_utf8(self.take(length)?);
        text.map(str::to_owned).map_err(|_| self.wrong("a text is not UTF-8"))
    }

    /// The type that all elements have and how many there are, where the container says so.
    fn head(&mut self) -> Result<(Option<u8>, Option<usize>), Problem> {
        let element = if self.skip(b'$') { Some(self.marker()?) } else { None };
        let count = if self.skip(b'#') { Some(self.length()?) } else { None };
        match (element, count) {
            (Some(_), None) => Err(self.wrong("a type without a count")),
            // Elements of no bytes: a count alone would decide how much memory they take.
            (Some(b'Z' | b'N' | b'T' | b'F'), _) => Err(self.wrong("a list of elements without bytes")),
            _ => Ok((element, count)),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Problem> {
        let (element, count) = self.head()?;
        if let (Some(element @ (b'i' | b'U' | b'I' | b'l' | b'L' | b'd' | b'D')), Some(count)) = (element, count) {
            let numbers = (0..count).map(|_| self.number(element)).collect::<Result<_, _>>()?;
            return Ok(Value::Numbers(numbers));
        }
        let mut elements = Elements::new();
        let mut left = count;
        while left.map_or_else(|| !self.skip(b']'), |left| left > 0) {
            let marker = element.map_or_else(|| self.marker(), Ok)?;
            elements.push(self.value_of(marker, depth + 1)?);
            left = left.map(|left| left - 1);
        }
        Ok(elements.finish())
    }

    fn object(&mut self, depth: usize) -> Result<Value, Problem> {
        let (element, count) = self.head()?;
        let mut entries = Vec::new();
        let mut left = count;
        while left.map_or_else(|| !self.skip(b'}'), |left| left > 0) {
            let key = self.string()?;
            let marker = element.map_or_else(|| self.marker(), Ok)?;
            entries.push((key, self.value_of(marker, depth + 1)?));
            left = left.map(|left| left - 1);
        }
        Ok(Value::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_values() {
        let bytes = b"{i\x01a[$l#i\x02\0\0\0\x07\xff\xff\xff\xffi\x01b[#i\x02Si\x01xTi\x01c{}i\x01d[d\x3f\x80\0\0]}";
        let value = read(bytes).unwrap();
        assert_eq!(value.get("a"), Some(&Value::Numbers(vec![7.0, -1.0])));
        assert_eq!(value.get("b"), Some(&Value::List(vec![Value::Text("x".into()), Value::Bool(true)])));
        assert_eq!(value.get("c"), Some(&Value::Object(Vec::new())));
        assert_eq!(value.get("d"), Some(&Value::Numbers(vec![1.0])));
    }

    #[test]
    fn huge_counts_are_refused_before_memory_is_asked_for() {
        let huge = b"L\x7f\xff\xff\xff\xff\xff\xff\xff";
        for head in [&b"[$l#"[..], b"[$Z#", b"[#", b"S", b"{i\x01a[$d#", b"[$[#"] {
            assert!(read(&[head, huge].concat()).unwrap_err().contains("wrong at byte"));
        }
        assert!(read(b"[$Z#i\x01Z").unwrap_err().contains("without bytes"));
        assert!(read(&b"[".repeat(10_000)).unwrap_err().contains("too deep"));
    }
}
