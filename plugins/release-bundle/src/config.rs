//! What users write under `with`. The doc comments are the descriptions they see.

use schemars::JsonSchema;
use serde::Deserialize;

/// How to bundle a release.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The name of the folder in the archive; by default the model's name and version, `churn-3`.
    #[serde(default)]
    #[schemars(regex(pattern = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$"))]
    pub folder: Option<String>,
}
