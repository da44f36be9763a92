//! An endpoint's releases as a state machine: events in, actions out.
//!
//! At any time one release is live, at most one follows it as soon as it is ready (the incoming one), and at most one
//! is a candidate that gets a share of the traffic (a canary) or a copy of it (a shadow). Whoever holds the state makes
//! it durable together with what [`Endpoint::apply`] returns. Reads no clock and makes no ids: both are arguments.

mod candidate;
mod decide;
mod event;
#[cfg(test)]
mod properties;
mod reason;
mod roll_back;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use event::{Action, Event, Measured, Share};
pub use reason::Reason;
pub use roll_back::RollbackTarget;

pub use crate::call::EndpointPhase as Phase;
use crate::call::{ReleaseMode, Rollout};
use crate::config::{CanaryConfig, EndpointConfig, RollbackConfig};
use crate::run::Micros;

/// What an endpoint's configuration says of releases.
#[derive(Clone, PartialEq, Debug)]
pub struct Rules {
    pub canary: CanaryConfig,
    pub rollback: RollbackConfig,
}

impl From<&EndpointConfig> for Rules {
    fn from(config: &EndpointConfig) -> Self {
        Self { canary: config.canary.clone(), rollback: config.rollback.clone() }
    }
}

impl Rules {
    /// Whether so many errors break the rule on the error rate. It holds for [`RollbackConfig::requests`] requests and
    /// more; with fewer, once even an error-free rest could not bring the rate down by then.
    pub fn too_many_errors(&self, measured: &Measured) -> bool {
        let least = measured.requests.max(self.rollback.requests);
        self.rollback.error_rate.is_some_and(|rate| measured.errors as f64 > rate * least as f64)
    }
}

/// How a release is to get traffic, with the endpoint's own values where the wish left them open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub mode: ReleaseMode,
    /// Percent, ascending, each 1 to 99.
    pub steps: Vec<u8>,
    pub bake: Duration,
    pub requests: u64,
}

impl Plan {
    pub fn new(rollout: &Rollout, rules: &Rules) -> Self {
        let canary = &rules.canary;
        let steps = if rollout.steps.is_empty() { &canary.steps } else { &rollout.steps };
        Self {
            mode: rollout.mode,
            steps: steps.clone(),
            bake: rollout.bake.unwrap_or(canary.bake),
            requests: rollout.requests.unwrap_or(canary.requests),
        }
    }

    /// All of the traffic as soon as it is ready.
    pub fn live(rules: &Rules) -> Self {
        Self::new(&Rollout { mode: ReleaseMode::Live, steps: Vec::new(), bake: None, requests: None }, rules)
    }
}

/// Why there is a release.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// Someone handed it to the endpoint.
    Requested,
    /// The alias that the endpoint follows was moved.
    Alias,
    /// The release after it was taken back.
    Rollback,
}

/// A version of the endpoint's model on its way through the endpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Release {
    pub id: String,
    pub version: u64,
    pub plan: Plan,
    pub cause: Cause,
    pub phase: Phase,
    /// Of a canary: which of the plan's steps it stands on.
    pub step: usize,
    /// When the phase, or the canary's step, began.
    pub since: Micros,
    /// A paused canary keeps its share.
    pub paused: bool,
    /// Whether it ever was live.
    pub was_live: bool,
    /// Of a live release that was taken back: why. It answers until the one that replaces it is ready.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leaving: Option<String>,
    /// Why it was taken back, or what followed it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Whether it can answer here and now; not part of what is kept.
    #[serde(skip)]
    pub ready: bool,
}

impl Release {
    /// Whether it will never get traffic again.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Retired | Phase::RolledBack)
    }

    /// Percent of the traffic that the canary's step gives it.
    pub fn canary_share(&self) -> u8 {
        let step = self.plan.steps.get(self.step).copied().unwrap_or(0);
        if self.phase == Phase::Canary { step.min(99) } else { 0 }
    }

    fn is_candidate(&self) -> bool {
        matches!(self.phase, Phase::Canary | Phase::Shadow)
            || (self.phase == Phase::Pending && self.plan.mode != ReleaseMode::Live)
    }

    fn is_incoming(&self) -> bool {
        self.phase == Phase::Pending && self.plan.mode == ReleaseMode::Live
    }
}

/// What is kept of an endpoint besides its releases.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The version that the followed alias named when it was last looked at or moved from here.
    pub followed: Option<u64>,
    /// The last thing that went wrong, until something goes right.
    pub message: Option<String>,
}

/// An endpoint in memory.
#[derive(Clone, Debug)]
pub struct Endpoint {
    rules: Rules,
    standing: Standing,
    /// In the order in which they were asked for.
    releases: Vec<Release>,
}

impl Endpoint {
    pub fn new(rules: Rules) -> Self {
        Self::restore(rules, Standing::default(), Vec::new())
    }

    /// From what was kept: all releases that are not over, and, for rollbacks, recent ones that are.
    pub fn restore(rules: Rules, standing: Standing, releases: Vec<Release>) -> Self {
        Self { rules, standing, releases }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// In the order in which they were asked for.
    pub fn releases(&self) -> &[Release] {
        &self.releases
    }

    pub fn release(&self, id: &str) -> Option<&Release> {
        self.releases.iter().find(|release| release.id == id)
    }

    pub fn live(&self) -> Option<&Release> {
        self.releases.iter().find(|release| release.phase == Phase::Live)
    }

    /// The canary or shadow, be it ready or still being loaded.
    pub fn candidate(&self) -> Option<&Release> {
        self.releases.iter().find(|release| release.is_candidate())
    }

    /// The release that follows the live one as soon as it is ready.
    pub fn incoming(&self) -> Option<&Release> {
        self.releases.iter().find(|release| release.is_incoming())
    }

    /// The releases that must be in memory.
    pub fn at_work(&self) -> impl Iterator<Item = &Release> {
        self.releases.iter().filter(|release| !release.is_over())
    }

    /// Who answers which part of the requests: 100 percent together, or nothing while no live release is ready.
    pub fn traffic(&self) -> Vec<Share> {
        let Some(live) = self.live().filter(|live| live.ready) else { return Vec::new() };
        let share = |release: &Release, percent| Share { release: release.id.clone(), percent };
        match self.candidate().filter(|candidate| candidate.ready && candidate.canary_share() > 0) {
            Some(canary) => vec![share(live, 100 - canary.canary_share()), share(canary, canary.canary_share())],
            None => vec![share(live, 100)],
        }
    }

    /// Notes which releases can answer, without deciding anything: after the state was read again.
    pub fn mark_ready(&mut self, is_ready: impl Fn(&str) -> bool) {
        for release in &mut self.releases {
            release.ready = !release.is_over() && release.phase != Phase::Pending && is_ready(&release.id);
        }
    }
}
