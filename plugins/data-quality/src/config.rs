//! What users write under `with`. The doc comments are the descriptions they see. Compiled into the build script too,
//! so it knows serde and schemars alone.

use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// What the rows of a table must fulfil.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The expectations. All are looked at, and all that fail are reported.
    #[schemars(length(min = 1))]
    pub rules: Vec<Rule>,
}

/// What the rows of a window must fulfil, when the plugin is a monitor.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WindowConfig {
    /// The expectations, as of a table; `"*"` means the columns that go into the model.
    pub rules: Vec<Rule>,

    /// What is learned from the reference: how much is missing, ranges, and texts. `null`: nothing.
    pub learn: Option<Learn>,
}

impl Default for WindowConfig {
    fn default() -> Self {
        Self { rules: Vec::new(), learn: Some(Learn::default()) }
    }
}

/// What a window must have in common with its reference.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Learn {
    /// The columns to learn from. Default: those that go into the model.
    pub columns: Option<Vec<String>>,

    /// Columns not to learn from.
    pub exclude: Vec<String>,

    /// Which share of the window's values may be outside of what was learned, and by how much the share of missing
    /// values may exceed the reference's. New rows go a little beyond old ones by chance.
    #[schemars(range(min = 0, max = 1))]
    pub tolerance: f64,

    /// Windows with fewer rows are not judged by what was learned.
    #[schemars(range(min = 1))]
    pub min_rows: u64,
}

impl Default for Learn {
    fn default() -> Self {
        // Of n values one in n + 1 is expected above the greatest of n others, and one below the least: 0.05 leaves
        // room.
        Self { columns: None, exclude: Vec::new(), tolerance: 0.05, min_rows: 30 }
    }
}

/// One or more expectations of one column (named by `column`), or of the table.
///
/// Missing values, which are null and NaN, break `no_nulls` and `max_null_fraction`; the other expectations pass over
/// them, but for `unique`.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
#[schemars(extend("dependentRequired" = {
    "between": ["column"], "min": ["column"], "max": ["column"], "allowed": ["column"], "type": ["column"],
    "max_null_fraction": ["column"], "mean_between": ["column"], "min_distinct": ["column"],
    "max_distinct": ["column"], "fresh_within": ["column"], "exact": ["schema"]
}))]
pub struct Rule {
    /// The column that the rule is about.
    pub column: Option<String>,

    /// Whether a failure fails the step (`error`) or is only reported (`warning`).
    pub severity: Severity,

    /// Every value of `column` is at least the first and at most the second number.
    pub between: Option<[f64; 2]>,

    /// Every value of `column` is at least this number.
    pub min: Option<f64>,

    /// Every value of `column` is at most this number.
    pub max: Option<f64>,

    /// Every value of `column` is one of these. Values are compared as text, so that `1` and `"1"` are the same.
    #[schemars(length(min = 1))]
    pub allowed: Option<Vec<Scalar>>,

    /// `column` has this type.
    #[serde(rename = "type")]
    pub data_type: Option<ColumnType>,

    /// At most this part of the values of `column` is missing, from 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub max_null_fraction: Option<f64>,

    /// The mean of `column` is at least the first and at most the second number.
    pub mean_between: Option<[f64; 2]>,

    /// `column` has at least this many different values.
    pub min_distinct: Option<u64>,

    /// `column` has at most this many different values.
    pub max_distinct: Option<u64>,

    /// The newest value of the timestamps in `column` is at most this much older than the run's nominal time: a number
    /// and a unit, such as `90s`, `30m`, `12h` or `7d`.
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"))]
    pub fresh_within: Option<String>,

    /// These columns have no missing values: a name, a list of names, or `"*"` for all columns.
    pub no_nulls: Option<Columns>,

    /// No value comes twice: a column's name; a list of names, whose values together come only once; or `"*"` for whole
    /// rows. A missing value counts as a value here.
    pub unique: Option<Columns>,

    /// How many rows the table has. Without such a rule it must have at least one.
    pub rows: Option<RowRange>,

    /// The table has these columns with these types, in any order.
    pub schema: Option<BTreeMap<String, ColumnType>>,

    /// Whether `schema` names all columns, so that any other is a failure.
    pub exact: Option<bool>,
}

/// How much a failure matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline, extend("type" = "string", "default" = "error"))]
pub enum Severity {
    /// Fails the step.
    #[default]
    Error,
    /// Is reported, and fails nothing.
    Warning,
}

/// How many rows a table may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct RowRange {
    /// At least this many.
    pub min: Option<u64>,
    /// At most this many.
    pub max: Option<u64>,
}

/// A column's type, by the name that the contract has for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum ColumnType {
    Bool,
    S64,
    F64,
    F32,
    Utf8,
    Binary,
    Timestamp,
    Categorical,
}

/// One name, `*` for all, or a list of names.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
pub enum Columns {
    One(String),
    Many(Vec<String>),
}

/// Written by hand: a union of forms would be explained as "fits none of them", this one says what is wrong.
impl JsonSchema for Columns {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Columns".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "array"], "items": { "type": "string" }, "minItems": 1, "uniqueItems": true })
    }
}

/// A value as YAML writes it.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Bool(value) => value.fmt(f),
            Scalar::Whole(value) => value.fmt(f),
            Scalar::Number(value) => value.fmt(f),
            Scalar::Text(value) => value.fmt(f),
        }
    }
}

impl JsonSchema for Scalar {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scalar".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}
