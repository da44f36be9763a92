//! What users write under `with`. The doc comments are the descriptions they see.

use schemars::JsonSchema;
use serde::Deserialize;

/// Verbs that are applied to the input `table`, one after the other.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The verbs in order. Each is an object with one key, the verb's name.
    #[serde(rename = "do")]
    #[schemars(length(min = 1))]
    pub verbs: Vec<Verb>,
}

/// One verb: exactly one of these keys.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Verb {
    /// The columns to keep, in this order; they can be renamed and computed.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub select: Option<Vec<Selected>>,
    /// The columns to leave out.
    #[serde(default)]
    pub drop: Option<Vec<String>>,
    /// Keeps the rows for which this CEL expression over the columns is true.
    #[serde(default)]
    pub filter: Option<String>,
    /// Adds columns that are computed from others, or replaces them.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub derive: Option<Vec<Derived>>,
    /// Puts columns of another table beside those of rows with the same key.
    #[serde(default)]
    pub join: Option<Join>,
    /// Puts beside each row the latest row of another table that was known at this row's time.
    #[serde(default)]
    pub point_in_time_join: Option<PointInTimeJoin>,
    /// One row for each key, with values computed from all its rows.
    #[serde(default)]
    pub aggregate: Option<Aggregate>,
    /// Adds to each row values computed from earlier rows of the same key.
    #[serde(default)]
    pub window: Option<Window>,
    /// Orders the rows; equal rows keep their order, nulls come last.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub sort: Option<Vec<SortKey>>,
    /// Keeps one row of those that are equal.
    #[serde(default)]
    pub distinct: Option<Distinct>,
    /// Keeps the first rows, this many at most.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// A column to keep.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Selected {
    /// A column under its name.
    Column(String),
    /// A column under another name.
    Renamed(Renamed),
    /// A computed column.
    Derived(Derived),
}

/// A column under another name.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renamed {
    /// The column's name so far.
    pub column: String,
    /// Its new name.
    #[serde(rename = "as")]
    pub name: String,
}

/// A computed column.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// A CEL expression over the columns of the row.
    pub value: String,
    /// The name of the column.
    #[serde(rename = "as")]
    pub name: String,
}

/// How to join with another table.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The input that holds the other table.
    pub with: String,
    /// The columns that make the key.
    #[schemars(length(min = 1))]
    pub on: Vec<String>,
    /// The names of the key's columns in the other table, where they differ.
    #[serde(default)]
    pub right_on: Option<Vec<String>>,
    /// Which rows come out.
    #[serde(default)]
    pub how: How,
    /// What is added to names of the other table's columns that are taken already.
    #[serde(default = "right")]
    pub suffix: String,
    /// Whether a key that stands in several rows of the other table is an error.
    #[serde(default)]
    pub unique: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Rows with a partner, once for each partner.
    #[default]
    Inner,
    /// All rows; those without a partner with nulls.
    Left,
    /// Rows with a partner, once, without the other table's columns.
    Semi,
    /// Rows without a partner.
    Anti,
}

/// How to join with what was known at a time.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointInTimeJoin {
    /// The input that holds the other table.
    pub with: String,
    /// The columns that make the key. Without them every row looks at the whole other table.
    #[serde(default)]
    pub by: Vec<String>,
    /// The names of the key's columns in the other table, where they differ.
    #[serde(default)]
    pub right_by: Option<Vec<String>>,
    /// The column with this row's time: a timestamp or a number.
    pub time: String,
    /// The column with the time at which the other table's row was known, where its name differs.
    #[serde(default)]
    pub right_time: Option<String>,
    /// How old the other row may be: `7d`, `12h`, `30m`, `45s` or `500ms` for timestamps, otherwise a number.
    #[serde(default)]
    pub tolerance: Option<Span>,
    /// Whether the other row must be from before this row's time, not from that very time.
    #[serde(default)]
    pub strictly_before: bool,
    /// What is added to names of the other table's columns that are taken already.
    #[serde(default = "right")]
    pub suffix: String,
}

/// A distance in time: text such as `7d` for timestamps, otherwise a number.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Span {
    /// A whole number with `d`, `h`, `m`, `s` or `ms`.
    Text(String),
    /// A distance in the unit of the column.
    Number(f64),
}

/// One row for each key.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// The columns that make the key; without them all rows are one group.
    #[serde(default)]
    pub by: Vec<String>,
    /// The values to compute.
    #[serde(default)]
    pub columns: Vec<Measure>,
}

/// A value that is computed from several rows.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// What to compute. All but `count` without a column pass over nulls.
    pub function: Function,
    /// The column to compute it from; `count` without one counts rows.
    #[serde(default)]
    pub column: Option<String>,
    /// For `quantile`: between 0 and 1.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub at: Option<f64>,
    /// The name of the result; otherwise `<column>_<function>`, or `count`.
    #[serde(default, rename = "as")]
    pub name: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// How many values there are.
    Count,
    /// Their sum; 0 of none.
    Sum,
    /// Their mean.
    Mean,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The middle one, or the mean of the two in the middle.
    Median,
    /// The sample's standard deviation (n - 1); null of fewer than two.
    Std,
    /// The first value.
    First,
    /// The last value.
    Last,
    /// How many different values there are.
    NUnique,
    /// The value below which the part `at` of the values lies, interpolated between neighbours.
    Quantile,
}

/// Values from earlier rows.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The columns that make the key; without them all rows are looked at.
    #[serde(default)]
    pub by: Vec<String>,
    /// The column that says what is earlier: a timestamp or a number. Rows with the same value do not see each other.
    pub order: String,
    /// Look at this many rows before.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub rows: Option<usize>,
    /// Look back this far, that far included: `7d`, `12h`, `30m`, `45s` or `500ms` for timestamps, otherwise a number.
    #[serde(default)]
    pub within: Option<Span>,
    /// The values to compute.
    #[schemars(length(min = 1))]
    pub columns: Vec<Measure>,
}

/// A column to order by.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SortKey {
    /// The least first.
    Column(String),
    /// A column with its direction.
    Directed(Directed),
}

/// A column with its direction.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directed {
    /// The column.
    pub column: String,
    /// Whether the greatest comes first.
    #[serde(default)]
    pub descending: bool,
}

/// Which rows are equal, and which of them stays.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Distinct {
    /// Rows are equal where these columns are; without them where all columns are.
    #[serde(default)]
    pub by: Vec<String>,
    /// The row that stays.
    #[serde(default)]
    pub keep: Keep,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// The first of them.
    #[default]
    First,
    /// The last of them.
    Last,
}

fn right() -> String {
    "_right".to_owned()
}
