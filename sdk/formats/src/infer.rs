//! The type of a column that nobody declared. All values decide, so that a column's type never depends on how far
//! somebody looked.

use wasmlops_sdk::DataType;

use crate::value::{self, Types};

/// What the values of a column have left possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    possible: Types,
    /// Whether there was a value that is not null; for numbers, one that is not `inf` or `nan`.
    founded: bool,
}

impl Guess {
    /// Before any value.
    pub const NEW: Guess = Guess { possible: Types::ALL, founded: false };

    /// Takes a text (without blanks around it) that is no null.
    pub fn see(&mut self, text: &[u8]) {
        self.see_types(value::types_of(text), value::is_real_number(text));
    }

    /// Takes a value that could be of these types. `founds`: it alone would make the column one of them.
    pub fn see_types(&mut self, types: Types, founds: bool) {
        self.possible = self.possible.and(types);
        self.founded |= founds;
    }

    /// Whether no value can change it any more: it is text.
    pub fn is_settled(self) -> bool {
        self.possible == Types::NONE
    }

    pub fn data_type(self) -> DataType {
        let could_be = |types| self.founded && self.possible.contains(types);
        match () {
            () if could_be(Types::BOOL) => DataType::Bool,
            () if could_be(Types::S64) => DataType::S64,
            () if could_be(Types::F64) => DataType::F64,
            () if could_be(Types::TIMESTAMP) => DataType::Timestamp,
            () => DataType::Utf8,
        }
    }
}
