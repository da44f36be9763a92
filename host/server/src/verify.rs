//! Verification: every step of a run again, from the recorded inputs, and the outputs compared byte for byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmlops_core::artifact::OutputRecord;
use wasmlops_core::cache_key::KeyParts;
use wasmlops_core::call::Cancel;
use wasmlops_core::graph::{BoundStep, Graph, StepKind};
use wasmlops_core::run::Failure;
use wasmlops_package::Digest;
use wasmlops_store::StepRow;

use crate::collector::Collector;
use crate::driver::stored;
use crate::error::{Error, Result};
use crate::executor::{Executed, Work, host_failure};
use crate::host::Host;
use crate::registration;
use crate::search::{self, Searching, Trials};
use crate::view::{StepView, VerifiedOutput, VerifyStepView, VerifyView, diagnose};
use crate::watch::RunObserver;

/// Runs every step of a run again and compares. Nothing is recorded: the run and the cache stay as they are.
pub async fn verify(host: &Host, id: &str, observer: Arc<dyn RunObserver>, cancel: Cancel) -> Result<VerifyView> {
    let row = host.store.load_run(id).await?;
    let row = row.ok_or_else(|| wasmlops_store::StoreError::RunNotFound(id.to_owned()))?;
    let graph = crate::runs::graph_of(host, id).await?;
    let views = crate::runs::step_views(host, id).await?;
    let rows = host.store.steps(id).await?;
    let mut steps = Vec::new();
    for (step, view) in graph.steps.iter().zip(views) {
        let row = rows.iter().find(|row| row.step_key == step.key.as_str());
        let verifier = Verifier { host, graph: &graph, step, recorded: &view };
        observer.step_started(&step.key, 1);
        let verified = match row.and_then(parts) {
            // What a person decided is the truth, and cannot be made again.
            Some(_) if step.kind == StepKind::Approval => verifier.captured(),
            _ if step.is_captured() => verifier.captured(),
            Some(_) if step.kind == StepKind::Artifact => verifier.present(),
            Some(_) if step.kind == StepKind::Model => verifier.rebuilt(id).await?,
            Some(parts) if step.kind == StepKind::Search => verifier.searched(&parts, id, &observer, &cancel).await?,
            Some(parts) => verifier.again(&parts, id, &observer, &cancel).await?,
            None => verifier.skipped(),
        };
        observer.step_ended(&StepView { status: verified.result.clone(), cache: None, ..view });
        steps.push(verified);
        if cancel.is_cancelled() {
            return Err(Error::user("cancelled", "the verification was stopped", "start it again"));
        }
    }
    let different = steps.iter().any(|step| step.result == "different");
    Ok(VerifyView {
        run: id.to_owned(),
        pipeline: row.pipeline,
        result: if different { "different" } else { "equal" }.to_owned(),
        steps,
    })
}

fn parts(row: &StepRow) -> Option<KeyParts> {
    serde_json::from_str(row.key_parts.as_deref()?).ok()
}

struct Verifier<'a> {
    host: &'a Host,
    graph: &'a Graph,
    step: &'a BoundStep,
    recorded: &'a StepView,
}

