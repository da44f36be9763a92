//! The Arrow schema that Arrow's writers keep beside Parquet's: it alone says which columns were dictionaries (pandas'
//! and polars' categories). A hint; what cannot be read of it is not there.
//! Source: apache/arrow, `format/Message.fbs` and `format/Schema.fbs`; google/flatbuffers, "internals".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Names of the columns that were dictionaries.
pub fn dictionaries(schema: &str) -> Vec<String> {
    let Ok(message) = STANDARD.decode(schema.trim()) else { return Vec::new() };
    found(&message).unwrap_or_default()
}

fn found(message: &[u8]) -> Option<Vec<String>> {
    // 0xffffffff, the length of what follows, and then a flatbuffer.
    let buffer = Buffer(message.get(8..)?);
    let message = buffer.follow(0)?;
    // `MessageHeader::Schema` is 1.
    if buffer.byte(buffer.field(message, 1)?)? != 1 {
        return None;
    }
    let schema = buffer.follow(buffer.field(message, 2)?)?;
    let fields = buffer.follow(buffer.field(schema, 1)?)?;
    let mut names = Vec::new();
    for number in 0..buffer.u32(fields)? as usize {
        let field = buffer.follow(fields.checked_add(4)?.checked_add(number.checked_mul(4)?)?)?;
        if buffer.field(field, 4).is_some() {
            let name = buffer.follow(buffer.field(field, 0)?)?;
            let length = buffer.u32(name)? as usize;
            let text = buffer.0.get(name + 4..)?.get(..length)?;
            names.push(std::str::from_utf8(text).ok()?.to_owned());
        }
    }
    Some(names)
}

struct Buffer<'a>(&'a [u8]);

impl Buffer<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.0.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes))
    }

    fn u16(&self, at: usize) -> Option<usize> {
        let bytes = self.0.get(at..)?.first_chunk::<2>()?;
        Some(usize::from(u16::from_le_bytes(*bytes)))
    }

    /// What the offset at `at` leads to.
    fn follow(&self, at: usize) -> Option<usize> {
        at.checked_add(self.u32(at)? as usize)
    }

    /// Where the field with this number is in the table at `table`, if it is there.
    fn field(&self, table: usize, number: usize) -> Option<usize> {
        let back = self.u32(table)? as i32;
        let directory = usize::try_from(i64::try_from(table).ok()? - i64::from(back)).ok()?;
        let entry = 4 + 2 * number;
        if entry + 2 > self.u16(directory)? {
            return None;
        }
        match self.u16(directory.checked_add(entry)?)? {
            0 => None,
            offset => Some(table + offset),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_schema_names_nothing() {
        assert_eq!(dictionaries("no base64!"), Vec::<String>::new());
        assert_eq!(dictionaries(""), Vec::<String>::new());
        for length in 0..64 {
            assert_eq!(dictionaries(&STANDARD.encode(vec![255; length])), Vec::<String>::new());
            dictionaries(&STANDARD.encode(vec![4; length]));
        }
    }
}
