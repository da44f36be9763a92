//! The keys of an endpoint in the project file.

use serde_json::json;

use super::{Key, boolean, count, duration, object, optional, required, size, text};

pub(in crate::config) const ENDPOINT: &[Key] = &[
    required(
        "model",
        "the registered model and the alias that the endpoint follows: `breast-cancer@champion`",
        || json!({"type": "string", "pattern": "^[a-z][a-z0-9_-]*@([a-z][a-z0-9_-]*|[1-9][0-9]*)$"}),
    ),
    optional("deadline", "how long a request may take: `1s`", duration),
    optional("instances", "warm instances of a release", || json!({"type": "integer", "minimum": 1, "maximum": 1024})),
    optional(
        "queue",
        "requests that may wait; further ones are refused with 503",
        || json!({"type": "integer", "minimum": 0, "maximum": 1_000_000}),
    ),
    optional("batch", "answer several requests with one call; off without it", || object(BATCH)),
    optional("canary", "how a new release gets traffic where its deployer asks for a canary", || object(CANARY)),
    optional("rollback", "when a release is taken back without being asked", || object(ROLLBACK)),
    optional("log", "how much of the traffic is recorded", || object(LOG)),
    optional("labels", "the ground truth that arrives later", || object(LABELS)),
    optional("description", "what the endpoint is for, in a sentence", text),
];

pub(in crate::config) const BATCH: &[Key] = &[
    optional("rows", "the most rows of one call", count),
    optional("wait", "how long the first request of a batch waits for others: `2ms`", duration),
];

pub(in crate::config) const CANARY: &[Key] = &[
    optional("steps", "shares of the traffic in percent, rising: `[10, 50]`", || {
        let share = json!({"type": "integer", "minimum": 1, "maximum": 99});
        json!({"type": "array", "items": share, "minItems": 1, "maxItems": 20})
    }),
    optional("bake", "how long each step lasts at the least: `10m`", duration),
    optional("requests", "how many requests the release must have answered at each step", count),
];

pub(in crate::config) const ROLLBACK: &[Key] = &[
    optional("error_rate", "the share of failed requests that is too high: `0.05`", share),
    optional("p99", "the 99th percentile of latency that is too high: `250ms`", duration),
    optional("requests", "how many requests are needed for a verdict", count),
    optional("score", "the score against labels that is too low", || object(SCORE)),
    optional("on_drift", "whether a monitor's `rollback` may take a release back", boolean),
];

pub(in crate::config) const SCORE: &[Key] = &[
    required("metric", "`accuracy`, `f1`, `auc` or `r2`", || json!({"enum": crate::config::endpoint::METRICS})),
    required("min", "the least value that is good enough", super::number),
    optional("labels", "how many labelled predictions are needed for a verdict", count),
];

pub(in crate::config) const LOG: &[Key] = &[
    optional("sample", "the share of requests that is recorded: `1.0`", share),
    optional("rows", "the most rows kept", count),
    optional("bytes", "the most bytes kept: `1GiB`", size),
];

pub(in crate::config) const LABELS: &[Key] =
    &[optional("lateness", "how long after its prediction a label is still taken: `30d`", duration)];

fn share() -> serde_json::Value {
    json!({"type": "number", "minimum": 0, "maximum": 1})
}
