//! How a file is written, checked once: single bytes, and sets that answer quickly.

use wasmlops_sdk::prelude::*;

use crate::config::Config;

/// The bytes with a meaning.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    pub delimiter: u8,
    /// `None`: quotes are ordinary characters.
    pub quote: Option<u8>,
}

impl Dialect {
    /// Errors: `invalid-config` for characters that cannot serve.
    pub fn parse(config: &Config) -> Result<Self> {
        let delimiter = one_byte("delimiter", config.delimiter)?;
        let quote = config.quote.map(|quote| one_byte("quote", quote)).transpose()?;
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
}

impl Nulls {
    pub fn new(texts: &[String]) -> Self {
        let mut first_bytes = [false; 256];
        for byte in texts.iter().filter_map(|text| text.as_bytes().first()) {
            first_bytes[usize::from(*byte)] = true;
        }
        let texts: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        Self { empty: texts.iter().any(Vec::is_empty), texts, first_bytes }
    }

    #[inline]
    pub fn contain(&self, cell: &[u8]) -> bool {
        match cell.first() {
            None => self.empty,
            Some(byte) => self.first_bytes[usize::from(*byte)] && self.texts.iter().any(|text| text == cell),
        }
    }
}
