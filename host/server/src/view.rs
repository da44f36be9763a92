//! What people and programs are shown: the JSON of `run`, `plan`, `verify` and their like. These shapes are promises;
//! rows and domain types are not.

pub(crate) mod shapes;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasmlops_core::artifact::OutputRecord;
use wasmlops_core::diagnostics::{Diagnostic, Source, Span};
use wasmlops_core::graph::{BoundStep, Graph};
use wasmlops_core::run::{Failure, Metrics};

/// A run with its steps, in the order in which they depend on each other.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RunView {
    pub run: String,
    pub pipeline: String,
    pub status: String,
    pub params: Map<String, Value>,
    pub seed: u64,
    /// RFC 3339.
    pub nominal_time: String,
    pub created: String,
    pub started: Option<String>,
    pub ended: Option<String>,
    pub duration_ms: Option<f64>,
    /// What started it: `cli`, `api`, `schedule:nightly`, `trigger:on-push`, `monitor:drift`.
    pub origin: String,
    /// In whose name it acts.
    pub actor: String,
    /// The run that it belongs to.
    pub parent: Option<String>,
    /// Runs that belong to it, such as the trials of its searches, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub children: Vec<ChildView>,
    /// Why it failed, where no step is to blame.
    #[schemars(with = "Option<shapes::DiagnosticShape>")]
    pub error: Option<Diagnostic>,
    /// The Git state of the project, where it is a work tree.
    pub source: Option<SourceView>,
    pub steps: Vec<StepView>,
}

/// A run that belongs to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ChildView {
    pub run: String,
    /// `trial 7` for a trial of a search.
    pub name: String,
    pub pipeline: String,
    pub status: String,
    /// `search:STEP` for a trial of a search.
    pub origin: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SourceView {
    pub commit: String,
    pub branch: Option<String>,
    /// The digest of uncommitted changes, which the artifact store keeps as a patch.
    pub uncommitted: Option<String>,
}

/// A step of a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StepView {
    pub step: String,
    pub uses: String,
    /// Name and version.
    pub plugin: String,
    pub kind: String,
    /// Of the component.
    pub digest: String,
    pub status: String,
    /// `hit`, `miss` or `off`; absent for a step that was never reached.
    pub cache: Option<String>,
    /// Why the step had to run, or why it did not.
    pub reason: Option<String>,
    pub attempts: u32,
    pub duration_ms: Option<f64>,
    pub cpu_ms: Option<f64>,
    /// The most that the guest's memories held at once.
    pub memory_bytes: Option<u64>,
    pub fuel: Option<u64>,
    #[schemars(with = "shapes::MetricsShape")]
    pub metrics: Metrics,
    #[schemars(with = "BTreeMap<String, shapes::OutputShape>")]
    pub outputs: BTreeMap<String, OutputRecord>,
    #[schemars(with = "Option<shapes::DiagnosticShape>")]
    pub error: Option<Diagnostic>,
}

/// A row of `runs list`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RunSummary {
    pub run: String,
    pub pipeline: String,
    pub status: String,
    pub origin: String,
    pub actor: String,
    pub parent: Option<String>,
    pub created: String,
    pub ended: Option<String>,
    pub duration_ms: Option<f64>,
}

/// What `plan` says, before anything runs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlanView {
    pub pipeline: String,
    pub file: String,
    pub params: Map<String, Value>,
    pub hits: usize,
    pub misses: usize,
    /// The sum of the misses' medians in earlier runs; absent where one has never run.
    pub estimated_ms: Option<f64>,
    pub steps: Vec<PlanStepView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlanStepView {
    pub step: String,
    pub uses: String,
    pub plugin: String,
    pub kind: String,
    pub digest: String,
    pub cache: String,
    pub reason: String,
    pub grants: GrantsView,
    /// Input name to `step.output`.
    pub inputs: BTreeMap<String, String>,
    pub needs: Vec<String>,
    /// The condition that decides when the run comes to the step.
    pub when: Option<String>,
    /// What a `search` step would run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub search: Option<PlanSearchView>,
    pub estimated_ms: Option<f64>,
    /// The outputs, for a hit.
    #[schemars(with = "BTreeMap<String, shapes::OutputShape>")]
    pub outputs: BTreeMap<String, OutputRecord>,
}

/// How many runs a search is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlanSearchView {
    /// The pipeline that each trial runs.
    pub pipeline: String,
    pub trials: usize,
    /// Trials of one round.
    pub parallel: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GrantsView {
    pub read: Vec<String>,
    pub http: Vec<String>,
    pub endpoints: Vec<String>,
    /// Names of secrets.
    pub secrets: Vec<String>,
}

/// What `verify` found.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct VerifyView {
    pub run: String,
    pub pipeline: String,
    /// `equal` if every step is.
    pub result: String,
    pub steps: Vec<VerifyStepView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct VerifyStepView {
    pub step: String,
    pub plugin: String,
    /// `equal`, `different`, `captured` (recorded, not reproducible by its grants) or `skipped` (had no outputs).
    pub result: String,
    pub duration_ms: f64,
    pub outputs: BTreeMap<String, VerifiedOutput>,
    #[schemars(with = "Option<shapes::DiagnosticShape>")]
    pub error: Option<Diagnostic>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct VerifiedOutput {
    pub recorded: Option<String>,
    pub reproduced: Option<String>,
}

/// A step's failure at its place in the pipeline file. `source` is the file's text, if it is still at hand.
pub fn diagnose(graph: &Graph, step: &BoundStep, failure: &Failure, source: Option<&Source>) -> Diagnostic {
    let message = format!("step `{}`: {}", step.key, failure.message);
    let mut diagnostic = Diagnostic::new(&failure.code, message);
    diagnostic.hint.clone_from(&failure.hint);
    let span = place(step, failure);
    match source {
        Some(source) => diagnostic.at(source, span),
        None => {
            diagnostic.line = Some(span.line);
            diagnostic.column = Some(span.column);
            diagnostic.in_file(&graph.file)
        }
    }
}

/// The configuration key or input at fault, else the nearest key above it, else the step.
fn place(step: &BoundStep, failure: &Failure) -> Span {
    let Some(field) = &failure.field else { return step.spans.step };
    let mut path = field.as_str();
    loop {
        if let Some(span) = step.spans.with.get(path).or_else(|| step.spans.inputs.get(path)) {
            return *span;
        }
        match path.rsplit_once('.') {
            Some((above, _)) => path = above,
            None => return step.spans.step,
        }
    }
}
