//! What one attempt may use at the most.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Limits of one call. The defaults suit a step on a laptop; a pipeline sets its own under `limits`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes in all linear memories and tables of the call together.
    pub memory: u64,
    /// Time on the wall from start to end, instantiation included.
    pub timeout: Duration,
    /// Calls from the guest into the host.
    pub host_calls: u64,
    /// Bytes through host calls, both ways.
    pub host_bytes: u64,
    /// Bytes of log lines; further lines are counted, not kept.
    pub log_bytes: u64,
    /// Bytes of tables and blobs written, checkpoints included.
    pub output_bytes: u64,
    /// Metric points.
    pub metric_points: u64,
    /// Instructions, roughly; metering them costs 10-50 % of speed, so the default is not to.
    pub fuel: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            timeout: Duration::from_secs(600),
            // A call a microsecond for ten seconds: far beyond what a plugin that works in batches needs.
            host_calls: 10_000_000,
            host_bytes: 64 << 30,
            log_bytes: 16 << 20,
            output_bytes: 4 << 30,
            metric_points: 100_000,
            fuel: None,
        }
    }
}
