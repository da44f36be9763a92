//! What deployers and monitors are given, and what they give.

use serde::{Deserialize, Serialize};

use crate::table::Table;

/// What a deployer is to put somewhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Release {
    /// The same for each attempt at this deployment.
    pub key: String,
    pub endpoint: String,
    pub model: String,
    pub version: u64,
    /// The model version's digest.
    pub digest: String,
    /// Names under which the guest can open the release's files as blobs.
    pub files: Vec<String>,
}

/// Where a release is, as its deployer says it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Deployment {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// A JSON object in the deployer's own form.
    pub details: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    Pending,
    Ready,
    Failed,
    Gone,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeploymentStatus {
    pub health: Health,
    pub message: String,
}

/// What a monitor looks at. Times are microseconds since 1970-01-01T00:00:00Z, absent for windows by count.
#[derive(Clone, Debug)]
pub struct Window {
    pub rows: Table,
    /// Inclusive.
    pub start: Option<i64>,
    /// Exclusive.
    pub end: Option<i64>,
}

/// One thing that a monitor measured.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// `data-drift`, `prediction-drift`, `data-quality`, `performance`, `operations`.
    pub signal: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<String>,
    pub statistic: String,
    /// JSON has no NaN: null then.
    #[serde(with = "nullable")]
    pub value: f64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threshold: Option<f64>,
    /// Whether it should alert someone.
    pub found: bool,
    pub window_rows: u64,
    pub reference_rows: u64,
    pub message: String,
}

mod nullable {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}
