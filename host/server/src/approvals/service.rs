//! Watches the time: an approval that nobody decides expires, and its run goes on to its failure.

use std::time::Duration;

use tokio::sync::watch;
use wasmlops_store::Stamp;

use crate::error::Result;
use crate::host::Host;
use crate::runs;

/// How often it looks: nobody minds if an approval that was open for hours expires a second late.
const TICK: Duration = Duration::from_secs(1);

/// Runs that are gone on with in one go; the others wait for the next tick.
const RUNS: u32 = 100;

/// In whose name runs go on that time alone lets go on.
const ACTOR: &str = "system:approvals";

/// The service that lets approvals expire, and sees that every run goes on whose decision is made. One for a host.
pub struct Approvals {
    host: Host,
}

impl Approvals {
    pub fn new(host: &Host) -> Self {
        Self { host: host.clone() }
    }

    /// Runs until `shutdown` turns true.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) {
        let mut told = None;
        while !*shutdown.borrow() {
            match self.tick().await {
                Ok(_) => told = None,
                // Tried again at the next tick; said once for each new reason.
                Err(error) => {
                    let text = error.to_string();
                    if told.as_ref() != Some(&text) {
                        tracing::error!("approvals could not be looked at: {text}");
                    }
                    told = Some(text);
                }
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                // Nobody is left who could say it: then it is over.
                changed = shutdown.changed() => if changed.is_err() { break },
            }
        }
    }

    /// Lets expire what is due, and puts every run into the queue that can go on. Gives these runs.
    pub async fn tick(&self) -> Result<Vec<String>> {
        let host = &self.host;
        host.store.expire_approvals(None, host.clock.now()).await?;
        let runs = host.store.runs_to_go_on_with(RUNS).await?;
        for run in &runs {
            let stamp = Stamp { time: host.clock.now(), actor: ACTOR.to_owned() };
            host.store.requeue(run, stamp).await?;
        }
        if !runs.is_empty() {
            runs::wake(host);
        }
        Ok(runs)
    }
}
