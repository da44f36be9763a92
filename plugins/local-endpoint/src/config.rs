//! What users write under `with`. The doc comments are the descriptions they see.

use schemars::JsonSchema;
use serde::Deserialize;

/// How the release gets its traffic.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The endpoint, as the project file declares it. The step must be granted it: `grants: { endpoints: [NAME] }`.
    pub endpoint: String,

    /// How the release comes in: `canary` with a growing share of the traffic, `shadow` with a copy of it that is
    /// compared and never answered, or `live` with all of it at once. The first release of an endpoint is live.
    #[serde(default)]
    pub mode: Mode,

    /// Percent of the traffic at each step of a canary, ascending; after the last step the release is live. Without
    /// it, as the endpoint says.
    #[serde(default)]
    #[schemars(length(max = 20), inner(range(min = 1, max = 99)))]
    pub steps: Vec<u8>,

    /// How long each step of a canary stands at least, such as `10m`. Without it, as the endpoint says.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9]+(ms|s|m|h|d)$"))]
    pub bake: Option<String>,

    /// How many requests the release must have answered before a step ends. Without it, as the endpoint says.
    #[serde(default)]
    pub requests: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    #[default]
    Canary,
    Shadow,
    Live,
}
