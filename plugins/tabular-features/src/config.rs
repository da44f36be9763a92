//! What a user can set. Read by the build script for the manifest, so it knows serde and schemars alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Turns columns into numbers without gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The column to predict. It never becomes a feature; where the rows have it, it comes out untouched, last.
    pub target: Option<String>,
    /// The columns to make features of, in this order. Default: all but `target`, `drop` and `pass_through`, in the
    /// order of the table.
    pub columns: Option<Vec<String>>,
    /// Columns to leave out.
    pub drop: Vec<String>,
    /// Columns that come out untouched, after the features, where the rows have them: identifiers, weights. A model
    /// that takes every numeric column takes these too, so name its features.
    pub pass_through: Vec<String>,
    /// What stands in for a missing value (null, or NaN).
    pub impute: Impute,
    /// Adds `<column>.missing` (0 or 1) for each column with missing values in the rows learned from.
    pub indicate_missing: bool,
    /// How text becomes numbers: one feature `<column>=<value>` (0 or 1) for each value.
    pub one_hot: OneHot,
    /// Subtracts the mean and divides by the standard deviation, for `s64`, `f64` and `f32`. Features from `bool` and
    /// text stay 0 and 1.
    pub standardise: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            target: None,
            columns: None,
            drop: Vec::new(),
            pass_through: Vec::new(),
            impute: Impute::default(),
            indicate_missing: false,
            one_hot: OneHot::default(),
            standardise: true,
        }
    }
}

/// What stands in for a missing value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Impute {
    /// For `s64`, `f64`, `f32` and `bool` (0 and 1): `median`, `mean`, `{ constant: 0 }`, or `none`.
    pub numeric: NumericFill,
    /// For text: `most_frequent` (of equals the first in sorted order), `{ constant: unknown }`, or `none`.
    pub categorical: CategoricalFill,
}

/// What stands in for a missing number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum NumericFill {
    /// The middle value; between two, their mean.
    #[default]
    Median,
    /// The mean.
    Mean,
    /// This number.
    Constant(f64),
    /// Nothing: a missing value is an error.
    None,
}

/// What stands in for a missing text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum CategoricalFill {
    /// The value that comes most often; of equals the first in sorted order.
    #[default]
    MostFrequent,
    /// This text, which counts as a value of its own.
    Constant(String),
    /// Nothing: a missing value is an error.
    None,
}

/// How text becomes numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct OneHot {
    /// The most values that a column may have; more are an error, since such a column is rarely a category.
    #[schemars(range(min = 1))]
    pub max_categories: usize,
    /// Values that come less often than this in the rows learned from get no feature: all features of such a row's
    /// column are 0.
    #[schemars(range(min = 1))]
    pub min_count: u64,
    /// A value that the rows learned from do not have.
    pub unseen: Unseen,
}

impl Default for OneHot {
    fn default() -> Self {
        Self { max_categories: 64, min_count: 1, unseen: Unseen::Zeros }
    }
}

/// What to do with a value that the rows learned from do not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Unseen {
    /// All features of the column are 0.
    #[default]
    Zeros,
    /// The batch is refused.
    Error,
}
