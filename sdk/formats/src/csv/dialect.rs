//! How a file is written, checked once: single bytes, and sets that answer quickly.

use wasmlops_sdk::prelude::*;

use crate::options::csv::Options;

/// The bytes with a meaning.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    pub delimiter: u8,
    /// `None`: quotes are ordinary characters.
    pub quote: Option<u8>,
}

impl Dialect {
    /// Errors: `invalid-config` for characters that cannot serve.
    pub fn parse(options: &Options) -> Result<Self> {
        let delimiter = one_byte("delimiter", options.delimiter)?;
        let quote = options.quote.map(|quote| one_byte("quote", quote)).transpose()?;
        if quote == Some(delimiter) {
            return Err(Error::invalid_config("quote", "`quote` and `delimiter` are the same character"));
        }
        Ok(Self { delimiter, quote })
    }
}

fn one_byte(key: &str, character: char) -> Result<u8> {
    let usable = character.is_ascii_punctuation() || matches!(character, ' ' | '\t' | '\u{1}'..='\u{8}' | '\u{1f}');
    if usable {
        Ok(character as u8)
    } else {
        let shown = character.escape_debug();
        let message = format!("`{shown}` cannot serve as `{key}`: expected a punctuation mark, a blank or a tab");
        Err(Error::invalid_config(key, message))
    }
}

/// The texts that mean null. Most cells are none of them, which their first byte tells.
pub struct Nulls {
    texts: Vec<Vec<u8>>,
    first_bytes: [bool; 256],
    empty: bool,
    may_be_numbers: bool,
}

impl Nulls {
    pub fn new(texts: &[String]) -> Self {
        let mut first_bytes = [false; 256];
        for byte in texts.iter().filter_map(|text| text.as_bytes().first()) {
            first_bytes[usize::from(*byte)] = true;
        }
        let texts: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        let may_be_numbers = texts.iter().any(|text| matches!(text.first(), Some(b'0'..=b'9' | b'-' | b'.')));
        Self { empty: texts.iter().any(Vec::is_empty), texts, first_bytes, may_be_numbers }
    }

    /// Whether one of them could be a plain number, too: `-999`.
    #[inline]
    pub fn may_be_numbers(&self) -> bool {
        self.may_be_numbers
    }

    #[inline]
    pub fn contain(&self, cell: &[u8]) -> bool {
        match cell.first() {
            None => self.empty,
            Some(byte) => self.first_bytes[usize::from(*byte)] && self.texts.iter().any(|text| text == cell),
        }
    }
}
