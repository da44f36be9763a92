//! The keys of `retention` in the project file.

use serde_json::json;

use super::{Key, duration, optional};

pub(in crate::config) const RETENTION: &[Key] = &[
    optional("runs", "how long runs are kept after their end: `90d`; without it for ever", duration),
    optional("logs", "how long the log lines of runs are kept: `30d`; without it as long as their run", duration),
    optional(
        "inference",
        "how long the rows of inference logs are kept: `30d`; without it up to `log` of the endpoint",
        duration,
    ),
    optional("metrics", "how long the points of metrics are kept: `180d`; last values stay with their run", duration),
    optional(
        "keep_last",
        "how many of the newest runs of each pipeline stay whatever their age; 10 if left out",
        || json!({"type": "integer", "minimum": 0, "maximum": 1_000_000}),
    ),
];
