//! What the outside sees of endpoints: the same with a server, which adds numbers, and without one.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmlops_core::call::ReleaseMode;
use wasmlops_core::config::EndpointConfig;
use wasmlops_core::rollout::{Cause, Endpoint, Release};
use wasmlops_store::ReleaseEventRow;

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;

use super::control::{declared, load};
use super::kept::phase_word;
use super::loaded::Loaded;
use super::routes::{Routes, Shared};

/// An endpoint with its releases.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EndpointView {
    pub endpoint: String,
    /// The reference that it follows.
    pub model: String,
    /// Whether it answers. Absent where nobody knows: the server was not asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ready: Option<bool>,
    /// The version that is live.
    pub live: Option<u64>,
    /// The last thing that went wrong, until something goes right.
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub queue: Option<QueueView>,
    /// The newest first.
    pub releases: Vec<ReleaseView>,
}

/// Requests that wait for an instance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct QueueView {
    pub waiting: usize,
    pub limit: usize,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseView {
    pub release: String,
    pub version: u64,
    /// `pending`, `canary`, `shadow`, `live`, `retired` or `rolled-back`.
    pub phase: String,
    /// `live`, `canary` or `shadow`: what was asked for.
    pub mode: String,
    /// `requested`, `alias` or `rollback`.
    pub cause: String,
    /// Percent of the traffic.
    pub share: u8,
    pub paused: bool,
    /// When the phase, or the canary's step, began.
    pub since: String,
    /// Why it was taken back, or what followed it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Since it was loaded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub statistics: Option<StatisticsView>,
    /// Of a shadow.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub compared: Option<ComparisonView>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StatisticsView {
    pub requests: u64,
    /// By class: `input`, `overloaded`, `waited`, `slow`, `trapped`, `invalid-result`, `model`, `unavailable`.
    pub errors: BTreeMap<String, u64>,
    /// Those that the release is to blame for.
    pub faults: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// How a shadow's answers compare with the live ones.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ComparisonView {
    pub rows: u64,
    /// The part of the rows with the same prediction.
    pub equal: Option<f64>,
    /// Between two numbers of the same name.
    pub largest_difference: f64,
    /// Copies that were not made because too many waited.
    pub dropped: u64,
}

/// What a rollback did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RollbackView {
    pub endpoint: String,
    /// The release that goes.
    pub release: String,
    pub version: u64,
    /// The version that answers then.
    pub to: Option<u64>,
    pub reason: String,
}

/// One sentence for a person.
impl std::fmt::Display for RollbackView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { endpoint, version, .. } = self;
        match self.to {
            Some(to) => write!(f, "endpoint `{endpoint}` goes back from version {version} to version {to}"),
            None => write!(f, "endpoint `{endpoint}` lets go of version {version}"),
        }
    }
}

/// Something that happened to a release.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseEventView {
    pub seq: i64,
    pub time: String,
    pub by: String,
    pub release: String,
    /// In one word: `requested`, `live`, `rolled-back`.
    pub event: String,
    pub details: Value,
}

/// All endpoints of the project as their tables say, by name.
pub async fn list(host: &Host) -> Result<Vec<EndpointView>> {
    let mut views = Vec::new();
    for config in &host.project.endpoints {
        views.push(EndpointView::of_tables(config, load(host, config).await?));
    }
    views.sort_by(|one, other| one.endpoint.cmp(&other.endpoint));
    Ok(views)
}

/// An endpoint as its tables say.
///
/// # Errors
/// The user's: no such endpoint.
pub async fn show(host: &Host, endpoint: &str) -> Result<EndpointView> {
    let config = declared(host, endpoint)?;
    Ok(EndpointView::of_tables(config, load(host, config).await?))
}

/// Up to `limit` events of an endpoint before number `before`, the newest first.
///
/// # Errors
/// The user's: no such endpoint.
pub async fn history(host: &Host, endpoint: &str, before: Option<i64>, limit: u32) -> Result<Vec<ReleaseEventView>> {
    declared(host, endpoint)?;
    let rows = host.store.release_events(endpoint, before, i64::from(limit)).await?;
    rows.into_iter().map(event).collect()
}

