//! How JSON is read.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{BadRows, ColumnType};

/// How the file is read.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
pub struct Options {
    /// The types of columns, by name (`address.city` for a key in an object). A value that does not fit makes its row a
    /// bad one; a column that no row has is null.
    #[serde(default)]
    pub columns: BTreeMap<String, ColumnType>,

    /// What becomes of keys that `columns` does not declare.
    #[serde(default)]
    pub undeclared: Undeclared,

    /// How many levels of objects become columns of their own: `{"a": {"b": 1}}` is the column `a.b`. What is deeper is
    /// kept as JSON text. 0: every object is text.
    #[serde(default = "usual_depth")]
    #[schemars(range(max = 64))]
    pub flatten: u8,

    /// What becomes of arrays in a row.
    #[serde(default)]
    pub arrays: Arrays,

    /// What becomes of rows that cannot be read: a line that is no JSON object, a key that comes twice, a value that
    /// does not fit its declared type, bytes that are not UTF-8.
    #[serde(default)]
    pub bad_rows: BadRows,

    /// With `bad_rows: skip`: the most rows that may be skipped. Without it there is no bound.
    #[serde(default)]
    pub max_bad_rows: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            columns: BTreeMap::new(),
            undeclared: Undeclared::default(),
            flatten: usual_depth(),
            arrays: Arrays::default(),
            bad_rows: BadRows::default(),
            max_bad_rows: None,
        }
    }
}

/// What becomes of keys without a declared type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Undeclared {
    /// All of the file's values decide: `bool`, `s64`, `f64`, `timestamp`, otherwise `utf8`. The file is read twice.
    #[default]
    Infer,
    /// They are left out.
    Ignore,
    /// They make their row a bad one.
    Refuse,
}

/// What becomes of arrays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Arrays {
    /// They are kept as JSON text.
    #[default]
    Text,
    /// They make their row a bad one.
    Refuse,
}

fn usual_depth() -> u8 {
    8
}
