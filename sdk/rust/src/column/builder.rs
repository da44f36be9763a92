//! Builds a column row by row.

use std::collections::HashMap;

use super::{Column, Dictionary};
use crate::schema::DataType;

/// Takes one value after the other. Pushing a value of another type than the builder's is a fault of the plugin and
/// panics with both types.
pub struct ColumnBuilder {
    data_type: DataType,
    len: usize,
    values: Vec<u8>,
    /// Made at the first null.
    validity: Option<Vec<u8>>,
    offsets: Vec<i32>,
    codes: HashMap<String, i32>,
    texts: Vec<u8>,
    text_offsets: Vec<i32>,
}

impl ColumnBuilder {
    pub fn new(data_type: DataType) -> Self {
        Self {
            data_type,
            len: 0,
            values: Vec::new(),
            validity: None,
            offsets: vec![0],
            codes: HashMap::new(),
            texts: Vec::new(),
            text_offsets: vec![0],
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of values so far: ask this to keep batches near 1 MiB.
    pub fn bytes(&self) -> usize {
        self.values.len() + 4 * self.offsets.len() + self.texts.len()
    }

    pub fn push_f64(&mut self, value: f64) {
        self.expect(&[DataType::F64], "f64");
        self.values.extend_from_slice(&value.to_le_bytes());
        self.grow(true);
    }

    pub fn push_f32(&mut self, value: f32) {
        self.expect(&[DataType::F32], "f32");
        self.values.extend_from_slice(&value.to_le_bytes());
        self.grow(true);
    }

    /// For `s64` and `timestamp`.
    pub fn push_s64(&mut self, value: i64) {
        self.expect(&[DataType::S64, DataType::Timestamp], "s64");
        self.values.extend_from_slice(&value.to_le_bytes());
        self.grow(true);
    }

    pub fn push_bool(&mut self, value: bool) {
        self.expect(&[DataType::Bool], "bool");
        push_bit(&mut self.values, self.len, value);
        self.grow(true);
    }

    /// For `utf8` and `categorical`.
    pub fn push_text(&mut self, value: &str) {
        self.expect(&[DataType::Utf8, DataType::Categorical], "text");
        if self.data_type == DataType::Utf8 {
            self.push_slice(value.as_bytes());
        } else {
            let code = self.code(value);
            self.push_code(code);
        }
    }

    pub fn push_bytes(&mut self, value: &[u8]) {
        self.expect(&[DataType::Binary], "bytes");
        self.push_slice(value);
    }

    pub fn push_null(&mut self) {
        match self.data_type.width() {
            Some(width) => self.values.resize(self.values.len() + width, 0),
            None if self.data_type == DataType::Bool => push_bit(&mut self.values, self.len, false),
            None => self.offsets.push(offset(self.values.len())),
        }
        self.grow(false);
    }

    /// A row of another column of the same type.
    pub fn push_from(&mut self, column: &Column, row: usize) {
        if column.is_null(row) {
            return self.push_null();
        }
        match column.data_type() {
            DataType::F64 => self.push_f64(column.values.as_slice()[row]),
            DataType::F32 => self.push_f32(column.values.as_slice()[row]),
            DataType::S64 | DataType::Timestamp => self.push_s64(column.values.as_slice()[row]),
            DataType::Bool => self.push_bool(column.bool(row).unwrap_or_default()),
            DataType::Utf8 if self.data_type == DataType::Utf8 => self.push_slice(column.slice(row)),
            DataType::Utf8 | DataType::Categorical => self.push_text(column.text(row).unwrap_or_default()),
            DataType::Binary => self.push_bytes(column.slice(row)),
        }
    }

    /// Rows of another column of the same type; texts of categories are looked up once, not for every row.
    pub(super) fn extend_from(&mut self, column: &Column, rows: impl Iterator<Item = usize>) {
        let (Some(theirs), Some(dictionary)) = (column.as_codes(), &column.dictionary) else {
            return rows.for_each(|row| self.push_from(column, row));
        };
        self.expect(&[DataType::Categorical], "a category");
        let mut ours: Vec<Option<i32>> = vec![None; dictionary.len()];
        for row in rows {
            if column.is_null(row) {
                self.push_null();
                continue;
            }
            let theirs = theirs[row] as usize;
            let code = *ours[theirs].get_or_insert_with(|| self.code(dictionary.get(theirs)));
            self.push_code(code);
        }
    }

    pub fn finish(self) -> Column {
        let with_offsets = matches!(self.data_type, DataType::Utf8 | DataType::Binary);
        Column {
            data_type: self.data_type,
            len: self.len,
            values: self.values.into(),
            validity: self.validity,
            offsets: with_offsets.then(|| to_bytes(&self.offsets).into()),
            dictionary: (self.data_type == DataType::Categorical)
                .then(|| Dictionary { offsets: to_bytes(&self.text_offsets).into(), values: self.texts }),
        }
    }

    fn expect(&self, types: &[DataType], pushed: &str) {
        assert!(types.contains(&self.data_type), "pushed {pushed} to a {} column", self.data_type.name());
    }

    fn push_code(&mut self, code: i32) {
        self.values.extend_from_slice(&code.to_le_bytes());
        self.grow(true);
    }

    fn push_slice(&mut self, value: &[u8]) {
        self.values.extend_from_slice(value);
        self.offsets.push(offset(self.values.len()));
        self.grow(true);
    }

    fn code(&mut self, value: &str) -> i32 {
        if let Some(&code) = self.codes.get(value) {
            return code;
        }
        let code = offset(self.codes.len());
        self.codes.insert(value.to_owned(), code);
        self.texts.extend_from_slice(value.as_bytes());
        self.text_offsets.push(offset(self.texts.len()));
        code
    }

    fn grow(&mut self, valid: bool) {
        if !valid && self.validity.is_none() {
            let mut bits = vec![0xff; self.len / 8];
            if !self.len.is_multiple_of(8) {
                bits.push((1 << (self.len % 8)) - 1);
            }
            self.validity = Some(bits);
        }
        if let Some(bits) = &mut self.validity {
            push_bit(bits, self.len, valid);
        }
        self.len += 1;
    }
}

fn push_bit(bits: &mut Vec<u8>, len: usize, value: bool) {
    if len.is_multiple_of(8) {
        bits.push(0);
    }
    bits[len / 8] |= u8::from(value) << (len % 8);
}

fn offset(len: usize) -> i32 {
    i32::try_from(len).expect("a batch stays far below 2 GiB")
}

fn to_bytes(offsets: &[i32]) -> Vec<u8> {
    // In one pass over memory that is there: collecting an iterator of bytes checks for room at each of them.
    let mut bytes = Vec::with_capacity(4 * offsets.len());
    offsets.iter().for_each(|offset| bytes.extend_from_slice(&offset.to_le_bytes()));
    bytes
}
