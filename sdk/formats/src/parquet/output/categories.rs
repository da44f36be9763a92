//! The texts of one categorical column of one batch.

use std::collections::HashMap;

use crate::parquet::values::Dictionary;

/// Texts in the order in which rows first have them.
#[derive(Default)]
pub struct Categories {
    codes: HashMap<Box<[u8]>, i32>,
    texts: Vec<u8>,
    ends: Vec<u32>,
    /// For each index into the file's dictionary the era in which it was last looked up, and its code then.
    known: Vec<(u32, i32)>,
    /// Counts batches and dictionaries; what was known in another one is not true any more.
    era: u32,
}

impl Categories {
    pub fn bytes(&self) -> usize {
        self.texts.len() + 4 * self.ends.len()
    }

    pub fn forget_dictionary(&mut self) {
        self.era += 1;
    }

    pub fn code(&mut self, text: &[u8]) -> i32 {
        if let Some(&code) = self.codes.get(text) {
            return code;
        }
        let code = self.ends.len() as i32;
        self.codes.insert(text.into(), code);
        self.texts.extend_from_slice(text);
        self.ends.push(self.texts.len() as u32);
        code
    }

    /// The code of a text that the file's dictionary has at `index`.
    #[inline]
    pub fn of_dictionary(&mut self, index: usize, dictionary: &Dictionary) -> i32 {
        // Era 0 is that of entries that were never looked up.
        let era = self.era + 1;
        if let Some(&(known_in, code)) = self.known.get(index)
            && known_in == era
        {
            return code;
        }
        if self.known.len() < dictionary.len {
            self.known.resize(dictionary.len, (0, 0));
        }
        let code = self.code(dictionary.values.slice(index));
        self.known[index] = (era, code);
        code
    }

    /// Offsets and texts, as a table has them.
    pub fn take(&mut self) -> (Vec<u8>, Vec<u8>) {
        self.era += 1;
        self.codes.clear();
        let mut offsets = vec![0; 4];
        self.ends.drain(..).for_each(|end| offsets.extend_from_slice(&end.to_le_bytes()));
        (offsets, std::mem::take(&mut self.texts))
    }
}
