//! Watches endpoints: judges each window of the inference log with the monitor's plugin and does what the rules say.
//!
//! A judgement is a run like any other, of a pipeline with one step: so it is sandboxed, cached, in the lineage, and can
//! be verified. What follows from it is written in the same transaction as the findings and done afterwards, so that a
//! death in between loses nothing.
//!
//! Read in this order: [`due`] (which window is next), [`judge`] (from rows to findings), [`act`] (from findings to
//! actions), [`view`].

pub mod act;
pub mod due;
pub mod judge;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use wasmlops_core::config::MonitorConfig;

use crate::error::{Error, Result};
use crate::host::Host;

/// How often windows and actions are looked at.
const TICK: Duration = Duration::from_millis(500);

/// Actions looked at in one go; the others wait for the next tick.
const ACTIONS: u32 = 32;

/// The service that judges windows as they fill. One for a host.
pub struct Monitoring {
    host: Host,
}

impl Monitoring {
    pub fn new(host: &Host) -> Self {
        Self { host: host.clone() }
    }

    /// Runs until `shutdown` turns true. What is under way then is finished first.
    pub async fn run(self, shutdown: watch::Receiver<bool>) {
        // Apart, since an action may be the run of a pipeline: other windows must not wait for it.
        tokio::join!(self.judge(shutdown.clone()), self.act(shutdown));
    }

    /// A monitor that fails is tried again at the next tick, and says so once in the log for each new reason.
    async fn judge(&self, mut shutdown: watch::Receiver<bool>) {
        let mut told = BTreeMap::new();
        while !*shutdown.borrow() {
            for monitor in &self.host.project.monitors {
                let name = &monitor.name.value;
                match judge_if_due(&self.host, monitor).await {
                    Ok(_) => {
                        told.remove(name);
                    }
                    Err(error) => {
                        let text = error.to_string();
                        if told.insert(name.clone(), text.clone()).as_ref() != Some(&text) {
                            tracing::error!(monitor = %name, "the window could not be judged: {text}");
                        }
                    }
                }
            }
            pause(&mut shutdown).await;
        }
    }

    /// Each action in a task of its own, so that an alert does not wait for a retraining.
    async fn act(&self, mut shutdown: watch::Receiver<bool>) {
        let mut under_way = BTreeSet::new();
        let mut tasks = JoinSet::new();
        while !*shutdown.borrow() {
            match self.host.store.due_actions(self.host.clock.now(), ACTIONS).await {
                Ok(due) => {
                    for action in due {
                        if under_way.insert(action.id.clone()) {
                            let host = self.host.clone();
                            tasks.spawn(async move { (action.id.clone(), act::perform(&host, &action).await) });
                        }
                    }
                }
                Err(error) => tracing::error!("the actions of monitors could not be read: {error}"),
            }
            tokio::select! {
                () = pause(&mut shutdown) => {}
                Some(ended) = tasks.join_next() => done(ended, &mut under_way),
            }
        }
        while let Some(ended) = tasks.join_next().await {
            done(ended, &mut under_way);
        }
    }
}

fn done(ended: Result<(String, Result<()>), JoinError>, under_way: &mut BTreeSet<String>) {
    match ended {
        Ok((id, performed)) => {
            under_way.remove(&id);
            if let Err(error) = performed {
                tracing::error!(action = %id, "the action of a monitor could not be recorded: {error}");
            }
        }
        // Its id stays: whatever made it fail so badly is not tried again by this process.
        Err(error) => tracing::error!("the action of a monitor ended badly: {error}"),
    }
}

async fn pause(shutdown: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(TICK) => {}
        // Nobody is left who could say it: then it is over.
        changed = shutdown.changed() => if changed.is_err() { tokio::time::sleep(TICK).await },
    }
}

/// Judges the monitor's next window if it is full. Gives what was recorded.
pub async fn judge_if_due(host: &Host, monitor: &MonitorConfig) -> Result<Option<wasmlops_store::WindowRow>> {
    let Some(window) = due::next(host, monitor).await? else { return Ok(None) };
    judge::judge(host, monitor, window).await.map(Some)
}

/// The monitor of that name in the project file.
pub fn configured<'a>(host: &'a Host, name: &str) -> Result<&'a MonitorConfig> {
    let monitors = &host.project.monitors;
    monitors.iter().find(|monitor| monitor.name.value == name).ok_or_else(|| {
        let names: Vec<String> = monitors.iter().map(|monitor| format!("`{}`", monitor.name.value)).collect();
        let hint = match names.is_empty() {
            true => "add it under `monitors` in wasmlops.yaml".to_owned(),
            false => format!("there is {}", names.join(", ")),
        };
        Error::user("unknown-monitor", format!("there is no monitor `{name}`"), hint)
    })
}
