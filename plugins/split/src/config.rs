//! What users write under `with`. The doc comments are the descriptions they see.

use schemars::JsonSchema;
use serde::Deserialize;

/// How to divide the rows of a table.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The part of the rows that goes to `test`, between 0 and 1. Of n rows that is `ceil(n * test)`.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub test: f64,

    /// The part of all rows that goes to `validation`, between 0 and 1. Without it there is no such output.
    #[serde(default)]
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub validation: Option<f64>,

    /// A column whose values come in the same proportions in every output, as far as whole rows allow. Null counts as a
    /// value.
    #[serde(default)]
    pub stratify: Option<String>,

    /// A column of times or numbers: the oldest rows go to `train`, the newest to `test`.
    #[serde(default)]
    pub by_time: Option<String>,

    /// A column whose equal values stay together in one output, for example a customer: `test` and `validation` are
    /// then parts of the groups, not of the rows. Null counts as a value.
    #[serde(default)]
    pub group: Option<String>,

    /// Another seed gives another choice of rows; the same seed gives the same one in every run.
    #[serde(default)]
    pub seed: u64,

    /// Whether rows are chosen at random. Otherwise the first rows go to `train` and the last to `test`.
    #[serde(default = "yes")]
    pub shuffle: bool,
}

fn yes() -> bool {
    true
}
