//! Gathers rows from blocks until they make a batch.

use wasmlops_sdk::prelude::*;

use super::block::Block;
use super::column::{Misfit, Reading};
use super::values::Values;
use crate::problems::BadRow;

/// The contract advises batches of up to 2 MiB.
const BATCH_BYTES: usize = 2 << 20;

/// A batch in the making.
pub struct BatchBuilder<'a> {
    schema: &'a Schema,
    /// Columns that are of the file; one more may say which file.
    width: usize,
    reading: Reading<'a>,
    columns: Vec<Values>,
    rows: usize,
    /// Rows (in the batch) that are to be left out, ascending.
    left_out: Vec<usize>,
}

impl<'a> BatchBuilder<'a> {
    pub fn new(schema: &'a Schema, width: usize, reading: Reading<'a>) -> Self {
        let columns = schema.fields.iter().map(|field| Values::new(field.data_type)).collect();
        Self { schema, width, reading, columns, rows: 0, left_out: Vec::new() }
    }

    /// Takes a block's rows and gives its bad ones, in the order of their lines. `place` says where each column is in
    /// the block.
    pub fn add(&mut self, block: &Block, place: impl Fn(usize) -> usize, file: &str) -> Vec<BadRow> {
        let mut misfits: Vec<Misfit> = Vec::new();
        for (index, (field, column)) in self.schema.fields.iter().zip(&mut self.columns).enumerate() {
            if index < self.width {
                self.reading.append(block, (place(index), field), column, &mut misfits);
            } else {
                (0..block.num_rows()).for_each(|_| column.push_category(file.as_bytes()));
            }
        }
        let mut bad = block.grid.bad.clone();
        if !misfits.is_empty() {
            // Of several misfits in a row the first column's stays, since the sort is stable.
            misfits.sort_by_key(|&(row, _)| row);
            misfits.dedup_by_key(|&mut (row, _)| row);
            self.left_out.extend(misfits.iter().map(|(row, _)| self.rows + row));
            bad.extend(misfits.into_iter().map(|(_, row)| row));
            bad.sort_by_key(|row| row.line);
        }
        self.rows += block.num_rows();
        bad
    }

    pub fn is_full(&self) -> bool {
        self.rows >= wasmlops_sdk::BATCH_ROWS || self.columns.iter().map(Values::bytes).sum::<usize>() >= BATCH_BYTES
    }

    /// The rows taken since the last call.
    pub fn take(&mut self) -> Result<Batch> {
        let mut columns: Vec<Column> = self.columns.iter_mut().map(Values::take).collect::<Result<_>>()?;
        if !self.left_out.is_empty() {
            let good: Vec<usize> = (0..self.rows).filter(|row| self.left_out.binary_search(row).is_err()).collect();
            columns = columns.iter().map(|column| column.take(&good)).collect();
            self.left_out.clear();
        }
        self.rows = 0;
        Ok(Batch::new(columns))
    }
}
