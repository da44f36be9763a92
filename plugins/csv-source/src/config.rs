//! What users write under `with`. The doc comments are the descriptions they see.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// Which CSV file to read, and how.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The file, as it lies in the project. The step must be granted it.
    #[schemars(extend("x-wasmlops-path" = "read"))]
    pub path: String,

    /// What stands between two cells: one ASCII character, `"\t"` for a tab.
    #[serde(default = "comma")]
    pub delimiter: char,

    /// What stands around a cell that holds delimiters, line ends or quotes (which are then doubled); `null` if nothing
    /// does and quotes are ordinary characters.
    #[serde(default = "double_quote")]
    pub quote: Option<char>,

    /// Whether the first line holds the names of the columns. Otherwise they are `column_1`, `column_2` and so on.
    #[serde(default = "yes")]
    pub header: bool,

    /// The types of columns, by name. A value that does not fit makes its row a bad one.
    #[serde(default)]
    pub columns: BTreeMap<String, ColumnType>,

    /// What becomes of columns that `columns` does not declare.
    #[serde(default)]
    pub undeclared: Undeclared,

    /// Cells that mean null. In a text column only where they stand without quotes: `""` in quotes is an empty text.
    #[serde(default = "usual_nulls")]
    pub nulls: Vec<String>,

    /// Whether blanks around cells without quotes are taken away in text columns, too. Around numbers, times and truth
    /// values they never count.
    #[serde(default)]
    pub trim: bool,

    /// What becomes of rows that cannot be read: another number of cells than the header has, a value that does not fit
    /// its declared type, text after a closing quote, bytes that are not UTF-8.
    #[serde(default)]
    pub bad_rows: BadRows,

    /// With `bad_rows: skip`: the most rows that may be skipped. Without it there is no bound.
    #[serde(default)]
    pub max_bad_rows: Option<u64>,
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

fn comma() -> char {
    ','
}

fn double_quote() -> Option<char> {
    Some('"')
}

fn yes() -> bool {
    true
}

fn usual_nulls() -> Vec<String> {
    ["", "NA", "N/A", "null", "NULL", "NaN", "nan"].map(str::to_owned).to_vec()
}