fn event(row: ReleaseEventRow) -> Result<ReleaseEventView> {
    Ok(ReleaseEventView {
        seq: row.seq,
        time: rfc3339(row.time),
        by: row.actor,
        release: row.release,
        event: row.event,
        details: serde_json::from_str(&row.details).map_err(Error::bug)?,
    })
}

impl EndpointView {
    /// Whether there is a release that should answer and none that does.
    pub fn is_awaited(&self) -> bool {
        let wanted = |release: &ReleaseView| matches!(release.phase.as_str(), "pending" | "live");
        self.ready == Some(false) && self.releases.iter().any(wanted)
    }

    fn of_tables(config: &EndpointConfig, mut endpoint: Endpoint) -> Self {
        // What would be, if all were loaded.
        endpoint.mark_ready(|_| true);
        Self::new(config, &endpoint)
    }

    pub(super) fn of_memory(shared: &Shared) -> Self {
        let (endpoint, routes) = (shared.state.load(), shared.routes.load());
        let mut view = Self::new(&shared.config, &endpoint);
        view.ready = Some(routes.live.is_some());
        view.queue = Some(QueueView { waiting: shared.queue.waiting(), limit: shared.config.queue });
        for release in &mut view.releases {
            let Some(loaded) = loaded(&routes, &release.release) else { continue };
            release.statistics = Some(statistics(&loaded));
            release.compared = (release.phase == "shadow").then(|| comparison(shared, &loaded));
        }
        view
    }

    fn new(config: &EndpointConfig, endpoint: &Endpoint) -> Self {
        let traffic = endpoint.traffic();
        let share = |release: &Release| {
            traffic.iter().find(|share| share.release == release.id).map_or(0, |share| share.percent)
        };
        Self {
            endpoint: config.name.value.clone(),
            model: config.model.to_string(),
            ready: None,
            live: endpoint.live().map(|live| live.version),
            message: endpoint.standing().message.clone(),
            queue: None,
            releases: endpoint.releases().iter().rev().map(|one| release(one, share(one))).collect(),
        }
    }

    /// The release of that id.
    pub fn release(&self, id: &str) -> Option<&ReleaseView> {
        self.releases.iter().find(|release| release.release == id)
    }

    /// The newest release of that version.
    pub fn version(&self, version: u64) -> Option<&ReleaseView> {
        self.releases.iter().find(|release| release.version == version)
    }
}

fn release(release: &Release, share: u8) -> ReleaseView {
    let mode = match release.plan.mode {
        ReleaseMode::Live => "live",
        ReleaseMode::Canary => "canary",
        ReleaseMode::Shadow => "shadow",
    };
    let cause = match release.cause {
        Cause::Requested => "requested",
        Cause::Alias => "alias",
        Cause::Rollback => "rollback",
    };
    ReleaseView {
        release: release.id.clone(),
        version: release.version,
        phase: phase_word(release.phase).to_owned(),
        mode: mode.to_owned(),
        cause: cause.to_owned(),
        share,
        paused: release.paused,
        since: rfc3339(release.since),
        reason: release.leaving.clone().or_else(|| release.reason.clone()),
        statistics: None,
        compared: None,
    }
}

fn loaded(routes: &Routes, release: &str) -> Option<std::sync::Arc<Loaded>> {
    let candidate = routes.canary.as_ref().map(|(canary, _)| canary).or(routes.shadow.as_ref());
    let all = routes.live.iter().chain(candidate);
    all.into_iter().find(|loaded| loaded.source.release == release).cloned()
}

fn statistics(loaded: &Loaded) -> StatisticsView {
    let all = loaded.statistics.snapshot();
    let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
    StatisticsView {
        requests: all.requests,
        errors: all.errors().map(|(class, count)| (class.word().to_owned(), count)).collect(),
        faults: all.faults(),
        p50_ms: millis(all.quantile(0.5)),
        p99_ms: millis(all.quantile(0.99)),
    }
}

fn comparison(shared: &Shared, loaded: &Loaded) -> ComparisonView {
    let so_far = loaded.compared.so_far();
    ComparisonView {
        rows: so_far.rows,
        equal: (so_far.rows > 0).then(|| so_far.equal as f64 / so_far.rows as f64),
        largest_difference: so_far.largest,
        dropped: shared.mirror_dropped.load(Ordering::Relaxed),
    }
}
