//! Tables: the one kind of data that steps exchange.
//!
//! A [`Table`] is immutable, cheap to clone, and already checked; a [`TableBuilder`] is the only way from foreign
//! buffers to one, and [`Table::from_ipc`] the only way from foreign bytes. [`Batch`] and [`Column`] are the wire
//! layout of the contract's `tables` interface; Arrow arrays stay behind this door, except for
//! [`Table::record_batches`].
//!
//! One table has one encoding: rows lie in chunks of [`CHUNK_ROWS`] however they were pushed, dictionaries hold the
//! texts that occur, in the order in which the rows first show them, nulls hold zeros, and NaN has one bit pattern. So
//! the digest of the bytes is the digest of the data.

mod builder;
mod canonical;
mod check;
mod error;
mod ipc;
mod matrix;
mod read;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;
use std::sync::Arc;

use arrow_array::{RecordBatch, StringArray};
use arrow_schema::{DataType as ArrowType, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};

pub use builder::TableBuilder;
pub use error::TableError;
pub use matrix::Element;

/// Rows in every record batch of a table but the last. Large enough that per-batch work vanishes, small enough that a
/// text column of a chunk stays far from the 2 GiB that 32-bit offsets can address.
pub const CHUNK_ROWS: usize = 65_536;

/// About how many bytes one [`Table::read`] or [`Table::matrix`] gives at the most: bigger buffers cross into a guest
/// at less than half the speed.
pub const READ_BYTES: usize = 2 << 20;

/// The only NaNs that tables hold: quiet, positive, no payload. IEEE 754 leaves the bits open and wasm makes no
/// promise, so this is what makes equal data equal bytes.
const NAN_F64: u64 = 0x7ff8_0000_0000_0000;
const NAN_F32: u32 = 0x7fc0_0000;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataType {
    Bool,
    S64,
    F64,
    F32,
    Utf8,
    Binary,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// Text out of a dictionary.
    Categorical,
}

impl DataType {
    pub fn as_str(self) -> &'static str {
        match self {
            DataType::Bool => "bool",
            DataType::S64 => "s64",
            DataType::F64 => "f64",
            DataType::F32 => "f32",
            DataType::Utf8 => "utf8",
            DataType::Binary => "binary",
            DataType::Timestamp => "timestamp",
            DataType::Categorical => "categorical",
        }
    }

    /// Bytes a row in the values buffer; `None` for bits and for values of different lengths.
    fn width(self) -> Option<usize> {
        match self {
            DataType::S64 | DataType::F64 | DataType::Timestamp => Some(8),
            DataType::F32 | DataType::Categorical => Some(4),
            DataType::Bool | DataType::Utf8 | DataType::Binary => None,
        }
    }

    fn to_arrow(self) -> ArrowType {
        match self {
            DataType::Bool => ArrowType::Boolean,
            DataType::S64 => ArrowType::Int64,
            DataType::F64 => ArrowType::Float64,
            DataType::F32 => ArrowType::Float32,
            DataType::Utf8 => ArrowType::Utf8,
            DataType::Binary => ArrowType::Binary,
            DataType::Timestamp => ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            DataType::Categorical => ArrowType::Dictionary(Box::new(ArrowType::Int32), Box::new(ArrowType::Utf8)),
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A column's name and type.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    pub data_type: DataType,
    /// Whether rows may be null. A column without nulls may still say `true`.
    pub nullable: bool,
}

/// The columns of a table, in order. Made by [`Schema::new`], names are unique and not empty.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "UncheckedSchema")]
pub struct Schema {
    pub fields: Vec<Field>,
}

#[derive(Deserialize)]
struct UncheckedSchema {
    fields: Vec<Field>,
}

impl TryFrom<UncheckedSchema> for Schema {
    type Error = TableError;

    fn try_from(schema: UncheckedSchema) -> Result<Self, TableError> {
        Schema::new(schema.fields)
    }
}

impl Schema {
    /// Errors: a name that is empty or comes twice.
    pub fn new(fields: Vec<Field>) -> Result<Self, TableError> {
        let mut names = std::collections::HashSet::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            if field.name.is_empty() {
                return Err(TableError::EmptyName { index });
            }
            if !names.insert(field.name.as_str()) {
                return Err(TableError::DuplicateName { column: field.name.clone() });
            }
        }
        Ok(Self { fields })
    }

    /// The column of that name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    fn to_arrow(&self) -> SchemaRef {
        let field = |field: &Field| arrow_schema::Field::new(&field.name, field.data_type.to_arrow(), field.nullable);
        Arc::new(arrow_schema::Schema::new(self.fields.iter().map(field).collect::<Vec<_>>()))
    }
}

