//! Stopping a run, whoever drives it.

use std::sync::Arc;

use wasmlops_core::call::Cancel;
use wasmlops_core::graph::StepKey;
use wasmlops_core::run::{Event, Phase, Run, RunStatus};
use wasmlops_store::{CancelAnswer, RunRow, Stamp};

use super::{RunLock, loaded, replayed, show};
use crate::driver::Drive;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::view::RunView;
use crate::watch::Unwatched;

/// Asks a run to stop. A run without a process, such as one that waits in the queue, is brought to its end here.
pub async fn cancel(host: &Host, id: &str, actor: &str) -> Result<RunView> {
    let stamp = Stamp { time: host.clock.now(), actor: actor.to_owned() };
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
            end_abandoned(host, row, actor).await?;
        }
        end_abandoned_trials(host, id, actor).await?;
    }
    show(host, id).await
}

/// A search whose process is gone leaves trials under way; one that lives stops its own.
async fn end_abandoned_trials(host: &Host, id: &str, actor: &str) -> Result<()> {
    for row in host.store.children_of(id).await? {
        if row.status.is_final() || !row.origin.starts_with("search:") {
            continue;
        }
        if let Some(_lock) = RunLock::take(&host.home, &row.id)? {
            end_abandoned(host, row, actor).await?;
        }
    }
    Ok(())
}

async fn end_abandoned(host: &Host, row: RunRow, actor: &str) -> Result<()> {
    let run = replayed(host, &row).await?;
    let start = match run.status() {
        RunStatus::Scheduled => Some(Event::Started),
        // It was to be resumed, and waits for that.
        RunStatus::Failed | RunStatus::Cancelled => Some(Event::Resumed),
        _ => None,
    };
    let lost = running(&run).map(|step| Event::AttemptCancelled { step });
    let cancelling = (start.is_some() || !run.is_cancelling()).then_some(Event::CancelRequested);
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
        observer: Arc::new(Unwatched),
        cancel: Cancel::default(),
        actor: actor.to_owned(),
        pace: None,
        stopper: None,
    };
    drive.drive(events).await?;
    Ok(())
}

pub(super) fn running(run: &Run) -> impl Iterator<Item = StepKey> {
    run.steps().filter(|(_, state)| state.phase == Phase::Running).map(|(step, _)| step.key.clone())
}

fn past(status: wasmlops_store::RunStatus) -> String {
    match status {
        wasmlops_store::RunStatus::Cancelled => "was cancelled".to_owned(),
        status => status.to_string(),
    }
}
