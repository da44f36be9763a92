//! Why buffers or bytes are no table.

use super::DataType;

/// Each names the column at fault. What comes from a guest is `invalid-input` at its door.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TableError {
    #[error("column {index} has no name\nhint: every column needs a name")]
    EmptyName { index: usize },
    #[error("column `{column}` comes twice\nhint: names are unique within a table")]
    DuplicateName { column: String },
    #[error("column index {index} is outside the table, which has {count} columns")]
    NoSuchColumn { index: u32, count: usize },
    #[error("a table without columns cannot hold rows\nhint: keep at least one column")]
    NoColumns,
    #[error("batch has {found} columns, and the schema {expected}\nhint: send every column with each batch")]
    ColumnCount { expected: usize, found: usize },
    #[error("column `{column}`: {what} of {rows} rows must have {expected} bytes, found {found}")]
    Length { column: String, what: &'static str, rows: u64, expected: u128, found: usize },
    #[error("column `{column}` of type {data_type} has no {what}")]
    Missing { column: String, data_type: DataType, what: &'static str },
    #[error("column `{column}` of type {data_type} has {what}, which that type does not use")]
    Unexpected { column: String, data_type: DataType, what: &'static str },
    #[error(
        "column `{column}`: {what} must start at 0, never fall and end within {length} bytes; entry {index} does not"
    )]
    Offsets { column: String, what: &'static str, index: usize, length: usize },
    #[error("column `{column}`: {what} is not UTF-8 at entry {index}\nhint: use `binary` for bytes that are no text")]
    Utf8 { column: String, what: &'static str, index: usize },
    #[error("column `{column}`: row {row} has code {code}, and the dictionary holds {texts} texts")]
    Code { column: String, row: usize, code: i32, texts: usize },
    #[error("column `{column}`: dictionary holds `{text}` twice")]
    DuplicateText { column: String, text: String },
    #[error("column `{column}`: row {row} is null\nhint: declare the column nullable, or fill its nulls")]
    Null { column: String, row: usize },
    #[error("column `{column}` has more than 2 GiB of {what}\nhint: keep long values in blobs, not in tables")]
    TooLarge { column: String, what: &'static str },
    #[error("column `{column}` of type {data_type} holds no numbers\nhint: encode it as numbers first")]
    NotNumeric { column: String, data_type: DataType },
    #[error("file is not a table: {reason}")]
    Ipc { reason: String },
    #[error("file is not a table: column `{column}` {reason}")]
    IpcColumn { column: String, reason: String },
    /// A bug: buffers that were checked did not make a table.
    #[error("checked buffers make no table, which is a bug: {0}")]
    Arrow(String),
}
