//! One claimed run, from the claim to what becomes of its row.

use std::sync::Arc;

use tokio::sync::watch;
use wasmlops_core::call::Cancel;
use wasmlops_core::diagnostics::Diagnostic;
use wasmlops_core::run::RunStatus;
use wasmlops_store::Stamp;

use super::ATTEMPTS;
use super::slots::Slot;
use crate::driver::{Ending, Pace};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::runs::{self, GoOn, RunLock};
use crate::watch::Unwatched;

/// Who the audit names for what is done with a run that kills its processes.
const ACTOR: &str = "system:dispatcher";

pub(super) struct Job {
    pub host: Host,
    pub run: String,
    pub pipeline: String,
    /// This one included.
    pub attempts: i64,
    pub pace: watch::Receiver<Pace>,
    pub lock: RunLock,
    pub slot: Slot,
}

impl Job {
    /// # Errors
    /// Faults of the host. The run stays claimed, and is found again as that of a process that died.
    pub async fn run(self) -> Result<()> {
        let row = self.host.store.queue_row(&self.run).await?;
        let row = row.ok_or_else(|| Error::bug("a claimed run has no row"))?;
        self.go_on(row.actor, row.use_cache).await
    }

    async fn go_on(self, actor: String, use_cache: bool) -> Result<()> {
        let Self { host, run: id, attempts, pace, lock, slot, pipeline: _ } = self;
        if attempts > ATTEMPTS {
            quarantine(&host, &id).await?;
        } else {
            let row = runs::loaded(&host, &id).await?;
            let run = runs::replayed(&host, &row).await?;
            if run.status() == RunStatus::Succeeded {
                // Its end is durable, and took it out of the queue.
                return Ok(());
            }
            let how = GoOn {
                actor,
                use_cache,
                observer: Arc::new(Unwatched),
                cancel: Cancel::default(),
                pace: Some(pace),
                stopper: None,
            };
            match runs::go_on(&host, row, run, how).await? {
                Ending::Finished(_) => {}
                // A decision, or the end of the time for one, lets it wait again.
                Ending::Waiting => host.store.leave_queue(&id).await?,
                Ending::Unfinished => host.store.give_back(&id, false).await?,
            }
        }
        // Held to here: nobody may think that its process died.
        drop((lock, slot));
        Ok(())
    }
}

async fn quarantine(host: &Host, id: &str) -> Result<()> {
    let message = format!("the process that ran it died or failed {ATTEMPTS} times: it is not begun again");
    let error = Diagnostic::new("quarantined", message)
        .hint("see the server's log for why; `wasmlops runs resume` tries once more");
    let error = serde_json::to_string(&error).map_err(Error::bug)?;
    let stamp = Stamp { time: host.clock.now(), actor: ACTOR.to_owned() };
    host.store.quarantine(id, error, stamp).await?;
    Ok(())
}
