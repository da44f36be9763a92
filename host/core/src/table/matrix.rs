//! From a [`Table`] to one dense matrix of numbers.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::{BooleanBuffer, NullBuffer};

use super::{DataType, NAN_F32, NAN_F64, READ_BYTES, Table, TableError};

/// The type of a matrix's elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Element {
    F64,
    F32,
}

/// Columns that are written side by side: their elements of a row fill a cache line.
const LANES: usize = 8;

/// Rows of a tile: 4 KiB of it stay in the first-level cache, next to the columns and the rows.
const TILE_ROWS: usize = 64;

impl Table {
    /// Rows `offset .. offset + limit` of `bool`, `s64`, `f64`, `f32` and `timestamp` columns: row after row, each with
    /// one little-endian element a column. A null is NaN, a boolean 0 or 1; integers are rounded to the nearest
    /// element.
    ///
    /// May hold fewer rows than asked for, as [`Table::read`] does; how many follows from the length.
    ///
    /// Errors: an index that is no column, a column that holds no numbers.
    pub fn matrix(&self, columns: &[u32], offset: u64, limit: u64, element: Element) -> Result<Vec<u8>, TableError> {
        let indexes = self.indexes(columns)?;
        for &index in &indexes {
            let field = &self.0.schema.fields[index];
            if matches!(field.data_type, DataType::Utf8 | DataType::Binary | DataType::Categorical) {
                return Err(TableError::NotNumeric { column: field.name.clone(), data_type: field.data_type });
            }
        }
        if indexes.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.within(offset, limit);
        Ok(match element {
            Element::F64 => self.dense::<f64>(&indexes, rows),
            Element::F32 => self.dense::<f32>(&indexes, rows),
        })
    }

    /// Goes tile by tile: some rows of a few columns are converted, each column in its own order, and then transposed.
    fn dense<T: Number>(&self, columns: &[usize], rows: Range<usize>) -> Vec<u8> {
        let width = columns.len() * T::BYTES;
        let count = (READ_BYTES / width).max(1).min(rows.len());
        let mut matrix = vec![0; count * width];
        let mut rest = matrix.as_mut_slice();
        let mut tile = [[T::NAN; TILE_ROWS]; LANES];
        for (chunk, rows) in self.segments(rows.start..rows.start + count) {
            let (part, behind) = rest.split_at_mut(rows.len() * width);
            rest = behind;
            let sources: Vec<Source> = columns.iter().map(|&index| self.source(chunk, index)).collect();
            for (index, out) in part.chunks_mut(TILE_ROWS * width).enumerate() {
                let first = rows.start + index * TILE_ROWS;
                for (index, group) in sources.chunks(LANES).enumerate() {
                    for (lane, source) in tile.iter_mut().zip(group) {
                        source.convert(first, &mut lane[..out.len() / width]);
                    }
                    let at = index * LANES * T::BYTES;
                    transpose(&tile, group.len(), out.chunks_exact_mut(width).map(|row| &mut row[at..]));
                }
            }
        }
        matrix
    }

    fn source<'a>(&self, chunk: &'a RecordBatch, column: usize) -> Source<'a> {
        let array = chunk.column(column);
        let values = match self.0.schema.fields[column].data_type {
            DataType::Bool => Values::Bool(array.as_boolean().values()),
            DataType::F64 => Values::F64(array.as_primitive::<Float64Type>().values()),
            DataType::F32 => Values::F32(array.as_primitive::<Float32Type>().values()),
            DataType::Timestamp => Values::S64(array.as_primitive::<TimestampMicrosecondType>().values()),
            _ => Values::S64(array.as_primitive::<Int64Type>().values()),
        };
        Source { values, nulls: array.nulls() }
    }
}

/// One column of a chunk, to be read as numbers.
struct Source<'a> {
    values: Values<'a>,
    nulls: Option<&'a NullBuffer>,
}

enum Values<'a> {
    Bool(&'a BooleanBuffer),
    S64(&'a [i64]),
    F64(&'a [f64]),
    F32(&'a [f32]),
}

impl Source<'_> {
    /// Gives the column's numbers from row `first` on, as many as `out` holds.
    fn convert<T: Number>(&self, first: usize, out: &mut [T]) {
        let rows = first..first + out.len();
        match self.values {
            Values::Bool(values) => fill(out, rows.map(|row| T::from_bool(values.value(row)))),
            Values::S64(values) => fill(out, values[rows].iter().copied().map(T::from_s64)),
            Values::F64(values) => fill(out, values[rows].iter().copied().map(T::from_f64)),
            Values::F32(values) => fill(out, values[rows].iter().copied().map(T::from_f32)),
        }
        if let Some(nulls) = self.nulls {
            for (index, number) in out.iter_mut().enumerate() {
                if nulls.is_null(first + index) {
                    *number = T::NAN;
                }
            }
        }
    }
}

fn fill<T>(out: &mut [T], numbers: impl Iterator<Item = T>) {
    out.iter_mut().zip(numbers).for_each(|(out, number)| *out = number);
}

/// Writes the first `lanes` columns of a tile next to each other at the start of each row.
fn transpose<'a, T: Number>(tile: &[[T; TILE_ROWS]; LANES], lanes: usize, rows: impl Iterator<Item = &'a mut [u8]>) {
    for (index, row) in (0..TILE_ROWS).zip(rows) {
        // A full tile has a length that the compiler knows, and is most of the work.
        if lanes == LANES {
            let row = &mut row[..LANES * T::BYTES];
            for lane in 0..LANES {
                tile[lane][index].write(&mut row[lane * T::BYTES..(lane + 1) * T::BYTES]);
            }
        } else {
            for (lane, out) in tile[..lanes].iter().zip(row.chunks_exact_mut(T::BYTES)) {
                lane[index].write(out);
            }
        }
    }
}

/// What a matrix can hold.
trait Number: Copy {
    const BYTES: usize;
    const NAN: Self;

    fn from_bool(value: bool) -> Self;
    fn from_s64(value: i64) -> Self;
    fn from_f64(value: f64) -> Self;
    fn from_f32(value: f32) -> Self;
    fn write(self, out: &mut [u8]);
}

impl Number for f64 {
    const BYTES: usize = 8;
    const NAN: f64 = f64::from_bits(NAN_F64);

    fn from_bool(value: bool) -> f64 {
        f64::from(value)
    }

    fn from_s64(value: i64) -> f64 {
        value as f64
    }

    fn from_f64(value: f64) -> f64 {
        value
    }

    fn from_f32(value: f32) -> f64 {
        // A conversion leaves the bits of a NaN open.
        if value.is_nan() { Self::NAN } else { f64::from(value) }
    }

    fn write(self, out: &mut [u8]) {
        out.copy_from_slice(&self.to_le_bytes());
    }
}

impl Number for f32 {
    const BYTES: usize = 4;
    const NAN: f32 = f32::from_bits(NAN_F32);

    fn from_bool(value: bool) -> f32 {
        f32::from(value)
    }

    fn from_s64(value: i64) -> f32 {
        value as f32
    }

    fn from_f64(value: f64) -> f32 {
        // A conversion leaves the bits of a NaN open.
        if value.is_nan() { Self::NAN } else { value as f32 }
    }

    fn from_f32(value: f32) -> f32 {
        value
    }

    fn write(self, out: &mut [u8]) {
        out.copy_from_slice(&self.to_le_bytes());
    }
}
