//! Going on with a run from what is durable of it: the first time, after a failure, after the death of a process.

use std::sync::Arc;

use tokio::sync::watch;
use wasmlops_core::call::Cancel;
use wasmlops_core::run::{Event, Run, RunStatus};
use wasmlops_core::search::Stopper;
use wasmlops_store::{NewEvents, RunChange, RunRow, Stamp};

use super::cancel::running;
use crate::driver::{Drive, Ending, Pace};
use crate::error::Result;
use crate::host::Host;
use crate::watch::RunObserver;

/// How to go on.
pub(crate) struct GoOn {
    pub actor: String,
    pub use_cache: bool,
    pub observer: Arc<dyn RunObserver>,
    pub cancel: Cancel,
    pub pace: Option<watch::Receiver<Pace>>,
    /// Of a trial.
    pub stopper: Option<Stopper>,
}

/// Drives a run from where it is. The caller holds its lock, and knows that it has not succeeded.
pub(crate) async fn go_on(host: &Host, row: RunRow, run: Run, how: GoOn) -> Result<Ending> {
    let events = match run.status() {
        RunStatus::Failed | RunStatus::Cancelled => vec![Event::Resumed],
        RunStatus::Scheduled => vec![Event::Started],
        _ => lost_attempts(&run),
    };
    if run.status() == RunStatus::Running && row.status == wasmlops_store::RunStatus::Scheduled {
        begin_again(host, &row, &how.actor).await?;
    }
    host.plugins.keep(run.graph(), host.store.blobs())?;
    let drive = Drive {
        host: host.clone(),
        id: row.id,
        run,
        next_seq: row.next_seq,
        seed: row.seed,
        nominal_time: row.nominal_time,
        use_cache: how.use_cache,
        source: None,
        observer: how.observer,
        cancel: how.cancel,
        actor: how.actor,
        pace: how.pace,
        stopper: how.stopper,
    };
    drive.drive(events).await
}

/// A run that was taken from the queue as one that kills its processes waits with status `scheduled`, while its events
/// say that it has begun.
async fn begin_again(host: &Host, row: &RunRow, actor: &str) -> Result<()> {
    let new = NewEvents {
        run: row.id.clone(),
        expected_next_seq: row.next_seq,
        events: Vec::new(),
        change: RunChange { status: Some(wasmlops_store::RunStatus::Running), ..RunChange::default() },
        stamp: Stamp { time: host.clock.now(), actor: actor.to_owned() },
    };
    host.store.append_events(new).await?;
    Ok(())
}

fn lost_attempts(run: &Run) -> Vec<Event> {
    let event = |step| match run.is_cancelling() {
        true => Event::AttemptCancelled { step },
        false => Event::AttemptLost { step },
    };
    running(run).map(event).collect()
}
