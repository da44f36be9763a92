//! Letting a run wait for a server: everything that can be wrong with it is said at once, and what was acknowledged is
//! run exactly once.

use serde_json::{Map, Value, json};
use tokio::sync::MutexGuard;
use wasmlops_core::canonical_json;
use wasmlops_core::diagnostics::{Diagnostic, Diagnostics};
use wasmlops_core::graph::Graph;
use wasmlops_core::queue::PRIORITIES;
use wasmlops_core::run::Micros;
use wasmlops_package::Digest;
use wasmlops_store::{Enqueued, NewQueued, NewRun, SourceState, Stamp, Tx};

use super::{kept_source, show, tracked, wake};
use crate::clock::new_id;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::planning::{self, LockPolicy};
use crate::view::RunView;

/// Runs that are submitted within this time are recorded with the state of the project's code that the first of them
/// saw: asking Git takes longer than everything else.
const SOURCE_AGE: Micros = 1_000_000;

/// A run that somebody wants.
#[derive(Clone, PartialEq, Debug)]
pub struct Submission {
    /// 32 lower-case hex digits, as of [`new_id`] or [`derived_id`]. The same id with the same submission is the same
    /// run. Absent: a new one.
    pub id: Option<String>,
    /// The name of a pipeline of the project, never a path.
    pub pipeline: String,
    pub params: Map<String, Value>,
    pub seed: u64,
    /// What guests' clocks say; the time of the submission where absent.
    pub nominal_time: Option<Micros>,
    pub use_cache: bool,
    /// -100 to 100; higher ones first.
    pub priority: i32,
    /// What started it: `api`, `schedule:nightly`, `trigger:on-push`, `backfill:ID`.
    pub origin: String,
    /// The run that it belongs to.
    pub parent: Option<String>,
    /// W3C's `traceparent`.
    pub trace: Option<String>,
}

impl Default for Submission {
    fn default() -> Self {
        Self {
            id: None,
            pipeline: String::new(),
            params: Map::new(),
            seed: 0,
            nominal_time: None,
            use_cache: true,
            priority: 0,
            origin: "api".to_owned(),
            parent: None,
            trace: None,
        }
    }
}

/// A submission that has been checked: only to be written.
#[derive(Clone, Debug)]
pub struct Prepared {
    id: String,
    /// Absent: the run is there already.
    new: Option<NewQueued>,
}

impl Prepared {
    /// The id of the run.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The same run at another time: `submission` differs from the one that was prepared in its id, which must be given
    /// and new, its nominal time and its origin alone. As many of these may wait as there are: whoever makes them keeps
    /// their number small.
    pub(crate) async fn at_another_time(&self, host: &Host, submission: &Submission) -> Result<Self> {
        let (Some(id), Some(new)) = (&submission.id, &self.new) else {
            return Err(Error::bug("a run for another time has an id, and a run that is new to follow"));
        };
        let mut new = new.clone();
        new.run.id.clone_from(id);
        new.run.nominal_time = submission.nominal_time.unwrap_or(new.run.nominal_time);
        new.run.origin.clone_from(&submission.origin);
        new.run.source = recent_source(host).await?;
        new.submission = fingerprint(submission);
        new.most = u32::MAX;
        Ok(Self { id: id.clone(), new: Some(new) })
    }
}

/// A run that waits, or waited, for a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Submitted {
    pub run: String,
    /// `false`: it was there already, by the same submission.
    pub created: bool,
}

/// Lets a run wait for a server. Durable when it returns.
///
/// # Errors
/// [`Error::User`] with every problem of the submission; `run-conflict` where the id is that of a run that was asked for
/// otherwise; `queue-full` where too many wait.
pub async fn submit(host: &Host, submission: Submission, actor: &str) -> Result<RunView> {
    let prepared = prepare(host, &submission).await?;
    let (now, actor) = (host.clock.now(), actor.to_owned());
    let submitted = host
        .store
        .with_tx(move |tx| Box::pin(async move { submit_in(tx, prepared, Stamp { time: now, actor }).await }));
    let submitted = submitted.await?;
    // One that was there may have been acknowledged by nobody yet.
    host.store.barrier().await?;
    if submitted.created {
        wake(host);
    }
    show(host, &submitted.run).await
}

/// Writes a run that waits in the caller's transaction. It is durable once the transaction has committed and
/// [`wasmlops_store::Store::barrier`] was passed; [`wake`] tells the dispatcher.
///
/// # Errors
/// `run-conflict` and `queue-full`, as of [`submit`].
pub async fn submit_in(tx: &mut Tx, prepared: Prepared, stamp: Stamp) -> Result<Submitted> {
    let Prepared { id, new } = prepared;
    let Some(mut new) = new else { return Ok(Submitted { run: id, created: false }) };
    let most = new.most;
    new.run.stamp = stamp;
    match wasmlops_store::queue::enqueue(tx, new).await? {
        Enqueued::Created => Ok(Submitted { run: id, created: true }),
        Enqueued::AlreadyThere => Ok(Submitted { run: id, created: false }),
        Enqueued::Differs => Err(conflict(&id)),
        Enqueued::Full(waiting) => {
            let message = format!("{waiting} runs wait, and at most {most} may");
            let hint = "try again later, or raise `concurrency: { queued: … }` in wasmlops.yaml";
            Err(Error::user("queue-full", message, hint))
        }
    }
}

