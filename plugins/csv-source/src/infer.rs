//! Finds the types of columns that nobody declared. All values decide, so that a column's type never depends on how far
//! somebody looked.

use std::io::Read;

use wasmlops_sdk::prelude::*;

use crate::block::Block;
use crate::dialect::Nulls;
use crate::reader::Reader;
use crate::value::{self, Types};

/// What the values of a column have left possible.
#[derive(Clone, Copy)]
struct Guess {
    possible: Types,
    /// Whether there was a value that is not null; for numbers, one that is not `inf` or `nan`.
    founded: bool,
}

impl Guess {
    fn data_type(self) -> DataType {
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

/// The type of each column; `declared` ones are not looked at. Bad rows have no say.
pub fn data_types<R: Read>(
    reader: &mut Reader<R>,
    declared: &[Option<DataType>],
    nulls: &Nulls,
) -> Result<Vec<DataType>> {
    let mut guesses = vec![Guess { possible: Types::ALL, founded: false }; declared.len()];
    let mut unknown: Vec<usize> = (0..declared.len()).filter(|&column| declared[column].is_none()).collect();
    while let Some(block) = reader.next_block()? {
        unknown.retain(|&column| {
            narrow(&mut guesses[column], &block, column, nulls);
            guesses[column].possible != Types::NONE
        });
        if unknown.is_empty() {
            break;
        }
    }
    let data_type = |(declared, guess): (&Option<DataType>, Guess)| declared.unwrap_or_else(|| guess.data_type());
    Ok(declared.iter().zip(guesses).map(data_type).collect())
}

fn narrow(guess: &mut Guess, block: &Block, column: usize, nulls: &Nulls) {
    for cell in block.column(column) {
        let text = value::trimmed(block.raw(cell));
        if nulls.contain(text) {
            continue;
        }
        let types = if cell.has_doubled_quotes() { Types::NONE } else { value::types_of(text) };
        guess.possible = guess.possible.and(types);
        if guess.possible == Types::NONE {
            return;
        }
        guess.founded = guess.founded || value::is_real_number(text);
    }
}
