//! One call of a plugin as data: what the executor asks for, what comes of it, and what it cost.
//!
//! The engine turns a [`Request`] into a [`Report`]; nothing here knows how.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::table::Table;

mod deliver;
mod reach;

pub use deliver::{Deployment, DeploymentStatus, Finding, Health, Release, Window};
pub use reach::{
    EndpointPhase, Endpoints, Http, HttpFailure, HttpRequest, HttpResponse, Model, ReleaseMode, ReleaseState, Reply,
    Rollout,
};

/// A call with everything that the guest may see or use.
#[derive(Clone)]
pub struct Request {
    pub call: Call,
    pub limits: Limits,
    pub sandbox: Sandbox,
    pub observer: Arc<dyn Observer>,
    pub cancel: Cancel,
}

/// The kind's function with its arguments. `config` is a JSON object.
#[derive(Clone, Debug)]
pub enum Call {
    Read { config: String },
    Process { config: String, inputs: Vec<(String, Table)>, outputs: Vec<String> },
    Fit { config: String, input: Table },
    Apply { state: Arc<[u8]>, input: Table },
    Train { config: String, train: Table, validation: Option<Table> },
    Predict { model: Arc<[u8]>, input: Table },
    Validate { config: String, subject: Subject },
    Deploy { config: String, release: Release, previous: Option<Deployment> },
    DeploymentStatus { config: String, deployment: Deployment },
    Undeploy { config: String, deployment: Deployment },
    Observe { config: String, window: Window, reference: Option<Table> },
}

/// What a validator looks at.
#[derive(Clone, Debug)]
pub enum Subject {
    Table(Table),
    Evaluation { truth: Option<Table>, candidate: Table, champion: Option<Table>, features: Table },
}

/// What the guest can reach besides its arguments.
#[derive(Clone, Default)]
pub struct Sandbox {
    /// A private copy of the granted files, shown to the guest read-only as `/`. Absent: the guest sees no file system.
    pub files: Option<PathBuf>,
    /// What the guest's clocks say, in microseconds since 1970-01-01T00:00:00Z.
    pub nominal_time: i64,
    /// Seeds the guest's random numbers.
    pub seed: [u8; 32],
    /// The checkpoint of an earlier attempt.
    pub checkpoint: Option<Arc<[u8]>>,
    /// Inputs that are not tables.
    pub blobs: BTreeMap<String, Arc<[u8]>>,
    /// Names under which the guest may create blobs.
    pub blob_outputs: Vec<String>,
    /// Sends the guest's HTTP requests, where it was granted any. Absent: every request is refused.
    pub http: Option<Arc<dyn Http>>,
    /// Drives the endpoints that the guest was granted. Absent: every call is refused.
    pub endpoints: Option<Arc<dyn Endpoints>>,
    /// The model that the guest judges. Absent: every question to it is refused.
    pub model: Option<Arc<dyn Model>>,
}

/// Hears what the guest says while it runs. Called on the guest's thread: must not block for long.
pub trait Observer: Send + Sync {
    fn log(&self, line: LogLine);
    fn metrics(&self, points: Vec<MetricPoint>);
    fn progress(&self, progress: Progress);
    fn checkpoint(&self, state: Vec<u8>);
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// A line with control characters already made harmless.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LogLine {
    pub level: LogLevel,
    pub message: String,
    pub fields: Vec<(String, String)>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MetricPoint {
    pub name: String,
    pub value: f64,
    pub step: u64,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Progress {
    pub done: u64,
    pub total: Option<u64>,
    pub message: String,
}

/// Tells a running call to stop. Clones are the same switch.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What came of a call.
#[derive(Debug)]
pub struct Report {
    pub outcome: Outcome,
    pub usage: Usage,
}

/// How a call ended. Everything but `Ok` leaves no output.
#[derive(Debug)]
pub enum Outcome {
    Ok(Answer),
    /// The plugin returned its typed error.
    Failed(GuestError),
    /// The guest hit a wasm trap: unreachable code, out-of-bounds access, stack overflow, a panic.
    Trapped {
        message: String,
    },
    TimedOut {
        limit: Duration,
    },
    Cancelled,
    /// Something that was not granted: an interface, a file.
    Denied {
        what: String,
    },
    OutOfMemory {
        limit: u64,
    },
    /// Too many host calls, or too many bytes through them.
    HostCallBudget {
        what: String,
    },
    /// The guest wrote more than it may.
    OutputLimit {
        what: String,
    },
    /// The guest used up its fuel.
    OutOfFuel {
        limit: u64,
    },
    /// The guest broke the contract: buffers that do not fit the schema, a row count that lies.
    InvalidResult {
        message: String,
    },
}

/// What a call gives when it succeeds.
#[derive(Debug, Default)]
pub struct Answer {
    pub value: Value,
    /// Blobs that the guest created, by name.
    pub blobs: Vec<BlobOutput>,
}

#[derive(Debug, Default)]
pub enum Value {
    #[default]
    Nothing,
    /// `read`
    Source { table: Table, report: SourceReport },
    /// `process`: the outputs whose writer was started
    Tables(Vec<(String, Table)>),
    /// `fit` and `train`
    Bytes(Vec<u8>),
    /// `apply` and `predict`
    Table(Table),
    /// `validate`
    Validation(ValidationReport),
    /// `deploy`
    Deployment(Deployment),
    /// `status`
    Status(DeploymentStatus),
    /// `observe`
    Findings(Vec<Finding>),
}

#[derive(Debug)]
pub struct BlobOutput {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// The cases of the contract's `error`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    InvalidConfig,
    InvalidInput,
    Denied,
    Unavailable,
    Exhausted,
    Internal,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GuestError {
    pub code: ErrorCode,
    pub message: String,
    pub field: Option<String>,
}

/// What a data source says of what it read.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct SourceReport {
    pub rows: u64,
    pub bad_rows: u64,
    pub notes: Vec<Note>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Note {
    pub line: Option<u64>,
    pub message: String,
}

/// What a validator says.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ValidationReport {
    pub passed: bool,
    pub summary: String,
    pub checks: Vec<Check>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub passed: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub slice: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub observed: Option<f64>,
    pub expected: String,
    pub count: u64,
    pub examples: Vec<String>,
    pub message: String,
}

/// What a call cost.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Usage {
    pub wall: Duration,
    /// Time the guest's thread spent on a core.
    pub cpu: Duration,
    /// The most bytes that linear memories and tables held at once.
    pub memory_peak: u64,
    pub host_calls: u64,
    /// Bytes through host calls, both ways.
    pub host_bytes: u64,
    /// Bytes of log lines kept.
    pub log_bytes: u64,
    /// Log lines beyond the limit, not kept.
    pub log_lines_dropped: u64,
    pub output_bytes: u64,
    /// Where fuel is metered.
    pub fuel: Option<u64>,
    /// Whether the guest asked what time it is. A result that did not depend on the nominal time is good at any time.
    pub clock_read: bool,
}
