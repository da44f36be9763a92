//! Why a release was taken back.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::format_duration;

/// With the numbers that decided it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "code")]
pub enum Reason {
    LoadFailed { message: String },
    ErrorRate { errors: u64, requests: u64, limit: f64 },
    Latency { p99_ms: f64, limit_ms: f64, requests: u64 },
    Drift { message: String },
    Score { metric: String, value: f64, min: f64, labels: u64 },
    Requested { by: String, reason: String },
    Withdrawn { by: String },
    AliasRefused { message: String },
}

impl Reason {
    /// The case in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Reason::LoadFailed { .. } => "load-failed",
            Reason::ErrorRate { .. } => "error-rate",
            Reason::Latency { .. } => "latency",
            Reason::Drift { .. } => "drift",
            Reason::Score { .. } => "score",
            Reason::Requested { .. } => "requested",
            Reason::Withdrawn { .. } => "withdrawn",
            Reason::AliasRefused { .. } => "alias-refused",
        }
    }
}

/// One sentence for a person.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::LoadFailed { message } => write!(f, "it could not be loaded: {message}"),
            Reason::ErrorRate { errors, requests, limit } => {
                write!(f, "it failed at {errors} of {requests} requests, and the limit is {}%", limit * 100.0)
            }
            Reason::Latency { p99_ms, limit_ms, requests } => {
                let limit = format_duration(Duration::from_secs_f64(limit_ms / 1000.0));
                write!(f, "its p99 latency over {requests} requests is {p99_ms:.1}ms, and the limit is {limit}")
            }
            Reason::Drift { message } => write!(f, "drift was found: {message}"),
            Reason::Score { metric, value, min, labels } => {
                write!(f, "`{metric}` over {labels} labels is {value:.4}, and the minimum is {min}")
            }
            Reason::Requested { by, reason } if reason.is_empty() => write!(f, "`{by}` asked for it"),
            Reason::Requested { by, reason } => write!(f, "`{by}` asked for it: {reason}"),
            Reason::Withdrawn { by } => write!(f, "`{by}` withdrew it"),
            Reason::AliasRefused { message } => write!(f, "the alias could not be moved to it: {message}"),
        }
    }
}
