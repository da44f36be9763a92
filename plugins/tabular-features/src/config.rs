//! What a user can set. Read by the build script for the manifest, so it knows serde and schemars alone.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Turns columns into features. Without any option: numbers filled and standardised, text as one feature a value (or,
/// with many values, by the target's mean), dates as cycles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Which defaults: `numbers` (default) for models that need numbers without gaps and of similar size; `trees` for
    /// models that take categories and missing values as they are: nothing is filled or scaled, text stays text.
    pub profile: Profile,
    /// What becomes of columns, by name: lists of encodings, each of which gives features.
    pub encode: BTreeMap<String, Vec<Encoding>>,
    /// What becomes of `s64`, `f64` and `f32` columns that `encode` does not name. Default: `[number]`.
    pub numbers: Option<Vec<Encoding>>,
    /// What becomes of text columns that `encode` does not name. Default: what suits the number of values; see the
    /// plugin's page.
    pub texts: Option<Vec<Encoding>>,
    /// What becomes of `timestamp` columns that `encode` does not name. Default: `[{ parts: [year] }, { cycles: [month,
    /// day, weekday, hour] }]`, for trees `[{ parts: [year, month, day, weekday, hour] }]`, without those that are the
    /// same in all rows learned from.
    pub times: Option<Vec<Encoding>>,
    /// Features of several numeric columns, after those of the columns: `{ product: [a, b] }` gives `a*b`,
    /// `{ ratio: [a, b] }` gives `a/b`.
    pub interactions: Vec<Interaction>,
    /// What stands in for a missing value (null, or NaN).
    pub impute: Impute,
    /// Adds `<column>.missing` (0 or 1) for each column with missing values in the rows learned from.
    pub indicate_missing: bool,
    /// How text becomes one feature `<column>=<value>` (0 or 1) for each value. `min_count` and `unseen` count for
    /// `ordinal` and `category` too.
    pub one_hot: OneHot,
    /// How the encoding `target` learns, and how rows learned from are kept from knowing their own answer.
    pub target_encoding: TargetEncoding,
    /// How features that are no 0 and 1 are brought to similar size: `standard`, `min_max`, `robust` or `none`.
    /// Default: `standard`, for trees `none`.
    pub scale: Option<Scale>,
    /// The short form of `scale`: `true` is `standard`, `false` is `none`.
    pub standardise: Option<bool>,
}

/// Which defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Profile {
    /// For models that need numbers without gaps and of similar size.
    #[default]
    Numbers,
    /// For models that take categories and missing values as they are.
    Trees,
}

/// One way to make features of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Numbers and `bool`: `<column>`, scaled as `scale` says.
    Number,
    /// Numbers: `<column>`, less the mean, over the standard deviation.
    Standard,
    /// Numbers: `<column>`, from 0 (least) to 1 (most of the rows learned from).
    MinMax,
    /// Numbers: `<column>`, less the median, over the distance of the quartiles.
    Robust,
    /// Numbers and `bool`: `<column>`, not scaled.
    AsIs,
    /// Numbers above -1: `<column>.log1p`, ln(1 + x).
    Log1p,
    /// Numbers: `<column>.power`, the Yeo-Johnson transform that makes the column most like a normal one.
    Power,
    /// Numbers: `<column>.bin`, the number of the bin, from 0.
    Bins(Bins),
    /// Numbers: `<column>.bin_<number>` (0 or 1) for each bin.
    OneHotBins(Bins),
    /// Text, `bool` and numbers that are codes: `<column>=<value>` (0 or 1) for each value.
    OneHot,
    /// As `one_hot`: `<column>.ordinal`, the value's place in sorted order, from 0; -1 for unseen ones.
    Ordinal,
    /// As `one_hot`: `<column>.target`, the target's mean over rows with this value, drawn to the overall mean; for
    /// more than two classes `<column>.target=<class>` for each.
    Target,
    /// As `one_hot`: `<column>.frequency`, the share of the rows learned from that have this value.
    Frequency,
    /// As `one_hot`: `<column>` as a `categorical` column. Unseen values are null.
    Category,
    /// Text: `<column>.length`, characters.
    Length,
    /// Text: `<column>.words`, runs of letters and digits.
    Words,
    /// Text: `<column>.hash_<number>`, words counted in a fixed number of features.
    Hash(Hash),
    /// Timestamps: `<column>.<part>` for each.
    Parts(Vec<Part>),
    /// Timestamps: `<column>.<part>_sin` and `<column>.<part>_cos` for each, so that the end lies next to the start.
    Cycles(Vec<Part>),
    /// Timestamps: `<column>.since`, days since this date (`2020-01-31`) or time (`2020-01-31T12:00:00Z`).
    Since(String),
}

/// Where bins end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Bins {
    /// This many bins with about as many rows each.
    Quantile(usize),
    /// This many bins of the same width.
    Width(usize),
    /// These limits, ascending: a bin below the first, one from each on.
    Edges(Vec<f64>),
}

/// Words counted in a fixed number of features: each word's hash (MurmurHash3, 32 bits, seed 0) chooses the feature,
/// and its sign whether it counts 1 or -1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Hash {
    /// How many features.
    #[schemars(range(min = 1, max = 65536))]
    pub features: u32,
    /// `words` (default): runs of letters and digits in lower case. `value`: the text as a whole.
    pub of: Tokens,
}

