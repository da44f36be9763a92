//! What users write under `with`. The doc comments are the descriptions they see. Compiled into the build script too,
//! so it knows serde and schemars alone.

use schemars::JsonSchema;
use serde::Deserialize;

/// How fast and how reliably an endpoint must answer.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The most that each measure may be.
    pub max: Most,

    /// The least that each measure must be.
    pub min: Least,

    /// The most that each measure may be as a multiple of the reference's; for references with latencies, such as an
    /// earlier window.
    pub max_ratio: Ratios,

    /// With fewer requests nothing is judged but the request rate.
    #[schemars(range(min = 1))]
    pub min_rows: u64,
}

impl Default for Config {
    fn default() -> Self {
        let max = Most { error_rate: Some(0.05), ..Most::default() };
        // Below it a rate of 0.05 is one request or two.
        Self { max, min: Least::default(), max_ratio: Ratios::default(), min_rows: 30 }
    }
}

/// Upper limits.
#[derive(Clone, Copy, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Most {
    /// The latency that half of the requests stay below, in milliseconds.
    pub p50: Option<f64>,
    /// The latency that 95 % of the requests stay below, in milliseconds.
    pub p95: Option<f64>,
    /// The latency that 99 % of the requests stay below, in milliseconds.
    pub p99: Option<f64>,
    /// The share of requests that failed, from 0 to 1. Default, where there is no `max`: 0.05.
    pub error_rate: Option<f64>,
    /// Requests a second; for windows by time.
    pub request_rate: Option<f64>,
}

/// Lower limits.
#[derive(Clone, Copy, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Least {
    /// Requests a second; for windows by time.
    pub request_rate: Option<f64>,
}

/// Limits relative to the reference.
#[derive(Clone, Copy, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Ratios {
    /// Of the median latency.
    pub p50: Option<f64>,
    /// Of the 95th percentile.
    pub p95: Option<f64>,
    /// Of the 99th percentile.
    pub p99: Option<f64>,
    /// Of the share of requests that failed.
    pub error_rate: Option<f64>,
}
