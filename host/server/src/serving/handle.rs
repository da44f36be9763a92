//! The handle: predictions, and what there is. What others want changed goes through [`super::control`].

use std::sync::Arc;

use wasmlops_core::table::Schema;

use super::routes::Shared;
use super::view::EndpointView;
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
