//! Predictions outside any run: the golden rows of a release, the first rows of an imported model.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use wasmlops_core::artifact::ModelDocument;
use wasmlops_core::call::{Cancel, LogLine, MetricPoint, Observer, Progress};
use wasmlops_core::graph::StepKind;
use wasmlops_core::limits::Limits;
use wasmlops_core::run::Failure;
use wasmlops_core::table::Table;
use wasmlops_package::{Digest, Kind};

use super::stage::Stage;
use super::{Attempt, Executor, Made, Reach, Revealed, Work};

/// What a model says of raw rows: through its transforms, then its predictor, each in a sandbox of its own with the
/// default limits. Everything comes from the artifact store by digest. Blocking.
///
/// # Errors
/// As of a step that predicts: a blob that is missing, rows that do not fit, a fault of the component.
pub fn predict_rows(executor: &Executor, model: &ModelDocument, rows: Table) -> Result<Table, Failure> {
    let work = Work::outside_runs(Kind::Predictor, model.plugin.clone(), model.predictor);
    let stage = Stage::make(&executor.scratch, &executor.blobs, &work.files)?;
    let mut attempt = Attempt {
        executor,
        work: &work,
        stage,
        observer: Arc::new(Unheard),
        cancel: Cancel::default(),
        model: None,
        made: Made::default(),
    };
    attempt.predictions(model, rows)
}

impl Work {
    /// Work that no run and no pipeline asks for: no inputs, files or configuration yet, the default limits.
    pub(crate) fn outside_runs(kind: Kind, plugin: String, component: Digest) -> Self {
        Self {
            kind: StepKind::Plugin(kind),
            apply: false,
            plugin,
            component,
            strict: false,
            config: json!({}),
            inputs: Vec::new(),
            files: BTreeMap::new(),
            seed: [0; 32],
            nominal_time: 0,
            limits: Limits::default(),
            outputs: Vec::new(),
            checkpoint: None,
            reach: Reach::default(),
            secrets: Revealed::default(),
            delivery: None,
        }
    }
}

/// Nobody listens to what is said outside runs; a failure carries its own message.
struct Unheard;

impl Observer for Unheard {
    fn log(&self, _: LogLine) {}
    fn metrics(&self, _: Vec<MetricPoint>) {}
    fn progress(&self, _: Progress) {}
    fn checkpoint(&self, _: Vec<u8>) {}
}
