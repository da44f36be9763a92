//! `endpoints`: the host's own endpoints, for deployers that were granted some.
//!
//! What was granted is known behind [`wasmlops_core::call::Endpoints`]; here a call that was granted nothing at all is
//! refused, and what the guest sends is brought into form.

use std::sync::Arc;
use std::time::Duration;

use wasmlops_core::call::{EndpointPhase, Endpoints, GuestError, ReleaseMode, Rollout};

use super::{denied, invalid_input, unavailable};
use crate::bindings::imports::endpoints::{self, Host, Mode, Phase, ReleaseState};
use crate::bindings::imports::types::Error;
use crate::call::wire;
use crate::state::{Outside, State};
use crate::text::neutralise_within;

/// How long one call may take. It records a wish and looks into tables, so this is generous.
const DEADLINE: Duration = Duration::from_secs(30);

/// Bytes of a name, a key or an id.
const MAX_NAME: usize = 1024;

impl Host for State {
    async fn start(
        &mut self,
        endpoint: String,
        key: String,
        version: u64,
        rollout: endpoints::Rollout,
    ) -> wasmtime::Result<Result<String, Error>> {
        self.watch.host_call(endpoint.len() + key.len() + rollout.steps.len() + 32)?;
        let rollout = match rollout_from_guest(rollout) {
            Ok(rollout) => rollout,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(self
            .outside
            .ask(endpoint, key, move |host, endpoint, key| async move {
                host.start(&endpoint, &key, version, rollout).await
            })
            .await)
    }

    async fn state(&mut self, endpoint: String, release: String) -> wasmtime::Result<Result<ReleaseState, Error>> {
        self.watch.host_call(endpoint.len() + release.len())?;
        let state = self
            .outside
            .ask(endpoint, release, |host, endpoint, release| async move { host.state(&endpoint, &release).await })
            .await;
        Ok(state.map(|state| ReleaseState {
            phase: match state.phase {
                EndpointPhase::Pending => Phase::Pending,
                EndpointPhase::Canary => Phase::Canary,
                EndpointPhase::Shadow => Phase::Shadow,
                EndpointPhase::Live => Phase::Live,
                EndpointPhase::Retired => Phase::Retired,
                EndpointPhase::RolledBack => Phase::RolledBack,
            },
            share: state.share,
            message: state.message,
        }))
    }

    async fn withdraw(&mut self, endpoint: String, release: String) -> wasmtime::Result<Result<(), Error>> {
        self.watch.host_call(endpoint.len() + release.len())?;
        Ok(self
            .outside
            .ask(endpoint, release, |host, endpoint, release| async move { host.withdraw(&endpoint, &release).await })
            .await)
    }
}

impl Outside {
    /// Asks the host, with two names of the guest's, and waits for [`DEADLINE`] at the longest.
    async fn ask<T, F>(
        &self,
        endpoint: String,
        name: String,
        question: impl FnOnce(Arc<dyn Endpoints>, String, String) -> F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, GuestError>> + Send + 'static,
    {
        let Some(host) = self.endpoints.clone() else {
            let endpoint = neutralise_within(&endpoint, 100);
            return Err(denied(format!("the step was not granted the endpoint `{endpoint}`, nor any other")));
        };
        if endpoint.len() > MAX_NAME || name.len() > MAX_NAME {
            return Err(invalid_input(format!("a name, key or id of more than {MAX_NAME} bytes")));
        }
        let answer = self.home.run(question(host, endpoint, name));
        match tokio::time::timeout(DEADLINE, answer).await {
            Ok(Some(answer)) => answer.map_err(wire::error_to_guest),
            Ok(None) => Err(unavailable("the host failed while it looked after its endpoints")),
            Err(_) => Err(unavailable(format!("the host did not answer within {} seconds", DEADLINE.as_secs()))),
        }
    }
}

fn rollout_from_guest(rollout: endpoints::Rollout) -> Result<Rollout, Error> {
    let endpoints::Rollout { mode, steps, bake, requests } = rollout;
    if !steps.is_sorted_by(|one, next| one < next) || steps.iter().any(|step| !(1..=99).contains(step)) {
        return Err(invalid_input(
            "the steps of a canary are percentages from 1 to 99, each greater than the one before",
        ));
    }
    let mode = match mode {
        Mode::Live => ReleaseMode::Live,
        Mode::Canary => ReleaseMode::Canary,
        Mode::Shadow => ReleaseMode::Shadow,
    };
    Ok(Rollout { mode, steps, bake: bake.map(Duration::from_millis), requests })
}
