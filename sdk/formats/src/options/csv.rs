//! How CSV is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{BadRows, ColumnType, Undeclared};

/// How the file is written.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
pub struct Options {
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
