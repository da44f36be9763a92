//! Rows of many records as one batch, made by moving bytes: requests mostly have one row, and a table takes a thousand
//! rows at once for little more than the price of one.
//!
//! Looks at lengths alone. What the bytes say is checked where the batch is taken.

use std::collections::HashMap;

use wasmlops_core::table::{Column, DataType, Dictionary};

use crate::inference::codec::ColumnView;

pub(super) struct Block {
    types: Vec<DataType>,
    columns: Vec<Joined>,
    rows: u64,
}

#[derive(Default)]
struct Joined {
    values: Vec<u8>,
    /// From the first null on.
    validity: Option<Vec<u8>>,
    /// All but the first, which is 0.
    ends: Vec<u8>,
    dictionary: Dictionary,
    codes: HashMap<Vec<u8>, i32>,
}

impl Block {
    pub fn new(types: impl Iterator<Item = DataType>) -> Self {
        let types: Vec<_> = types.collect();
        Self { columns: types.iter().map(|_| Joined::default()).collect(), types, rows: 0 }
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Appends rows, given a column for each of the block's, or none for nulls. False, and nothing appended, if one has
    /// not the lengths that its type has.
    pub fn append<'v, 'b: 'v>(
        &mut self,
        rows: u64,
        columns: impl Iterator<Item = Option<&'v ColumnView<'b>>> + Clone,
    ) -> bool {
        let count = rows as usize;
        let is_whole = |(column, data_type): (Option<&ColumnView>, &DataType)| {
            column.is_none_or(|column| has_its_lengths(column, *data_type, count))
        };
        if !columns.clone().zip(&self.types).all(is_whole) {
            return false;
        }
        let first = self.rows as usize;
        for ((column, data_type), joined) in columns.zip(&self.types).zip(&mut self.columns) {
            match column {
                Some(column) => joined.append(column, *data_type, first, count),
                None => joined.append_nulls(*data_type, first, count),
            }
        }
        self.rows += rows;
        true
    }

    /// All rows; the block is empty then.
    pub fn take(&mut self) -> (u64, Vec<Column>) {
        let columns = self.columns.iter_mut().zip(&self.types);
        let columns = columns.map(|(joined, data_type)| std::mem::take(joined).finish(*data_type)).collect();
        (std::mem::take(&mut self.rows), columns)
    }
}

/// Bytes that a value takes, for types where that is always the same.
fn width(data_type: DataType) -> Option<usize> {
    match data_type {
        DataType::S64 | DataType::F64 | DataType::Timestamp => Some(8),
        DataType::F32 | DataType::Categorical => Some(4),
        DataType::Bool | DataType::Utf8 | DataType::Binary => None,
    }
}

fn has_its_lengths(column: &ColumnView, data_type: DataType, rows: usize) -> bool {
    let bits = rows.div_ceil(8);
    let values = match data_type {
        DataType::Bool => column.values.len() == bits && column.offsets.is_none(),
        DataType::Utf8 | DataType::Binary => {
            let ends = column.offsets.filter(|offsets| offsets.len() == (rows + 1) * 4);
            ends.and_then(|offsets| numbers(offsets).last()) == i32::try_from(column.values.len()).ok()
        }
        fixed => column.values.len() == rows * width(fixed).unwrap_or_default() && column.offsets.is_none(),
    };
    let dictionary = match (data_type, column.dictionary) {
        (DataType::Categorical, Some((offsets, texts))) => {
            let is_valid = |row: usize| column.validity.is_none_or(|validity| bit(validity, row));
            column.validity.is_none_or(|validity| validity.len() == bits)
                && entries(offsets, texts).is_some_and(|entries| {
                    let known = |code: i32| usize::try_from(code).is_ok_and(|code| code < entries.len());
                    numbers(column.values).enumerate().all(|(row, code)| !is_valid(row) || known(code))
                })
        }
        (DataType::Categorical, None) => false,
        (_, dictionary) => dictionary.is_none(),
    };
    values && dictionary && column.validity.is_none_or(|validity| validity.len() == bits)
}

