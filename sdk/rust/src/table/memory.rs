//! Tables without a host, for native tests.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Batch, Table};
use crate::column::Column;
use crate::error::{Error, Result};
use crate::schema::{Field, Schema};

/// A table in memory.
pub(super) struct MemoryTable {
    pub(super) schema: Schema,
    columns: Vec<Column>,
}

impl MemoryTable {
    pub(super) fn new(schema: Schema) -> Result<Self> {
        for (index, name) in schema.names().enumerate() {
            if name.is_empty() || schema.index_of(name) != Some(index) {
                return Err(Error::invalid_input(format!("the column name `{name}` is empty or comes twice")));
            }
        }
        let columns = schema.fields.iter().map(|field| Column::concat(field.data_type, &[])).collect();
        Ok(Self { schema, columns })
    }

    pub(super) fn from_columns<'a>(columns: impl IntoIterator<Item = (&'a str, Column)>) -> Self {
        let (fields, columns): (_, Vec<Column>) = columns
            .into_iter()
            .map(|(name, column)| (Field::new(name, column.data_type(), column.null_count() > 0), column))
            .unzip();
        Self { schema: Schema::new(fields), columns }
    }

    pub(super) fn num_rows(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    pub(super) fn read(&self, columns: &[usize], offset: usize, limit: usize) -> Batch {
        let end = self.num_rows().min(offset.saturating_add(limit));
        let rows: Vec<usize> = (offset.min(end)..end).collect();
        let columns = columns.iter().map(|&index| self.columns[index].take(&rows)).collect();
        Batch { num_rows: rows.len(), columns }
    }

    pub(super) fn matrix(&self, columns: &[usize]) -> Result<Vec<f64>> {
        let numbers = |&index: &usize| {
            let name = &self.schema.fields[index].name;
            let text = || Error::invalid_input(format!("column `{name}` holds no numbers"));
            self.columns[index].numbers().ok_or_else(text)
        };
        let columns: Vec<Vec<f64>> = columns.iter().map(numbers).collect::<Result<_>>()?;
        Ok((0..self.num_rows()).flat_map(|row| columns.iter().map(move |column| column[row])).collect())
    }

    /// Checks what the host would check.
    pub(super) fn push(&mut self, batch: Batch) -> Result<()> {
        if batch.columns.len() != self.columns.len() {
            let (given, wanted) = (batch.columns.len(), self.columns.len());
            return Err(Error::invalid_input(format!("a batch of {given} columns for a table of {wanted}")));
        }
        for (column, field) in batch.columns.iter().zip(&self.schema.fields) {
            let fits = column.data_type() == field.data_type
                && column.len() == batch.num_rows
                && (field.nullable || column.null_count() == 0);
            if !fits {
                let name = &field.name;
                return Err(Error::invalid_input(format!("column `{name}` does not fit its type, length or nulls")));
            }
        }
        for (column, more) in self.columns.iter_mut().zip(batch.columns) {
            *column = Column::concat(more.data_type(), &[column.clone(), more]);
        }
        Ok(())
    }
}

/// What a writer in memory has written.
pub struct Written(Rc<RefCell<Option<MemoryTable>>>);

impl Written {
    pub(super) fn new(table: Rc<RefCell<Option<MemoryTable>>>) -> Self {
        Self(table)
    }

    /// The table, if it was started.
    pub fn into_table(self) -> Option<Table> {
        self.0.borrow_mut().take().map(Table::from_memory)
    }
}
