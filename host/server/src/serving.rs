//! Endpoints: warm releases that answer predictions, and the way from one release to the next.
//!
//! Tables say what is to be served, by anybody who can write them; one task for each endpoint makes it so. [`Options`] →
//! [`Service`] (run it once, in one process) → [`Serving`], the handle that answers. A request takes no lock that a task
//! holds: routes are swapped as a whole, and what a request got hold of lives until it is done. Knows nothing of HTTP.
//!
//! | part | what |
//! |---|---|
//! | [`control`] | changes an endpoint: reads its rows, lets core decide, and writes, in one transaction |
//! | `task` | makes memory what the rows say: loads, unloads, sets the traffic, judges |
//! | `build`, `loaded`, `pool`, `batching` | a release in memory |
//! | `routes`, `predict` | one request |
//! | `shadow` | copies of requests, and how the answers compare |
//! | [`view`] | what the outside sees |

mod alias;
mod batching;
mod build;
pub mod control;
mod handle;
mod kept;
mod loaded;
mod pool;
mod predict;
mod routes;
mod shadow;
mod statistics;
mod task;
#[cfg(test)]
mod tests;
pub mod view;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use wasmlops_core::config::EndpointConfig;
use wasmlops_core::table::{Batch, Schema};
use wasmlops_store::Changes;

use crate::error::Result;
use crate::host::Host;
use crate::inference::{InferenceLogs, LogPolicy};

use routes::Shared;
use task::EndpointTask;

/// How often the tables are looked at: what another process writes shows within this time.
const POLL: Duration = Duration::from_millis(100);

/// What is served, and with what.
pub struct Options {
    pub host: Host,
    pub endpoints: Vec<EndpointConfig>,
    /// Where requests are recorded; absent: nowhere.
    pub log: Option<InferenceLogs>,
}

/// Keeps endpoints as their tables say.
pub struct Service {
    host: Host,
    tasks: Vec<EndpointTask>,
    mirrors: Vec<shadow::Mirror>,
    /// Counts up when a table may have changed.
    generation: watch::Sender<u64>,
}

/// Answers predictions. Cheap to clone; works as long as the [`Service`] runs.
#[derive(Clone)]
pub struct Serving {
    endpoints: Arc<ArcSwap<BTreeMap<String, Arc<Shared>>>>,
}

/// Rows to predict.
pub struct PredictRequest<'r> {
    pub endpoint: &'r str,
    /// Only this version may answer; absent: whichever the traffic's shares choose.
    pub version: Option<u64>,
    /// The columns of `rows`: a version that wants others, or another order, gets them by name.
    pub schema: Arc<Schema>,
    /// At least one.
    pub rows: Batch,
    /// What the caller calls the request; absent: it gets an id. The same id goes to the same release.
    pub id: Option<String>,
}

/// An answer, and who gave it.
#[derive(Clone, Debug)]
pub struct Prediction {
    pub id: String,
    pub endpoint: String,
    pub model: String,
    pub version: u64,
    /// The columns of `rows`.
    pub schema: Arc<Schema>,
    /// One for each row of the request, in the same order.
    pub rows: Batch,
    pub took: Duration,
}

/// Why there is no prediction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PredictError {
    #[error("there is no endpoint of this name")]
    UnknownEndpoint,
    #[error("the endpoint does not serve this version")]
    UnknownVersion,
    #[error("the endpoint is not ready: no release is live")]
    NotReady,
    #[error("the endpoint is overloaded\nhint: try again in {} ms", .retry_after.as_millis())]
    Overloaded { retry_after: Duration },
    #[error("the endpoint did not answer before its deadline")]
    DeadlineExceeded,
    /// The model failed.
    #[error("the model failed: {message}")]
    Model { message: String },
    /// The rows are at fault.
    #[error("{message}")]
    InvalidInput { message: String },
    /// The host failed.
    #[error("the prediction could not be recorded: {message}")]
    Internal { message: String },
}

impl PredictError {
    /// The case in kebab-case: what logs and answers say.
    pub fn code(&self) -> &'static str {
        match self {
            PredictError::UnknownEndpoint => "unknown-endpoint",
            PredictError::UnknownVersion => "unknown-version",
            PredictError::NotReady => "not-ready",
            PredictError::Overloaded { .. } => "overloaded",
            PredictError::DeadlineExceeded => "deadline-exceeded",
            PredictError::Model { .. } => "model",
            PredictError::InvalidInput { .. } => "invalid-input",
            PredictError::Internal { .. } => "internal",
        }
    }
}

/// What a client has to know of an endpoint.
#[derive(Clone, Debug)]
pub struct EndpointInfo {
    pub name: String,
    /// The registered model's name.
    pub model: String,
    /// The version that is live.
    pub live: Option<u64>,
    /// The versions that can be asked for, ascending.
    pub versions: Vec<u64>,
    /// Whether it answers.
    pub ready: bool,
    /// The columns that it is given: the model's raw input without its target. Empty while it is not ready.
    pub input: Arc<Schema>,
    /// The columns that it gives. Empty while it is not ready.
    pub output: Arc<Schema>,
}

impl Service {
    /// Reads nothing yet: endpoints are ready some time after [`Service::run`] was called.
    pub async fn new(options: Options) -> Result<(Self, Serving)> {
        let Options { host, endpoints, log } = options;
        let (mut shared_by_name, mut tasks, mut mirrors) = (BTreeMap::new(), Vec::new(), Vec::new());
        for config in endpoints {
            let log = match &log {
                Some(logs) => Some(logs.log(&config.name.value, policy(&config)).await?),
                None => None,
            };
            let (shared, mirror) = Shared::new(config, host.clock.clone(), log);
            mirrors.push(mirror);
            tasks.push(EndpointTask::new(host.clone(), shared.clone()));
            shared_by_name.insert(shared.name().to_owned(), shared);
        }
        let endpoints = Arc::new(ArcSwap::from_pointee(shared_by_name));
        let generation = watch::Sender::new(0);
        Ok((Self { host, tasks, mirrors, generation }, Serving { endpoints }))
    }

    /// Serves until `shutdown`. Requests that have begun come to their end all the same.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<()> {
        let changes = self.host.store.changes().await?;
        let stop = watch::Sender::new(false);
        let mut running = JoinSet::new();
        for task in self.tasks {
            running.spawn(task.run(self.generation.subscribe(), stop.subscribe()));
        }
        for mirror in self.mirrors {
            running.spawn(mirror.run(stop.subscribe()));
        }
        tokio::pin!(shutdown);
        poll(changes, &self.generation, shutdown).await;
        stop.send_replace(true);
        while let Some(ended) = running.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task of an endpoint ended badly");
            }
        }
        Ok(())
    }
}

/// Wakes the endpoints when anybody has written to the database.
async fn poll(mut changes: Changes, generation: &watch::Sender<u64>, mut shutdown: impl Future<Output = ()> + Unpin) {
    let mut look = tokio::time::interval(POLL);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            _ = look.tick() => match changes.look().await {
                Ok(true) => generation.send_modify(|generation| *generation += 1),
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the database could not be looked at"),
            },
        }
    }
    changes.close().await;
}

/// Ends when the service does.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that has gone has stopped, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn policy(config: &EndpointConfig) -> LogPolicy {
    LogPolicy { sample: config.log.sample, rows: config.log.rows, bytes: config.log.bytes }
}
