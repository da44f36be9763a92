//! Gathers rows from blocks until they make a batch.

use wasmlops_sdk::prelude::*;

use crate::block::{BadRow, Block};
use crate::column::{Misfit, Reading};

/// The contract advises batches of up to 2 MiB.
const BATCH_BYTES: usize = 2 << 20;

/// A batch in the making.
pub struct BatchBuilder<'a> {
    schema: &'a Schema,
    reading: Reading<'a>,
    columns: Vec<ColumnBuilder>,
    rows: usize,
    /// Rows (in the batch) that are to be left out, ascending.
    left_out: Vec<usize>,
}

impl<'a> BatchBuilder<'a> {
    pub fn new(schema: &'a Schema, reading: Reading<'a>) -> Self {
        Self { schema, reading, columns: empty(schema), rows: 0, left_out: Vec::new() }
    }

    /// Takes a block's rows and gives its bad ones, in the order of their lines.
    pub fn add(&mut self, block: &Block) -> Vec<BadRow> {
        let mut misfits: Vec<Misfit> = Vec::new();
        for (field, column) in self.schema.fields.iter().enumerate().zip(&mut self.columns) {
            self.reading.append(block, field, column, &mut misfits);
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
        self.rows >= wasmlops_sdk::BATCH_ROWS
            || self.columns.iter().map(ColumnBuilder::bytes).sum::<usize>() >= BATCH_BYTES
    }

    /// The rows taken since the last call.
    pub fn take(&mut self) -> Batch {
        let columns = std::mem::replace(&mut self.columns, empty(self.schema));
        let mut columns: Vec<Column> = columns.into_iter().map(ColumnBuilder::finish).collect();
        if !self.left_out.is_empty() {
            let good: Vec<usize> = (0..self.rows).filter(|row| self.left_out.binary_search(row).is_err()).collect();
            columns = columns.iter().map(|column| column.take(&good)).collect();
            self.left_out.clear();
        }
        self.rows = 0;
        Batch::new(columns)
    }
}

fn empty(schema: &Schema) -> Vec<ColumnBuilder> {
    schema.fields.iter().map(|field| ColumnBuilder::new(field.data_type)).collect()
}
