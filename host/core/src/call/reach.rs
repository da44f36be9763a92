//! What a guest may reach outside its arguments, as the engine sees it: the host puts the effects behind these doors and
//! checks every grant there, so that the engine cannot forget to.

use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::GuestError;
use crate::table::Batch;

/// An answer that takes time. Dropping it gives up.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The broker for a guest's HTTP requests: knows what was granted and where addresses may lead, and keeps time and size
/// limits.
pub trait Http: Send + Sync {
    fn send(&self, request: HttpRequest) -> Reply<'_, Result<HttpResponse, HttpFailure>>;
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpRequest {
    /// In upper case.
    pub method: String,
    /// Absolute, `http` or `https`.
    pub url: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// Until the whole answer is there; the broker's own limit may be lower.
    pub timeout: Option<Duration>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HttpFailure {
    #[error("{0}")]
    Denied(String),
    #[error("{0}")]
    InvalidRequest(String),
    #[error("{0}")]
    Unreachable(String),
    #[error("no answer within {}", humane(*.0))]
    TimedOut(Duration),
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
}

fn humane(duration: Duration) -> String {
    crate::config::format_duration(duration)
}

/// The model that a validator judges, ready to be asked about other rows.
pub trait Model: Send + Sync {
    /// `rows` have the columns of the evaluation's `features`, the answer has those of its `candidate`. Neither is
    /// believed before it is checked. The work is done where it is waited for.
    fn predict(&self, rows: Batch) -> Reply<'_, Result<Batch, GuestError>>;
}

/// The host's own endpoints. Each function refuses with `denied` what was not granted.
pub trait Endpoints: Send + Sync {
    /// Gives the release's id.
    fn start<'a>(
        &'a self,
        endpoint: &'a str,
        key: &'a str,
        version: u64,
        rollout: Rollout,
    ) -> Reply<'a, Result<String, GuestError>>;

    fn state<'a>(&'a self, endpoint: &'a str, release: &'a str) -> Reply<'a, Result<ReleaseState, GuestError>>;

    fn withdraw<'a>(&'a self, endpoint: &'a str, release: &'a str) -> Reply<'a, Result<(), GuestError>>;
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseMode {
    Live,
    Canary,
    Shadow,
}

/// How a release gets traffic; what is absent or empty is as the endpoint says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rollout {
    pub mode: ReleaseMode,
    /// Percent, ascending, each 1 to 99.
    pub steps: Vec<u8>,
    pub bake: Option<Duration>,
    pub requests: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointPhase {
    Pending,
    Canary,
    Shadow,
    Live,
    Retired,
    RolledBack,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReleaseState {
    pub phase: EndpointPhase,
    /// Percent of the traffic.
    pub share: u8,
    pub message: String,
}
