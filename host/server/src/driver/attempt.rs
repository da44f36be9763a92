//! One attempt of a step: runs it away from the async threads, keeps its log as it grows, stores what it made.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tracing::{Instrument, Span, info_span};
use wasmlops_core::artifact::{OutputRecord, VersionDocument};
use wasmlops_core::call::{Cancel, Usage};
use wasmlops_core::graph::{BoundStep, Graph, StepKey, StepKind};
use wasmlops_core::run::{Failure, Metrics, Micros};
use wasmlops_core::search::Stopper;
use wasmlops_package::{Algorithm, Digest};
use wasmlops_store::{LogRow, MetricPoint};

use crate::collector::{Collector, Heard};
use crate::deployment::{Delivery, Reach};
use crate::error::{Error, Result};
use crate::executor::{Executed, Made, Work, host_failure};
use crate::host::Host;
use crate::models::Provenance;
use crate::registration;
use crate::search;
use crate::secrets;
use crate::telemetry::TARGET;
use crate::watch::RunObserver;

use super::in_words;

/// How often the log of a running step reaches the store.
const FLUSH: Duration = Duration::from_millis(250);

/// The code of an attempt that ended because its trial is no better than others.
pub(super) const STOPPED_EARLY: &str = "stopped-early";

pub(super) struct Attempt {
    pub host: Host,
    pub run: String,
    pub graph: Arc<Graph>,
    pub step: StepKey,
    pub attempt: u32,
    pub key: Option<Digest>,
    pub work: Work,
    /// What a `model` step registers.
    pub document: Option<VersionDocument>,
    /// Of the run.
    pub seed: u64,
    pub nominal_time: Micros,
    /// Whether trials of a search may take earlier results.
    pub use_cache: bool,
    /// Ends the attempt early.
    pub stopper: Option<Stopper>,
    pub observer: Arc<dyn RunObserver>,
    /// Who the audit names for what the step does.
    pub actor: String,
    pub cancel: Cancel,
    /// Log lines kept so far.
    pub lines: AtomicI64,
}

/// What became of an attempt; outputs are in the store.
pub(super) struct Ran {
    pub failure: Option<Failure>,
    pub outputs: BTreeMap<String, OutputRecord>,
    pub metrics: Metrics,
    pub points: Vec<MetricPoint>,
    pub usage: Usage,
    pub ended: Micros,
}

/// What the worker leaves.
#[derive(Default)]
struct Stored {
    failure: Option<Failure>,
    outputs: BTreeMap<String, OutputRecord>,
    /// Beyond those that a guest said.
    metrics: Metrics,
    usage: Usage,
}

impl Attempt {
    pub async fn run(self) -> Ran {
        let clock = self.host.clock.clone();
        let collector = Collector::new(self.step.clone(), clock.clone(), self.observer.clone());
        let collector = Arc::new(match self.stopper.clone() {
            Some(stopper) => collector.stopping(stopper, self.cancel.clone()),
            None => collector,
        });
        let mut points = Vec::new();
        let done = match (&self.document, self.bound()) {
            (Some(document), _) => self.register(document.clone()).await,
            (None, Ok(step)) if step.kind == StepKind::Search => self.search(step, &collector).await,
            (None, _) => self.execute(&collector, &mut points).await,
        };
        let mut stored = match done {
            Ok(stored) => stored,
            Err(error) => Stored { failure: Some(in_words(error)), ..Stored::default() },
        };
        // Also where the guest was at its end before it could be stopped.
        if let Some(stopped) = collector.stopper().as_ref().and_then(Stopper::stopped) {
            let failure = Failure {
                code: STOPPED_EARLY.to_owned(),
                message: stopped.to_string(),
                hint: None,
                field: None,
                retryable: false,
            };
            stored = Stored { failure: Some(failure), usage: stored.usage, ..Stored::default() };
        }
        if let Err(error) = self.keep(collector.take(), &mut points).await {
            stored.failure.get_or_insert_with(|| host_failure(error));
        }
        let Stored { failure, outputs, metrics: own, usage } = stored;
        let now = clock.now();
        points.extend(own.0.iter().map(|(name, value)| self.point(name.clone(), *value, now)));
        let mut metrics = collector.metrics();
        metrics.0.extend(own.0);
        Ran { failure, outputs, metrics, points, usage, ended: now }
    }

    fn point(&self, key: String, value: f64, time: Micros) -> MetricPoint {
        MetricPoint { step_key: self.step.to_string(), key, value, step: 0, time }
    }

    /// A registration is repeated after a crash: it gives the same version.
    async fn register(&self, document: VersionDocument) -> Result<Stored> {
        let step = self.bound()?;
        let source = self.host.store.run_source(&self.run).await?;
        let provenance = Provenance {
            run: Some(self.run.clone()),
            step: Some(self.step.to_string()),
            git_commit: source.and_then(|source| source.git_commit),
        };
        let output = registration::version_output(&document);
        let version = registration::register(&self.host, step, document, provenance, &self.actor).await?;
        let metrics = registration::version_metric(version);
        Ok(Stored { outputs: BTreeMap::from([("version".to_owned(), output)]), metrics, ..Stored::default() })
    }

