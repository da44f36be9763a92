//! What users write under `with`. The doc comments are the descriptions they see.

use schemars::JsonSchema;
use serde::Deserialize;
use wasmlops_formats::options::{Files, json};

/// Which JSON files to read, and how.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(flatten)]
    pub files: Files,

    #[serde(flatten)]
    pub json: json::Options,
}