/// Checks a submission and binds its pipeline as it stands in the project's folder now. Writes no row.
///
/// # Errors
/// [`Error::User`] with every problem; `run-conflict` as of [`submit`].
pub async fn prepare(host: &Host, submission: &Submission) -> Result<Prepared> {
    let problems = problems(submission);
    if let Some(id) = submission.id.as_ref().filter(|_| problems.is_empty())
        && let Some(known) = host.store.submission_of(id).await?
    {
        let is_same = known.is_some_and(|known| known == fingerprint(submission));
        return if is_same { Ok(Prepared { id: id.clone(), new: None }) } else { Err(conflict(id)) };
    }
    let graph = bound(host, submission, problems).await?;
    let id = submission.id.clone().unwrap_or_else(|| new_id(&*host.clock));
    let now = host.clock.now();
    let run = NewRun {
        id: id.clone(),
        experiment: "0".to_owned(),
        pipeline: graph.pipeline.clone(),
        name: graph.pipeline.clone(),
        params: serde_json::to_string(&graph.params).map_err(Error::bug)?,
        graph: serde_json::to_string(&graph).map_err(Error::bug)?,
        nominal_time: submission.nominal_time.unwrap_or(now),
        seed: submission.seed,
        parent: submission.parent.clone(),
        origin: submission.origin.clone(),
        tracked: tracked(&graph),
        source: recent_source(host).await?,
        // Given by whoever writes it.
        stamp: Stamp { time: now, actor: String::new() },
    };
    let new = NewQueued {
        run,
        submission: fingerprint(submission),
        priority: submission.priority,
        use_cache: submission.use_cache,
        trace: submission.trace.clone(),
        most: host.project.concurrency.queued,
    };
    Ok(Prepared { id, new: Some(new) })
}

/// An id that follows from what it is for, so that the same cause gives the same run: `["trigger", "on-push", "17"]`.
pub fn derived_id(parts: &[&str]) -> String {
    let mut bytes = b"wasmlops-run-id/1".to_vec();
    for part in parts {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part.as_bytes());
    }
    Digest::blake3(&bytes).hex()[..32].to_owned()
}

/// Binds the pipeline and keeps its plugins, away from the async threads.
async fn bound(host: &Host, submission: &Submission, mut problems: Vec<Diagnostic>) -> Result<Graph> {
    if let Some(parent) = &submission.parent
        && host.store.load_run(parent).await?.is_none()
    {
        let hint = "`parent` is the id of a run of this project";
        problems.push(Diagnostic::new("unknown-run", format!("there is no run `{parent}`")).hint(hint));
    }
    let (host, name, params) = (host.clone(), submission.pipeline.clone(), submission.params.clone());
    let bind = move || {
        let graph = graph(&host, &name, &params);
        match graph {
            Ok(graph) if problems.is_empty() => {
                host.plugins.keep(&graph, host.store.blobs())?;
                Ok(graph)
            }
            Ok(_) => Err(Error::User(Diagnostics(problems))),
            Err(Error::User(more)) => {
                problems.extend(more.0);
                Err(Error::User(Diagnostics(problems)))
            }
            Err(error) => Err(error),
        }
    };
    tokio::task::spawn_blocking(bind).await.map_err(Error::bug)?
}

fn graph(host: &Host, name: &str, params: &Map<String, Value>) -> Result<Graph> {
    let names = host.project.pipeline_names();
    if !names.iter().any(|known| known == name) {
        let near = wasmlops_core::diagnostics::suggest(name, names.iter().map(String::as_str));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "pipelines are the files under `pipelines/` in the project's folder".to_owned(),
        };
        return Err(Error::user("unknown-pipeline", format!("there is no pipeline `{name}`"), hint));
    }
    let pipeline = host.project.pipeline(&host.project.root, Some(name))?;
    planning::bound(host, &pipeline, params, LockPolicy::Update)
}

/// What is wrong with a submission, whatever the pipeline says.
fn problems(submission: &Submission) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    if let Some(id) = &submission.id
        && !is_run_id(id)
    {
        let message = format!("`{}` is no id of a run", id.chars().take(64).collect::<String>());
        problems.push(Diagnostic::new("invalid-id", message).hint("an id is 32 lower-case hexadecimal digits"));
    }
    if !PRIORITIES.contains(&submission.priority) {
        let (least, most) = (PRIORITIES.start(), PRIORITIES.end());
        let message = format!("`priority` must be from {least} to {most}, not {}", submission.priority);
        problems.push(Diagnostic::new("wrong-value", message).hint("leave it out for 0"));
    }
    problems
}

/// Nothing else becomes the name of a lock's file.
fn is_run_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// What makes two submissions the same: all but who asked, and for which trace.
fn fingerprint(submission: &Submission) -> String {
    let value = json!({
        "pipeline": submission.pipeline, "params": submission.params, "seed": submission.seed,
        "nominal_time": submission.nominal_time, "use_cache": submission.use_cache, "priority": submission.priority,
        "origin": submission.origin, "parent": submission.parent,
    });
    Digest::blake3(canonical_json::to_canonical(&value).as_bytes()).to_string()
}

fn conflict(id: &str) -> Error {
    let message = format!("run `{id}` is there already, with another pipeline, parameters or origin");
    Error::user("run-conflict", message, "take another id, or leave it out")
}

async fn recent_source(host: &Host) -> Result<Option<SourceState>> {
    // Held while Git is asked, so that of many submissions at once one asks.
    let mut seen: MutexGuard<'_, _> = host.seen_source.lock().await;
    let now = host.clock.now();
    if let Some((at, state)) = &*seen
        && (0..SOURCE_AGE).contains(&(now - at))
    {
        return Ok(state.clone());
    }
    let state = kept_source(host).await?;
    *seen = Some((now, state.clone()));
    Ok(state)
}
