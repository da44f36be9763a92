//! Tables as people and their tools take them away: CSV, Parquet, Arrow, and a few rows on a terminal.
//!
//! The doors are [`export_table`] and [`preview`]. Cells become text in one place, `text`, so that both agree.

mod csv;
mod preview;
mod text;

use std::io::{self, Write};
use std::str::FromStr;

use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use wasmlops_core::table::{Table, TableError};

pub use preview::preview;

/// What a table can be exported as.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// RFC 4180 with a header. Null is an empty field, an empty text is `""`; timestamps are RFC 3339 in UTC, floats
    /// the shortest text that reads back as the same number, bytes are hex digits.
    Csv,
    /// Uncompressed, with the Arrow schema in the file's metadata.
    Parquet,
    /// The artifact's own bytes: an Arrow IPC file.
    Arrow,
}

impl Format {
    pub const ALL: [Format; 3] = [Format::Csv, Format::Parquet, Format::Arrow];

    /// The name, which is also the usual file extension.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Parquet => "parquet",
            Format::Arrow => "arrow",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Parquet => "application/vnd.apache.parquet",
            Format::Arrow => "application/vnd.apache.arrow.file",
        }
    }
}

impl FromStr for Format {
    type Err = ExportError;

    fn from_str(text: &str) -> Result<Self, ExportError> {
        let named = Format::ALL.into_iter().find(|format| format.as_str() == text);
        named.ok_or_else(|| ExportError::Format { found: text.chars().take(100).collect() })
    }
}

/// Why a table was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("`{found}` is not an export format\nhint: known are `csv`, `parquet` and `arrow`")]
    Format { found: String },
    #[error("cannot write the export: {0}")]
    Write(#[from] io::Error),
    #[error("cannot encode the table as Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Writes the whole table to `out`. Equal tables give equal bytes.
///
/// Errors: `out` does not take the bytes. What was written until then is not a whole file.
pub fn export_table(table: &Table, format: Format, out: &mut dyn Write) -> Result<(), ExportError> {
    match format {
        Format::Csv => csv::write(table, out)?,
        Format::Parquet => write_parquet(table, out)?,
        Format::Arrow => out.write_all(&table.to_ipc()?)?,
    }
    Ok(out.flush()?)
}

fn write_parquet(table: &Table, out: &mut dyn Write) -> Result<(), ExportError> {
    // The writer wants to be `Send`, which a borrowed `dyn Write` need not be: encode first, then hand over.
    let properties = WriterProperties::builder().set_created_by("wasmlops".to_owned()).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), table.arrow_schema(), Some(properties))?;
    for batch in table.record_batches() {
        writer.write(batch)?;
    }
    Ok(out.write_all(&writer.into_inner()?)?)
}

#[cfg(test)]
mod tests;
