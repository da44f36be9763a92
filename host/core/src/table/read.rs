//! From a [`Table`] to the wire layout: any range of rows, any columns, about [`READ_BYTES`] at once.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_buffer::BooleanBufferBuilder;

use super::wire::bit_bytes;
use super::{Batch, CHUNK_ROWS, Column, DataType, Dictionary, READ_BYTES, Table, TableError};

impl Table {
    /// Rows `offset .. offset + limit` of the columns with these indexes, in this order, laid out as the contract says:
    /// offsets start at 0, bits at the first row, and each batch of a table comes with the same dictionary.
    ///
    /// May hold fewer rows than asked for, so that it stays within about [`READ_BYTES`] (dictionaries not counted); at
    /// least one row while `offset` is inside the table, none at its end.
    ///
    /// Errors: an index that is no column.
    pub fn read(&self, columns: &[u32], offset: u64, limit: u64) -> Result<Batch, TableError> {
        let indexes = self.indexes(columns)?;
        let rows = self.within(offset, limit);
        let rows = rows.start..rows.start + self.rows_of_a_read(&indexes, rows);
        let columns = indexes.iter().map(|&index| self.column(index, rows.clone())).collect();
        Ok(Batch { num_rows: rows.len() as u64, columns })
    }

    /// A range of rows as it comes from outside, cut to what there is.
    pub(super) fn within(&self, offset: u64, limit: u64) -> Range<usize> {
        let end = self.num_rows();
        let start = offset.min(end);
        start as usize..(start + limit.min(end - start)) as usize
    }

    /// The chunks that hold a range of rows, each with its part of the range.
    pub(super) fn segments(&self, rows: Range<usize>) -> impl Iterator<Item = (&RecordBatch, Range<usize>)> {
        let chunks = rows.start / CHUNK_ROWS..rows.end.div_ceil(CHUNK_ROWS);
        let chunks = if rows.is_empty() { 0..0 } else { chunks };
        chunks.map(move |index| {
            let chunk = index * CHUNK_ROWS;
            let (start, end) = (rows.start.max(chunk), rows.end.min(chunk + CHUNK_ROWS));
            (&self.0.chunks[index], start - chunk..end - chunk)
        })
    }

    /// How many of the rows fit into a read.
    fn rows_of_a_read(&self, columns: &[usize], rows: Range<usize>) -> usize {
        let bits: usize = columns.iter().map(|&index| self.bits_a_row(index)).sum();
        let most = (READ_BYTES * 8).checked_div(bits).map_or(rows.len(), |fitting| fitting.max(1).min(rows.len()));
        let texts: Vec<usize> = columns.iter().copied().filter(|&index| self.has_offsets(index)).collect();
        if texts.is_empty() {
            return most;
        }
        let fits = |count: usize| {
            let part = rows.start..rows.start + count;
            let values: usize = texts.iter().map(|&index| self.value_bytes(index, part.clone())).sum();
            values + count * bits / 8 <= READ_BYTES
        };
        // The largest count that fits; sizes only grow with the count.
        let (mut fitting, mut beyond) = (most.min(1), most + 1);
        while fitting + 1 < beyond {
            let middle = fitting + (beyond - fitting) / 2;
            if fits(middle) { fitting = middle } else { beyond = middle }
        }
        fitting
    }

    fn has_offsets(&self, column: usize) -> bool {
        matches!(self.0.schema.fields[column].data_type, DataType::Utf8 | DataType::Binary)
    }

    /// Bits that each row takes, the bytes of texts not counted.
    fn bits_a_row(&self, column: usize) -> usize {
        let field = &self.0.schema.fields[column];
        let values = match field.data_type.width() {
            Some(width) => width * 8,
            None if field.data_type == DataType::Bool => 1,
            None => 32,
        };
        values + usize::from(field.nullable)
    }

    /// Bytes of the values of a `utf8` or `binary` column.
    fn value_bytes(&self, column: usize, rows: Range<usize>) -> usize {
        let bytes = |(chunk, rows): (&RecordBatch, Range<usize>)| {
            let (offsets, _) = bytes_of(chunk.column(column));
            (offsets[rows.end] - offsets[rows.start]) as usize
        };
        self.segments(rows).map(bytes).sum()
    }