/// The texts that a categorical column's codes stand for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dictionary {
    /// n + 1 little-endian `i32` offsets into `values`, the first 0.
    pub offsets: Vec<u8>,
    /// The texts, one after the other.
    pub values: Vec<u8>,
}

/// One column of a batch, laid out as the contract's `tables.column` says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Column {
    /// The values of all rows, nulls included.
    pub values: Vec<u8>,
    /// One bit a row, least significant bit first, 1 where there is a value; absent where no row is null.
    pub validity: Option<Vec<u8>>,
    /// `utf8` and `binary` only: rows + 1 little-endian `i32` offsets into `values`, the first 0.
    pub offsets: Option<Vec<u8>>,
    /// `categorical` only.
    pub dictionary: Option<Dictionary>,
}

/// Some rows of a table whose schema both sides know.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    pub num_rows: u64,
    pub columns: Vec<Column>,
}

impl Batch {
    /// Bytes in all buffers.
    pub fn bytes(&self) -> u64 {
        self.columns.iter().map(Column::bytes).sum()
    }
}

impl Column {
    /// Bytes in all buffers.
    pub fn bytes(&self) -> u64 {
        let optional = |buffer: &Option<Vec<u8>>| buffer.as_ref().map_or(0, Vec::len);
        let dictionary = self.dictionary.as_ref().map_or(0, |texts| texts.offsets.len() + texts.values.len());
        (self.values.len() + optional(&self.validity) + optional(&self.offsets) + dictionary) as u64
    }
}

/// An immutable, checked table. Clones share the rows.
#[derive(Clone)]
pub struct Table(Arc<Rows>);

struct Rows {
    schema: Schema,
    arrow_schema: SchemaRef,
    /// [`CHUNK_ROWS`] each but the last, which holds the rest; none for an empty table.
    chunks: Vec<RecordBatch>,
    /// For each categorical column the texts, shared by all chunks.
    dictionaries: Vec<Option<StringArray>>,
    num_rows: usize,
}

impl Table {
    pub fn schema(&self) -> &Schema {
        &self.0.schema
    }

    pub fn num_rows(&self) -> u64 {
        self.0.num_rows as u64
    }

    /// The rows as Arrow record batches: [`CHUNK_ROWS`] each but the last, none for an empty table.
    pub fn record_batches(&self) -> impl Iterator<Item = &RecordBatch> {
        self.0.chunks.iter()
    }

    /// The Arrow schema of [`Table::record_batches`].
    pub fn arrow_schema(&self) -> SchemaRef {
        self.0.arrow_schema.clone()
    }

    /// A table of the columns with these indexes, in this order. Shares the rows; a categorical column keeps its
    /// dictionary, since it keeps all its rows.
    ///
    /// Errors: an index that is no column, a column that is asked for twice, no column of a table that has rows.
    pub fn select(&self, columns: &[u32]) -> Result<Table, TableError> {
        let indexes = self.indexes(columns)?;
        let schema = Schema::new(indexes.iter().map(|&index| self.0.schema.fields[index].clone()).collect())?;
        if indexes.is_empty() && self.0.num_rows > 0 {
            return Err(TableError::NoColumns);
        }
        let project =
            |chunk: &RecordBatch| chunk.project(&indexes).map_err(|error| TableError::Arrow(error.to_string()));
        Ok(Table(Arc::new(Rows {
            arrow_schema: schema.to_arrow(),
            schema,
            chunks: self.0.chunks.iter().map(project).collect::<Result<_, _>>()?,
            dictionaries: indexes.iter().map(|&index| self.0.dictionaries[index].clone()).collect(),
            num_rows: self.0.num_rows,
        })))
    }

    /// Column indexes as they come from outside, checked.
    fn indexes(&self, columns: &[u32]) -> Result<Vec<usize>, TableError> {
        let count = self.0.schema.fields.len();
        columns
            .iter()
            .map(|&column| match column as usize {
                index if index < count => Ok(index),
                _ => Err(TableError::NoSuchColumn { index: column, count }),
            })
            .collect()
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("schema", &self.0.schema).field("num_rows", &self.0.num_rows).finish()
    }
}

/// Equal if schema, rows and dictionaries are.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.schema == other.0.schema && self.0.chunks == other.0.chunks)
    }
}
