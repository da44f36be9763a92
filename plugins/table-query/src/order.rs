//! Which of two rows of a column comes first: numbers by value, texts by their bytes, `false` before `true`. Null and
//! NaN have no place in the order.

use std::borrow::Cow;
use std::cmp::Ordering;

use wasmlops_sdk::prelude::*;

/// A column whose rows can be compared fast.
pub struct Order<'a> {
    column: &'a Column,
    values: Values<'a>,
}

enum Values<'a> {
    Whole(Cow<'a, [i64]>),
    Float(Vec<f64>),
    Text,
    Bytes,
}

impl<'a> Order<'a> {
    pub fn of(column: &'a Column) -> Self {
        let values = match column.data_type() {
            DataType::S64 | DataType::Timestamp => {
                Values::Whole(Cow::Borrowed(column.as_s64().expect("both types are laid out so")))
            }
            DataType::Bool => {
                Values::Whole((0..column.len()).map(|row| column.bool(row).map_or(0, i64::from)).collect())
            }
            DataType::F64 | DataType::F32 => Values::Float(column.numbers().expect("floats are numbers")),
            DataType::Categorical => Values::Whole(Cow::Owned(ranks(column))),
            DataType::Utf8 => Values::Text,
            DataType::Binary => Values::Bytes,
        };
        Self { column, values }
    }

    /// Whether the row has a value.
    pub fn has(&self, row: usize) -> bool {
        match &self.values {
            Values::Float(values) => !values[row].is_nan(),
            _ => !self.column.is_null(row),
        }
    }

    /// For rows that have values.
    pub fn compare(&self, a: usize, b: usize) -> Ordering {
        match &self.values {
            Values::Whole(values) => values[a].cmp(&values[b]),
            // Adding zero makes one zero of two.
            Values::Float(values) => (values[a] + 0.0).total_cmp(&(values[b] + 0.0)),
            Values::Text => self.column.text(a).cmp(&self.column.text(b)),
            Values::Bytes => self.column.bytes(a).cmp(&self.column.bytes(b)),
        }
    }

    /// As [`Order::compare`], nulls last in either direction.
    pub fn compare_with_nulls(&self, a: usize, b: usize, descending: bool) -> Ordering {
        match (self.has(a), self.has(b)) {
            (true, true) if descending => self.compare(b, a),
            (true, true) => self.compare(a, b),
            (has_a, has_b) => has_b.cmp(&has_a),
        }
    }
}

/// For each row the place of its category among all, in the order of their texts.
fn ranks(column: &Column) -> Vec<i64> {
    let categories = column.categories();
    let mut sorted: Vec<usize> = (0..categories.len()).collect();
    sorted.sort_by_key(|&code| categories[code]);
    let mut ranks = vec![0; categories.len()];
    for (rank, code) in (0..).zip(sorted) {
        ranks[code] = rank;
    }
    let codes = column.as_codes().unwrap_or_default();
    let rank = |(row, code): (usize, &i32)| if column.is_null(row) { 0 } else { ranks[*code as usize] };
    codes.iter().enumerate().map(rank).collect()
}
