//! From foreign buffers to a [`Table`]: checks each batch as a whole, then appends it to chunks of [`CHUNK_ROWS`] rows.
//!
//! Knows the wire layout and Arrow's; does not know who sends. A batch that is refused leaves the builder as it was.

mod column;
mod texts;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use self::column::ColumnBuilder;
use super::{Batch, CHUNK_ROWS, Rows, Schema, Table, TableError, check};

/// Takes batches of one schema and makes a table. How the rows were batched leaves no trace in it.
pub struct TableBuilder {
    schema: Schema,
    columns: Vec<ColumnBuilder>,
    /// Rows in the chunk that is being filled.
    open_rows: usize,
    num_rows: usize,
    bytes: u64,
}

impl TableBuilder {
    /// `schema` as [`Schema::new`] makes it.
    pub fn new(schema: Schema) -> Self {
        let columns = schema.fields.iter().map(|field| ColumnBuilder::new(field.data_type)).collect();
        Self { schema, columns, open_rows: 0, num_rows: 0, bytes: 0 }
    }

    /// Appends rows. NaNs become one bit pattern, values of nulls become zero or empty, and dictionaries become one.
    ///
    /// Errors: buffers that do not fit the schema, each with the column at fault; nothing was appended then.
    pub fn push(&mut self, batch: Batch) -> Result<(), TableError> {
        let known = |index: usize, dictionary: &_| self.columns[index].knows(dictionary);
        check::batch(&self.schema, &batch, known)?;
        let rows = batch.num_rows as usize;
        let first = rows.min(CHUNK_ROWS - self.open_rows);
        for ((field, builder), column) in self.schema.fields.iter().zip(&self.columns).zip(&batch.columns) {
            builder
                .has_room(column, first)
                .map_err(|what| TableError::TooLarge { column: field.name.clone(), what })?;
        }

        let mut start = 0;
        while start < rows {
            let end = rows.min(start + CHUNK_ROWS - self.open_rows);
            for (builder, column) in self.columns.iter_mut().zip(&batch.columns) {
                self.bytes += builder.append(column, start..end);
            }
            self.open_rows += end - start;
            self.num_rows += end - start;
            start = end;
            if self.open_rows == CHUNK_ROWS {
                self.close_chunk();
            }
        }
        Ok(())
    }

    /// Bytes that the rows take so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn num_rows(&self) -> u64 {
        self.num_rows as u64
    }

    /// Errors: none but bugs.
    pub fn finish(mut self) -> Result<Table, TableError> {
        if self.open_rows > 0 {
            self.close_chunk();
        }
        let arrow_schema = self.schema.to_arrow();
        let count = self.num_rows.div_ceil(CHUNK_ROWS);
        let (columns, dictionaries): (Vec<_>, Vec<_>) =
            self.columns.into_iter().map(ColumnBuilder::finish).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        let chunk = |index: usize| chunk(&arrow_schema, columns.iter().map(|chunks| chunks[index].clone()).collect());
        let chunks = (0..count).map(chunk).collect::<Result<_, _>>()?;
        Ok(Table(Arc::new(Rows { schema: self.schema, arrow_schema, chunks, dictionaries, num_rows: self.num_rows })))
    }

    fn close_chunk(&mut self) {
        self.columns.iter_mut().for_each(ColumnBuilder::close_chunk);
        self.open_rows = 0;
    }
}

fn chunk(schema: &SchemaRef, columns: Vec<arrow_array::ArrayRef>) -> Result<RecordBatch, TableError> {
    RecordBatch::try_new(schema.clone(), columns).map_err(|error| TableError::Arrow(error.to_string()))
}
