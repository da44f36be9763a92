//! What users write under `with`. The doc comments are the descriptions they see.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use wasmlops_formats::options::{csv, json, parquet};

/// What to fetch, and how to read it.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What to fetch: `https://data.example.com/payments.csv`. The step must be granted the origin:
    /// `grants: { http: ["https://data.example.com"] }`.
    pub url: String,

    /// Headers of the request. Credentials do not belong here: they would stand in the run's record; the host adds
    /// those that are configured for the origin.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,

    /// What it is. Without it, the answer's `content-type` says so, otherwise the ending of the URL's path (`.csv`,
    /// `.json`, `.ndjson`, `.jsonl`, `.parquet`, also with `.gz` or `.zst` behind it).
    #[serde(default)]
    pub format: Option<Format>,

    /// The version that is expected, as an earlier run's report states it: `"\"5d8c72a5edda8d6a\""`. The step fails if
    /// the resource is another one by now.
    #[serde(default)]
    pub etag: Option<String>,

    /// How CSV is read: the options of `csv-source` but `path` and `file_column`.
    #[serde(default)]
    pub csv: Option<csv::Options>,

    /// How JSON is read: the options of `json-source` but `path` and `file_column`.
    #[serde(default)]
    pub json: Option<json::Options>,

    /// How Parquet is read: the options of `parquet-source` but `path` and `file_column`.
    #[serde(default)]
    pub parquet: Option<parquet::Options>,
}

/// What can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Csv,
    /// NDJSON, or an array of objects.
    Json,
    Parquet,
}

impl Format {
    /// As it stands in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Json => "json",
            Format::Parquet => "parquet",
        }
    }
}