impl Joined {
    fn append(&mut self, column: &ColumnView, data_type: DataType, first: usize, rows: usize) {
        match (data_type, column.offsets, column.dictionary) {
            (DataType::Bool, ..) => append_bits(&mut self.values, first, rows, |row| bit(column.values, row)),
            (_, Some(offsets), _) => {
                let start = self.values.len() as i32;
                self.ends.extend(numbers(offsets).skip(1).flat_map(|end| end.wrapping_add(start).to_le_bytes()));
                self.values.extend_from_slice(column.values);
            }
            (_, _, Some(dictionary)) => self.append_codes(column, dictionary),
            _ => self.values.extend_from_slice(column.values),
        }
        match (column.validity, &mut self.validity) {
            (None, None) => {}
            (None, Some(validity)) => append_bits(validity, first, rows, |_| true),
            (Some(bits), _) => append_bits(self.validity_from(first), first, rows, |row| bit(bits, row)),
        }
    }

    fn append_nulls(&mut self, data_type: DataType, first: usize, rows: usize) {
        match (data_type, width(data_type)) {
            (_, Some(width)) => self.values.resize(self.values.len() + rows * width, 0),
            (DataType::Bool, None) => append_bits(&mut self.values, first, rows, |_| false),
            (_, None) => {
                let end = (self.values.len() as i32).to_le_bytes();
                self.ends.extend(std::iter::repeat_n(end, rows).flatten());
            }
        }
        append_bits(self.validity_from(first), first, rows, |_| false);
    }

    /// Codes of the column's dictionary become codes of the block's.
    fn append_codes(&mut self, column: &ColumnView, (offsets, texts): (&[u8], &[u8])) {
        let entries = entries(offsets, texts).unwrap_or_default();
        for code in numbers(column.values) {
            // A null may have any code.
            let text = usize::try_from(code).ok().and_then(|code| entries.get(code));
            let code = text.map_or(0, |text| self.code(text));
            self.values.extend(code.to_le_bytes());
        }
    }

    fn code(&mut self, text: &[u8]) -> i32 {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let code = self.codes.len() as i32;
        self.dictionary.values.extend_from_slice(text);
        self.dictionary.offsets.extend((self.dictionary.values.len() as i32).to_le_bytes());
        self.codes.insert(text.to_vec(), code);
        code
    }

    /// The bits, which say that the rows before these are there.
    fn validity_from(&mut self, first: usize) -> &mut Vec<u8> {
        self.validity.get_or_insert_with(|| {
            let mut bits = Vec::new();
            append_bits(&mut bits, 0, first, |_| true);
            bits
        })
    }

    fn finish(self, data_type: DataType) -> Column {
        let from_zero = |mut ends: Vec<u8>| {
            ends.splice(0..0, [0; 4]);
            ends
        };
        let has_offsets = matches!(data_type, DataType::Utf8 | DataType::Binary);
        let dictionary = Dictionary { offsets: from_zero(self.dictionary.offsets), values: self.dictionary.values };
        Column {
            values: self.values,
            validity: self.validity,
            offsets: has_offsets.then(|| from_zero(self.ends)),
            dictionary: (data_type == DataType::Categorical).then_some(dictionary),
        }
    }
}

/// The texts of a dictionary; nothing where its offsets do not lead to any.
fn entries<'a>(offsets: &[u8], texts: &'a [u8]) -> Option<Vec<&'a [u8]>> {
    let ends: Vec<usize> = numbers(offsets).map(|end| usize::try_from(end).ok()).collect::<Option<_>>()?;
    ends.windows(2).map(|pair| texts.get(pair[0]..pair[1])).collect()
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = i32> + '_ {
    bytes.as_chunks().0.iter().map(|number| i32::from_le_bytes(*number))
}

