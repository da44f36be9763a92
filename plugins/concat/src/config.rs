//! What users write under `with`. The doc comments are the descriptions they see.

use schemars::JsonSchema;
use serde::Deserialize;

/// How to put tables below each other.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What to do with a column that not every table has.
    #[serde(default)]
    pub missing: Missing,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// Fail: the tables were expected to have the same columns.
    #[default]
    Error,
    /// Keep it, with nulls where a table lacks it.
    Null,
    /// Leave it out.
    Drop,
}
