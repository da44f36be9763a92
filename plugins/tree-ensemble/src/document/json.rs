//! JSON (RFC 8259), with the `NaN` and `Infinity` that C++ writers leave in it.

use super::{Elements, MOST_DEPTH, Value};
use crate::ensemble::Problem;

/// Errors: what is wrong, and at which byte.
pub fn read(bytes: &[u8]) -> Result<Value, Problem> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0)?;
    reader.blank();
    if reader.at == bytes.len() { Ok(value) } else { Err(reader.wrong("something follows the document")) }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn wrong(&self, what: &str) -> Problem {
        format!("the JSON is wrong at byte {}: {what}", self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Whether the next character that is no blank is this one; if so it is read.
    fn skip(&mut self, character: u8) -> bool {
        self.blank();
        let there = self.peek() == Some(character);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, character: u8) -> Result<(), Problem> {
        if self.skip(character) { Ok(()) } else { Err(self.wrong(&format!("expected `{}`", char::from(character)))) }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Problem> {
        if depth > MOST_DEPTH {
            return Err(self.wrong("it nests too deep"));
        }
        self.blank();
        match self.peek() {
            None => Err(self.wrong("it ends here")),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => Ok(Value::Text(self.string()?)),
            Some(_) => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Problem> {
        self.at += 1;
        let mut entries = Vec::new();
        if self.skip(b'}') {
            return Ok(Value::Object(entries));
        }
        loop {
            self.blank();
            let key = self.string()?;
            self.expect(b':')?;
            entries.push((key, self.value(depth + 1)?));
            if !self.skip(b',') {
                self.expect(b'}')?;
                return Ok(Value::Object(entries));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Problem> {
        self.at += 1;
        let mut elements = Elements::new();
        if self.skip(b']') {
            return Ok(elements.finish());
        }
        loop {
            elements.push(self.value(depth + 1)?);
            if !self.skip(b',') {
                self.expect(b']')?;
                return Ok(elements.finish());
            }
        }
    }

    fn word(&mut self) -> Result<Value, Problem> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| b",]} \n\r\t:".contains(byte)).unwrap_or(rest.len());
        let word = std::str::from_utf8(&rest[..end]).unwrap_or_default();
        let value = match word {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Number(word.parse().map_err(|_| self.wrong("expected a value"))?),
        };
        self.at += end;
        Ok(value)
    }

    fn string(&mut self) -> Result<String, Problem> {
        if self.peek() != Some(b'"') {
            return Err(self.wrong("expected a text in quotes"));
        }
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let byte = self.peek().ok_or_else(|| self.wrong("a text does not end"))?;
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => self.escape(&mut text)?,
                byte => text.push(byte),
            }
        }
        String::from_utf8(text).map_err(|_| self.wrong("a text is not UTF-8"))
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), Problem> {
        let byte = self.peek().ok_or_else(|| self.wrong("a text does not end"))?;
        self.at += 1;
        match byte {
            b'n' => text.push(b'\n'),
            b't' => text.push(b'\t'),
            b'r' => text.push(b'\r'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'"' | b'\\' | b'/' => text.push(byte),
            b'u' => {
                let mut unit = self.unit()?;
                if (0xd800..0xdc00).contains(&unit) && self.bytes[self.at..].starts_with(b"\\u") {
                    self.at += 2;
                    let low = self.unit()?;
                    unit = 0x10000 + ((unit - 0xd800) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff);
                }
                let character = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return Err(self.wrong("an escape that JSON does not have")),
        }
        Ok(())
    }

    fn unit(&mut self) -> Result<u32, Problem> {
        let digits = self.bytes.get(self.at..self.at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        unit.ok_or_else(|| self.wrong("expected four hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_values() {
        let value =
            read(br#" {"a": [1, -2.5e1, NaN], "b": ["x\u00e9\n", true], "c": {}, "d": [], "e": null} "#).unwrap();
        let numbers = value.get("a").unwrap().numbers().unwrap();
        assert_eq!(numbers[..2], [1.0, -25.0]);
        assert!(numbers[2].is_nan());
        assert_eq!(value.get("b"), Some(&Value::List(vec![Value::Text("xé\n".into()), Value::Bool(true)])));
        assert_eq!(value.get("d"), Some(&Value::Numbers(Vec::new())));
        assert_eq!(read(br#""\ud83d\ude00""#).unwrap(), Value::Text("😀".into()));
    }

    #[test]
    fn says_where_it_is_wrong() {
        for (text, problem) in [
            ("{\"a\": }", "byte 6: expected a value"),
            ("[1, 2", "byte 5: expected `]`"),
            ("{\"a", "byte 3: a text does not end"),
            ("1 2", "byte 2: something follows the document"),
            ("\"\\u00", "hexadecimal"),
            ("\"\\u00é\"", "hexadecimal"),
        ] {
            let found = read(text.as_bytes()).unwrap_err();
            assert!(found.contains(problem), "{found}");
        }
        assert!(read("[".repeat(10_000).as_bytes()).unwrap_err().contains("too deep"));
    }
}
