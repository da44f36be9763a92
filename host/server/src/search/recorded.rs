//! A trial as a run of its own: a child of the search's run, under an id that follows from that run, the step and the
//! trial's number. So whoever goes on with a search finds what its trials came to, and nothing is run twice.
//!
//! The search drives its trials itself. They never stand in the queue: a server whose every place is taken by searches
//! goes on all the same.

use std::sync::Arc;

use wasmlops_core::call::Usage;
use wasmlops_core::graph::{Graph, StepKey};
use wasmlops_core::run::{Failure, Run, RunStatus};
use wasmlops_core::search::{Stopper, Trial};
use wasmlops_store::{CacheOutcome, NewRun, RunRow, Stamp};

use super::{Ended, Running, Searching, failure, is_passing};
use crate::error::{Error, Result};
use crate::runs::{self, GoOn, RunLock};
use crate::watch::Unwatched;

/// Trials that leave a record.
#[derive(Clone)]
pub(crate) struct Recorded {
    /// The search's run.
    pub run: String,
    pub step: StepKey,
    pub actor: String,
    pub use_cache: bool,
}

/// What starts the trials of a step.
fn origin(step: &str) -> String {
    format!("search:{step}")
}

impl Recorded {
    pub(super) fn trial(self, with: Searching, trial: Trial, graph: Graph, stopper: Option<Stopper>) -> Running {
        Box::pin(async move { Child { of: self, with, trial, stopper }.run(graph).await })
    }

    fn child(&self, trial: usize) -> String {
        runs::derived_id(&["search", &self.run, self.step.as_str(), &trial.to_string()])
    }
}

struct Child {
    of: Recorded,
    with: Searching,
    trial: Trial,
    /// As before the first point.
    stopper: Option<Stopper>,
}

impl Child {
    async fn run(self, graph: Graph) -> Result<std::result::Result<Ended, Failure>> {
        let host = &self.with.host;
        let id = self.of.child(self.trial.number);
        if host.store.load_run(&id).await?.is_none() {
            if self.with.cancel.is_cancelled() {
                return Ok(Err(failure("cancelled", "cancelled".to_owned(), "resume the run")));
            }
            self.create(&id, &graph).await?;
        }
        let Some(_lock) = RunLock::take(&host.home, &id)? else {
            let message = format!("its run `{id}` is under way in another process");
            return Ok(Err(failure("run-active", message, "wait for it, or stop it with `wasmlops runs cancel`")));
        };
        let (row, run) = self.state(&id).await?;
        let ended = self.ended(&id, run).await?;
        if is_over(&ended) {
            return self.with_clock(&id, ended).await.map(Ok);
        }
        // One that was made goes on even where the search was stopped meanwhile: it ends as cancelled then.
        self.go_on(row, ended.run).await?;
        let (_, run) = self.state(&id).await?;
        let ended = self.ended(&id, run).await?;
        self.with_clock(&id, ended).await.map(Ok)
    }

    async fn create(&self, id: &str, graph: &Graph) -> Result<()> {
        let host = &self.with.host;
        let parent = runs::loaded(host, &self.of.run).await?;
        let new = NewRun {
            id: id.to_owned(),
            experiment: parent.experiment,
            pipeline: graph.pipeline.clone(),
            name: format!("trial {}", self.trial.number),
            params: serde_json::to_string(&graph.params).map_err(Error::bug)?,
            graph: serde_json::to_string(graph).map_err(Error::bug)?,
            nominal_time: self.with.nominal_time,
            seed: self.with.seed,
            parent: Some(self.of.run.clone()),
            origin: origin(self.of.step.as_str()),
            tracked: runs::tracked(graph),
            source: host.store.run_source(&self.of.run).await?,
            stamp: Stamp { time: host.clock.now(), actor: self.of.actor.clone() },
        };
        host.store.create_run(new).await?;
        Ok(())
    }

    async fn state(&self, id: &str) -> Result<(RunRow, Run)> {
        let row = runs::loaded(&self.with.host, id).await?;
        let run = runs::replayed(&self.with.host, &row).await?;
        Ok((row, run))
    }

    async fn go_on(&self, row: RunRow, run: Run) -> Result<()> {
        let how = GoOn {
            actor: self.of.actor.clone(),
            use_cache: self.of.use_cache,
            // The search tells how far it is; its trials' steps would be one line each.
            observer: Arc::new(Unwatched),
            cancel: self.with.cancel.clone(),
            pace: None,
            stopper: self.stopper.clone(),
        };
        runs::go_on(&self.with.host, row, run, how).await?;
        Ok(())
    }

    /// With the points that were recorded, as the stopper saw them.
    async fn ended(&self, id: &str, run: Run) -> Result<Ended> {
        let mut stopper = self.stopper.clone();
        if let Some(stopper) = &mut stopper {
            let (step, metric) = (stopper.step().to_owned(), stopper.metric().to_owned());
            for point in self.with.host.store.metric_history(id, &step, &metric).await? {
                stopper.point(&metric, point.step.unsigned_abs(), point.value);
            }
        }
        Ok(Ended { run, stopper, clock_read: false })
    }

    /// Whether a guest asked for the time, now or when the result was made that stood in for it.
    async fn with_clock(&self, id: &str, ended: Ended) -> Result<Ended> {
        let store = &self.with.host.store;
        for row in store.steps(id).await? {
            let usage: Option<Usage> = row.usage.as_deref().and_then(|text| serde_json::from_str(text).ok());
            let mut clock_read = usage.is_some_and(|usage| usage.clock_read);
            if let Some(key) = row.cache_key.filter(|_| row.cache == CacheOutcome::Hit) {
                clock_read |= store.cache_lookup(&key).await?.is_some_and(|entry| entry.clock.is_some());
            }
            if clock_read {
                return Ok(Ended { clock_read, ..ended });
            }
        }
        Ok(ended)
    }
}

/// Whether the trial is at an end that it would come to again. One that was cancelled by somebody, or failed by a fault
/// that may pass, goes on.
fn is_over(ended: &Ended) -> bool {
    if ended.stopper.as_ref().is_some_and(|stopper| stopper.stopped().is_some()) {
        return true;
    }
    match ended.run.status() {
        RunStatus::Succeeded => true,
        RunStatus::Failed => !ended.run.steps().any(|(_, state)| state.failure.as_ref().is_some_and(is_passing)),
        _ => false,
    }
}
