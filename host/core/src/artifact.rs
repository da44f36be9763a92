//! What steps leave behind: media types, and the documents that tie blobs together.
//!
//! A state and a model are small documents that name other blobs by digest, so that a digest stands for everything
//! below it.

use serde::{Deserialize, Serialize};
use wasmlops_package::Digest;

use crate::table::Schema;

/// Media types of artifacts.
pub mod media_type {
    /// An uncompressed Arrow IPC file.
    pub const TABLE: &str = "application/vnd.apache.arrow.file";
    /// A [`super::StateDocument`].
    pub const STATE: &str = "application/vnd.wasmlops.state+json";
    /// A [`super::ModelDocument`].
    pub const MODEL: &str = "application/vnd.wasmlops.model+json";
    /// What a validator or a data source reports.
    pub const REPORT: &str = "application/vnd.wasmlops.report+json";
    /// Bytes in a plugin's own encoding.
    pub const BYTES: &str = "application/octet-stream";
    /// A plugin.
    pub const COMPONENT: &str = "application/wasm";
    /// Uncommitted changes of the project's work tree.
    pub const PATCH: &str = "text/x-diff";
}

/// An output of a step: which bytes, and what they are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutputRecord {
    pub digest: Digest,
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Rows, for tables.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rows: Option<u64>,
}

/// A transform with what it learned: the same component and the same state give the same features anywhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FittedTransform {
    /// Name and version, for people.
    pub plugin: String,
    pub component: Digest,
    pub state: Digest,
    /// Whether the engine canonicalises NaNs at every operation.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub strict: bool,
}

/// The output `state` of a transform: itself, after the transforms that came before it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StateDocument {
    /// In the order in which they apply.
    pub transforms: Vec<FittedTransform>,
    /// The columns that the first transform was fitted on.
    pub input: Schema,
}

/// The output `model` of a trainer: all that is needed to predict from raw rows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ModelDocument {
    /// In the order in which they apply to raw rows.
    pub transforms: Vec<FittedTransform>,
    /// Name and version of the predictor, for people.
    pub plugin: String,
    pub predictor: Digest,
    /// The trained model in the predictor's encoding.
    pub model: Digest,
    /// The raw columns, target included.
    pub input: Schema,
    /// The columns of predictions.
    pub output: Schema,
    /// The column that the model predicts, where there is one.
    pub target: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub strict: bool,
}
