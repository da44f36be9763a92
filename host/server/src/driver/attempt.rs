//! One attempt of a step: runs it away from the async threads, keeps its log as it grows, stores what it made.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use wasmlops_core::artifact::OutputRecord;
use wasmlops_core::call::{Cancel, Usage};
use wasmlops_core::graph::StepKey;
use wasmlops_core::run::{Failure, Metrics, Micros};
use wasmlops_package::{Algorithm, Digest};
use wasmlops_store::{LogRow, MetricPoint};

use crate::collector::{Collector, Heard};
use crate::error::{Error, Result};
use crate::executor::{Executed, Made, Work, host_failure};
use crate::host::Host;
use crate::watch::RunObserver;

/// How often the log of a running step reaches the store.
const FLUSH: Duration = Duration::from_millis(250);

pub(super) struct Attempt {
    pub host: Host,
    pub run: String,
    pub step: StepKey,
    pub attempt: u32,
    pub key: Option<Digest>,
    pub work: Work,
    pub observer: Arc<dyn RunObserver>,
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
    usage: Usage,
}

impl Attempt {
    pub async fn run(self) -> Ran {
        let clock = self.host.clock.clone();
        let collector = Arc::new(Collector::new(self.step.clone(), clock.clone(), self.observer.clone()));
        let mut points = Vec::new();
        let mut stored = match self.execute(&collector, &mut points).await {
            Ok(stored) => stored,
            Err(error) => Stored { failure: Some(host_failure(error)), ..Stored::default() },
        };
        if let Err(error) = self.keep(collector.take(), &mut points).await {
            stored.failure.get_or_insert_with(|| host_failure(error));
        }
        let Stored { failure, outputs, usage } = stored;
        Ran { failure, outputs, metrics: collector.metrics(), points, usage, ended: clock.now() }
    }

    /// Errors: faults of the host; the guest's failures are part of the answer.
    async fn execute(&self, collector: &Arc<Collector>, points: &mut Vec<MetricPoint>) -> Result<Stored> {
        let mut work = self.work.clone();
        work.checkpoint = self.checkpoint().await?;
        let (executor, cancel) = (self.host.executor.clone(), self.cancel.clone());
        let (blobs, listener) = (self.host.store.blobs().clone(), collector.clone());
        let mut worker = tokio::task::spawn_blocking(move || {
            let Executed { failure, made } = executor.execute(&work, listener, cancel);
            let usage = made.usage.clone();
            match stored(made, |bytes| blobs.put_blocking(Algorithm::Blake3, bytes)) {
                Ok(outputs) => Stored { failure, outputs, usage },
                // Where even the report cannot be stored, the failure itself still counts.
                Err(error) => {
                    let failure = failure.or_else(|| Some(host_failure(error)));
                    Stored { failure, outputs: BTreeMap::new(), usage }
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
        let Some(key) = &self.key else { return Ok(None) };
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
            let digest = self.host.store.blobs().put(state).await.map_err(Error::store)?;
            self.host.store.save_checkpoint(*key, digest, self.host.clock.now()).await?;
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
