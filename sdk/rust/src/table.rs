//! Tables as plugins read and write them: of the host inside the sandbox, in memory in native tests.

mod memory;
mod rows;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use crate::bindings::host::wasmlops::plugin::tables as wire;
use crate::column::Column;
use crate::error::{Error, Result};
use crate::schema::Schema;

use memory::MemoryTable;
pub use memory::Written;

/// Rows that are asked for at once. The host may give fewer, to stay within its bound of bytes.
pub const BATCH_ROWS: usize = 8192;

/// Rows of a table, column by column.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub num_rows: usize,
    pub columns: Vec<Column>,
}

impl Batch {
    /// Columns of equal length.
    pub fn new(columns: Vec<Column>) -> Self {
        Self { num_rows: columns.first().map_or(0, Column::len), columns }
    }

    pub(crate) fn from_wire(schema: &Schema, columns: &[usize], batch: wire::Batch) -> Self {
        let num_rows = usize::try_from(batch.num_rows).expect("a batch fits the memory it lies in");
        let column = |(column, &index): (wire::Column, &usize)| {
            Column::from_wire(schema.fields[index].data_type, num_rows, column)
        };
        Self { num_rows, columns: batch.columns.into_iter().zip(columns).map(column).collect() }
    }

    pub(crate) fn into_wire(self) -> wire::Batch {
        wire::Batch {
            num_rows: self.num_rows as u64,
            columns: self.columns.into_iter().map(Column::into_wire).collect(),
        }
    }
}

/// A dense matrix of `rows` × `columns`, row after row; a null is NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    pub values: Vec<f64>,
}

impl Matrix {
    /// One row: `columns` values.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }
}

/// A table to read.
pub struct Table {
    schema: Schema,
    num_rows: usize,
    source: Source,
}

/// The columns and the number of rows; no values.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("schema", &self.schema).field("num_rows", &self.num_rows).finish_non_exhaustive()
    }
}

enum Source {
    Host(wire::Table),
    Memory(MemoryTable),
}

impl Table {
    /// A table in memory, for native tests.
    pub fn from_columns<'a>(columns: impl IntoIterator<Item = (&'a str, Column)>) -> Self {
        Self::from_memory(MemoryTable::from_columns(columns))
    }

    fn from_memory(table: MemoryTable) -> Self {
        Self { schema: table.schema.clone(), num_rows: table.num_rows(), source: Source::Memory(table) }
    }

    pub(crate) fn from_host(table: wire::Table) -> Self {
        let num_rows = usize::try_from(table.num_rows()).unwrap_or(usize::MAX);
        Self { schema: Schema::from_wire(table.schema()), num_rows, source: Source::Host(table) }
    }

    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    pub fn num_rows(&self) -> usize {
        self.num_rows
    }

    /// Up to `limit` rows from `offset` of the columns with these indexes. Fewer may come; none at the end.
    pub fn read(&self, columns: &[usize], offset: usize, limit: usize) -> Result<Batch> {
        match &self.source {
            Source::Memory(table) => Ok(table.read(columns, offset, limit)),
            Source::Host(table) => {
                let batch = table.read(&indexes(columns), offset as u64, limit as u64)?;
                Ok(Batch::from_wire(&self.schema, columns, batch))
            }
        }
    }

    /// All rows of the columns with these indexes, batch by batch.
    pub fn batches<'a>(&'a self, columns: &'a [usize]) -> impl Iterator<Item = Result<Batch>> + 'a {
        let mut offset = 0;
        std::iter::from_fn(move || {
            if offset >= self.num_rows {
                return None;
            }
            let batch = self.read(columns, offset, BATCH_ROWS);
            // An error ends the iteration, as does a host that gives nothing.
            offset = match &batch {
                Ok(batch) if batch.num_rows > 0 => offset + batch.num_rows,
                _ => self.num_rows,
            };
            Some(batch)
        })
    }

    /// All rows of the columns with these indexes, whole.
    pub fn columns(&self, columns: &[usize]) -> Result<Vec<Column>> {
        let mut parts: Vec<Vec<Column>> = columns.iter().map(|_| Vec::new()).collect();
        for batch in self.batches(columns) {
            for (part, column) in parts.iter_mut().zip(batch?.columns) {
                part.push(column);
            }
        }
        let types = columns.iter().map(|&index| self.schema.fields[index].data_type);
        Ok(parts.iter().zip(types).map(|(part, data_type)| Column::concat(data_type, part)).collect())
    }

    /// One column, whole.
    pub fn column(&self, column: usize) -> Result<Column> {
        let mut columns = self.columns(&[column])?;
        columns.pop().ok_or_else(|| Error::internal("the host gave no column"))
    }

    /// All rows of numeric columns as one matrix.
    pub fn matrix(&self, columns: &[usize]) -> Result<Matrix> {
        let mut values = Vec::with_capacity(self.num_rows * columns.len());
        match &self.source {
            Source::Memory(table) => values = table.matrix(columns)?,
            Source::Host(table) => {
                let indexes = indexes(columns);
                while values.len() < self.num_rows * columns.len() {
                    let offset = values.len() / columns.len();
                    let bytes = table.matrix(&indexes, offset as u64, self.num_rows as u64, wire::Element::F64)?;
                    if bytes.is_empty() {
                        return Err(Error::internal("the host gave fewer rows than the table has"));
                    }
                    let (elements, _) = bytes.as_chunks::<8>();
                    values.extend(elements.iter().map(|element| f64::from_le_bytes(*element)));
                }
            }
        }
        Ok(Matrix { rows: self.num_rows, columns: columns.len(), values })
    }
}

fn indexes(columns: &[usize]) -> Vec<u32> {
    columns.iter().map(|&index| u32::try_from(index).unwrap_or(u32::MAX)).collect()
}

/// A table to write: say the columns, then write batches.
pub struct TableWriter {
    target: Target,
}

enum Target {
    Host(wire::TableWriter),
    Memory(Rc<RefCell<Option<MemoryTable>>>),
}

impl TableWriter {
    /// A writer into memory, for native tests, and the door to what it will have written.
    pub fn memory() -> (Self, Written) {
        let table = Rc::new(RefCell::new(None));
        (Self { target: Target::Memory(table.clone()) }, Written::new(table))
    }

    pub(crate) fn from_host(writer: wire::TableWriter) -> Self {
        Self { target: Target::Host(writer) }
    }

    /// Says the columns; once, before the first batch.
    pub fn start(&mut self, schema: &Schema) -> Result<()> {
        match &self.target {
            Target::Host(writer) => Ok(writer.start(&schema.to_wire())?),
            Target::Memory(table) => {
                let started = table.borrow_mut().replace(MemoryTable::new(schema.clone())?);
                if started.is_some() { Err(Error::invalid_input("the table was started twice")) } else { Ok(()) }
            }
        }
    }

    /// Appends rows; about [`BATCH_ROWS`] at a time cross fastest.
    pub fn write(&mut self, batch: Batch) -> Result<()> {
        match &self.target {
            Target::Host(writer) => Ok(writer.write(&batch.into_wire())?),
            Target::Memory(table) => match table.borrow_mut().as_mut() {
                Some(table) => table.push(batch),
                None => Err(Error::invalid_input("a batch was written before the table was started")),
            },
        }
    }
}