fn bit(bytes: &[u8], row: usize) -> bool {
    bytes[row / 8] >> (row % 8) & 1 == 1
}

/// Appends bits behind the first `before`.
fn append_bits(bytes: &mut Vec<u8>, before: usize, rows: usize, is_set: impl Fn(usize) -> bool) {
    bytes.resize((before + rows).div_ceil(8), 0);
    for row in (0..rows).filter(|row| is_set(*row)) {
        bytes[(before + row) / 8] |= 1 << ((before + row) % 8);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use wasmlops_core::table::{Batch, Schema, TableBuilder};

    use super::*;
    use crate::inference::codec::{Reader, put_batch};
    use crate::inference::columns::{field, of_json};

    const TYPES: [DataType; 6] =
        [DataType::Bool, DataType::S64, DataType::F64, DataType::F32, DataType::Utf8, DataType::Categorical];

    fn any_batch() -> impl Strategy<Value = Batch> {
        prop::collection::vec(prop::collection::vec(prop::option::of(0..9_i64), TYPES.len()), 1..12).prop_map(|rows| {
            let cell = |number: i64, data_type| match data_type {
                DataType::Bool => json!(number % 2 == 0),
                DataType::S64 => json!(number),
                DataType::F64 | DataType::F32 => json!(number as f64 / 4.0),
                _ => json!("ß".repeat(number as usize % 4)),
            };
            let column = |(index, data_type): (usize, &DataType)| {
                let cells: Vec<Option<Value>> =
                    rows.iter().map(|row| row[index].map(|number| cell(number, *data_type))).collect();
                of_json(*data_type, &cells)
            };
            Batch { num_rows: rows.len() as u64, columns: TYPES.iter().enumerate().map(column).collect() }
        })
    }

    proptest! {
        /// Rows that were put together are those that came one by one.
        #[test]
        fn a_block_is_its_batches(batches in prop::collection::vec(any_batch(), 1..8), without in any::<bool>()) {
            let fields = TYPES.iter().map(|data_type| field(data_type.as_str(), *data_type, true)).collect();
            let schema = Schema::new(fields).unwrap();
            let (mut together, mut apart) = (TableBuilder::new(schema.clone()), TableBuilder::new(schema));
            let mut block = Block::new(TYPES.into_iter());
            for mut batch in batches {
                let mut bytes = Vec::new();
                put_batch(&mut bytes, &batch);
                let view = Reader(&bytes).batch().unwrap();
                let last = TYPES.len() - usize::from(without);
                let missing = std::iter::repeat_n(None, TYPES.len() - last);
                let columns = view.columns[..last].iter().map(Some).chain(missing);
                prop_assert!(block.append(batch.num_rows, columns));
                if without {
                    batch.columns[last] = crate::inference::columns::nulls(TYPES[last], batch.num_rows);
                }
                apart.push(batch).unwrap();
            }
            let (num_rows, columns) = block.take();
            together.push(Batch { num_rows, columns }).unwrap();
            prop_assert_eq!(together.finish().unwrap(), apart.finish().unwrap());
            prop_assert_eq!(block.rows(), 0);
        }

        /// Whatever the lengths are, it does not panic, and a batch that is refused leaves nothing behind.
        #[test]
        fn odd_lengths_are_refused(mut batch in any_batch(), column in 0..TYPES.len(), cut in 1..9_usize) {
            let values = &mut batch.columns[column].values;
            let length = values.len().saturating_sub(cut);
            let is_shorter = length < values.len();
            values.truncate(length);
            let mut bytes = Vec::new();
            put_batch(&mut bytes, &batch);
            let view = Reader(&bytes).batch().unwrap();
            let mut block = Block::new(TYPES.into_iter());
            prop_assert_eq!(block.append(batch.num_rows, view.columns.iter().map(Some)), !is_shorter);
            prop_assert_eq!(block.rows(), if is_shorter { 0 } else { batch.num_rows });
        }
    }
}
