//! The one form that equal rows have: one NaN, and nothing under a null. Knows buffers that have been checked.

use super::wire::{bit, first_zero, offset};
use super::{Batch, Column, DataType, NAN_F32, NAN_F64, Schema, TableError, check};

impl Schema {
    /// Checks foreign buffers as [`super::TableBuilder::push`] does and brings them into the form that rows of a table
    /// have, without making a table of them: for rows that pass through a few at a time. A dictionary stays as it came.
    ///
    /// Errors: buffers that do not fit the schema, each with the column at fault.
    pub fn accept(&self, batch: &mut Batch) -> Result<(), TableError> {
        check::batch(self, batch, |_, _| false)?;
        for (field, column) in self.fields.iter().zip(&mut batch.columns) {
            settle(column, field.data_type, batch.num_rows as usize);
        }
        Ok(())
    }
}

fn settle(column: &mut Column, data_type: DataType, rows: usize) {
    column.validity.take_if(|validity| first_zero(validity, rows).is_none());
    match (data_type, data_type.width()) {
        (_, Some(width)) => zero_nulls(&mut column.values, width, column.validity.as_deref(), 0),
        (DataType::Bool, _) => {
            for (bits, valid) in column.values.iter_mut().zip(column.validity.iter().flatten()) {
                *bits &= valid;
            }
        }
        _ => empty_nulls(column, rows),
    }
    match data_type {
        DataType::F64 => canonical_nans_f64(&mut column.values),
        DataType::F32 => canonical_nans_f32(&mut column.values),
        _ => {}
    }
}

fn empty_nulls(column: &mut Column, rows: usize) {
    let (Some(validity), Some(offsets)) = (&column.validity, &mut column.offsets) else { return };
    let mut values = Vec::with_capacity(column.values.len());
    let mut start = 0;
    for row in 0..rows {
        let end = offset(offsets, row + 1);
        if bit(validity, row) {
            values.extend_from_slice(&column.values[start..end]);
        }
        offsets[(row + 1) * 4..(row + 2) * 4].copy_from_slice(&(values.len() as i32).to_le_bytes());
        start = end;
    }
    column.values = values;
}

/// `values` are those of the rows from `first` on, which is the bit that `validity` has for them.
pub(super) fn zero_nulls(values: &mut [u8], width: usize, validity: Option<&[u8]>, first: usize) {
    let Some(validity) = validity else { return };
    for (row, value) in values.chunks_exact_mut(width).enumerate() {
        if !bit(validity, first + row) {
            value.fill(0);
        }
    }
}

pub(super) fn canonical_nans_f64(values: &mut [u8]) {
    for value in values.as_chunks_mut().0 {
        *value = if f64::from_le_bytes(*value).is_nan() { NAN_F64.to_le_bytes() } else { *value };
    }
}

pub(super) fn canonical_nans_f32(values: &mut [u8]) {
    for value in values.as_chunks_mut().0 {
        *value = if f32::from_le_bytes(*value).is_nan() { NAN_F32.to_le_bytes() } else { *value };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Field, TableBuilder};

    /// Three rows, the second null with something under it.
    fn batch() -> (Schema, Batch) {
        let types = [DataType::F64, DataType::F32, DataType::Bool, DataType::Utf8, DataType::S64];
        let field = |data_type: DataType| Field { name: data_type.as_str().into(), data_type, nullable: true };
        let column = |values: Vec<u8>| Column { values, validity: Some(vec![0b101]), ..Column::default() };
        let other_nan = f64::from_bits(NAN_F64 | 7 | 1 << 63);
        let offsets = [0_i32, 1, 3, 6].into_iter().flat_map(i32::to_le_bytes).collect();
        let columns = vec![
            column([1.0, 2.0, other_nan].into_iter().flat_map(f64::to_le_bytes).collect()),
            column([f32::from_bits(NAN_F32 | 3), 2.0, 3.0].into_iter().flat_map(f32::to_le_bytes).collect()),
            column(vec![0b111]),
            Column { offsets: Some(offsets), ..column(b"abbccc".to_vec()) },
            Column {
                validity: Some(vec![0b111]),
                ..column([1_i64, 2, 3].into_iter().flat_map(i64::to_le_bytes).collect())
            },
        ];
        (Schema::new(types.map(field).to_vec()).unwrap(), Batch { num_rows: 3, columns })
    }

    #[test]
    fn accepted_rows_are_those_of_a_table() {
        let (schema, mut accepted) = batch();
        let mut builder = TableBuilder::new(schema.clone());
        builder.push(accepted.clone()).unwrap();
        let columns: Vec<u32> = (0..schema.fields.len() as u32).collect();
        let read = builder.finish().unwrap().read(&columns, 0, 3).unwrap();
        schema.accept(&mut accepted).unwrap();
        assert_eq!(accepted, read);
    }

    #[test]
    fn buffers_that_do_not_fit_are_refused() {
        let (schema, mut batch) = batch();
        batch.columns[0].values.pop();
        assert!(matches!(schema.accept(&mut batch), Err(TableError::Length { .. })));
    }
}