impl Default for Hash {
    fn default() -> Self {
        Self { features: 32, of: Tokens::Words }
    }
}

/// What is hashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Tokens {
    /// Runs of letters and digits, in lower case.
    #[default]
    Words,
    /// The text as a whole.
    Value,
}

/// A part of a date and time (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The year; has no cycle.
    Year,
    /// 1 to 4.
    Quarter,
    /// 1 to 12.
    Month,
    /// The week of ISO 8601, 1 to 53.
    Week,
    /// Of the month, 1 to 31.
    Day,
    /// 1 to 366.
    DayOfYear,
    /// 0 (Monday) to 6.
    Weekday,
    /// 1 on Saturday and Sunday, else 0; has no cycle.
    Weekend,
    /// 0 to 23.
    Hour,
    /// 0 to 59.
    Minute,
    /// 0 to 59.
    Second,
}

/// A feature of several numeric columns (`bool` counts as 0 and 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Interaction {
    /// `<a>*<b>…`: the columns multiplied.
    Product(Vec<String>),
    /// `<a>/<b>`: the first over the second; missing where the second is 0.
    Ratio(Vec<String>),
}

/// What stands in for a missing value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Impute {
    /// For `s64`, `f64`, `f32` and `bool` (0 and 1), before anything is made of them, and for features made of dates,
    /// texts and several columns: `median`, `mean`, `{ constant: 0 }`, `none`, or `keep`. Default: `median`, for trees
    /// `keep`.
    pub numeric: Option<NumericFill>,
    /// For text: `most_frequent` (of equals the first in sorted order), `{ constant: unknown }`, `none`, or `keep`.
    /// Default: `most_frequent`, for trees `keep`.
    pub categorical: Option<CategoricalFill>,
}

/// What stands in for a missing number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum NumericFill {
    /// The middle value; between two, their mean.
    Median,
    /// The mean.
    Mean,
    /// This number.
    Constant(f64),
    /// Nothing: a missing value is an error.
    None,
    /// Nothing: the feature is null.
    Keep,
}

/// What stands in for a missing text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum CategoricalFill {
    /// The value that comes most often; of equals the first in sorted order.
    MostFrequent,
    /// This text, which counts as a value of its own.
    Constant(String),
    /// Nothing: a missing value is an error.
    None,
    /// Nothing: the feature is null; with `one_hot` all features are 0.
    Keep,
}

/// How text becomes numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct OneHot {
    /// The most values that a column with `one_hot` may have; more are an error, since such a column is rarely a
    /// category. Default: 64, and without `texts` and `encode` a column with more is encoded in another way.
    #[schemars(range(min = 1))]
    pub max_categories: Option<usize>,
    /// Values that come less often than this in the rows learned from get no feature: all features of such a row's
    /// column are 0.
    #[schemars(range(min = 1))]
    pub min_count: u64,
    /// A value that the rows learned from do not have.
    pub unseen: Unseen,
    /// Adds `<column>.other`: 1 for values that come less often than `min_count`, and for unseen ones.
    pub pool: bool,
}

impl Default for OneHot {
    fn default() -> Self {
        Self { max_categories: None, min_count: 1, unseen: Unseen::Zeros, pool: false }
    }
}

/// What to do with a value that the rows learned from do not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Unseen {
    /// All features of the column are 0; -1 for `ordinal`, null for `category`.
    #[default]
    Zeros,
    /// The batch is refused.
    Error,
}

/// How the encoding `target` learns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct TargetEncoding {
    /// What the target is: `auto` (default: numbers are `regression`, unless there are two of them; all else is
    /// classes), `regression`, `binary` or `multiclass`.
    pub task: Task,
    /// How many rows the overall mean weighs as. Default: as much as its variance deserves (empirical Bayes).
    #[schemars(range(min = 0.0))]
    pub smooth: Option<f64>,
    /// How rows learned from are kept from knowing their own answer.
    pub cross_fit: CrossFit,
}

/// What the target is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Task {
    /// By the target's type and values.
    #[default]
    Auto,
    /// A number.
    Regression,
    /// Two classes; the feature is the share of the second in sorted order.
    Binary,
    /// Classes; one feature for each.
    Multiclass,
}

/// Rows learned from get an encoding that was learned from the other folds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct CrossFit {
    /// How many folds; 0 switches it off, and lets the model see each row's own answer.
    #[schemars(range(min = 0, max = 100))]
    pub folds: usize,
    /// The columns that tell rows apart: rows that are equal in them lie in one fold. Default: the columns to make
    /// features of, with those that are left out for having a value of its own in nearly every row.
    pub key: Option<Vec<String>>,
}

impl Default for CrossFit {
    fn default() -> Self {
        Self { folds: 5, key: None }
    }
}

/// How features are brought to similar size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Scale {
    /// Less the mean, over the standard deviation.
    Standard,
    /// Less the least value, over the distance to the most.
    MinMax,
    /// Less the median, over the distance of the quartiles.
    Robust,
    /// Not at all.
    None,
}
