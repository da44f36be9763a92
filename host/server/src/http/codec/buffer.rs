//! One column as it grows out of loose cells, in the wire layout of core's batches.

use std::collections::HashMap;

use wasmlops_core::table::{Column, DataType, Dictionary, Field};

use super::cell::{Cell, Precision};
use crate::clock::parse_rfc3339;

/// Takes the cells of one column, row after row.
pub struct ColumnBuffer {
    data_type: DataType,
    nullable: bool,
    rows: usize,
    values: Vec<u8>,
    /// From the first null on.
    validity: Option<Vec<u8>>,
    offsets: Vec<u8>,
    texts: Texts,
}

/// A dictionary in the order in which the rows first show its texts.
#[derive(Default)]
struct Texts {
    codes: HashMap<Box<str>, i32>,
    dictionary: Dictionary,
}

/// The cell does not fit; what was found, in words.
pub type Misfit = String;

impl ColumnBuffer {
    /// Room for `rows` values of fixed width is taken at once; more may come.
    pub fn new(field: &Field, rows: usize) -> Self {
        let mut buffer = Self {
            data_type: field.data_type,
            nullable: field.nullable,
            rows: 0,
            values: Vec::with_capacity(if field.data_type == DataType::Bool { rows / 8 + 1 } else { rows * 8 }),
            validity: None,
            offsets: Vec::new(),
            texts: Texts::default(),
        };
        if matches!(field.data_type, DataType::Utf8 | DataType::Binary) {
            buffer.offsets.extend_from_slice(&0_i32.to_le_bytes());
        }
        buffer
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Appends a row. A NaN is how tensors say null, so that it is one where null is allowed.
    ///
    /// Errors: what was found instead of what the column takes; the row is not there then.
    pub fn push(&mut self, cell: Cell<'_>, precision: Precision) -> Result<(), Misfit> {
        match cell {
            Cell::Null if self.nullable => self.push_null(),
            Cell::Float(value) if value.is_nan() && self.nullable && self.is_float() => self.push_null(),
            Cell::Float(value) if value.is_nan() => return Err(cell.describe()),
            _ => self.push_value(cell, precision).ok_or_else(|| cell.describe())?,
        }
        self.rows += 1;
        Ok(())
    }

    pub fn finish(self) -> Column {
        let texts = matches!(self.data_type, DataType::Utf8 | DataType::Binary);
        Column {
            values: self.values,
            validity: self.validity,
            offsets: texts.then_some(self.offsets),
            dictionary: (self.data_type == DataType::Categorical).then(|| self.texts.finish()),
        }
    }

    fn is_float(&self) -> bool {
        matches!(self.data_type, DataType::F64 | DataType::F32)
    }

    fn push_null(&mut self) {
        let row = self.rows;
        let validity = self.validity.get_or_insert_with(|| all_valid(row));
        set_bit(validity, row, false);
        match self.data_type {
            DataType::Bool => set_bit(&mut self.values, row, false),
            DataType::S64 | DataType::F64 | DataType::Timestamp => self.values.extend_from_slice(&[0; 8]),
            DataType::F32 | DataType::Categorical => self.values.extend_from_slice(&[0; 4]),
            DataType::Utf8 | DataType::Binary => self.end_text(),
        }
    }

    /// `None` if the cell does not fit.
    fn push_value(&mut self, cell: Cell<'_>, precision: Precision) -> Option<()> {
        match self.data_type {
            DataType::F64 => self.values.extend_from_slice(&as_f64(cell)?.to_le_bytes()),
            DataType::F32 => self.values.extend_from_slice(&as_f32(cell, precision)?.to_le_bytes()),
            DataType::S64 => self.values.extend_from_slice(&as_i64(cell)?.to_le_bytes()),
            DataType::Timestamp => self.values.extend_from_slice(&as_micros(cell)?.to_le_bytes()),
            DataType::Bool => match cell {
                Cell::Bool(value) => set_bit(&mut self.values, self.rows, value),
                _ => return None,
            },
            DataType::Utf8 => self.push_bytes(as_text(cell)?.as_bytes())?,
            DataType::Binary => self.push_bytes(as_bytes(cell)?)?,
            DataType::Categorical => {
                let code = self.texts.code(as_text(cell)?)?;
                self.values.extend_from_slice(&code.to_le_bytes());
            }
        }
        if let Some(validity) = &mut self.validity {
            set_bit(validity, self.rows, true);
        }
        Some(())
    }

    fn push_bytes(&mut self, bytes: &[u8]) -> Option<()> {
        i32::try_from(self.values.len() + bytes.len()).ok()?;
        self.values.extend_from_slice(bytes);
        self.end_text();
        Some(())
    }

    fn end_text(&mut self) {
        let end = self.values.len() as i32;
        self.offsets.extend_from_slice(&end.to_le_bytes());
    }
}

impl Texts {
    fn code(&mut self, text: &str) -> Option<i32> {
        if let Some(code) = self.codes.get(text) {
            return Some(*code);
        }
        let (code, start) = (self.codes.len() as i32, self.dictionary.values.len());
        let end = i32::try_from(start + text.len()).ok()?;
        if code == 0 {
            self.dictionary.offsets.extend_from_slice(&0_i32.to_le_bytes());
        }
        self.dictionary.values.extend_from_slice(text.as_bytes());
        self.dictionary.offsets.extend_from_slice(&end.to_le_bytes());
        self.codes.insert(text.into(), code);
        Some(code)
    }

    fn finish(mut self) -> Dictionary {
        if self.dictionary.offsets.is_empty() {
            self.dictionary.offsets.extend_from_slice(&0_i32.to_le_bytes());
        }
        self.dictionary
    }
}

fn all_valid(rows: usize) -> Vec<u8> {
    let mut bits = vec![0xff; rows / 8];
    if !rows.is_multiple_of(8) {
        bits.push((1 << (rows % 8)) - 1);
    }
    bits
}

/// Sets bit `row`, which is the next one.
fn set_bit(bits: &mut Vec<u8>, row: usize, value: bool) {
    if row / 8 == bits.len() {
        bits.push(0);
    }
    bits[row / 8] |= u8::from(value) << (row % 8);
}

/// A whole number becomes a float only if nothing is lost.
fn as_f64(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Float(value) => Some(value),
        Cell::Int(value) => Some(value as f64).filter(|float| *float as i128 == i128::from(value)),
        Cell::Big(value) => Some(value as f64).filter(|float| *float as u128 == u128::from(value)),
        _ => None,
    }
}

fn as_f32(cell: Cell<'_>, precision: Precision) -> Option<f32> {
    let wide = as_f64(cell)?;
    let narrow = wide as f32;
    let fits = match precision {
        Precision::Exact => f64::from(narrow) == wide,
        // The nearest of what is in range; beyond it there is only infinity.
        Precision::Decimal => matches!(cell, Cell::Float(_)) || f64::from(narrow) == wide,
    };
    (fits && narrow.is_finite() == wide.is_finite()).then_some(narrow)
}

fn as_i64(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Int(value) => Some(value),
        // From 2^53 on, a float no longer says which whole number was meant.
        Cell::Float(value) if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => Some(value as i64),
        _ => None,
    }
}

fn as_micros(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Text(text) => parse_rfc3339(text),
        _ => as_i64(cell),
    }
}

fn as_text(cell: Cell<'_>) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        Cell::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn as_bytes(cell: Cell<'_>) -> Option<&[u8]> {
    match cell {
        Cell::Text(text) => Some(text.as_bytes()),
        Cell::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}
