//! The logs of all endpoints, and the background that seals them.

use std::collections::BTreeMap;
use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use wasmlops_store::Store;

use super::{InferenceLog, LogPolicy, disk};
use crate::clock::Clock;
use crate::error::Result;

/// A journal that has been open for this long is sealed by and by.
pub(super) const SEAL_AFTER: Duration = Duration::from_secs(300);
/// How often the background looks for old journals.
const TICK: Duration = Duration::from_secs(5);

/// The logs of all endpoints. One process at a time may write them. Cheap to clone.
#[derive(Clone)]
pub struct InferenceLogs {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub store: Store,
    pub folder: PathBuf,
    pub clock: Arc<dyn Clock>,
    logs: Mutex<BTreeMap<String, Arc<InferenceLog>>>,
    /// A journal is full.
    pub full: Arc<Notify>,
    /// Keeps other processes from writing.
    _lock: File,
}

impl InferenceLogs {
    /// Opens the logs under the host's `home`, and what a process that died has left: torn tails are cut off, and
    /// journals that were being sealed are sealed or removed as the database says.
    ///
    /// # Errors
    /// The user's, if another process has them open; the host's, if the folder cannot be used.
    pub async fn open(store: Store, home: &Path, clock: Arc<dyn Clock>) -> Result<Self> {
        let folder = disk::folder(home);
        let lock = disk::lock(&folder)?;
        let shared =
            Shared { store, folder, clock, logs: Mutex::default(), full: Arc::new(Notify::new()), _lock: lock };
        let logs = Self { shared: Arc::new(shared) };
        for endpoint in disk::endpoints(&logs.shared.folder)? {
            logs.log_or_open(&endpoint, None).await?;
        }
        Ok(logs)
    }

    /// The log of an endpoint, from now on under this policy.
    pub async fn log(&self, endpoint: &str, policy: LogPolicy) -> Result<Arc<InferenceLog>> {
        self.log_or_open(endpoint, Some(policy)).await
    }

    /// The number that the endpoint's next row gets; the difference of two heads is the rows between them.
    pub fn head(&self, endpoint: &str) -> Option<u64> {
        self.logs().get(endpoint).map(|log| log.head())
    }

    /// Seals what the endpoint's journals hold, and keeps its caps.
    pub async fn seal(&self, endpoint: &str) -> Result<()> {
        let log = self.logs().get(endpoint).cloned();
        match log {
            Some(log) => log.seal(true).await,
            None => Ok(()),
        }
    }

    /// Seals journals that are full or older than five minutes. The background does this; a failure of one endpoint
    /// does not keep the others.
    pub async fn tend(&self) {
        let logs: Vec<_> = self.logs().values().cloned().collect();
        let now = self.shared.clock.now();
        for log in logs {
            if let Err(error) = log.seal(log.is_old(now)).await {
                tracing::error!(endpoint = log.endpoint, %error, "the inference log could not be sealed");
            }
        }
    }

    /// Works in the background until `shutdown`, then seals everything.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                () = self.shared.full.notified() => {}
                _ = tick.tick() => {}
            }
            self.tend().await;
        }
        self.close().await;
    }

    /// Seals everything. What cannot be sealed stays in its journal for the next start.
    pub async fn close(&self) {
        let logs: Vec<_> = self.logs().values().cloned().collect();
        for log in logs {
            if let Err(error) = log.seal(true).await {
                tracing::warn!(endpoint = log.endpoint, %error, "the inference log stays in its journal");
            }
        }
    }

    async fn log_or_open(&self, endpoint: &str, policy: Option<LogPolicy>) -> Result<Arc<InferenceLog>> {
        let known = self.logs().get(endpoint).cloned();
        let log = match known {
            Some(log) => log,
            None => {
                let log = InferenceLog::open(&self.shared, endpoint).await?;
                // Somebody else may have opened it meanwhile: theirs counts, and this one has written nothing.
                self.logs().entry(endpoint.to_owned()).or_insert(Arc::new(log)).clone()
            }
        };
        if let Some(policy) = policy {
            log.policy.store(Arc::new(Some(policy)));
        }
        Ok(log)
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<String, Arc<InferenceLog>>> {
        self.shared.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