    /// Its trials are runs of their own, driven here.
    async fn search(&self, step: &BoundStep, collector: &Arc<Collector>) -> Result<Stored> {
        let trials = search::Recorded {
            run: self.run.clone(),
            step: step.key.clone(),
            actor: self.actor.clone(),
            use_cache: self.use_cache,
        };
        let searching = search::Searching {
            host: self.host.clone(),
            inputs: self.work.inputs.iter().map(|input| (input.name.clone(), input.digest)).collect(),
            files: self.work.files.clone(),
            seed: self.seed,
            nominal_time: self.nominal_time,
            listener: collector.clone(),
            cancel: self.cancel.clone(),
        };
        Ok(match search::run(step, searching, search::Trials::Recorded(trials)).await? {
            Ok(found) => {
                let usage = Usage { clock_read: found.clock_read, ..Usage::default() };
                Stored { outputs: found.outputs, metrics: found.metrics, usage, failure: None }
            }
            Err(failure) => Stored { failure: Some(failure), ..Stored::default() },
        })
    }

    fn bound(&self) -> Result<&BoundStep> {
        self.graph.step(&self.step).ok_or_else(|| Error::bug(format!("no step `{}`", self.step)))
    }

    /// Errors: faults of the host; the guest's failures are part of the answer.
    async fn execute(&self, collector: &Arc<Collector>, points: &mut Vec<MetricPoint>) -> Result<Stored> {
        let mut work = self.work.clone();
        work.checkpoint = self.checkpoint().await?;
        let step = self.bound()?;
        let (given, credentials) = secrets::for_step(&self.host, step).await?;
        work.secrets = given;
        work.reach = Reach::granted(&self.host, step, credentials, &self.actor);
        work.delivery = Delivery::of(&self.host, &self.graph, &self.run, step, &work).await?;
        if step.is_captured() {
            // Nothing outside may know of what a power loss could take back.
            self.host.store.barrier().await?;
        }
        let (executor, cancel) = (self.host.executor.clone(), self.cancel.clone());
        let (blobs, listener) = (self.host.store.blobs().clone(), collector.clone());
        let span = Span::current();
        let mut worker = tokio::task::spawn_blocking(move || {
            let _entered = span.entered();
            let Executed { failure, made } = executor.execute(&work, listener, cancel);
            let usage = made.usage.clone();
            let put = info_span!(target: TARGET, "blobs.put");
            match put.in_scope(|| stored(made, |bytes| blobs.put_blocking(Algorithm::Blake3, bytes))) {
                Ok(outputs) => Stored { failure, outputs, usage, ..Stored::default() },
                // Where even the report cannot be stored, the failure itself still counts.
                Err(error) => {
                    let failure = failure.or_else(|| Some(host_failure(error)));
                    Stored { failure, usage, ..Stored::default() }
                }
            }
        });
        loop {
            tokio::select! {
                stored = &mut worker => return stored.map_err(Error::bug),
                () = tokio::time::sleep(FLUSH) => self.keep(collector.take(), points).await?,
            }
        }
    }

    async fn checkpoint(&self) -> Result<Option<Vec<u8>>> {
        // Points before the checkpoint would be missing, and they decide whether the trial goes on.
        let Some(key) = self.key.as_ref().filter(|_| self.stopper.is_none()) else { return Ok(None) };
        let Some(digest) = self.host.store.load_checkpoint(key).await? else { return Ok(None) };
        // A checkpoint that was lost costs time, nothing else.
        Ok(self.host.store.blobs().get(&digest).await.ok())
    }

    async fn keep(&self, heard: Heard, points: &mut Vec<MetricPoint>) -> Result<()> {
        points.extend(heard.points.into_iter().map(|(time, point)| MetricPoint {
            step_key: self.step.to_string(),
            key: point.name,
            value: point.value,
            step: i64::try_from(point.step).unwrap_or(i64::MAX),
            time,
        }));
        if !heard.logs.is_empty() {
            let first = self.lines.fetch_add(heard.logs.len() as i64, Ordering::Relaxed);
            let lines = heard.logs.into_iter().zip(first..).map(|((time, line), seq)| self.log_row(seq, time, line));
            self.host.store.append_logs(&self.run, lines.collect::<Result<_>>()?).await?;
        }
        if let (Some(state), Some(key)) = (heard.checkpoint, &self.key) {
            let save = async {
                let digest = self.host.store.blobs().put(state).await.map_err(Error::store)?;
                self.host.store.save_checkpoint(*key, digest, self.host.clock.now()).await.map_err(Error::from)
            };
            save.instrument(info_span!(target: TARGET, "checkpoint.save")).await?;
        }
        Ok(())
    }

    fn log_row(&self, seq: i64, time: Micros, line: wasmlops_core::call::LogLine) -> Result<LogRow> {
        Ok(LogRow {
            step_key: self.step.to_string(),
            attempt: i64::from(self.attempt),
            seq,
            time,
            level: format!("{:?}", line.level).to_lowercase(),
            message: line.message,
            fields: serde_json::to_string(&line.fields).map_err(Error::bug)?,
        })
    }
}

/// Puts what was made into the store: parts first, so that an output never names what is not there.
pub(crate) fn stored<E>(
    made: Made,
    put: impl Fn(&[u8]) -> Result<Digest, E>,
) -> Result<BTreeMap<String, OutputRecord>, E> {
    for part in &made.parts {
        put(part)?;
    }
    let record = |(name, output): (String, crate::executor::Bytes)| {
        let digest = put(&output.bytes)?;
        let size = output.bytes.len() as u64;
        Ok((name, OutputRecord { digest, media_type: output.media_type, size, rows: output.rows }))
    };
    made.outputs.into_iter().map(record).collect()
}
