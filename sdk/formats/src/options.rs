//! What users write to say how bytes are read. The doc comments are the descriptions they see.
//!
//! A plugin's configuration flattens or nests these; only the outermost struct denies unknown fields.

pub mod csv;
pub mod json;
pub mod parquet;

use schemars::JsonSchema;
use serde::Deserialize;
use wasmlops_sdk::DataType;

/// Which files to read.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
pub struct Files {
    /// The file, as it lies in the project, or a pattern for many: `*` stands for any part of a name, `?` for one
    /// character, `**` for any number of folders (`data/2026-*.csv`, `data/**/*.csv.gz`). Files are read in the order
    /// of their names into one table. The step must be granted them. gzip and zstd are recognised by the content.
    #[schemars(extend("x-wasmlops-path" = "read"))]
    pub path: String,

    /// The name of a column to be added, which says for each row which file it is from. Without it there is none.
    #[serde(default)]
    pub file_column: Option<String>,
}

/// The type of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// `true`, `false`, `yes`, `no`, `1`, `0`, in upper or lower case.
    Bool,
    /// A whole number of 64 bits.
    S64,
    /// A number.
    F64,
    /// A number of half the size and precision.
    F32,
    /// Text.
    Utf8,
    /// RFC 3339, or `YYYY-MM-DD`, or `YYYY-MM-DD HH:MM[:SS[.ffffff]]`; UTC where no offset is given.
    Timestamp,
    /// Text from a small set of values.
    Categorical,
}

impl ColumnType {
    pub fn data_type(self) -> DataType {
        match self {
            ColumnType::Bool => DataType::Bool,
            ColumnType::S64 => DataType::S64,
            ColumnType::F64 => DataType::F64,
            ColumnType::F32 => DataType::F32,
            ColumnType::Utf8 => DataType::Utf8,
            ColumnType::Timestamp => DataType::Timestamp,
            ColumnType::Categorical => DataType::Categorical,
        }
    }
}

/// What becomes of columns without a declared type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Undeclared {
    /// All of the file's values decide: `bool`, `s64`, `f64`, `timestamp`, otherwise `utf8`.
    #[default]
    Infer,
    /// They are `utf8`.
    Text,
    /// They are an error.
    Refuse,
}

/// What becomes of rows that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BadRows {
    /// The step fails and names the first ten.
    #[default]
    Fail,
    /// They are left out, counted, and the first hundred named in the report.
    Skip,
}
