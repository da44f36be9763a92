//! What the store of one call holds: everything the guest can reach, and nothing of any other call.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmlops_core::call::{Endpoints, Model, Observer, Sandbox};
use wasmlops_core::limits::Limits;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtx;

use crate::home::Home;
use crate::host::blobs::BlobSlot;
use crate::host::tables::WriterSlot;
use crate::limiter::Limiter;
use crate::log_sink::LogSink;
use crate::wasi::files::FileRules;
use crate::wasi::http::Outgoing;
use crate::wasi::random::Randomness;
use crate::wasi::stdio::Stdio;
use crate::watch::Watch;

/// Handles (tables, writers, blobs, files, streams) that a guest may hold at once. The default is a million.
pub(crate) const MAX_HANDLES: usize = 1024;
/// Handles of the guest's own resources and its borrows of ours, counted by wasmtime, some of them twice. The default
/// is 100,000.
pub(crate) const MAX_GUEST_HANDLES: usize = 4 * MAX_HANDLES;

pub(crate) struct State {
    pub watch: Arc<Watch>,
    pub log: LogSink,
    pub observer: Arc<dyn Observer>,
    pub limiter: Limiter,
    pub handles: ResourceTable,

    pub wasi: WasiCtx,
    pub stdio: Stdio,
    pub files: FileRules,
    pub random: Randomness,
    pub http: Outgoing,

    pub metric_points_left: u64,
    pub checkpoint: Option<Arc<[u8]>>,
    pub blob_inputs: BTreeMap<String, Arc<[u8]>>,
    /// Names that may be created.
    pub blob_outputs: Vec<String>,
    pub blobs: Vec<BlobSlot>,
    pub writers: Vec<WriterSlot>,
    pub output: OutputBudget,
    /// The one under evaluation.
    pub model: Option<Arc<dyn Model>>,
    pub outside: Outside,
}

impl State {
    /// Errors: the folder of granted files cannot be opened.
    pub fn new(
        limits: &Limits,
        sandbox: Sandbox,
        observer: Arc<dyn Observer>,
        watch: Arc<Watch>,
        home: Home,
    ) -> wasmtime::Result<Self> {
        let log = LogSink::new(observer.clone(), limits.log_bytes);
        let stdio = Stdio::new(&log, &watch);
        let mut handles = ResourceTable::new();
        handles.set_max_capacity(MAX_HANDLES);
        Ok(Self {
            limiter: Limiter::new(limits.memory),
            handles,
            wasi: crate::wasi::context(&sandbox, &stdio, &watch)?,
            stdio,
            files: FileRules::default(),
            random: Randomness::new(&sandbox.seed),
            http: Outgoing::new(sandbox.http, home.clone(), &watch, &log),
            metric_points_left: limits.metric_points,
            checkpoint: sandbox.checkpoint,
            blob_inputs: sandbox.blobs,
            blob_outputs: sandbox.blob_outputs,
            blobs: Vec::new(),
            writers: Vec::new(),
            output: OutputBudget::new(limits.output_bytes),
            model: sandbox.model,
            outside: Outside { endpoints: sandbox.endpoints, home },
            watch,
            log,
            observer,
        })
    }
}

/// What reaches out of the sandbox, where the call was granted any of it.
pub(crate) struct Outside {
    pub endpoints: Option<Arc<dyn Endpoints>>,
    pub home: Home,
}

/// Bytes of tables, blobs and the checkpoint, together.
pub(crate) struct OutputBudget {
    limit: u64,
    written: u64,
    checkpoint: u64,
    peak: u64,
    /// What did not fit, first of all.
    refused: Option<String>,
}

impl OutputBudget {
    pub fn new(limit: u64) -> Self {
        Self { limit, written: 0, checkpoint: 0, peak: 0, refused: None }
    }

    /// Takes `bytes` for good; `what` names the output in a refusal.
    ///
    /// Errors: the refusal in words, when they do not fit.
    pub fn take(&mut self, bytes: u64, what: &str) -> Result<(), String> {
        let written = self.written.saturating_add(bytes);
        self.settle(written, self.checkpoint, what)
    }

    /// As [`OutputBudget::take`], for a checkpoint, which takes the place of the one before.
    pub fn take_checkpoint(&mut self, bytes: u64) -> Result<(), String> {
        self.settle(self.written, bytes, "checkpoint")
    }

    fn settle(&mut self, written: u64, checkpoint: u64, what: &str) -> Result<(), String> {
        let total = written.saturating_add(checkpoint);
        if total > self.limit {
            let refusal = format!("`{what}` would take the output beyond the limit of {} bytes", self.limit);
            self.refused.get_or_insert_with(|| refusal.clone());
            return Err(refusal);
        }
        (self.written, self.checkpoint) = (written, checkpoint);
        self.peak = self.peak.max(total);
        Ok(())
    }

    pub fn bytes(&self) -> u64 {
        self.peak
    }

    pub fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_takes_the_place_of_the_one_before() {
        let mut output = OutputBudget::new(100);
        output.take(40, "table").unwrap();
        output.take_checkpoint(60).unwrap();
        output.take_checkpoint(50).unwrap();
        output.take(10, "table").unwrap();
        assert!(output.take(1, "report").unwrap_err().contains("`report`"));
        assert!(output.refused().is_some());
        assert_eq!(output.bytes(), 100);
    }
}
