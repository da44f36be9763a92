//! The dictionary of a categorical column as it grows: one code for one text, over all batches.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::StringArray;
use arrow_buffer::{OffsetBuffer, ScalarBuffer};

use crate::table::wire::offset;
use crate::table::{Dictionary, TableError};

/// Texts in the order in which rows first showed them. Texts that no row shows are not kept, so that the dictionary
/// depends on the rows alone.
pub(super) struct Texts {
    codes: HashMap<Arc<str>, i32>,
    values: Vec<u8>,
    offsets: Vec<i32>,
    /// The dictionary of the latest batch, and the code here for each of its codes; [`UNSEEN`] until a row shows it.
    latest: Dictionary,
    translation: Vec<i32>,
}

const UNSEEN: i32 = -1;

impl Texts {
    pub fn new() -> Self {
        let latest = Dictionary { offsets: vec![0; 4], values: Vec::new() };
        Self { codes: HashMap::new(), values: Vec::new(), offsets: vec![0], latest, translation: Vec::new() }
    }

    /// Whether this is the dictionary of the latest batch.
    pub fn knows(&self, dictionary: &Dictionary) -> bool {
        self.latest == *dictionary
    }

    /// Whether all texts of `dictionary` can be added.
    pub fn has_room(&self, dictionary: &Dictionary) -> bool {
        self.values.len() + dictionary.values.len() <= i32::MAX as usize
    }

    /// Makes `dictionary` the one that [`Texts::code`] translates from.
    pub fn translate_from(&mut self, dictionary: &Dictionary) {
        if !self.knows(dictionary) {
            self.latest.clone_from(dictionary);
            self.translation.clear();
            self.translation.resize((dictionary.offsets.len() / 4).saturating_sub(1), UNSEEN);
        }
    }

    /// The code here for a code of the latest dictionary, which has been checked to hold it.
    pub fn code(&mut self, code: i32) -> i32 {
        match self.translation[code as usize] {
            UNSEEN => self.add(code as usize),
            known => known,
        }
    }

    /// Bytes of all texts and offsets.
    pub fn bytes(&self) -> usize {
        self.values.len() + 4 * self.offsets.len()
    }

    pub fn finish(self) -> Result<StringArray, TableError> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        StringArray::try_new(offsets, self.values.into(), None).map_err(|error| TableError::Arrow(error.to_string()))
    }

    fn add(&mut self, index: usize) -> i32 {
        let Dictionary { offsets, values } = &self.latest;
        let text = &values[offset(offsets, index)..offset(offsets, index + 1)];
        let text = std::str::from_utf8(text).expect("the dictionary has been checked to be UTF-8");
        let code = match self.codes.get(text) {
            Some(code) => *code,
            None => {
                let code = self.codes.len() as i32;
                self.codes.insert(text.into(), code);
                self.values.extend_from_slice(text.as_bytes());
                self.offsets.push(self.values.len() as i32);
                code
            }
        };
        self.translation[index] = code;
        code
    }
}
