//! One cell as text.

use std::fmt::Write as _;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, BinaryArray, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use jiff::Timestamp;
use wasmlops_core::table::DataType;

/// The cells of one column of a record batch.
pub(super) enum Cells<'a> {
    Bool(&'a BooleanArray),
    S64(&'a PrimitiveArray<Int64Type>),
    F64(&'a PrimitiveArray<Float64Type>),
    F32(&'a PrimitiveArray<Float32Type>),
    Utf8(&'a StringArray),
    Binary(&'a BinaryArray),
    Timestamp(&'a PrimitiveArray<TimestampMicrosecondType>),
    Categorical { codes: &'a PrimitiveArray<Int32Type>, texts: &'a StringArray },
}

impl<'a> Cells<'a> {
    pub fn of(batch: &'a RecordBatch, column: usize, data_type: DataType) -> Self {
        let array = batch.column(column);
        match data_type {
            DataType::Bool => Cells::Bool(array.as_boolean()),
            DataType::S64 => Cells::S64(array.as_primitive()),
            DataType::F64 => Cells::F64(array.as_primitive()),
            DataType::F32 => Cells::F32(array.as_primitive()),
            DataType::Utf8 => Cells::Utf8(array.as_string()),
            DataType::Binary => Cells::Binary(array.as_binary()),
            DataType::Timestamp => Cells::Timestamp(array.as_primitive()),
            DataType::Categorical => {
                let array = array.as_dictionary::<Int32Type>();
                Cells::Categorical { codes: array.keys(), texts: array.values().as_string() }
            }
        }
    }

    /// Writes the cell's text to `text`, which is cleared first; false for a null.
    pub fn write(&self, row: usize, text: &mut String) -> bool {
        text.clear();
        if self.array().is_null(row) {
            return false;
        }
        match self {
            Cells::Bool(array) => text.push_str(if array.value(row) { "true" } else { "false" }),
            Cells::S64(array) => push(text, array.value(row)),
            Cells::F64(array) => push_float(text, array.value(row)),
            Cells::F32(array) => push_float(text, array.value(row)),
            Cells::Utf8(array) => text.push_str(array.value(row)),
            Cells::Binary(array) => array.value(row).iter().for_each(|byte| push(text, format_args!("{byte:02x}"))),
            Cells::Timestamp(array) => push_timestamp(text, array.value(row)),
            Cells::Categorical { codes, texts } => text.push_str(texts.value(codes.value(row) as usize)),
        }
        true
    }

    fn array(&self) -> &dyn Array {
        match self {
            Cells::Bool(array) => array,
            Cells::S64(array) => array,
            Cells::F64(array) => array,
            Cells::F32(array) => array,
            Cells::Utf8(array) => array,
            Cells::Binary(array) => array,
            Cells::Timestamp(array) => array,
            Cells::Categorical { codes, .. } => codes,
        }
    }
}

fn push(text: &mut String, value: impl std::fmt::Display) {
    write!(text, "{value}").expect("a `String` takes every text");
}

/// The shortest text that reads back as the same number, with an exponent where it is far from 1: `0.1`, `1e300`,
/// `NaN`, `inf`.
fn push_float(text: &mut String, value: impl std::fmt::Display + std::fmt::LowerExp + Copy + Into<f64>) {
    let magnitude = value.into().abs();
    if magnitude == 0.0 || !magnitude.is_finite() || (1e-5..1e16).contains(&magnitude) {
        push(text, value);
    } else {
        push(text, format_args!("{value:e}"));
    }
}

/// RFC 3339 in UTC, as many fractional digits as it takes; microseconds since 1970 for years outside what jiff's
/// calendar knows (-9999 to 9999).
fn push_timestamp(text: &mut String, microseconds: i64) {
    match Timestamp::from_microsecond(microseconds) {
        Ok(timestamp) => push(text, timestamp),
        Err(_) => push(text, microseconds),
    }
}
