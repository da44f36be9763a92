//! What waits for a server to run it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmlops_store::{QueueRow, QueueState, Stamp};

use super::{RunLock, active, show, succeeded};
use crate::clock::rfc3339;
use crate::error::Result;
use crate::host::Host;
use crate::view::RunView;

/// Runs shown at the most; the count says how many there are.
const SHOWN: u32 = 1000;

/// The queue of a project.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct QueueView {
    /// Runs that go on at once at the most.
    pub limit: u32,
    /// Runs that may wait.
    pub queued_limit: u32,
    /// How many wait.
    pub waiting: u64,
    /// Those that a server runs, then those that wait: the highest priority first, of these the oldest.
    pub runs: Vec<QueuedView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct QueuedView {
    pub run: String,
    pub pipeline: String,
    /// `queued`, or `claimed` by a server that runs it.
    pub state: String,
    pub priority: i32,
    pub origin: String,
    pub actor: String,
    /// RFC 3339.
    pub enqueued: String,
    /// How often a server began to run it and did not come to a good end.
    pub attempts: i64,
}

pub async fn queue(host: &Host) -> Result<QueueView> {
    let mut rows = host.store.queue(QueueState::Claimed, SHOWN).await?;
    rows.extend(host.store.queue(QueueState::Queued, SHOWN).await?);
    let waiting = host.store.queue_length(QueueState::Queued).await?;
    let limits = &host.project.concurrency;
    Ok(QueueView {
        limit: limits.runs,
        queued_limit: limits.queued,
        waiting: waiting.unsigned_abs(),
        runs: rows.into_iter().map(view).collect(),
    })
}

fn view(row: QueueRow) -> QueuedView {
    QueuedView {
        run: row.run,
        pipeline: row.pipeline,
        state: row.state.to_string(),
        priority: row.priority,
        origin: row.origin,
        actor: row.actor,
        enqueued: rfc3339(row.enqueued),
        attempts: row.attempts,
    }
}

/// Lets a server go on with a run that failed, was cancelled, or whose process died. Durable when it returns.
pub async fn resume_later(host: &Host, id: &str, actor: &str) -> Result<RunView> {
    // Held until it waits, so that nobody else begins to drive it.
    let Some(_lock) = RunLock::take(&host.home, id)? else { return Err(active(id)) };
    let stamp = Stamp { time: host.clock.now(), actor: actor.to_owned() };
    if !host.store.requeue(id, stamp).await? {
        return Err(succeeded(id));
    }
    host.store.barrier().await?;
    wake(host);
    show(host, id).await
}

/// Tells the dispatcher of this process that there is something new in the queue; without it, it finds out within half a
/// second. For those who used [`super::submit_in`] and have committed.
pub fn wake(host: &Host) {
    host.queue_bell.notify_one();
}
