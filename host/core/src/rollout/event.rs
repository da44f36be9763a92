//! What happens to an endpoint, and what is to be done about it.

use std::time::Duration;

use serde::Serialize;

use super::{Plan, Reason};

/// What happened. Fields `fresh` are ids for a release that may have to be made.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// Someone hands a release to the endpoint.
    Requested { release: String, version: u64, plan: Plan },
    /// All instances of the release can answer.
    Ready { release: String },
    /// The release cannot be made ready, or not again after a restart.
    LoadFailed { release: String, message: String },
    /// Time has passed. Statistics are those since the release's phase, or the canary's step, began.
    Tick { live: Measured, candidate: Measured, fresh: String },
    /// The release has failed at a request.
    Failed { release: String, measured: Measured, fresh: String },
    /// A canary is to stay where it is.
    Paused { by: String, reason: String },
    /// A paused canary is to go on.
    Continued { by: String },
    /// Someone wants the newest release taken back.
    RollbackRequested { by: String, reason: String, fresh: String },
    /// Whoever asked for the release takes it back.
    Withdrawn { release: String, by: String, fresh: String },
    /// The alias names this version now.
    AliasMoved { version: u64, fresh: String },
    /// The alias cannot be moved to the release that wants to be live.
    AliasRefused { release: String, message: String },
    /// A monitor found drift.
    DriftFound { message: String },
    /// A monitor measured a score from labels of predictions that this version made.
    ScoreMeasured { version: u64, metric: String, value: f64, labels: u64, fresh: String },
}

/// How a release did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Measured {
    pub requests: u64,
    /// Those at which the release was at fault.
    pub errors: u64,
    pub p99: Duration,
}

/// A part of the traffic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Share {
    pub release: String,
    pub percent: u8,
}

/// What is to be done. `Load`, `Unload` and `SetTraffic` are for whoever answers requests; the others are history.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "action")]
pub enum Action {
    /// A release was taken on: bring it into memory.
    Load {
        release: String,
        version: u64,
    },
    /// Let it finish what it has, then drop it.
    Unload {
        release: String,
    },
    SetTraffic {
        shares: Vec<Share>,
    },
    /// A canary or a shadow begins.
    Start {
        release: String,
        version: u64,
        share: u8,
    },
    /// A canary stands on its next step.
    Advance {
        release: String,
        version: u64,
        share: u8,
    },
    /// It is live.
    Promote {
        release: String,
        version: u64,
    },
    /// Another one has followed it.
    Retire {
        release: String,
        version: u64,
        reason: String,
    },
    RollBack {
        release: String,
        version: u64,
        reason: Reason,
    },
    /// Point the alias that the endpoint follows at this version, together with what goes before.
    MoveAlias {
        release: String,
        version: u64,
        reason: String,
    },
    Pause {
        release: String,
        by: String,
        reason: String,
    },
    Continue {
        release: String,
        by: String,
    },
    /// A release that stays where it is cannot be made ready, or nothing is there to roll back to.
    Report {
        release: String,
        message: String,
    },
}
