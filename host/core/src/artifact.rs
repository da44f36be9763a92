//! What steps leave behind: media types, and the documents that tie blobs together.
//!
//! A state and a model are small documents that name other blobs by digest, so that a digest stands for everything
//! below it.

use std::collections::BTreeMap;

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
    /// A [`super::VersionDocument`].
    pub const VERSION: &str = "application/vnd.wasmlops.model-version+json";
    /// Where a deployer put a release: a [`crate::call::Deployment`].
    pub const DEPLOYMENT: &str = "application/vnd.wasmlops.deployment+json";
    /// What a person decided: a [`crate::approval::DecisionDocument`].
    pub const DECISION: &str = "application/vnd.wasmlops.decision+json";
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

/// The content of a registered model's version: what was decided to be fit for use, and on which evidence. As canonical
/// JSON it is a blob whose digest is the version's identity: the same content is the same version. Who registered it,
/// when and in which run is not content.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VersionDocument {
    /// The registered model's name.
    pub name: String,
    /// The [`ModelDocument`]'s blob.
    pub model: Digest,
    pub document: ModelDocument,
    /// What the validators that judged the model measured. Finite numbers only: JSON knows no others.
    pub metrics: BTreeMap<String, f64>,
    /// The validators that judged the model, in the order of their steps' keys.
    pub reports: Vec<ReportRef>,
    /// The data it came from: source files by path, and outputs of data sources by `step.output`.
    pub data: BTreeMap<String, Digest>,
    /// The raw table that it was trained on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub training: Option<Digest>,
    /// The held-out table that the validators judged it on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evaluation: Option<Digest>,
    pub code: Code,
    /// The foreign format that it was imported from: `onnx`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub origin: Option<String>,
}

impl VersionDocument {
    /// The bytes that are stored and that the version's digest is of: canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        let value = serde_json::to_value(self).expect("a document of texts, numbers and digests is JSON");
        crate::canonical_json::to_canonical(&value).into_bytes()
    }

    /// The version's identity.
    pub fn digest(&self) -> Digest {
        Digest::blake3(&self.to_bytes())
    }

    /// Whether a validator passed the model and none failed it: the evidence that an alias may move to it.
    pub fn has_evidence(&self) -> bool {
        !self.reports.is_empty() && self.reports.iter().all(|report| report.passed)
    }
}

/// A validator's word on a model.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReportRef {
    pub step: String,
    pub digest: Digest,
    pub passed: bool,
}

/// What made a model.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Code {
    /// The pipeline's name; empty for an import.
    pub pipeline: String,
    /// By step, `name version digest` of the plugin.
    pub plugins: BTreeMap<String, String>,
}
