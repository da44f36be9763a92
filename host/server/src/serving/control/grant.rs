//! The door for deployer plugins: the endpoints that a step was granted, and nothing else.

use std::sync::Arc;

use wasmlops_core::call::{EndpointPhase, Endpoints, ErrorCode, GuestError, ReleaseState, Reply, Rollout};
use wasmlops_core::config::{EndpointConfig, ModelRef, Selector};
use wasmlops_core::rollout::{Event, Plan, Release, Rules};

use crate::clock::new_id;
use crate::error::Error;
use crate::host::Host;
use crate::models;

use super::{Wish, apply, declared, load};

/// Drives the endpoints named in `granted`, on behalf of `actor`.
pub fn endpoints(host: &Host, granted: Vec<String>, actor: &str) -> Arc<dyn Endpoints> {
    Arc::new(Granted { host: host.clone(), granted, actor: actor.to_owned() })
}

struct Granted {
    host: Host,
    granted: Vec<String>,
    actor: String,
}

impl Endpoints for Granted {
    fn start<'a>(
        &'a self,
        endpoint: &'a str,
        key: &'a str,
        version: u64,
        rollout: Rollout,
    ) -> Reply<'a, Result<String, GuestError>> {
        Box::pin(self.start_release(endpoint, key, version, rollout))
    }

    fn state<'a>(&'a self, endpoint: &'a str, release: &'a str) -> Reply<'a, Result<ReleaseState, GuestError>> {
        Box::pin(async move { self.release(endpoint, release).await.map(|release| state(&release)) })
    }

    fn withdraw<'a>(&'a self, endpoint: &'a str, release: &'a str) -> Reply<'a, Result<(), GuestError>> {
        Box::pin(self.withdraw_release(endpoint, release))
    }
}

impl Granted {
    async fn start_release(
        &self,
        endpoint: &str,
        key: &str,
        version: u64,
        rollout: Rollout,
    ) -> Result<String, GuestError> {
        let config = self.config(endpoint)?;
        check(config, version, &rollout)?;
        let reference = ModelRef { name: config.model.name.clone(), selector: Selector::Version(version) };
        if models::row(&self.host, &reference).await.map_err(failed)?.is_none() {
            return Err(invalid("version", format!("model `{}` has no version {version}", config.model.name)));
        }
        let release = new_id(&*self.host.clock);
        let plan = Plan::new(&rollout, &Rules::from(config));
        let event = Event::Requested { release: release.clone(), version, plan };
        let wish = Wish { actor: self.actor.clone(), event, key: Some(key.to_owned()) };
        let changed = apply(&self.host, config, wish).await.map_err(failed)?;
        self.host.store.barrier().await.map_err(|error| failed(error.into()))?;
        Ok(changed.earlier.unwrap_or(release))
    }

    async fn withdraw_release(&self, endpoint: &str, id: &str) -> Result<(), GuestError> {
        let config = self.config(endpoint)?;
        let release = self.release(endpoint, id).await?;
        let now = load(&self.host, config).await.map_err(failed)?;
        let is_last = release.phase == EndpointPhase::Live && now.previous().is_none() && now.incoming().is_none();
        if is_last {
            return Err(invalid("release", format!("release `{id}` is live, and no other version was before it")));
        }
        let by = self.actor.clone();
        let event = Event::Withdrawn { release: id.to_owned(), by: by.clone(), fresh: new_id(&*self.host.clock) };
        apply(&self.host, config, Wish { actor: by, event, key: None }).await.map_err(failed)?;
        self.host.store.barrier().await.map_err(|error| failed(error.into()))
    }

    async fn release(&self, endpoint: &str, id: &str) -> Result<Release, GuestError> {
        self.config(endpoint)?;
        let row = self.host.store.release(id).await.map_err(|error| failed(error.into()))?;
        let row = row.filter(|row| row.endpoint == endpoint);
        let row = row.ok_or_else(|| invalid("release", format!("endpoint `{endpoint}` has no release `{id}`")))?;
        serde_json::from_str(&row.state).map_err(|error| failed(Error::bug(error)))
    }

    fn config(&self, endpoint: &str) -> Result<&EndpointConfig, GuestError> {
        if !self.granted.iter().any(|granted| granted == endpoint) {
            let message = format!(
                "the step was not granted the endpoint `{endpoint}`\nhint: add it under the step's `grants: {{ endpoints: \
                 [{endpoint}] }}`"
            );
            return Err(GuestError { code: ErrorCode::Denied, message, field: None });
        }
        declared(&self.host, endpoint).map_err(|error| invalid("endpoint", error.to_string()))
    }
}

fn check(config: &EndpointConfig, version: u64, rollout: &Rollout) -> Result<(), GuestError> {
    let ascending = rollout.steps.windows(2).all(|pair| pair[0] < pair[1]);
    if !ascending || rollout.steps.iter().any(|step| !(1..=99).contains(step)) {
        return Err(invalid("steps", "steps are percent, ascending, each 1 to 99".to_owned()));
    }
    match config.model.selector {
        Selector::Version(held) if held != version => {
            let name = &config.name.value;
            Err(invalid("version", format!("endpoint `{name}` is held to version {held} by its configuration")))
        }
        _ => Ok(()),
    }
}

fn state(release: &Release) -> ReleaseState {
    let (version, reason) = (release.version, release.reason.as_deref().unwrap_or("it has ended"));
    let share = if release.phase == EndpointPhase::Live { 100 } else { release.canary_share() };
    let message = match release.phase {
        EndpointPhase::Pending => format!("version {version} is being loaded"),
        EndpointPhase::Canary if release.paused => format!("version {version} is paused at {share}% of the traffic"),
        EndpointPhase::Canary => format!("version {version} gets {share}% of the traffic"),
        EndpointPhase::Shadow => format!("version {version} gets a copy of the traffic"),
        EndpointPhase::Live => match &release.leaving {
            Some(reason) => format!("version {version} answers until the version before it is ready: {reason}"),
            None => format!("version {version} is live"),
        },
        EndpointPhase::Retired | EndpointPhase::RolledBack => reason.to_owned(),
    };
    ReleaseState { phase: release.phase, share, message }
}

fn invalid(field: &str, message: String) -> GuestError {
    GuestError { code: ErrorCode::InvalidInput, message, field: Some(field.to_owned()) }
}

/// The user's mistakes are the guest's; anything else may go better the next time.
fn failed(error: Error) -> GuestError {
    let code = match error {
        Error::User(_) => ErrorCode::InvalidInput,
        _ => ErrorCode::Unavailable,
    };
    GuestError { code, message: error.to_string(), field: None }
}
