//! A table that is held whole: columns with their names. Verbs turn frames into frames.

use std::rc::Rc;

use wasmlops_sdk::BATCH_ROWS;
use wasmlops_sdk::prelude::*;

/// Columns are shared between frames: a verb copies only what it changes.
#[derive(Clone)]
pub struct Frame {
    pub schema: Schema,
    pub columns: Vec<Rc<Column>>,
    pub num_rows: usize,
}

impl Frame {
    pub fn read(table: &Table) -> Result<Self> {
        let all: Vec<usize> = (0..table.schema().fields.len()).collect();
        let columns = table.columns(&all)?.into_iter().map(Rc::new).collect();
        Ok(Self { schema: table.schema().clone(), columns, num_rows: table.num_rows() })
    }

    /// Starts the writer and writes all rows.
    pub fn write(&self, writer: &mut TableWriter) -> Result<()> {
        writer.start(&self.schema)?;
        let mut first = 0;
        while first < self.num_rows {
            let end = self.num_rows.min(first + BATCH_ROWS);
            let rows: Vec<usize> = (first..end).collect();
            let columns = self.columns.iter().map(|column| column.take(&rows)).collect();
            writer.write(Batch { num_rows: rows.len(), columns })?;
            progress::update(end as u64, Some(self.num_rows as u64), "rows written");
            first = end;
        }
        Ok(())
    }

    /// The rows with these indexes, in this order.
    pub fn take(self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| Rc::new(column.take(rows))).collect();
        Self { schema: self.schema, columns, num_rows: rows.len() }
    }

    pub fn columns_at(&self, indexes: &[usize]) -> Vec<&Column> {
        indexes.iter().map(|&index| &*self.columns[index]).collect()
    }

    /// Adds a column, or puts it in the place of the one with its name.
    pub fn put(&mut self, field: Field, column: Rc<Column>) {
        match self.schema.index_of(&field.name) {
            Some(index) => {
                self.schema.fields[index] = field;
                self.columns[index] = column;
            }
            None => {
                self.schema.fields.push(field);
                self.columns.push(column);
            }
        }
    }
}

/// The place that stands for no row at all in [`take_or_null`].
pub const NO_ROW: usize = usize::MAX;

/// The rows with these indexes; null where the index is [`NO_ROW`].
pub fn take_or_null(column: &Column, rows: &[usize]) -> Column {
    if !rows.contains(&NO_ROW) {
        return column.take(rows);
    }
    let mut null = ColumnBuilder::new(column.data_type());
    null.push_null();
    let with_null = Column::concat(column.data_type(), &[column.clone(), null.finish()]);
    let rows: Vec<usize> = rows.iter().map(|&row| row.min(column.len())).collect();
    with_null.take(&rows)
}

/// The schema with a field added, or put in the place of the one with its name.
pub fn put_field(schema: &mut Schema, field: Field) {
    match schema.index_of(&field.name) {
        Some(index) => schema.fields[index] = field,
        None => schema.fields.push(field),
    }
}
