//! Between core's state of an endpoint and the store's rows.

use wasmlops_core::config::EndpointConfig;
use wasmlops_core::rollout::{Endpoint, Phase, Release, Rules, Standing};
use wasmlops_core::run::Micros;
use wasmlops_store::{EndpointRow, ReleaseRow, ServingState};

use crate::error::{Error, Result};

/// The endpoint as it was kept; a new one where nothing was.
pub(super) fn restore(config: &EndpointConfig, state: Option<&ServingState>) -> Result<Endpoint> {
    let rules = Rules::from(config);
    let Some(state) = state else { return Ok(Endpoint::new(rules)) };
    let standing: Standing = serde_json::from_str(&state.endpoint.state).map_err(Error::bug)?;
    let release = |row: &ReleaseRow| serde_json::from_str::<Release>(&row.state).map_err(Error::bug);
    let releases = state.releases.iter().map(release).collect::<Result<_>>()?;
    Ok(Endpoint::restore(rules, standing, releases))
}

pub(super) fn endpoint_row(config: &EndpointConfig, endpoint: &Endpoint, now: Micros) -> Result<EndpointRow> {
    Ok(EndpointRow {
        name: config.name.value.clone(),
        model: config.model.to_string(),
        config: serde_json::to_string(config).map_err(Error::bug)?,
        state: serde_json::to_string(endpoint.standing()).map_err(Error::bug)?,
        created: now,
        updated: now,
    })
}

/// The releases that are new or have changed. `key` is that of the new one, if it was asked for under one.
pub(super) fn changed_releases(before: &Endpoint, after: &Endpoint, made: &Made<'_>) -> Result<Vec<ReleaseRow>> {
    let changed = |release: &&Release| {
        let earlier = before.release(&release.id);
        // Readiness is not kept.
        earlier.is_none_or(|earlier| Release { ready: release.ready, ..earlier.clone() } != **release)
    };
    let row = |release: &Release| {
        Ok(ReleaseRow {
            id: release.id.clone(),
            endpoint: made.endpoint.to_owned(),
            key: before.release(&release.id).is_none().then(|| made.key.map(str::to_owned)).flatten(),
            version: i64::try_from(release.version).map_err(Error::bug)?,
            phase: phase_word(release.phase).to_owned(),
            state: serde_json::to_string(release).map_err(Error::bug)?,
            actor: made.actor.to_owned(),
            requested: made.now,
            ended: release.is_over().then_some(release.since),
        })
    };
    after.releases().iter().filter(changed).map(row).collect()
}

/// What rows of new releases say besides the release.
pub(super) struct Made<'m> {
    pub endpoint: &'m str,
    pub key: Option<&'m str>,
    pub actor: &'m str,
    pub now: Micros,
}

pub(super) fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending => "pending",
        Phase::Canary => "canary",
        Phase::Shadow => "shadow",
        Phase::Live => "live",
        Phase::Retired => "retired",
        Phase::RolledBack => "rolled-back",
    }
}
