//! Runs at the door: start one here, or let one wait for a server; go on with one, look at them, stop one.

mod cancel;
mod compare;
mod go_on;
mod graph;
mod lock;
mod queue;
mod show;
mod submit;

use std::sync::Arc;

use wasmlops_core::call::Cancel;
use wasmlops_core::diagnostics::Source;
use wasmlops_core::graph::Graph;
use wasmlops_core::run::{Event, Micros, Run, RunStatus};
use wasmlops_package::Digest;
use wasmlops_store::{NewRun, RunRow, SourceState, Stamp};

use crate::clock::new_id;
use crate::driver::Drive;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::project::source_state;
use crate::view::RunView;
use crate::watch::RunObserver;

pub use cancel::cancel;
pub use compare::{
    Compared, ComparedMetric, ComparedParam, ComparedRun, ComparedStep, ComparisonView, StepResult, compare,
};
pub(crate) use go_on::{GoOn, go_on};
pub use graph::{GraphStepView, GraphView, graph};
pub(crate) use lock::RunLock;
pub use queue::{QueueView, QueuedView, queue, resume_later, wake};
pub use show::{RunsPage, list, logs, show, step_views};
pub use submit::{Prepared, Submission, Submitted, derived_id, prepare, submit, submit_in};

/// How a pipeline is to be run.
pub struct RunOptions {
    /// The run's id, where the caller needs to know it before: 32 hex digits as of [`new_id`]. Absent: a new one.
    pub id: Option<String>,
    pub seed: u64,
    /// What guests' clocks say; the start of the run where absent.
    pub nominal_time: Option<Micros>,
    pub use_cache: bool,
    /// The pipeline file's text, to show the line of a failure.
    pub source: Option<Source>,
    pub observer: Arc<dyn RunObserver>,
    /// Stops the run.
    pub cancel: Cancel,
    /// In whose name the run acts: `cli:ann`, `monitor`.
    pub actor: String,
    /// What started it: `cli`, `monitor:drift`.
    pub origin: String,
}

/// Runs a graph to its end.
pub async fn start(host: &Host, graph: Graph, options: RunOptions) -> Result<RunView> {
    host.plugins.keep(&graph, host.store.blobs())?;
    let now = host.clock.now();
    let id = options.id.unwrap_or_else(|| new_id(&*host.clock));
    let nominal_time = options.nominal_time.unwrap_or(now);
    let _lock = RunLock::take(&host.home, &id)?
        .ok_or_else(|| Error::bug(format!("the new run `{id}` is locked by somebody else")))?;
    let new = NewRun {
        id: id.clone(),
        experiment: "0".to_owned(),
        pipeline: graph.pipeline.clone(),
        name: graph.pipeline.clone(),
        params: serde_json::to_string(&graph.params).map_err(Error::bug)?,
        graph: serde_json::to_string(&graph).map_err(Error::bug)?,
        nominal_time,
        seed: options.seed,
        parent: None,
        origin: options.origin,
        tracked: tracked(&graph),
        source: kept_source(host).await?,
        stamp: Stamp { time: now, actor: options.actor.clone() },
    };
    host.store.create_run(new).await?;
    let drive = Drive {
        host: host.clone(),
        id: id.clone(),
        run: Run::new(Arc::new(graph)),
        next_seq: 0,
        seed: options.seed,
        nominal_time,
        use_cache: options.use_cache,
        source: options.source,
        observer: options.observer,
        cancel: options.cancel,
        actor: options.actor,
        pace: None,
        stopper: None,
    };
    drive.drive(vec![Event::Started]).await?;
    show(host, &id).await
}

/// Goes on here with a run that failed, was cancelled, or whose process died.
pub async fn resume(
    host: &Host,
    id: &str,
    actor: &str,
    observer: Arc<dyn RunObserver>,
    cancel: Cancel,
) -> Result<RunView> {
    let Some(_lock) = RunLock::take(&host.home, id)? else { return Err(active(id)) };
    let mut row = loaded(host, id).await?;
    let run = replayed(host, &row).await?;
    if run.status() == RunStatus::Succeeded {
        return Err(succeeded(id));
    }
    if row.status.is_final() && !matches!(run.status(), RunStatus::Failed | RunStatus::Cancelled) {
        // The end that its rows tell may be one that its events do not know.
        let stamp = Stamp { time: host.clock.now(), actor: actor.to_owned() };
        host.store.reopen_run(id, stamp).await?;
        row = loaded(host, id).await?;
    }
    let how = GoOn { actor: actor.to_owned(), use_cache: true, observer, cancel, pace: None, stopper: None };
    go_on(host, row, run, how).await?;
    show(host, id).await
}

fn active(id: &str) -> Error {
    let message = format!("run `{id}` is under way in another process");
    Error::user("run-active", message, "wait for it, or stop it with `wasmlops runs cancel`")
}

fn succeeded(id: &str) -> Error {
    let hint = "start a new run with `wasmlops run`; what is unchanged comes from the cache";
    Error::user("run-succeeded", format!("run `{id}` has succeeded already"), hint)
}

pub(crate) async fn loaded(host: &Host, id: &str) -> Result<RunRow> {
    let row = host.store.load_run(id).await?;
    Ok(row.ok_or_else(|| wasmlops_store::StoreError::RunNotFound(id.to_owned()))?)
}

pub(crate) async fn replayed(host: &Host, row: &RunRow) -> Result<Run> {
    let graph = Arc::new(graph_of(host, &row.id).await?);
    let mut run = Run::new(graph);
    for event in host.store.events(&row.id).await? {
        let parsed: Event = serde_json::from_str(&event.event).map_err(Error::bug)?;
        run.apply(&parsed, event.time).map_err(Error::bug)?;
    }
    Ok(run)
}

/// The exact graph of a run, as it was bound when the run was made.
pub(crate) async fn graph_of(host: &Host, id: &str) -> Result<Graph> {
    let text = host.store.run_graph(id).await?;
    let text = text.ok_or_else(|| wasmlops_store::StoreError::RunNotFound(id.to_owned()))?;
    serde_json::from_str(&text).map_err(Error::bug)
}

/// Parameters as MLflow's clients see them: text.
pub(crate) fn tracked(graph: &Graph) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    graph.params.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

async fn kept_source(host: &Host) -> Result<Option<SourceState>> {
    let Some(state) = source_state(&host.project.root).await else { return Ok(None) };
    let mut patch_digest: Option<Digest> = None;
    if let Some(patch) = state.patch {
        patch_digest = Some(host.store.blobs().put(patch).await.map_err(Error::store)?);
    }
    Ok(Some(SourceState {
        git_commit: Some(state.commit),
        branch: state.branch,
        dirty_digest: patch_digest,
        patch_digest,
    }))
}
