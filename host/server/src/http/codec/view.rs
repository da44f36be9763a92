//! A column of a checked batch, read cell by cell.

use wasmlops_core::table::{Column, DataType};

use super::cell::Cell;
use crate::clock;

/// Reads the rows of a column that has been checked against its type.
#[derive(Clone, Copy)]
pub struct ColumnView<'a> {
    data_type: DataType,
    column: &'a Column,
}

impl<'a> ColumnView<'a> {
    pub fn new(data_type: DataType, column: &'a Column) -> Self {
        Self { data_type, column }
    }

    /// The cell of a row; null where the buffers are too short, which a checked batch never is.
    pub fn cell(&self, row: usize) -> Cell<'a> {
        if self.column.validity.as_ref().is_some_and(|bits| !bit(bits, row)) {
            return Cell::Null;
        }
        self.value(row).unwrap_or(Cell::Null)
    }

    fn value(&self, row: usize) -> Option<Cell<'a>> {
        let values = &self.column.values;
        Some(match self.data_type {
            DataType::Bool => Cell::Bool(bit(values, row)),
            DataType::S64 | DataType::Timestamp => Cell::Int(i64::from_le_bytes(fixed(values, row)?)),
            DataType::F64 => Cell::Float(f64::from_le_bytes(fixed(values, row)?)),
            DataType::F32 => Cell::Float(f64::from(f32::from_le_bytes(fixed(values, row)?))),
            DataType::Utf8 => Cell::Text(text(self.column.offsets.as_ref()?, values, row)?),
            DataType::Binary => Cell::Bytes(slice(self.column.offsets.as_ref()?, values, row)?),
            DataType::Categorical => {
                let code = usize::try_from(i32::from_le_bytes(fixed(values, row)?)).ok()?;
                let texts = self.column.dictionary.as_ref()?;
                Cell::Text(text(&texts.offsets, &texts.values, code)?)
            }
        })
    }

    /// Writes the cell as JSON: what JSON cannot say (NaN, infinities) is null, times are RFC 3339.
    pub fn write_json(&self, row: usize, out: &mut Vec<u8>) {
        match (self.cell(row), self.data_type) {
            (Cell::Int(micros), DataType::Timestamp) => json(out, &timestamp(micros)),
            // The shortest decimal that gives the same 32 bits, not the same 64.
            (Cell::Float(value), DataType::F32) => json(out, &(value as f32)),
            (cell, _) => write_cell(cell, out),
        }
    }
}

/// Writes a cell as JSON. Bytes that are no text have their faults replaced.
pub fn write_cell(cell: Cell<'_>, out: &mut Vec<u8>) {
    match cell {
        Cell::Bool(value) => json(out, &value),
        Cell::Int(value) => json(out, &value),
        Cell::Big(value) => json(out, &value),
        Cell::Float(value) => json(out, &value),
        Cell::Text(text) => json(out, text),
        Cell::Bytes(bytes) => json(out, &*String::from_utf8_lossy(bytes)),
        Cell::Null | Cell::List | Cell::Object => out.extend_from_slice(b"null"),
    }
}

/// Appends one JSON value.
pub fn json(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    let written = serde_json::to_writer(&mut *out, value);
    debug_assert!(written.is_ok(), "numbers and texts are JSON, and a vector takes every byte");
}

fn timestamp(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| clock::rfc3339(micros), |time| time.to_string())
}

fn bit(bits: &[u8], row: usize) -> bool {
    bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
}

fn fixed<const N: usize>(values: &[u8], row: usize) -> Option<[u8; N]> {
    values.get(row * N..row * N + N)?.try_into().ok()
}

fn slice<'a>(offsets: &[u8], values: &'a [u8], row: usize) -> Option<&'a [u8]> {
    let start = usize::try_from(i32::from_le_bytes(fixed(offsets, row)?)).ok()?;
    let end = usize::try_from(i32::from_le_bytes(fixed(offsets, row + 1)?)).ok()?;
    values.get(start..end)
}

fn text<'a>(offsets: &[u8], values: &'a [u8], row: usize) -> Option<&'a str> {
    std::str::from_utf8(slice(offsets, values, row)?).ok()
}
