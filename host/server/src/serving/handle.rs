//! The handle: predictions, what there is, and what others want done.

use std::sync::Arc;

use wasmlops_core::rollout::Event;
use wasmlops_core::table::Schema;

use crate::clock::new_id;
use crate::error::Result;

use super::control::{self, Hold};
use super::routes::Shared;
use super::view::{EndpointView, RollbackView};
use super::{EndpointInfo, PredictError, PredictRequest, Prediction, Serving};

impl Serving {
    /// Predicts, within the endpoint's deadline. The answer was recorded when this returns.
    ///
    /// # Errors
    /// [`PredictError`].
    pub async fn predict(&self, request: PredictRequest<'_>) -> Result<Prediction, PredictError> {
        let shared = self.shared(request.endpoint).ok_or(PredictError::UnknownEndpoint)?;
        shared.predict(request).await
    }

    /// What a client has to know to ask the live release; `None` for an endpoint that is not served here.
    pub fn endpoint(&self, name: &str) -> Option<EndpointInfo> {
        self.shared(name).map(|shared| info(&shared, None))
    }

    /// As [`Serving::endpoint`], with the columns of one version; `None` where that version is not served.
    pub fn endpoint_version(&self, name: &str, version: u64) -> Option<EndpointInfo> {
        let shared = self.shared(name)?;
        let is_served = shared.routes.load().versions.contains_key(&version);
        is_served.then(|| info(&shared, Some(version)))
    }

    /// All endpoints, by name.
    pub fn endpoints(&self) -> Vec<EndpointInfo> {
        self.endpoints.load().values().map(|shared| info(shared, None)).collect()
    }

    /// Releases with their shares and numbers.
    pub fn status(&self, name: &str) -> Option<EndpointView> {
        self.shared(name).map(|shared| EndpointView::of_memory(&shared))
    }

    /// [`Serving::status`] of all endpoints, by name.
    pub fn statuses(&self) -> Vec<EndpointView> {
        self.endpoints.load().values().map(|shared| EndpointView::of_memory(shared)).collect()
    }

    /// Holds the endpoint's canary where it is. Says whether there was one that moved.
    ///
    /// # Errors
    /// The user's: no such endpoint.
    pub async fn pause_canary(&self, endpoint: &str, by: &str, reason: &str) -> Result<bool> {
        let changed = control::hold_canary(&self.host, endpoint, by, Hold::Pause { reason }).await;
        self.wake(endpoint);
        changed
    }

    /// Lets a paused canary go on.
    ///
    /// # Errors
    /// The user's: no such endpoint.
    pub async fn continue_canary(&self, endpoint: &str, by: &str) -> Result<bool> {
        let changed = control::hold_canary(&self.host, endpoint, by, Hold::Continue).await;
        self.wake(endpoint);
        changed
    }

    /// Takes the newest release back: see [`control::rollback`].
    ///
    /// # Errors
    /// The user's: no such endpoint, nothing to roll back to.
    pub async fn rollback(&self, endpoint: &str, by: &str, reason: &str) -> Result<RollbackView> {
        let rolled_back = control::rollback(&self.host, endpoint, by, reason).await;
        self.wake(endpoint);
        rolled_back
    }

    /// A monitor found drift: a candidate is taken back if the endpoint's rules say so. Says whether one was.
    ///
    /// # Errors
    /// The user's: no such endpoint.
    pub async fn report_drift(&self, endpoint: &str, by: &str, message: &str) -> Result<bool> {
        let changed =
            control::report(&self.host, endpoint, by, Event::DriftFound { message: message.to_owned() }).await;
        self.wake(endpoint);
        changed
    }

    /// A monitor measured a score: the version that earned it is taken back if it breaks the endpoint's rule. Says
    /// whether it was.
    ///
    /// # Errors
    /// The user's: no such endpoint.
    pub async fn report_score(&self, endpoint: &str, by: &str, score: Score<'_>) -> Result<bool> {
        let Score { version, metric, value, labels } = score;
        let fresh = new_id(&*self.host.clock);
        let event = Event::ScoreMeasured { version, metric: metric.to_owned(), value, labels, fresh };
        let changed = control::report(&self.host, endpoint, by, event).await;
        self.wake(endpoint);
        changed
    }

    /// Has the endpoint look at its tables now.
    pub fn wake(&self, endpoint: &str) {
        if let Some(shared) = self.shared(endpoint) {
            shared.wake.notify_one();
        }
    }

    /// Waits until the endpoint is as `is` says, looking after each of its rounds; `false` if it is not served here or
    /// its service ends before.
    pub async fn until(&self, endpoint: &str, is: impl Fn(&EndpointView) -> bool) -> bool {
        let Some(shared) = self.shared(endpoint) else { return false };
        let mut rounds = shared.rounds.subscribe();
        loop {
            if is(&EndpointView::of_memory(&shared)) {
                return true;
            }
            if rounds.changed().await.is_err() {
                return false;
            }
        }
    }

    /// Whether every endpoint has been looked after once since the service began: before, nothing is known of any.
    pub fn has_looked(&self) -> bool {
        self.endpoints.load().values().all(|shared| *shared.rounds.borrow() > 0)
    }

    fn shared(&self, name: &str) -> Option<Arc<Shared>> {
        self.endpoints.load().get(name).cloned()
    }
}

/// What a monitor measured from labels of predictions that one version made.
#[derive(Clone, Copy, Debug)]
pub struct Score<'s> {
    pub version: u64,
    /// `accuracy`, `f1`, `auc` or `r2`.
    pub metric: &'s str,
    pub value: f64,
    /// How many it was measured from.
    pub labels: u64,
}

fn info(shared: &Shared, version: Option<u64>) -> EndpointInfo {
    let routes = shared.routes.load();
    let shown = version.map_or(routes.live.as_ref(), |version| routes.versions.get(&version));
    let empty = || Arc::new(Schema::default());
    EndpointInfo {
        name: shared.name().to_owned(),
        model: shared.config.model.name.clone(),
        live: routes.live.as_ref().map(|live| live.source.version),
        versions: routes.versions.keys().copied().collect(),
        ready: routes.live.is_some(),
        input: shown.map_or_else(empty, |release| release.input.clone()),
        output: shown.map_or_else(empty, |release| release.output.clone()),
    }
}