    fn column(&self, index: usize, rows: Range<usize>) -> Column {
        let data_type = self.0.schema.fields[index].data_type;
        let parts = || self.segments(rows.clone()).map(|(chunk, rows)| (chunk.column(index), rows));
        let mut column = Column { validity: validity(parts(), rows.len()), ..Column::default() };
        match data_type.width() {
            Some(width) => {
                column.values.reserve_exact(rows.len() * width);
                for (array, rows) in parts() {
                    column
                        .values
                        .extend_from_slice(&fixed_bytes(array, data_type)[rows.start * width..rows.end * width]);
                }
            }
            None if data_type == DataType::Bool => {
                let mut bits = BooleanBufferBuilder::new(rows.len());
                parts().for_each(|(array, rows)| {
                    bits.append_buffer(&array.as_boolean().values().slice(rows.start, rows.len()));
                });
                column.values = bits.as_slice().to_vec();
            }
            None => copy_bytes(&mut column, parts(), rows.len()),
        }
        column.dictionary = self.0.dictionaries[index].as_ref().map(wire_dictionary);
        column
    }
}

/// The bits of a range of rows, if any row in it is null.
fn validity<'a>(parts: impl Iterator<Item = (&'a ArrayRef, Range<usize>)>, rows: usize) -> Option<Vec<u8>> {
    let mut bits = BooleanBufferBuilder::new(0);
    let mut nulls = 0;
    for (array, part) in parts {
        match array.nulls() {
            Some(all) => {
                let slice = all.slice(part.start, part.len());
                nulls += slice.null_count();
                bits.append_buffer(slice.inner());
            }
            None => bits.append_n(part.len(), true),
        }
    }
    debug_assert_eq!(bits.as_slice().len(), bit_bytes(rows));
    (nulls > 0).then(|| bits.as_slice().to_vec())
}

/// The values of a column of a fixed width, all rows of a chunk.
fn fixed_bytes(array: &ArrayRef, data_type: DataType) -> &[u8] {
    match data_type {
        DataType::F64 => array.as_primitive::<Float64Type>().values().inner(),
        DataType::F32 => array.as_primitive::<Float32Type>().values().inner(),
        DataType::Timestamp => array.as_primitive::<TimestampMicrosecondType>().values().inner(),
        DataType::Categorical => array.as_dictionary::<Int32Type>().keys().values().inner(),
        _ => array.as_primitive::<Int64Type>().values().inner(),
    }
}

/// Offsets and values of a column of texts or bytes, all rows of a chunk.
fn bytes_of(array: &ArrayRef) -> (&[i32], &[u8]) {
    match array.as_string_opt::<i32>() {
        Some(texts) => (texts.value_offsets(), texts.value_data()),
        None => (array.as_binary::<i32>().value_offsets(), array.as_binary::<i32>().value_data()),
    }
}

fn copy_bytes<'a>(column: &mut Column, parts: impl Iterator<Item = (&'a ArrayRef, Range<usize>)>, rows: usize) {
    let mut offsets = Vec::with_capacity((rows + 1) * 4);
    offsets.extend_from_slice(&0_i32.to_le_bytes());
    for (array, rows) in parts {
        let (from, values) = bytes_of(array);
        let (start, end) = (from[rows.start], from[rows.end]);
        let shift = column.values.len() as i32 - start;
        offsets.extend(from[rows.start + 1..=rows.end].iter().flat_map(|offset| (offset + shift).to_le_bytes()));
        column.values.extend_from_slice(&values[start as usize..end as usize]);
    }
    column.offsets = Some(offsets);
}

fn wire_dictionary(texts: &StringArray) -> Dictionary {
    Dictionary {
        offsets: texts.value_offsets().iter().flat_map(|offset| offset.to_le_bytes()).collect(),
        values: texts.value_data().to_vec(),
    }
}
