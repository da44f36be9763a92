//! Which columns of a Parquet file to read.

use schemars::JsonSchema;
use serde::Deserialize;

/// What to read of the file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
pub struct Options {
    /// The columns to read, in this order; nothing else of the file is touched. A column in a group is named with the
    /// group (`address.city`), and a group's name stands for all columns in it. Without it all columns are read.
    #[serde(default)]
    pub columns: Option<Vec<String>>,

    /// Text columns that become `categorical`, by the names they have in the table. Those that the file's writer kept
    /// as categories (pandas, polars, Arrow) become it by themselves.
    #[serde(default)]
    pub categories: Vec<String>,
}