impl Verifier<'_> {
    async fn again(
        &self,
        parts: &KeyParts,
        id: &str,
        observer: &Arc<dyn RunObserver>,
        cancel: &Cancel,
    ) -> Result<VerifyStepView> {
        if self.recorded.outputs.is_empty() {
            return Ok(self.skipped());
        }
        let row = self.host.store.load_run(id).await?.ok_or_else(|| Error::bug("the run is gone"))?;
        // A result that was taken from the cache was made at another run's nominal time.
        let nominal_time = self.clock_of(parts).await?.unwrap_or(row.nominal_time);
        let work = Work::new(self.step, parts, row.seed, nominal_time);
        let listener = Arc::new(Collector::new(self.step.key.clone(), self.host.clock.clone(), observer.clone()));
        let (executor, cancel) = (self.host.executor.clone(), cancel.clone());
        let begun = self.host.clock.now();
        let task = tokio::task::spawn_blocking(move || executor.execute(&work, listener, cancel));
        let Executed { failure, made } = task.await.map_err(Error::bug)?;
        let duration_ms = (self.host.clock.now() - begun) as f64 / 1e3;
        let digest = |bytes: &[u8]| Ok::<_, Failure>(Digest::blake3(bytes));
        let made = stored(made, digest).map_err(|failure| Error::Host(failure.message))?;
        Ok(self.compared(&made, failure, duration_ms))
    }

    /// The whole search again: every suggestion, every step of every trial, every early stop. Nothing of what its trials
    /// recorded is used, because their runs may be gone while the result is still there (a search whose result came from
    /// the cache has no trials of its own at all), and because this proves the decisions and the bytes at one stroke.
    async fn searched(
        &self,
        parts: &KeyParts,
        id: &str,
        observer: &Arc<dyn RunObserver>,
        cancel: &Cancel,
    ) -> Result<VerifyStepView> {
        if self.recorded.outputs.is_empty() {
            return Ok(self.skipped());
        }
        let row = self.host.store.load_run(id).await?.ok_or_else(|| Error::bug("the run is gone"))?;
        let nominal_time = self.clock_of(parts).await?.unwrap_or(row.nominal_time);
        let listener = Collector::new(self.step.key.clone(), self.host.clock.clone(), observer.clone());
        let with = Searching {
            host: self.host.clone(),
            inputs: parts.inputs.clone(),
            files: parts.files.clone(),
            seed: row.seed,
            nominal_time,
            listener: Arc::new(listener),
            cancel: cancel.clone(),
        };
        let begun = self.host.clock.now();
        let found = search::run(self.step, with, Trials::Again).await?;
        let duration_ms = (self.host.clock.now() - begun) as f64 / 1e3;
        Ok(match found {
            Ok(found) => self.compared(&found.outputs, None, duration_ms),
            Err(failure) => self.compared(&BTreeMap::new(), Some(failure), duration_ms),
        })
    }

    /// The nominal time that the result depends on, if it does.
    async fn clock_of(&self, parts: &KeyParts) -> Result<Option<i64>> {
        let entry = self.host.store.cache_lookup(&parts.key()).await?;
        Ok(entry.and_then(|entry| entry.clock))
    }

    fn compared(
        &self,
        made: &BTreeMap<String, OutputRecord>,
        failure: Option<Failure>,
        duration_ms: f64,
    ) -> VerifyStepView {
        let names = self.recorded.outputs.keys().chain(made.keys());
        let outputs: BTreeMap<String, VerifiedOutput> = names
            .map(|name| {
                let digest = |output: &OutputRecord| output.digest.to_string();
                let recorded = self.recorded.outputs.get(name).map(digest);
                (name.clone(), VerifiedOutput { recorded, reproduced: made.get(name).map(digest) })
            })
            .collect();
        let equal = outputs.values().all(|output| output.recorded == output.reproduced);
        // A step that failed in the run, such as a gate, fails again; what counts is that it says the same.
        let as_before = failure.is_none() || self.recorded.status == "failed";
        let error = failure.filter(|_| !as_before).or_else(|| (!equal).then(|| not_equal(self.step)));
        VerifyStepView {
            step: self.step.key.to_string(),
            plugin: self.step.plugin.to_string(),
            result: if equal && as_before { "equal" } else { "different" }.to_owned(),
            duration_ms,
            outputs,
            error: error.map(|failure| diagnose(self.graph, self.step, &failure, None)),
        }
    }

    /// What reached outside is not done again: its recorded output is the truth.
    fn captured(&self) -> VerifyStepView {
        let recorded = |output: &OutputRecord| Some(output.digest.to_string());
        let outputs = self.recorded.outputs.iter();
        let outputs = outputs
            .map(|(name, output)| (name.clone(), VerifiedOutput { recorded: recorded(output), reproduced: None }));
        let outputs: BTreeMap<_, _> = outputs.collect();
        let result = if outputs.is_empty() { "skipped" } else { "captured" };
        VerifyStepView { result: result.to_owned(), outputs, ..self.skipped() }
    }

    /// An artifact was there before the run: it still is, byte for byte, or it is not.
    fn present(&self) -> VerifyStepView {
        if self.recorded.outputs.is_empty() {
            return self.skipped();
        }
        let there = |output: &&OutputRecord| self.host.store.blobs().get_blocking(&output.digest).is_ok();
        let names = self.recorded.outputs.iter().filter(|(_, output)| there(output));
        let made = names.map(|(name, output)| (name.clone(), output.clone())).collect();
        self.compared(&made, None, 0.0)
    }

    /// The content of the version, made again from the run's facts. Nothing is registered.
    async fn rebuilt(&self, id: &str) -> Result<VerifyStepView> {
        if self.recorded.outputs.is_empty() {
            return Ok(self.skipped());
        }
        let facts = registration::recorded(self.host, id).await?;
        let begun = self.host.clock.now();
        let document = registration::document(self.host, self.graph, self.step, &facts).await;
        let duration_ms = (self.host.clock.now() - begun) as f64 / 1e3;
        Ok(match document {
            Ok(document) => {
                let mut made = registration::version_output(&document);
                if let Some(recorded) = self.recorded.outputs.get("version")
                    && registration::names_an_earlier(self.host, id, &recorded.digest, &document).await?
                {
                    made = recorded.clone();
                }
                self.compared(&BTreeMap::from([("version".to_owned(), made)]), None, duration_ms)
            }
            Err(error) => self.compared(&BTreeMap::new(), Some(host_failure(error)), duration_ms),
        })
    }

    fn skipped(&self) -> VerifyStepView {
        VerifyStepView {
            step: self.step.key.to_string(),
            plugin: self.step.plugin.to_string(),
            result: "skipped".to_owned(),
            duration_ms: 0.0,
            outputs: BTreeMap::new(),
            error: None,
        }
    }
}

fn not_equal(step: &BoundStep) -> Failure {
    Failure {
        code: "different".to_owned(),
        message: "the same inputs gave other bytes than were recorded".to_owned(),
        hint: Some(format!(
            "either the store was changed, or {} is not deterministic; `strict: true` on the step rules out NaNs",
            step.plugin
        )),
        ..host_failure("")
    }
}
