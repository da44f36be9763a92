//! What users write under `with`. The doc comments are the descriptions they see. Compiled into the build script too,
//! so it knows serde and schemars alone.

use schemars::JsonSchema;
use serde::Deserialize;

/// Which payments to make up.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How many payments.
    #[schemars(range(min = 1, max = 5_000_000))]
    pub rows: u32,

    /// Another seed gives other customers and other payments; the same seed gives the same ones in every run.
    pub seed: u64,

    /// The day of the first payment, `YYYY-MM-DD`.
    pub start: String,

    /// Over how many days the payments are spread.
    #[schemars(range(min = 1, max = 3650))]
    pub days: u32,

    /// The part of the payments that is fraud, on average.
    #[schemars(range(min = 0.0001, max = 0.5))]
    pub fraud: f64,

    /// How much the world has changed, from 0 to 1: larger amounts, other shops, more payments by phone, and another
    /// kind of fraud.
    #[schemars(range(min = 0, max = 1))]
    pub drift: f64,

    /// From which part of the days on it has changed: 0 for all of them, 0.5 for the second half.
    #[schemars(range(min = 0, max = 1))]
    pub drift_from: f64,

    /// Also writes the last payments as a request to an endpoint, and the truth about them as labels.
    pub requests: Option<Requests>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rows: 200_000,
            seed: 7,
            start: "2026-01-01".to_owned(),
            days: 180,
            fraud: 0.01,
            drift: 0.0,
            drift_from: 0.0,
            requests: None,
        }
    }
}

/// A request to an endpoint.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Requests {
    /// How many payments.
    #[schemars(range(min = 1, max = 10_000))]
    pub rows: u32,

    /// The request's id; its rows have the ids `ID.0`, `ID.1` and so on.
    #[schemars(length(min = 1, max = 100))]
    pub id: String,
}
