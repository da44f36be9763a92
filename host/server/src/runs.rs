//! Runs at the door: start one, go on with one, look at them, stop one.

mod lock;
mod show;

use std::sync::Arc;

use wasmlops_core::call::Cancel;
use wasmlops_core::diagnostics::Source;
use wasmlops_core::graph::{Graph, StepKey};
use wasmlops_core::run::{Event, Micros, Phase, Run, RunStatus};
use wasmlops_package::Digest;
use wasmlops_store::{CancelAnswer, NewRun, RunRow, SourceState, Stamp};

use crate::clock::new_id;
use crate::driver::{ACTOR, Drive};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::project::source_state;
use crate::view::RunView;
use crate::watch::RunObserver;

use lock::RunLock;
pub use show::{list, logs, show, step_views};

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
        source: kept_source(host).await?,
        stamp: Stamp { time: now, actor: ACTOR.to_owned() },
    };
    host.store.create_run(new).await?;
    record_params(host, &id, &graph, now).await?;
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
    };
    drive.drive(vec![Event::Started]).await?;
    show(host, &id).await
}

/// Goes on with a run that failed, was cancelled, or whose process died.
pub async fn resume(host: &Host, id: &str, observer: Arc<dyn RunObserver>, cancel: Cancel) -> Result<RunView> {
    let Some(_lock) = RunLock::take(&host.home, id)? else {
        let message = format!("run `{id}` is under way in another process");
        return Err(Error::user("run-active", message, "wait for it, or stop it with `wasmlops runs cancel`"));
    };
    let row = loaded(host, id).await?;
    let run = replayed(host, &row).await?;
    let events = match run.status() {
        RunStatus::Succeeded => {
            let hint = "start a new run with `wasmlops run`; what is unchanged comes from the cache";
            return Err(Error::user("run-succeeded", format!("run `{id}` has succeeded already"), hint));
        }
        RunStatus::Failed | RunStatus::Cancelled => vec![Event::Resumed],
        RunStatus::Scheduled => vec![Event::Started],
        RunStatus::Running => lost_attempts(&run),
    };
    host.plugins.keep(run.graph(), host.store.blobs())?;
    let drive = Drive {
        host: host.clone(),
        id: id.to_owned(),
        run,
        next_seq: row.next_seq,
        seed: row.seed,
        nominal_time: row.nominal_time,
        use_cache: true,
        source: None,
        observer,
        cancel,
    };
    drive.drive(events).await?;
    show(host, id).await
}

/// Asks a run to stop. A run without a process is brought to its end here.
pub async fn cancel(host: &Host, id: &str) -> Result<RunView> {
    let stamp = Stamp { time: host.clock.now(), actor: ACTOR.to_owned() };
    match host.store.request_cancel(id, stamp).await? {
        CancelAnswer::AlreadyEnded(status) => {
            let message = format!("run `{id}` has ended already: it {}", past(status));
            return Err(Error::user("run-ended", message, "only a run that is under way can be stopped"));
        }
        CancelAnswer::Requested | CancelAnswer::AlreadyRequested => {}
    }
    if let Some(_lock) = RunLock::take(&host.home, id)? {
        let row = loaded(host, id).await?;
        if !row.status.is_final() {
            end_abandoned(host, row).await?;
        }
    }
    show(host, id).await
}

async fn end_abandoned(host: &Host, row: RunRow) -> Result<()> {
    let run = replayed(host, &row).await?;
    let start = (run.status() == RunStatus::Scheduled).then_some(Event::Started);
    let lost = running(&run).map(|step| Event::AttemptCancelled { step });
    let cancelling = (!run.is_cancelling()).then_some(Event::CancelRequested);
    let events = start.into_iter().chain(cancelling).chain(lost).collect();
    let drive = Drive {
        host: host.clone(),
        id: row.id,
        run,
        next_seq: row.next_seq,
        seed: row.seed,
        nominal_time: row.nominal_time,
        use_cache: true,
        source: None,
        observer: Arc::new(crate::watch::Unwatched),
        cancel: Cancel::default(),
    };
    drive.drive(events).await?;
    Ok(())
}

fn lost_attempts(run: &Run) -> Vec<Event> {
    let event = |step| match run.is_cancelling() {
        true => Event::AttemptCancelled { step },
        false => Event::AttemptLost { step },
    };
    running(run).map(event).collect()
}

fn running(run: &Run) -> impl Iterator<Item = StepKey> {
    run.steps().filter(|(_, state)| state.phase == Phase::Running).map(|(step, _)| step.key.clone())
}

async fn loaded(host: &Host, id: &str) -> Result<RunRow> {
    let row = host.store.load_run(id).await?;
    Ok(row.ok_or_else(|| wasmlops_store::StoreError::RunNotFound(id.to_owned()))?)
}

async fn replayed(host: &Host, row: &RunRow) -> Result<Run> {
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
async fn record_params(host: &Host, id: &str, graph: &Graph, now: Micros) -> Result<()> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let params: Vec<_> = graph.params.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    if !params.is_empty() {
        host.store.set_params(id, params, Stamp { time: now, actor: ACTOR.to_owned() }).await?;
    }
    Ok(())
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

fn past(status: wasmlops_store::RunStatus) -> String {
    match status {
        wasmlops_store::RunStatus::Cancelled => "was cancelled".to_owned(),
        status => status.to_string(),
    }
}
