//! The JSON Schema of core's types inside views: core itself describes none.
//!
//! Each stands for the type that it is named after and is never made; a test of the API compares answers with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Bytes that a step made.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Output")]
pub(crate) struct OutputShape {
    /// `blake3:` and 64 hex digits.
    digest: String,
    media_type: String,
    /// Bytes.
    size: u64,
    /// Of a table.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    rows: Option<u64>,
}

/// What went wrong, where, and what to do about it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Diagnostic")]
pub(crate) struct DiagnosticShape {
    /// Kebab-case and stable.
    code: String,
    message: String,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    hint: Option<String>,
}

/// The latest value of each metric: a number, or `NaN`, `Infinity`, `-Infinity`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Metrics")]
#[serde(transparent)]
pub(crate) struct MetricsShape(std::collections::BTreeMap<String, MetricShape>);

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MetricValue")]
#[serde(untagged)]
pub(crate) enum MetricShape {
    Number(f64),
    Word(String),
}

/// One thing that a monitor measured.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub(crate) struct FindingShape {
    signal: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    column: Option<String>,
    statistic: String,
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    threshold: Option<f64>,
    /// Whether it should alert someone.
    found: bool,
    window_rows: u64,
    reference_rows: u64,
    message: String,
}

/// A version's content, as `wasmlops model show` shows it.
pub(crate) type ContentShape = Map<String, Value>;

/// The columns of a table.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Columns")]
pub(crate) struct SchemaShape {
    fields: Vec<FieldShape>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Column")]
pub(crate) struct FieldShape {
    name: String,
    /// `bool`, `s64`, `f64`, `f32`, `utf8`, `binary`, `timestamp` or `categorical`.
    data_type: String,
    nullable: bool,
}
