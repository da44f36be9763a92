//! A pipeline bound to plugins: every step knows its component, configuration, inputs, limits and grants, every matrix
//! is spread out, and every mistake that can be known before running has been reported.
//!
//! Reads no file and knows no cache: what a step will cost or whether it must run is the plan's business. Door:
//! [`bind`]. The same pipeline and bindings give the same bytes when serialised.

mod bind;
mod built_in;
mod desugar;
mod grants;
mod kind;
mod links;
mod matrix;
mod options;
mod order;
mod params;
mod plugins;
mod ports;
mod search;
mod step;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasmlops_package::{Digest, Kind, PluginName};

pub use bind::{Bindings, MAX_STEPS, bind};
pub use built_in::built_in;
pub use kind::StepKind;
pub use plugins::PluginInfo;
pub use search::{BEST, BoundSearch, Pipelines, TRIALS};

use crate::config::{Credential, Origin, ProjectPath, Retry, When};
use crate::diagnostics::Span;
use crate::limits::Limits;

/// A pipeline that can run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Graph {
    pub pipeline: String,
    /// The pipeline file as the user named it.
    pub file: String,
    /// Every parameter with its value, in the order of the file.
    pub params: Map<String, Value>,
    /// Each step after all that it depends on; where that leaves a choice, in the order of the file and of the matrix.
    pub steps: Vec<BoundStep>,
}

impl Graph {
    /// Walks the list: a caller with many look-ups makes its own index.
    pub fn step(&self, key: &StepKey) -> Option<&BoundStep> {
        self.steps.iter().find(|step| step.key == *key)
    }

    /// Every step, those of the trials of searches included.
    pub fn all_steps(&self) -> impl Iterator<Item = &BoundStep> {
        self.steps
            .iter()
            .flat_map(|step| std::iter::once(step).chain(step.search.iter().flat_map(|search| &search.trial.steps)))
    }

    /// What must have ended before this step may start; empty for an unknown key.
    pub fn dependencies(&self, key: &StepKey) -> BTreeSet<StepKey> {
        self.step(key).map(BoundStep::dependencies).unwrap_or_default()
    }
}

/// A step of a run: one cell of a step with a matrix, or the step itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BoundStep {
    pub key: StepKey,
    /// The step's name in the file: what all cells of a matrix share.
    pub name: String,
    /// As written: `csv-source@^0.1`.
    pub uses: String,
    pub plugin: PluginId,
    pub kind: StepKind,
    pub mode: Mode,
    /// A JSON object that satisfies the plugin's schema. Expressions are filled in, defaults are not.
    pub config: Value,
    /// In the order of the file.
    pub inputs: Vec<(String, OutputRef)>,
    /// What `needs` and `when` name beyond the inputs, sorted.
    pub needs: Vec<StepKey>,
    pub when: Option<When>,
    /// The step that each name in `when` stands for.
    pub when_steps: BTreeMap<String, StepKey>,
    /// This cell's values; empty outside a matrix.
    pub matrix: Map<String, Value>,
    pub retry: Retry,
    /// The step's own, else what the plugin advises, else the defaults; never above the project's policy.
    pub limits: Limits,
    /// Files and folders that the guest may read: asked by the plugin, granted by the pipeline, allowed by the project.
    pub read: Vec<ProjectPath>,
    /// Origins that the guest may call, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<Origin>,
    /// Endpoints that the guest may drive, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// Headers with secrets that the broker puts into the guest's requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
    /// Secrets that the configuration may name; their values come in when the step is called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Inputs that may turn out to bring nothing, and that the step can do without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional_inputs: Vec<String>,
    /// Whether the engine canonicalises NaNs at every operation.
    pub strict: bool,
    /// Whether an earlier result may stand in for a run: asked for, and possible.
    pub cache: bool,
    pub outputs: Vec<Output>,
    /// Of a `search` step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Box<BoundSearch>>,
    pub spans: StepSpans,
}

impl BoundStep {
    /// The producers of the inputs and the steps under `needs`.
    pub fn dependencies(&self) -> BTreeSet<StepKey> {
        self.inputs.iter().map(|(_, from)| &from.step).chain(&self.needs).cloned().collect()
    }

    pub fn output(&self, name: &str) -> Option<&Output> {
        self.outputs.iter().find(|output| output.name == name)
    }

    /// Whether the step reaches outside the run, or is given a secret that no key may hold, so that its recorded output is the truth and cannot be made again.
    pub fn is_captured(&self) -> bool {
        self.kind == Kind::Deployer || !self.http.is_empty() || !self.endpoints.is_empty() || !self.secrets.is_empty()
    }
}

/// Names a step within a run: `train`, or `train[alpha=0.1,depth=3]` for a cell of a matrix.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepKey(String);

impl StepKey {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for StepKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The component that a step runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PluginId {
    pub name: PluginName,
    pub version: semver::Version,
    pub digest: Digest,
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Which of a kind's functions the step calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The kind's main function.
    Main,
    /// A transform that applies the state given as input `state`, instead of fitting one.
    Apply,
}

/// What steps hand to each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArtifactType {
    Table,
    /// What a transform learned.
    State,
    Model,
    /// A registered model's version.
    Version,
    Report,
    Blob,
}

impl fmt::Display for ArtifactType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArtifactType::Table => "table",
            ArtifactType::State => "state",
            ArtifactType::Model => "model",
            ArtifactType::Version => "version",
            ArtifactType::Report => "report",
            ArtifactType::Blob => "blob",
        })
    }
}

/// An output of another step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutputRef {
    pub step: StepKey,
    pub output: String,
    pub artifact: ArtifactType,
}

/// An output of a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Output {
    pub name: String,
    pub artifact: ArtifactType,
    /// A run may lack it.
    pub optional: bool,
}

/// Where a step's parts stand in the pipeline file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StepSpans {
    /// The step's name.
    pub step: Span,
    pub uses: Span,
    /// The keys under `with`, by dotted path: `rules.0.column`.
    pub with: BTreeMap<String, Span>,
    pub inputs: BTreeMap<String, Span>,
}
